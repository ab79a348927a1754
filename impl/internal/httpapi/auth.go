package httpapi

import (
	"errors"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"cryptoexchange.com/escrow/impl/internal/partner"
)

// Challenges of RFC 6750 §3: the error is named only to callers who sent a key.
const (
	challenge        = `Bearer realm="CryptoExchange Escrow"`
	challengeInvalid = challenge + `, error="invalid_token"`
)

// authenticate recognises a partner by its API key, and counts the request
// against the key's limit.
func (a *API) authenticate(c echo.Context, _ openapi3.SecurityRequirements) error {
	token, given := bearer(c.Request().Header.Values("Authorization"))
	if !given {
		return a.refuse(c, challenge)
	}
	ctx := c.Request().Context()
	key, err := a.p.Partners.Authenticate(ctx, token)
	if errors.Is(err, partner.ErrUnauthenticated) {
		return a.refuse(c, challengeInvalid)
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
func (a *API) refuse(c echo.Context, challenge string) error {
	if err := a.failures.take(a.p.ClientIP(c.Request())); err != nil {
		return err
	}
	return &credentialError{challenge}
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
