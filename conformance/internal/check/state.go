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

// stateProbes try what a schema cannot say: that what was created can be read and
// is what was written, that what was deleted is gone, that what was refused has
// changed nothing.
//
// # What is not held against a server
//
//   - That a new thing is seen a moment later ([patience]).
//   - That a deletion only marks a thing as deleted, if its representation says so.
//   - That a second DELETE succeeds: it is idempotent (RFC 9110 9.2.2).
//   - Lists that leave out what they were not asked for by name: a thing is missed
//     only in a list of which all pages were seen.
func stateProbes(r *Runner) []Probe {
	var all []Probe
	for _, resource := range r.kinds() {
		op := r.maker(resource)
		add := func(class string, on *openapi.Operation, run func(ctx context.Context, s *Session)) {
			if on != nil {
				alone := r.sharing(resource) || class == "H11" && parent(resource) == ""
				all = append(all, Probe{Name: class + " " + on.ID + " " + resource, Class: class, Op: on, Writes: true, Alone: alone, Run: run})
			}
		}
		add("H1", op, func(ctx context.Context, s *Session) { s.createdIsThere(ctx, resource) })
		add("H2", op, func(ctx context.Context, s *Session) { s.createdAsSent(ctx, resource) })
		add("H3", r.deleter(resource), func(ctx context.Context, s *Session) { s.deletedIsGone(ctx, resource) })
		add("H4", op, func(ctx context.Context, s *Session) { s.refusedLeavesNothing(ctx, resource) })
		add("H9", r.deleter(resource), func(ctx context.Context, s *Session) { s.deletedTwice(ctx, resource) })
		add("H10", r.reader(resource), func(ctx context.Context, s *Session) { s.readingChangesNothing(ctx, resource) })
		if r.reader(resource) != nil && r.paging(r.lister(resource)) != nil {
			add("H11", r.lister(resource), func(ctx context.Context, s *Session) { s.listAgrees(ctx, resource) })
		}
		if parent(resource) != "" && r.maker(parent(resource)) != nil {
			add("H12", r.reader(resource), func(ctx context.Context, s *Session) { s.childOfItsParent(ctx, resource) })
		}
		if op.Path != resource {
			add("H13", op, func(ctx context.Context, s *Session) { s.idsAreTheServers(ctx, resource) })
		}
		if names(op, http.StatusCreated) {
			for _, link := range op.Responses["201"].Links {
				all = append(all, Probe{
					Name: "H1 " + op.ID + " link " + link.Name, Class: "H1", Op: op, Clauses: []string{link.Pointer}, Writes: true, Alone: r.sharing(resource),
					Run: func(ctx context.Context, s *Session) { s.linkLeads(ctx, resource, link) },
				})
			}
		}
	}
	return all
}

// createdIsThere: what was created can be read (H1).
func (s *Session) createdIsThere(ctx context.Context, resource string) {
	t := s.mustMake(ctx, resource, Own)
	if Status(t.made) == http.StatusAccepted {
		s.Skip("it is created later")
	}
	st := s.eventually(ctx, t, (*state).seen)
	if st.op == nil {
		return
	}
	s.Coverage.Mark(success(st.op), Judged)
	if st.gone {
		s.found(finding.Finding{
			Class: "H1", Severity: finding.Must, Pointer: success(st.op),
			Claim:    fmt.Sprintf("What %s created cannot be read with %s.", s.maker(resource).ID, st.op.ID),
			Sent:     "the id that the answer to the creation has",
			Expected: "what was created", Got: describe(st.ex),
		}, st.op, t.made, st.ex)
	}
}

// linkLeads: a link of what was created leads to what it says (H1).
func (s *Session) linkLeads(ctx context.Context, resource string, link *openapi.Link) {
	var target *openapi.Operation
	for _, op := range s.Document.Operations {
		if op.ID == link.OperationID {
			target = op
		}
	}
	if target == nil {
		s.Skip("the link names no operation of the document")
	}
	t := s.mustMake(ctx, resource, Own)
	op := s.maker(resource)
	if Status(t.made) != http.StatusCreated {
		s.Skip("nothing was created")
	}
	values := s.linkValues(op, link, t.made)
	d := s.plain(target, nil)
	d.Path = map[string]any{}
	f := finding.Finding{
		Class: "H1", Severity: finding.Must, Pointer: link.Pointer,
		Sent: "the values that the link takes from the answer to the creation", Expected: "what the link leads to",
	}
	for name := range link.Parameters {
		value, has := values[strings.TrimPrefix(name, "path.")]
		if !has {
			f.Claim, f.Got = fmt.Sprintf("The answer of %s does not have what its link %s takes from it.", op.ID, link.Name), describe(t.made)
			s.found(f, op, t.made)
			continue
		}
		s.place(d, name, value)
	}
	if target.Method != http.MethodGet && target.Method != http.MethodHead {
		if body := s.fullBody(target, t); body != nil {
			d.Body = body
		}
	}
	ex := s.Send(ctx, d)
	s.Coverage.Mark(link.Pointer, Judged)
	switch Status(ex) {
	case http.StatusNotFound, http.StatusGone, http.StatusMethodNotAllowed:
		f.Claim, f.Got = fmt.Sprintf("The link %s of %s leads to nothing.", link.Name, op.ID), describe(ex)
		s.found(f, op, t.made, ex)
	}
}

// place puts a value of a link into a request. Its name may have the place of the
// parameter before it: header.If-Match.
func (s *Session) place(d *generate.Draft, name string, value any) {
	in, rest, qualified := strings.Cut(name, ".")
	if qualified && slices.Contains([]string{"path", "query", "header", "cookie"}, in) {
		name = rest
	} else {
		in = "path"
		for _, p := range d.Op.Parameters {
			if p.Name == name {
				in = p.In
			}
		}
	}
	if in == "header" {
		setHeader(d, name, fmt.Sprint(value))
		return
	}
	d.Values(in)[name] = value
}

// createdAsSent: what is read is what was written (H2).
func (s *Session) createdAsSent(ctx context.Context, resource string) {
	op := s.maker(resource)
	schema := bodySchema(op)
	if schema == nil {
		s.Skip(op.ID + " takes no JSON")
	}
	tried := false
	for _, change := range s.variations(op) {
		t, _ := s.makeThing(ctx, resource, Own, change)
		if t == nil {
			continue
		}
		tried = true
		sent := pair{jsonOf(t.made.Request.Body), schema}
		answered := pair{bodyOf(t.made), answerSchema(op, Status(t.made))}
		if st := s.eventually(ctx, t, (*state).seen); st.seen() {
			s.reportUnfaithful(st.op, sent, pair{st.body, st.schema}, "creation", t.made, st)
			continue
		}
		s.reportUnfaithful(op, sent, answered, "creation", t.made, nil)
	}
	if !tried {
		s.Skip(op.ID + " creates nothing")
	}
}

// variations are changes to a body that keep the document, and show what is lost:
// falsehoods, zeros, great numbers.
func (s *Session) variations(op *openapi.Operation) []func(*generate.Draft) {
	schema := bodySchema(op)
	all := []func(*generate.Draft){
		func(*generate.Draft) {},
		func(d *generate.Draft) { s.enrich(d) },
		func(d *generate.Draft) { d.Body = s.vary(schema, d.Body, false) },
		func(d *generate.Draft) { d.Body = s.vary(schema, d.Body, true) },
	}
	for _, content := range op.Body.Content {
		for _, example := range content.Examples {
			if isJSON(content.Type) && s.keeps(schema, example.Value, openapi.Request) {
				all = append(all, func(d *generate.Draft) { s.like(d, example.Value) })
			}
		}
	}
	return all[:min(len(all), 8)]
}

// enrich gives a body every property that it may have.
func (s *Session) enrich(d *generate.Draft) {
	schema := bodySchema(d.Op)
	before := d.Body
	if s.like(d, s.Source.Valid(schema, openapi.Request, generate.Full)); !s.keeps(schema, d.Body, openapi.Request) {
		d.Body = before
	}
}

// like makes the body like an example, but for what must be its own.
func (s *Session) like(d *generate.Draft, example any) {
	made, ok := d.Body.(map[string]any)
	copied, isObject := copyJSON(example).(map[string]any)
	if !ok || !isObject {
		return
	}
	for name, value := range made {
		if text, isText := value.(string); isText && strings.Contains(text, s.run) {
			if _, has := copied[name]; has {
				copied[name] = value
			}
		}
	}
	d.Body = copied
}

// vary puts low or high values into a body: where a schema bounds them, the
// bounds.
func (s *Session) vary(schema *openapi.Schema, v any, high bool) any {
	object, ok := v.(map[string]any)
	if !ok || schema == nil {
		return v
	}
	varied := map[string]any{}
	for name, value := range object {
		property := s.propertyOf(schema, object, name, openapi.Request)
		varied[name] = value
		if property == nil || len(property.Enum) > 0 || property.Const != nil {
			continue
		}
		for _, candidate := range s.extremes(property, value, high) {
			changed := copyJSON(varied).(map[string]any)
			changed[name] = candidate
			if s.keeps(property, candidate, openapi.Request) {
				varied[name] = candidate
				break
			}
		}
	}
	if s.keeps(schema, varied, openapi.Request) {
		return varied
	}
	return v
}

// extremes are values at the ends of what a schema allows, the farthest first.
func (s *Session) extremes(schema *openapi.Schema, v any, high bool) []any {
	switch v := v.(type) {
	case bool:
		return []any{high}
	case map[string]any:
		return []any{s.vary(schema, v, high)}
	case string:
		if schema.Format != "" || schema.Pattern != "" && !strings.Contains(schema.Pattern, "[^") || strings.Contains(v, s.run) {
			return nil
		}
		if !high {
			return []any{"0", "00"}
		}
		return []any{"Ünïcödé Ω 漢字 & <b> \"q\" '%'", "Ab & c"}
	}
	if _, isNumber := rational(v); !isNumber {
		return nil
	}
	if !high {
		return []any{number(0), numberOf(schema.Minimum), number(1)}
	}
	return []any{numberOf(schema.Maximum), number(1 << 30), number(99)}
}

// reportUnfaithful reports where what is read is not what was written.
func (s *Session) reportUnfaithful(op *openapi.Operation, sent, got pair, when string, written *wire.Exchange, st *state) {
	if got.value == nil || got.schema == nil {
		return
	}
	s.Coverage.Mark(success(op), Judged)
	for _, d := range s.unfaithful(sent, got) {
		f := finding.Finding{
			Class: "H2", Severity: finding.Must, Pointer: d.clause,
			Claim:    fmt.Sprintf("%s is not read as it was written at %s.", field(d.at), when),
			Sent:     field(d.at) + ": " + show(d.sent),
			Expected: show(d.sent), Got: show(d.got),
		}
		if d.missing {
			f.Got = "nothing at this place"
		}
		steps := []*wire.Exchange{written}
		if st != nil {
			steps = append(steps, st.ex)
		}
		s.found(f, op, steps...)
	}
}

// deletedIsGone: what was deleted is not served (H3).
func (s *Session) deletedIsGone(ctx context.Context, resource string) {
	t := s.mustMake(ctx, resource, Own)
	before := s.eventually(ctx, t, (*state).seen)
	if !before.seen() {
		s.Skip("what is created cannot be read")
	}
	removed := s.remove(ctx, t)
	if !OK(removed) {
		s.Skip(fmt.Sprintf("%s answers %d", s.deleter(resource).ID, Status(removed)))
	}
	f := finding.Finding{
		Class: "H3", Severity: finding.Must, Pointer: success(s.deleter(resource)),
		Sent: "DELETE, and then the request to read", Expected: "404 or 410",
	}
	served := func(st *state) bool { return st.seen() && s.unchanged(before.body, st.body) }
	after := s.eventually(ctx, t, func(st *state) bool { return !served(st) })
	s.Coverage.Mark(success(s.deleter(resource)), Judged)
	if served(after) {
		f.Claim, f.Got = fmt.Sprintf("%s still serves what %s has deleted.", after.op.ID, s.deleter(resource).ID), describe(after.ex)
		s.found(f, s.deleter(resource), removed, after.ex)
	}
	if s.reader(resource) == nil || s.paging(s.lister(resource)) == nil {
		return
	}
	listed := s.lookInList(ctx, t, Own)
	for _, moment := range patience {
		if !served(listed) || !wait(ctx, moment) {
			break
		}
		listed = s.lookInList(ctx, t, Own)
	}
	if served(listed) {
		f.Expected = "a list without it"
		f.Claim, f.Got = fmt.Sprintf("%s still lists what %s has deleted.", listed.op.ID, s.deleter(resource).ID), "the deleted thing among the items"
		s.found(f, s.deleter(resource), removed, listed.ex)
	}
}

// unchanged tells whether two representations say the same, but for when they were
// made.
func (s *Session) unchanged(before, after map[string]any) bool {
	for _, name := range membersOf(before) {
		v, has := after[name]
		if managed.MatchString(name) {
			if strings.Contains(strings.ToLower(name), "deleted") && !same(before[name], v) {
				return false
			}
			continue
		}
		if !has || !same(before[name], v) {
			return false
		}
	}
	return true
}

// deletedTwice: the second DELETE is answered as declared (H9).
func (s *Session) deletedTwice(ctx context.Context, resource string) {
	t, op := s.mustMake(ctx, resource, Own), s.deleter(resource)
	if first := s.remove(ctx, t); !OK(first) {
		s.Skip(fmt.Sprintf("%s answers %d", op.ID, Status(first)))
	}
	second := s.Send(ctx, s.plain(op, t.values))
	status := Status(second)
	f := finding.Finding{
		Class: "H9", Severity: finding.Must, Pointer: openapi.Join(op.Pointer, "responses"),
		Sent: "the same DELETE again", Expected: "one of " + strings.Join(keys(op), ", "), Got: describe(second),
	}
	switch {
	case status >= http.StatusInternalServerError && status != http.StatusServiceUnavailable:
		f.Claim = fmt.Sprintf("%s fails when it is repeated.", op.ID)
	case status == 0, status == http.StatusTooManyRequests, declares(op, status):
		return
	default:
		f.Claim = fmt.Sprintf("%s answers a repetition with a status that it does not declare.", op.ID)
	}
	s.found(f, op, second)
}

// readingChangesNothing: GET and HEAD are safe (H10; RFC 9110 9.2.1).
func (s *Session) readingChangesNothing(ctx context.Context, resource string) {
	t, op := s.mustMake(ctx, resource, Own), s.reader(resource)
	before := s.eventually(ctx, t, (*state).seen)
	if !before.seen() {
		s.Skip("what is created cannot be read")
	}
	tag := before.etag()
	for range 3 {
		s.Send(ctx, s.plain(op, t.values))
		s.Send(ctx, s.plain(op, t.values), Changed(func(request *wire.Request) { request.Method = http.MethodHead }))
	}
	after := s.look(ctx, t, Own)
	f := finding.Finding{
		Class: "H10", Severity: finding.Must, RFC: "RFC 9110 9.2.1", Pointer: success(op),
		Sent: "GET and HEAD, three times each", Expected: "the same representation as before",
	}
	if after.gone {
		f.Claim, f.Got = fmt.Sprintf("%s makes what it reads go away.", op.ID), describe(after.ex)
		s.found(f, op, before.ex, after.ex)
		return
	}
	if !after.seen() {
		return
	}
	for _, name := range membersOf(before.body) {
		if s.mayMove(resource, name) || same(before.body[name], after.body[name]) {
			continue
		}
		f.Claim, f.Got = fmt.Sprintf("Reading with %s changes %s.", op.ID, name), show(after.body[name])
		f.Expected = show(before.body[name])
		s.found(f, op, before.ex, after.ex)
	}
	if strong(tag) && after.etag() != tag && s.unchanged(before.body, after.body) {
		f.Severity = finding.Should
		f.Claim, f.Expected, f.Got = fmt.Sprintf("Reading with %s changes the entity tag.", op.ID), tag, after.etag()
		s.found(f, op, before.ex, after.ex)
	}
}

// strong tells whether an entity tag is one, and not weak (RFC 9110 8.8.3).
func strong(tag string) bool { return strings.HasPrefix(tag, `"`) }

// mayMove tells whether a property may change without a client's doing. What
// clients write does not, nor what the document calls the time of the last change.
func (s *Session) mayMove(resource, name string) bool {
	_, updated := s.timestamps(resource)
	if openapi.Join("", name) == updated {
		return false
	}
	ops := append(s.writers(resource), s.maker(resource))
	for _, op := range ops {
		if p := s.propertyOf(bodySchema(op), map[string]any{}, name, openapi.Request); p != nil && !p.ReadOnly {
			return ours(name)
		}
	}
	return !s.counts(resource, name)
}

// counts tells whether a property is a number that an operation is declared to
// add to ([openapi.ExtIncrement]): nothing else may.
func (s *Session) counts(resource, name string) bool {
	for _, op := range s.Document.Operations {
		x, ok := op.Extensions[openapi.ExtIncrement].(map[string]any)
		if !ok {
			continue
		}
		read := s.reader(resource)
		if read != nil && x["read"] == read.ID && x["pointer"] == openapi.Join("", name) {
			return true
		}
	}
	return false
}
