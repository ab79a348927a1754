package lying

import (
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"strings"
	"testing"
)

// near gives values on both sides of what a schema demands.
func near(s *schema) []any {
	good := sample(s)
	values := []any{nil, good, "x", true, json.Number("1"), []any{good}, "yes", map[string]any{}}
	for _, b := range []*big.Rat{s.min, s.max, s.multiple} {
		if b == nil {
			continue
		}
		for _, d := range []string{"-1", "0", "1", "0.001"} {
			values = append(values, json.Number(decimal(new(big.Rat).Add(b, rational(json.Number(d))))))
		}
	}
	switch s.kind {
	case "integer", "number":
		values = append(values, "1", "10")
	case "boolean":
		values = append(values, "true")
	case "array":
		values = append(values, arrays(s)...)
	case "string":
		t := text(good)
		values = append(values, t, t+"\n", "x"+t, t+"!", strings.ToUpper(t), "unheard", "2026-02-30", json.Number("5"))
		if s.maxLen > 0 {
			values = append(values, strings.Repeat("\U0001F6F8", s.maxLen), strings.Repeat("a", s.maxLen+1))
		}
	}
	return values
}

func decimal(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	return r.FloatString(3)
}

// arrays gives arrays of each interesting length, and one with an item twice.
func arrays(s *schema) []any {
	items := []any{}
	for i := range 7 {
		items = append(items, map[string]any{"string": strings.Repeat(string(rune('a'+i)), 2), "integer": json.Number(fmt.Sprint(i))}[s.items.kind])
	}
	if s.items.pattern != nil && !s.items.pattern.MatchString("aa") { // codes
		for i := range items {
			items[i] = fmt.Sprintf("A%d", i)
		}
	}
	out := []any{[]any{items[0], items[0]}}
	for n := range items {
		out = append(out, items[:n])
	}
	return out
}

// variants gives bodies that differ from a good one in what has the place.
func variants(s *schema, place string, good any) []any {
	var out []any
	m := object(good)
	if m == nil {
		return nil
	}
	if strings.HasPrefix(place, s.place+".") {
		with := func(k string, v any, drop ...string) {
			n := object(clone(good))
			if k != "" {
				n[k] = v
			}
			for _, d := range drop {
				delete(n, d)
			}
			out = append(out, n)
		}
		with("zz", 1)
		for k := range s.props {
			with("", nil, k)
		}
		if s.additional != nil {
			for n := range 5 {
				many := map[string]any{}
				for i := range n {
					many[fmt.Sprint("k", i)] = "v"
				}
				out = append(out, many)
			}
			out = append(out, map[string]any{"k": nil}, map[string]any{"k": strings.Repeat("\U0001F6F8", 30)}, map[string]any{"k": json.Number("1")})
		}
		if s.minProps > 0 {
			out = append(out, map[string]any{})
		}
	}
	for k, p := range s.props {
		v, has := m[k]
		if !has {
			v = sample(p)
		}
		set := func(x any) {
			n := object(clone(good))
			n[k] = x
			out = append(out, n)
		}
		branch := p
		if p.oneOf != nil {
			branch = p.alternatives[text(object(v)["kind"])]
			for _, other := range p.alternatives {
				if !strings.HasPrefix(place, p.place+".") && !strings.HasPrefix(place, other.place+".") {
					continue
				}
				n := object(clone(sample(other)))
				n["zz"] = json.Number("1")
				set(sample(other))
				set(n)
				for _, x := range variants(other, place, sample(other)) {
					set(x)
				}
			}
			if strings.HasPrefix(place, p.place+".") {
				set(nil)
			}
		}
		if strings.HasPrefix(place, p.place+".") {
			for _, x := range near(p) {
				set(x)
			}
		}
		if p.items != nil && strings.HasPrefix(place, p.items.place+".") {
			for _, x := range near(p.items) {
				set([]any{x})
			}
		}
		for _, x := range variants(branch, place, v) {
			set(x)
		}
	}
	return out
}

// ask sends one value to the operation of a body.
type ask func(r *run, body any) reply

// asks are how the schemas of bodies are reached.
var asks = map[string]ask{
	"ProjectInput": func(r *run, body any) reply {
		a := r.send("POST", "/projects", compact(body))
		if a.id() != "" { // its name is free again
			r.send("DELETE", "/projects/"+a.id(), "")
		}
		return a
	},
	"ProjectPatch": func(r *run, body any) reply { return r.send("PATCH", r.project("Patched"), compact(body), merge) },
	"Task":         func(r *run, body any) reply { return r.send("POST", r.project("Patched")+"/tasks", compact(body)) },
	"TaskPatch": func(r *run, body any) reply {
		tasks := r.project("Patched") + "/tasks"
		return r.send("PATCH", tasks+"/"+r.send("POST", tasks, task).id(), compact(body), merge)
	},
	"CommentInput": func(r *run, body any) reply { return r.send("POST", "/comments", compact(body)) },
	"Payment":      func(r *run, body any) reply { return r.send("POST", "/payments", compact(body)) },
	"LabelInput":   func(r *run, body any) reply { return r.send("PUT", "/labels/one", compact(body)) },
	"ReportInput":  func(r *run, body any) reply { return r.send("POST", "/reports", compact(body)) },
	"Settings": func(r *run, body any) reply {
		return r.send("PUT", "/settings", compact(body), "Authorization: Bearer "+KeyA)
	},
	"Retention": func(r *run, body any) reply { return r.send("PUT", "/audit/retention", compact(body)) },
}

// ofBodies judges the places in bodies; seen says whether it was there at all.
func ofBodies(doc *document, place string, servers ...*run) (shown, seen bool) {
	for name, send := range asks {
		s := doc.schemas[name]
		good := object(clone(sample(s)))
		if name == "ProjectPatch" || name == "TaskPatch" {
			good = map[string]any{}
		}
		for _, body := range variants(s, place, good) {
			seen = true
			want, got := send(servers[0], body).String(), send(servers[1], body).String()
			for _, r := range servers { // what is patched has its name from before
				if name == "ProjectPatch" || name == "Task" || name == "TaskPatch" {
					r.forget()
				}
			}
			if want != got {
				return true, true
			}
		}
	}
	return false, seen
}

// forget deletes all projects.
func (r *run) forget() {
	for _, p := range array(r.send("GET", "/projects", "").value("items")) {
		r.send("DELETE", "/projects/"+text(object(p)["id"]), "")
	}
}

// ofParameters judges the places in queries.
func ofParameters(doc *document, servers ...*run) bool {
	parents := []string{}
	for _, r := range servers { // something to be sorted and cut
		var parent string
		for _, n := range []string{"Bravo", "Alpha", "Charlie"} {
			parent = r.project(n)
		}
		for i, n := range []string{"Bravo", "Alpha", "Charlie"} {
			r.send("POST", parent+"/tasks", fmt.Sprintf(`{"title":"%s","done":true,"estimate":%d}`, n, i))
			r.send("POST", "/payments", transfer)
		}
		parents = append(parents, strings.TrimPrefix(parent, "/projects/"))
	}
	for _, op := range doc.ops {
		for _, p := range op.params {
			if p.in != "query" {
				continue
			}
			var queries []string
			for _, v := range near(p.schema) {
				if v, is := v.([]any); is && p.schema.items != nil {
					parts := []string{}
					for _, e := range v {
						parts = append(parts, url.QueryEscape(plainly(e)))
					}
					sep := map[string]string{"pipeDelimited": "%7C"}[p.style]
					switch {
					case p.explode:
						sep = "&" + p.name + "="
					case sep == "":
						sep = ","
					}
					queries = append(queries, p.name+"="+strings.Join(parts, sep))
				}
				queries = append(queries, p.name+"="+url.QueryEscape(plainly(v)))
			}
			if p.schema.items != nil {
				for _, v := range near(p.schema.items) {
					queries = append(queries, p.name+"="+url.QueryEscape(plainly(v)))
				}
			}
			for k, s := range p.schema.props {
				for _, v := range near(s) {
					queries = append(queries, p.name+"["+k+"]="+url.QueryEscape(plainly(v)))
				}
			}
			queries = append(queries, "")
			for _, q := range queries {
				answers := []string{}
				for i, r := range servers {
					path := strings.Replace(op.path, "{project_id}", parents[i], 1)
					answers = append(answers, r.send("GET", path+"?"+q, "", "X-Request-Tag: ABC-0001", "Cookie: region=north").String())
				}
				if answers[0] != answers[1] {
					return true
				}
			}
		}
	}
	return false
}

func plainly(v any) string {
	if n, ok := v.(json.Number); ok {
		return string(n)
	}
	if t, ok := v.(string); ok {
		return t
	}
	return compact(v)
}

// TestEachKeywordShows does for the places that follow from schemas what
// TestEachPlaceShows does for the others, and in each way in which a seed can
// break them.
func TestEachKeywordShows(t *testing.T) {
	t.Parallel()
	doc, err := loadDocument()
	if err != nil {
		t.Fatal(err)
	}
	for class, places := range doc.derived {
		t.Run(class, func(t *testing.T) {
			t.Parallel()
			ways := max(1, map[string]int{"E1": 2, "E4": 3, "E5": 2}[class])
			for i := range len(places) * ways {
				if !chosen(class, i) {
					continue
				}
				place := places[i%len(places)]
				s := start(t, uint64(i), class)
				if s.Place() != place {
					t.Fatalf("the seed %d picks %q, want %q", i, s.Place(), place)
				}
				control := &run{t: t, s: start(t, 0, ""), key: KeyA}
				lying := &run{t: t, s: s, key: KeyA}
				shown, seen := ofBodies(doc, place, control, lying)
				if !seen {
					shown = ofParameters(doc, control, lying)
				}
				if !shown {
					t.Errorf("%s at %s is not to be seen with the seed %d", class, place, i)
				}
			}
		})
	}
}
