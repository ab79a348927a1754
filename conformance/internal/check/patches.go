package check

import (
	"context"
	"fmt"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// mostPatched is how many properties are patched one by one.
const mostPatched = 12

// patchMerges: a patch changes what it names, and nothing else; null removes (H8;
// RFC 7396 2, RFC 5789 2).
func (s *Session) patchMerges(ctx context.Context, op *openapi.Operation, t *thing) {
	schema := bodySchema(op)
	full := s.fullBody(op, t)
	if full == nil {
		s.Skip(op.ID + " takes no JSON object")
	}
	start := s.look(ctx, t, Own)
	if !start.seen() {
		s.Skip("what is to be updated cannot be read")
	}
	m := &merging{s: s, op: op, t: t, schema: schema}
	for i, name := range membersOf(full) {
		if i >= mostPatched || ctx.Err() != nil {
			break
		}
		property := s.propertyOf(schema, full, name, openapi.Request)
		if property == nil || property.ReadOnly || secretive.MatchString(name) {
			continue
		}
		m.one(ctx, name, property, full[name])
	}
	for _, name := range membersOf(full) {
		property := s.propertyOf(schema, full, name, openapi.Request)
		if property == nil || property.ReadOnly {
			continue
		}
		if members, nested := full[name].(map[string]any); nested && merges(op) {
			m.members(ctx, name, property, members)
		}
		if property.Nullable {
			m.null(ctx, name, full[name])
		}
	}
	if t.made == nil { // the only one of its kind
		body := map[string]any{}
		for name := range full {
			if v, has := start.body[name]; has {
				body[name] = v
			}
		}
		if s.keeps(schema, body, openapi.Request) {
			s.write(ctx, op, t, body)
		}
	}
}

// merging is a series of patches of one thing.
type merging struct {
	s      *Session
	op     *openapi.Operation
	t      *thing
	schema *openapi.Schema
}

// patch sends one, if it keeps the document; nil if it does not, or is refused.
func (m *merging) patch(ctx context.Context, body map[string]any) (before, after *state, ex *wire.Exchange) {
	if !m.s.keeps(m.schema, body, openapi.Request) {
		return nil, nil, nil
	}
	before = m.s.look(ctx, m.t, Own)
	ex = m.s.write(ctx, m.op, m.t, body)
	if !OK(ex) || !before.seen() {
		return nil, nil, nil
	}
	after = m.s.look(ctx, m.t, Own)
	if !after.seen() {
		return nil, nil, nil
	}
	m.s.Coverage.Mark(success(m.op), Judged)
	return before, after, ex
}

func (m *merging) report(claim, sent string, expected, got any, steps ...*wire.Exchange) {
	rfc := "RFC 5789 2"
	if merges(m.op) {
		rfc = "RFC 7396 2"
	}
	m.s.found(finding.Finding{
		Class: "H8", Severity: finding.Must, RFC: rfc, Pointer: success(m.op),
		Claim: claim, Sent: sent, Expected: show(expected), Got: show(got),
	}, m.op, steps...)
}

// one patches one property: the others stay.
func (m *merging) one(ctx context.Context, name string, property *openapi.Schema, value any) {
	other, ok := m.s.another(property, value)
	if !ok || property.WriteOnly {
		other = value
	}
	body := map[string]any{name: other}
	before, after, ex := m.patch(ctx, body)
	if ex == nil {
		return
	}
	for _, p := range propertiesOf(m.schema, 0) {
		was, is := before.body[p.Name], after.body[p.Name]
		if p.Name == name || p.Schema.ReadOnly || ours(p.Name) || same(was, is) || empty(was) && empty(is) {
			continue
		}
		m.report(fmt.Sprintf("%s changes what the patch does not name.", m.op.ID), "a patch of "+name+" alone", was, is, before.ex, ex, after.ex)
	}
	list, isList := other.([]any)
	got, isAlso := after.body[name].([]any)
	if isList && isAlso && len(got) > len(list) {
		m.report(fmt.Sprintf("%s adds to an array that it should replace.", m.op.ID), name+": "+show(other), other, after.body[name], before.ex, ex, after.ex)
	}
}

// null removes a property.
func (m *merging) null(ctx context.Context, name string, value any) {
	if now := m.s.look(ctx, m.t, Own); empty(now.body[name]) && !empty(value) {
		m.patch(ctx, map[string]any{name: value})
	}
	before, after, ex := m.patch(ctx, map[string]any{name: nil})
	if ex == nil || empty(before.body[name]) {
		return
	}
	if same(before.body[name], after.body[name]) && !zero(after.body[name]) {
		m.report(fmt.Sprintf("%s does not remove what the patch says is null.", m.op.ID), name+": null", nil, after.body[name], before.ex, ex, after.ex)
	}
}

// members patches what is inside of a property: its other members stay, and null
// removes one (RFC 7396 2).
func (m *merging) members(ctx context.Context, name string, property *openapi.Schema, full map[string]any) {
	m.patch(ctx, map[string]any{name: full})
	for _, member := range membersOf(full) {
		inner := m.s.propertyOf(property, full, member, openapi.Request)
		if inner == nil {
			continue
		}
		other, ok := m.s.another(inner, full[member])
		if !ok {
			other = full[member]
		}
		values := []any{other}
		if inner.Nullable {
			values = append(values, nil)
		}
		for _, value := range values {
			before, after, ex := m.patch(ctx, map[string]any{name: map[string]any{member: value}})
			if ex == nil {
				continue
			}
			m.inside(name, member, value, before, after, ex)
		}
	}
}

func (m *merging) inside(name, member string, value any, before, after *state, ex *wire.Exchange) {
	was, _ := before.body[name].(map[string]any)
	is, _ := after.body[name].(map[string]any)
	sent := show(map[string]any{name: map[string]any{member: value}})
	for _, sibling := range membersOf(was) {
		if sibling != member && !same(was[sibling], is[sibling]) && !empty(was[sibling]) {
			m.report(fmt.Sprintf("%s changes members of an object that the patch does not name.", m.op.ID), sent, was[sibling], is[sibling], before.ex, ex, after.ex)
		}
	}
	if value == nil && !empty(is[member]) && same(was[member], is[member]) {
		m.report(fmt.Sprintf("%s does not remove what the patch says is null.", m.op.ID), sent, nil, is[member], before.ex, ex, after.ex)
	}
}
