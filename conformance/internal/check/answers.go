package check

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// answerProbes provoke answers that are judged by more than what can be seen of
// them: whether the status is the one for the mistake, whether what was created is
// where Location says, whether all declared successes come, whether an error names
// the parameter that is wrong, and whether the request comes back as markup (what is
// sent to other paths is in reflect.go).
func answerProbes(r *Runner) []Probe {
	var all []Probe
	for _, op := range r.Document.Operations {
		add := func(p Probe, clauses ...string) {
			p.Clauses, p.Writes = clauses, !safe(op.Method)
			all = append(all, p)
		}
		for _, m := range r.mistakes(op) {
			p := probeOf("A5", op, func(ctx context.Context, s *Session) { s.mistaken(ctx, op, m) })
			p.Name += " " + m.name
			add(p, op.StatusPointer(itoa(m.want)))
		}
		if !Public(op) && names(op, http.StatusUnauthorized) {
			add(probeOf("A8", op, probeWho), op.StatusPointer("401"))
		}
		if names(op, http.StatusCreated) {
			add(probeOf("B3", op, probeLocation), op.StatusPointer("201"))
		}
		if op.Method == http.MethodDelete {
			add(probeOf("O9", op, probeOnce))
		}
		add(probeOf("L6", op, probeReflection))
		if len(op.Parameters) > 0 {
			add(probeOf("L3", op, probeParameterNames))
		}
		if clauses := alternatives(op); len(clauses) > 1 {
			p := writing(probeOf("A10", op, probeAlternatives))
			p.Late, p.Clauses = true, clauses
			all = append(all, p)
		}
	}
	unseen := Probe{Name: "A10", Class: "A10", Late: true, Run: func(_ context.Context, s *Session) { s.unseen() }}
	return append(all, unseen)
}

// slip is a mistake that HTTP has a status for, made in a request that is valid
// otherwise.
type slip struct {
	name, what string
	want       int
	// near are statuses that servers confuse with it, which is not as bad.
	near []int
	make func(d *generate.Draft)
}

// foreign are statuses that are for none of the mistakes that are made here. Those
// of authentication, of preconditions and of load may come first.
var foreign = []int{
	http.StatusPaymentRequired, http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusLengthRequired,
	http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong, http.StatusUnsupportedMediaType,
	http.StatusRequestedRangeNotSatisfiable, http.StatusExpectationFailed, http.StatusFailedDependency,
	http.StatusRequestHeaderFieldsTooLarge, http.StatusConflict, http.StatusGone,
}

// mistakes are those that can be made with an operation, and whose status it
// declares.
func (r *Runner) mistakes(op *openapi.Operation) []slip {
	var all []slip
	add := func(m slip) {
		if names(op, m.want) {
			all = append(all, m)
		}
	}
	if bodySchema(op) != nil {
		add(slip{
			name: "malformed", what: "a body that ends within the JSON", want: http.StatusBadRequest, near: []int{http.StatusUnprocessableEntity},
			make: func(d *generate.Draft) { d.RawBody = []byte(`{"conformance": `) },
		})
		if !slices.ContainsFunc(op.Body.Content, func(c *openapi.MediaType) bool { return within("text/plain", c.Type) }) {
			add(slip{
				name: "media type", what: "a body of text/plain", want: http.StatusUnsupportedMediaType,
				near: []int{http.StatusBadRequest, http.StatusUnprocessableEntity},
				make: func(d *generate.Draft) { d.ContentType, d.RawBody = "text/plain", []byte("conformance") },
			})
		}
		if limit := r.bodyLimit(op); limit > 0 {
			add(slip{
				name: "too large", what: "a body that is one byte longer than the limit", want: http.StatusRequestEntityTooLarge,
				near: []int{http.StatusBadRequest, http.StatusUnprocessableEntity},
				make: func(d *generate.Draft) {
					d.RawBody = []byte(`{"conformance":"` + strings.Repeat("x", max(0, limit+1-len(`{"conformance":""}`))) + `"}`)
				},
			})
		}
	}
	if given(op) != nil {
		add(slip{
			name: "accept", what: "an Accept that nothing satisfies", want: http.StatusNotAcceptable, near: []int{http.StatusBadRequest},
			make: func(d *generate.Draft) { setHeader(d, "Accept", "application/x-conformance-none") },
		})
	}
	return all
}

// bodyLimit is how long a request body may be, in bytes; 0: the document does not
// say.
func (r *Runner) bodyLimit(op *openapi.Operation) int {
	for _, extensions := range []map[string]any{op.Extensions, r.Document.Extensions} {
		if value, ok := extensions[openapi.ExtBodyLimit]; ok {
			return atoi(fmt.Sprint(value))
		}
	}
	return 0
}

// mistaken makes a mistake, and judges the status that it is refused with: A5. That
// it is not refused at all is judged elsewhere.
func (s *Session) mistaken(ctx context.Context, op *openapi.Operation, m slip) {
	s.provide(ctx, op)
	if baseline := s.baseline(ctx, op); !OKStatus(baseline.status) {
		s.Skip(fmt.Sprintf("a valid request of %s is answered with %d", op.ID, baseline.status))
	}
	d := s.Draft(ctx, op, !safe(op.Method))
	m.make(d)
	ex := s.Send(ctx, d)
	status := Status(ex)
	f := finding.Finding{
		Class: "A5", Severity: finding.Must, Pointer: op.StatusPointer(itoa(m.want)), RFC: "RFC 9110 15.5",
		Claim: fmt.Sprintf("Answers %d to %s, which is for another mistake.", status, m.what),
		Sent:  m.what, Expected: fmt.Sprintf("%d %s", m.want, http.StatusText(m.want)), Got: describe(ex),
	}
	switch {
	case status == m.want:
		s.Coverage.Mark(f.Pointer, Judged)
	case slices.Contains(m.near, status):
		f.Severity = finding.Should
		s.Report(f, 1)
	case slices.Contains(foreign, status) && status/100 == 4,
		status == http.StatusNotFound && len(prefixes(op.Path)) == 0,
		status == http.StatusUnprocessableEntity:
		s.Report(f, 1)
	}
}

// provide makes the resource of an operation known that only a PUT to it creates,
// if there is none yet.
func (s *Session) provide(ctx context.Context, op *openapi.Operation) {
	all := prefixes(op.Path)
	if len(all) == 0 || s.fixtures.get(all[len(all)-1]) != nil {
		return
	}
	resource := all[len(all)-1]
	if maker := s.maker(resource); maker == nil || maker.Path != resource {
		return
	}
	if t, _ := s.makeThing(ctx, resource, Own, nil); t != nil {
		s.fixtures.mu.Lock()
		defer s.fixtures.mu.Unlock()
		s.fixtures.add(resource, t.values)
	}
}

// probeWho asks for what needs a credential without one, and for what is somebody
// else's with one that is good: A8.
func probeWho(ctx context.Context, s *Session) {
	op := s.probe.Op
	d := s.Draft(ctx, op, op.Method == http.MethodDelete)
	// What is forbidden to everybody was not refused for want of a credential.
	if ex := s.Send(ctx, d, As(Anonymous)); Status(ex) == http.StatusForbidden && Status(s.Send(ctx, d)) != http.StatusForbidden {
		s.Report(finding.Finding{
			Severity: finding.Must, Pointer: op.StatusPointer("401"), RFC: "RFC 9110 15.5.2",
			Claim: "Answers 403 to a request without a credential, though 401 is declared", Sent: "no credential",
			Expected: "401 with a challenge", Got: describe(ex),
		}, 2)
	}
	if !s.HasOther(op) || len(prefixes(op.Path)) == 0 || op.Method != http.MethodGet || names(op, http.StatusForbidden) == names(op, http.StatusNotFound) {
		return
	}
	if ex := s.Send(ctx, d, As(Other)); Status(ex) == http.StatusUnauthorized && s.good(ctx, Other) {
		s.Report(finding.Finding{
			Severity: finding.Must, Pointer: op.StatusPointer("401"), RFC: "RFC 9110 15.5.4",
			Claim: "Answers 401 to a credential that is good, but not for this", Sent: "the credential of another tenant",
			Expected: "403 or 404", Got: describe(ex),
		}, 1)
	}
}

// good tells whether the credentials of an identity are good for anything.
func (s *Session) good(ctx context.Context, who Identity) bool {
	for _, op := range s.Document.Operations {
		if op.Method != http.MethodGet || Public(op) || len(prefixes(op.Path)) > 0 {
			continue
		}
		if _, ok := s.Alternative(op, who); ok && OK(s.Send(ctx, s.NewDraft(op), As(who))) {
			return true
		}
	}
	return false
}

// probeLocation creates something, and looks where Location says that it is: B3.
func probeLocation(ctx context.Context, s *Session) {
	op := s.probe.Op
	d := s.creating(ctx, op)
	ex := s.Send(ctx, d)
	if Status(ex) != http.StatusCreated {
		s.Skip(fmt.Sprintf("%s answers %d, and creates nothing", op.ID, Status(ex)))
	}
	location := ex.Response.Get("Location")
	if location == "" {
		return // what was created is the target itself (RFC 9110 15.3.2), or the judge of answers has said so
	}
	target, ok := s.local(location, ex.Request.Target)
	routes := s.routesOf(target)
	f := finding.Finding{
		Severity: finding.Must, Pointer: op.StatusPointer("201"), RFC: "RFC 9110 15.3.2",
		Claim: "Location does not lead to what was created", Sent: "a valid request, and a GET of the Location of its answer",
		Expected: "the thing that was created", Got: "Location: " + location,
	}
	if h := (&verdict{response: op.Responses["201"]}).declaredHeader("location"); h != nil {
		f.Pointer = h.Pointer
	}
	switch {
	case !ok:
		s.Skip("Location is of another server")
	case len(routes) == 0:
		f.Claim = "Location is a path that the contract does not have"
		s.Report(f, 1)
		return
	case routes[0].op(http.MethodGet) == nil:
		s.Skip("the document has no way to read what Location names")
	}
	s.readLocation(ctx, f, ex, routes[0], target)
	s.Coverage.Mark(f.Pointer, Judged)
}

// probeOnce deletes on a connection of its own: on one that was kept, that the
// server hangs up after it has done what was asked cannot be told from a connection
// that had ended before, and the request is sent again.
func probeOnce(ctx context.Context, s *Session) {
	s.Send(ctx, s.Draft(ctx, s.probe.Op, true), Changed(func(request *wire.Request) { request.Stream = true }))
}

// creating is a request that has what is required of its path: what is there
// already, but for the resource itself that a PUT creates.
func (s *Session) creating(ctx context.Context, op *openapi.Operation) *generate.Draft {
	if op.Method != http.MethodPut || !names(op, http.StatusCreated) || trailing.FindString(op.Path) == "" {
		return s.plain(op, s.Draft(ctx, op, !safe(op.Method)).Path)
	}
	above, err := s.fixtures.resolve(ctx, s, &openapi.Operation{Path: collection(op.Path)}, false)
	if err != nil {
		s.Skip(err.Error())
	}
	d := s.plain(op, above)
	d.Path[parameter(op.Path)] = s.fresh(op, parameter(op.Path))
	return d
}

// local gives a URL of the server as the target of a request. That the server
// takes itself for the one of the document, or for a proxy before it, is well.
func (s *Session) local(location, target string) (string, bool) {
	u, err := url.Parse(location)
	if err != nil {
		return "", false
	}
	query := ""
	if u.RawQuery != "" {
		query = "?" + u.RawQuery
	}
	if u.Host == "" || strings.EqualFold(u.Host, s.Base.Host) {
		base, err := url.Parse(target)
		if err != nil {
			return "", false
		}
		return base.ResolveReference(&url.URL{Path: u.Path, RawPath: u.RawPath}).EscapedPath() + query, true
	}
	for _, server := range s.Document.ServerURLs {
		if rest, ok := strings.CutPrefix(location, strings.TrimSuffix(server, "/")+"/"); ok {
			return s.path("/" + rest), true
		}
	}
	path := u.EscapedPath()
	return path + query, len(s.routesOf(path)) > 0
}

// readLocation reads what Location names. What is created may need a moment.
func (s *Session) readLocation(ctx context.Context, f finding.Finding, created *wire.Exchange, t *route, target string) {
	read := t.op(http.MethodGet)
	s.ensure(ctx, read)
	if _, ok := s.Alternative(read, Own); !ok {
		s.Skip("there is no credential for " + read.ID)
	}
	d := s.plain(read, s.parametersOf(t, target))
	get := func() *wire.Exchange {
		return s.Send(ctx, d, Changed(func(request *wire.Request) {
			if path, _, _ := strings.Cut(request.Target, "?"); !strings.Contains(target, "?") && path != target {
				request.Target = target + strings.TrimPrefix(request.Target, path)
			}
		}))
	}
	ex := get()
	for _, moment := range patience {
		if Status(ex) != http.StatusNotFound || !wait(ctx, moment) {
			break
		}
		ex = get()
	}
	f.Steps = []wire.Exchange{*created, *ex}
	switch status := Status(ex); {
	case OK(ex):
		made, seen := objectOf(created), objectOf(ex)
		for _, name := range []string{"id", parameter(t.template)} {
			a, b := made[name], seen[name]
			if scalar(a) && scalar(b) && fmt.Sprint(a) != fmt.Sprint(b) {
				f.Got = fmt.Sprintf("%s %v, and not %v", name, b, a)
				s.Report(f, 0)
				return
			}
		}
	case status == http.StatusNotFound, status == http.StatusGone, status == http.StatusBadRequest, status == http.StatusMethodNotAllowed:
		f.Got = fmt.Sprintf("%s to a GET of %s", describe(ex), t.template)
		s.Report(f, 0)
	}
}

// probeReflection puts [Canary] wherever text goes, and asks for HTML. That it comes
// back as it is, is for the judge of answers to see.
func probeReflection(ctx context.Context, s *Session) {
	op := s.probe.Op
	html := func(d *generate.Draft) *generate.Draft {
		setHeader(d, "Accept", "text/html, */*;q=0.1")
		return d
	}
	d := html(s.NewDraft(op))
	for _, t := range prefixes(op.Path) {
		d.Path[parameter(t)] = Canary
	}
	d.ExtraQuery = append(d.ExtraQuery, "conformance="+url.QueryEscape(Canary))
	for _, p := range op.Parameters {
		if p.In == "query" && p.Schema != nil && p.Schema.Allows("string") {
			d.Query[p.Name] = Canary
		}
	}
	s.Send(ctx, d)
	if bodySchema(op) == nil {
		return
	}
	d = html(s.Draft(ctx, op, !safe(op.Method)))
	text, err := generate.MarshalJSON(map[string]any{Canary: Canary})
	if err == nil {
		d.RawBody = text
		s.Send(ctx, d)
	}
}

// probeParameterNames breaks one parameter after the other, and judges whether the
// error names it: L3. That of bodies is judged with the cases.
func probeParameterNames(ctx context.Context, s *Session) {
	op := s.probe.Op
	seen := map[string]bool{}
	for _, c := range s.cases(op) {
		if c.Side != breaks || c.Param == "" || seen[c.In+c.Param] || ctx.Err() != nil {
			continue
		}
		ex := s.sendCase(ctx, c)
		if !refusal(signatureOf(ex)) {
			continue
		}
		says, right := s.namesFault(op, ex, c.Param)
		if !says {
			continue
		}
		seen[c.In+c.Param] = true
		if !right {
			s.Report(finding.Finding{
				Severity: finding.Should, Pointer: c.Clause,
				Claim: fmt.Sprintf("Refuses a wrong %s parameter %s, and names another place", c.In, c.Param),
				Sent:  c.Why, Expected: "an error that names " + c.Param, Got: strings.Join(s.pointers(ex), ", "),
			}, 1)
		}
	}
}

// alternatives are the pointers of the successes that an operation declares by
// themselves.
func alternatives(op *openapi.Operation) []string {
	var all []string
	for _, key := range keys(op) {
		if strings.HasPrefix(key, "2") && !strings.HasSuffix(key, "XX") && key != "206" {
			all = append(all, op.StatusPointer(key))
		}
	}
	return all
}

// probeAlternatives uses an operation that has several successes in the ways that
// lead to one or the other: for the first time and again, with all and with little.
// One that never comes, not in the whole run, is reported: A10. A PUT that creates
// something must say so.
func probeAlternatives(ctx context.Context, s *Session) {
	op := s.probe.Op
	good := false
	for _, mode := range []generate.Mode{generate.Full, generate.Minimal} {
		d := s.Source.Draft(op, mode)
		for name, value := range s.creating(ctx, op).Path {
			d.Path[name] = value
		}
		for range 2 {
			good = OK(s.Send(ctx, d)) || good
		}
	}
	if !good {
		s.Skip("no valid request of " + op.ID + " succeeds")
	}
	seen := s.Coverage.Statuses(op.ID)
	for _, key := range keys(op) {
		pointer := op.StatusPointer(key)
		if !slices.Contains(s.probe.Clauses, pointer) || seen[atoi(key)] > 0 {
			continue
		}
		f := finding.Finding{
			Severity: finding.Advice, Pointer: pointer, Claim: "Never answers with " + key + ", which is declared",
			Sent: "valid requests, for the first time and again", Expected: key + " to one of them", Got: "other successes only",
		}
		if key == "201" && op.Method == http.MethodPut {
			f.Severity, f.RFC = finding.Must, "RFC 9110 9.3.4"
			f.Claim = "Does not say with 201 that a PUT has created something"
		}
		s.Report(f, 0)
	}
}

// unseen notes which answers are declared and were not seen in the run: A10.
func (s *Session) unseen() {
	for _, op := range s.Document.Operations {
		seen := s.Coverage.Statuses(op.ID)
		for key := range op.Responses {
			if marks, _ := s.Coverage.Of(op.StatusPointer(key)); marks&Observed != 0 {
				continue
			}
			reason := "no answer of this kind was seen"
			if len(seen) == 0 {
				reason = "the operation was never answered"
			}
			s.Coverage.Because(op.StatusPointer(key), reason)
		}
	}
}
