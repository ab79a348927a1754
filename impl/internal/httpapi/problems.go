package httpapi

import (
	"net/http"
	"strconv"
)

// Problem is a kind of error that callers can meet.
type Problem struct {
	Code    string
	Status  int
	Meaning string // in one sentence, as the contract's table has it
	Mend    string // what to do, in plain text; the detail of an answer that has nothing better

	// The rest is for the documentation, in Markdown.

	Cause  string // when callers meet it
	Remedy string // what to do about it
	Retry  string // whether the same request may be sent again, and when
}

// typeBase begins the URI of a problem's type (RFC 9457 §3.1.1). It names the
// kind of problem wherever the service runs, and so does not follow its URL.
const typeBase = "https://cryptoexchange.com/problems/"

// What is said of several problems.
const (
	retryNever     = "No: it is answered the same until the request is changed."
	retryAfterWait = "Yes, after the seconds in `Retry-After`, with the same body and the same `Idempotency-Key`."
	retryNewLogin  = "Only with what was missing or wrong."
	retryNewLink   = "No: this link stays as it is."
	retryNewState  = "No: it is answered the same for as long as the account is in this state."

	causeNoSuch = "The id was mistyped, or it is another customer's, or what it named is gone."
)

// The problems. This is the one place where codes have their statuses; a test
// compares it with the contract's table. First those of the request as such.
var (
	malformedBody = Problem{
		Code: "malformed_body", Status: http.StatusBadRequest,
		Meaning: "The body is not one well-formed JSON document: cut short, with trailing data, a repeated property, invalid UTF-8, a NUL character, or nested too deeply.",
		Mend:    "The body is not well-formed.",
		Cause: "The bytes of the body could not be read as JSON. Most often the JSON was put together as text instead of being encoded by a library, " +
			"the connection ended before the body did, or the text was in another encoding than UTF-8.\n\n" +
			"Some JSON that other services take is refused as well, because not everybody reads it alike: the same property twice, objects and arrays " +
			"nested more than 32 deep, more than 256 members in one of them, and numbers beyond what a double-precision number holds.",
		Remedy: "- Read `errors[0].pointer` and `errors[0].detail`: they name the place, and the byte if the JSON breaks off.\n" +
			"- Encode the body with your language's JSON library, as UTF-8, and let the HTTP library set `Content-Length`.",
		Retry: retryNever,
	}
	invalidRequest = Problem{
		Code: "invalid_request", Status: http.StatusBadRequest,
		Meaning: "The request breaks the contract. `errors` says where, and how to mend it.",
		Mend:    "The request breaks the contract.",
		Cause: "Something in the body, in the path, in the query or in a header is not as [the contract](page:openapi.yaml) says: a required property is missing, " +
			"a name is misspelt, a value has another type, is too long, or has another form. " +
			"Unknown properties and unknown query parameters are refused by name, so that a misspelt `phone` does not get lost silently.",
		Remedy: "- Go through `errors`. `pointer` names a place in the body, such as `/address/country`; `in` and `name` name a parameter. `detail` says what to do.\n" +
			"- `error_count` is the number of all faults; `errors` lists the first 20.\n" +
			"- If your user typed the value, show `detail` beside the field that `pointer` names.\n" +
			"- Compare with the schema in the [reference](page:reference). Look a fault up in the [list of codes](errors.md#codes-of-faults).",
		Retry: retryNever,
	}
	notFound = Problem{
		Code: "not_found", Status: http.StatusNotFound,
		Meaning: "There is nothing at this URL.",
		Mend:    "There is nothing at this URL. The contract is at /openapi.yaml, its documentation at /docs.",
		Cause: "The path is not one of the contract's. Often the base URL lacks `/api/v1/escrow`, there is a slash at the end or twice in the middle, " +
			"or the two paths of customers were mixed up: a customer is created at `/partner/customers` and read at `/partner/customer/{customer_id}`.",
		Remedy: "Compare the URL with `servers` and `paths` in [the contract](page:openapi.yaml). A customer who does not exist is another problem, [`customer_not_found`](problem:customer_not_found).",
		Retry:  retryNever,
	}
	methodNotAllowed = Problem{
		Code: "method_not_allowed", Status: http.StatusMethodNotAllowed,
		Meaning: "This URL does not take this method. `Allow` lists those that it takes.",
		Mend:    "This URL does not take this method.",
		Cause:   "The path is right and the method is not, such as `PUT` on a customer. A partner creates customers and reads them; only the customer changes them afterwards.",
		Remedy:  "Use a method that the header `Allow` lists. If an HTTP library follows a redirection with `GET` where you sent `POST`, give it the final URL.",
		Retry:   retryNever,
	}
	notAcceptable = Problem{
		Code: "not_acceptable", Status: http.StatusNotAcceptable,
		Meaning: "The answer is JSON, which your `Accept` header excludes.",
		Mend:    "The answer is JSON. Name it in Accept, or leave Accept out.",
		Cause:   "The header `Accept` names other media types only, such as `text/html` or `application/xml`.",
		Remedy:  "Send `Accept: application/json`, or leave the header out. Errors come as `application/problem+json` in any case.",
		Retry:   retryNever,
	}
	requestTimeout = Problem{
		Code: "request_timeout", Status: http.StatusRequestTimeout,
		Meaning: "The request did not arrive in time. Send it again.",
		Mend:    "The request did not arrive in time. Send it again.",
		Cause:   "The connection stalled while the body was under way, or `Content-Length` announced more bytes than were sent.",
		Remedy:  "Send the request again on a new connection. If it happens each time, compare `Content-Length` with the length of the body in bytes, not in characters.",
		Retry:   "Yes, at once, with the same `Idempotency-Key`.",
	}
	bodyTooLarge = Problem{
		Code: "body_too_large", Status: http.StatusRequestEntityTooLarge,
		Meaning: "The body is larger than 256 KiB.",
		Mend:    "The body may have at most " + strconv.Itoa(BodyLimit) + " bytes.",
		Cause:   "The body has more than 262,144 bytes. A customer with ten disbursement methods needs some thousands, so this is usually a file or a list that went to the wrong place.",
		Remedy:  "Send one customer in each request, and nothing that the contract does not have.",
		Retry:   retryNever,
	}
	unsupportedMediaType = Problem{
		Code: "unsupported_media_type", Status: http.StatusUnsupportedMediaType,
		Meaning: "The body must be sent as `application/json`, in UTF-8 and without a content coding.",
		Mend:    "Send the body as application/json.",
		Cause: "`Content-Type` is missing or names another type (`curl -d` sends `application/x-www-form-urlencoded` by itself), names another character set than UTF-8, " +
			"or the body is compressed.",
		Remedy: "Send `Content-Type: application/json`, without `Content-Encoding`.",
		Retry:  retryNever,
	}
	unacceptableData = Problem{
		Code: "unacceptable_data", Status: http.StatusUnprocessableEntity,
		Meaning: "The request keeps the contract, but says something that cannot be accepted: a country that does not exist, an IBAN with wrong check digits, a wrong password. `errors` says what.",
		Mend:    "The request names something that cannot be accepted.",
		Cause: "Every value has the right form, and one of them cannot be true: a country that does not exist, a phone number that no numbering plan knows, " +
			"a bank or wallet that fails its checks, or a password that is wrong or too weak.",
		Remedy: "- Go through `errors`: `pointer` names the place, `code` the kind of fault, and `detail` is a sentence that you can show to the person who typed the value.\n" +
			"- Do not correct the value by guessing: ask the person who knows it.\n" +
			"- If it is a disbursement method, and you would rather create the customer now and have the method mended later, send `Prefer: handling=lenient`; see [disbursement methods](disbursement-methods.md#strict-and-lenient-handling).\n" +
			"- Look a fault up in the [list of codes](errors.md#codes-of-faults).",
		Retry: retryNever,
	}
)

// Those of partners.
var (
	unauthenticated = Problem{
		Code: "unauthenticated", Status: http.StatusUnauthorized,
		Meaning: "The API key is missing, unknown or revoked.",
		Mend:    `Send your API key in the header "Authorization: Bearer <key>".`,
		Cause: "The key is looked at before parameters and body: without a good one the service says neither whether they are right nor whether a customer exists. `WWW-Authenticate` tells two cases apart:\n\n" +
			"- `Bearer realm=\"…\"` alone: no key arrived. The header `Authorization` is missing, has another scheme than `Bearer`, or was removed by a proxy or by a redirection to another host.\n" +
			"- with `error=\"invalid_token\"`: a key arrived that is unknown or revoked. It may be cut off, have a space or a line break in it, or belong to another environment, such as a sandbox.",
		Remedy: "- Send `Authorization: Bearer <key>` with each request. A key begins with `cex_live_`, that of a sandbox with `cex_test_`.\n" +
			"- Compare the last four characters of the key that you send with those of the keys that the operator lists for you.\n" +
			"- If yours is lost or revoked, ask the operator for a new one; see [authentication](authentication.md).",
		Retry: "No: not with this key. Many tries from one network are answered with [`rate_limit_exceeded`](problem:rate_limit_exceeded).",
	}
	emailAlreadyInUse = Problem{
		Code: "email_already_in_use", Status: http.StatusForbidden,
		Meaning: "A customer with this e-mail address exists. `customer_id` names it if you created it; nothing is said of anyone else's.",
		Mend:    "This e-mail address is already in use.",
		Cause: "An e-mail address belongs to one customer. Addresses that differ only in case or in Unicode form are the same. There are three ways to get here:\n\n" +
			"- You created this customer before. Then the answer has `customer_id`.\n" +
			"- Your first request was carried out and its answer was lost, and you repeated it without an `Idempotency-Key`. Then the answer has `customer_id`, too.\n" +
			"- The person came by another way: alone, or by another partner. Then there is no `customer_id`, and you cannot read this customer.",
		Remedy: "- With `customer_id`: store it, and go on with [get a customer](operation:getCustomer).\n" +
			"- Without: tell the person that there is an account with this address at CryptoExchange, which they log in to as before.\n" +
			"- Send an `Idempotency-Key` with every create, so that a repetition is recognised as one.",
		Retry: retryNever,
	}
	customerNotFound = Problem{
		Code: "customer_not_found", Status: http.StatusNotFound,
		Meaning: "You have no customer with this id.",
		Mend:    "You have no customer with this id.",
		Cause: "No customer has this id, or another partner created the one who has. The two are answered alike, so that ids tell nothing.\n\n" +
			"If the id is right, look at the key: one of another partner or of another environment sees other customers.",
		Remedy: "Use the `id` of the answer that created the customer, its `Location`, or `customer_id` of [`email_already_in_use`](problem:email_already_in_use).",
		Retry:  retryNever,
	}
	idempotencyKeyInUse = Problem{
		Code: "idempotency_key_in_use", Status: http.StatusConflict,
		Meaning: "The first request with this `Idempotency-Key` is still under way. Try again after `Retry-After`.",
		Mend:    "The first request with this Idempotency-Key is still under way. Try again in a moment.",
		Cause:   "Two requests with the same `Idempotency-Key` arrived at almost the same time: a retry that began before the first request ended, or two workers with the same job.",
		Remedy:  "Wait, and send the request again: then you get the answer of the first one. Give requests a timeout that is longer than a second or two before you repeat them.",
		Retry:   retryAfterWait,
	}
	idempotencyKeyReused = Problem{
		Code: "idempotency_key_reused", Status: http.StatusUnprocessableEntity,
		Meaning: "This `Idempotency-Key` came with another body before.",
		Mend:    "This Idempotency-Key came with another body before.",
		Cause: "A customer was created with this key, and this request says something else: another value in the body, or another `Prefer`. " +
			"The order of properties and the white space make no difference. A request that was refused does not use up its key.",
		Remedy: "- For another customer, make a new key.\n" +
			"- For the same customer, send exactly what you sent first. Store the body beside the key, so that a retry does not build it anew from data that has changed meanwhile.\n" +
			"- What has changed cannot be supplied again: from the creation on, the customer is in charge of it.",
		Retry: retryNever,
	}
	invitationAccepted = Problem{
		Code: "invitation_accepted", Status: http.StatusConflict,
		Meaning: "The customer needs no invitation: they have set their password, or their account is not active.",
		Mend:    "This customer needs no invitation: they have set their password, or their account is not active.",
		Cause:   "You asked to [send the introductory e-mail again](operation:resendInvitation), and there is nothing left to invite to.",
		Remedy:  "Read the customer. If `invitation.state` is `accepted`, they log in, and set a new password by \"forgotten password\" if they have to. If `status` is not 1, the account is suspended or closed.",
		Retry:   retryNewState,
	}
	rateLimitExceeded = Problem{
		Code: "rate_limit_exceeded", Status: http.StatusTooManyRequests,
		Meaning: "Too many requests. Try again after `Retry-After`.",
		Mend:    "Too many requests. Wait for as long as Retry-After says.",
		Cause: "- Your key made more requests than its rate allows.\n" +
			"- You asked to send a customer's introductory e-mail again within a minute of the last one, or for a sixth time in a day.\n" +
			"- Many requests without a good key came from your network.\n" +
			"- Somebody tried to log in, to sign up or to recover a password too often. Nobody is locked out for good.",
		Remedy: "- Nothing was carried out. Wait for as many seconds as `Retry-After` says, at least. All workers that share a key share its rate: let one of them wait for all.\n" +
			"- Spread imports over time instead of sending them at once.\n" +
			"- Add a little chance to your waiting times, so that clients do not come back all together.",
		Retry: retryAfterWait,
	}
	internalError = Problem{
		Code: "internal_error", Status: http.StatusInternalServerError,
		Meaning: "The fault is ours. Report the `request_id` if it persists.",
		Mend:    "Something went wrong on our side. Report the request_id if it persists.",
		Cause:   "The service met something that it was not made for. It does not tell what, and its log does.",
		Remedy: "- It is not known whether the request was carried out. Repeat a create with the same `Idempotency-Key`: it is carried out once at most.\n" +
			"- If it persists, tell the operator the `request_id`.",
		Retry: "Yes, a few times, with growing pauses and the same `Idempotency-Key`.",
	}
	serviceUnavailable = Problem{
		Code: "service_unavailable", Status: http.StatusServiceUnavailable,
		Meaning: "The service cannot answer at the moment. Try again after `Retry-After`.",
		Mend:    "The service cannot answer at the moment. Try again after Retry-After.",
		Cause:   "The service has more to do than it can hold at the moment, is being stopped or started, or cannot reach what it stores in.",
		Remedy:  "Wait for as many seconds as `Retry-After` says, and send the request again. It is not known whether a create was carried out: repeat it with the same `Idempotency-Key`.",
		Retry:   retryAfterWait,
	}
)

// Those of customers.
var (
	notLoggedIn = Problem{
		Code: "not_logged_in", Status: http.StatusUnauthorized,
		Meaning: "There is no session: it was never begun, or it has ended.",
		Mend:    "Log in first.",
		Cause: "The cookie `cex_session` is missing, or its session has ended: an hour after its last use, twelve hours after it began, when the customer logged out elsewhere or changed the password, or when the account was suspended or closed.\n\n" +
			"If you are a partner: paths that begin with `/customer` are the customer's own. An API key is no good there.",
		Remedy: "Let the customer [log in](operation:logIn) again. As a partner, use the paths that begin with `/partner`.",
		Retry:  "After logging in.",
	}
	invalidCredentials = Problem{
		Code: "invalid_credentials", Status: http.StatusUnauthorized,
		Meaning: "The e-mail address or the password is wrong.",
		Mend:    "The e-mail address or the password is wrong.",
		Cause:   "No open account has this address and this password. It is not said which of the two is wrong. A customer who was invited and has not set a password yet is answered the same.",
		Remedy:  "The customer types both again, or asks for a new password. Whoever has no password yet gets the invitation again in this way.",
		Retry:   retryNewLogin,
	}
	secondFactorRequired = Problem{
		Code: "second_factor_required", Status: http.StatusUnauthorized,
		Meaning: "Address and password are right, and the account has a second factor: send `code` as well.",
		Mend:    "Send a code of your authenticator app, or a recovery code, as well.",
		Cause:   "The customer has turned on a second factor. This is the first half of logging in, not a failure.",
		Remedy:  "Ask for a code of the authenticator app, or for a recovery code, and send address, password and `code` together.",
		Retry:   retryNewLogin,
	}
	invalidSecondFactor = Problem{
		Code: "invalid_second_factor", Status: http.StatusUnauthorized,
		Meaning: "The code is wrong, or was used before.",
		Mend:    "This code is wrong, or was used before.",
		Cause:   "Address and password are right. The code is not of this moment, was mistyped, or has done its work: each is good once. A phone whose clock is wrong makes codes that are wrong.",
		Remedy:  "Wait for the next code of the app, or use a recovery code. Set the phone's clock by the network.",
		Retry:   retryNewLogin,
	}
	crossOriginRequest = Problem{
		Code: "cross_origin_request", Status: http.StatusForbidden,
		Meaning: "A browser sent the request for a page of another site.",
		Mend:    "This request came from a page of another site. Use the pages of this one.",
		Cause:   "A page of another site tried to act for the customer who is logged in here. Browsers say so in `Sec-Fetch-Site` and `Origin`, and the service refuses it.",
		Remedy:  "Send customers to the pages of the service, by the link in their e-mail, instead of calling paths under `/customer` from a page of yours.",
		Retry:   retryNever,
	}
	accountSuspended = Problem{
		Code: "account_suspended", Status: http.StatusForbidden,
		Meaning: "The account is suspended.",
		Mend:    "This account is suspended. Write to us to learn more.",
		Cause:   "Address and password are right, and CryptoExchange has suspended the account. Partners see it as `status` 2.",
		Remedy:  "The customer writes to CryptoExchange.",
		Retry:   retryNewState,
	}
	linkNotFound = Problem{
		Code: "link_not_found", Status: http.StatusNotFound,
		Meaning: "There is no such link: it was cut short, or it is from elsewhere.",
		Mend:    "There is no such link. Copy it from the e-mail as a whole, or ask for a new one.",
		Cause:   "The token of the link is not known: a part was lost when it was copied, it is of another environment, or the account that it was for is not active any more.",
		Remedy:  "Copy the link from the e-mail as a whole, with all that follows `#token=`, or ask for a new one.",
		Retry:   retryNever,
	}
	linkExpired = Problem{
		Code: "link_expired", Status: http.StatusGone,
		Meaning: "The link is too old. Ask for a new one.",
		Mend:    "This link has expired. Ask for a new one.",
		Cause:   "The link came too late: `expires_at` of the link, and of the customer's `invitation`, is past.",
		Remedy:  "The customer asks for a fresh e-mail on the page that the old link leads to, or the partner [sends the introductory e-mail again](operation:resendInvitation).",
		Retry:   retryNewLink,
	}
	linkUsed = Problem{
		Code: "link_used", Status: http.StatusGone,
		Meaning: "The link has done what it was for.",
		Mend:    "This link has been used. Log in, or ask for a new password if you have forgotten yours.",
		Cause:   "A password was set with this link, or with another one of the same kind. That uses up all of them.",
		Remedy:  "The customer logs in, or asks for a new password.",
		Retry:   retryNewLink,
	}
	sessionNotFound = Problem{
		Code: "session_not_found", Status: http.StatusNotFound,
		Meaning: "You have no session with this id.",
		Mend:    "You have no session with this id.",
		Cause:   causeNoSuch,
		Remedy:  "[List the sessions](operation:listSessions), and take the id from there. A session that has ended needs no ending.",
		Retry:   retryNever,
	}
	methodNotFound = Problem{
		Code: "disbursement_method_not_found", Status: http.StatusNotFound,
		Meaning: "You have no disbursement method with this id.",
		Mend:    "You have no disbursement method with this id.",
		Cause:   causeNoSuch,
		Remedy:  "[List the disbursement methods](operation:listDisbursementMethods), and take the id from there.",
		Retry:   retryNever,
	}
	secondFactorEnabled = Problem{
		Code: "second_factor_enabled", Status: http.StatusConflict,
		Meaning: "There is a second factor already.",
		Mend:    "You have a second factor already. Turn it off first.",
		Cause:   "The customer began with a second factor, and has one that is turned on.",
		Remedy:  "To move to another app, [turn the second factor off](operation:disableTotp), which needs the password and a code, and begin anew.",
		Retry:   retryNewState,
	}
	notEnrolled = Problem{
		Code: "second_factor_not_enrolled", Status: http.StatusConflict,
		Meaning: "There is no second factor to confirm or to turn off.",
		Mend:    "There is no second factor to confirm or to turn off.",
		Cause:   "No secret was made before, or none is turned on.",
		Remedy:  "[Begin with a second factor](operation:enrolTotp) first. To turn off what is not on, nothing is needed.",
		Retry:   retryNewState,
	}
	tooManyMethods = Problem{
		Code: "too_many_disbursement_methods", Status: http.StatusConflict,
		Meaning: "There are ten disbursement methods already.",
		Mend:    "There are ten disbursement methods already. Remove one first.",
		Cause:   "A customer may have ten disbursement methods.",
		Remedy:  "[Remove one](operation:removeDisbursementMethod), or [replace one](operation:replaceDisbursementMethod).",
		Retry:   retryNewState,
	}
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
