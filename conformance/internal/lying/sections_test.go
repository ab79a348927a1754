package lying

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	card     = `{"amount":19.99,"serial":9007199254740993,"rate":0.1,"method":{"kind":"card","number":"4111111111111111","expires":"2031-05"},"due":"2028-02-29","executed_at":"2026-03-01T23:59:59.250+05:30","payee":"captain@example.org","callback":"https://example.org/paid?x=1","origin":"192.0.2.7","secret":"correct horse","metadata":{"ship":"Nautilus"}}`
	transfer = `{"amount":0.01,"serial":-9223372036854775808,"method":{"kind":"transfer","account":"DE02120300000000202051","express":true},"due":"2027-12-31","payee":"bank@example.org","secret":"battery staple"}`
	full     = `{"name":"Zeppelin","description":"Lighter than air","status":"paused","priority":7,"budget":12.5,"tags":["air","slow"],"contact":{"email":"ferdinand@example.org","phone":"+497541"},"starts_on":"2026-02-28"}`
	task     = `{"title":"Caulk the hull","estimate":2.5,"done":false,"steps":["scrape","caulk"],"note":"n"}`
	remark   = `{"text":"So be it.","author":"nemo@example.org"}`
	absent   = "/4dc1d2f1-43c0-4f6b-9f2c-3f6a3c1e8d11"
	merge    = "Content-Type: application/merge-patch+json"
	anyTag   = "If-Match: *"
	other    = "X-API-Key: " + KeyB
)

// sections are requests that show the classes of each group. Each is sent to the
// control and to a server that lies; what they answer must differ.
var sections = map[byte]func(*run){
	'A': success, 'B': headers, 'C': media, 'D': success, 'E': input, 'F': credentials, 'G': routes,
	'H': changes, 'I': repeats, 'J': tenants, 'K': texts, 'L': errorsOf, 'M': lists, 'N': caching, 'O': robust,
}

// success is each operation once, as it should be called, and its usual errors.
func success(r *run) {
	r.do("GET", "/status", "", "anonymous")
	p := "/projects/" + r.do("POST", "/projects", full).id()
	bare := r.project("Bare")
	r.do("GET", p, "")
	r.do("GET", bare, "")
	r.do("HEAD", bare, "")
	tasks := bare + "/tasks"
	r.do("GET", tasks, "")
	t := tasks + "/" + r.do("POST", tasks, task).id()
	r.do("GET", t, "")
	r.do("GET", tasks, "")
	r.do("GET", tasks+"?done=true", "")
	r.do("PATCH", t, `{"done":true}`, merge)
	r.do("PUT", t, task)
	r.do("PATCH", p, `{"description":null}`, merge)
	r.do("PUT", p, full, anyTag)
	r.do("POST", p+"/stars", "")
	r.do("GET", "/projects", "")
	c := "/comments/" + r.do("POST", "/comments", remark).id()
	r.do("POST", "/comments", `{}`)
	r.do("GET", c, "")
	r.do("GET", "/comments"+absent, "")
	r.do("GET", "/projects"+absent+"/tasks", "")
	y := "/payments/" + r.do("POST", "/payments", card).id()
	r.do("POST", "/payments", transfer)
	r.do("GET", y, "")
	r.do("GET", "/payments", "")
	r.do("PUT", "/labels/low", `{"color":"#000000","weight":0}`)
	r.do("PUT", "/labels/low", `{"color":"#000000","weight":50}`)
	r.do("PUT", "/labels/high", `{"color":"#00ff7f","weight":40}`)
	r.do("GET", "/labels/high", "")
	job := "/reports/" + r.do("POST", "/reports", `{"period":"2026-02","format":"pdf"}`).id()
	r.do("POST", "/reports", `{"period":"2026-02","format":"pdf"}`)
	r.do("GET", job, "")
	r.do("GET", "/settings", "", "X-API-Key: "+KeyA, "X-Pin: "+PinA)
	r.do("PUT", "/settings", `{"language":"xx"}`, "Authorization: Bearer "+KeyA)
	r.do("GET", "/audit", "")
	r.do("GET", "/audit", "", "X-API-Key: "+KeyLow)
	r.do("PUT", "/audit/retention", `{"days":0}`)
	r.do("PUT", "/audit/retention", `{"days":30}`, "X-API-Key: "+KeyLow)
	r.do("PUT", "/labels/bad", `{"color":"blue"}`)
	r.do("GET", "/quote", "")
	r.do("GET", "/events", "")
	r.do("GET", "/search?depth=10&match=any", "", "X-Request-Tag: ABC-0001", "Cookie: region=north")
	for _, path := range []string{"/payments", t} {
		r.do("GET", path, "", "anonymous")
	}
	r.do("POST", tasks, `{"title":`)
	r.do("POST", "/projects", `x`, "Content-Type: text/plain")
	r.do("POST", "/payments", strings.Repeat(" ", 70000))
	r.do("GET", "/labels/high", "", "Accept: application/x-none")
	r.do("DELETE", "/labels/high", "")
	r.do("DELETE", y, "")
	r.do("DELETE", c, "")
	r.do("DELETE", t, "")
	r.do("DELETE", p, "")
}

func headers(r *run) {
	success(r)
	made := map[string]string{"/comments": remark, "/payments": card, r.project("Parent") + "/tasks": task}
	for path, body := range made {
		a := r.send("POST", path, body)
		r.note("Location of "+path, r.send("GET", a.header.Get("Location"), "").status)
	}
	for _, path := range []string{"/status", "/projects", "/quote", "/audit/retention", "/settings"} {
		r.do("TRACE", path, "")
	}
	for _, path := range []string{"/projects" + absent + "/tasks", "/settings", "/quote"} {
		r.do("GET", path, "", "anonymous")
	}
	r.do("POST", "/payments", card, "anonymous")
	limited := reply{}
	for i := 0; i < 12 && limited.status != 429; i++ {
		limited = r.send("GET", "/quote", "")
	}
	r.note("limited", limited)
	r.do("GET", "/search?phrase=a%0d%0aX-Canary:%201", "", "X-Request-Tag: ABC-0001", "Cookie: region=north")
	r.do("GET", "/projects?q=a%0d%0aX-Canary:%201", "")
}

func media(r *run) {
	success(r)
	p := r.project("Parent")
	for _, path := range []string{p + "/tasks", "/payments", "/comments"} {
		r.do("POST", path, map[string]string{"/payments": card, "/comments": remark}[path]+map[bool]string{true: task}[strings.HasPrefix(path, "/projects")], "Content-Type: text/plain")
	}
	r.do("PUT", "/labels/one", `{"color":"#000000"}`, "Content-Type: text/plain")
	for _, path := range []string{"/status", "/payments", "/search", "/reports" + absent, "/projects"} {
		r.do("GET", path, "", "Accept: application/x-none", "X-Request-Tag: ABC-0001", "Cookie: region=north")
	}
	for _, accept := range []string{"text/csv, application/json;q=0", "text/csv;q=0, application/json;q=0", "text/csv;q=0.1, application/json;q=0.9",
		"*/*", "text/*", "application/json;q=0, */*", "text/csv"} {
		r.do("GET", "/projects", "", "Accept: "+accept)
	}
	r.do("POST", "/comments", "text=a+b&author=nemo%40example.org", "Content-Type: application/x-www-form-urlencoded")
	r.do("GET", "/payments"+absent, "")
	r.do("POST", "/projects", `{}`)
}

func input(r *run) {
	p := r.project("Parent")
	t := p + "/tasks/" + r.send("POST", p+"/tasks", task).id()
	stamp := "2001-01-01T00:00:00Z"
	r.do("POST", p+"/tasks", `{"title":"a","done":true,"created_at":"`+stamp+`"}`)
	r.do("POST", "/payments", strings.Replace(transfer, "{", `{"created_at":"`+stamp+`",`, 1))
	r.do("PUT", t, `{"title":"a","done":true,"project_id":"x"}`)
	tag := []string{"X-Request-Tag: ABC-0001", "Cookie: region=north"}
	for _, q := range []string{"", "ids=1&ids=2", "words=a,b", "codes=A1%7CB2", "range[from]=1&range[to]=2", "depth=1&depth=2", "phrase=a"} {
		r.do("GET", "/search?"+q, "", tag...)
	}
	r.do("GET", "/search", "", tag[0])
	r.do("GET", "/search", "", tag[1])
	r.do("POST", "/projects", `{"name":"One","name":"Two"}`)
	r.do("POST", p+"/tasks", `{"title":"a","title":"b","done":true}`)
	for _, q := range []string{"limit=1&limit=2", "priority[min]=1", "zz=1"} {
		r.do("GET", "/projects?"+q, "")
	}
	r.do("GET", p+"/tasks?sort=title", "")
	r.do("GET", "/status?zz=1", "", "anonymous")
	r.do("POST", "/comments?zz=1", remark)
	r.do("GET", "/labels/a?zz=1", "")
}

func credentials(r *run) {
	all := map[string]string{"/payments": "GET", "/settings": "GET", "/audit": "GET", "/projects": "GET", "/quote": "GET"}
	for path, method := range all {
		r.do(method, path, "", "anonymous")
		r.do(method, path, "", "X-API-Key: wrong")
		r.do(method, path, "", "Authorization: Bearer wrong")
	}
	r.do("POST", "/comments", remark, "anonymous")
	r.do("POST", "/payments", transfer, "X-API-Key: wrong")
	r.do("POST", "/reports", `{"period":"2026-03","format":"pdf"}`, "X-API-Key: wrong")
	for _, key := range []string{"", strings.Repeat("k", 2000), "k\xc3\xa9y"} {
		r.do("GET", "/audit", "", "X-API-Key: "+key)
	}
	r.do("GET", "/audit", "", "Authorization: Basic eDp5")
	r.do("GET", "/audit", "", "X-API-Key: "+KeyExpired)
	r.do("GET", "/audit", "", "Authorization: Bearer "+KeyExpired)
	r.do("GET", "/audit", "", "X-API-Key: "+KeyLow)
	r.do("PUT", "/audit/retention", `{"days":3}`, "Authorization: Bearer "+KeyLow)
	r.do("GET", "/status", "", "anonymous")
	for _, lines := range [][]string{{"X-API-Key: " + KeyA}, {"X-Pin: " + PinA, "anonymous"}, {"Authorization: Bearer " + KeyA},
		{"X-API-Key: " + KeyA, "X-Pin: " + PinB}} {
		r.do("GET", "/settings", "", lines...)
		r.do("PUT", "/settings", `{"language":"fr"}`, lines...)
	}
	r.do("POST", "/projects", `{}`, "anonymous")
	r.do("PUT", "/audit/retention", `{}`, "anonymous")
	r.do("GET", "/payments?limit=0", "", "anonymous")
	r.do("PUT", "/labels/x", `{}`, "anonymous")
	r.do("GET", "/audit?X-API-Key="+KeyA, "", "anonymous")
	r.do("GET", "/audit", "", "anonymous", "Cookie: X-API-Key="+KeyA)
	r.do("GET", "/audit", "", "Authorization: Basic "+KeyA)
}

func routes(r *run) {
	p := r.project("Parent")
	for _, target := range []string{"POST /status", "DELETE /audit", "PUT /comments", "PATCH /quote", "DELETE /comments" + absent,
		"PUT " + p + "/tasks" + absent, "HEAD " + p, "HEAD /labels/one", "HEAD /audit", "OPTIONS /projects",
		"OPTIONS /labels/one", "OPTIONS /status", "GET /metrics", "GET /debug", "GET /admin", "GET /health", "GET /projects/",
		"GET /PROJECTS", "GET //projects", "GET /x/../projects", "GET /labels/a%2Fb", "GET /labels/a%00", "GET /labels/%C3%A9",
		"GET /projects%2F" + strings.TrimPrefix(p, "/projects/")} {
		method, path, _ := strings.Cut(target, " ")
		a := r.do(method, path, "")
		r.note("length", a.header.Get("Content-Length"))
	}
	r.do("PUT", "/labels/one", `{"color":"#000000"}`)
	r.do("HEAD", "/labels/one", "")
	r.do("GET", "/settings", "", "Authorization: Bearer "+KeyA)
	for _, h := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		r.do("GET", p, "", h+": DELETE")
	}
}

func changes(r *run) {
	p := r.project("Parent")
	t := p + "/tasks/" + r.do("POST", p+"/tasks", task).id()
	c := "/comments/" + r.do("POST", "/comments", remark).id()
	y := "/payments/" + r.do("POST", "/payments", card).id()
	f := "/projects/" + r.do("POST", "/projects", strings.Replace(full, "Lighter than air", "Lighter than air by far", 1)).id()
	r.do("PUT", "/labels/one", `{"color":"#000000","title":"a long title"}`)
	look := func() {
		for _, path := range []string{p, t, c, y, f, "/labels/one", "/projects", p + "/tasks", "/payments"} {
			r.do("GET", path, "")
		}
	}
	look()
	look()
	made := text(r.send("GET", p, "").value("created_at"))
	for _, path := range []string{p, t, f} {
		before := r.send("GET", path, "")
		body := map[bool]string{true: `{"done":true}`, false: `{"priority":8}`}[path == t]
		a := r.do("PATCH", path, body, merge)
		r.note("made later", text(a.value("created_at")) != text(before.value("created_at")))
		r.note("changed later", text(a.value("updated_at")) > text(before.value("updated_at")))
		r.note("again", a.status == 200 && made != "")
	}
	r.do("PATCH", p, `{"description":"new","name":""}`, merge)
	r.do("PATCH", t, `{"note":"new","title":""}`, merge)
	r.do("PUT", p, `{"name":"Changed","priority":99}`, anyTag)
	r.do("PUT", t, `{"title":"changed","done":7}`)
	look()
	r.do("POST", "/projects", `{"name":"Left over","priority":99}`)
	r.do("POST", p+"/tasks", `{"title":"Left over","done":7}`)
	r.do("POST", "/payments", strings.Replace(transfer, "0.01", "0.001", 1))
	look()
	r.do("PATCH", f, `{"description":null,"contact":{"email":"x@example.org"}}`, merge)
	r.do("PATCH", t, `{"note":null}`, merge)
	look()
	r.do("PUT", f, `{"name":"Anew"}`, anyTag)
	r.do("PUT", t, `{"title":"anew","done":false}`)
	r.do("PUT", t, `{"title":"anew","done":false}`)
	bearer := "Authorization: Bearer " + KeyA
	for _, s := range []string{`{"language":"fr","quiet_hours":{"from":1,"to":2}}`, `{"language":"de"}`, `{"language":"de"}`} {
		r.do("PUT", "/settings", s, bearer)
	}
	r.do("PUT", "/labels/one", `{"color":"#000000"}`)
	look()
	r.do("GET", f+t[len(p):], "")
	r.do("PATCH", f+t[len(p):], `{"done":true}`, merge)
	r.do("PUT", f+t[len(p):], task)
	r.note("id of a task is kept", r.send("POST", p+"/tasks", strings.Replace(task, "{", `{"id":"4dc1d2f1-43c0-4f6b-9f2c-3f6a3c1e8d11",`, 1)).id() == absent[1:])
	r.note("id of a payment is kept", r.send("POST", "/payments", strings.Replace(transfer, "{", `{"id":"4dc1d2f1-43c0-4f6b-9f2c-3f6a3c1e8d11",`, 1)).id() == absent[1:])
	for _, path := range []string{t, c, y, "/labels/one", f} {
		r.do("DELETE", path, "")
		r.do("DELETE", path, "")
		look()
	}
	r.note("a project's id again", r.project("Next") == f)
	r.note("a comment's id again", r.send("POST", "/comments", remark).id() == strings.TrimPrefix(c, "/comments/"))
}

// together sends requests at the same time, and gives their statuses, in order.
func (r *run) together(n int, send func(int) int) string {
	statuses := make([]int, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { statuses[i] = send(i) })
	}
	wg.Wait()
	counts := map[int]int{}
	for _, s := range statuses {
		counts[s]++
	}
	return fmt.Sprint(counts)
}

func repeats(r *run) {
	p := r.project("Parent")
	bodies := map[string]string{p + "/tasks": task, "/payments": transfer, "/projects": full}
	for _, path := range []string{p + "/tasks", "/payments", "/projects"} {
		first := r.do("POST", path, bodies[path], "Idempotency-Key: one")
		again := r.do("POST", path, bodies[path], "Idempotency-Key: one")
		r.note("same", first.id() == again.id())
		r.do("POST", path, strings.NewReplacer("Caulk", "Scrub", "bank@", "bench@", "Zeppelin", "Balloon").Replace(bodies[path]), "Idempotency-Key: one")
		if path != "/projects" {
			r.together(4, func(int) int { return r.send("POST", path, bodies[path], "Idempotency-Key: race").status })
			r.note("all", r.send("GET", path, "").value("total"))
		}
	}
	r.note("names", r.together(4, func(int) int { return r.send("POST", "/projects", `{"name":"Raced"}`).status }))
	f, t := r.project("Other"), p+"/tasks/"+r.send("POST", p+"/tasks", task).id()
	r.do("PUT", f, `{"name":"Other"}`, `If-Match: "0123456789abcdef"`)
	r.do("PATCH", f, `{"priority":2}`, merge, `If-Match: "0123456789abcdef"`)
	r.do("PATCH", t, `{"done":true}`, merge, `If-Match: "0123456789abcdef"`)
	r.do("DELETE", r.project("Gone"), "", `If-Match: "0123456789abcdef"`)
	r.do("PUT", f, `{"name":"Other"}`)
	r.do("POST", "/projects", `{"name":"Other"}`)
	r.do("PUT", f, `{"name":"Parent"}`, anyTag)
	r.do("PATCH", f, `{"name":"Parent"}`, merge)
	r.together(4, func(int) int { return r.send("POST", f+"/stars", "").status })
	r.note("stars", r.send("GET", f, "").value("stars"))
	tag := "If-Match: " + r.send("GET", f, "").header.Get("ETag")
	r.note("puts", r.together(3, func(i int) int { return r.send("PUT", f, fmt.Sprintf(`{"name":"Put %d"}`, i), tag).status }))
	tag = "If-Match: " + r.send("GET", f, "").header.Get("ETag")
	r.note("patches", r.together(3, func(i int) int { return r.send("PATCH", f, fmt.Sprintf(`{"priority":%d}`, i+1), tag, merge).status }))
	for kind, body := range map[string]string{"project": `{"priority":3}`, "task": `{"done":true}`, "label": `{"color":"#111111"}`} {
		broken := false
		for i := 0; i < 5 && !broken; i++ { // who comes first is chance
			path, method, lines := "/labels/raced", "PUT", []string(nil)
			switch kind {
			case "project":
				path, method, lines = r.project(fmt.Sprint("Raced ", i)), "PATCH", []string{merge}
			case "task":
				path, method, lines = p+"/tasks/"+r.send("POST", p+"/tasks", task).id(), "PATCH", []string{merge}
			default:
				r.send("PUT", path, body)
			}
			r.together(2, func(i int) int {
				if i == 1 {
					<-time.After(15 * time.Millisecond)
					return r.send("DELETE", path, "").status
				}
				broken = r.send(method, path, body, lines...).status >= 500
				return 0
			})
		}
		r.note("broken by a race: "+kind, broken)
	}
}

func tenants(r *run) {
	p := "/projects/" + r.send("POST", "/projects", full).id()
	t := p + "/tasks/" + r.send("POST", p+"/tasks", task).id()
	c := "/comments/" + r.send("POST", "/comments", remark).id()
	y := "/payments/" + r.send("POST", "/payments", card).id()
	r.send("POST", "/payments", card)
	r.project("Second")
	for _, path := range []string{p, t, c, y, "/projects", "/payments", p + "/tasks", "/projects?q=Zepp", "/projects?status=paused"} {
		r.do("GET", path, "", other)
	}
	for _, path := range []string{"/projects", "/payments"} {
		next := text(r.send("GET", path+"?limit=1", "").value("next_cursor"))
		r.do("GET", path+"?cursor="+next, "", other)
	}
	r.do("POST", "/comments", strings.Replace(remark, "{", `{"project_id":"`+strings.TrimPrefix(p, "/projects/")+`",`, 1), other)
	r.do("POST", p+"/tasks", task, other)
	r.do("POST", "/projects", `{}`, other)
	r.do("POST", "/projects", `{"name":"Same"}`, "Idempotency-Key: k")
	r.do("POST", "/projects", `{"name":"Same"}`, "Idempotency-Key: k", other)
	r.do("POST", "/payments", transfer, "Idempotency-Key: k")
	r.do("POST", "/payments", transfer, "Idempotency-Key: k", other)
	r.note("payments", r.send("GET", "/payments", "", other).value("total"))
	r.note("projects", r.send("GET", "/projects", "", other).value("total"))
	r.do("PUT", t, task, other)
	r.do("PATCH", p, `{"priority":1}`, merge, other)
	r.do("DELETE", c, "", other)
	r.do("DELETE", p, "", other)
}

func texts(r *run) {
	p := r.project(" Name \U0001F6F8\u200de\u0301 ")
	r.do("GET", p, "")
	r.do("PATCH", p, `{"description":" e\u0301 \ud83d\udef8 ","budget":0.1234567890123}`, merge)
	r.do("POST", p+"/tasks", `{"title":"a  b \ud83d\udef8","done":true}`)
	r.do("POST", "/comments", `{"text":" \ud83d\udef8 ","author":"nemo@example.org"}`)
	for _, path := range []string{"/comments", p + "/tasks", "/projects"} {
		for _, v := range []string{`"a\u0000"`, `"\ud800"`, "\"\xff\""} {
			body := map[string]string{"/comments": `{"author":"nemo@example.org","text":`, "/projects": `{"name":`}[path]
			if body == "" {
				body = `{"done":true,"title":`
			}
			r.do("POST", path, body+v+"}")
		}
	}
	r.do("GET", "/search?phrase=%00", "", "X-Request-Tag: ABC-0001", "Cookie: region=north")
	r.do("POST", "/payments", card)
	for _, z := range []string{"", "Accept-Encoding: gzip", "Accept-Encoding: identity"} {
		r.do("GET", "/projects", "", z+map[bool]string{true: "X-None: 1"}[z == ""])
		r.do("GET", "/search", "", z+map[bool]string{true: "X-None: 1"}[z == ""], "X-Request-Tag: ABC-0001", "Cookie: region=north")
	}
	r.do("POST", p+"/tasks", task+"x")
	r.do("POST", "/comments", "\ufeff"+remark)
	r.do("POST", "/payments", transfer+transfer)
}

func errorsOf(r *run) {
	p := r.project("Parent")
	r.do("GET", "/comments"+absent, "")
	r.do("GET", "/payments"+absent, "")
	r.do("GET", p+"/tasks"+absent, "")
	r.do("POST", "/projects", `{"priority":99}`)
	r.do("POST", "/payments", `{}`)
	r.do("POST", p+"/tasks", `{}`)
	r.do("POST", "/comments", `{"text":"<script>"}`)
	r.do("GET", "/payments", "", "anonymous")
	r.do("GET", "/projects?limit=0", "")
	r.do("GET", "/<script>", "")
	r.do("GET", "/search?phrase=%3Cscript%3E&zz=1", "", "X-Request-Tag: ABC-0001", "Cookie: region=north")
	r.do("POST", "/status", "")
	r.do("POST", "/comments", "{")
	r.do("POST", "/comments", "x", "Content-Type: text/plain")
	r.do("POST", "/comments", strings.Repeat(" ", 70000))
}

// pages follows a list to its end, but not forever.
func (r *run) pages(path string) {
	target := path
	for range 8 {
		a := r.do("GET", target, "")
		if l := a.header.Get("Link"); l != "" {
			rel, _, _ := strings.Cut(strings.TrimPrefix(l, "<"), ">")
			r.note("Link", r.send("GET", rel, "").status)
		}
		next := text(a.value("next_cursor"))
		if next == "" {
			return
		}
		target = strings.Split(path, "?")[0] + "?limit=2&cursor=" + next
	}
}

func lists(r *run) {
	p := r.project("Delta")
	r.send("PATCH", p, `{"status":"done"}`, merge)
	for _, n := range []string{"Alpha", "Echo", "Bravo", "Charlie"} {
		r.project(n)
		r.send("POST", p+"/tasks", `{"title":"`+n+`","done":`+fmt.Sprint(n < "C")+`}`)
		r.send("POST", "/payments", strings.Replace(transfer, "bank", n, 1))
	}
	for _, path := range []string{"/projects", p + "/tasks", "/payments"} {
		r.do("GET", path, "")
		r.pages(path + "?limit=2")
		for _, limit := range []string{"0", "-1", "51"} {
			r.do("GET", path+"?limit="+limit, "")
		}
		next := text(r.send("GET", path+"?limit=2", "").value("next_cursor"))
		r.do("GET", path+"?cursor=x"+next, "")
		if path == "/projects" {
			next = text(r.send("GET", path+"?limit=2&sort=-name", "").value("next_cursor"))
		}
		body := map[string]string{"/projects": `{"name":"Zulu"}`, "/payments": transfer}[path]
		if body == "" {
			body = `{"title":"Aaa","done":true}`
		}
		r.send("POST", path, body)
		r.do("GET", path+"?limit=2&cursor="+next, "")
	}
	for _, q := range []string{"/projects?sort=-name", "/projects?sort=name", p + "/tasks?sort=-title", "/projects?status=active", p + "/tasks?done=true"} {
		r.do("GET", q, "")
	}
}

func caching(r *run) {
	p := r.project("Parent")
	t := p + "/tasks/" + r.send("POST", p+"/tasks", task).id()
	for path, body := range map[string]string{p: `{"priority":3}`, t: `{"done":true}`} {
		a, b := r.do("GET", path, ""), r.send("GET", path, "")
		tag := a.header.Get("ETag")
		r.note("restless", tag != b.header.Get("ETag"))
		for _, method := range []string{"GET", "HEAD"} {
			r.do(method, path, "", "If-None-Match: "+tag)
		}
		r.do("GET", path, "", "If-Modified-Since: "+time.Now().UTC().Add(time.Hour).Format(http.TimeFormat))
		r.do("GET", path, "", "If-Modified-Since: "+time.Now().UTC().Add(-time.Hour).Format(http.TimeFormat))
		<-time.After(1100 * time.Millisecond)
		c := r.send("PATCH", path, body, merge)
		r.note("stale", tag == c.header.Get("ETag"))
		r.note("frozen", a.header.Get("Last-Modified") == c.header.Get("Last-Modified"))
	}
	r.do("PUT", "/labels/one", `{"color":"#000000"}`)
	for _, path := range []string{"/payments", "/labels/one", "/settings"} {
		r.do("GET", path, "", "Authorization: Bearer "+KeyA)
	}
}

func robust(r *run) {
	success(r)
	p := r.project("Parent")
	big := strings.Repeat(" ", 70000)
	for _, path := range []string{"/comments", p + "/tasks"} {
		r.do("POST", path, big)
	}
	r.do("PUT", "/labels/one", big)
	r.do("POST", "/comments", strings.Repeat("[", 1000)+strings.Repeat("]", 1000))
	r.do("POST", "/comments", "["+strings.Repeat("1,", 1000)+"1]")
	r.note("short", r.raw("POST /comments HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-API-Key: "+KeyA+"\r\nContent-Length: 100\r\n\r\n{}", "POST", true))
	for _, body := range []string{`{"text":"a","author":"a@example.org",}`, `{/* */"text":"a","author":"a@example.org"}`, `{'color':'#000000'}`, `{`} {
		for _, path := range []string{"POST /comments", "POST " + p + "/tasks", "POST /projects", "PUT /labels/one"} {
			method, target, _ := strings.Cut(path, " ")
			r.do(method, target, strings.Replace(body, `"text":"a","author":"a@example.org"`,
				map[bool]string{true: `"name":"Named"`, false: `"text":"a","author":"a@example.org"`}[target == "/projects"], 1))
		}
	}
	for _, path := range []string{"POST /comments", "PUT /labels/one", "PUT /settings", "POST /reports"} {
		method, target, _ := strings.Cut(path, " ")
		r.do(method, target, "", "Content-Type: application/json", "Authorization: Bearer "+KeyA)
	}
	r.do("GET", "/status", "", "X-Huge: "+strings.Repeat("a", 40000))
	r.do("GET", "/status?x="+strings.Repeat("a", 10000), "")
	for range 3 {
		r.do("GET", "/search", "", "X-Request-Tag: ABC-0001", "Cookie: region=north")
	}
	limited := 0
	for range 8 {
		if r.send("GET", "/quote", "", other).status == 429 {
			limited++
		}
	}
	r.note("limited", limited > 0)
	r.do("GET", "/events", "")
	job := "/reports/" + r.send("POST", "/reports", `{"period":"2027-01","format":"csv"}`).id()
	<-time.After(350 * time.Millisecond)
	r.do("GET", job, "")
	r.do("GET", "/status", "", "anonymous")
	r.note("HTTP/2", r.http2("/status"))
}

// http2 asks over HTTP/2 with prior knowledge.
func (r *run) http2(path string) string {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	c := http.Client{Transport: &http.Transport{Protocols: p}}
	defer c.CloseIdleConnections()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.s.URL+path, nil)
	if err != nil {
		return err.Error()
	}
	res, err := c.Do(req)
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	b := make([]byte, 1000)
	n, _ := res.Body.Read(b)
	return fmt.Sprint(res.Proto, reply{status: res.StatusCode, header: res.Header, body: b[:n]})
}
