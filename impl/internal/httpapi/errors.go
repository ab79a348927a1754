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

// Problem is a kind of error that callers can meet.
type Problem struct {
	Code    string
	Status  int
	Meaning string // for the documentation
	Mend    string // what to do; the detail of an answer that has nothing better
}

// typeBase begins the URI of a problem's type (RFC 9457 §3.1.1). It names the
// kind of problem wherever the service runs, and so does not follow its URL.
const typeBase = "https://cryptoexchange.com/problems/"

// The problems. This is the one place where codes have their statuses; the test
// compares it with the contract's table.
var (
	malformedBody        = Problem{"malformed_body", http.StatusBadRequest, "The body is not one well-formed JSON document: cut short, with trailing data, a repeated property, invalid UTF-8, a NUL character, or nested too deeply.", "The body is not well-formed."}
	invalidRequest       = Problem{"invalid_request", http.StatusBadRequest, "The request breaks this document. `errors` says where, and how to mend it.", "The request breaks the contract."}
	unauthenticated      = Problem{"unauthenticated", http.StatusUnauthorized, "The API key is missing, unknown or revoked.", `Send your API key in the header "Authorization: Bearer <key>".`}
	notLoggedIn          = Problem{"not_logged_in", http.StatusUnauthorized, "There is no session: it was never begun, or it has ended.", "Log in first."}
	invalidCredentials   = Problem{"invalid_credentials", http.StatusUnauthorized, "The e-mail address or the password is wrong.", "The e-mail address or the password is wrong."}
	secondFactorRequired = Problem{"second_factor_required", http.StatusUnauthorized, "Address and password are right, and the account has a second factor: send `code` as well.", "Send a code of your authenticator app, or a recovery code, as well."}
	invalidSecondFactor  = Problem{"invalid_second_factor", http.StatusUnauthorized, "The code is wrong, or was used before.", "This code is wrong, or was used before."}
	emailAlreadyInUse    = Problem{"email_already_in_use", http.StatusForbidden, "A customer with this e-mail address exists. `customer_id` names it if you created it; nothing is said of anyone else's.", "This e-mail address is already in use."}
	crossOriginRequest   = Problem{"cross_origin_request", http.StatusForbidden, "A browser sent the request for a page of another site.", "This request came from a page of another site. Use the pages of this one."}
	accountSuspended     = Problem{"account_suspended", http.StatusForbidden, "The account is suspended.", "This account is suspended. Write to us to learn more."}
	customerNotFound     = Problem{"customer_not_found", http.StatusNotFound, "You have no customer with this id.", "You have no customer with this id."}
	linkNotFound         = Problem{"link_not_found", http.StatusNotFound, "There is no such link: it was cut short, or it is from elsewhere.", "There is no such link. Copy it from the e-mail as a whole, or ask for a new one."}
	sessionNotFound      = Problem{"session_not_found", http.StatusNotFound, "You have no session with this id.", "You have no session with this id."}
	methodNotFound       = Problem{"disbursement_method_not_found", http.StatusNotFound, "You have no disbursement method with this id.", "You have no disbursement method with this id."}
	notFound             = Problem{"not_found", http.StatusNotFound, "There is nothing at this URL.", "There is nothing at this URL. The contract is at /openapi.yaml, its documentation at /docs."}
	methodNotAllowed     = Problem{"method_not_allowed", http.StatusMethodNotAllowed, "This URL does not take this method. `Allow` lists those that it takes.", "This URL does not take this method."}
	notAcceptable        = Problem{"not_acceptable", http.StatusNotAcceptable, "The answer is JSON, which your `Accept` header excludes.", "The answer is JSON. Name it in Accept, or leave Accept out."}
	requestTimeout       = Problem{"request_timeout", http.StatusRequestTimeout, "The request did not arrive in time. Send it again.", "The request did not arrive in time. Send it again."}
	idempotencyKeyInUse  = Problem{"idempotency_key_in_use", http.StatusConflict, "The first request with this `Idempotency-Key` is still under way. Try again after `Retry-After`.", "The first request with this Idempotency-Key is still under way. Try again in a moment."}
	invitationAccepted   = Problem{"invitation_accepted", http.StatusConflict, "The customer needs no invitation: they have set their password, or their account is not active.", "This customer needs no invitation: they have set their password, or their account is not active."}
	secondFactorEnabled  = Problem{"second_factor_enabled", http.StatusConflict, "There is a second factor already.", "You have a second factor already. Turn it off first."}
	notEnrolled          = Problem{"second_factor_not_enrolled", http.StatusConflict, "There is no second factor to confirm or to turn off.", "There is no second factor to confirm or to turn off."}
	tooManyMethods       = Problem{"too_many_disbursement_methods", http.StatusConflict, "There are ten disbursement methods already.", "There are ten disbursement methods already. Remove one first."}
	linkExpired          = Problem{"link_expired", http.StatusGone, "The link is too old. Ask for a new one.", "This link has expired. Ask for a new one."}
	linkUsed             = Problem{"link_used", http.StatusGone, "The link has done what it was for.", "This link has been used. Log in, or ask for a new password if you have forgotten yours."}
	bodyTooLarge         = Problem{"body_too_large", http.StatusRequestEntityTooLarge, "The body is larger than 256 KiB.", "The body may have at most " + strconv.Itoa(BodyLimit) + " bytes."}
	unsupportedMediaType = Problem{"unsupported_media_type", http.StatusUnsupportedMediaType, "The body must be sent as `application/json`, in UTF-8 and without a content coding.", "Send the body as application/json."}
	unacceptableData     = Problem{"unacceptable_data", http.StatusUnprocessableEntity, "The request keeps this document, but says something that cannot be accepted: a country that does not exist, an IBAN with wrong check digits, a wrong password. `errors` says what.", "The request names something that cannot be accepted."}
	idempotencyKeyReused = Problem{"idempotency_key_reused", http.StatusUnprocessableEntity, "This `Idempotency-Key` came with another body before.", "This Idempotency-Key came with another body before."}
	rateLimitExceeded    = Problem{"rate_limit_exceeded", http.StatusTooManyRequests, "Too many requests. Try again after `Retry-After`.", "Too many requests. Wait for as long as Retry-After says."}
	internalError        = Problem{"internal_error", http.StatusInternalServerError, "The fault is ours. Report the `request_id` if it persists.", "Something went wrong on our side. Report the request_id if it persists."}
	serviceUnavailable   = Problem{"service_unavailable", http.StatusServiceUnavailable, "The service cannot answer at the moment. Try again after `Retry-After`.", "The service cannot answer at the moment. Try again after Retry-After."}
)

// Problems lists all kinds, in the order of the contract's table.
func Problems() []Problem {
	return []Problem{
		malformedBody, invalidRequest, unauthenticated, notLoggedIn, invalidCredentials, secondFactorRequired, invalidSecondFactor,
		emailAlreadyInUse, crossOriginRequest, accountSuspended, customerNotFound, linkNotFound, sessionNotFound, methodNotFound, notFound,
		methodNotAllowed, notAcceptable, requestTimeout, idempotencyKeyInUse, invitationAccepted, secondFactorEnabled, notEnrolled, tooManyMethods,
		linkExpired, linkUsed, bodyTooLarge, unsupportedMediaType,
		unacceptableData, idempotencyKeyReused, rateLimitExceeded, internalError, serviceUnavailable,
	}
}

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
		limited      *rateLimitError
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
		p.retryAfter = limited.seconds
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
