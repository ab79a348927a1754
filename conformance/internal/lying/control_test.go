package lying

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestControlHonoursExamples sends each example of a body as it is written.
func TestControlHonoursExamples(t *testing.T) {
	t.Parallel()
	r := &run{t: t, s: start(t, 0, ""), key: KeyA}
	project := r.project("Parent")
	parent := strings.TrimPrefix(project, "/projects/")
	taskID := r.send("POST", project+"/tasks", task).id()
	sent := 0
	for _, op := range r.s.doc.ops {
		for typ := range op.body {
			for _, e := range op.examples {
				if typ == "application/x-www-form-urlencoded" {
					continue
				}
				path := strings.NewReplacer("{project_id}", parent, "{task_id}", taskID, "{label_id}", "one").Replace(op.path)
				lines := []string{"Content-Type: " + typ, "Authorization: Bearer " + KeyA}
				if op.id == "replaceProject" {
					lines = append(lines, anyTag)
				}
				sent++
				if a := r.send(op.method, path, compact(e), lines...); a.status >= 300 || a.status < 200 {
					t.Errorf("%s with %s is answered %s", op.id, compact(e), a)
				}
			}
		}
	}
	if sent < 12 {
		t.Errorf("%d examples, want 12 or more", sent)
	}
}

// TestControlKeepsContract looks at what the control answers to everything that
// shows the faults: each status is documented, with the headers that it must have.
func TestControlKeepsContract(t *testing.T) {
	t.Parallel()
	r := &run{t: t, s: start(t, 0, ""), key: KeyA}
	for _, section := range sections {
		section(r)
		r.forget()
	}
	judged := 0
	for _, x := range r.all {
		path, _, _ := strings.Cut(x.target, "?")
		c := &call{s: r.s}
		_, ops, bad := c.find(path)
		if bad || x.reply.status == http.StatusRequestURITooLong || x.reply.status == http.StatusRequestHeaderFieldsTooLarge {
			continue // HTTP itself
		}
		for _, op := range ops {
			method := x.method
			if op.method != method && method == http.MethodHead && !strings.HasPrefix(op.id, "getProject") {
				method = http.MethodGet
			}
			if op.method != method {
				continue
			}
			judged++
			judgeContract(t, r.s.doc, op, x)
		}
	}
	if judged < 500 {
		t.Errorf("%d answers were judged, want 500 or more", judged)
	}
}

func judgeContract(t *testing.T, d *document, op *operation, x exchange) {
	t.Helper()
	if x.reply.err != nil {
		t.Errorf("%s %s: %v", x.method, x.target, x.reply.err)
		return
	}
	item := object(object(d.root["paths"])[op.path])
	responses := object(object(item[strings.ToLower(op.method)])["responses"])
	response, _ := d.resolve(object(responses[fmt.Sprint(x.reply.status)]))
	if response == nil {
		t.Errorf("%s %s: %d is not documented", x.method, x.target, x.reply.status)
		return
	}
	for name, h := range object(response["headers"]) {
		h, _ := d.resolve(object(h))
		value := x.reply.header.Get(name)
		s := d.schema(object(h["schema"]), name)
		switch {
		case value == "" && h["required"] == true:
			t.Errorf("%s %s: %d lacks %s", x.method, x.target, x.reply.status, name)
		case value != "" && s.pattern != nil && !s.pattern.MatchString(value):
			t.Errorf("%s %s: %s is %q", x.method, x.target, name, value)
		}
	}
	content := object(response["content"])
	typ, _, _ := strings.Cut(x.reply.header.Get("Content-Type"), ";")
	if content[typ] == nil && (typ != "" || len(content) > 0) && x.method != http.MethodHead {
		t.Errorf("%s %s: %d is of type %q", x.method, x.target, x.reply.status, typ)
	}
	if len(x.reply.extra) > 0 {
		t.Errorf("%s %s: %q follows the answer", x.method, x.target, x.reply.extra)
	}
	media := object(content[typ])
	if strings.HasSuffix(typ, "json") && x.reply.header.Get("Content-Encoding") == "" && x.method != http.MethodHead {
		judgeValue(t, d, object(media["schema"]), x)
	}
}

// judgeValue judges a body by the contract, with what requests are judged by.
func judgeValue(t *testing.T, d *document, schema map[string]any, x exchange) {
	t.Helper()
	if !json.Valid(x.reply.body) {
		t.Errorf("%s %s: %q is no JSON", x.method, x.target, x.reply.body)
		return
	}
	s := d.schema(schema, "answer")
	v := &validation{s: &Server{}}
	v.value(s, x.reply.value(), "")
	for _, f := range v.faults {
		if !strings.HasSuffix(f.pointer, "/secret") { // is written only
			t.Errorf("%s %s: %s %s in %s", x.method, x.target, f.pointer, f.detail, x.reply.body)
		}
	}
	for name := range s.props {
		if s.props[name].writeOnly && x.reply.value(name) != nil {
			t.Errorf("%s %s: %s is given out", x.method, x.target, name)
		}
	}
}

// TestControlRefuses sends what is no good, and holds what it is answered with.
func TestControlRefuses(t *testing.T) {
	t.Parallel()
	r := &run{t: t, s: start(t, 0, ""), key: KeyA}
	p := r.project("Parent")
	for _, tc := range []struct {
		name, method, target, body string
		lines                      []string
		want                       int
	}{
		{"name twice", "POST", "/comments", `{"text":"a","text":"b","author":"a@example.org"}`, nil, 400},
		{"something after", "POST", "/comments", remark + "{}", nil, 400},
		{"byte order mark", "POST", "/comments", "\ufeff" + remark, nil, 400},
		{"lone surrogate", "POST", "/comments", `{"text":"\ud800","author":"a@example.org"}`, nil, 400},
		{"invalid UTF-8", "POST", "/comments", "{\"text\":\"\xff\",\"author\":\"a@example.org\"}", nil, 400},
		{"trailing comma", "POST", "/comments", `{"text":"a","author":"a@example.org",}`, nil, 400},
		{"too deep", "POST", "/comments", strings.Repeat("[", 5000) + strings.Repeat("]", 5000), nil, 400},
		{"empty", "POST", "/comments", "", []string{"Content-Type: application/json"}, 400},
		{"no body", "POST", "/comments", "", nil, 400},
		{"null", "POST", "/comments", "null", nil, 422},
		{"too large", "POST", "/comments", strings.Repeat(" ", 65537), nil, 413},
		{"large enough", "POST", "/comments", remark + strings.Repeat(" ", 65536-len(remark)), nil, 201},
		{"other type", "POST", "/comments", remark, []string{"Content-Type: text/json"}, 415},
		{"other charset", "POST", "/comments", remark, []string{"Content-Type: application/json; charset=utf-16"}, 415},
		{"same charset", "POST", "/comments", remark, []string{`Content-Type: application/json; charset="UTF-8"`}, 201},
		{"coded", "POST", "/comments", remark, []string{"Content-Type: application/json", "Content-Encoding: gzip"}, 415},
		{"NUL is a character", "POST", "/comments", `{"text":"\u0000","author":"a@example.org"}`, nil, 201},
		{"foreign or no project", "POST", "/comments", `{"text":"a","author":"a@example.org","project_id":"4dc1d2f1-43c0-4f6b-9f2c-3f6a3c1e8d11"}`, nil, 422},
		{"number that is an integer", "PUT", "/audit/retention", `{"days":3.0}`, nil, 200},
		{"number that is none", "PUT", "/audit/retention", `{"days":3.5}`, nil, 422},
		{"huge exponent", "PUT", "/audit/retention", `{"days":1e999999999}`, nil, 422},
		{"beyond int64", "POST", "/payments", strings.Replace(card, "9007199254740993", "9223372036854775808", 1), nil, 422},
		{"leap second", "POST", "/payments", strings.Replace(card, "2026-03-01T23:59:59.250+05:30", "2016-12-31T23:59:60Z", 1), nil, 201},
		{"no leap second", "POST", "/payments", strings.Replace(card, "2026-03-01T23:59:59.250+05:30", "2016-12-31T23:58:60Z", 1), nil, 422},
		{"no such day", "POST", "/payments", strings.Replace(card, "2028-02-29", "2027-02-29", 1), nil, 422},
		{"e-mail without a host", "POST", "/comments", `{"text":"a","author":"a@"}`, nil, 422},
		{"e-mail with two dots", "POST", "/comments", `{"text":"a","author":"a..b@example.org"}`, nil, 422},
		{"relative URI", "POST", "/payments", strings.Replace(card, "https://example.org/paid?x=1", "/paid", 1), nil, 422},
		{"zeros before", "POST", "/payments", strings.Replace(card, "192.0.2.7", "192.0.2.07", 1), nil, 422},
		{"percent", "GET", "/projects?q=%zz", "", nil, 400},
		{"percent in path", "GET", "/labels/%zz", "", nil, 400},
		{"invalid UTF-8 in query", "GET", "/projects?q=%ff", "", nil, 400},
		{"unknown parameter", "GET", "/projects?zz", "", nil, 400},
		{"parameter twice", "GET", "/projects?limit=1&limit=1", "", nil, 400},
		{"limit in words", "GET", "/projects?limit=one", "", nil, 400},
		{"limit of nothing", "GET", "/projects?limit=", "", nil, 400},
		{"cursor with a line break", "GET", "/projects?cursor=a%0A", "", nil, 400},
		{"no such type", "GET", "/projects", "", []string{"Accept: text/html"}, 406},
		{"no such thing", "GET", "/projects" + absent, "", nil, 404},
		{"no id", "GET", "/projects/1", "", nil, 404},
		{"slash", "GET", "/projects/", "", nil, 404},
		{"two slashes", "GET", "//projects", "", nil, 404},
		{"capitals", "GET", "/Projects", "", nil, 404},
		{"same URI", "GET", "/%70rojects", "", nil, 200},
		{"absolute form", "GET", "http://lying.example/projects", "", nil, 200},
		{"condition missing", "PUT", p, `{"name":"Parent"}`, nil, 428},
		{"condition wrong", "PUT", p, `{"name":"Parent"}`, []string{`If-Match: "x"`}, 412},
		{"weak tag", "PUT", p, `{"name":"Parent"}`, []string{"If-Match: W/" + r.send("GET", p, "").header.Get("ETag")}, 412},
		{"part of a contact", "PATCH", p, `{"contact":{"phone":"+4911"}}`, []string{merge}, 200},
		{"method", "TRACE", "/projects", "", nil, 405},
		{"unknown method", "FROB", "/projects", "", nil, 405},
		{"override", "POST", p, "", []string{"X-HTTP-Method-Override: DELETE"}, 405},
		{"keys of two tenants", "GET", "/settings", "", []string{"X-API-Key: " + KeyA, "X-Pin: " + PinB}, 401},
		{"huge header", "GET", "/status", "", []string{"X: " + strings.Repeat("a", 40000)}, 431},
		{"huge line", "GET", "/status?" + strings.Repeat("a", 9000), "", nil, 414},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := r.send(tc.method, tc.target, tc.body, tc.lines...)
			if a.status != tc.want {
				t.Errorf("%s, want %d", a, tc.want)
			}
			if a.status >= 400 && a.header.Get("Content-Type") != typeProblem {
				t.Errorf("the error is of type %q", a.header.Get("Content-Type"))
			}
		})
	}
}

// TestControlReadsHTTP sends bytes: requests that are none are refused with a
// problem, those that are unusual are answered.
func TestControlReadsHTTP(t *testing.T) {
	t.Parallel()
	r := &run{t: t, s: start(t, 0, ""), key: KeyA}
	post := "POST /comments HTTP/1.1\r\nHost: x\r\nX-API-Key: " + KeyA + "\r\nContent-Type: application/json\r\n"
	chunks := fmt.Sprintf("%x\r\n%s\r\n", len(remark), remark)
	for _, tc := range []struct {
		name, sent string
		half       bool
		want       int
	}{
		{"no HTTP", "hello\r\n\r\n", false, 400},
		{"no host", "GET /status HTTP/1.1\r\n\r\n", false, 400},
		{"two hosts", "GET /status HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", false, 400},
		{"HTTP/1.0", "GET /status HTTP/1.0\r\n\r\n", false, 200},
		{"HTTP/9", "GET /status HTTP/9.0\r\nHost: x\r\n\r\n", false, 505},
		{"length in words", post + "Content-Length: many\r\n\r\n", false, 400},
		{"negative length", post + "Content-Length: -1\r\n\r\n", false, 400},
		{"two lengths", post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}", false, 400},
		{"space before colon", "GET /status HTTP/1.1\r\nHost : x\r\n\r\n", false, 400},
		{"control character", "GET /status HTTP/1.1\r\nHost: x\r\nX: a\x01b\r\n\r\n", false, 400},
		{"chunks", post + "Transfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n", false, 201},
		{"chunks and a trailer", post + "Transfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\nX: y\r\n\r\n", false, 201},
		{"broken chunks", post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", false, 400},
		{"cut by who goes", post + "Content-Length: 100\r\n\r\n{}", true, 400},
		{"cut by who waits", post + "Content-Length: 100\r\n\r\n{}", false, 408},
		{"header cut", "GET /status HTTP/1.1\r\nHo", true, 400},
		{"star", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", false, 204},
		{"empty line before", "\r\nGET /status HTTP/1.1\r\nHost: x\r\n\r\n", false, 200},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a := r.raw(tc.sent, http.MethodGet, tc.half)
			if a.status != tc.want {
				t.Errorf("%s, want %d", a, tc.want)
			}
			if a.status >= 400 && a.header.Get("Content-Type") != typeProblem {
				t.Errorf("the error is of type %q", a.header.Get("Content-Type"))
			}
		})
	}
}

// TestControlKeepsConnections sends requests one after another on a connection,
// also after one that was too large, and with Expect.
func TestControlKeepsConnections(t *testing.T) {
	t.Parallel()
	s := start(t, 0, "")
	d := net.Dialer{Timeout: time.Second}
	c, err := d.DialContext(t.Context(), "tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	head := "POST /comments HTTP/1.1\r\nHost: x\r\nX-API-Key: " + KeyA + "\r\nContent-Type: application/json\r\n"
	sent := head + "Content-Length: 200000\r\n\r\n" + strings.Repeat(" ", 200000) +
		head + fmt.Sprintf("Expect: 100-continue\r\nContent-Length: %d\r\n\r\n%s", len(remark), remark) +
		"GET /status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
	go io.WriteString(c, sent) //nolint:errcheck // what comes back is looked at
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range strings.Split(string(b), "\r\n") {
		if i := strings.Index(l, "HTTP/1.1 "); i >= 0 {
			got = append(got, l[i+9:i+12])
		}
	}
	if want := "413 100 201 200"; strings.Join(got, " ") != want {
		t.Errorf("statuses %q, want %s", got, want)
	}
}

// TestControlSpeaksHTTP2 asks with prior knowledge.
func TestControlSpeaksHTTP2(t *testing.T) {
	t.Parallel()
	r := &run{t: t, s: start(t, 0, ""), key: KeyA}
	if got := r.http2("/status"); !strings.HasPrefix(got, "HTTP/2.0200") {
		t.Errorf("%s, want HTTP/2.0 200", got)
	}
}
