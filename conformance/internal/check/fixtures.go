package check

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

func itoa(n int) string { return strconv.Itoa(n) }

// fixtures knows the resources that are there. It learns of them from every
// answer to whoever is Own: a Location, an id in what was created, ids in lists.
// What it does not know yet it has made.
type fixtures struct {
	doc     *openapi.Document
	persona *persona

	mu sync.Mutex
	// known are values of the parameters of a template, the newest last; guarded
	// by mu, as are the others.
	known map[string][]map[string]any
	// creators are the operations that were seen to create a template's resource.
	creators map[string]*openapi.Operation
	residue  map[string]bool // URLs of what was created and not removed
	making   map[string]bool
	// keys are the properties that name resources, by the shape of their templates, and
	// tries how often that was tried to find out.
	keys  map[string]string
	tries map[string]int
}

// mostKnown is how many resources of a template are remembered.
const mostKnown = 64

func newFixtures(doc *openapi.Document, mailbox string) *fixtures {
	return &fixtures{
		doc: doc, persona: newPersona(mailbox), known: map[string][]map[string]any{},
		creators: map[string]*openapi.Operation{}, residue: map[string]bool{}, making: map[string]bool{},
		keys: map[string]string{}, tries: map[string]int{},
	}
}

// resolve gives values for the parameters of an operation's path, of a resource
// that is there.
func (f *fixtures) resolve(ctx context.Context, s *Session, op *openapi.Operation, fresh bool) (map[string]any, error) {
	templates := prefixes(op.Path)
	if len(templates) == 0 {
		return nil, nil
	}
	resource := templates[len(templates)-1]
	if !fresh {
		if values := f.get(resource); values != nil {
			return values, nil
		}
	}
	return f.make(ctx, s, resource)
}

// get gives the parameters of a resource that is known; nil if there is none.
func (f *fixtures) get(resource string) map[string]any {
	f.mu.Lock()
	defer f.mu.Unlock()
	if known := f.known[resource]; len(known) > 0 {
		return known[0]
	}
	return f.alike(resource)
}

// make creates a resource, or finds one in a list.
func (f *fixtures) make(ctx context.Context, s *Session, resource string) (map[string]any, error) {
	f.mu.Lock()
	candidates := []*openapi.Operation{f.creators[resource], s.creator(resource)}
	f.mu.Unlock()
	for _, op := range f.doc.Operations { // those of which run time may show that they do
		if op.Method == http.MethodPost && len(prefixes(op.Path)) < len(prefixes(resource)) && op.Responses["201"] != nil && related(op.Path, resource) {
			candidates = append(candidates, op)
		}
	}
	candidates = append(candidates, s.lister(resource))
	tried := map[*openapi.Operation]bool{nil: true}
	reason := "no operation creates or lists " + resource
	for _, op := range candidates {
		if tried[op] || slices.Contains(prefixes(op.Path), resource) { // it needs what is to be made
			continue
		}
		tried[op] = true
		d := s.NewDraft(op)
		parents, err := f.resolve(ctx, s, op, false)
		if err != nil {
			reason = err.Error()
			continue
		}
		for name, value := range parents {
			d.Path[name] = value
		}
		s.ensure(ctx, op)
		f.persona.prove(d)
		ex := s.Send(ctx, d)
		if Status(ex) == http.StatusConflict && s.rename(d, resource) {
			ex = s.Send(ctx, d)
		}
		if !OK(ex) {
			reason = fmt.Sprintf("%s answers %d, so that there is no %s", op.ID, Status(ex), resource)
			continue
		}
		if found := f.learn(op, ex); found[resource] != nil {
			return found[resource], nil
		}
		if values := f.byName(op, ex, resource); values != nil {
			return values, nil
		}
		if values := f.get(resource); values != nil && op.Method == http.MethodGet {
			return values, nil
		}
		reason = op.ID + " does not tell what names a " + resource
	}
	if maker := s.maker(resource); maker != nil && maker.Path == resource { // a PUT
		if t, _ := s.makeThing(ctx, resource, Own, nil); t != nil {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.add(resource, t.values)
			return t.values, nil
		}
	}
	return nil, fmt.Errorf("%w: %s", errNoFixture, reason)
}

// related tells whether two paths share their beginning, so that one may create
// what the other names.
func related(path, resource string) bool {
	a, b := strings.Split(path, "/"), strings.Split(resource, "/")
	if len(a) < 2 || len(b) < 2 {
		return false
	}
	stem := strings.TrimSuffix(strings.TrimSuffix(a[len(a)-1], "s"), "ie")
	for _, segment := range b {
		if stem != "" && strings.HasPrefix(segment, stem) {
			return true
		}
	}
	return false
}

// harvest learns from an answer to the run's own requests.
func (f *fixtures) harvest(op *openapi.Operation, ex *wire.Exchange) {
	if op == nil || !OK(ex) {
		return
	}
	if templates := prefixes(op.Path); op.Method == http.MethodDelete && len(templates) > 0 {
		f.forget(templates[len(templates)-1], f.parents(op, ex))
		return
	}
	f.learn(op, ex)
}

// note remembers what must be removed, and nothing else.
func (f *fixtures) note(op *openapi.Operation, ex *wire.Exchange) {
	if op == nil || Status(ex) != http.StatusCreated {
		return
	}
	if location := ex.Response.Get("Location"); location != "" {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.residue[location] = true
	}
}

// learn finds what an answer names, by template.
func (f *fixtures) learn(op *openapi.Operation, ex *wire.Exchange) map[string]map[string]any {
	found := map[string]map[string]any{}
	if op.Method == http.MethodDelete {
		return found
	}
	created := ex.Response.Status == http.StatusCreated
	if location := ex.Response.Get("Location"); location != "" && created {
		if resource, values := f.match(location, ex.Request.Target); resource != "" {
			found[resource] = values
		}
	}
	f.fromBody(op, ex, found)
	f.mu.Lock()
	defer f.mu.Unlock()
	for resource, values := range found {
		if created && f.creators[resource] == nil {
			f.creators[resource] = op
		}
		f.add(resource, values)
	}
	if location := ex.Response.Get("Location"); created && location != "" {
		f.residue[location] = true
	}
	return found
}

// add remembers a resource. The caller holds the lock.
func (f *fixtures) add(resource string, values map[string]any) {
	known := f.known[resource]
	if len(known) < mostKnown && !slices.ContainsFunc(known, func(k map[string]any) bool { return fmt.Sprint(k) == fmt.Sprint(values) }) {
		f.known[resource] = append(known, values)
	}
}

// forget drops a resource that is gone.
func (f *fixtures) forget(resource string, values map[string]any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known[resource] = slices.DeleteFunc(slices.Clone(f.known[resource]), func(k map[string]any) bool { return fmt.Sprint(k) == fmt.Sprint(values) })
}

// match finds the template that a URL of the server is an instance of.
func (f *fixtures) match(location, target string) (string, map[string]any) {
	u, err := url.Parse(location)
	if err != nil {
		return "", nil
	}
	if !strings.HasPrefix(u.Path, "/") { // relative (RFC 3986 5.2)
		base, err := url.Parse(target)
		if err != nil {
			return "", nil
		}
		u = base.ResolveReference(u)
	}
	segments := strings.Split(strings.TrimSuffix(u.EscapedPath(), "/"), "/")
	for _, op := range f.doc.Operations {
		template := op.Path
		parts := strings.Split(template, "/")[1:]
		if trailing.FindString(template) == "" || len(segments) < len(parts) {
			continue
		}
		tail := segments[len(segments)-len(parts):]
		values := map[string]any{}
		for i, part := range parts {
			value, err := url.PathUnescape(tail[i])
			switch {
			case strings.HasPrefix(part, "{") && strings.HasSuffix(part, "}") && err == nil && value != "":
				values[part[1:len(part)-1]] = value
			case part != tail[i]:
				values = nil
			}
			if values == nil {
				break
			}
		}
		if values != nil {
			return template, values
		}
	}
	return "", nil
}

// fromBody finds ids in what was created or listed.
func (f *fixtures) fromBody(op *openapi.Operation, ex *wire.Exchange, found map[string]map[string]any) {
	decoder := json.NewDecoder(bytes.NewReader(ex.Response.Body))
	decoder.UseNumber()
	var body any
	if decoder.Decode(&body) != nil {
		return
	}
	parents := f.parents(op, ex)
	for _, resource := range f.under(op.Path) {
		if found[resource] != nil {
			continue
		}
		name, key := parameter(resource), f.key(resource)
		if key == "" {
			key = "id"
		}
		for _, item := range items(body) {
			id, ok := item[key]
			if own, has := item[name]; has {
				id, ok = own, true
			}
			if !ok || !scalar(id) {
				continue
			}
			values := map[string]any{name: id}
			for k, v := range parents {
				values[k] = v
			}
			if found[resource] == nil {
				found[resource] = values
				continue
			}
			f.mu.Lock()
			f.add(resource, values)
			f.mu.Unlock()
		}
	}
}

func scalar(v any) bool {
	switch v := v.(type) {
	case string:
		return v != ""
	case json.Number:
		return true
	}
	return false
}

// under are the templates whose collection a path is.
func (f *fixtures) under(path string) []string {
	var all []string
	for _, op := range f.doc.Operations {
		for _, resource := range prefixes(op.Path) {
			base := collection(resource)
			if (base == path || base+"s" == path || base+"es" == path) && !slices.Contains(all, resource) {
				all = append(all, resource)
			}
		}
	}
	return all
}

// parents are the parameters in the path of a request that was sent.
func (f *fixtures) parents(op *openapi.Operation, ex *wire.Exchange) map[string]any {
	path, _, _ := strings.Cut(ex.Request.Target, "?")
	parts, segments := strings.Split(op.Path, "/")[1:], strings.Split(path, "/")
	values := map[string]any{}
	if len(segments) < len(parts) {
		return values
	}
	for i, segment := range segments[len(segments)-len(parts):] {
		if strings.HasPrefix(parts[i], "{") && strings.HasSuffix(parts[i], "}") {
			if value, err := url.PathUnescape(segment); err == nil {
				values[parts[i][1:len(parts[i])-1]] = value
			}
		}
	}
	return values
}

// items are the objects that a body consists of: itself, or those of its array.
func items(body any) []map[string]any {
	var all []map[string]any
	switch v := body.(type) {
	case map[string]any:
		all = append(all, v)
		for _, name := range []string{"items", "data", "results"} {
			if list, ok := v[name].([]any); ok {
				return items(list)
			}
		}
		for _, member := range v {
			if list, ok := member.([]any); ok && v["id"] == nil {
				all = append(all, items(list)...)
			}
		}
	case []any:
		for _, item := range v {
			if object, ok := item.(map[string]any); ok {
				all = append(all, object)
			}
		}
	}
	return all
}

// cleanUp removes what the run created, where the document has a way.
func (r *Runner) cleanUp(ctx context.Context) {
	s := &Session{Runner: r, probe: &Probe{Name: "clean up"}, Source: &generate.Source{Doc: r.Document, Seed: r.Seed, Unique: r.unique}}
	s.recorder.findings, s.recorder.complete = nil, r.complete
	f := r.fixtures
	f.mu.Lock()
	locations := make([]string, 0, len(f.residue))
	for location := range f.residue {
		locations = append(locations, location)
	}
	f.mu.Unlock()
	slices.Sort(locations)
	for _, location := range locations {
		resource, values := f.match(location, "/")
		op := r.deleter(resource)
		if op == nil || r.ReadOnly {
			continue
		}
		d := s.NewDraft(op)
		for name, value := range values {
			d.Path[name] = value
		}
		request, err := s.encode(d)
		if err != nil {
			continue
		}
		s.authorize(request, op, &sending{})
		if ex := r.client.Do(ctx, request); OK(ex) || Status(ex) == http.StatusNotFound || Status(ex) == http.StatusGone {
			f.mu.Lock()
			delete(f.residue, location)
			f.mu.Unlock()
		}
	}
}

// Residue is how many resources of each template the run has left behind.
func (r *Runner) Residue() map[string]int {
	f := r.fixtures
	f.mu.Lock()
	defer f.mu.Unlock()
	left := map[string]int{}
	for location := range f.residue {
		resource, _ := f.match(location, "/")
		if resource == "" {
			resource = "unknown"
		}
		left[resource]++
	}
	return left
}
