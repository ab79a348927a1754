package report

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

var update = flag.Bool("update", false, "write golden files")

const secret = "sk-very-secret-0001"

// hostile is text that a server could send to those who read of it.
const hostile = "\x1b[2J\x1b]0;owned\x07<script>alert(1)</script>]]>\u202e\xff\r\n::error::%0A|`*"

// seen is where one mistake is seen, in more places than a terminal shows.
func seen() []finding.Place {
	all := []finding.Place{{ID: "b6-0000000001", Operation: "createCustomer", Pointer: "/paths/~1customers/post/responses/401", Position: openapi.Position{Line: 90, Column: 9}, Claim: "401 comes without a challenge.", Replay: "6666666666"}}
	for i := range 5 {
		all = append(all, finding.Place{
			ID: fmt.Sprintf("b6-000000000%d", i+2), Operation: "getCustomer", Pointer: fmt.Sprintf("/paths/~1customers~1{id}/get/responses/401/%d", i), Position: openapi.Position{Line: 140 + i, Column: 9},
			Claim: "401 comes without a challenge.", Replay: fmt.Sprintf("666666666%d", i), Flaky: i == 4,
		})
	}
	return append(all, finding.Place{ID: "b6-0000000007", Claim: "401 comes without a challenge <b>" + hostile, Replay: "6666666669"})
}

// sample is a result with something of everything.
func sample() *Result {
	header := []wire.Field{{Name: "Authorization", Value: "Bearer " + secret}, {Name: "Content-Type", Value: "application/json"}}
	created := wire.Exchange{
		Request: &wire.Request{Method: "POST", Target: "/api/v1/customers?dry_run=false", Header: header, Body: []byte(`{"name":"Ada Lovelace","email":"ada@example.com","nickname":"` + strings.Repeat("𝒜", 65) + `"}`)},
		Response: &wire.Response{
			Status: 201, Proto: "HTTP/1.1", Head: []byte("HTTP/1.1 201 Created\r\n"),
			Header: []wire.Field{{Name: "Content-Type", Value: "application/json"}, {Name: "Location", Value: "/api/v1/customers/42"}, {Name: "Set-Cookie", Value: "session=abcdef0123456789; Path=/; HttpOnly"}},
			Body:   []byte(`{"id":"42","name":"Ada Lovelace","email":"ada@example.com","created":"2026-02-30T10:00:00Z","api_key":"` + secret + `"}`),
		},
		Took: 12345 * time.Microsecond,
	}
	read := wire.Exchange{
		Request:  &wire.Request{Method: "GET", Target: "/api/v1/customers/42", Header: header[:1]},
		Response: &wire.Response{Status: 500, Proto: "HTTP/1.1", Head: []byte("HTTP/1.1 500 Oops\r\n"), Header: []wire.Field{{Name: "Content-Type", Value: "text/html"}, {Name: "X-Canary", Value: hostile}}, Body: []byte("<h1>" + hostile + "</h1>\n" + strings.Repeat("at com.example.Handler.run\n", 4)), Extra: []byte("more")},
		Took:     3 * time.Millisecond,
	}
	lost := wire.Exchange{Request: &wire.Request{Method: "POST", Raw: []byte("POST /api/v1/customers HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + secret + "\r\nContent-Length: 5\r\n\r\n{\"a\x00")}, Err: fmt.Errorf("%w: read tcp: reset, key %s", wire.ErrClosed, secret), Took: time.Second}
	base := &url.URL{Scheme: "http", Host: "localhost:8080", Path: "/api/v1"}
	customer := "/components/schemas/Customer"
	return &Result{
		ToolVersion: "v1.2.3", Target: base, Seed: 18446744073709551615, Requests: 4321, Took: 83400 * time.Millisecond,
		Document: Document{File: "api/openapi.yaml", Title: "Customers <API>", Version: "1.4.0", OpenAPI: "3.1.0", Raw: []byte(strings.Repeat("\n", 811) + "          maxLength: 64 # <b>" + hostile)},
		Started:  time.Date(2026, 11, 26, 10, 30, 0, 0, time.FixedZone("", 3600)),
		Findings: []finding.Finding{
			{
				ID: "e3-1f2e3d4c5b", Replay: "1f2e3d4c5b", Class: "E3", Severity: finding.Must, Operation: "createCustomer", Pointer: customer + "/properties/nickname/maxLength", Position: openapi.Position{Line: 812, Column: 11},
				Claim: "accepts what breaks maxLength of nickname", Sent: "nickname: 65 code points beyond the basic plane, one more than maxLength",
				Expected: "a refusal: 400 or 422", Got: "201 Created", Steps: []wire.Exchange{created}, Seen: 3, Reproduced: 3, Attempts: 3,
			},
			{
				ID: "a2-0a1b2c3d4e", Replay: "0a1b2c3d4e", Class: "A2", Severity: finding.Must, Operation: "getCustomer", Pointer: "/paths/~1customers~1{id}/get/responses", Position: openapi.Position{Line: 120, Column: 7}, RFC: "RFC 9110 15.6",
				Claim: "getCustomer fails with 500.", Sent: hostile, Expected: "an answer that tells the client what is wrong", Got: "500 Internal Server Error",
				Changed: []finding.Part{{In: "path"}, {Answer: true, In: "status"}, {Answer: true, In: "header", Name: "x-canary"}},
				Steps:   []wire.Exchange{created, read}, Seen: 1, Reproduced: 3, Attempts: 3,
			},
			{
				ID: "d5-5a5a5a5a5a", Replay: "5a5a5a5a5a", Class: "D5", Severity: finding.Should, Operation: "createCustomer", Pointer: customer + "/properties/created/format", Position: openapi.Position{Line: 830, Column: 11},
				Claim: "A value does not have its format: created", Sent: "a valid request", Expected: "a date-time that exists", Got: "2026-02-30T10:00:00Z, a day that is in no calendar", Steps: []wire.Exchange{created}, Seen: 12, Reproduced: 3, Attempts: 3,
			},
			{ID: "o9-9999999999", Replay: "9999999999", Class: "O9", Severity: finding.Must, Operation: "createCustomer", RFC: "RFC 9110 3.4", Claim: "The connection ends without an answer", Sent: "a truncated body", Expected: "an answer, if only an error", Got: "nothing, then the end of the connection", Steps: []wire.Exchange{lost}, Seen: 1, Reproduced: 1, Attempts: 3, Flaky: true},
			{ID: "n4-4444444444", Replay: "4444444444", Class: "N4", Severity: finding.Advice, Claim: "answers with private data may be kept by caches", Expected: "Cache-Control: private or no-store", Got: "no Cache-Control", RFC: "RFC 9111 3.5"},
			{ID: "c3-3333333333", Replay: "3333333333", Class: "C3", Severity: finding.Should, Operation: "getCustomer", Pointer: "/paths/~1customers~1{id}/get/responses/406", Position: openapi.Position{Line: 150, Column: 9}, Claim: "ignores an Accept that it cannot satisfy", Expected: "406", Got: "200 OK", Steps: []wire.Exchange{read}, Seen: 1, Reproduced: 3, Attempts: 3},
			{
				ID: "b6-6666666666", Replay: "6666666666", Class: "B6", Severity: finding.Must, Operation: "createCustomer", Pointer: "/paths/~1customers/post/responses/401", Position: openapi.Position{Line: 90, Column: 9},
				Claim: "401 comes without a challenge.", Cause: "401 comes without a challenge.", Expected: "WWW-Authenticate", Got: "no WWW-Authenticate", Steps: []wire.Exchange{read}, Seen: 40, Reproduced: 3, Attempts: 3,
				Places: seen(),
			},
		},
		Clauses: []Clause{
			{Pointer: customer + "/properties/nickname/maxLength", Keyword: "maxLength", Position: openapi.Position{Line: 812, Column: 11}, Operations: []string{"createCustomer", "getCustomer"}, SentValid: true, SentInvalid: true, Observed: true, Judged: true},
			{Pointer: customer + "/properties/created/format", Keyword: "format", Position: openapi.Position{Line: 830, Column: 11}, Operations: []string{"createCustomer"}, Observed: true, Judged: true},
			{Pointer: "/paths/~1customers~1{id}/get/responses/406", Keyword: "406", Position: openapi.Position{Line: 150, Column: 9}, Operations: []string{"getCustomer"}, Observed: true, Judged: true},
			{Pointer: "/paths/~1customers~1{id}/get/responses/503", Keyword: "503", Position: openapi.Position{Line: 160, Column: 9}, Operations: []string{"getCustomer"}, Reason: "no request can provoke 503"},
			{Pointer: "/paths/~1customers~1{id}/get/parameters/0/schema/pattern", Keyword: "pattern", Position: openapi.Position{Line: 110, Column: 13}, Operations: []string{"getCustomer"}, SentValid: true, Reason: "no request can provoke 503"},
			{Pointer: "/components/securitySchemes/key", Keyword: "security", Position: openapi.Position{Line: 20, Column: 5}, Operations: []string{"createCustomer"}, Reason: ""},
		},
		Operations: []Operation{
			{ID: "createCustomer", Method: "POST", Path: "/customers", Pointer: "/paths/~1customers/post", Requests: 3000, Statuses: map[int]int{201: 1200, 400: 1700, 500: 4, 0: 2, 415: 94}},
			{ID: "getCustomer", Method: "GET", Path: "/customers/{id}", Pointer: "/paths/~1customers~1{id}/get", Requests: 1321, Statuses: map[int]int{200: 1000, 404: 321}},
			{ID: "deleteCustomer", Method: "DELETE", Path: "/customers/{id}", Pointer: "/paths/~1customers~1{id}/delete"},
		},
		Checks: []Check{
			{Operation: "createCustomer", Class: "E3", Probe: "case createCustomer nickname"}, {Operation: "createCustomer", Class: "E6", Probe: "case createCustomer required"},
			{Operation: "createCustomer", Class: "J1", Probe: "tenants createCustomer", Skipped: "there is no second key"}, {Operation: "getCustomer", Class: "J1", Probe: "tenants getCustomer", Skipped: "there is no second key"},
			{Operation: "getCustomer", Class: "E3", Probe: "a", Skipped: "no <resource>"}, {Operation: "getCustomer", Class: "E3", Probe: "b"}, {Class: "O13", Probe: "health"},
		},
		Residue: []string{"customer 42 (key " + secret + ")"},
		FailOn:  finding.Must,
		Mask:    wire.NewMasker(wire.Secret{Variable: "KEY", Value: secret}),
		Baseline: &Comparison{
			File: "baseline.yaml", Known: map[string]Entry{"c3-3333333333": {ID: "c3-3333333333", Note: "waits for the new router", Expires: "2027-01-31"}, "b6-0000000001": {ID: "b6-6666666666"}},
			Fixed: []Entry{
				{ID: "b4-b4b4b4b4b4", Class: "B4", Operation: "getCustomer", Claim: "Answers 405 without Allow"},
				{ID: "b6-6666666666", Class: "B6", Operation: "getCustomer", Claim: "401 comes without a challenge", Places: map[string]string{"b6-0000000009": "deleteCustomer"}},
			},
			Expired: []Entry{{ID: "d5-5a5a5a5a5a", Class: "D5", Operation: "createCustomer", Expires: "2026-11-01"}},
		},
	}
}

var formats = map[string]func(io.Writer, *Result) error{
	"terminal.txt":  func(w io.Writer, r *Result) error { return Terminal(w, r, false) },
	"color.txt":     func(w io.Writer, r *Result) error { return Terminal(w, r, true) },
	"junit.xml":     JUnit,
	"sarif.json":    SARIF,
	"github.txt":    GitHub,
	"summary.md":    Summary,
	"page.html":     HTML,
	"report.ndjson": NDJSON,
}

func write(t *testing.T, name string, r *Result) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := formats[name](&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for name := range formats {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := write(t, name, sample())
			file := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(file, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), string(got)); d != "" {
				t.Errorf("other than %s (write it with -update):\n%s", file, d)
			}
		})
	}
}

// TestSieves: no report gives away a secret, or lets through what a server sent
// to harm who reads it.
func TestSieves(t *testing.T) {
	t.Parallel()
	for name := range formats {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := string(write(t, name, sample()))
			forbidden := []string{secret, "abcdef0123456789", "\x1b]", "\x1b[2J", "\x07", "\u202e", "\xff"}
			switch filepath.Ext(name) {
			case ".html", ".md":
				forbidden = append(forbidden, "<script")
			}
			if name == "github.txt" {
				for i, l := range strings.Split(strings.TrimSuffix(got, "\n"), "\n") {
					if !strings.HasPrefix(l, "::") {
						t.Errorf("line %d is no command: %s", i+1, l)
					}
				}
				if n := strings.Count(got, "\n"); n != len(sample().Findings) {
					t.Errorf("%d commands for %d findings", n, len(sample().Findings))
				}
			}
			for _, s := range forbidden {
				if strings.Contains(got, s) {
					t.Errorf("%q is in the report", s)
				}
			}
		})
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"plain é 漢 😀\n\t":    "plain é 漢 😀\n\t",
		"\x1b[0m\r\x00\x7f":  `\x1b[0m\r\x00\x7f`,
		"\u009b\u00a0\u00ad": `\u009b\u00a0\u00ad`,
		"a\u200db\u2028\xc3": `a\u200db\u2028\xc3`,
		"\U000e0041\ufffd":   "\\U000e0041\ufffd",
		"\ufeff":             `\ufeff`,
	} {
		if got := Clean(s); got != want {
			t.Errorf("Clean(%q) = %q, want %q", s, got, want)
		}
	}
}

func TestSentence(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"accepts it.":           "Accepts it",
		"getCustomer is wrong.": "getCustomer is wrong",
		"405 without Allow":     "405 without Allow",
		"":                      "",
		"é":                     "É",
	} {
		if got := sentence(s); got != want {
			t.Errorf("sentence(%q) = %q, want %q", s, got, want)
		}
	}
}

func TestHighlight(t *testing.T) {
	t.Parallel()
	request := requestMessage(&wire.Request{Method: "PUT", Target: "/a/b?x=1&y[0]=2&x=3", Header: []wire.Field{{Name: "Accept", Value: "a/b"}, {Name: "Cookie", Value: "c=d"}}, Body: []byte(`{"a":{"b/c":[1,{"d":2}]},"d":null}`)})
	for name, test := range map[string]struct {
		part finding.Part
		want []string
	}{
		"method":       {finding.Part{In: "method"}, []string{"PUT"}},
		"path":         {finding.Part{In: "path"}, []string{"/a/b"}},
		"query":        {finding.Part{In: "query"}, []string{"x=1&y[0]=2&x=3"}},
		"parameter":    {finding.Part{In: "query", Name: "x"}, []string{"x=1", "x=3"}},
		"deep":         {finding.Part{In: "query", Name: "y"}, []string{"y[0]=2"}},
		"header":       {finding.Part{In: "header", Name: "accept"}, []string{"Accept: a/b"}},
		"cookie":       {finding.Part{In: "cookie", Name: "c"}, []string{"Cookie: c=d"}},
		"status":       {finding.Part{In: "status"}, []string{"PUT /a/b?x=1&y[0]=2&x=3"}},
		"member":       {finding.Part{In: "body", Name: "/d"}, []string{`"d": null`}},
		"inner member": {finding.Part{In: "body", Name: "/a/b~1c/1/d"}, []string{`"d": 2`}},
		"item":         {finding.Part{In: "body", Name: "/a/b~1c/0"}, []string{"1"}},
		"none there":   {finding.Part{In: "body", Name: "/z"}, nil},
		"elsewhere":    {finding.Part{In: "moon"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, s := range spans(request.text, request.find(test.part)) {
				if s.Mark {
					got = append(got, s.Text)
				}
			}
			if d := cmp.Diff(test.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestShorten(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 5000)
	for name, body := range map[string]string{"line": long, "lines": strings.Repeat("line\n", 9999), "JSON": `{"a":"` + long + `"}`, "bytes": strings.Repeat("\xff\xfe", 99999)} {
		m := requestMessage(&wire.Request{Method: "PUT", Target: "/", Body: []byte(body)})
		got := plain(spans(m.text, []mark{{m.body, len(m.text)}}))
		if len(got) > longestBody*5 || !strings.Contains(got, "more bytes") || strings.Contains(got, "\ufffd") {
			t.Errorf("%s: %d bytes, %.300s", name, len(got), got)
		}
	}
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	must, should := finding.Finding{ID: "a", Severity: finding.Must}, finding.Finding{ID: "b", Severity: finding.Should}
	flaky := finding.Finding{ID: "c", Severity: finding.Must, Flaky: true}
	known := &Comparison{Known: map[string]Entry{"a": {ID: "a"}}}
	for name, test := range map[string]struct {
		result Result
		want   string
		failed bool
	}{
		"nothing":    {Result{FailOn: finding.Must}, "The server keeps its contract, as far as it was judged", false},
		"early":      {Result{FailOn: finding.Must, Ended: "the time was up"}, "Nothing was found before the run ended early", false},
		"known":      {Result{FailOn: finding.Must, Findings: []finding.Finding{must}, Baseline: known}, "The server keeps its contract, but for what is known or flaky", false},
		"flaky":      {Result{FailOn: finding.Must, Findings: []finding.Finding{flaky}}, "The server keeps its contract, but for what is known or flaky", false},
		"must":       {Result{FailOn: finding.Must, Findings: []finding.Finding{must, should}}, "The server breaks its contract in 1 way", true},
		"should":     {Result{FailOn: finding.Must, Findings: []finding.Finding{should}}, "The server keeps its contract, but 1 thing should be better", false},
		"fail early": {Result{FailOn: finding.Should, Findings: []finding.Finding{should}}, "The server keeps its contract, but 1 thing should be better", true},
	} {
		if got := test.result.verdict(); got != test.want || test.result.Failed() != test.failed {
			t.Errorf("%s: %q, %v", name, got, test.result.Failed())
		}
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	for name, live := range map[string]bool{"lines": false, "live": true} {
		var b bytes.Buffer
		now := time.Unix(0, 0)
		p := NewProgress(&b, live)
		p.now = func() time.Time { return now }
		p.Start(3)
		for i, probe := range []string{"a", "\x1b[31mb" + strings.Repeat("é", 50), "c"} {
			now = now.Add(6 * time.Second)
			p.Ended(probe, i)
		}
		p.Done()
		got := b.String()
		if strings.Contains(got, "\x1b[31m") || !strings.HasPrefix(got, "3 probes to run\n") || !strings.Contains(got, "3/3 probes, 3 findings, 18s") || strings.Contains(got, "\r") != live {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestColor(t *testing.T) {
	t.Parallel()
	f, err := os.Create(filepath.Join(t.TempDir(), "x"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if Color(f) {
		t.Error("a file is in colour")
	}
}

// broken cannot be written to.
type broken struct{}

var errBroken = errors.New("broken")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestBrokenWriter(t *testing.T) {
	t.Parallel()
	for name, format := range formats {
		if err := format(broken{}, sample()); !errors.Is(err, errBroken) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestEmpty: a result with nothing in it can be written.
func TestEmpty(t *testing.T) {
	t.Parallel()
	for name := range formats {
		if got := write(t, name, &Result{}); len(got) == 0 && name != "github.txt" {
			t.Errorf("%s is empty", name)
		}
	}
}
