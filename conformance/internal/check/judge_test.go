package check

import (
	"encoding/json"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/schema"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// newJudge makes a runner that can judge answers by testdata/things.yaml, and
// do nothing else.
func newJudge(t *testing.T) *Runner {
	t.Helper()
	raw, err := os.ReadFile("testdata/things.yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi.Load("things.yaml", raw)
	if err != nil {
		t.Fatal(err)
	}
	schemas, err := schema.New(doc)
	if err != nil {
		t.Fatal(err)
	}
	return &Runner{
		Config:  Config{Document: doc, Base: &url.URL{Scheme: "http", Host: "api.example.com", Path: "/v1"}},
		schemas: schemas, Coverage: newCoverage(doc),
	}
}

// answer is an exchange as a test writes it.
type answer struct {
	method, target string // GET /v1/things/7 if empty
	sent           string // header lines of the request
	sentBody       string
	op             string // its ID; "-": none; if empty, that of the method and path
	status         int
	header         string // lines of the answer; "J" stands for what a right one has
	body           string
	extra          string
}

const (
	right       = "Content-Type: application/json\nX-Request-Id: 018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081"
	problemType = "Content-Type: application/problem+json"
	whole       = `{"id":7,"name":"n","kind":"a","price":1.5,"tags":["x","y"],"active":true,"note":null,"day":"2026-02-28","method":{"kind":"card","number":"1"}}`
	anError     = `{"type":"about:blank","title":"t","status":404}`
	errorFor    = `{"type":"about:blank","title":"t","status":%}`
)

func (a answer) exchange(t *testing.T) *wire.Exchange {
	t.Helper()
	lines := func(text string) []wire.Field {
		var all []wire.Field
		for line := range strings.SplitSeq(text, "\n") {
			if name, value, ok := strings.Cut(line, ": "); ok {
				all = append(all, wire.Field{Name: name, Value: value})
			}
		}
		return all
	}
	if a.method == "" {
		a.method = "GET"
	}
	if a.target == "" {
		a.target = "/v1/things/7"
	}
	return &wire.Exchange{
		Request: &wire.Request{Method: a.method, Target: a.target, Header: lines(a.sent), Body: []byte(a.sentBody)},
		Response: &wire.Response{
			Status: a.status, Proto: "HTTP/1.1", Header: lines(strings.ReplaceAll(a.header, "%R", right)),
			Body: []byte(a.body), Extra: []byte(a.extra),
		},
	}
}

func (a answer) operation(r *Runner, ex *wire.Exchange) *openapi.Operation {
	if a.op == "-" {
		return nil
	}
	for _, op := range r.Document.Operations {
		if op.ID == a.op {
			return op
		}
	}
	for _, t := range r.routesOf(ex.Request.Target) {
		if op := t.op(ex.Request.Method); op != nil {
			return op
		}
	}
	return nil
}

// found gives the classes of findings, each with its severity's first letter.
func found(findings []finding.Finding) []string {
	all := []string{}
	for _, f := range findings {
		all = append(all, f.Class+" "+f.Severity.String())
	}
	slices.Sort(all)
	return all
}

func TestJudge(t *testing.T) {
	t.Parallel()
	r := newJudge(t)
	for name, tests := range map[string][]struct {
		name string
		answer
		want []string
	}{
		"status": statusTests, "header": headerTests, "media": mediaTests, "body": bodyTests, "error": errorTests,
	} {
		for _, test := range tests {
			t.Run(name+"/"+test.name, func(t *testing.T) {
				t.Parallel()
				ex := test.exchange(t)
				findings := r.judge(test.operation(r, ex), ex)
				want := test.want
				if want == nil {
					want = []string{}
				}
				if diff := cmp.Diff(want, found(findings)); diff != "" {
					text, err := json.MarshalIndent(findings, "", " ")
					if err != nil {
						t.Fatal(err)
					}
					t.Errorf("findings (-want +got):\n%s%s", diff, text)
				}
				for _, f := range findings {
					if f.Pointer == "" && f.RFC == "" || f.Claim == "" || f.Expected == "" || f.Got == "" {
						t.Errorf("%s is not complete: %+v", f.Class, f)
					}
				}
			})
		}
	}
}

type judgeTest = struct {
	name string
	answer
	want []string
}

var statusTests = []judgeTest{
	{"declared", answer{status: 200, header: "%R", body: whole}, nil},
	{"undeclared client error", answer{status: 418, header: problemType, body: `{"title":"t"}`}, []string{"A1 must"}},
	{"range of statuses", answer{target: "/v1/ranges", status: 418, header: problemType, body: strings.ReplaceAll(errorFor, "%", "418")}, nil},
	{"default", answer{target: "/v1/ranges", status: 304, sent: "If-None-Match: \"1\"", header: "ETag: \"1\""}, nil},
	{"of frameworks", answer{status: 415, header: problemType, body: `{"title":"t"}`}, []string{"A1 should"}},
	{"of HTTP", answer{status: 431}, nil},
	{"server error", answer{status: 500, header: problemType, body: `{"title":"t"}`}, []string{"A2 must"}},
	{"server error of no operation", answer{op: "-", method: "QUERY", status: 500}, []string{"A2 must"}},
	{"busy", answer{status: 503, header: "Retry-After: 1"}, []string{"A1 should"}},
	{"busy without an end", answer{status: 503}, []string{"A2 must"}},
	{"method that is not known", answer{op: "-", method: "QUERY", status: 501}, nil},
	{"other success", answer{status: 202, header: right, body: whole}, []string{"A6 must"}},
	{"created by GET", answer{status: 201, header: right, body: whole}, []string{"A7 must"}},
	{"created by POST", answer{method: "POST", target: "/v1/things", status: 201, header: "%R\nLocation: /v1/things/7", body: whole}, nil},
	{"not modified by PUT", answer{method: "PUT", status: 304, sent: "If-None-Match: \"1\"", header: "ETag: \"1\""}, []string{"A7 must"}},
	{"not modified without condition", answer{status: 304, header: "ETag: \"1\""}, []string{"A7 must"}},
	{"not modified", answer{status: 304, sent: "If-None-Match: \"1\"", header: "ETag: \"1\""}, []string{"A1 advice"}},
	{"no status", answer{status: 600}, []string{"A9 must"}},
	{"redirect", answer{status: 302, header: "Location: /v1/login"}, []string{"A11 must"}},
	{"redirect of no operation", answer{op: "-", target: "/v1/things/7/", status: 301, header: "Location: /v1/things/7"}, nil},
	{"part without Range", answer{status: 206, header: right, body: whole}, []string{"A7 must"}},
	{"another method in the operation's name", answer{op: "getThing", method: "LOCK", status: 207}, nil},
	{"another spelling in the operation's name", answer{op: "getThing", target: "/v1/things/7/", status: 418}, nil},
}

var headerTests = []judgeTest{
	{"required is absent", answer{status: 200, header: "Content-Type: application/json", body: whole}, []string{"B1 must"}},
	{"breaks its schema", answer{status: 200, header: "Content-Type: application/json\nX-Request-Id: 7", body: whole}, []string{"B2 must"}},
	{"number breaks its bound", answer{status: 200, header: "%R\nX-Left: 101", body: whole}, []string{"B2 must"}},
	{"number", answer{status: 200, header: "%R\nX-Left: 100", body: whole}, nil},
	{"no number", answer{status: 200, header: "%R\nX-Left: many", body: whole}, []string{"B2 must"}},
	{"Location is absent", answer{method: "POST", target: "/v1/things", status: 201, header: right, body: whole}, []string{"B3 must"}},
	{"405 without Allow", answer{op: "-", method: "LOCK", status: 405}, []string{"B4 must"}},
	{"Allow as declared", answer{op: "-", method: "LOCK", status: 405, header: "Allow: GET, HEAD, OPTIONS, PUT\nAllow: DELETE"}, nil},
	{"Allow with more", answer{op: "-", method: "LOCK", status: 405, header: "Allow: GET, PUT, DELETE, PATCH"}, []string{"B5 should"}},
	{"Allow with less", answer{op: "-", method: "LOCK", status: 405, header: "Allow: GET"}, []string{"B5 must"}},
	{"Allow of an unknown path", answer{op: "-", method: "LOCK", target: "/v1/nowhere", status: 405, header: "Allow: GET"}, nil},
	{"401 without a challenge", answer{status: 401, header: problemType, body: strings.ReplaceAll(errorFor, "%", "401")}, []string{"B6 must"}},
	{"401", answer{status: 401, header: problemType + "\nWWW-Authenticate: Bearer", body: strings.ReplaceAll(errorFor, "%", "401")}, nil},
	{"Retry-After is absent", answer{status: 429, header: problemType, body: strings.ReplaceAll(errorFor, "%", "429")}, []string{"B7 must"}},
	{"Retry-After is malformed", answer{status: 429, header: problemType + "\nRetry-After: soon", body: strings.ReplaceAll(errorFor, "%", "429")}, []string{"B7 must"}},
	{"Retry-After is a date where a number is declared", answer{status: 429, header: problemType + "\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT", body: strings.ReplaceAll(errorFor, "%", "429")}, []string{"B2 must"}},
	{"Retry-After", answer{status: 429, header: problemType + "\nRetry-After: 1", body: strings.ReplaceAll(errorFor, "%", "429")}, nil},
	{"204 with a body", answer{method: "DELETE", status: 204, header: "X-Content-Type-Options: nosniff", extra: "{}"}, []string{"B8 must"}},
	{"204 with a length", answer{method: "DELETE", status: 204, header: "X-Content-Type-Options: nosniff\nContent-Length: 2"}, []string{"B8 must"}},
	{"204 with a length of nothing", answer{method: "DELETE", status: 204, header: "X-Content-Type-Options: nosniff\nContent-Length: 0"}, []string{"B8 should"}},
	{"204", answer{method: "DELETE", status: 204, header: "X-Content-Type-Options: nosniff"}, nil},
	{"HEAD with a body", answer{op: "getThing", method: "HEAD", status: 200, header: right, extra: whole}, []string{"B8 must"}},
	{"HEAD", answer{op: "getThing", method: "HEAD", status: 200, header: "%R\nContent-Length: 100"}, nil},
	{"more than the length", answer{status: 200, header: right, body: whole, extra: "}"}, []string{"B8 must"}},
	{"length and coding", answer{status: 200, header: "%R\nContent-Length: 3\nTransfer-Encoding: chunked", body: whole}, []string{"B8 must"}},
	{"security is absent", answer{method: "DELETE", status: 204}, []string{"B9 must"}},
	{"CORS is absent without Origin", answer{target: "/v1/ranges", status: 200, header: "Content-Type: application/json", body: `{}`}, nil},
	{"CORS is absent", answer{target: "/v1/ranges", sent: "Origin: https://a.example", status: 200, header: "Content-Type: application/json", body: `{}`}, []string{"B9 should"}},
	{"standard header twice", answer{status: 200, header: "%R\nETag: \"1\"\nETag: \"2\"", body: whole}, []string{"B11 must"}},
	{"declared header twice", answer{status: 200, header: "%R\nX-Left: 1\nX-Left: 1", body: whole}, []string{"B11 must"}},
	{"list in two lines", answer{status: 200, header: "%R\nVary: Accept\nVary: Origin\nX-Other: 1\nX-Other: 2", body: whole}, nil},
	{"ETag without quotes", answer{status: 200, header: "%R\nETag: 1", body: whole}, []string{"B2 must"}},
	{"weak ETag", answer{status: 200, header: "%R\nETag: W/\"\"", body: whole}, nil},
	{"header of other answers", answer{method: "DELETE", status: 204, header: "X-Content-Type-Options: nosniff\nX-Left: 3"}, []string{"D3 advice"}},
	{"304 with a body", answer{status: 304, sent: "If-None-Match: \"1\"", header: "ETag: \"1\"", extra: "x"}, []string{"A1 advice", "N3 must"}},
	{"304 without ETag", answer{status: 304, sent: "If-None-Match: \"1\""}, []string{"A1 advice", "N3 must"}},
}

var mediaTests = []judgeTest{
	{"no type", answer{status: 200, header: "X-Request-Id: 018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081", body: whole}, []string{"C1 must"}},
	{"undeclared type", answer{status: 200, header: "Content-Type: text/xml\nX-Request-Id: 018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081", body: "<x/>"}, []string{"C1 must"}},
	{"type in capitals with parameters", answer{status: 200, header: "Content-Type: Application/JSON; Charset=\"UTF-8\"\nX-Request-Id: 018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081", body: whole}, nil},
	{"malformed type", answer{status: 200, header: "Content-Type: json\nX-Request-Id: 018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081", body: whole}, []string{"C1 must"}},
	{"other charset", answer{status: 200, header: "Content-Type: application/json; charset=iso-8859-1\nX-Request-Id: 018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081", body: whole}, []string{"C5 must"}},
	{"charset of its alias", answer{status: 200, header: "Content-Type: application/json; charset=utf8\nX-Request-Id: 018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081", body: whole}, nil},
	{"byte order mark", answer{status: 200, header: right, body: "\uFEFF" + whole}, []string{"C5 must"}},
	{"invalid UTF-8", answer{status: 200, header: right, body: strings.Replace(whole, `"n"`, "\"\xff\"", 1)}, []string{"C5 must"}},
	{"half a surrogate pair", answer{status: 200, header: right, body: strings.Replace(whole, `"n"`, `"\ud800"`, 1)}, []string{"C5 must"}},
	{"a surrogate pair", answer{status: 200, header: right, body: strings.Replace(whole, `"n"`, `"\ud83d\ude00"`, 1)}, nil},
	{"no JSON", answer{status: 200, header: right, body: "OK"}, []string{"C6 must"}},
	{"JSON cut off", answer{status: 200, header: right, body: whole[:20]}, []string{"C6 must"}},
	{"something after JSON", answer{status: 200, header: right, body: whole + "{}"}, []string{"C6 must"}},
	{"white space after JSON", answer{status: 200, header: right, body: whole + "\n"}, nil},
	{"NaN", answer{status: 200, header: right, body: strings.Replace(whole, "1.5", "NaN", 1)}, []string{"C6 must"}},
	{"a name twice", answer{status: 200, header: right, body: strings.Replace(whole, `{"id":7`, `{"id":7,"id":7`, 1)}, []string{"C6 should"}},
	{"no JSON of no operation", answer{op: "-", target: "/v1/nowhere", status: 404, header: "Content-Type: application/json", body: "nothing"}, []string{"C6 must"}},
	{"error of another type", answer{status: 404, header: "Content-Type: application/json", body: anError}, []string{"C8 must"}},
	{"error page", answer{status: 404, header: "Content-Type: text/html; charset=utf-8", body: "<h1>Not Found</h1>"}, []string{"L5 must"}},
	{"405 as a page", answer{op: "-", method: "LOCK", status: 405, header: "Allow: GET, PUT, DELETE\nContent-Type: text/plain", body: "Method Not Allowed"}, []string{"L5 should"}},
	{"encoded otherwise than it says", answer{status: 200, header: "%R\nContent-Encoding: gzip", body: whole}, []string{"K6 must"}},
	{"encoded in what is not known", answer{status: 200, header: "%R\nContent-Encoding: br", body: "\x0b\x02\x80"}, nil},
	{"text in another character set", answer{target: "/v1/text", status: 200, header: "Content-Type: text/plain; charset=utf-8", body: "caf\xe9"}, []string{"C5 must"}},
	{"text in Latin-1", answer{target: "/v1/text", status: 200, header: "Content-Type: text/plain; charset=iso-8859-1", body: "caf\xe9"}, nil},
	{"text breaks its schema", answer{target: "/v1/text", status: 200, header: "Content-Type: text/plain", body: "Too long for this"}, []string{"D7 must"}},
}
