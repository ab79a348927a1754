package check

import (
	"context"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// change is a request that changes a thing, or deletes it, without a condition.
func (s *Session) change(op *openapi.Operation, t *thing) *generate.Draft {
	d := s.plain(op, t.values)
	if body := s.fullBody(op, t); body != nil && op.Method != http.MethodDelete {
		s.brand(bodySchema(op), body)
		d.Body = body
	}
	dropHeader(d, "If-Match")
	return d
}

// outdated: a change of a version that is no longer there is refused (I5; RFC 9110
// 13.1.1).
func (s *Session) outdated(ctx context.Context, op *openapi.Operation, resource string) {
	t := s.mustMake(ctx, resource, Own)
	before := s.eventually(ctx, t, (*state).seen)
	old := before.etag()
	if !strong(old) {
		s.Skip("what is read has no strong entity tag")
	}
	writers := s.writers(resource)
	if len(writers) == 0 {
		s.Skip("nothing changes it")
	}
	d := s.change(writers[0], t)
	setHeader(d, "If-Match", old)
	if ex := s.Send(ctx, d); !OK(ex) {
		s.Skip(fmt.Sprintf("%s answers %d", writers[0].ID, Status(ex)))
	}
	now := s.look(ctx, t, Own)
	if !now.seen() || now.etag() == old {
		s.Skip("the entity tag does not change") // which is another class
	}
	pointer := op.StatusPointer("412")
	if p := headerOf(op, "If-Match"); p != nil {
		pointer = p.Pointer
	}
	for _, tag := range []string{old, `"cnf-` + s.unique() + `"`} {
		d := s.change(op, t)
		setHeader(d, "If-Match", tag)
		ex := s.Send(ctx, d)
		s.Coverage.Mark(pointer, Judged|SentInvalid)
		s.Coverage.Mark(op.StatusPointer("412"), Judged)
		after := s.look(ctx, t, Own)
		f := finding.Finding{
			Class: "I5", Severity: finding.Must, RFC: "RFC 9110 13.1.1", Pointer: pointer,
			Sent: "If-Match with an entity tag that it does not have any more", Expected: "412", Got: describe(ex),
		}
		switch {
		case OK(ex):
			f.Claim = fmt.Sprintf("%s overwrites a version that the client has not seen.", op.ID)
		case Status(ex)/100 == 4 && (after.gone || after.seen() && !s.unchanged(now.body, after.body)):
			f.Claim = fmt.Sprintf("%s carries out a change though its precondition is false.", op.ID)
		default:
			continue
		}
		s.found(f, op, ex, after.ex)
		return
	}
}

// unconditional: a change without the demanded precondition is refused (I6; RFC
// 6585 3).
func (s *Session) unconditional(ctx context.Context, op *openapi.Operation, resource string) {
	t := s.mustMake(ctx, resource, Own)
	if st := s.eventually(ctx, t, (*state).seen); !st.seen() || st.etag() == "" {
		s.Skip("what is read has no entity tag")
	}
	ex := s.Send(ctx, s.change(op, t))
	clause := op.StatusPointer(itoa(http.StatusPreconditionRequired))
	s.Coverage.Mark(clause, Judged)
	if !OK(ex) {
		return
	}
	s.found(finding.Finding{
		Class: "I6", Severity: finding.Must, Pointer: clause, RFC: "RFC 6585 3",
		Claim: fmt.Sprintf("%s is carried out without the precondition that it declares to demand.", op.ID),
		Sent:  "no If-Match", Expected: "428", Got: describe(ex),
	}, op, ex)
}

// updatesAtOnce: of changes of one version, one succeeds (I7).
func (s *Session) updatesAtOnce(ctx context.Context, op *openapi.Operation, resource string) {
	for range rounds {
		t := s.mustMake(ctx, resource, Own)
		tag := s.eventually(ctx, t, (*state).seen).etag()
		if !strong(tag) {
			s.Skip("what is read has no strong entity tag")
		}
		var drafts []*generate.Draft
		bodies := map[string]bool{}
		for range atOnce {
			d := s.change(op, t)
			setHeader(d, "If-Match", tag)
			drafts = append(drafts, d)
			bodies[string(mustWrite(d.Body))] = true
		}
		if len(bodies) < len(drafts) {
			s.Skip("there are no different changes")
		}
		var good []*wire.Exchange
		for _, ex := range s.together(ctx, drafts) {
			if OK(ex) {
				good = append(good, ex)
			}
		}
		s.Coverage.Mark(success(op), Judged)
		if len(good) < 2 {
			continue
		}
		s.found(finding.Finding{
			Class: "I7", Severity: finding.Must, RFC: "RFC 9110 13.1.1", Pointer: success(op),
			Claim:    fmt.Sprintf("%s carries out several changes of one version, which overwrite each other.", op.ID),
			Sent:     fmt.Sprintf("%d different changes with the same If-Match at the same moment", atOnce),
			Expected: "one success, and 412 for the others", Got: "several successes",
		}, op, good...)
		return
	}
}

// patchesAtOnce: patches of different properties at the same moment are both kept
// (I7; RFC 5789 2: a patch is applied atomically).
func (s *Session) patchesAtOnce(ctx context.Context, op *openapi.Operation, resource string) {
	schema := bodySchema(op)
	for range rounds {
		t := s.mustMake(ctx, resource, Own)
		before := s.eventually(ctx, t, (*state).seen)
		full := s.fullBody(op, t)
		if !before.seen() || full == nil || names(op, http.StatusPreconditionRequired) {
			s.Skip("no patches can be sent at the same moment")
		}
		var drafts []*generate.Draft
		wanted := map[string]any{}
		for _, name := range membersOf(full) {
			property := s.propertyOf(schema, full, name, openapi.Request)
			if property == nil || property.ReadOnly || property.WriteOnly || before.body[name] == nil || ours(name) {
				continue
			}
			if _, nested := full[name].(map[string]any); nested {
				continue
			}
			value, ok := s.another(property, before.body[name])
			body := map[string]any{name: value}
			if !ok || !s.keeps(schema, body, openapi.Request) {
				continue
			}
			d := s.plain(op, t.values)
			dropHeader(d, "If-Match")
			d.Body = body
			wanted[name] = value
			drafts = append(drafts, d)
		}
		if len(drafts) < 2 {
			s.Skip("there are no two properties to patch")
		}
		exchanges := s.together(ctx, drafts)
		after := s.look(ctx, t, Own)
		if !after.seen() {
			return
		}
		for i, d := range drafts {
			for name := range d.Body.(map[string]any) {
				lost := OK(exchanges[i]) && same(before.body[name], after.body[name]) && !same(before.body[name], wanted[name])
				if !lost {
					continue
				}
				s.found(finding.Finding{
					Class: "I7", Severity: finding.Must, RFC: "RFC 5789 2", Pointer: success(op),
					Claim:    fmt.Sprintf("%s loses a change when others come at the same moment.", op.ID),
					Sent:     fmt.Sprintf("%d patches of different properties at the same moment", len(drafts)),
					Expected: name + ": " + show(wanted[name]), Got: show(after.body[name]),
				}, op, exchanges[i], after.ex)
				return
			}
		}
	}
}

// updateAndDelete: a change and a deletion at the same moment are answered as
// declared, and the deletion lasts (I8).
func (s *Session) updateAndDelete(ctx context.Context, op *openapi.Operation, resource string) {
	remove := s.deleter(resource)
	for range rounds {
		t := s.mustMake(ctx, resource, Own)
		tag := s.eventually(ctx, t, (*state).seen).etag()
		var drafts []*generate.Draft
		for i := range atOnce {
			on := op
			if i == atOnce/2 {
				on = remove
			}
			d := s.change(on, t)
			if names(on, http.StatusPreconditionRequired) && tag != "" {
				setHeader(d, "If-Match", tag)
			}
			drafts = append(drafts, d)
		}
		exchanges := s.together(ctx, drafts)
		f := finding.Finding{
			Class: "I8", Severity: finding.Must, Sent: "changes and a deletion at the same moment",
		}
		for i, ex := range exchanges {
			status, on := Status(ex), drafts[i].Op
			if ex.Response == nil || status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable || status < 500 && declares(on, status) {
				continue
			}
			f.Pointer = openapi.Join(on.Pointer, "responses")
			f.Claim = fmt.Sprintf("%s answers with an undeclared status when a change and a deletion come at the same moment.", on.ID)
			f.Expected, f.Got = "one of "+strings.Join(keys(on), ", "), describe(ex)
			s.found(f, on, ex)
			return
		}
		after := s.look(ctx, t, Own)
		if OK(exchanges[atOnce/2]) && Status(exchanges[atOnce/2]) != http.StatusAccepted && after.seen() && !names(op, http.StatusCreated) {
			f.Pointer, f.Claim = success(remove), fmt.Sprintf("A change with %s brings back what was deleted at the same moment.", op.ID)
			f.Expected, f.Got = "404", describe(after.ex)
			if s.marksDeleted(after) {
				return
			}
			s.found(f, op, exchanges[atOnce/2], after.ex)
			return
		}
	}
}

// marksDeleted tells whether a representation says that the thing is deleted.
func (s *Session) marksDeleted(st *state) bool {
	return slices.ContainsFunc(membersOf(st.body), func(name string) bool {
		lower := strings.ToLower(name)
		return (strings.Contains(lower, "delet") || strings.Contains(lower, "archiv") || strings.Contains(lower, "closed")) && !empty(st.body[name]) && st.body[name] != false
	})
}

// increments: each success adds what it is declared to add (I7).
func (s *Session) increments(ctx context.Context, op *openapi.Operation, x map[string]any) {
	pointer, _ := x["pointer"].(string)
	by, isNumber := rational(x["by"])
	var read *openapi.Operation
	for _, candidate := range s.Document.Operations {
		if candidate.ID == x["read"] {
			read = candidate
		}
	}
	if read == nil || !isNumber {
		s.Skip("what is declared of the increment cannot be read")
	}
	values := map[string]any{}
	if all := prefixes(op.Path); len(all) > 0 {
		values = s.mustMake(ctx, all[len(all)-1], Own).values
	}
	for range rounds {
		if s.incremented(ctx, op, read, values, pointer, by) {
			return
		}
	}
}

// incremented sends increments at the same moment, and tells whether one was lost.
func (s *Session) incremented(ctx context.Context, op, read *openapi.Operation, values map[string]any, pointer string, by *big.Rat) bool {
	before := s.Send(ctx, s.plain(read, values))
	exchanges := s.together(ctx, slices.Repeat([]*generate.Draft{s.plain(op, values)}, 2*atOnce))
	after := s.Send(ctx, s.plain(read, values))
	good := 0
	for _, ex := range exchanges {
		if OK(ex) {
			good++
		}
	}
	was, _ := pick(bodyOf(before), pointer)
	is, _ := pick(bodyOf(after), pointer)
	want, ok := rational(was)
	b, also := rational(is)
	if !ok || !also || good == 0 {
		s.Skip("the number cannot be read")
	}
	for range good {
		want = want.Add(want, by)
	}
	clause := openapi.Join(op.Pointer, openapi.ExtIncrement)
	s.Coverage.Mark(clause, Judged)
	if want.Cmp(b) == 0 {
		return false
	}
	s.found(finding.Finding{
		Class: "I7", Severity: finding.Must, Pointer: clause,
		Claim:    fmt.Sprintf("%s loses increments that come at the same moment.", op.ID),
		Sent:     fmt.Sprintf("%d requests at the same moment, of which %d succeeded", 2*atOnce, good),
		Expected: want.RatString(), Got: show(is),
	}, op, before, after)
	return true
}
