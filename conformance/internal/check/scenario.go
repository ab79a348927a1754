package check

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/schema"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// Scenarios are about what a resource is after something was done. Each creates
// its own, so that scenarios may run at the same time, and looks at it through
// whatever the document offers: the operation that reads it, or the list that has
// it.

// thing is a resource that a session has created.
type thing struct {
	resource string         // template of its path
	values   map[string]any // parameters of that path
	owner    Identity
	request  *generate.Draft // what created it
	made     *wire.Exchange
}

// id is what names a thing among others of its kind, as text.
func (t *thing) id() string { return fmt.Sprint(t.values[parameter(t.resource)]) }

// jsonOf decodes JSON, with numbers as they are written; nil if it is none.
func jsonOf(raw []byte) any {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var v any
	if decoder.Decode(&v) != nil {
		return nil
	}
	return v
}

// bodyOf is the JSON of an answer; nil if there is none.
func bodyOf(ex *wire.Exchange) any {
	if ex == nil || ex.Response == nil {
		return nil
	}
	return jsonOf(ex.Response.Body)
}

// objectOf is the JSON object of an answer; nil if it is none.
func objectOf(ex *wire.Exchange) map[string]any {
	object, _ := bodyOf(ex).(map[string]any)
	return object
}

// copyJSON copies a value deeply.
func copyJSON(v any) any {
	switch v := v.(type) {
	case map[string]any:
		object := make(map[string]any, len(v))
		for name, member := range v {
			object[name] = copyJSON(member)
		}
		return object
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = copyJSON(item)
		}
		return list
	}
	return v
}

// isJSON tells whether a media type is of JSON.
func isJSON(mediaType string) bool {
	base, _, _ := strings.Cut(strings.ToLower(mediaType), ";")
	base = strings.TrimSpace(base)
	return base == "application/json" || base == "text/json" || strings.HasSuffix(base, "+json") || base == "*/*" || base == "application/*"
}

// schemaIn is the schema of the JSON among some media types; nil if there is none.
func schemaIn(content []*openapi.MediaType) *openapi.Schema {
	for _, m := range content {
		if isJSON(m.Type) && m.Schema != nil {
			return m.Schema
		}
	}
	return nil
}

// bodySchema is the schema of what an operation takes as JSON.
func bodySchema(op *openapi.Operation) *openapi.Schema {
	if op == nil || op.Body == nil {
		return nil
	}
	if m := jsonContent(op); m != nil {
		return m.Schema
	}
	return nil
}

// jsonContent is the body of JSON that an operation takes: a merge patch (RFC
// 7396) rather than another, for what that does is known.
func jsonContent(op *openapi.Operation) *openapi.MediaType {
	var first *openapi.MediaType
	for _, m := range op.Body.Content {
		switch {
		case !isJSON(m.Type) || m.Schema == nil:
		case strings.HasPrefix(m.Type, "application/merge-patch+json"):
			return m
		case first == nil:
			first = m
		}
	}
	return first
}

// answerSchema is the schema of what an operation answers with a status as JSON;
// with 0, with its first success that has one.
func answerSchema(op *openapi.Operation, status int) *openapi.Schema {
	if op == nil {
		return nil
	}
	if status != 0 {
		if response := declared(op, status); response != nil {
			return schemaIn(response.Content)
		}
		return nil
	}
	for _, key := range []string{"200", "201", "2XX", "203", "202"} {
		if response := op.Responses[key]; response != nil {
			if s := schemaIn(response.Content); s != nil {
				return s
			}
		}
	}
	return nil
}

// success is the pointer of the success that an operation declares.
func success(op *openapi.Operation) string {
	for _, key := range []string{"200", "201", "204", "2XX", "202", "203"} {
		if op.Responses[key] != nil {
			return op.StatusPointer(key)
		}
	}
	return openapi.Join(op.Pointer, "responses")
}

// headerOf finds a header parameter of an operation; nil if it has none.
func headerOf(op *openapi.Operation, name string) *openapi.Parameter {
	for _, p := range op.Parameters {
		if p.In == "header" && strings.EqualFold(p.Name, name) {
			return p
		}
	}
	return nil
}

// setHeader puts a header into a draft, in place of one that is there.
func setHeader(d *generate.Draft, name, value string) {
	dropHeader(d, name)
	if p := headerOf(d.Op, name); p != nil {
		d.Header[p.Name] = value
		return
	}
	d.ExtraHeader = append(d.ExtraHeader, wire.Field{Name: name, Value: value})
}

func dropHeader(d *generate.Draft, name string) {
	for given := range d.Header {
		if strings.EqualFold(given, name) {
			delete(d.Header, given)
		}
	}
	d.ExtraHeader = slices.DeleteFunc(d.ExtraHeader, func(f wire.Field) bool { return strings.EqualFold(f.Name, name) })
}

// plain is a request with all of a body, and of parameters only those that are
// required: conditions, filters and keys are what a scenario is about, and must not
// be there by chance.
func (s *Session) plain(op *openapi.Operation, values map[string]any) *generate.Draft {
	d := s.NewDraft(op)
	least := s.Source.Draft(op, generate.Minimal)
	d.Query, d.Header, d.Cookie = least.Query, least.Header, least.Cookie
	if m := mergePatch(op); m != nil {
		s.Source.SetBody(d, m, generate.Full)
	}
	for name, value := range values {
		if pathHas(op, name) {
			d.Path[name] = value
		}
	}
	s.prove(d)
	return d
}

// prove puts the password of who was logged in into a request that changes one of
// their things and requires it.
func (s *Session) prove(d *generate.Draft) {
	p := s.fixtures.persona
	p.mu.Lock()
	defer p.mu.Unlock()
	password := p.values["password"]
	body, ok := d.Body.(map[string]any)
	if !ok || password == nil || Public(d.Op) || !slices.Contains(required(d.Op), "password") {
		return
	}
	for _, resource := range s.resources() {
		if s.creator(resource) == d.Op || s.replacer(resource) == d.Op || s.patcher(resource) == d.Op || s.remover(resource) == d.Op {
			body["password"] = password
		}
	}
}

// remover is the operation that removes a resource where none is a DELETE: a POST
// below it that is called so.
func (r *Runner) remover(resource string) *openapi.Operation {
	for _, name := range []string{"/remove", "/delete"} {
		if op := r.at(http.MethodPost, resource+name); op != nil {
			return op
		}
	}
	return nil
}

// makeRoom removes all of a list: there may be as many things as there can be.
func (s *Session) makeRoom(ctx context.Context, resource string, above map[string]any) {
	p, remove := s.paging(s.lister(resource)), s.remover(resource)
	if p == nil || remove == nil {
		return
	}
	found := p.read(s.Send(ctx, s.listRequest(p, above)))
	if found == nil {
		return
	}
	for _, item := range found.items {
		d := s.plain(remove, above)
		d.Path[parameter(resource)] = itemID(item, resource)
		s.Send(ctx, d)
		s.fixtures.forget(resource, map[string]any{parameter(resource): item["id"]})
	}
}

// mergePatch is the body of a merge patch that an operation takes; nil if it takes
// none.
func mergePatch(op *openapi.Operation) *openapi.MediaType {
	if op.Body == nil {
		return nil
	}
	if m := jsonContent(op); m != nil && strings.HasPrefix(m.Type, "application/merge-patch+json") {
		return m
	}
	return nil
}

func pathHas(op *openapi.Operation, name string) bool {
	return strings.Contains(op.Path, "{"+name+"}")
}

// maker is the operation that creates a resource; nil if the document does not
// show one.
func (r *Runner) maker(resource string) *openapi.Operation {
	r.fixtures.mu.Lock()
	seen := r.fixtures.creators[resource]
	r.fixtures.mu.Unlock()
	if seen != nil {
		return seen
	}
	if op := r.creator(resource); op != nil && (names(op, http.StatusCreated) || answerSchema(op, 0) != nil) {
		return op
	}
	if op := r.linked(resource); op != nil {
		return op
	}
	if put := r.replacer(resource); put != nil && names(put, http.StatusCreated) {
		return put
	}
	read := answerSchema(r.reader(resource), 0)
	for _, op := range r.Document.Operations {
		made := answerSchema(op, http.StatusCreated)
		if op.Method == http.MethodPost && names(op, http.StatusCreated) && made != nil && read != nil &&
			made.Pointer == read.Pointer && len(prefixes(op.Path)) == len(prefixes(resource))-1 {
			return op
		}
	}
	return nil
}

// linked is an operation whose success links to the operation that reads the
// resource, with something of its answer.
func (r *Runner) linked(resource string) *openapi.Operation {
	read := r.reader(resource)
	if read == nil {
		return nil
	}
	for _, op := range r.Document.Operations {
		if op.Method != http.MethodPost || op.Responses["201"] == nil {
			continue
		}
		for _, link := range op.Responses["201"].Links {
			expression, _ := link.Parameters[parameter(resource)].(string)
			if link.OperationID == read.ID && strings.HasPrefix(expression, "$response.") {
				return op
			}
		}
	}
	return nil
}

// kinds are the resources that can be created and looked at.
func (r *Runner) kinds() []string {
	return slices.DeleteFunc(r.resources(), func(resource string) bool {
		return r.maker(resource) == nil || r.reader(resource) == nil && r.lister(resource) == nil
	})
}

// sharing tells whether things of a kind are not those of one probe alone: a
// creation may give what there is already, if it declares 200 besides 201 or 202;
// or what others have created may have to make room.
func (r *Runner) sharing(resource string) bool {
	op := r.maker(resource)
	return r.deleter(resource) == nil && r.remover(resource) != nil || op.Method == http.MethodPost && names(op, http.StatusOK) && (names(op, http.StatusCreated) || names(op, http.StatusAccepted))
}

// parent is the resource that another one is of; empty if it is of none.
func parent(resource string) string {
	all := prefixes(collection(resource))
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}

// make creates a thing, with a change to the request. It gives what came of it
// instead if there is none.
func (s *Session) makeThing(ctx context.Context, resource string, who Identity, change func(*generate.Draft)) (*thing, *wire.Exchange) {
	above := map[string]any{}
	if p := parent(resource); p != "" {
		if s.maker(p) == nil {
			values, err := s.fixtures.resolve(ctx, s, s.maker(resource), false)
			if err != nil || who != Own {
				s.Skip("there is no " + p + " for a " + resource)
			}
			above = values
		} else {
			above = s.mustMake(ctx, p, who).values
		}
	}
	return s.makeUnder(ctx, resource, above, who, change)
}

// makeUnder creates a thing of a parent that is there.
func (s *Session) makeUnder(ctx context.Context, resource string, above map[string]any, who Identity, change func(*generate.Draft)) (*thing, *wire.Exchange) {
	op := s.maker(resource)
	if op == nil {
		s.Skip("no operation creates " + resource)
	}
	s.ensure(ctx, op)
	d := s.plain(op, above)
	if op.Path == resource {
		d.Path[parameter(resource)] = s.fresh(op, parameter(resource))
	}
	if change != nil {
		change(d)
	}
	ex := s.Send(ctx, d, As(who))
	if Status(ex) == http.StatusConflict && who == Own && s.remover(resource) != nil {
		s.makeRoom(ctx, resource, above)
		ex = s.Send(ctx, d)
	}
	return s.thingOf(resource, who, d, ex), ex
}

// thingOf is what an exchange has created; nil if that cannot be told.
func (s *Session) thingOf(resource string, who Identity, d *generate.Draft, ex *wire.Exchange) *thing {
	if !OK(ex) {
		return nil
	}
	t := &thing{resource: resource, owner: who, request: d, made: ex, values: map[string]any{}}
	for name, value := range d.Path {
		t.values[name] = value
	}
	if d.Op.Path == resource {
		return t
	}
	found := s.fixtures.learn(d.Op, ex)[resource]
	if found == nil {
		found = s.follow(resource, ex)
	}
	if found == nil {
		return nil
	}
	for name, value := range found {
		t.values[name] = value
	}
	s.fixtures.forget(resource, found) // nobody else is to rely on it
	return t
}

// follow finds what names a resource by the links of what created it.
func (s *Session) follow(resource string, ex *wire.Exchange) map[string]any {
	op, read := s.maker(resource), s.reader(resource)
	response := declared(op, Status(ex))
	if read == nil || response == nil {
		return nil
	}
	for _, link := range response.Links {
		if link.OperationID != read.ID {
			continue
		}
		if values := s.linkValues(op, link, ex); values[parameter(resource)] != nil {
			return values
		}
	}
	return nil
}

// linkValues evaluates the parameters of a link (OpenAPI 3.0.3, 4.7.20.4).
func (s *Session) linkValues(op *openapi.Operation, link *openapi.Link, ex *wire.Exchange) map[string]any {
	values := map[string]any{}
	for name, parameter := range link.Parameters {
		expression, ok := parameter.(string)
		name = strings.TrimPrefix(name, "path.")
		switch {
		case !ok || !strings.HasPrefix(expression, "$"):
			values[name] = parameter
		case strings.HasPrefix(expression, "$response.body#"):
			if v, has := pick(bodyOf(ex), strings.TrimPrefix(expression, "$response.body#")); has {
				values[name] = v
			}
		case strings.HasPrefix(expression, "$request.body#"):
			if v, has := pick(jsonOf(ex.Request.Body), strings.TrimPrefix(expression, "$request.body#")); has {
				values[name] = v
			}
		case strings.HasPrefix(expression, "$response.header."):
			if v := ex.Response.Get(strings.TrimPrefix(expression, "$response.header.")); v != "" {
				values[name] = v
			}
		case strings.HasPrefix(expression, "$request.path."):
			if v, has := s.fixtures.parents(op, ex)[strings.TrimPrefix(expression, "$request.path.")]; has {
				values[name] = v
			}
		}
	}
	return values
}

// pick is the value at a pointer (RFC 6901).
func pick(v any, pointer string) (any, bool) {
	for _, token := range openapi.Split(pointer) {
		switch container := v.(type) {
		case map[string]any:
			member, has := container[token]
			if !has {
				return nil, false
			}
			v = member
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(container) {
				return nil, false
			}
			v = container[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// mustMake creates a thing, or skips the probe.
func (s *Session) mustMake(ctx context.Context, resource string, who Identity) *thing {
	t, ex := s.makeThing(ctx, resource, who, nil)
	if t == nil {
		s.Skip(fmt.Sprintf("%s answers %d, so that there is no %s", s.maker(resource).ID, Status(ex), resource))
	}
	return t
}

// fresh is a value for a parameter of a path that names nothing yet.
func (s *Session) fresh(op *openapi.Operation, name string) any {
	var schema *openapi.Schema
	for _, p := range op.Parameters {
		if p.In == "path" && p.Name == name {
			schema = p.Schema
		}
	}
	u := s.unique()
	digits := json.Number("19" + fmt.Sprintf("%08d", time.Now().UnixNano()/1000%1e8)) // fits into 32 bits
	candidates := []any{"c" + u, u, "C" + u, digits, string(digits)}
	if schema == nil {
		return candidates[0]
	}
	for n := len(u); n > 3; n-- { // the end of it is what differs
		candidates = append(candidates, "c"+u[len(u)-n:], strings.ToUpper(u[len(u)-n:]))
	}
	for _, v := range candidates {
		if _, isText := v.(string); isText && schema.Format == "uuid" {
			continue
		}
		if s.keeps(schema, v, openapi.Request) {
			return v
		}
	}
	return s.Source.Valid(schema, openapi.Request, generate.Full)
}

// together sends requests at the same moment, and judges each answer.
func (s *Session) together(ctx context.Context, drafts []*generate.Draft) []*wire.Exchange {
	requests := make([]*wire.Request, 0, len(drafts))
	for _, d := range drafts {
		request, err := s.encode(d)
		if err != nil {
			s.Skip("a request cannot be written: " + err.Error())
		}
		s.authorize(request, d.Op, &sending{})
		requests = append(requests, request)
	}
	exchanges := s.client.Together(ctx, requests...)
	var judged sync.WaitGroup
	for i, ex := range exchanges {
		judged.Go(func() { s.took(ctx, drafts[i].Op, ex) })
	}
	judged.Wait()
	return exchanges
}

// took judges what came of a request that was not sent by SendRaw.
func (s *Session) took(ctx context.Context, op *openapi.Operation, ex *wire.Exchange) {
	s.recorder.add(ex)
	s.count(op, ex)
	if ctx.Err() != nil {
		return
	}
	for _, f := range s.judge(op, ex) {
		f.Steps = append(f.Steps, *ex)
		s.recorder.found(f)
	}
}

// keeps tells whether a value is valid under a schema.
func (r *Runner) keeps(s *openapi.Schema, value any, dir openapi.Direction) bool {
	return s == nil || schema.Valid(r.schemas.ValidateValue(s, dir, value))
}

// numberOf is a number of a schema; nil if it has none.
func numberOf(text string) any {
	if text == "" {
		return nil
	}
	return json.Number(text)
}

// wait waits, if there is time; it tells whether there was.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// patience is how often and how far apart something is looked at again that a
// server may need a moment for.
var patience = []time.Duration{20 * time.Millisecond, 80 * time.Millisecond, 300 * time.Millisecond, time.Second}
