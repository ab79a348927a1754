package contract

import (
	"io"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"cryptoexchange.com/escrow/impl/internal/unread"
)

// discardUnread lets clients read why their request was refused. Many write a
// whole request before they look for an answer; the HTTP server reads no more
// than 256 KiB on their behalf and then resets the connection, which takes the
// answer with it. It must go around Echo.
func discardUnread(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength == 0 {
			next.ServeHTTP(w, r)
			return
		}
		// A copy, for the server looks at the body of its own.
		watched := *r
		body := &incoming{ReadCloser: r.Body, large: r.ContentLength > unread.Limit}
		watched.Body = body
		next.ServeHTTP(w, &watched)
		if body.ended || body.large {
			return
		}
		c := http.NewResponseController(w)
		// The answer must be on its way before more is waited for.
		if c.Flush() != nil || c.SetReadDeadline(time.Now().Add(unread.Timeout)) != nil {
			return
		}
		// Where it does not end, the server closes the connection.
		unread.Discard(body)
	})
}

// incoming is the body of a request, which knows whether there is more of it.
type incoming struct {
	io.ReadCloser
	ended bool // or broken
	large bool // so much that the rest is not worth reading
}

// Read implements [io.Reader].
func (b *incoming) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.ended = b.ended || err != nil
	return n, err
}

// early prepares the server for an answer before the end of the body: it would
// wait for some of the rest first, which may never come.
func early(c echo.Context, w http.ResponseWriter) {
	body, ok := c.Request().Body.(*incoming)
	if !ok || body.ended {
		return
	}
	if body.large {
		w.Header().Set("Connection", "close")
	}
	// A server that cannot do so does not wait either.
	_ = http.NewResponseController(w).EnableFullDuplex()
}
