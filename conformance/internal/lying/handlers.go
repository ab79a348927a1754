package lying

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// handlers answer operations, by their ids. They are called with the lock held,
// after everything that the contract says of a request was judged.
var handlers map[string]func(*call) *answer

// Handlers and what they call refer to each other, which no declaration may.
func init() {
	handlers = map[string]func(*call) *answer{
		"getStatus":    getStatus,
		"listProjects": listProjects, "createProject": createProject, "getProject": getProject,
		"headProject": getProject, "replaceProject": replaceProject, "patchProject": patchProject,
		"deleteProject": func(c *call) *answer { return c.delete("project", c.path["project_id"], true) },
		"starProject":   starProject,
		"listTasks":     listTasks, "createTask": createTask, "getTask": getTask,
		"replaceTask": replaceTask, "patchTask": patchTask, "deleteTask": deleteTask,
		"createComment": createComment,
		"getComment":    func(c *call) *answer { return c.read("comment", c.path["comment_id"]) },
		"deleteComment": func(c *call) *answer { return c.delete("comment", c.path["comment_id"], false) },
		"listPayments":  func(c *call) *answer { return c.list("payment", "") },
		"createPayment": createPayment,
		"getPayment":    func(c *call) *answer { return c.read("payment", c.path["payment_id"]) },
		"deletePayment": func(c *call) *answer { return c.delete("payment", c.path["payment_id"], false) },
		"getLabel":      func(c *call) *answer { return c.read("label", c.path["label_id"]) },
		"putLabel":      putLabel,
		"deleteLabel":   func(c *call) *answer { return c.delete("label", c.path["label_id"], false) },
		"createReport":  createReport,
		"getReport":     getReport,
		"deleteReport":  func(c *call) *answer { return c.delete("report", c.path["report_id"], false) },
		"getSettings":   getSettings, "replaceSettings": replaceSettings,
		"listAudit": listAudit, "setRetention": setRetention,
		"getQuote": getQuote, "listEvents": listEvents, "search": search,
	}
}

// created answers with what was made.
func (c *call) created(r *record, path string) *answer {
	a := ok(http.StatusCreated, c.s.lieCreated(r, c.s.view(r)))
	a.add("Location", path+"/"+r.id)
	if c.op.headers["201"]["etag"] {
		a.add("ETag", c.s.etag(r))
	}
	return a
}

// read answers with a record that has no validators.
func (c *call) read(kind, id string) *answer {
	r := c.s.lookup(c, kind, id)
	if r == nil {
		return c.lieNotFound(kind, id)
	}
	c.lieRead(r)
	return ok(http.StatusOK, c.s.view(r))
}

// shown answers with a record that has an ETag, and a date where that is declared.
func (c *call) shown(r *record) *answer {
	a := ok(http.StatusOK, c.s.view(r))
	a.add("ETag", c.s.etag(r))
	if c.op.headers["200"]["last-modified"] {
		a.add("Last-Modified", c.modified(r).Format(http.TimeFormat))
	}
	return a
}

// delete removes a record.
func (c *call) delete(kind, id string, conditional bool) *answer {
	r := c.s.lookup(c, kind, id)
	if r == nil {
		if c.lies("H9") && c.s.gone[key(kind, c.tenant, id)] {
			return internal()
		}
		return c.lieNotFound(kind, id)
	}
	if conditional {
		if a := c.ifMatch(r, false); a != nil {
			return a
		}
	}
	c.s.remove(r)
	return empty()
}

func getStatus(*call) *answer {
	a := ok(http.StatusOK, map[string]any{"status": "ok", "version": "1.4.2", "since": "2026-01-31T08:00:00Z"})
	a.add("Access-Control-Allow-Origin", "*")
	a.add("Cache-Control", "public, max-age=60")
	return a
}

func listProjects(c *call) *answer {
	a := c.list("project", "")
	if q, has := c.query["q"]; has && a.status == http.StatusOK {
		a.add("X-Filter", c.lieEcho(text(q)))
	}
	return a
}

// encodeHeader makes a text fit for a header: all but unreserved is encoded.
func encodeHeader(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// taken says whether another project of the tenant has the name.
func (c *call) taken(name any, but *record) bool {
	for _, r := range c.s.order {
		if r.kind == "project" && r != but && r.tenant == c.tenant && r.fields["name"] == name {
			return true
		}
	}
	return false
}

func (c *call) conflict() *answer {
	return problem(http.StatusConflict, "conflict", "the name is taken", fault{pointer: "/name", detail: "is taken"})
}

func createProject(c *call) *answer {
	if c.taken(object(c.body)["name"], nil) && !c.lies("I9") {
		return c.conflict()
	}
	if c.lies("I4") {
		c.s.pause()
	}
	r := c.s.insert(c, "project", "", "")
	return c.created(r, "/projects")
}

func getProject(c *call) *answer {
	r := c.s.lookup(c, "project", c.path["project_id"])
	if r == nil {
		return c.lieNotFound("project", c.path["project_id"])
	}
	c.lieRead(r)
	if a := c.notModified(r); a != nil {
		return a
	}
	return c.shown(r)
}

// settle stores a changed project, if nothing is against it.
func (c *call) settle(r *record, fields map[string]any, required bool) *answer {
	if a := c.ifMatch(r, required); a != nil {
		c.lieRefusedWrite(r, fields)
		return a
	}
	if r.kind == "project" && c.taken(fields["name"], r) && !c.lies("I9") {
		return c.conflict()
	}
	if a := c.lieRace(r); a != nil {
		return a
	}
	c.s.change(r, fields)
	return c.shown(r)
}

func replaceProject(c *call) *answer {
	r := c.s.lookup(c, "project", c.path["project_id"])
	if r == nil {
		return c.lieNotFound("project", c.path["project_id"])
	}
	return c.settle(r, c.lieReplace(r, object(c.body)), true)
}

// patched applies the body to the record, and judges the result.
func (c *call) patched(r *record, schema string) (map[string]any, *answer) {
	merged := c.lieMerged(c.merge(r.fields, c.body))
	v := &validation{s: c.s}
	kept := v.value(c.s.doc.schemas[schema], merged, "")
	// What the patch's schema lets in by a lie must not be kept out here.
	if v.faults != nil && !strings.HasPrefix(c.s.lie.place, c.op.schema().place+".") {
		return nil, problem(http.StatusUnprocessableEntity, "invalid-body", "", v.faults...)
	}
	return object(kept), nil
}

func patchProject(c *call) *answer {
	r := c.s.lookup(c, "project", c.path["project_id"])
	if r == nil {
		return c.lieNotFound("project", c.path["project_id"])
	}
	fields, a := c.patched(r, "ProjectInput")
	if a != nil {
		return a
	}
	return c.settle(r, fields, false)
}

func starProject(c *call) *answer {
	r := c.s.lookup(c, "project", c.path["project_id"])
	if r == nil {
		return c.lieNotFound("project", c.path["project_id"])
	}
	stars := r.stars
	if c.lies("I7") {
		c.s.pause()
	}
	r.stars = stars + 1
	r.updated = c.s.tick()
	return ok(http.StatusOK, map[string]any{"stars": r.stars})
}

// parent finds the project in the path.
func (c *call) parent() *record { return c.s.lookup(c, "project", c.path["project_id"]) }

// task finds the task in the path, below its project.
func (c *call) task() *record {
	if c.lies("H12") {
		return c.s.lookup(c, "task", c.path["task_id"])
	}
	p := c.parent()
	r := c.s.lookup(c, "task", c.path["task_id"])
	if p == nil || r == nil || r.parent != p.id {
		return nil
	}
	return r
}

func listTasks(c *call) *answer {
	p := c.parent()
	if p == nil {
		return c.lieNotFound("project", c.path["project_id"])
	}
	return c.list("task", p.id)
}

func createTask(c *call) *answer {
	p := c.parent()
	if p == nil {
		return c.lieNotFound("project", c.path["project_id"])
	}
	return c.created(c.s.insert(c, "task", "", p.id), "/projects/"+p.id+"/tasks")
}

func getTask(c *call) *answer {
	r := c.task()
	if r == nil {
		return c.lieNotFound("task", c.path["task_id"])
	}
	c.lieRead(r)
	if a := c.notModified(r); a != nil {
		return a
	}
	return c.shown(r)
}

func replaceTask(c *call) *answer {
	r := c.task()
	if r == nil {
		return c.lieNotFound("task", c.path["task_id"])
	}
	return c.settle(r, c.lieReplace(r, object(c.body)), false)
}

func patchTask(c *call) *answer {
	r := c.task()
	if r == nil {
		return c.lieNotFound("task", c.path["task_id"])
	}
	fields, a := c.patched(r, "Task")
	if a != nil {
		return a
	}
	return c.settle(r, fields, false)
}

func deleteTask(c *call) *answer {
	id := c.path["task_id"]
	if c.task() == nil && !c.s.gone[key("task", c.tenant, id)] {
		return c.lieNotFound("task", id)
	}
	return c.delete("task", id, true)
}

func createComment(c *call) *answer {
	if id, has := object(c.body)["project_id"]; has {
		if c.s.lookup(c, "project", text(id)) == nil {
			return problem(http.StatusUnprocessableEntity, "invalid-body", "",
				fault{pointer: "/project_id", detail: "is no project"})
		}
	}
	return c.created(c.s.insert(c, "comment", "", ""), "/comments")
}

func createPayment(c *call) *answer {
	return c.created(c.s.insert(c, "payment", "", ""), "/payments")
}

func putLabel(c *call) *answer {
	id := c.path["label_id"]
	if !c.op.params[0].schema.pattern.MatchString(id) {
		return notFound()
	}
	r := c.s.lookup(c, "label", id)
	if r != nil {
		if a := c.lieRace(r); a != nil {
			return a
		}
		c.s.change(r, c.lieReplace(r, object(c.body)))
		if c.lies("H7") {
			return c.created(r, "/labels")
		}
		return ok(http.StatusOK, c.s.view(r))
	}
	r = c.s.insert(c, "label", id, "")
	if c.lies("A10") {
		return ok(http.StatusOK, c.s.view(r))
	}
	return c.created(r, "/labels")
}

func createReport(c *call) *answer {
	body := object(c.body)
	for _, r := range c.s.order {
		same := r.kind == "report" && r.tenant == c.tenant && maps.Equal(r.fields, body)
		if same && !c.lies("A10") {
			return ok(http.StatusOK, c.s.view(r))
		}
	}
	r := c.s.insert(c, "report", "", "")
	a := ok(http.StatusAccepted, c.s.view(r))
	a.add("Location", "/reports/"+r.id)
	return a
}

func getReport(c *call) *answer {
	if c.s.lies("O10", "lost") {
		return c.lieLost()
	}
	return c.read("report", c.path["report_id"])
}

func getSettings(c *call) *answer {
	return ok(http.StatusOK, clone(c.s.settings[c.tenant]))
}

func replaceSettings(c *call) *answer {
	c.s.settings[c.tenant] = c.lieSettings(c.s.settings[c.tenant], object(c.body))
	return ok(http.StatusOK, clone(c.s.settings[c.tenant]))
}

func listAudit(*call) *answer {
	return ok(http.StatusOK, []any{
		map[string]any{"at": "2026-01-31T08:00:00Z", "action": "start"},
		map[string]any{"at": "2026-01-31T08:00:01.5Z", "action": "ready"},
	})
}

func setRetention(c *call) *answer {
	c.s.retention[c.tenant] = object(c.body)["days"]
	return ok(http.StatusOK, clone(c.body))
}

// getQuote is for five requests of a credential within a second.
func getQuote(c *call) *answer {
	t := time.Now()
	who := c.tenant + map[bool]string{true: " low"}[c.low]
	recent := c.s.hits[who][:0:0]
	for _, h := range c.s.hits[who] {
		if t.Sub(h) < time.Second {
			recent = append(recent, h)
		}
	}
	if len(recent) >= 5 && !c.lies("O8") {
		c.s.hits[who] = recent
		a := problem(http.StatusTooManyRequests, "too-many", "")
		a.add("Retry-After", "1")
		return a
	}
	c.s.hits[who] = append(recent, t)
	return ok(http.StatusOK, map[string]any{"pair": "EUR/USD", "rate": json.Number("1.0825"), "at": stamp(t)})
}

func listEvents(c *call) *answer {
	var b strings.Builder
	for i, what := range []string{"opened", "changed", "closed"} {
		e := map[string]any{"number": i + 1, "what": what}
		b.WriteString("id: " + compact(i+1) + "\ndata: " + c.lieEvent(e) + "\n\n")
	}
	return &answer{status: http.StatusOK, body: []byte(b.String()), typ: "text/event-stream"}
}

func search(c *call) *answer {
	out := map[string]any{"ids": []any{}, "words": []any{}, "codes": []any{}}
	for k, v := range c.query {
		out[k] = clone(v)
	}
	a := ok(http.StatusOK, out)
	if p, has := c.query["phrase"]; has {
		a.add("X-Phrase", c.lieEcho(text(p)))
	}
	return a
}
