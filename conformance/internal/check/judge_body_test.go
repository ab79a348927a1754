package check

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// altered is the right thing with a member replaced, or added.
func altered(old, replacement string) answer {
	body := strings.Replace(whole, old, replacement, 1)
	if old == "" {
		body = strings.TrimSuffix(whole, "}") + "," + replacement + "}"
	}
	return answer{status: 200, header: right, body: body}
}

var bodyTests = []judgeTest{
	{"required is absent", altered(`"name":"n",`, ``), []string{"D1 must"}},
	{"another type", altered(`"name":"n"`, `"name":7`), []string{"D2 must"}},
	{"an object for a boolean", altered(`"active":true`, `"active":{}`), []string{"D2 must"}},
	{"undeclared, though closed", altered(``, `"color":"red"`), []string{"D3 must"}},
	{"undeclared, and open", altered(``, `"open":{"a":"x","b":1}`), []string{"D3 should"}},
	{"more where anything is allowed", altered(``, `"anything":{"a":"x","b":1}`), nil},
	{"a map", altered(``, `"map":{"b":1}`), nil},
	{"a map of another type", altered(``, `"map":{"b":"x"}`), []string{"D2 must"}},
	{"null", altered(`"name":"n"`, `"name":null`), []string{"D4 must"}},
	{"null where it may be", altered(`"note":null`, `"note":null`), nil},
	{"null for an enumeration", altered(`"kind":"a"`, `"kind":null`), []string{"D4 must"}},
	{"no day of the calendar", altered(`"2026-02-28"`, `"2026-02-30"`), []string{"D5 must"}},
	{"no time", altered(``, `"at":"2026-02-28 10:00:00"`), []string{"D5 must"}},
	{"a time", altered(``, `"at":"2026-02-28T10:00:00.5+05:30"`), nil},
	{"breaks its pattern", altered(`["x","y"]`, `["X","y"]`), []string{"D5 must"}},
	{"not listed", altered(`"kind":"a"`, `"kind":"A"`), []string{"D6 must"}},
	{"too small", altered(`"id":7`, `"id":0`), []string{"D7 must"}},
	{"on an exclusive bound", altered(`1.5`, `0`), []string{"D7 must"}},
	{"between the steps", altered(`1.5`, `1.25`), []string{"D7 must"}},
	{"too long by a code point", altered(`"n"`, `"😀😀😀😀😀😀"`), []string{"D7 must"}},
	{"long in bytes only", altered(`"n"`, `"😀😀😀😀😀"`), nil},
	{"too many", altered(`["x","y"]`, `["a","b","c","d"]`), []string{"D7 must"}},
	{"repeated", altered(`["x","y"]`, `["x","x"]`), []string{"D8 must"}},
	{"no alternative", altered(`"kind":"card"`, `"kind":"cash"`), []string{"D9 must"}},
	{"another alternative than it names", altered(`"kind":"card","number":"1"`, `"kind":"transfer","number":"1"`), []string{"D9 must"}},
	{"the alternative that it names is broken", altered(`,"number":"1"`, ``), []string{"D1 must"}},
	{"the one alternative of its type is broken", altered(``, `"code":"long"`), []string{"D7 must"}},
	{"none of the types", altered(``, `"code":true`), []string{"D9 must"}},
	{"null for alternatives", altered(``, `"code":null`), []string{"D4 must"}},
	{"given back", altered(``, `"secret":"s"`), []string{"D10 should"}},
	{"body where none is declared", answer{target: "/v1/ranges", status: 500, header: right, body: whole}, []string{"A2 must", "D11 should"}},
	{"no body", answer{status: 200, header: right}, []string{"D11 must"}},
	{"empty text", answer{target: "/v1/text", status: 200, header: "Content-Type: text/plain"}, nil},
	{"number as a string", altered(`"id":7`, `"id":"7"`), []string{"D13 must"}},
	{"boolean as a string", altered(`"active":true`, `"active":"true"`), []string{"D13 must"}},
	{"null for an array", altered(`["x","y"]`, `null`), []string{"D13 must"}},
	{"integer with an exponent", altered(`"id":7`, `"id":9.007199254740992e15`), []string{"D13 should"}},
	{"large integer", altered(`"id":7`, `"id":9007199254740993`), nil},
	{"integer with a zero fraction", altered(`"id":7`, `"id":7.0`), nil},
}

func failing(status int, body string) answer {
	return answer{status: status, header: problemType, body: body}
}

var errorTests = []judgeTest{
	{"right", failing(404, anError), nil},
	{"breaks its schema", failing(404, `{"status":404}`), []string{"L1 must"}},
	{"member of its own", failing(404, `{"title":"t","balance":30}`), nil},
	{"another status", failing(404, `{"title":"t","status":400}`), []string{"L2 must"}},
	{"status as a string", failing(404, `{"title":"t","status":"404"}`), []string{"L1 must", "L2 must"}},
	{"type is no reference", failing(404, `{"title":"t","type":"not found"}`), []string{"L2 must"}},
	{"relative type", failing(404, `{"title":"t","type":"/problems/not-found"}`), nil},
	{"trace of Go", failing(404, `{"title":"t","detail":"goroutine 7 [running]:\nmain.f()"}`), []string{"L4 should"}},
	{"trace of Java", failing(400, `{"title":"t","detail":"java.lang.NullPointerException\n\tat com.acme.Api.get(Api.java:42)"}`), []string{"L4 should"}},
	{"trace of Python", failing(400, `{"title":"t","detail":"Traceback (most recent call last):\n  File \"/srv/app.py\", line 3"}`), []string{"L4 should"}},
	{"trace of JavaScript", failing(400, `{"title":"t","detail":"Error\n    at get (/srv/app/index.js:12:7)"}`), []string{"L4 should"}},
	{"error of SQL", failing(400, `{"title":"t","detail":"ERROR: duplicate key value violates unique constraint \"u\" (SQLSTATE 23505)"}`), []string{"L4 should"}},
	{"statement of SQL", failing(400, `{"title":"t","detail":"in SELECT id, name FROM things WHERE id = ?"}`), []string{"L4 should"}},
	{"path of a file", failing(400, `{"title":"t","detail":"open /var/lib/app/things.db: no such file"}`), []string{"L4 should"}},
	{"name of a host", failing(400, `{"title":"t","detail":"db-1.prod.internal:5432 refused"}`), []string{"L4 should"}},
	{"address of a host", failing(400, `{"title":"t","detail":"dial tcp 10.0.3.7:5432: connect: connection refused"}`), []string{"L4 should"}},
	{"words that are no leak", failing(400, `{"title":"Select a name from the list","detail":"The update of /things/7/name at 10:00 failed; see https://example.com/opt/errors. File names end in .py."}`), nil},
	{"what was sent", answer{status: 400, sentBody: `{"name":"/etc/app.conf"}`, header: problemType, body: `{"title":"t","detail":"no thing has the name /etc/app.conf"}`}, nil},
	{"reflected as markup", answer{target: "/v1/ranges", status: 200, header: "Content-Type: text/html", body: "<p>" + Canary}, []string{"C1 must", "L6 should"}},
	{"reflected as text", answer{target: "/v1/text", status: 200, header: "Content-Type: text/plain", body: Canary[:10]}, nil},
	{"escaped", answer{op: "-", target: "/v1/nowhere", status: 404, header: "Content-Type: text/html", body: "&lt;conformance-canary/&gt;"}, nil},
}

func TestUnanswered(t *testing.T) {
	t.Parallel()
	r := newJudge(t)
	get := r.Document.Operations[1]
	request := &wire.Request{Method: "GET", Target: "/v1/things/7"}
	partial := &wire.Response{Status: 200, Body: []byte("{")}
	for name, test := range map[string]struct {
		ex   wire.Exchange
		want []string
	}{
		"closed":                    {wire.Exchange{Request: request, Err: wire.ErrClosed}, []string{"O9 must"}},
		"closed on what is no HTTP": {wire.Exchange{Request: &wire.Request{Method: "GET", Target: "/v1/things/7", Raw: []byte("x")}, Err: wire.ErrClosed}, []string{}},
		"cut off":                   {wire.Exchange{Request: request, Err: wire.ErrTruncated, Partial: partial}, []string{"B8 must"}},
		"bad chunks":                {wire.Exchange{Request: request, Err: wire.ErrMalformed, Partial: partial}, []string{"B8 must"}},
		"no HTTP":                   {wire.Exchange{Request: request, Err: wire.ErrMalformed}, []string{"O9 must"}},
		"the rest never comes":      {wire.Exchange{Request: request, Err: wire.ErrTimeout, Partial: &wire.Response{Status: 200, Header: []wire.Field{{Name: "Content-Length", Value: "9"}}, Body: []byte("{")}}, []string{"B8 must"}},
		"too late":                  {wire.Exchange{Request: request, Err: wire.ErrTimeout}, []string{"O9 should"}},
		"no connection":             {wire.Exchange{Request: request, Err: wire.ErrConnect}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, found(r.judge(get, &test.ex))); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}
