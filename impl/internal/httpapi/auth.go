package httpapi

import (
	"errors"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"cryptoexchange.com/escrow/gen/server"
	"cryptoexchange.com/escrow/impl/internal/account"
	"cryptoexchange.com/escrow/impl/internal/partner"
)

// Challenges of RFC 6750 §3: the error is named only to callers who sent a key.
const (
	challenge        = `Bearer realm="CryptoExchange Escrow"`
	challengeInvalid = challenge + `, error="invalid_token"`
)

// challengeCookie says how a customer logs in. The scheme is not registered.
const challengeCookie = `Cookie realm="CryptoExchange Escrow", form-action="/log-in"`

// Names that the contract has.
const (
	sessionScheme = "Session"
	cookieName    = "cex_session"
)

// authenticate recognises the caller: a customer by a session, or a partner by
// an API key, as the operation requires. One is no good for the other's
// operations.
func (a *API) authenticate(c echo.Context, required openapi3.SecurityRequirements) error {
	for _, r := range required {
		if _, session := r[sessionScheme]; session {
			return a.authenticateCustomer(c)
		}
	}
	return a.authenticatePartner(c)
}

// authenticateCustomer recognises a customer by the cookie of a session.
func (a *API) authenticateCustomer(c echo.Context) error {
	token := sessionToken(c.Request())
	if token == "" {
		return a.refuse(c, account.ErrNotLoggedIn)
	}
	ctx := c.Request().Context()
	session, err := a.Accounts.Authenticate(ctx, token)
	if errors.Is(err, account.ErrNotLoggedIn) {
		return a.refuse(c, account.ErrNotLoggedIn)
	}
	if err != nil {
		return err
	}
	caller := callOf(ctx)
	caller.session = &session
	return a.throttles.sessions.take(session.CustomerID)
}

// sessionToken finds the token of a session; empty if there is none, or if
// there are two cookies, one of which somebody else may have planted.
func sessionToken(r *http.Request) string {
	cookies := r.CookiesNamed(cookieName)
	if len(cookies) != 1 {
		return ""
	}
	return cookies[0].Value
}

// cookie makes the header that begins a session, or ends it if token is empty.
func (a *API) cookie(token string) string {
	c := http.Cookie{Name: cookieName, Value: token, Path: "/", HttpOnly: true, Secure: a.secure, SameSite: http.SameSiteStrictMode} //nolint:gosec // without TLS on the reader's own machine only
	if token == "" {
		c.MaxAge = -1
	}
	return c.String()
}

// errCrossOrigin refuses a request that a browser makes for a page of another
// site.
var errCrossOrigin = errors.New("cross-origin request")

// guard stands before every operation of the customer: pages of other sites may
// not write, for the browser would send the session along; and what needs no
// session is limited by network.
func (a *API) guard(next server.StrictHandlerFunc, _ string) server.StrictHandlerFunc {
	return func(c echo.Context, request any) (any, error) {
		if !strings.HasPrefix(c.Path(), a.contract.BasePath()+"/customer/") {
			return next(c, request)
		}
		if err := a.origins.Check(c.Request()); err != nil {
			return nil, errCrossOrigin
		}
		if caller := callOf(c.Request().Context()); caller.session == nil {
			if err := a.throttles.network.take(caller.network); err != nil {
				return nil, err
			}
		}
		return next(c, request)
	}
}

// authenticatePartner recognises a partner by its API key, and counts the
// request against the key's limit.
func (a *API) authenticatePartner(c echo.Context) error {
	token, given := bearer(c.Request().Header.Values("Authorization"))
	if !given {
		return a.refuse(c, &credentialError{challenge})
	}
	ctx := c.Request().Context()
	key, err := a.Partners.Authenticate(ctx, token)
	if errors.Is(err, partner.ErrUnauthenticated) {
		return a.refuse(c, &credentialError{challengeInvalid})
	}
	if err != nil {
		return err
	}
	caller := callOf(ctx)
	caller.partnerID, caller.keyID = key.PartnerID, key.ID
	return a.calls.take(key.ID)
}

// refuse answers a caller who is not recognised; one who keeps coming is told
// to slow down.
func (a *API) refuse(c echo.Context, refusal error) error {
	if err := a.failures.take(callOf(c.Request().Context()).network); err != nil {
		return err
	}
	return refusal
}

// bearer finds the token in an Authorization header (RFC 6750 §2.1). The name of
// the scheme is read in any case (RFC 9110 §11.1).
func bearer(values []string) (string, bool) {
	if len(values) != 1 {
		return "", false
	}
	scheme, token, found := strings.Cut(strings.TrimSpace(values[0]), " ")
	token = strings.TrimLeft(token, " ")
	return token, found && strings.EqualFold(scheme, "Bearer") && token != ""
}
