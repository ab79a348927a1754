package check

import (
	"context"
	"encoding/json"
	"fmt"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// aDefault is a place of a body for which the document has a default.
type aDefault struct {
	at     string
	schema *openapi.Schema
}

// defaults are the places of a body that have one, where their parents are.
func (s *Session) defaults(schema *openapi.Schema, v any, at string) []aDefault {
	object, ok := v.(map[string]any)
	if !ok || schema == nil {
		return nil
	}
	var all []aDefault
	seen := map[string]bool{}
	add := func(p *openapi.Property) {
		if seen[p.Name] || p.Schema.ReadOnly {
			return
		}
		seen[p.Name] = true
		place := openapi.Join(at, p.Name)
		if p.Schema.Default != nil && s.keeps(p.Schema, *p.Schema.Default, openapi.Request) {
			all = append(all, aDefault{place, p.Schema})
		}
		all = append(all, s.defaults(p.Schema, object[p.Name], place)...)
	}
	for _, p := range propertiesOf(schema, 0) {
		add(p)
	}
	for _, union := range [][]*openapi.Schema{schema.OneOf, schema.AnyOf} {
		for _, alternative := range union {
			if !s.keeps(alternative, object, openapi.Request) {
				continue
			}
			for _, p := range propertiesOf(alternative, 0) {
				add(p)
			}
		}
	}
	return all
}

// with sets or deletes what a pointer names. Its parents must be there.
func with(v any, pointer string, value any, there bool) {
	tokens := openapi.Split(pointer)
	for _, token := range tokens[:len(tokens)-1] {
		object, ok := v.(map[string]any)
		if !ok {
			return
		}
		v = object[token]
	}
	object, ok := v.(map[string]any)
	if !ok {
		return
	}
	if last := tokens[len(tokens)-1]; there {
		object[last] = value
	} else {
		delete(object, last)
	}
}

// defaultsOfCreation: what is left out is created with its default (E15).
func (s *Session) defaultsOfCreation(ctx context.Context, resource string) {
	op := s.maker(resource)
	some := false
	done := map[string]bool{}
	for _, change := range s.variations(op) {
		d := s.plain(op, nil)
		change(d)
		var places []aDefault
		for _, place := range s.defaults(bodySchema(op), d.Body, "") {
			if !done[place.at] {
				places = append(places, place)
			}
		}
		if len(places) == 0 {
			continue
		}
		some = true
		made := func(there bool) *thing {
			t, _ := s.makeThing(ctx, resource, Own, func(d *generate.Draft) {
				change(d)
				for _, place := range places {
					with(d.Body, place.at, *place.schema.Default, there)
				}
			})
			return t
		}
		omitted, given := made(false), made(true)
		if omitted == nil || given == nil {
			continue
		}
		left := s.eventually(ctx, omitted, (*state).seen)
		said := s.eventually(ctx, given, (*state).seen)
		s.judgeDefaults(op, places, left, said, omitted.made)
		for _, place := range places {
			done[place.at] = true
		}
	}
	if !some {
		s.Skip(op.ID + " has no defaults")
	}
}

// judgeDefaults compares what came of leaving values out with what came of their
// defaults.
func (s *Session) judgeDefaults(op *openapi.Operation, places []aDefault, left, said *state, ex *wire.Exchange) {
	if !left.seen() || !said.seen() {
		return
	}
	for _, place := range places {
		a, has := pick(left.body, place.at)
		b, also := pick(said.body, place.at)
		if !has || !also || a == nil {
			continue
		}
		clause := openapi.Join(place.schema.Pointer, "default")
		s.Coverage.Mark(clause, Judged|SentValid)
		if same(a, b) || empty(a) && empty(b) {
			continue
		}
		s.found(finding.Finding{
			Class: "E15", Severity: finding.Must, Pointer: clause,
			Claim: fmt.Sprintf("%s does not treat %s as its default when it is left out.", op.ID, place.at),
			Sent:  "a request without " + place.at, Expected: show(b) + ", as when the default is sent", Got: show(a),
		}, op, ex, left.ex)
	}
}

// defaultsOfUpdate: what a PUT leaves out has its default (E15).
func (s *Session) defaultsOfUpdate(ctx context.Context, op *openapi.Operation, t *thing) {
	schema := bodySchema(op)
	full := s.fullBody(op, t)
	places := s.defaults(schema, full, "")
	if len(places) == 0 {
		s.Skip(op.ID + " has no defaults")
	}
	start := s.look(ctx, t, Own)
	defer func() { s.restore(ctx, op, t, start.body) }()
	body := func(there bool) map[string]any {
		changed := copyJSON(full).(map[string]any)
		for _, place := range places {
			with(changed, place.at, *place.schema.Default, there)
		}
		return changed
	}
	if !OK(s.write(ctx, op, t, body(true))) {
		s.Skip(op.ID + " refuses the defaults")
	}
	said := s.look(ctx, t, Own)
	s.write(ctx, op, t, s.away(schema, body(true)))
	ex := s.write(ctx, op, t, body(false))
	if !OK(ex) {
		return
	}
	s.judgeDefaults(op, places, s.look(ctx, t, Own), said, ex)
}

// readOnlyOfCreation: what is read-only cannot be set by who creates (E14).
func (s *Session) readOnlyOfCreation(ctx context.Context, resource string) {
	op := s.maker(resource)
	s.readOnly(ctx, op, func(name string, value any) (*state, *wire.Exchange) {
		t, ex := s.makeThing(ctx, resource, Own, func(d *generate.Draft) {
			if body, ok := d.Body.(map[string]any); ok {
				body[name] = value
			}
		})
		if t == nil {
			return nil, ex
		}
		return s.eventually(ctx, t, (*state).seen), ex
	})
}

// readOnlyOfUpdate: nor by who changes (E14).
func (s *Session) readOnlyOfUpdate(ctx context.Context, op *openapi.Operation, t *thing) {
	s.readOnly(ctx, op, func(name string, value any) (*state, *wire.Exchange) {
		body := s.fullBody(op, t)
		if body == nil {
			s.Skip(op.ID + " takes no JSON object")
		}
		body[name] = value
		ex := s.write(ctx, op, t, body)
		if !OK(ex) {
			return nil, ex
		}
		return s.look(ctx, t, Own), ex
	})
}

// readOnly sends two values for each read-only property. If both are read
// afterwards, the client has set them.
func (s *Session) readOnly(ctx context.Context, op *openapi.Operation, send func(name string, value any) (*state, *wire.Exchange)) {
	some := false
	for _, p := range propertiesOf(bodySchema(op), 0) {
		if !p.Schema.ReadOnly || ctx.Err() != nil {
			continue
		}
		some = true
		clause := openapi.Join(p.Schema.Pointer, "readOnly")
		taken := 0
		var last *state
		var shown *wire.Exchange
		var value any
		for _, v := range s.inventions(p.Schema) {
			st, ex := send(p.Name, v)
			if st == nil || !st.seen() {
				break
			}
			if got, has := st.body[p.Name]; !has || !same(got, v) && !sameInstant(fmt.Sprint(got), fmt.Sprint(v)) {
				break
			}
			taken++
			last, shown, value = st, ex, v
		}
		s.Coverage.Mark(clause, Judged|SentInvalid)
		if taken < 2 {
			continue
		}
		s.found(finding.Finding{
			Class: "E14", Severity: finding.Must, Pointer: clause,
			Claim: fmt.Sprintf("%s stores what the client sends for %s, which is read-only.", op.ID, p.Name),
			Sent:  p.Name + ": " + show(value), Expected: "a refusal, or a value of the server's own", Got: show(last.body[p.Name]),
		}, op, shown, last.ex)
	}
	if !some {
		s.Skip(op.ID + " has no read-only properties")
	}
}

// inventions are two different valid values that a server would not choose.
func (s *Session) inventions(schema *openapi.Schema) []any {
	var all []any
	candidates := []any{
		"2001-02-03T04:05:06Z", "2002-03-04T05:06:07Z", "2001-02-03", "2002-03-04", s.distinct(schema), s.distinct(schema),
		number(424242), number(434343), numberOf(schema.Maximum), numberOf(schema.Minimum), true, false,
	}
	candidates = append(candidates, schema.Enum...)
	candidates = append(candidates, s.Source.Valid(schema, openapi.Answer, generate.Full), s.Source.Valid(schema, openapi.Answer, generate.Full))
	for _, v := range candidates {
		if len(all) == 2 {
			break
		}
		if v == nil || len(all) == 1 && same(all[0], v) || !s.keeps(schema, v, openapi.Answer) {
			continue
		}
		all = append(all, v)
	}
	return all
}

// parameterDefaults are the query parameters of an operation that have a default.
func (r *Runner) parameterDefaults(op *openapi.Operation) []*openapi.Parameter {
	var all []*openapi.Parameter
	for _, p := range op.Parameters {
		if p.In == "query" && !p.Required && p.Schema != nil && p.Schema.Default != nil {
			all = append(all, p)
		}
	}
	return all
}

// mostStocked is how many things are put into a list to see where its pages end.
const mostStocked = 30

// defaultsOfParameters: a parameter that is left out is read as its default (E15).
// A list is filled first, so that its limit and its order can be seen.
func (s *Session) defaultsOfParameters(ctx context.Context, op *openapi.Operation) {
	values := map[string]any{}
	if there := s.stockFor(ctx, op); there != nil {
		values = there.values
	} else if len(prefixes(op.Path)) > 0 {
		values = s.Draft(ctx, op, false).Path
	}
	for _, p := range s.parameterDefaults(op) {
		ask := func(there bool) *wire.Exchange {
			d := s.plain(op, values)
			delete(d.Query, p.Name)
			if there {
				d.Query[p.Name] = *p.Schema.Default
			}
			return s.Send(ctx, d)
		}
		omitted, given, again := ask(false), ask(true), ask(false)
		if Status(omitted) != Status(again) || !OK(given) {
			continue
		}
		clause := openapi.Join(p.Schema.Pointer, "default")
		s.Coverage.Mark(clause, Judged|SentValid)
		place, was, is := differing(bodyOf(omitted), bodyOf(again), bodyOf(given), "")
		if Status(omitted) != Status(given) {
			place, was, is = "the status", describe(given), describe(omitted)
		}
		if place == "" {
			continue
		}
		s.found(finding.Finding{
			Class: "E15", Severity: finding.Must, Pointer: clause,
			Claim:    fmt.Sprintf("%s does not read %s as its default when it is left out.", op.ID, p.Name),
			Sent:     "the same request without " + p.Name + " and with " + show(*p.Schema.Default),
			Expected: "the same answer: " + place + " " + show(is), Got: show(was),
		}, op, omitted, given)
	}
}

// differing finds where two values are the same and a third is not.
func differing(a, b, other any, at string) (place string, was, is any) {
	x, isObject := a.(map[string]any)
	y, both := b.(map[string]any)
	z, all := other.(map[string]any)
	if isObject && both && all {
		for _, name := range membersOf(x) {
			if place, was, is = differing(x[name], y[name], z[name], openapi.Join(at, name)); place != "" {
				return place, was, is
			}
		}
		return "", nil, nil
	}
	p, isList := a.([]any)
	q, isAlso := other.([]any)
	if isList && isAlso && len(p) != len(q) {
		return "the number of items at " + field(at), len(p), len(q)
	}
	if same(a, b) && !same(a, other) {
		return field(at), a, other
	}
	return "", nil, nil
}

// stockFor fills the list that an operation gives, if it gives one; nil if not.
func (s *Session) stockFor(ctx context.Context, op *openapi.Operation) *shelf {
	p := s.paging(op)
	if p == nil {
		return nil
	}
	n := 4
	if limit := p.parameter(p.limit); limit != nil && limit.Schema.Default != nil {
		if v, ok := (*limit.Schema.Default).(json.Number); ok && atoi(v.String()) < mostStocked {
			n = atoi(v.String()) + 2
		}
	}
	for _, resource := range s.kinds() {
		if s.lister(resource) == op && s.maker(resource).Path != resource {
			return s.stock(ctx, resource, n)
		}
	}
	return nil
}
