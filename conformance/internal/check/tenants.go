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

// tenantProbes try with the credentials of one tenant to get at what is another's.
// They need both: that the second are another tenant's is the word of who gave
// them.
//
// # What is not held against a server
//
//   - Operations that need no credential: what they show is public.
//   - That a foreign id is answered with a success, as long as nothing is shown and
//     nothing is changed: a PUT may create a thing of one's own under the same
//     name, a DELETE may succeed where nothing is.
//   - 403 for what is another's and 404 for what is not there, where the operation
//     declares both, and the document does not say that they are the same
//     ([openapi.StrictExistence]).
func tenantProbes(r *Runner) []Probe {
	var all []Probe
	alone := false
	add := func(class, name string, op *openapi.Operation, run func(ctx context.Context, s *Session)) {
		if op == nil || Public(op) {
			return
		}
		all = append(all, Probe{Name: class + " " + name, Class: class, Op: op, Writes: true, Run: func(ctx context.Context, s *Session) {
			if !s.HasOther(op) {
				s.Skip("there are no credentials of another tenant for " + op.ID)
			}
			run(ctx, s)
		}, Alone: alone})
	}
	for _, resource := range r.kinds() {
		maker := r.maker(resource)
		if Public(maker) {
			continue
		}
		alone = r.sharing(resource)
		if read := r.reader(resource); read != nil {
			add("J1", read.ID, read, func(ctx context.Context, s *Session) { s.foreignRead(ctx, resource) })
		}
		for _, op := range r.actions(resource) {
			if op.Method != http.MethodGet {
				class := "J2"
				if r.adds(op, resource) {
					class = "J5"
				}
				add(class, op.ID, op, func(ctx context.Context, s *Session) { s.foreignWrite(ctx, op, resource) })
			}
			add("J4", op.ID, op, func(ctx context.Context, s *Session) { s.foreignAsAbsent(ctx, op, resource) })
		}
		if p := r.paging(r.lister(resource)); p != nil {
			add("J3", p.op.ID+" "+resource, p.op, func(ctx context.Context, s *Session) { s.foreignList(ctx, resource) })
			add("J6", p.op.ID+" "+resource, p.op, func(ctx context.Context, s *Session) { s.foreignFilter(ctx, resource) })
		}
		add("J7", maker.ID+" "+resource, maker, func(ctx context.Context, s *Session) { s.foreignTexts(ctx, resource) })
		if key := idempotencyKey(maker); key != "" && bodySchema(maker) != nil {
			add("J8", maker.ID, maker, func(ctx context.Context, s *Session) { s.sharedKey(ctx, resource, key) })
		}
		for _, op := range append(r.writers(resource), maker) {
			for _, property := range propertiesOf(bodySchema(op), 0) {
				if id, ok := property.Schema.Extensions[openapi.ExtReference].(string); ok {
					add("J5", op.ID+" "+property.Name, op, func(ctx context.Context, s *Session) { s.foreignReference(ctx, op, resource, property, id) })
				}
			}
		}
	}
	return all
}

// actions are the operations on a resource, and those below it that need no other
// parameter.
func (r *Runner) actions(resource string) []*openapi.Operation {
	var all []*openapi.Operation
	for _, op := range r.Document.Operations {
		below := op.Path == resource || strings.HasPrefix(op.Path, resource+"/")
		if below && len(prefixes(op.Path)) == len(prefixes(resource)) && op.Method != http.MethodHead && !Public(op) {
			all = append(all, op)
		}
	}
	return all
}

// adds tells whether an operation creates something below a resource.
func (r *Runner) adds(op *openapi.Operation, resource string) bool {
	return slices.ContainsFunc(r.resources(), func(below string) bool { return parent(below) == resource && r.maker(below) == op })
}

// foreignRead: what is another's cannot be read (J1).
func (s *Session) foreignRead(ctx context.Context, resource string) {
	t, read := s.mustMake(ctx, resource, Own), s.reader(resource)
	ways := []map[string]any{t.values}
	if p := parent(resource); p != "" && s.maker(p) != nil {
		if own, _ := s.makeThing(ctx, p, Other, nil); own != nil {
			values := map[string]any{}
			for name, value := range t.values {
				values[name] = value
			}
			for name, value := range own.values {
				values[name] = value
			}
			ways = append(ways, values)
		}
	}
	s.Coverage.Mark(success(read), Judged)
	for i, values := range ways {
		ex := s.Send(ctx, s.plain(read, values), As(Other))
		body := objectOf(ex)
		if !OK(ex) || body != nil && itemID(body, resource) != "" && itemID(body, resource) != t.id() {
			continue
		}
		if body != nil && s.mine(ctx, body, resource, t) {
			continue
		}
		sent := "the id of a thing of one tenant, with the credentials of another"
		if i > 0 {
			sent += ", below a thing of their own"
		}
		s.found(finding.Finding{
			Class: "J1", Severity: finding.Must, Pointer: success(read),
			Claim: fmt.Sprintf("%s shows one tenant what is another's.", read.ID),
			Sent:  sent, Expected: "a refusal: " + refusalsOf(read), Got: describe(ex),
		}, read, t.made, ex)
		return
	}
}

// mine tells whether what a tenant reads under a name is not what the other has
// under it: where clients choose names, both may have one of the same name.
func (s *Session) mine(ctx context.Context, body map[string]any, resource string, t *thing) bool {
	if s.maker(resource).Path != resource {
		return false
	}
	st := s.look(ctx, t, Own)
	return st.seen() && !s.unchanged(st.body, body)
}

// foreignWrite: what is another's cannot be changed (J2), and nothing can be added
// to it (J5).
func (s *Session) foreignWrite(ctx context.Context, op *openapi.Operation, resource string) {
	t := s.mustMake(ctx, resource, Own)
	before := s.eventually(ctx, t, (*state).seen)
	if !before.seen() {
		s.Skip("what is created cannot be read")
	}
	var d *generate.Draft
	if bodySchema(op) != nil && op.Path == resource {
		d = s.change(op, t)
	} else {
		d = s.plain(op, t.values)
	}
	if conditional(op) && before.etag() != "" {
		setHeader(d, "If-Match", before.etag())
	}
	ex := s.Send(ctx, d, As(Other))
	after := s.look(ctx, t, Own)
	s.Coverage.Mark(success(op), Judged)
	f := finding.Finding{
		Class: "J2", Severity: finding.Must, Pointer: success(op),
		Sent: "the id of a thing of one tenant, with the credentials of another", Expected: "a refusal: " + refusalsOf(op), Got: describe(ex),
	}
	switch {
	case after.gone:
		f.Claim = fmt.Sprintf("%s lets one tenant delete what is another's.", op.ID)
	case after.seen() && s.changedBy(d, before, after):
		f.Claim = fmt.Sprintf("%s lets one tenant change what is another's.", op.ID)
	case OK(ex) && s.adds(op, resource):
		f.Class, f.Claim = "J5", fmt.Sprintf("%s lets one tenant add to what is another's.", op.ID)
	case OK(ex) && op.Path != resource && op.Method == http.MethodPost:
		f.Claim = fmt.Sprintf("%s lets one tenant act on what is another's.", op.ID)
	default:
		return
	}
	s.found(f, op, t.made, ex, after.ex)
}

// changedBy tells whether a thing has changed in something that a request names,
// or, if it names nothing, in what does not move by itself.
func (s *Session) changedBy(d *generate.Draft, before, after *state) bool {
	body, ok := d.Body.(map[string]any)
	if !ok || d.Op.Path != collectionOf(before.op, d.Op) {
		return false
	}
	for name := range body {
		if !ours(name) && !same(before.body[name], after.body[name]) {
			return true
		}
	}
	return false
}

// collectionOf is the path of an operation that shows what another changes.
func collectionOf(read, change *openapi.Operation) string {
	if read == nil {
		return ""
	}
	if read.Path == change.Path || strings.HasPrefix(change.Path, read.Path+"/") {
		return change.Path
	}
	return ""
}

// foreignList: what is another's is in no list (J3).
func (s *Session) foreignList(ctx context.Context, resource string) {
	t, marks := s.branded(ctx, resource)
	p := s.paging(s.lister(resource))
	drafts := []*generate.Draft{s.listRequest(p, t.values)}
	if above := parent(resource); above != "" && s.maker(above) != nil {
		if own, _ := s.makeThing(ctx, above, Other, nil); own != nil {
			drafts = append(drafts, s.listRequest(p, own.values))
		}
	}
	s.Coverage.Mark(success(p.op), Judged)
	for _, d := range drafts {
		l := s.walk(ctx, p, d, p.most(), nil, As(Other))
		if ex := s.showsForeign(l, resource, t, marks); ex != nil {
			s.found(finding.Finding{
				Class: "J3", Severity: finding.Must, Pointer: success(p.op),
				Claim: fmt.Sprintf("%s lists what is another tenant's.", p.op.ID),
				Sent:  "a request for the list, with the credentials of another tenant", Expected: "what is their own", Got: "what the other tenant has created",
			}, p.op, t.made, ex)
			return
		}
	}
}

// showsForeign is the page that shows a thing; nil if none does.
func (s *Session) showsForeign(l *listing, resource string, t *thing, marks []string) *wire.Exchange {
	for _, found := range l.pages {
		for _, item := range found.items {
			named := itemID(item, resource) == t.id() && s.maker(resource).Path != resource && len(t.id()) > 8
			if named || slices.ContainsFunc(textsIn(item), func(text string) bool { return slices.Contains(marks, text) }) {
				return found.ex
			}
		}
	}
	return nil
}

// foreignFilter: a cursor or a filter does not lead to what is another's (J6).
func (s *Session) foreignFilter(ctx context.Context, resource string) {
	t, marks := s.branded(ctx, resource)
	p := s.paging(s.lister(resource))
	s.makeUnder(ctx, resource, t.values, Own, nil)
	f := finding.Finding{
		Class: "J6", Severity: finding.Must, Pointer: success(p.op), Expected: "nothing of the other tenant, or a refusal",
		Got: "what the other tenant has created",
	}
	d := s.listRequest(p, t.values)
	if p.cursor != "" && p.limit != "" {
		d.Query[p.limit] = number(1)
		ex := s.Send(ctx, d)
		if found := p.read(ex); found != nil && found.next != "" && !isURL(found.next) {
			e := s.listRequest(p, t.values)
			e.Query[p.cursor], e.Query[p.limit] = found.next, number(1)
			if parameter := p.parameter(p.limit); parameter != nil && parameter.Schema.Maximum != "" {
				e.Query[p.limit] = number(p.most())
			}
			theirs := s.Send(ctx, e)
			through := s.Send(ctx, e, As(Other))
			shared := s.sharedItems(p, theirs, through, resource)
			s.Coverage.Mark(p.parameter(p.cursor).Pointer, Judged)
			if shared {
				f.Claim = fmt.Sprintf("%s takes the cursor of another tenant, and shows what is theirs.", p.op.ID)
				f.Sent = "a cursor that another tenant was given"
				s.found(f, p.op, ex, through)
				return
			}
		}
	}
	for _, parameter := range p.op.Parameters {
		if parameter.In != "query" || parameter.Schema == nil || slices.Contains([]string{p.limit, p.cursor, p.offset, p.number, p.sort}, parameter.Name) {
			continue
		}
		for _, value := range s.filterValues(parameter, t, marks) {
			d := s.listRequest(p, t.values)
			d.Query[parameter.Name] = value
			l := s.walk(ctx, p, d, p.most(), nil, As(Other))
			if ex := s.showsForeign(l, resource, t, marks); ex != nil {
				f.Claim = fmt.Sprintf("%s filters what is another tenant's.", p.op.ID)
				f.Sent = "a filter by " + parameter.Name
				s.found(f, p.op, t.made, ex)
				return
			}
		}
	}
}

// sharedItems tells whether two answers have an item in common.
func (s *Session) sharedItems(p *paging, a, b *wire.Exchange, resource string) bool {
	x, y := p.read(a), p.read(b)
	if x == nil || y == nil {
		return false
	}
	theirs := ids(x.items, resource)
	return slices.ContainsFunc(y.items, func(item map[string]any) bool {
		id := itemID(item, resource)
		return len(id) > 8 && slices.Contains(theirs, id)
	})
}

// filterValues are values of a filter that find a thing.
func (s *Session) filterValues(parameter *openapi.Parameter, t *thing, marks []string) []any {
	var all []any
	body, _ := t.request.Body.(map[string]any)
	candidates := []any{body[parameter.Name]}
	for _, mark := range marks {
		candidates = append(candidates, mark)
	}
	if schema := parameter.Schema; !schema.Allows("string") || schema.Allows("array") || schema.Allows("object") {
		candidates = append(candidates[:1], s.Source.Valid(schema, openapi.Request, generate.Minimal))
	}
	for _, v := range candidates {
		if v != nil && s.keeps(parameter.Schema, v, openapi.Request) {
			all = append(all, v)
		}
	}
	return all[:min(len(all), 3)]
}

// foreignReference: a body cannot refer to what is another's (J5).
func (s *Session) foreignReference(ctx context.Context, op *openapi.Operation, resource string, property *openapi.Property, reads string) {
	referred := ""
	for _, other := range s.kinds() {
		if read := s.reader(other); read != nil && read.ID == reads {
			referred = other
		}
	}
	if referred == "" {
		s.Skip("nothing creates what " + property.Name + " refers to")
	}
	own, _ := s.makeThing(ctx, referred, Other, nil)
	if own == nil {
		s.Skip("the other tenant cannot create a " + referred)
	}
	foreign := s.mustMake(ctx, referred, Own)
	send := func(id any) *wire.Exchange {
		if op.Path == resource {
			t, _ := s.makeThing(ctx, resource, Other, nil)
			if t == nil {
				s.Skip("the other tenant cannot create a " + resource)
			}
			body := s.fullBody(op, t)
			body[property.Name] = id
			return s.write(ctx, op, t, body)
		}
		_, ex := s.makeThing(ctx, resource, Other, func(d *generate.Draft) {
			if body, ok := d.Body.(map[string]any); ok {
				body[property.Name] = id
			}
		})
		return ex
	}
	if control := send(own.values[parameter(referred)]); !OK(control) {
		s.Skip(fmt.Sprintf("%s answers %d to a reference to what is one's own", op.ID, Status(control)))
	}
	ex := send(foreign.values[parameter(referred)])
	clause := openapi.Join(property.Schema.Pointer, openapi.ExtReference)
	s.Coverage.Mark(clause, Judged)
	if !OK(ex) {
		return
	}
	s.found(finding.Finding{
		Class: "J5", Severity: finding.Must, Pointer: clause,
		Claim: fmt.Sprintf("%s accepts a reference to what is another tenant's.", op.ID),
		Sent:  property.Name + " with the id of a thing of another tenant", Expected: "a refusal: " + refusalsOf(op), Got: describe(ex),
	}, op, foreign.made, ex)
}

// foreignTexts: no answer to one tenant has texts of another (J7).
func (s *Session) foreignTexts(ctx context.Context, resource string) {
	t, marks := s.branded(ctx, resource)
	marks = append(marks, s.ownTexts(t.request.Body)...)
	if id := t.id(); len(id) > 16 {
		marks = append(marks, id)
	}
	if len(marks) == 0 {
		s.Skip("nothing of " + resource + " is recognised again")
	}
	var answers []*wire.Exchange
	op := s.maker(resource)
	schema := bodySchema(op)
	own, _ := s.makeThing(ctx, resource, Other, nil)
	for _, action := range s.actions(resource) {
		answers = append(answers, s.Send(ctx, s.plain(action, t.values), As(Other)))
	}
	// What the other tenant wants to call as this one's is called: one property at
	// a time, so that the rest is not sent by themselves.
	given, _ := t.request.Body.(map[string]any)
	for _, name := range membersOf(given) {
		text, ok := given[name].(string)
		if !ok || !slices.Contains(marks, text) {
			continue
		}
		_, ex := s.makeThing(ctx, resource, Other, func(d *generate.Draft) {
			s.brand(schema, d.Body)
			with(d.Body, openapi.Join("", name), text, true)
		})
		answers = append(answers, ex)
		if own == nil {
			continue
		}
		for _, change := range s.writers(resource) {
			body := s.fullBody(change, own)
			if _, has := body[name]; !has {
				continue
			}
			s.brand(bodySchema(change), body)
			body[name] = text
			answers = append(answers, s.write(ctx, change, own, body))
		}
	}
	for _, ex := range answers {
		if ex.Response == nil || OK(ex) {
			continue
		}
		sent := string(ex.Request.Body) + ex.Request.Target
		for _, mark := range marks {
			if strings.Contains(sent, mark) || !strings.Contains(string(ex.Response.Head)+string(ex.Response.Body), mark) {
				continue
			}
			s.found(finding.Finding{
				Class: "J7", Severity: finding.Must, Pointer: openapi.Join(op.Pointer, "responses"),
				Claim: "An error message to one tenant has data of another.",
				Sent:  "a request that touches what is another tenant's", Expected: "nothing that only the other tenant knows",
				Got: "a text that the other tenant has sent",
			}, op, t.made, ex)
			return
		}
	}
}

// sharedKey: tenants do not share idempotency keys (J8).
func (s *Session) sharedKey(ctx context.Context, resource, header string) {
	op := s.maker(resource)
	first, key := s.withKey(ctx, resource, header)
	clause := keyClause(op, header)
	withHeader := func(key string) func(*generate.Draft) {
		return func(d *generate.Draft) { setHeader(d, header, key) }
	}
	if control, ex := s.makeThing(ctx, resource, Other, withHeader(s.newKey(op, header))); control == nil {
		s.Skip(fmt.Sprintf("%s answers the other tenant with %d", op.ID, Status(ex)))
	}
	second, ex := s.makeThing(ctx, resource, Other, withHeader(key))
	s.Coverage.Mark(clause, Judged)
	f := finding.Finding{
		Class: "J8", Severity: finding.Must, Pointer: clause,
		Sent:     "a key that another tenant has used, with another body",
		Expected: "what a new key is answered with", Got: describe(ex),
	}
	switch {
	case second != nil && second.id() == first.id() && op.Path != resource && len(first.id()) > 8:
		f.Claim, f.Got = fmt.Sprintf("%s gives one tenant the answer to a request of another.", op.ID), "the id of the other tenant's thing"
	case OK(ex) && ex.Response.Get("Idempotency-Replayed") == "true":
		f.Claim = fmt.Sprintf("%s gives one tenant the answer to a request of another.", op.ID)
	case Status(ex)/100 == 4 && Status(ex) != http.StatusTooManyRequests && Status(ex) != http.StatusUnauthorized:
		f.Claim = fmt.Sprintf("%s does not tell the keys of two tenants apart.", op.ID)
	default:
		return
	}
	s.found(f, op, first.made, ex)
}
