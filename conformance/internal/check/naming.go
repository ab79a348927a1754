package check

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// Resources whose name is not the id that an answer has. A document seldom says which
// property a path's parameter is, so that it is tried: what names a resource is what
// it can be read by. That is known of a URL, whatever its parameters are called, and
// nothing is held against a server for it.

// shape is a template without the names of its parameters.
func shape(template string) string {
	segments := strings.Split(template, "/")
	for i, s := range segments {
		if strings.HasPrefix(s, "{") && strings.HasSuffix(s, "}") {
			segments[i] = "{}"
		}
	}
	return strings.Join(segments, "/")
}

// renamed gives the values of one template's parameters to those of another of the
// same shape.
func renamed(values map[string]any, from, to string) map[string]any {
	old, others := strings.Split(from, "/"), strings.Split(to, "/")
	all := map[string]any{}
	for i, s := range others {
		if strings.HasPrefix(s, "{") && strings.HasSuffix(s, "}") && i < len(old) {
			if v, ok := values[strings.Trim(old[i], "{}")]; ok {
				all[strings.Trim(s, "{}")] = v
			}
		}
	}
	return all
}

// alike gives a resource that is known by another template of the same shape. The
// caller holds the lock.
func (f *fixtures) alike(resource string) map[string]any {
	for _, op := range f.doc.Operations {
		for _, other := range prefixes(op.Path) {
			if known := f.known[other]; other != resource && len(known) > 0 && shape(other) == shape(resource) {
				return renamed(known[0], other, resource)
			}
		}
	}
	return nil
}

// key is the property that names a resource, if that is not what it seems to be.
func (f *fixtures) key(resource string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.keys[shape(resource)]
}

// namings are properties that may name a resource whose parameter is called
// otherwise.
func namings(parameter string) []string {
	all := []string{parameter, "name", "username", "slug", "key", "code"}
	for _, suffix := range []string{"_id", "Id", "_name", "Name"} {
		if stem, ok := strings.CutSuffix(parameter, suffix); ok && stem != "" {
			all = append(all, stem)
		}
	}
	return all
}

// settle finds out, once for a kind of resource, which property names it, of those
// that were sent to create it or came back: the one that it can be read by. Where
// nothing can be read, or there is no choice, nothing is settled.
func (s *Session) settle(ctx context.Context, op *openapi.Operation, ex *wire.Exchange) {
	if op == nil || !OK(ex) || op.Method != http.MethodPost && op.Method != http.MethodGet || s.settling {
		return
	}
	for _, resource := range s.fixtures.under(op.Path) {
		read := s.readerLike(resource)
		if read == nil || !s.fixtures.toSettle(resource) {
			continue
		}
		item, chosen := s.named(op, ex, resource)
		if len(item) == 0 {
			continue
		}
		s.settling = true
		for _, property := range chosen {
			values := s.fixtures.parents(op, ex)
			values[parameter(resource)] = item[property]
			if s.reads(ctx, read, renamed(values, resource, read.Path)) {
				s.fixtures.settled(resource, property, values)
				break
			}
		}
		s.settling = false
	}
}

// readerLike is the operation that reads a resource, whatever its parameters are
// called.
func (r *Runner) readerLike(resource string) *openapi.Operation {
	i := slices.IndexFunc(r.Document.Operations, func(op *openapi.Operation) bool {
		return op.Method == http.MethodGet && trailing.MatchString(op.Path) && shape(op.Path) == shape(resource)
	})
	if i < 0 {
		return nil
	}
	return r.Document.Operations[i]
}

// named gives what a request created, or the first of what was listed, and which of
// its properties may name it: none if its id or the parameter itself leaves no doubt.
func (s *Session) named(op *openapi.Operation, ex *wire.Exchange, resource string) (map[string]any, []string) {
	item := map[string]any{}
	var all []map[string]any
	if body := bodyOf(ex); body != nil {
		all = items(body)
	}
	if len(all) > 0 {
		for name, v := range all[0] {
			item[name] = v
		}
	}
	if sent, ok := requestBody(ex).(map[string]any); ok && op.Method == http.MethodPost {
		for name, v := range sent {
			if _, came := item[name]; !came {
				item[name] = v
			}
		}
	}
	name := parameter(resource)
	if len(all) > 0 && (scalar(all[0][name]) || scalar(all[0]["id"]) && identifies(name)) {
		return nil, nil
	}
	var chosen []string
	for _, property := range append([]string{"id"}, namings(name)...) {
		if scalar(item[property]) && !slices.Contains(chosen, property) {
			chosen = append(chosen, property)
		}
	}
	return item, chosen
}

// identifies tells whether a parameter is called an id.
func identifies(parameter string) bool {
	return parameter == "id" || strings.HasSuffix(parameter, "_id") || strings.HasSuffix(parameter, "Id") || strings.HasSuffix(parameter, "ID")
}

// namedByClients tells whether a parameter of an operation's path is a name that
// clients choose: then any text may be one, that of another probe as well.
func (r *Runner) namedByClients(op *openapi.Operation, parameter string) bool {
	for _, template := range prefixes(op.Path) {
		if strings.HasSuffix(template, "{"+parameter+"}") {
			key := r.fixtures.key(template)
			return key != "" && key != "id"
		}
	}
	return false
}

// requestBody is the JSON that was sent; nil if there is none.
func requestBody(ex *wire.Exchange) any {
	decoder := json.NewDecoder(bytes.NewReader(ex.Request.Body))
	decoder.UseNumber()
	var body any
	if decoder.Decode(&body) != nil {
		return nil
	}
	return body
}

// reads tells whether something can be read.
func (s *Session) reads(ctx context.Context, read *openapi.Operation, values map[string]any) bool {
	d := s.NewDraft(read)
	for _, p := range read.Parameters {
		if p.In == "path" && values[p.Name] == nil {
			return false
		}
	}
	for name, value := range values {
		d.Path[name] = value
	}
	return OK(s.Send(ctx, d))
}

// toSettle tells whether it is still to be found out what names a resource, and takes
// it on: no more than a few times, for not all that is sent can be read.
func (f *fixtures) toSettle(resource string) bool {
	const most = 5
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.keys[shape(resource)] != "" || f.tries[shape(resource)] == most {
		return false
	}
	f.tries[shape(resource)]++
	return true
}

// settled notes what names a resource, and forgets what was thought to.
func (f *fixtures) settled(resource, property string, values map[string]any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.keys[shape(resource)] = property
	for other := range f.known {
		if shape(other) == shape(resource) && property != "id" {
			f.known[other] = nil
		}
	}
	if !slices.ContainsFunc(f.known[resource], func(k map[string]any) bool { return fmt.Sprint(k) == fmt.Sprint(values) }) {
		f.known[resource] = append([]map[string]any{values}, f.known[resource]...)
	}
}

// byName gives a resource that was created by a name that the client chose, of which
// the answer says nothing; nil if that is not how it is named.
func (f *fixtures) byName(op *openapi.Operation, ex *wire.Exchange, resource string) map[string]any {
	key := f.key(resource)
	sent, _ := requestBody(ex).(map[string]any)
	if key == "" || !slices.Contains(f.under(op.Path), resource) || !scalar(sent[key]) {
		return nil
	}
	values := f.parents(op, ex)
	values[parameter(resource)] = sent[key]
	f.mu.Lock()
	defer f.mu.Unlock()
	f.add(resource, values)
	return values
}

// rename gives what is to be created another name, in what may be its name, if that
// may be any text. It tells whether there is such a property.
func (s *Session) rename(d *generate.Draft, resource string) bool {
	body, _ := d.Body.(map[string]any)
	for _, property := range append([]string{s.fixtures.key(resource)}, namings(parameter(resource))...) {
		old, ok := body[property].(string)
		if !ok {
			continue
		}
		body[property] = s.unique()
		if s.keeps(bodySchema(d.Op), d.Body, openapi.Request) {
			return true
		}
		body[property] = old
	}
	return false
}
