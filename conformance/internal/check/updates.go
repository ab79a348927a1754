package check

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// updateProbes try what PUT and PATCH do to a resource: all of what they say, and
// nothing else.
//
// # What is not held against a server
//
//   - That PUT keeps what only the server writes: only properties that the body of
//     the PUT could have, and that can be read, must be gone.
//   - That an omitted property has its default, or any value but the one before.
//   - What a PATCH of another type than merge-patch+json does with null or with
//     objects inside of objects: only that what is not named stays as it is.
func updateProbes(r *Runner) []Probe {
	var all []Probe
	add := func(class string, on *openapi.Operation, resource string, run func(ctx context.Context, s *Session)) {
		all = append(all, Probe{
			Name: class + " " + on.ID + " update", Class: class, Op: on, Writes: true, Run: run,
			Alone: resource == "" || r.sharing(resource), // nobody else may change what there is one of
		})
	}
	for _, resource := range r.kinds() {
		for _, op := range r.writers(resource) {
			r.updatesOf(op, resource, func(class string, run func(context.Context, *Session)) { add(class, op, resource, run) })
		}
		op := r.maker(resource)
		if bodySchema(op) != nil {
			add("E15", op, resource, func(ctx context.Context, s *Session) { s.defaultsOfCreation(ctx, resource) })
			add("E14", op, resource, func(ctx context.Context, s *Session) { s.readOnlyOfCreation(ctx, resource) })
		}
	}
	for _, op := range r.Document.Operations {
		if r.single(op) {
			r.updatesOf(op, "", func(class string, run func(context.Context, *Session)) { add(class, op, "", run) })
		}
		if op.Method == http.MethodGet && len(r.parameterDefaults(op)) > 0 {
			all = append(all, Probe{Name: "E15 " + op.ID + " parameters", Class: "E15", Op: op, Alone: true, Run: func(ctx context.Context, s *Session) { s.defaultsOfParameters(ctx, op) }})
		}
	}
	return all
}

// single tells whether an operation changes what there is one of: a path without a
// parameter at its end, that can be read too.
func (r *Runner) single(op *openapi.Operation) bool {
	return (op.Method == http.MethodPut || op.Method == http.MethodPatch) && trailing.FindString(op.Path) == "" &&
		len(prefixes(op.Path)) == 0 && r.at(http.MethodGet, op.Path) != nil && bodySchema(op) != nil
}

func (r *Runner) updatesOf(op *openapi.Operation, resource string, add func(class string, run func(context.Context, *Session))) {
	add("H2", func(ctx context.Context, s *Session) { s.updatedAsSent(ctx, op, s.target(ctx, op, resource)) })
	add("H5", func(ctx context.Context, s *Session) { s.refusedChangesNothing(ctx, op, s.target(ctx, op, resource)) })
	if op.Method == http.MethodPut {
		add("H6", func(ctx context.Context, s *Session) { s.putReplaces(ctx, op, s.target(ctx, op, resource)) })
		add("H7", func(ctx context.Context, s *Session) { s.putTwice(ctx, op, s.target(ctx, op, resource)) })
		add("E15", func(ctx context.Context, s *Session) { s.defaultsOfUpdate(ctx, op, s.target(ctx, op, resource)) })
	} else {
		add("H8", func(ctx context.Context, s *Session) { s.patchMerges(ctx, op, s.target(ctx, op, resource)) })
	}
	if resource != "" {
		add("E14", func(ctx context.Context, s *Session) { s.readOnlyOfUpdate(ctx, op, s.target(ctx, op, resource)) })
		add("H14", func(ctx context.Context, s *Session) { s.timesAreTrue(ctx, op, s.target(ctx, op, resource)) })
	}
}

// target is a thing to be changed: a new one, or the only one.
func (s *Session) target(ctx context.Context, op *openapi.Operation, resource string) *thing {
	if resource == "" {
		s.ensure(ctx, op)
		if _, ok := s.Alternative(op, Own); !ok {
			s.Skip("no credential for " + op.ID)
		}
		return &thing{resource: op.Path, values: map[string]any{}, owner: Own}
	}
	t := s.mustMake(ctx, resource, Own)
	if st := s.eventually(ctx, t, (*state).seen); !st.seen() {
		s.Skip("what is created cannot be read")
	}
	return t
}

// restore puts the only one of its kind back to what it was.
func (s *Session) restore(ctx context.Context, op *openapi.Operation, t *thing, before map[string]any) {
	if trailing.FindString(t.resource) != "" || op.Method != http.MethodPut {
		return
	}
	body := map[string]any{}
	for _, p := range propertiesOf(bodySchema(op), 0) {
		if v, has := before[p.Name]; has && !p.Schema.ReadOnly {
			body[p.Name] = v
		}
	}
	if s.keeps(bodySchema(op), body, openapi.Request) {
		s.write(ctx, op, t, body)
	}
}

// updatedAsSent: what is read after a change is what was written (H2).
func (s *Session) updatedAsSent(ctx context.Context, op *openapi.Operation, t *thing) {
	before := s.look(ctx, t, Own)
	defer func() { s.restore(ctx, op, t, before.body) }()
	for _, change := range s.variations(op) {
		d := s.plain(op, t.values)
		body := s.fullBody(op, t)
		if body == nil {
			s.Skip(op.ID + " takes no JSON object")
		}
		d.Body = body
		change(d)
		s.condition(ctx, d, t)
		ex := s.Send(ctx, d)
		if !OK(ex) {
			continue
		}
		sent := pair{jsonOf(ex.Request.Body), bodySchema(op)}
		if object, ok := sent.value.(map[string]any); ok && op.Method == http.MethodPatch {
			sent.value = s.withoutPartial(op, object)
		}
		if st := s.eventually(ctx, t, func(st *state) bool { return st.seen() && len(s.unfaithful(sent, pair{st.body, st.schema})) == 0 }); st.seen() {
			s.reportUnfaithful(op, sent, pair{st.body, st.schema}, "an update", ex, st)
		}
	}
}

// withoutPartial leaves out what a patch may merge: objects inside of it, unless
// its type says how they are merged.
func (s *Session) withoutPartial(op *openapi.Operation, body map[string]any) map[string]any {
	kept := map[string]any{}
	for name, value := range body {
		if _, nested := value.(map[string]any); !nested || merges(op) {
			kept[name] = value
		}
	}
	return kept
}

// merges tells whether an operation takes a merge patch (RFC 7396).
func merges(op *openapi.Operation) bool { return mergePatch(op) != nil }

// refusedChangesNothing: an update that was refused has changed nothing (H5). What
// is sent differs from what is there in everything that may differ, and is wrong
// in one place.
func (s *Session) refusedChangesNothing(ctx context.Context, op *openapi.Operation, t *thing) {
	schema := bodySchema(op)
	before := s.look(ctx, t, Own)
	if !before.seen() {
		s.Skip("what is to be updated cannot be read")
	}
	for _, c := range s.wrongs(op, mostRefusals) {
		d := s.plain(op, t.values)
		body := s.fullBody(op, t)
		if body == nil {
			s.Skip(op.ID + " takes no JSON object")
		}
		s.brand(schema, body)
		d.Body = s.vary(schema, body, true)
		if !s.spoil(d, c, schema) {
			continue
		}
		s.condition(ctx, d, t)
		ex := s.Send(ctx, d)
		if status := Status(ex); status/100 != 4 || status == http.StatusTooManyRequests {
			continue
		}
		s.Coverage.Mark(op.StatusPointer(itoa(Status(ex))), Judged)
		after := s.look(ctx, t, Own)
		if after.gone {
			s.changedByRefusal(op, ex, after, "the whole", "what was there")
			return
		}
		if !after.seen() {
			continue
		}
		for _, name := range s.written(pair{s.fullBody(op, t), schema}, pair{before.body, before.schema}) {
			if was := before.body[name]; !same(was, after.body[name]) {
				s.changedByRefusal(op, ex, after, name, show(was))
				before = after
			}
		}
	}
}

func (s *Session) changedByRefusal(op *openapi.Operation, refused *wire.Exchange, after *state, name, was string) {
	s.found(finding.Finding{
		Class: "H5", Severity: finding.Must, Pointer: op.StatusPointer(itoa(Status(refused))),
		Claim: fmt.Sprintf("%s changes something though it answers with an error.", op.ID),
		Sent:  "an update that is refused: " + describe(refused), Expected: name + " as before: " + was,
		Got: show(after.body[name]),
	}, op, refused, after.ex)
}

// putReplaces: what a PUT leaves out is gone (H6; RFC 9110 9.3.4).
func (s *Session) putReplaces(ctx context.Context, op *openapi.Operation, t *thing) {
	schema := bodySchema(op)
	start := s.look(ctx, t, Own)
	defer func() { s.restore(ctx, op, t, start.body) }()
	full := s.richBody(op, t)
	ex := s.write(ctx, op, t, s.away(schema, full))
	if !OK(ex) { // what is optional may be more than a server takes at once
		full = s.fullBody(op, t)
		ex = s.write(ctx, op, t, s.away(schema, full))
	}
	if full == nil || !OK(ex) {
		s.Skip(fmt.Sprintf("%s answers %d", op.ID, Status(ex)))
	}
	before := s.look(ctx, t, Own)
	if !before.seen() {
		s.Skip("what was updated cannot be read")
	}
	least := map[string]any{}
	sent := s.plain(op, t.values)
	s.Source.SetBody(sent, jsonContent(op), generate.Minimal)
	minimal, _ := sent.Body.(map[string]any)
	for name, value := range minimal {
		least[name] = value
		if v, has := full[name]; has {
			least[name] = v
		}
	}
	for name := range least { // an example may have more than it must
		value := least[name]
		if delete(least, name); !s.keeps(schema, least, openapi.Request) {
			least[name] = value
		}
	}
	if !s.keeps(schema, least, openapi.Request) {
		s.Skip("no body without what is optional")
	}
	ex = s.write(ctx, op, t, least)
	if !OK(ex) {
		s.Skip(fmt.Sprintf("%s answers %d to what it requires", op.ID, Status(ex)))
	}
	after := s.eventually(ctx, t, func(st *state) bool { return len(s.kept(schema, least, before, st)) == 0 })
	if !after.seen() {
		return
	}
	kept := s.kept(schema, least, before, after)
	if len(kept) == 0 {
		return
	}
	s.found(finding.Finding{
		Class: "H6", Severity: finding.Should, Pointer: success(op), RFC: "RFC 9110 9.3.4",
		Claim: fmt.Sprintf("%s leaves as it was what the new representation does not have.", op.ID),
		Sent:  "a PUT without " + strings.Join(kept, ", "), Expected: "no value, or the default",
		Got: "as before: " + excerpt(after.body, kept),
	}, op, before.ex, ex, after.ex)
}

// away makes each property differ from its default, where it may.
func (s *Session) away(schema *openapi.Schema, body map[string]any) map[string]any {
	moved := copyJSON(body).(map[string]any)
	for name, value := range body {
		p := s.propertyOf(schema, body, name, openapi.Request)
		if p == nil || p.Default == nil || !same(*p.Default, value) {
			continue
		}
		if other, ok := s.another(p, value); ok {
			moved[name] = other
		}
	}
	if s.keeps(schema, moved, openapi.Request) {
		return moved
	}
	return body
}

// another is a valid value that differs from one.
func (s *Session) another(schema *openapi.Schema, value any) (any, bool) {
	candidates := slices.Clone(schema.Enum)
	candidates = append(candidates, schema.Examples...)
	switch v := value.(type) {
	case bool:
		candidates = append(candidates, !v)
	case []any:
		if items := itemsOf(schema); items != nil {
			candidates = append(candidates, []any{s.Source.Valid(items, openapi.Request, generate.Full)})
		}
	}
	if schema.Allows("integer") || schema.Allows("number") {
		candidates = append(candidates, numberOf(schema.Maximum), numberOf(schema.Minimum), number(7), number(2))
	}
	candidates = append(candidates, s.distinct(schema), s.Source.Valid(schema, openapi.Request, generate.Full))
	for _, candidate := range candidates {
		if candidate != nil && !same(candidate, value) && s.keeps(schema, candidate, openapi.Request) {
			return candidate, true
		}
	}
	return nil, false
}

// kept are the properties that a PUT left out and that are as they were.
func (s *Session) kept(schema *openapi.Schema, sent map[string]any, before, after *state) []string {
	if !after.seen() {
		return nil
	}
	var names []string
	for _, p := range propertiesOf(schema, 0) {
		_, was := sent[p.Name]
		value := before.body[p.Name]
		if was || p.Schema.ReadOnly || ours(p.Name) || empty(value) || !same(value, after.body[p.Name]) {
			continue
		}
		if p.Schema.Default != nil && same(*p.Schema.Default, value) || zero(value) {
			continue
		}
		names = append(names, p.Name)
	}
	return names
}

// zero tells whether a value is one that a server may give to what it was not
// told.
func zero(v any) bool {
	n, isNumber := rational(v)
	return v == false || v == "" || isNumber && n.Sign() == 0
}

// putTwice: repeating a PUT changes nothing (H7; RFC 9110 9.2.2), and does not
// create what is there (9.3.4).
func (s *Session) putTwice(ctx context.Context, op *openapi.Operation, t *thing) {
	body := s.fullBody(op, t)
	if body == nil {
		s.Skip(op.ID + " takes no JSON object")
	}
	start := s.look(ctx, t, Own)
	defer func() { s.restore(ctx, op, t, start.body) }()
	first := s.write(ctx, op, t, body)
	if !OK(first) {
		s.Skip(fmt.Sprintf("%s answers %d", op.ID, Status(first)))
	}
	before := s.look(ctx, t, Own)
	second := s.write(ctx, op, t, body)
	after := s.look(ctx, t, Own)
	f := finding.Finding{
		Class: "H7", Severity: finding.Must, RFC: "RFC 9110 9.2.2", Pointer: success(op),
		Sent: "the same PUT again", Expected: "the outcome of the first", Got: describe(second),
	}
	switch {
	case Status(second) == http.StatusCreated:
		f.RFC, f.Claim = "RFC 9110 9.3.4", fmt.Sprintf("%s says again that it has created what was there.", op.ID)
		f.Expected = "200 or 204"
		s.found(f, op, first, second)
	case OK(first) && Status(second)/100 != 2 && Status(second) != http.StatusTooManyRequests && Status(second) != 0:
		f.Claim = fmt.Sprintf("%s succeeds once, and not when it is repeated.", op.ID)
		s.found(f, op, first, second)
	case before.seen() && after.gone:
		f.Claim = fmt.Sprintf("%s makes the resource go away when it is repeated.", op.ID)
		s.found(f, op, first, second, after.ex)
	case before.seen() && after.seen():
		for _, name := range s.written(pair{body, bodySchema(op)}, pair{before.body, before.schema}) {
			if same(before.body[name], after.body[name]) {
				continue
			}
			f.Claim = fmt.Sprintf("Repeating %s changes %s.", op.ID, name)
			f.Expected, f.Got = show(before.body[name]), show(after.body[name])
			s.found(f, op, before.ex, second, after.ex)
		}
	}
}

// createdName and updatedName are of properties that say when a thing was created
// and last changed.
var (
	createdName = regexp.MustCompile(`(?i)^(created|creation)(_?(at|on|time|date))?$`)
	updatedName = regexp.MustCompile(`(?i)^(updated|modified|last_?(updated|modified))(_?(at|on|time|date))?$`)
)

// timestamps are the pointers to when a thing was created and changed, as
// [openapi.ExtTimestamps] or their names say; empty if there are none.
func (r *Runner) timestamps(resource string) (created, updated string) {
	schema := answerSchema(r.reader(resource), 0)
	if schema == nil {
		return "", ""
	}
	if x, ok := schema.Extensions[openapi.ExtTimestamps].(map[string]any); ok {
		created, _ = x["created"].(string)
		updated, _ = x["updated"].(string)
		return created, updated
	}
	for _, p := range propertiesOf(schema, 0) {
		switch {
		case p.Schema.Format != "date-time":
		case createdName.MatchString(p.Name):
			created = openapi.Join("", p.Name)
		case updatedName.MatchString(p.Name):
			updated = openapi.Join("", p.Name)
		}
	}
	return created, updated
}

// timesAreTrue: the time of creation stays, and that of the last change does not
// go back, and moves where the document says so (H14).
func (s *Session) timesAreTrue(ctx context.Context, op *openapi.Operation, t *thing) {
	created, updated := s.timestamps(t.resource)
	if created == "" && updated == "" {
		s.Skip("the document has no times of creation or change")
	}
	_, declared := answerSchema(s.reader(t.resource), 0).Extensions[openapi.ExtTimestamps]
	before := s.look(ctx, t, Own)
	was, exact := moment(before.body, updated)
	gap := 5 * time.Millisecond
	if !exact {
		gap = 1100 * time.Millisecond
	}
	if !wait(ctx, gap) {
		return
	}
	body := s.fullBody(op, t)
	if body != nil {
		s.brand(bodySchema(op), body)
	}
	ex := s.write(ctx, op, t, body)
	if !OK(ex) {
		s.Skip(fmt.Sprintf("%s answers %d", op.ID, Status(ex)))
	}
	after := s.look(ctx, t, Own)
	if !before.seen() || !after.seen() {
		return
	}
	f := finding.Finding{Class: "H14", Severity: finding.Must, Sent: "an update"}
	if v, has := pick(before.body, created); created != "" && has {
		w, _ := pick(after.body, created)
		f.Pointer = pointerOf(after.schema, created)
		if a, isTime := v.(string); isTime && !same(v, w) && !sameInstant(a, fmt.Sprint(w)) {
			f.Claim, f.Expected, f.Got = fmt.Sprintf("%s changes the time of creation.", op.ID), show(v), show(w)
			s.found(f, op, before.ex, ex, after.ex)
		}
	}
	is, _ := moment(after.body, updated)
	if updated == "" || was.IsZero() || is.IsZero() {
		return
	}
	f.Pointer, f.Got = pointerOf(after.schema, updated), is.Format(time.RFC3339Nano)
	switch {
	case is.Before(was):
		f.Claim, f.Expected = fmt.Sprintf("%s puts the time of the last change back.", op.ID), "not before "+was.Format(time.RFC3339Nano)
		s.found(f, op, before.ex, ex, after.ex)
	case is.Equal(was) && declared && !s.unchanged(before.body, after.body):
		f.Claim, f.Expected = fmt.Sprintf("%s does not move the time of the last change.", op.ID), "after "+was.Format(time.RFC3339Nano)
		s.found(f, op, before.ex, ex, after.ex)
	}
}

// moment is a time in a body, and whether it has a fraction of a second.
func moment(body map[string]any, pointer string) (at time.Time, exact bool) {
	v, _ := pick(body, pointer)
	text, ok := v.(string)
	if !ok || pointer == "" {
		return time.Time{}, false
	}
	at, err := time.Parse(time.RFC3339Nano, strings.ToUpper(text))
	if err != nil {
		return time.Time{}, false
	}
	return at, strings.Contains(text, ".")
}

// pointerOf is where the schema of a place is written.
func pointerOf(schema *openapi.Schema, pointer string) string {
	if s := at(schema, pointer); s != nil {
		return s.Pointer
	}
	return schema.Pointer
}
