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

// concurrencyProbes repeat requests, one after the other and at the same moment.
//
// What an idempotency key means is taken from [openapi.ExtIdempotencyKey], or from
// a header parameter that is called Idempotency-Key (the IETF draft
// httpapi-idempotency-key-header, of which version 07 says the same). What is
// unique is declared ([openapi.ExtUnique]), or learned: a creation that is refused
// when it is repeated, while another is not. A learned rule is one that the server
// keeps already; only whether it keeps it against itself is tried then.
//
// # What is not held against a server
//
//   - That all but one of requests at the same moment are refused, with whatever
//     the operation declares.
//   - That a repetition with a key is refused while the first is under way.
//   - That a repetition is answered anew, if it names the same thing.
//   - If-Match, where the operation declares neither it nor 412.
func concurrencyProbes(r *Runner) []Probe {
	var all []Probe
	alone := false
	add := func(class, name string, op *openapi.Operation, run func(ctx context.Context, s *Session)) {
		all = append(all, Probe{Name: class + " " + name, Class: class, Op: op, Writes: true, Alone: alone, Run: run})
	}
	for _, resource := range r.kinds() {
		op := r.maker(resource)
		alone = r.sharing(resource)
		if key := idempotencyKey(op); key != "" && bodySchema(op) != nil {
			add("I1", op.ID, op, func(ctx context.Context, s *Session) { s.keyRepeated(ctx, resource, key) })
			add("I2", op.ID, op, func(ctx context.Context, s *Session) { s.keyForAnother(ctx, resource, key) })
			add("I3", op.ID, op, func(ctx context.Context, s *Session) { s.keyAtOnce(ctx, resource, key) })
		}
		if op.Path != resource && bodySchema(op) != nil {
			add("I4", op.ID, op, func(ctx context.Context, s *Session) { s.uniqueAtOnce(ctx, resource) })
			add("I9", op.ID, op, func(ctx context.Context, s *Session) { s.duplicate(ctx, resource) })
		}
		for _, change := range append(r.writers(resource), r.deleter(resource)) {
			if change == nil {
				continue
			}
			if conditional(change) {
				add("I5", change.ID, change, func(ctx context.Context, s *Session) { s.outdated(ctx, change, resource) })
			}
			if names(change, http.StatusPreconditionRequired) {
				add("I6", change.ID, change, func(ctx context.Context, s *Session) { s.unconditional(ctx, change, resource) })
			}
			if change.Method != http.MethodDelete && conditional(change) {
				add("I7", change.ID, change, func(ctx context.Context, s *Session) { s.updatesAtOnce(ctx, change, resource) })
			}
			if change.Method == http.MethodPatch {
				add("I7", change.ID+" apart", change, func(ctx context.Context, s *Session) { s.patchesAtOnce(ctx, change, resource) })
			}
			if change.Method != http.MethodDelete && r.deleter(resource) != nil {
				add("I8", change.ID, change, func(ctx context.Context, s *Session) { s.updateAndDelete(ctx, change, resource) })
			}
		}
	}
	alone = false
	for _, op := range r.Document.Operations {
		if x, ok := op.Extensions[openapi.ExtIncrement].(map[string]any); ok {
			add("I7", op.ID, op, func(ctx context.Context, s *Session) { s.increments(ctx, op, x) })
		}
	}
	return all
}

// A race is tried so often, with so many requests at the same moment: it is not
// lost each time.
const (
	rounds = 3
	atOnce = 6
)

// idempotencyKey is the header that makes repeated requests one; empty if the
// operation has none.
func idempotencyKey(op *openapi.Operation) string {
	if name, ok := op.Extensions[openapi.ExtIdempotencyKey].(string); ok {
		return name
	}
	if p := headerOf(op, "Idempotency-Key"); p != nil {
		return p.Name
	}
	return ""
}

// newKey is an idempotency key that nobody has used.
func (s *Session) newKey(op *openapi.Operation, header string) string {
	p := headerOf(op, header)
	key := "cnf-" + s.unique()
	if p == nil || p.Schema == nil || s.keeps(p.Schema, key, openapi.Request) {
		return key
	}
	if text, ok := s.Source.Valid(p.Schema, openapi.Request, generate.Full).(string); ok {
		return text
	}
	return key
}

// declaresKey tells whether what a key means is declared, and not only named.
func declaresKey(op *openapi.Operation) bool { return op.Extensions[openapi.ExtIdempotencyKey] != nil }

// keyClause is the clause that an idempotency key is of.
func keyClause(op *openapi.Operation, header string) string {
	if p := headerOf(op, header); p != nil {
		return p.Pointer
	}
	return openapi.Join(op.Pointer, openapi.ExtIdempotencyKey)
}

// withKey creates a thing with a key.
func (s *Session) withKey(ctx context.Context, resource, header string) (t *thing, key string) {
	op := s.maker(resource)
	key = s.newKey(op, header)
	t, ex := s.makeThing(ctx, resource, Own, func(d *generate.Draft) { setHeader(d, header, key) })
	if t == nil {
		s.Skip(fmt.Sprintf("%s answers %d, or does not tell what it has created", op.ID, Status(ex)))
	}
	return t, key
}

// keyRepeated: the same key and the same body are the same request (I1).
func (s *Session) keyRepeated(ctx context.Context, resource, header string) {
	op := s.maker(resource)
	first, _ := s.withKey(ctx, resource, header)
	ex := s.Send(ctx, first.request)
	second := s.thingOf(resource, Own, first.request, ex)
	f := finding.Finding{
		Class: "I1", Severity: finding.Must, Pointer: keyClause(op, header),
		Sent: "the same request with the same " + header + " again", Expected: "the answer to the first", Got: describe(ex),
	}
	s.Coverage.Mark(f.Pointer, Judged)
	switch status := Status(ex); {
	case second != nil && second.id() != first.id():
		f.Claim, f.Got = fmt.Sprintf("%s creates a second thing when a request is repeated with its key.", op.ID), "another id: "+second.id()
	case status/100 == 4 && status != http.StatusTooManyRequests && status != http.StatusUnauthorized:
		f.Claim = fmt.Sprintf("%s refuses a request that is repeated with its key.", op.ID)
		if !declaresKey(op) {
			f.Severity = finding.Should
		}
	default:
		return
	}
	s.found(f, op, first.made, ex)
}

// keyForAnother: a key is not taken for another body (I2).
func (s *Session) keyForAnother(ctx context.Context, resource, header string) {
	op := s.maker(resource)
	first, key := s.withKey(ctx, resource, header)
	d := s.plain(op, first.values)
	setHeader(d, header, key)
	s.brand(bodySchema(op), d.Body)
	if same(d.Body, first.request.Body) {
		if body, ok := d.Body.(map[string]any); ok {
			d.Body = s.vary(bodySchema(op), body, true)
		}
	}
	if same(jsonOf(mustWrite(d.Body)), jsonOf(first.made.Request.Body)) {
		s.Skip("there is no second body")
	}
	ex := s.Send(ctx, d)
	clause := keyClause(op, header)
	s.Coverage.Mark(clause, Judged|SentInvalid)
	if !OK(ex) {
		return
	}
	f := finding.Finding{
		Class: "I2", Severity: finding.Must, Pointer: clause,
		Claim: fmt.Sprintf("%s takes a key for another body than it was sent with before.", op.ID),
		Sent:  "another body with the same " + header, Expected: "a refusal: " + refusalsOf(op), Got: describe(ex),
	}
	if !declaresKey(op) {
		f.Severity = finding.Should
	}
	s.found(f, op, first.made, ex)
}

// mustWrite writes a value as JSON; nothing if it cannot be written.
func mustWrite(v any) []byte {
	text, err := generate.MarshalJSON(v)
	if err != nil {
		return nil
	}
	return text
}

// keyAtOnce: requests with one key at the same moment create one thing (I3).
func (s *Session) keyAtOnce(ctx context.Context, resource, header string) {
	op := s.maker(resource)
	first, _ := s.withKey(ctx, resource, header) // what is above it is there
	clause := keyClause(op, header)
	for range rounds {
		d := s.plain(op, first.values)
		setHeader(d, header, s.newKey(op, header))
		exchanges := s.together(ctx, slices.Repeat([]*generate.Draft{d}, atOnce))
		made := s.distinctThings(resource, d, exchanges)
		s.Coverage.Mark(clause, Judged)
		if len(made) < 2 {
			continue
		}
		s.found(finding.Finding{
			Class: "I3", Severity: finding.Must, Pointer: clause,
			Claim:    fmt.Sprintf("%s creates several things of requests that have one key, if they come at once.", op.ID),
			Sent:     fmt.Sprintf("the same request with the same %s, %d times at the same moment", header, atOnce),
			Expected: "one thing", Got: fmt.Sprintf("%d things", len(made)),
		}, op, made...)
		return
	}
}

// distinctThings are exchanges of which each has created another thing.
func (s *Session) distinctThings(resource string, d *generate.Draft, exchanges []*wire.Exchange) []*wire.Exchange {
	seen := map[string]bool{}
	var all []*wire.Exchange
	for _, ex := range exchanges {
		t := s.thingOf(resource, Own, d, ex)
		if t == nil || seen[t.id()] {
			continue
		}
		seen[t.id()] = true
		all = append(all, ex)
	}
	return all
}

// uniqueAtOnce: of requests that want the same, one succeeds (I4).
func (s *Session) uniqueAtOnce(ctx context.Context, resource string) {
	op := s.maker(resource)
	declared := s.uniques(resource)
	conflict := s.conflict(ctx, resource)
	if conflict.status == 0 && len(declared) == 0 {
		s.Skip("nothing is unique in what " + op.ID + " creates")
	}
	above := s.mustMake(ctx, resource, Own).values
	clause := uniqueClause(op, conflict)
	for range rounds {
		d := s.plain(op, above)
		exchanges := s.together(ctx, slices.Repeat([]*generate.Draft{d}, atOnce))
		made := s.distinctThings(resource, d, exchanges)
		s.Coverage.Mark(clause, Judged)
		if len(made) < 2 {
			continue
		}
		s.found(finding.Finding{
			Class: "I4", Severity: finding.Must, Pointer: clause,
			Claim:    fmt.Sprintf("%s creates the same thing more than once, if requests come at the same moment.", op.ID),
			Sent:     fmt.Sprintf("the same request %d times at the same moment, of which a second is refused otherwise", atOnce),
			Expected: "one success", Got: fmt.Sprintf("%d successes", len(made)),
		}, op, made...)
		return
	}
}

// uniqueClause is the clause by which a second one is refused.
func uniqueClause(op *openapi.Operation, conflict signature) string {
	switch {
	case conflict.status != 0 && names(op, conflict.status):
		return op.StatusPointer(itoa(conflict.status))
	case names(op, http.StatusConflict):
		return op.StatusPointer(itoa(http.StatusConflict))
	}
	return openapi.Join(op.Pointer, openapi.ExtUnique)
}

// taken is what documents say of a status that refuses what there is already.
var taken = []string{"already in use", "is in use", "already exists", "already taken", "is taken", "already registered", "must be unique", "not unique", "duplicate"}

// saysUnique is the key of the response that refuses what there is already, and the
// pointers of what is unique: 409 with [openapi.ExtUnique], or a client error of
// this operation alone whose description says that a property is taken. Empty:
// nothing is unique.
func (s *Session) saysUnique(resource string) (key string, unique []string) {
	op := s.maker(resource)
	if unique = s.uniques(resource); len(unique) > 0 {
		if response := declared(op, http.StatusConflict); response != nil {
			return response.Key, unique
		}
		return "", nil
	}
	for _, key := range keys(op) {
		response := op.Responses[key]
		if !strings.HasPrefix(key, "4") || response.Pointer != op.StatusPointer(key) {
			continue // what many operations share says nothing of this one
		}
		text := ""
		if object, ok := openapi.Decode(s.Document.At(response.Pointer)).(map[string]any); ok {
			text, _ = object["description"].(string)
		}
		text = strings.ToLower(strings.Join(strings.Fields(text), " "))
		if !slices.ContainsFunc(taken, func(words string) bool { return strings.Contains(text, words) }) {
			continue
		}
		for _, p := range propertiesOf(bodySchema(op), 0) {
			if strings.Contains(letters(text), letters(p.Name)) && p.Schema.Allows("string") {
				return key, []string{openapi.Join("", p.Name)}
			}
		}
	}
	return "", nil
}

// letters are the small letters of a text: "e-mail" and "email" have the same.
func letters(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 'a' || r > 'z' {
			return -1
		}
		return r
	}, strings.ToLower(text))
}

// duplicate: what there is already is refused (I9).
func (s *Session) duplicate(ctx context.Context, resource string) {
	op := s.maker(resource)
	key, unique := s.saysUnique(resource)
	if key == "" {
		s.Skip(op.ID + " declares nothing to be unique")
	}
	first, _ := s.branded(ctx, resource)
	clause := op.StatusPointer(key)
	for _, pointer := range unique {
		value, has := pick(first.request.Body, pointer)
		d := s.plain(op, first.values)
		if !has || len(openapi.Split(pointer)) == 0 {
			continue
		}
		with(d.Body, pointer, value, true)
		ex := s.Send(ctx, d)
		s.Coverage.Mark(clause, Judged)
		if !OK(ex) {
			continue
		}
		if second := s.thingOf(resource, Own, d, ex); second != nil && second.id() == first.id() {
			continue // it names the one that there is
		}
		f := finding.Finding{
			Class: "I9", Severity: finding.Must, Pointer: clause,
			Claim: fmt.Sprintf("%s creates what there is already.", op.ID),
			Sent:  pointer + " as of what there is", Expected: key, Got: describe(ex),
		}
		if op.Extensions[openapi.ExtUnique] == nil {
			f.Severity = finding.Should
		}
		s.found(f, op, first.made, ex)
	}
	s.uniqueOnUpdate(ctx, resource, s.uniques(resource))
}

// uniqueOnUpdate: an update cannot make two things the same either.
func (s *Session) uniqueOnUpdate(ctx context.Context, resource string, declared []string) {
	for _, op := range s.writers(resource) {
		for _, pointer := range declared {
			tokens := openapi.Split(pointer)
			if len(tokens) != 1 || !names(op, http.StatusConflict) || s.propertyOf(bodySchema(op), nil, tokens[0], openapi.Request) == nil {
				continue
			}
			first := s.mustMake(ctx, resource, Own)
			second, _ := s.makeUnder(ctx, resource, first.values, Own, nil)
			value, has := pick(first.request.Body, pointer)
			body := s.fullBody(op, first)
			if second == nil || !has || body == nil {
				continue
			}
			body[tokens[0]] = value
			ex := s.write(ctx, op, second, body)
			s.Coverage.Mark(op.StatusPointer("409"), Judged)
			if OK(ex) {
				s.found(finding.Finding{
					Class: "I9", Severity: finding.Must, Pointer: op.StatusPointer("409"),
					Claim: fmt.Sprintf("%s makes something the same as what there is already.", op.ID),
					Sent:  "what must be unique, and is another's", Expected: "409", Got: describe(ex),
				}, op, ex)
			}
		}
	}
}
