package contract

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"cryptoexchange.com/escrow/impl/internal/strictjson"
)

// admit checks a request in the order that the package's comment gives, and
// leaves the judged value where the generated handler binds it from. The body
// that it returns is to be freed when the request has been answered.
func (ct *Contract) admit(c echo.Context, op *operation) (*judged, error) {
	if len(op.security) > 0 {
		// Two credentials are those of two callers.
		if len(c.Request().Header["Authorization"]) > 1 {
			return nil, &RequestError{Kind: Invalid, Faults: []Fault{{In: "header", Name: "Authorization", Code: "repeated_parameter", Detail: "Send one credential."}}}
		}
		if err := ct.options.Authenticate(c, op.security); err != nil {
			return nil, err
		}
	}
	r := c.Request()
	if op.body != nil && r.ContentLength > ct.options.BodyLimit {
		return nil, &RequestError{Kind: BodyTooLarge}
	}
	m, read, err := op.body.of(r)
	if err != nil {
		return nil, err
	}
	if err := acceptable(r, op.produces); err != nil {
		return nil, err
	}
	var faults []Fault
	if enforced {
		faults = ct.judgeParameters(c, op)
	}
	var b *judged
	var bodyFaults []Fault
	if m == nil {
		bodyFaults = noBody(r)
	} else {
		b = &judged{raw: bodies.Get().(*bytes.Buffer)}
		bodyFaults, err = ct.readBody(c, op, m, read, b)
	}
	if malformed, is := errors.AsType[*RequestError](err); is && malformed.Kind == MalformedBody {
		faults = append(faults, malformed.Faults...)
		malformed.Faults = faults[:min(len(faults), MaxFaults)]
	}
	if err == nil {
		if faults = append(faults, bodyFaults...); len(faults) > 0 {
			err = &RequestError{Kind: Invalid, Faults: faults[:min(len(faults), MaxFaults)]}
		}
	}
	if err != nil {
		b.free()
		return nil, err
	}
	if b != nil {
		setJudged(c, b)
	}
	return b, nil
}

// of finds what is asked of the body of a request; nil if there is to be none.
func (b *body) of(r *http.Request) (*media, reading, error) {
	if b == nil || !b.required && absent(r) {
		return nil, 0, nil
	}
	refuse := func(detail string) (*media, reading, error) {
		return nil, 0, &RequestError{Kind: UnsupportedMediaType, Detail: detail}
	}
	for _, coding := range r.Header["Content-Encoding"] {
		if !strings.EqualFold(strings.TrimSpace(coding), "identity") {
			return refuse("Send the body without a content coding (Content-Encoding).")
		}
	}
	given := r.Header["Content-Type"]
	if len(given) != 1 {
		return refuse("Send the body as " + strings.Join(b.names, " or ") + ".")
	}
	m, read, err := b.find(given[0])
	switch {
	case errors.Is(err, errCharset):
		return refuse("Send the body in UTF-8: there is no other charset here.")
	case err != nil:
		return refuse("Send the body as " + strings.Join(b.names, " or ") + ".")
	default:
		return m, read, nil
	}
}

// absent tells whether a request says that it has no body.
func absent(r *http.Request) bool {
	return r.ContentLength == 0 && len(r.Header["Content-Type"]) == 0
}

// readBody reads, decodes and judges the body. Faults of its form are an error,
// for nothing more can be said of it; those against its schema are listed.
func (ct *Contract) readBody(c echo.Context, op *operation, m *media, read reading, b *judged) ([]Fault, error) {
	r := c.Request()
	if n := r.ContentLength; n > 0 {
		b.raw.Grow(int(min(n, firstPart)) + bytes.MinRead)
	}
	// The server is not told of a body that is too large: it would close the
	// connection, though the rest may be read yet (see discardUnread).
	b.limited = limited{Reader: r.Body, limit: ct.options.BodyLimit, budget: ct.budget}
	if _, err := b.raw.ReadFrom(&b.limited); err != nil {
		return nil, readError(err)
	}
	raw := b.raw.Bytes()
	b.Reset(raw)
	if m.schema == nil || read == asBytes {
		return nil, nil
	}
	var malformed []Fault
	if read == asText {
		b.value, malformed = text(raw)
	} else {
		var found []strictjson.Fault
		b.value, found = strictjson.Decode(raw)
		b.isValue, malformed = true, fromStrict(found)
	}
	if len(malformed) > 0 {
		return nil, &RequestError{Kind: MalformedBody, Faults: malformed}
	}
	if !enforced || read == asJSON && ct.accepted(judgement{c: c, op: op, counters: &ct.requests}, m.schema, raw) {
		return nil, nil
	}
	return ct.judge(m.schema.kin, b.value), nil
}

// noBody checks that there is none. One whose length was declared is not waited
// for; of another, only reading tells.
func noBody(r *http.Request) []Fault {
	if r.ContentLength == 0 {
		return nil
	}
	if r.ContentLength < 0 {
		if n, err := r.Body.Read(make([]byte, 1)); n == 0 && errors.Is(err, io.EOF) {
			return nil
		}
	}
	return []Fault{{Code: "unexpected_body", Detail: "This operation takes no body."}}
}

func readError(err error) error {
	switch {
	case errors.Is(err, errTooLarge):
		return &RequestError{Kind: BodyTooLarge}
	case errors.Is(err, errOverloaded):
		return &RequestError{Kind: Overloaded}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &RequestError{Kind: Timeout}
	default:
		// The framing is broken, or the client is gone.
		return &RequestError{Kind: MalformedBody, Faults: []Fault{{Code: "incomplete_body", Detail: "The body ended before it was complete."}}}
	}
}

var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// judged is a body that has been read. Who binds the value cannot see another
// one than was judged: the bytes, which other readers may read in other ways, are
// gone once it has been asked for. Handlers of what is not JSON read the bytes.
type judged struct {
	bytes.Reader
	value   any
	isValue bool
	raw     *bytes.Buffer
	limited limited
}

// valued is a body of which there is a value.
type valued struct{ *judged }

// ValidatedValue gives the value that was judged.
func (b valued) ValidatedValue() any {
	b.Reset(nil)
	return b.value
}

// Close implements [io.Closer]; the server closes the real body.
func (b *judged) Close() error { return nil }

// free gives the buffer back.
func (b *judged) free() {
	if b == nil || b.raw == nil {
		return
	}
	b.Reset(nil)
	if b.limited.taken > 0 {
		b.limited.budget.give(b.limited.taken)
	}
	if b.raw.Cap() <= keptBuffer {
		b.raw.Reset()
		bodies.Put(b.raw)
	}
	b.raw = nil
}

func setJudged(c echo.Context, b *judged) {
	r := c.Request()
	if _, own := r.Body.(*incoming); !own {
		// The server looks at the body of its own request.
		r = r.WithContext(r.Context())
		c.SetRequest(r)
	}
	if b.isValue {
		r.Body = valued{b}
		return
	}
	r.Body = b
}
