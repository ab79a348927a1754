package httpapi

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/google/uuid"
)

// refusals say how to mend what the HTTP server refuses before it asks us, by
// the status that it would answer with.
var refusals = map[int]string{
	http.StatusExpectationFailed:           "The only expectation that is met is 100-continue.",
	http.StatusRequestHeaderFieldsTooLarge: "The header fields are too large. Send fewer or shorter ones.",
	http.StatusNotImplemented:              "Send the body with Content-Length, or with the transfer coding chunked and no other.",
	http.StatusHTTPVersionNotSupported:     "Send the request in HTTP/1.1.",
}

// unreadable is for all other refusals.
const unreadable = "This is no request of HTTP/1.1. Look at the request line, the percent-encoding in the URL, the Host header, and the names and values of headers."

// Refusal is the answer to a request that the HTTP server could not read, and
// would answer with a status in a form of its own. Whatever that status is, the
// fault is the caller's, and so is the one that is answered.
func (a *API) Refusal(ctx context.Context, status int) (int, http.Header, []byte) {
	id, err := uuid.NewV7()
	if err != nil {
		id = uuid.New()
	}
	p := invalidRequest.with()
	p.detail = unreadable
	if detail, known := refusals[status]; known {
		p.detail = detail
	}
	a.log.addUnread(ctx, a.p.Now(),
		slog.String("request_id", id.String()), slog.Int("status", p.Status), slog.String("code", p.Code), slog.Int("cause", status))
	body, err := json.Marshal(ToAPIProblem(p, id))
	if err != nil {
		a.logFailure(ctx, err, &call{requestID: id})
	}
	return p.Status, http.Header{
		"Content-Type":           {"application/problem+json"},
		"X-Request-Id":           {id.String()},
		"Cache-Control":          {noStore},
		"X-Content-Type-Options": {noSniff},
	}, body
}
