package contract

import (
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"cryptoexchange.com/escrow/impl/internal/checker"
	"cryptoexchange.com/escrow/impl/internal/strictjson"
)

// TestSample checks that of what a checker accepts some is judged again, and that
// the verdict of kin-openapi rules where the two disagree.
func TestSample(t *testing.T) {
	t.Parallel()
	ct := ours(t)
	var told []Disagreement
	ct.options.Sample = 3
	ct.options.Disagreement = func(_ echo.Context, d Disagreement) { told = append(told, d) }
	op := ct.paths["/api/v1/escrow/partner/customers"].operations["POST"]
	s := op.body.exact["application/json"].schema
	c := echo.New().NewContext(httptest.NewRequestWithContext(t.Context(), "POST", "/", nil), httptest.NewRecorder())
	judge := func(status int, n *counters, body string) (refused int) {
		for range 6 {
			if value, malformed := strictjson.Decode([]byte(body)); !ct.accepted(judgement{c, op, status, n}, s, []byte(body)) && (malformed != nil || ct.judge(s.kin, value) != nil) {
				refused++
			}
		}
		return refused
	}
	if n := judge(0, &ct.requests, `{"email":"ana@example.com"}`) + judge(0, &ct.requests, `{"email":"ana"}`); n != 6 {
		t.Errorf("%d are refused, want the 6 that are wrong", n)
	}
	s.fast = checker.Compile(anything, nil) // which is wrong
	if n := judge(201, &ct.responses, `{"email":"s3cret"}`); n != 2 {
		t.Errorf("%d are refused, want the 2 of the sample", n)
	}
	want := Counts{Requests: Judged{Checker: 6, Kin: 6, Sampled: 2}, Responses: Judged{Checker: 6, Sampled: 2, Disagreements: 2}}
	if diff := cmp.Diff(want, ct.Counts()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	wrong := Disagreement{Operation: "createCustomer", Status: 201, Fault: Fault{Pointer: "/email", Code: "format", Detail: "This must be an e-mail address, such as name@example.com."}}
	if diff := cmp.Diff([]Disagreement{wrong, wrong}, told); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestCheckersKnow checks that the compiled checkers know the examples of the
// contract, so that kin-openapi is not asked about what is usual.
func TestCheckersKnow(t *testing.T) {
	t.Parallel()
	ct := ours(t)
	for name, x := range exchanges(t) {
		op := ct.paths["/api/v1/escrow"+x.route].operations[x.method]
		if x.body != nil && !op.body.exact["application/json"].schema.fast.Valid(x.body) {
			t.Errorf("%s: the body is not known", name)
		}
		if !op.response(x.status).content.exact["application/json"].schema.fast.Valid(x.answer) {
			t.Errorf("%s: the answer is not known", name)
		}
		for header, h := range op.response(x.status).headers {
			if values := x.headers[header]; values != nil && !h.schema.accepts(values[0], true) {
				t.Errorf("%s: %s is not known", name, header)
			}
		}
	}
}
