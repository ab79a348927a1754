package check

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// state is how a thing is seen at some time.
type state struct {
	body   map[string]any
	schema *openapi.Schema
	op     *openapi.Operation // that showed it
	ex     *wire.Exchange
	gone   bool // it is not there: 404, 410, or not in the list
}

// seen tells whether the thing was seen.
func (st *state) seen() bool { return st.body != nil }

// etag is the entity tag that came with it; empty: none.
func (st *state) etag() string {
	if st.ex == nil || st.ex.Response == nil || !st.seen() {
		return ""
	}
	return st.ex.Response.Get("ETag")
}

// look looks at a thing: by the operation that reads it, or in the list of its
// kind. A state that is neither seen nor gone could not be told.
func (s *Session) look(ctx context.Context, t *thing, who Identity) *state {
	if op := s.reader(t.resource); op != nil {
		s.ensure(ctx, op)
		ex := s.Send(ctx, s.plain(op, t.values), As(who))
		st := &state{op: op, ex: ex, schema: answerSchema(op, Status(ex))}
		switch status := Status(ex); {
		case status == http.StatusNotFound, status == http.StatusGone:
			st.gone = true
		case OK(ex):
			st.body = objectOf(ex)
		}
		return st
	}
	return s.lookInList(ctx, t, who)
}

// lookInList looks for a thing in the list of its kind.
func (s *Session) lookInList(ctx context.Context, t *thing, who Identity) *state {
	p := s.paging(s.lister(t.resource))
	if p == nil {
		return &state{}
	}
	s.ensure(ctx, p.op)
	l := s.walk(ctx, p, s.listRequest(p, t.values), p.most(), nil, As(who))
	st := &state{op: p.op, ex: l.last, schema: p.item}
	for _, found := range l.pages {
		for _, item := range found.items {
			if itemID(item, t.resource) == t.id() {
				st.body, st.ex = item, found.ex
				return st
			}
		}
	}
	st.gone = l.broken == "" && (!l.limited() || l.complete())
	return st
}

// most is the greatest limit that a list may be asked for; 0: none is asked for.
func (p *paging) most() int {
	parameter := p.parameter(p.limit)
	if p.limit == "" || parameter == nil || parameter.Schema == nil || parameter.Schema.Maximum == "" {
		return 0
	}
	return min(atoi(parameter.Schema.Maximum), 100)
}

func atoi(text string) int {
	n := 0
	if _, err := fmt.Sscan(text, &n); err != nil {
		return 0
	}
	return n
}

// limited tells whether a list may hold back what is on other pages.
func (l *listing) limited() bool { return l.limit != "" || l.offset != "" || l.number != "" }

// complete tells whether all pages were seen.
func (l *listing) complete() bool {
	return l.hasNext || l.pages[len(l.pages)-1].next != "" || l.paging.pages()
}

// eventually looks at a thing until it is as it should be, or patience ends: what
// is created may need a moment to be seen. It gives the last state.
func (s *Session) eventually(ctx context.Context, t *thing, good func(*state) bool) *state {
	st := s.look(ctx, t, Own)
	for _, moment := range patience {
		if good(st) || !wait(ctx, moment) {
			break
		}
		st = s.look(ctx, t, Own)
	}
	return st
}

// write changes a thing, with the version that it has now as a precondition where
// the operation takes one. A nil body is what the generator makes.
func (s *Session) write(ctx context.Context, op *openapi.Operation, t *thing, body any) *wire.Exchange {
	d := s.plain(op, t.values)
	if body != nil {
		d.Body = body
	}
	s.condition(ctx, d, t)
	return s.Send(ctx, d, As(t.owner))
}

// condition demands that a thing is as it is now, where the operation takes that.
func (s *Session) condition(ctx context.Context, d *generate.Draft, t *thing) {
	if !conditional(d.Op) {
		return
	}
	if tag := s.look(ctx, t, t.owner).etag(); tag != "" {
		setHeader(d, "If-Match", tag)
	}
}

// conditional tells whether an operation takes If-Match.
func conditional(op *openapi.Operation) bool {
	return headerOf(op, "If-Match") != nil || names(op, http.StatusPreconditionFailed) || names(op, http.StatusPreconditionRequired)
}

// fullBody is what the generator makes for a change of a thing, with new values
// where no two things may have the same.
func (s *Session) fullBody(op *openapi.Operation, t *thing) map[string]any {
	d := s.plain(op, t.values)
	body, ok := copyJSON(d.Body).(map[string]any)
	if !ok || !isJSON(d.ContentType) {
		return nil
	}
	for _, pointer := range s.uniques(t.resource) {
		tokens := openapi.Split(pointer)
		if len(tokens) != 1 {
			continue
		}
		if _, has := body[tokens[0]]; !has {
			continue
		}
		if v := s.distinct(s.propertyOf(bodySchema(op), body, tokens[0], openapi.Request)); v != nil {
			body[tokens[0]] = v
		}
	}
	return body
}

// richBody is such a body with every property that it may have.
func (s *Session) richBody(op *openapi.Operation, t *thing) map[string]any {
	d := s.plain(op, t.values)
	body := s.fullBody(op, t)
	if body == nil {
		return nil
	}
	d.Body = body
	s.enrich(d)
	rich, ok := d.Body.(map[string]any)
	if !ok {
		return body
	}
	return rich
}

// uniques are the pointers into what creates a resource that no two of them share,
// by [openapi.ExtUnique].
func (r *Runner) uniques(resource string) []string {
	var all []string
	if op := r.maker(resource); op != nil {
		list, _ := op.Extensions[openapi.ExtUnique].([]any)
		for _, v := range list {
			if pointer, ok := v.(string); ok {
				all = append(all, pointer)
			}
		}
	}
	return all
}

// distinct is a value that nobody else has, and that tells where it is from; nil
// if the schema allows none.
func (s *Session) distinct(schema *openapi.Schema) any {
	if schema == nil || len(schema.Enum) > 0 || schema.Const != nil || !schema.Allows("string") || len(schema.Types) == 0 {
		return nil
	}
	u := s.unique()
	candidates := []string{"cnf" + u, "cnf-" + u + "@example.com", "Cnf" + u[len(u)-6:]}
	switch schema.Format {
	case "":
	case "email", "idn-email":
		candidates = candidates[1:2]
	default:
		return nil
	}
	for _, v := range candidates {
		if s.keeps(schema, v, openapi.Request) {
			return v
		}
	}
	return nil
}

// brand puts a distinct value into every text of a body that may be any text, and
// gives these values.
func (s *Session) brand(schema *openapi.Schema, body any) []string {
	object, ok := body.(map[string]any)
	if !ok || schema == nil {
		return nil
	}
	var marks []string
	for _, name := range membersOf(object) {
		property := s.propertyOf(schema, object, name, openapi.Request)
		if property == nil || property.ReadOnly {
			continue
		}
		switch object[name].(type) {
		case map[string]any:
			marks = append(marks, s.brand(property, object[name])...)
		case string:
			free := property.Pattern == "" || strings.Contains(property.Pattern, "[^")
			if !free || property.MaxLength != nil && *property.MaxLength < 24 || secretive.MatchString(name) {
				continue
			}
			if v, ok := s.distinct(property).(string); ok {
				object[name] = v
				marks = append(marks, v)
			}
		}
	}
	return marks
}

// branded creates a thing whose texts are found again wherever they turn up. It
// gives them, too. A server that has its own idea of such texts gets those of the
// document.
func (s *Session) branded(ctx context.Context, resource string) (*thing, []string) {
	var marks []string
	op := s.maker(resource)
	t, _ := s.makeThing(ctx, resource, Own, func(d *generate.Draft) {
		marks = s.brand(bodySchema(op), d.Body)
	})
	if t != nil {
		return t, marks
	}
	t = s.mustMake(ctx, resource, Own)
	return t, s.ownTexts(t.request.Body)
}

// ownTexts are the texts of a body that only this run can have made.
func (s *Session) ownTexts(v any) []string {
	var all []string
	switch v := v.(type) {
	case map[string]any:
		for _, name := range membersOf(v) {
			if !secretive.MatchString(name) {
				all = append(all, s.ownTexts(v[name])...)
			}
		}
	case []any:
		for _, item := range v {
			all = append(all, s.ownTexts(item)...)
		}
	case string:
		if strings.Contains(v, s.run) {
			all = append(all, v)
		}
	}
	return all
}

// remove deletes a thing; nil if no operation does.
func (s *Session) remove(ctx context.Context, t *thing) *wire.Exchange {
	op := s.deleter(t.resource)
	if op == nil {
		return nil
	}
	d := s.plain(op, t.values)
	s.condition(ctx, d, t)
	ex := s.Send(ctx, d, As(t.owner))
	if OK(ex) {
		s.fixtures.forget(t.resource, t.values)
	}
	return ex
}

// found reports what was found, with the exchanges that show it.
func (s *Session) found(f finding.Finding, op *openapi.Operation, steps ...*wire.Exchange) {
	f.Operation = op.ID
	for _, ex := range steps {
		if ex != nil && ex.Request != nil {
			f.Steps = append(f.Steps, *ex)
		}
	}
	s.Report(f, 1)
}

// writers are the operations that change a resource.
func (r *Runner) writers(resource string) []*openapi.Operation {
	return slices.DeleteFunc([]*openapi.Operation{r.replacer(resource), r.patcher(resource)}, func(op *openapi.Operation) bool {
		return op == nil || bodySchema(op) == nil
	})
}

// field names a place of a body for people: /a/b of what was sent.
func field(at string) string {
	if at == "" {
		return "the body"
	}
	return at
}

// show writes a value for people, not too long.
func show(v any) string {
	text, err := generate.MarshalJSON(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if runes := []rune(string(text)); len(runes) > 120 {
		return string(runes[:117]) + "..."
	}
	return string(text)
}
