package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"cryptoexchange.com/escrow/impl/internal/account"
	"cryptoexchange.com/escrow/impl/internal/contract"
	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/disbursement"
	"cryptoexchange.com/escrow/impl/internal/partner"
	"cryptoexchange.com/escrow/impl/internal/password"
)

// problem is what one request is answered with.
type problem struct {
	Problem
	detail       string
	faults       []contract.Fault
	customerID   *int64
	retryAfter   int    // seconds; 0 for no header
	authenticate string // empty for no header
	allow        []string
}

func (p *problem) title() string { return http.StatusText(p.Status) }

func (p Problem) with(faults ...contract.Fault) *problem {
	return &problem{Problem: p, detail: p.Mend, faults: faults}
}

// retrySoon is for what passes within a moment.
const retrySoon = 1

// describe finds what an error is answered with.
func (a *API) describe(err error, caller *call) *problem {
	var (
		request      *contract.RequestError
		unacceptable *customer.UnacceptableError
		inUse        *customer.EmailInUseError
		credential   *credentialError
		limited      *RateLimitError
	)
	switch {
	case errors.As(err, &request):
		return describeRequest(request)
	case errors.As(err, &credential):
		p := unauthenticated.with()
		p.authenticate = credential.challenge
		if credential.challenge == challengeInvalid {
			p.detail = "This API key is unknown or revoked."
		}
		return p
	case errors.As(err, &limited):
		p := rateLimitExceeded.with()
		p.retryAfter = limited.Seconds
		return p
	case errors.As(err, &unacceptable):
		return unacceptableData.with(fromFindings(unacceptable.Findings)...)
	case errors.Is(err, errUnsupportedRoute):
		return unacceptableData.with(contract.Fault{In: "query", Name: "currency", Code: disbursement.CodeUnsupportedRoute, Detail: "There is no such route. ACH is for dollars in the United States, wires for usd, cad, eur, aud and gbp, and a wallet for what a network has."})
	case errors.As(err, &inUse):
		p := emailAlreadyInUse.with(contract.Fault{Pointer: "/email", Code: emailAlreadyInUse.Code, Detail: "A customer with this e-mail address exists."})
		if inUse.CreatedBy(caller.partnerID) {
			p.customerID = &inUse.CustomerID
		}
		return p
	case errors.Is(err, customer.ErrKeyReused):
		return idempotencyKeyReused.with(contract.Fault{In: "header", Name: "Idempotency-Key", Code: idempotencyKeyReused.Code, Detail: "Use a new key for a new customer."})
	case errors.Is(err, customer.ErrKeyInUse):
		p := idempotencyKeyInUse.with()
		p.retryAfter = retrySoon
		return p
	case errors.Is(err, customer.ErrNotFound):
		return customerNotFound.with()
	case errors.Is(err, customer.ErrUnavailable), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		p := serviceUnavailable.with()
		p.retryAfter = retrySoon
		return p
	default:
		return describeAccount(err)
	}
}

// ofAccount has the problems of the customer's side that need no more words.
var ofAccount = []struct {
	err     error
	problem Problem
}{
	{account.ErrLinkNotFound, linkNotFound},
	{account.ErrLinkExpired, linkExpired},
	{account.ErrLinkUsed, linkUsed},
	{account.ErrInvitationAccepted, invitationAccepted},
	{account.ErrSessionNotFound, sessionNotFound},
	{account.ErrSecondFactorEnabled, secondFactorEnabled},
	{account.ErrNotEnrolled, notEnrolled},
	{account.ErrSuspended, accountSuspended},
	{errCrossOrigin, crossOriginRequest},
	{account.ErrMethodNotFound, methodNotFound},
	{account.ErrTooManyMethods, tooManyMethods},
}

// describeAccount finds what an error of the customer's side is answered with.
func describeAccount(err error) *problem {
	var tooMany *account.TooManyError
	code := func(p Problem, detail string) *problem {
		return challenged(p.with(contract.Fault{Pointer: "/code", Code: p.Code, Detail: detail}))
	}
	switch {
	case errors.As(err, &tooMany):
		p := rateLimitExceeded.with()
		p.detail = "Several of these e-mails have been sent already. Wait for as long as Retry-After says."
		p.retryAfter = int(min(max(math.Ceil(tooMany.RetryAfter.Seconds()), 1), longestWait))
		return p
	case errors.Is(err, account.ErrNotLoggedIn):
		return challenged(notLoggedIn.with())
	case errors.Is(err, account.ErrInvalidCredentials):
		return challenged(invalidCredentials.with())
	case errors.Is(err, account.ErrSecondFactorRequired):
		return code(secondFactorRequired, "This account has a second factor.")
	case errors.Is(err, account.ErrInvalidSecondFactor):
		return code(invalidSecondFactor, "Wait for the next code, or use a recovery code.")
	case errors.Is(err, password.ErrBusy), errors.Is(err, account.ErrConflict):
		p := serviceUnavailable.with()
		p.retryAfter = retrySoon
		return p
	}
	for _, known := range ofAccount {
		if errors.Is(err, known.err) {
			return known.problem.with()
		}
	}
	return internalError.with()
}

// challenged says how a customer authenticates. There is no registered scheme
// for cookies (RFC 9110 §11.6.1 asks for one in every 401).
func challenged(p *problem) *problem {
	p.authenticate = challengeCookie
	return p
}

var ofKind = map[contract.Kind]Problem{
	contract.NotFound:             notFound,
	contract.MethodNotAllowed:     methodNotAllowed,
	contract.BodyTooLarge:         bodyTooLarge,
	contract.UnsupportedMediaType: unsupportedMediaType,
	contract.NotAcceptable:        notAcceptable,
	contract.Timeout:              requestTimeout,
	contract.Overloaded:           serviceUnavailable,
	contract.MalformedBody:        malformedBody,
	contract.Invalid:              invalidRequest,
}

func describeRequest(e *contract.RequestError) *problem {
	p := ofKind[e.Kind].with(e.Faults...)
	p.allow = e.Allow
	if e.Kind == contract.Overloaded {
		p.retryAfter = retrySoon
	}
	switch {
	case e.Detail != "":
		p.detail = e.Detail
	case e.Kind == contract.MethodNotAllowed:
		p.detail = "This URL takes " + strings.Join(e.Allow, ", ") + "."
	case e.Kind == contract.Invalid && len(e.Faults) == 1:
		p.detail = "The request breaks the contract in 1 place."
	case e.Kind == contract.Invalid:
		p.detail = "The request breaks the contract in " + strconv.Itoa(len(e.Faults)) + " places."
	}
	return p
}

func fromFindings(findings []customer.Finding) []contract.Fault {
	faults := make([]contract.Fault, len(findings))
	for i, f := range findings {
		faults[i] = contract.Fault{Code: f.Code, Detail: f.Detail}
		if len(f.Path) > 0 {
			faults[i].Pointer = "/" + strings.Join(f.Path, "/")
		}
	}
	return faults
}

// handleError is Echo's error handler, and the only one that writes problems.
func (a *API) handleError(err error, c echo.Context) {
	ctx := c.Request().Context()
	caller := callOf(ctx)
	p := a.describe(err, caller)
	caller.code = p.Code
	if p.Status >= http.StatusInternalServerError {
		a.logFailure(ctx, err, caller)
	}
	body, err := json.Marshal(ToAPIProblem(p, caller.requestID))
	if err != nil {
		a.logFailure(ctx, err, caller)
	}
	h := c.Response().Header()
	h.Set("X-Request-Id", caller.requestID.String())
	h.Set("Cache-Control", noStore)
	h.Set("X-Content-Type-Options", noSniff)
	if p.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retryAfter))
	}
	if p.authenticate != "" {
		h.Set("WWW-Authenticate", p.authenticate)
	}
	if len(p.allow) > 0 {
		h.Set("Allow", strings.Join(p.allow, ", "))
	}
	// What cannot be written has nobody to read it.
	_ = c.Blob(p.Status, "application/problem+json", body)
}

// logFailure tells the operator of what is no fault of the caller. A caller who
// is gone is nobody's fault.
func (a *API) logFailure(ctx context.Context, err error, caller *call) {
	var violation *contract.ResponseError
	if errors.As(err, &violation) || errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return // logged where it was found
	}
	if errors.As(err, new(*contract.RequestError)) {
		return // there is no failure, but too much to do
	}
	attributes := []slog.Attr{slog.String("request_id", caller.requestID.String()), slog.Any("error", err)}
	var panicked *contract.PanicError
	if errors.As(err, &panicked) {
		attributes = append(attributes, slog.String("stack", string(panicked.Stack)))
	}
	a.p.Logger.LogAttrs(ctx, slog.LevelError, "request failed", attributes...)
}

// credentialError refuses a caller who is not recognised.
type credentialError struct{ challenge string }

func (e *credentialError) Error() string { return partner.ErrUnauthenticated.Error() }

func (e *credentialError) Unwrap() error { return partner.ErrUnauthenticated }
