package check

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/schema"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

const (
	keeps  = generate.Keeps
	breaks = generate.Breaks
)

// caseProbes send every request that package generate makes for an operation, a
// probe for each clause: those that keep it must not be refused for their form,
// and those that break it must be.
func caseProbes(r *Runner) []Probe {
	var all []Probe
	for _, op := range r.Document.Operations {
		var order []string
		byClause := map[string][]generate.Case{}
		for _, c := range r.wantedCases(op) {
			if byClause[c.Clause] == nil {
				order = append(order, c.Clause)
			}
			byClause[c.Clause] = append(byClause[c.Clause], c)
		}
		for _, clause := range order {
			cases := byClause[clause]
			all = append(all, Probe{
				Name: CaseName(op.ID, clause), Class: cases[0].Class, Op: op, Clauses: []string{clause},
				Writes: op.Method != http.MethodGet && op.Method != http.MethodHead,
				Run:    func(ctx context.Context, s *Session) { s.runCases(ctx, op, cases) },
			})
		}
	}
	return all
}

// CaseName is that of the probe of an operation's cases of a clause.
func CaseName(op, clause string) string { return "case " + op + " " + clause }

// cases are those of an operation. They are made once for a run: what must be
// unique in them is made anew whenever one is sent.
func (r *Runner) cases(op *openapi.Operation) []generate.Case {
	r.mu.Lock()
	made, ok := r.made[op.ID]
	r.mu.Unlock()
	if ok {
		return made
	}
	source := &generate.Source{Doc: r.Document, Seed: r.seed(op.ID), Unique: r.unique, Stop: r.stopped}
	// In a form everything is text: {} is a text of two characters.
	made = slices.DeleteFunc(source.Cases(op), func(c generate.Case) bool {
		return c.Side == breaks && c.Keyword == "type" && (strings.Contains(c.In, "form-urlencoded") || strings.Contains(c.In, "multipart"))
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made[op.ID] = made
	return made
}

// wantedCases are those of the clauses that are wanted.
func (r *Runner) wantedCases(op *openapi.Operation) []generate.Case {
	if r.CasesOf == nil {
		return r.cases(op)
	}
	return r.casesOf(op, func(clause string) bool { return r.CasesOf(op, clause) })
}

// casesOf makes cases of some clauses.
func (r *Runner) casesOf(op *openapi.Operation, wanted func(clause string) bool) []generate.Case {
	source := &generate.Source{Doc: r.Document, Seed: r.seed(op.ID), Unique: r.unique, Stop: r.stopped}
	cases, _ := source.CasesOf(op, wanted)
	return cases
}

// simpleCases are those of parameters of the query and the header.
func (r *Runner) simpleCases(op *openapi.Operation) []generate.Case {
	if r.CasesOf == nil {
		return r.cases(op)
	}
	return r.casesOf(op, func(clause string) bool {
		return slices.ContainsFunc(op.Parameters, func(p *openapi.Parameter) bool {
			return strings.HasPrefix(clause, p.Pointer+"/") || p.Schema != nil && strings.HasPrefix(clause, p.Schema.Pointer+"/")
		})
	})
}

// runCases sends the cases of a clause.
func (s *Session) runCases(ctx context.Context, op *openapi.Operation, cases []generate.Case) {
	if _, ok := s.Alternative(op, Own); !ok {
		s.ensure(ctx, op)
		if _, ok := s.Alternative(op, Own); !ok {
			s.Skip("no credential for " + op.ID)
		}
	}
	baseline := s.baseline(ctx, op)
	if baseline.status == 0 || baseline.status == http.StatusTooManyRequests || baseline.status == http.StatusUnauthorized && !Public(op) {
		s.Skip(fmt.Sprintf("a valid request of %s is answered with %d", op.ID, baseline.status))
	}
	t := &sides{Session: s, op: op, baseline: baseline, refuses: s.refuses(ctx, op)}
	t.run(ctx, cases)
}

// namesOther tells whether a refusal names a place, and not that of a case.
func (s *Session) namesOther(c generate.Case, ex *wire.Exchange) bool {
	says, right := s.namesFault(c.Draft.Op, ex, c.At)
	return says && !right
}

// plainIs tells whether the request that cases differ from by a clause is answered
// like them: then it is refused for what has nothing to do with the clause.
func (s *Session) plainIs(ctx context.Context, op *openapi.Operation, sig signature) bool {
	for _, c := range s.cases(op) {
		if c.Plain {
			return signatureOf(s.sendCase(ctx, c)) == sig
		}
	}
	if len(s.references(op)) > 0 {
		return false // it would have to be made of what is there
	}
	source := &generate.Source{Doc: s.Document, Seed: s.seed(op.ID), Unique: s.unique}
	plain := source.Draft(op, generate.Full)
	return signatureOf(s.sendCase(ctx, generate.Case{Op: op, Draft: plain, Variant: generate.Variant{Side: keeps}})) == sig
}

// plainly tells whether the request that has nothing special was sent already: it
// keeps all clauses alike.
func (r *Runner) plainly(op *openapi.Operation) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.plain[op.ID]
}

// wentWell notes that it was, and was not refused.
func (r *Runner) wentWell(op *openapi.Operation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.plain[op.ID] = true
}

// sendCase sends a case to a resource that is there.
func (s *Session) sendCase(ctx context.Context, c generate.Case) *wire.Exchange {
	d := c.Draft.Clone()
	if len(s.references(d.Op)) > 0 {
		// What it refers to must be there: the case is made anew of what does.
		if again, err := c.Apply(s.Source, s.Draft(ctx, d.Op, false)); err == nil {
			d = again
		}
		if d.RawBody == nil && !s.refers(c) {
			s.refer(ctx, d)
		}
	}
	if len(prefixes(d.Op.Path)) > 0 {
		there := s.Draft(ctx, d.Op, c.Side == keeps && d.Op.Method == http.MethodDelete)
		for name, value := range there.Path {
			if _, aimed := d.RawPath[name]; !aimed && (c.In != "path" || c.Param != name) {
				d.Path[name] = value
			}
		}
	}
	if key := idempotencyKey(d.Op); key != "" && (c.In != "header" || c.Param != key) {
		// With a key that was used, this would be the repetition of another request.
		if _, sent := d.Header[key]; sent {
			d.Header[key] = s.freshKey(d.Op, key)
		}
	}
	if strings.HasPrefix(c.Label, "example-") && d.Op.Responses["201"] != nil {
		s.fixtures.persona.prove(d) // an example is of somebody else
	}
	renew := s.renewer()
	return s.Send(ctx, d, Changed(func(request *wire.Request) {
		request.Target = string(renew([]byte(request.Target)))
		request.Body = renew(request.Body)
		for i, f := range request.Header {
			request.Header[i].Value = string(renew([]byte(f.Value)))
		}
	}))
}

// freshKey is a value of a header that no request had before.
func (s *Session) freshKey(op *openapi.Operation, header string) any {
	key := s.unique()
	for _, p := range op.Parameters {
		if p.In == "header" && p.Name == header && p.Schema != nil && !schema.Valid(s.schemas.ValidateValue(p.Schema, openapi.Request, key)) {
			return s.NewDraft(op).Header[header]
		}
	}
	return key
}

// renewer replaces what was unique in a case by what is unique now: of the same
// length and the same letters, so that it keeps and breaks what it did.
func (r *Runner) renewer() func([]byte) []byte {
	serial := regexp.MustCompile(regexp.QuoteMeta(r.run) + fmt.Sprintf("[0-9a-z]{%d}", serialLength))
	renewed := map[string][]byte{}
	return func(text []byte) []byte {
		if !bytes.Contains(text, []byte(r.run)) {
			return text
		}
		return serial.ReplaceAllFunc(text, func(old []byte) []byte {
			if renewed[string(old)] == nil {
				renewed[string(old)] = []byte(r.unique())
			}
			return renewed[string(old)]
		})
	}
}

// judgeBroken judges the answer to a request that breaks one clause.
func (s *Session) judgeBroken(c generate.Case, ex *wire.Exchange, baseline signature, refuses []signature) {
	sig := signatureOf(ex)
	f := finding.Finding{
		Class: c.Class, Severity: finding.Must, Pointer: c.Clause, Sent: s.describe(c), Got: describe(ex), Steps: []wire.Exchange{*ex},
		Expected: "a refusal: " + refusalsOf(c.Draft.Op), Habits: takes(c),
	}
	if !OK(ex) && sig != baseline {
		s.habits.free(f.Class, f.Habits, placeOf(c))
	}
	if strings.HasPrefix(c.Clause, "/components/") {
		f.Cause = fmt.Sprintf("Accepts what breaks %s, written once at %s", c.Keyword, alternative.ReplaceAllString(c.Clause, ""))
	}
	switch {
	case c.Class == "E14":
		// It should not be sent; that it is ignored is right (OpenAPI 3.0.3 4.7.24.1).
	case OK(ex):
		f.Claim = fmt.Sprintf("accepts what breaks %s of %s", c.Keyword, place(c))
		s.Report(f, 1)
	case len(refuses) > 0 && sig == baseline && !slices.Contains(refuses, sig) && !OKStatus(baseline.status):
		if !s.saysTheSame(c.Op, ex) {
			break // its words tell that it has noticed
		}
		f.Severity, f.Habits, f.CauseClass = finding.Advice, nil, "A5"
		f.Cause = fmt.Sprintf("%s refuses what breaks the contract as it refuses what keeps it", c.Op.ID)
		f.Claim = fmt.Sprintf("does not notice what breaks %s of %s, though it refuses other faults first", c.Keyword, place(c))
		f.Expected = fmt.Sprintf("%d, as for other faults", refuses[0].status)
		s.Report(f, 1)
	case refusal(sig) && (strings.HasPrefix(c.In, "body") || c.In == "query" || c.In == "header") && c.At != "" && c.Raw == nil:
		at := c.At
		if c.Param != "" {
			at = c.Param
		}
		if says, right := s.namesFault(c.Draft.Op, ex, at); says && !right {
			f.Class, f.Severity, f.Cause, f.Habits = "L3", finding.Should, "", nil
			f.Claim = fmt.Sprintf("refuses what breaks %s in the %s, and names another place", c.Keyword, strings.SplitN(c.In, ":", 2)[0])
			f.Pointer = openapi.Join(c.Draft.Op.Pointer, "responses")
			f.Sent += " (" + place(c) + ")"
			f.Expected = "an error that names " + c.At
			f.Cause = fmt.Sprintf("Errors of %s name another place than the one that is wrong, in the %s", c.Op.ID, strings.SplitN(c.In, ":", 2)[0])
			s.Report(f, 1)
		}
	}
}

// judgeKept judges the answer to a request that keeps the document.
func (s *Session) judgeKept(ctx context.Context, c generate.Case, ex *wire.Exchange, baseline signature, refuses []signature) {
	sig := signatureOf(ex)
	class := c.Class
	if class == "" {
		class = "A4"
	}
	habit := refusesValid(c)
	if OK(ex) {
		s.habits.free(class, habit, placeOf(c))
	}
	if OK(ex) || sig == baseline || generate.Opaque(c.Op, c.Param) || s.refers(c) {
		return
	}
	formal := slices.Contains(refuses, sig)
	switch sig.status {
	case http.StatusMethodNotAllowed, http.StatusUnsupportedMediaType, http.StatusNotAcceptable, http.StatusLengthRequired, http.StatusNotImplemented:
		formal = true
	case http.StatusBadRequest:
		formal = formal || len(refuses) == 0 && OKStatus(baseline.status)
	}
	if !formal {
		return // for a reason that no schema tells
	}
	if c.Plain && c.Op.Body != nil {
		// No clause is to blame: the parts may mean something together.
		cause := ""
		if strings.HasPrefix(c.Op.Body.Pointer, "/components/") {
			cause = "Refuses a request with everything that is optional in the body that is written once at " + c.Op.Body.Pointer
		}
		s.Report(finding.Finding{
			Class: "A4", Severity: finding.Should, Pointer: c.Op.Body.Pointer, Cause: cause,
			Claim: "refuses a request with everything that is optional and nothing that is special",
			Sent:  "a body that is valid by the document", Got: describe(ex), Steps: []wire.Exchange{*ex},
			Expected: "no refusal of its form: it is valid by the document",
		}, 1)
		return
	}
	if what := s.refusesMore(ctx, c, sig); what != "" {
		at := s.subject(c)
		s.Report(finding.Finding{
			Class: "A4", Severity: finding.Should, Pointer: at, Claim: "refuses " + what + " " + place(c) + ", which the document allows",
			Cause: "Refuses " + what + " " + at + ", which the document allows",
			Sent:  s.describe(c), Got: describe(ex), Steps: []wire.Exchange{*ex}, Expected: "no refusal of its form: it is valid by the document",
		}, 1)
		return
	}
	cause := ""
	if strings.HasPrefix(c.Clause, "/components/") {
		cause = fmt.Sprintf("Refuses what keeps %s, written once at %s", c.Keyword, c.Clause)
	}
	s.Report(finding.Finding{
		Class: class, Severity: finding.Must, Pointer: c.Clause, Cause: cause, Habits: habit,
		Claim: fmt.Sprintf("refuses what keeps %s of %s", c.Keyword, place(c)),
		Sent:  s.describe(c), Got: describe(ex), Steps: []wire.Exchange{*ex},
		Expected: "no refusal of its form: it is valid by the document",
	}, 1)
}

// OKStatus tells whether a status is a success.
func OKStatus(status int) bool { return status/100 == 2 }

// place names where a case was aimed at.
func place(c generate.Case) string {
	switch {
	case strings.HasPrefix(c.In, "body") && c.At == "":
		return "the body"
	case strings.HasPrefix(c.In, "body"):
		return "the body's " + c.At
	case c.Param != "":
		return "the " + c.In + " parameter " + c.Param + c.At
	default:
		return "the request"
	}
}

func (s *Session) describe(c generate.Case) string { return c.Why }

// describe says what came back, in a few words.
func describe(ex *wire.Exchange) string {
	if ex.Response == nil {
		return fmt.Sprintf("no answer: %v", ex.Err)
	}
	text := fmt.Sprintf("%d %s", ex.Response.Status, http.StatusText(ex.Response.Status))
	if code := signatureOf(ex).code; code != "" {
		text += " (" + code + ")"
	}
	return strings.TrimSpace(text)
}

// refusalsOf lists the client errors that an operation declares.
func refusalsOf(op *openapi.Operation) string {
	var keys []string
	for key := range op.Responses {
		if strings.HasPrefix(key, "4") {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	if len(keys) == 0 {
		return "4xx"
	}
	return strings.Join(keys, ", ")
}
