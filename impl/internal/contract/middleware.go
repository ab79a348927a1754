package contract

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// asGet is a request with another method. It is a copy, for the server looks at
// the method of its own.
func asGet(r *http.Request) *http.Request {
	get := *r
	get.Method = http.MethodGet
	return &get
}

// Handler is what to serve instead of an Echo with the middleware: HEAD is
// answered as GET is, save where the document has HEAD itself, and bodies are
// handled as [discardUnread] says.
func (ct *Contract) Handler(e *echo.Echo) http.Handler {
	return discardUnread(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead && !ct.hasHead(e, r) {
			r = asGet(r)
		}
		e.ServeHTTP(w, r)
	}))
}

func (ct *Contract) hasHead(e *echo.Echo, r *http.Request) bool {
	c := e.AcquireContext()
	defer e.ReleaseContext(c)
	c.Reset(r, nil)
	e.Router().Find(r.Method, echo.GetPath(r), c)
	p := ct.at(c.Path())
	return p != nil && p.operations[http.MethodHead] != nil
}

// Middleware enforces the contract. It must be the innermost of those given to
// Echo.Use.
func (ct *Contract) Middleware(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		p := ct.at(c.Path())
		if p == nil {
			return ct.outside(c, next)
		}
		if elsewhere(c) {
			return ct.outside(c, echo.NotFoundHandler)
		}
		op, known := p.operations[c.Request().Method]
		if !known {
			return ct.outside(c, func(echo.Context) error {
				return &RequestError{Kind: MethodNotAllowed, Allow: p.allow}
			})
		}
		var b *judged
		defer func() { b.free() }()
		return ct.answer(c, op, func(c echo.Context) (err error) {
			if b, err = ct.admit(c, op); err != nil {
				return err
			}
			return next(c)
		})
	}
}

// elsewhere tells a path that Echo takes for an operation's although it has a
// segment less, or more: its last parameter takes the rest of the path, be it
// empty or with slashes. (A slash in a value comes as %2F.)
func elsewhere(c echo.Context) bool {
	return slices.ContainsFunc(c.ParamValues(), func(value string) bool {
		return value == "" || strings.Contains(value, "/")
	})
}

// outside runs what the document does not have. Only its errors are answered
// here.
func (ct *Contract) outside(c echo.Context, next echo.HandlerFunc) error {
	if _, other := c.Get(echo.ContextKeyHeaderAllow).(string); other {
		// Echo would answer OPTIONS by itself, with 204.
		next = echo.MethodNotAllowedHandler
	}
	if c.Request().Method == http.MethodGet {
		early(c, c.Response().Writer) // pages read no body
	}
	err := protect(c, next)
	if err == nil {
		return nil
	}
	if c.Response().Committed {
		return err
	}
	return ct.answer(c, nil, func(echo.Context) error { return routing(c, err) })
}

// routing gives Echo's two errors of routing the form of ours.
func routing(c echo.Context, err error) error {
	var e *echo.HTTPError
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code {
	case http.StatusNotFound:
		return &RequestError{Kind: NotFound}
	case http.StatusMethodNotAllowed:
		allow, _ := c.Get(echo.ContextKeyHeaderAllow).(string)
		return &RequestError{Kind: MethodNotAllowed, Allow: withHead(allow)}
	default:
		return err
	}
}

// answer runs a handler into a buffer, judges what it wrote, and sends that or
// what takes its place. op is nil outside any operation.
func (ct *Contract) answer(c echo.Context, op *operation, handler echo.HandlerFunc) error {
	response := c.Response()
	defer c.SetResponse(response)
	buf, violation := ct.attempt(c, op, handler)
	if violation != nil {
		buf.free()
		ct.violated(c, violation)
		replaced := func(echo.Context) error { return violation }
		if buf, violation = ct.attempt(c, op, replaced); violation != nil {
			// Not even the error handler keeps the contract. Nothing that it
			// wrote can be sent.
			buf.free()
			ct.violated(c, violation)
			buf = newBuffer(c.Echo())
			buf.status = http.StatusInternalServerError
		}
	}
	defer buf.free()
	early(c, response.Writer)
	return buf.send(response, c.Request().Method == http.MethodHead)
}

func (ct *Contract) violated(c echo.Context, violation *ResponseError) {
	if ct.options.Violation != nil {
		ct.options.Violation(c, violation)
	}
}

// attempt runs a handler, and the error handler if it fails, into a new buffer,
// and judges what is in it.
func (ct *Contract) attempt(c echo.Context, op *operation, handler echo.HandlerFunc) (*answerBuffer, *ResponseError) {
	buf := newBuffer(c.Echo())
	c.SetResponse(&buf.Response)
	if err := protect(c, handler); err != nil {
		// What was written before the failure does not count.
		buf.free()
		buf = newBuffer(c.Echo())
		c.SetResponse(&buf.Response)
		err = protect(c, func(c echo.Context) error {
			c.Echo().HTTPErrorHandler(err, c)
			return nil
		})
		if err != nil {
			return buf, &ResponseError{Status: buf.status, Reason: "the error handler fails: " + err.Error()}
		}
	}
	return buf, ct.judgeResponse(c, op, buf)
}

// PanicError is what a handler that panicked returns.
type PanicError struct {
	Type  string // of the value, which itself may hold personal data
	Stack []byte
}

// Error names the type of the value that the handler panicked with.
func (e *PanicError) Error() string { return "panic: " + e.Type }

// protect turns a panic into an error.
func protect(c echo.Context, handler echo.HandlerFunc) (err error) {
	defer func() {
		if v := recover(); v != nil {
			p := &PanicError{Type: fmt.Sprintf("%T", v), Stack: debug.Stack()}
			if e, ok := v.(runtime.Error); ok {
				p.Type = fmt.Sprintf("%T: %v", e, e) // of the Go runtime; has no data of ours
			}
			err = p
		}
	}()
	return handler(c)
}

// withHead adds HEAD to an Allow header with GET.
func withHead(allow string) []string {
	methods := strings.FieldsFunc(allow, func(r rune) bool { return r == ',' || r == ' ' })
	methods = slices.DeleteFunc(methods, func(m string) bool { return m == http.MethodOptions || m == http.MethodHead })
	if slices.Contains(methods, http.MethodGet) {
		methods = append(methods, http.MethodHead)
	}
	slices.Sort(methods)
	return methods
}
