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

// mostRefusals is how many ways to be refused are tried for one operation, by
// scenarios that look at what is left of each.
const mostRefusals = 10

// refusedLeavesNothing: a creation that was refused has created nothing (H4). What
// it would have created is looked for in the list, by texts that only this request
// had; and where no two things may have the same value, the same values must still
// be free.
func (s *Session) refusedLeavesNothing(ctx context.Context, resource string) {
	op := s.maker(resource)
	schema := bodySchema(op)
	if schema == nil {
		s.Skip(op.ID + " takes no JSON")
	}
	p := s.paging(s.lister(resource))
	conflict := s.conflict(ctx, resource)
	if p == nil && conflict.status == 0 {
		s.Skip("nothing shows what " + op.ID + " has created")
	}
	first := s.mustMake(ctx, resource, Own)
	above := first.values
	refused := map[string]*wire.Exchange{} // by text of the request
	for _, c := range s.wrongs(op, mostRefusals) {
		d := s.plain(op, above)
		marks := s.brand(schema, d.Body)
		marks = append(marks, s.ownTexts(d.Body)...)
		valid := d.Clone()
		if !s.spoil(d, c, schema) {
			continue
		}
		ex := s.Send(ctx, d)
		if status := Status(ex); status/100 != 4 || status == http.StatusTooManyRequests {
			continue
		}
		s.Coverage.Mark(op.StatusPointer(itoa(Status(ex))), Judged)
		for _, mark := range marks {
			refused[mark] = ex
		}
		if p == nil && conflict.status != 0 {
			if again := s.Send(ctx, valid); signatureOf(again) == conflict {
				s.leftBehind(op, ex, again, "the same request without the fault is refused: "+describe(again))
			}
		}
	}
	if p == nil || len(refused) == 0 {
		return
	}
	l := s.walk(ctx, p, s.listRequest(p, above), p.most(), nil)
	for _, found := range l.pages {
		for _, item := range found.items {
			for _, text := range textsIn(item) {
				if ex := refused[text]; ex != nil {
					s.leftBehind(op, ex, found.ex, "it is in the list")
					delete(refused, text)
				}
			}
		}
	}
}

func (s *Session) leftBehind(op *openapi.Operation, refused, shown *wire.Exchange, got string) {
	s.found(finding.Finding{
		Class: "H4", Severity: finding.Must, Pointer: op.StatusPointer(itoa(Status(refused))),
		Claim: fmt.Sprintf("%s creates something though it answers with an error.", op.ID),
		Sent:  "a request that is refused: " + describe(refused), Expected: "nothing is created", Got: got,
	}, op, refused, shown)
}

// textsIn are all texts of a value.
func textsIn(v any) []string {
	var all []string
	switch v := v.(type) {
	case map[string]any:
		for _, name := range membersOf(v) {
			all = append(all, textsIn(v[name])...)
		}
	case []any:
		for _, item := range v {
			all = append(all, textsIn(item)...)
		}
	case string:
		all = append(all, v)
	}
	return all
}

// wrongs are some of the cases that break the body of an operation, of as many
// kinds as there are.
func (s *Session) wrongs(op *openapi.Operation, most int) []generate.Case {
	byKind := map[string][]generate.Case{}
	var kinds []string
	for _, c := range s.cases(op) {
		if c.Side != breaks || c.In != "body" || c.Raw != nil || c.Draft.RawBody != nil || !isJSON(c.Draft.ContentType) {
			continue
		}
		kind := c.Keyword
		if byKind[kind] == nil {
			kinds = append(kinds, kind)
		}
		byKind[kind] = append(byKind[kind], c)
	}
	var all []generate.Case
	for round := 0; len(all) < most; round++ {
		before := len(all)
		for _, kind := range kinds {
			if round < len(byKind[kind]) && len(all) < most {
				all = append(all, byKind[kind][round])
			}
		}
		if len(all) == before {
			break
		}
	}
	return all
}

// spoil breaks a valid body as a case does, and nothing else of it. It tells
// whether the body is invalid now.
func (s *Session) spoil(d *generate.Draft, c generate.Case, schema *openapi.Schema) bool {
	body, ok := d.Body.(map[string]any)
	wrong, isObject := c.Draft.Body.(map[string]any)
	if !ok {
		return false
	}
	tokens := openapi.Split(c.At)
	switch {
	case len(tokens) == 0 && isObject:
		for _, name := range schema.Required {
			if _, has := wrong[name]; !has {
				delete(body, name)
			}
		}
		for name, value := range wrong {
			if schema.Property(name) == nil {
				body[name] = copyJSON(value)
			}
		}
	case len(tokens) == 0:
		d.Body = copyJSON(c.Draft.Body)
	default: // the whole top-level property: the rest stays as it is
		if value, has := wrong[tokens[0]]; has {
			body[tokens[0]] = copyJSON(value)
		} else {
			delete(body, tokens[0])
		}
	}
	return !s.keeps(schema, d.Body, openapi.Request)
}

// conflict is how an operation refuses what there is already; its status is 0 if
// it does not: the same request is answered twice with a success.
func (s *Session) conflict(ctx context.Context, resource string) signature {
	op := s.maker(resource)
	if op.Path == resource {
		return signature{}
	}
	t, _ := s.branded(ctx, resource)
	again := t.request.Clone()
	dropHeader(again, "Idempotency-Key")
	sig := signatureOf(s.Send(ctx, again))
	switch {
	case sig.status/100 != 4, sig.status == http.StatusTooManyRequests, sig.status == http.StatusUnauthorized,
		sig.status == http.StatusNotFound, sig.status == http.StatusMethodNotAllowed, !declares(op, sig.status):
		return signature{}
	}
	if other, _ := s.makeUnder(ctx, resource, t.values, Own, nil); other == nil {
		return signature{} // it refuses everything now
	}
	return sig
}

// listAgrees: what was created is in the list, and looks there as it does alone,
// also after it has changed (H11).
func (s *Session) listAgrees(ctx context.Context, resource string) {
	t := s.mustMake(ctx, resource, Own)
	if st := s.eventually(ctx, t, (*state).seen); !st.seen() {
		s.Skip("what is created cannot be read")
	}
	if s.agrees(ctx, t, "") && s.alter(ctx, t, s.look(ctx, t, Own)) != nil {
		s.agrees(ctx, t, " after an update")
	}
}

func (s *Session) agrees(ctx context.Context, t *thing, when string) bool {
	p := s.paging(s.lister(t.resource))
	alone, listed := s.look(ctx, t, Own), s.lookInList(ctx, t, Own)
	for _, moment := range patience {
		if listed.seen() && len(s.disagreements(p, alone, listed)) == 0 || !wait(ctx, moment) {
			break
		}
		alone, listed = s.look(ctx, t, Own), s.lookInList(ctx, t, Own)
	}
	f := finding.Finding{Class: "H11", Severity: finding.Must, Pointer: success(p.op), Sent: "the requests to read and to list what was created"}
	s.Coverage.Mark(f.Pointer, Judged)
	if listed.gone && alone.seen() {
		f.Claim = fmt.Sprintf("%s leaves out what %s shows%s.", p.op.ID, alone.op.ID, when)
		f.Expected, f.Got = "what was created, among the items", "a list without it"
		s.found(f, p.op, alone.ex, listed.ex)
		return false
	}
	differ := s.disagreements(p, alone, listed)
	if len(differ) == 0 {
		return true
	}
	f.Claim = fmt.Sprintf("%s and %s do not agree%s.", p.op.ID, alone.op.ID, when)
	f.Expected, f.Got = excerpt(alone.body, differ), excerpt(listed.body, differ)
	s.found(f, p.op, alone.ex, listed.ex)
	return false
}

// excerpt shows some members of an object.
func excerpt(object map[string]any, names []string) string {
	some := map[string]any{}
	for _, name := range names {
		some[name] = object[name]
	}
	return show(some)
}

// disagreements are the properties that a thing has in another way in a list,
// though the document describes them in the same way.
func (s *Session) disagreements(p *paging, alone, listed *state) []string {
	if !alone.seen() || !listed.seen() {
		return nil
	}
	var all []string
	for _, name := range membersOf(listed.body) {
		value, has := alone.body[name]
		is := s.propertyOf(alone.schema, alone.body, name, openapi.Answer)
		was := s.propertyOf(p.item, listed.body, name, openapi.Answer)
		if !has || is == nil || was == nil || is.Pointer != was.Pointer && !slices.Equal(is.Types, was.Types) {
			continue
		}
		if _, nested := value.(map[string]any); nested && is.Pointer != was.Pointer {
			continue
		}
		if !same(value, listed.body[name]) {
			all = append(all, name)
		}
	}
	return all
}

// childOfItsParent: a child is not found under another parent (H12).
func (s *Session) childOfItsParent(ctx context.Context, resource string) {
	child := s.mustMake(ctx, resource, Own)
	stranger := s.mustMake(ctx, parent(resource), Own)
	if st := s.eventually(ctx, child, (*state).seen); !st.seen() {
		s.Skip("what is created cannot be read")
	}
	wrong := map[string]any{}
	for name, value := range child.values {
		wrong[name] = value
	}
	for name, value := range stranger.values {
		wrong[name] = value
	}
	read := s.reader(resource)
	s.Coverage.Mark(success(read), Judged)
	f := finding.Finding{
		Class: "H12", Severity: finding.Must, Sent: "the id of a child, and that of another parent", Expected: "404",
	}
	ex := s.Send(ctx, s.plain(read, wrong))
	if body := objectOf(ex); OK(ex) && (body == nil || itemID(body, resource) == "" || itemID(body, resource) == child.id()) {
		f.Pointer, f.Claim = success(read), fmt.Sprintf("%s finds a child under a parent that is not its own.", read.ID)
		f.Got = describe(ex)
		s.found(f, read, ex)
	}
	for _, op := range append(s.writers(resource), s.deleter(resource)) {
		if op == nil {
			continue
		}
		before := s.look(ctx, child, Own)
		d := s.change(op, child)
		for name, value := range wrong {
			if pathHas(op, name) {
				d.Path[name] = value
			}
		}
		if conditional(op) && before.etag() != "" {
			setHeader(d, "If-Match", before.etag())
		}
		ex := s.Send(ctx, d)
		if !OK(ex) || names(op, http.StatusCreated) {
			continue
		}
		after := s.look(ctx, child, Own)
		if before.seen() && (after.gone || after.seen() && !s.unchanged(before.body, after.body)) {
			f.Pointer, f.Claim = success(op), fmt.Sprintf("%s changes a child under a parent that is not its own.", op.ID)
			f.Got = describe(ex)
			s.found(f, op, ex, after.ex)
		}
	}
}

// idsAreTheServers: ids cannot be chosen by clients, and do not come again (H13).
func (s *Session) idsAreTheServers(ctx context.Context, resource string) {
	op := s.maker(resource)
	s.idIsNotTaken(ctx, resource, op)
	if s.deleter(resource) == nil {
		return
	}
	for range rounds { // somebody else may be given the id
		old, _ := s.branded(ctx, resource)
		if removed := s.remove(ctx, old); !OK(removed) {
			return
		}
		_, digits := rational(fmt.Sprint(old.values[parameter(resource)]))
		if !digits && len(s.ownTexts(old.request.Body)) == 0 {
			return // an id may be made of what the thing says
		}
		next, _ := s.makeUnder(ctx, resource, old.values, Own, nil)
		if next == nil || next.id() != old.id() || strings.Contains(string(next.made.Request.Body), next.id()) {
			continue
		}
		s.found(finding.Finding{
			Class: "H13", Severity: finding.Should, Pointer: success(op),
			Claim: fmt.Sprintf("%s gives an id again that was another's, which is deleted.", op.ID),
			Sent:  "a creation, a deletion and another creation", Expected: "an id that was not there before", Got: "the id of what was deleted",
		}, op, old.made, next.made)
		return
	}
}

// idIsNotTaken: an id in the body of a creation is refused or ignored.
func (s *Session) idIsNotTaken(ctx context.Context, resource string, op *openapi.Operation) {
	schema, read := bodySchema(op), s.reader(resource)
	if schema == nil || read == nil {
		return
	}
	name := "id"
	if made := answerSchema(op, http.StatusCreated); made != nil && made.Property(parameter(resource)) != nil {
		name = parameter(resource)
	}
	clause := op.Body.Pointer
	if property := schema.Property(name); property != nil {
		if !property.ReadOnly {
			return // the document lets clients choose
		}
		clause = openapi.Join(property.Pointer, "readOnly")
	}
	wanted := s.fresh(read, parameter(resource))
	t, ex := s.makeThing(ctx, resource, Own, func(d *generate.Draft) {
		if body, ok := d.Body.(map[string]any); ok {
			body[name] = wanted
		}
	})
	s.Coverage.Mark(clause, Judged|SentInvalid)
	if t == nil || t.id() != fmt.Sprint(wanted) {
		return
	}
	s.found(finding.Finding{
		Class: "H13", Severity: finding.Must, Pointer: clause,
		Claim: fmt.Sprintf("%s takes the id that the client sends.", op.ID),
		Sent:  name + " in the body", Expected: "an id of the server's own, or a refusal", Got: "the id that was sent",
	}, op, ex)
}
