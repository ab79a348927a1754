package contract

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"
)

// admit checks a request in the order that the package's comment gives, and
// leaves the judged value where the generated handler binds it from.
func (ct *Contract) admit(c echo.Context, op *operation) error {
	if len(op.security) > 0 {
		if err := ct.options.Authenticate(c, op.security); err != nil {
			return err
		}
	}
	r := c.Request()
	if op.body != nil && r.ContentLength > ct.options.BodyLimit {
		return &RequestError{Kind: BodyTooLarge}
	}
	schema, err := bodySchema(r, op.body)
	if err != nil {
		return err
	}
	if err := acceptable(r, op.produces); err != nil {
		return err
	}
	faults := ct.judgeParameters(c, op)
	value, bodyFaults, err := ct.readBody(c.Request(), schema)
	var malformed *RequestError
	if errors.As(err, &malformed) && malformed.Kind == MalformedBody {
		malformed.Faults = append(faults, malformed.Faults...)
	}
	if err != nil {
		return err
	}
	if faults = append(faults, bodyFaults...); len(faults) > 0 {
		return &RequestError{Kind: Invalid, Faults: faults}
	}
	setJudged(c, value)
	return nil
}

// bodySchema finds the schema for the body by its content type; nil if there
// is to be no body.
func bodySchema(r *http.Request, b *body) (*openapi3.Schema, error) {
	if b == nil {
		return nil, nil
	}
	types := slices.Sorted(maps.Keys(b.schemas))
	refuse := func(detail string) (*openapi3.Schema, error) {
		return nil, &RequestError{Kind: UnsupportedMediaType, Detail: detail}
	}
	for _, coding := range r.Header.Values("Content-Encoding") {
		if !strings.EqualFold(strings.TrimSpace(coding), "identity") {
			return refuse("Send the body without a content coding (Content-Encoding).")
		}
	}
	send := "Send the body as " + strings.Join(types, " or ") + "."
	given := r.Header.Values("Content-Type")
	if len(given) != 1 {
		return refuse(send)
	}
	mediaType, parameters, err := mime.ParseMediaType(given[0])
	if err != nil {
		return refuse(send)
	}
	schema, known := b.schemas[mediaType]
	if !known {
		return refuse(send)
	}
	if charset, given := parameters["charset"]; given && !strings.EqualFold(charset, "utf-8") {
		return refuse("Send the body in UTF-8: JSON has no other charset (RFC 8259).")
	}
	return schema, nil
}

// readBody reads, decodes and judges the body. Faults of its form are an error,
// for nothing more can be said of it; those against its schema are listed.
func (ct *Contract) readBody(r *http.Request, schema *openapi3.Schema) (any, []Fault, error) {
	if schema == nil {
		return nil, noBody(r), nil
	}
	// The server is not told of a body that is too large: it would close the
	// connection, though the rest may be read yet (see DiscardUnread).
	raw, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, ct.options.BodyLimit))
	if err != nil {
		return nil, nil, readError(err)
	}
	value, malformed := decode(raw)
	if malformed != nil {
		return nil, nil, malformed
	}
	return value, ct.judge(schema, value), nil
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
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return &RequestError{Kind: BodyTooLarge}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &RequestError{Kind: Timeout}
	default:
		// The framing is broken, or the client is gone.
		return &RequestError{Kind: MalformedBody, Faults: []Fault{{Code: "incomplete_body", Detail: "The body ended before it was complete."}}}
	}
}

// judged is a body that has been read. The generated handler binds the value,
// and so cannot see another one than was judged.
type judged struct {
	io.Reader
	value any
}

// ValidatedValue gives the value that was judged.
func (b *judged) ValidatedValue() any { return b.value }

// Close implements [io.Closer]; the server closes the real body.
func (b *judged) Close() error { return nil }

func setJudged(c echo.Context, value any) {
	r := c.Request().WithContext(c.Request().Context())
	r.Body = &judged{bytes.NewReader(nil), value}
	c.SetRequest(r)
}
