package contract

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"
	"github.com/oapi-codegen/runtime"

	"cryptoexchange.com/escrow/gen"
	"cryptoexchange.com/escrow/gen/spec"
	"cryptoexchange.com/escrow/impl/internal/checker"
	"cryptoexchange.com/escrow/impl/internal/strictjson"
)

// exchange is a request and its answer, of the contract that is published.
type exchange struct {
	method, path, route string
	body                []byte
	status              int
	answer              []byte
	headers             http.Header
}

func exchanges(t testing.TB) map[string]exchange {
	t.Helper()
	doc, err := load(spec.YAML)
	if err != nil {
		t.Fatal(err)
	}
	example := func(content openapi3.Content) []byte {
		for _, e := range content["application/json"].Examples {
			raw, err := json.Marshal(e.Value.Value)
			if err != nil {
				t.Fatal(err)
			}
			return raw
		}
		t.Fatal("no example")
		return nil
	}
	headers := func() http.Header {
		return http.Header{"Cache-Control": {"no-store"}, "X-Content-Type-Options": {"nosniff"}, "X-Request-Id": {"018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081"}, "Content-Type": {"application/json"}}
	}
	create, get := doc.Paths.Find("/partner/customers").Post, doc.Paths.Find("/partner/customer/{customer_id}").Get
	made := exchange{"POST", "/partner/customers", "/partner/customers", example(create.RequestBody.Value.Content), 201, example(create.Responses.Status(201).Value.Content), headers()}
	made.headers.Set("Location", "https://example.com/api/v1/escrow/partner/customer/1")
	return map[string]exchange{
		"create": made,
		"get":    {"GET", "/partner/customer/1", "/partner/customer/:customer_id", nil, 200, example(get.Responses.Status(200).Value.Content), headers()},
	}
}

// onlyKin makes every checker know nothing.
func onlyKin(ct *Contract) {
	nothing := checker.Compile(&openapi3.Schema{Always: new(bool)}, nil)
	forget := func(c *content) {
		for _, m := range c.ranges {
			m.schema.fast = nothing
		}
	}
	for _, p := range ct.paths {
		for _, op := range p.operations {
			if op.body != nil {
				forget(op.body.content)
			}
			for _, p := range op.parameters {
				p.schema.fast = nothing
			}
			for _, r := range op.responses {
				forget(r.content)
				for _, h := range r.headers {
					h.schema.fast = nothing
				}
			}
		}
	}
}

// judges are the ways to judge that are compared.
func judges(t testing.TB) map[string]*Contract {
	kin := ours(t)
	onlyKin(kin)
	return map[string]*Contract{"checker": ours(t), "kin": kin}
}

func (x exchange) request(t testing.TB) *http.Request {
	r := httptest.NewRequestWithContext(t.Context(), x.method, "/api/v1/escrow"+x.path, nil)
	r.Header.Set("Authorization", "Bearer key")
	r.Header.Set("User-Agent", "partner/1.0")
	r.Header.Set("Accept", "application/json")
	if x.body != nil {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", "018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081")
		r.ContentLength = int64(len(x.body))
	}
	return r
}

// sink takes an answer.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkMiddleware is the whole, around a handler that always answers the same,
// beside Echo with that handler alone.
func BenchmarkMiddleware(b *testing.B) {
	for name, x := range exchanges(b) {
		handler := func(c echo.Context) error {
			h := c.Response().Header()
			for name, values := range x.headers {
				h[name] = values
			}
			c.Response().WriteHeader(x.status)
			_, err := c.Response().Write(x.answer)
			return err
		}
		run := func(judge string, ct *Contract) {
			e := echo.New()
			if ct != nil {
				e.Use(ct.Middleware)
			}
			e.Add(x.method, "/api/v1/escrow"+x.route, handler)
			b.Run(name+"/"+judge, func(b *testing.B) {
				b.ReportAllocs()
				template := x.request(b)
				reader := strings.NewReader("")
				for b.Loop() {
					r := *template
					if x.body != nil {
						reader.Reset(string(x.body))
						r.Body = io.NopCloser(reader)
					}
					w := sink{header: make(http.Header)}
					e.ServeHTTP(&w, &r)
					if w.status != x.status {
						b.Fatal(w.status)
					}
				}
			})
		}
		for judge, ct := range judges(b) {
			run(judge, ct)
		}
		run("none", nil)
	}
}

// BenchmarkBinding measures what becomes of a value after it was judged.
func BenchmarkBinding(b *testing.B) {
	value, malformed := strictjson.Decode(exchanges(b)["create"].body)
	if malformed != nil {
		b.Fatal(malformed)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := runtime.BindJSONValue(value, new(gen.NewCustomer)); err != nil {
			b.Fatal(err)
		}
	}
}

// TestBinding checks that what is accepted as an integer becomes one.
func TestBinding(t *testing.T) {
	t.Parallel()
	value, malformed := strictjson.Decode([]byte(`{"A":1.0,"B":1e2,"C":9223372036854775807,"D":-0.0}`))
	var got struct{ A, B, C, D int64 }
	if err := runtime.BindJSONValue(value, &got); malformed != nil || err != nil || got.A != 1 || got.B != 100 || got.C != 1<<63-1 || got.D != 0 {
		t.Errorf("%v, %v, %+v", malformed, err, got)
	}
}

// BenchmarkStages measures what is done before a handler and after it.
func BenchmarkStages(b *testing.B) {
	for name, x := range exchanges(b) {
		for judge, ct := range judges(b) {
			op := ct.paths["/api/v1/escrow"+x.route].operations[x.method]
			c := echo.New().NewContext(nil, nil)
			c.SetParamNames("customer_id")
			c.SetParamValues("1")
			b.Run(name+"/admit/"+judge, func(b *testing.B) {
				b.ReportAllocs()
				template := x.request(b)
				reader := strings.NewReader("")
				for b.Loop() {
					r := *template
					if x.body != nil {
						reader.Reset(string(x.body))
						r.Body = io.NopCloser(reader)
					}
					c.SetRequest(&r)
					judged, err := ct.admit(c, op)
					if err != nil {
						b.Fatal(err)
					}
					judged.free()
				}
			})
			b.Run(name+"/judgeResponse/"+judge, func(b *testing.B) {
				b.ReportAllocs()
				buf := newBuffer(c.Echo())
				buf.status = x.status
				for name, values := range x.headers {
					buf.header()[name] = values
				}
				buf.store.body.Write(x.answer)
				for b.Loop() {
					if violation := ct.judgeResponse(c, op, buf); violation != nil {
						b.Fatal(violation)
					}
				}
			})
		}
	}
}
