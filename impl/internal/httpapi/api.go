// Package httpapi is the service over HTTP: it fills the interface that is
// generated from the contract.
//
// Whatever comes in has kept the contract already, and whatever goes out is
// held to it (package contract, which this package puts around every route), so
// that handlers have three lines of work: from the contract's types, into the
// domain, and back. They return the domain's errors as they are. One table, in
// errors.go, says what those look like over HTTP.
//
// Nothing that a caller sent is logged: not the path, whose parameters may name
// a customer, but the route; not the body, but the codes of what was wrong.
package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"cryptoexchange.com/escrow/gen"
	"cryptoexchange.com/escrow/gen/server"
	"cryptoexchange.com/escrow/impl/internal/account"
	"cryptoexchange.com/escrow/impl/internal/contract"
	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/emailaddr"
	"cryptoexchange.com/escrow/impl/internal/partner"
)

// BodyLimit is how many bytes a body may have: 256 KiB, as the contract says.
const BodyLimit = 256 << 10

// bodyBudget is how many bytes of large bodies are held at a time: some hundreds
// of the largest.
const bodyBudget = 64 << 20

// Params are what an [API] needs.
type Params struct {
	Contract  []byte // the OpenAPI document
	PublicURL string // of the server, as callers reach it, without a slash at the end
	Logger    *slog.Logger
	Now       func() time.Time             // the clock
	ClientIP  func(r *http.Request) string // of the caller, behind proxies
	RateLimit float64                      // requests a second for each API key and each customer; 0 for no limit
	AccessLog int                          // requests that are logged in a second at most; 0 for all
	Limits    Limits
	// Share comes before the contract is asked, for answers to programs of other
	// sites; nil for none.
	Share echo.MiddlewareFunc
}

// Services are what has the rules.
type Services struct {
	Customers *customer.Service
	Partners  *partner.Service
	Accounts  *account.Service
}

// API answers requests. It is safe for concurrent use.
type API struct {
	Services

	p        Params
	contract *contract.Contract
	calls    *limiter // by API key
	failures *limiter // by address of callers who are not recognised
	log      *accessLog

	throttles *throttles
	origins   *http.CrossOriginProtection
	secure    bool // whether cookies are for TLS only
}

var _ server.StrictServerInterface = (*API)(nil)

// Callers that present no good key are told to slow down at this rate, for each
// address they come from. Those that present a good one are never held up by it.
const (
	failuresPerSecond = 20
	failuresAtOnce    = 200
)

// burst is how many seconds' worth of requests may come at once.
const burst = 5

// sample is of how many bodies that a compiled checker accepts one is judged by
// kin-openapi as well.
const sample = 1000

// New makes an API, whose services may be made meanwhile: to compile the contract
// takes longer than all else that makes a start.
func New(p Params) (*API, error) {
	calls, err := newLimiter(p.RateLimit, int(p.RateLimit*burst), p.Now)
	if err != nil {
		return nil, err
	}
	failures, err := newLimiter(failuresPerSecond, failuresAtOnce, p.Now)
	if err != nil {
		return nil, err
	}
	a := &API{p: p, calls: calls, failures: failures, log: newAccessLog(p.Logger, p.AccessLog)}
	if a.throttles, err = newThrottles(p.Limits, p.RateLimit, p.Now); err != nil {
		return nil, err
	}
	if a.origins, a.secure, err = origins(p.PublicURL); err != nil {
		return nil, err
	}
	a.contract, err = contract.New(p.Contract, contract.Options{
		BodyLimit:    BodyLimit,
		BodyBudget:   bodyBudget,
		Formats:      map[string]func(string) error{"idn-email": emailaddr.Check},
		Authenticate: a.authenticate,
		Violation:    a.logViolation,
		Sample:       sample,
		Disagreement: a.logDisagreement,
	})
	return a, err
}

// origins knows the site's own pages, and whether they are reached by TLS. A
// cookie is for TLS only, unless the site is on the reader's own machine.
func origins(publicURL string) (*http.CrossOriginProtection, bool, error) {
	u, err := url.Parse(publicURL)
	if err != nil {
		return nil, false, fmt.Errorf("public URL: %w", err)
	}
	o := http.NewCrossOriginProtection()
	if err := o.AddTrustedOrigin(u.Scheme + "://" + u.Host); err != nil {
		return nil, false, fmt.Errorf("public URL: %w", err)
	}
	return o, u.Scheme == "https" || !IsLocal(publicURL), nil
}

// IsLocal tells whether a URL is of the reader's own machine.
func IsLocal(publicURL string) bool {
	u, err := url.Parse(publicURL)
	if err != nil {
		return false
	}
	ip, _ := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || ip.IsLoopback()
}

// Judged tells who has judged how many bodies by the contract.
func (a *API) Judged() contract.Counts { return a.contract.Counts() }

// Handler puts the API's routes on Echo, with everything around them, and gives
// the handler to serve. All other routes of the same Echo get their errors
// answered in the same form.
func (a *API) Handler(e *echo.Echo, s Services) http.Handler {
	a.Services = s
	e.HTTPErrorHandler = a.handleError
	e.Use(a.track)
	if a.p.Share != nil {
		e.Use(a.p.Share)
	}
	e.Use(a.contract.Middleware)
	server.RegisterHandlersWithBaseURL(e, server.NewStrictHandler(a, []server.StrictMiddlewareFunc{a.guard}), a.contract.BasePath())
	return a.contract.Handler(e)
}

// Headers that every answer has.
const (
	noStore = "no-store"
	noSniff = "nosniff"
)

// CreateCustomer implements createCustomer.
func (a *API) CreateCustomer(ctx context.Context, request server.CreateCustomerRequestObject) (server.CreateCustomerResponseObject, error) {
	key := ""
	if request.Params.IdempotencyKey != nil {
		key = *request.Params.IdempotencyKey
	}
	call := callOf(ctx)
	draft, err := FromAPINewCustomer(request.Body)
	if err != nil {
		return nil, err
	}
	draft.Lenient = request.Params.Prefer != nil && prefersLenient(*request.Params.Prefer)
	created, err := a.Customers.Create(ctx, call.partnerID, draft, key)
	if err != nil {
		return nil, err
	}
	body, err := a.toAPICustomer(&created.Customer)
	if err != nil {
		return nil, err
	}
	response := server.CreateCustomer201JSONResponse{Body: body, Headers: server.CreateCustomer201ResponseHeaders{
		CacheControl:        noStore,
		Location:            a.p.PublicURL + a.contract.BasePath() + "/partner/customer/" + strconv.FormatInt(created.Customer.ID, 10),
		XContentTypeOptions: noSniff,
		XRequestID:          call.requestID,
	}}
	if draft.Lenient {
		applied := lenient
		response.Headers.PreferenceApplied = &applied
	}
	if created.Replayed {
		replayed := "true"
		response.Headers.IdempotencyReplayed = &replayed
	}
	return createdResponse{response}, nil
}

// GetCustomer implements getCustomer.
func (a *API) GetCustomer(ctx context.Context, request server.GetCustomerRequestObject) (server.GetCustomerResponseObject, error) {
	call := callOf(ctx)
	c, err := a.Customers.Customer(ctx, call.partnerID, request.CustomerID)
	if err != nil {
		return nil, err
	}
	body, err := a.toAPICustomer(&c)
	if err != nil {
		return nil, err
	}
	return customerResponse{server.GetCustomer200JSONResponse{Body: body, Headers: server.GetCustomer200ResponseHeaders{
		CacheControl:        noStore,
		XContentTypeOptions: noSniff,
		XRequestID:          call.requestID,
	}}}, nil
}

// ResendInvitation implements resendInvitation.
func (a *API) ResendInvitation(ctx context.Context, request server.ResendInvitationRequestObject) (server.ResendInvitationResponseObject, error) {
	call := callOf(ctx)
	invitation, err := a.Accounts.ResendInvitation(ctx, call.partnerID, request.CustomerID)
	if err != nil {
		return nil, err
	}
	return server.ResendInvitation202JSONResponse{Body: *toAPIInvitation(&invitation, a.p.Now()), Headers: server.ResendInvitation202ResponseHeaders{
		CacheControl: noStore, XContentTypeOptions: noSniff, XRequestID: call.requestID,
	}}, nil
}

func (a *API) toAPICustomer(c *customer.Customer) (gen.Customer, error) {
	return ToAPICustomer(c, a.p.Now())
}

// call is what is known of a request under way.
type call struct {
	requestID uuid.UUID
	partnerID int64 // 0 until the caller is recognised
	keyID     int64
	session   *account.Session // of the customer; nil until they are recognised
	network   string           // that the caller is in
	userAgent string
	oldToken  string // of the session's cookie, if there was one
	code      string // of the problem that was answered; empty if all went well
}

type callKey struct{}

// callOf finds the call in its context, where track has put it.
func callOf(ctx context.Context) *call {
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok {
		return &call{requestID: uuid.New()}
	}
	return c
}

// track gives a request its id, and logs it when it has been answered. It keeps
// requests going when their client sends no more: net/http cancels them, for it
// takes that for the client's end; but a client may close its side and read on
// (RFC 9112 §9.6), and it and those that it has pipelined would be answered with
// 503. What a request does takes so little, and waits for so short a time, that it
// is finished for those who are gone as well.
func (a *API) track(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		began := a.p.Now()
		id, err := uuid.NewV7()
		if err != nil {
			return fmt.Errorf("make request id: %w", err)
		}
		r := c.Request()
		made := &call{requestID: id, network: a.p.ClientIP(r), userAgent: r.UserAgent(), oldToken: sessionToken(r)}
		ctx := context.WithValue(context.WithoutCancel(r.Context()), callKey{}, made)
		c.SetRequest(c.Request().WithContext(ctx))
		err = next(c)
		ended := a.p.Now()
		a.log.add(c, made, ended, ended.Sub(began))
		return err
	}
}

func (a *API) logViolation(c echo.Context, violation *contract.ResponseError) {
	ctx := c.Request().Context()
	a.p.Logger.LogAttrs(ctx, slog.LevelError, "response breaks the contract",
		slog.String("request_id", callOf(ctx).requestID.String()),
		slog.String("operation_id", violation.Operation),
		slog.Int("status", violation.Status),
		slog.String("pointer", violation.Pointer),
		slog.String("reason", violation.Reason))
}

func (a *API) logDisagreement(c echo.Context, d contract.Disagreement) {
	ctx := c.Request().Context()
	a.p.Logger.LogAttrs(ctx, slog.LevelError, "a compiled checker accepted what kin-openapi refuses; the latter was heeded",
		slog.String("request_id", callOf(ctx).requestID.String()),
		slog.String("operation_id", d.Operation),
		slog.Int("status", d.Status), // 0 of a request, whose names are the caller's
		slog.String("code", d.Fault.Code))
}
