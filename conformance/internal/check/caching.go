package check

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// cachingProbes try conditional requests, and whether what is private may be kept
// by caches that are shared.
//
// # What is not held against a server
//
//   - That it has no validators, or does not answer 304, where the document does
//     not say that it does.
//   - That a weak entity tag stays when little changes.
//   - That an answer to a request with Authorization has no Cache-Control: shared
//     caches may not keep it then (RFC 9111 3.5). It is a mistake if it says that
//     they may, or if the document promises that it says that they may not
//     ([openapi.StrictPrivate]).
func cachingProbes(r *Runner) []Probe {
	var all []Probe
	for _, resource := range r.kinds() {
		op := r.reader(resource)
		if op == nil {
			continue
		}
		add := func(class string, run func(ctx context.Context, s *Session)) {
			all = append(all, Probe{Name: class + " " + op.ID, Class: class, Op: op, Writes: true, Alone: r.sharing(resource), Run: run})
		}
		add("N1", func(ctx context.Context, s *Session) { s.tagFollows(ctx, resource) })
		add("N2", func(ctx context.Context, s *Session) { s.notModified(ctx, op, resource) })
		if head := r.at(http.MethodHead, resource); head != nil && names(head, http.StatusNotModified) {
			all = append(all, Probe{Name: "N2 " + head.ID, Class: "N2", Op: head, Writes: true, Run: func(ctx context.Context, s *Session) {
				s.notModified(ctx, head, resource)
			}})
		}
		add("N5", func(ctx context.Context, s *Session) { s.dateFollows(ctx, resource) })
	}
	for _, op := range r.Document.Operations {
		if op.Method == http.MethodGet && !Public(op) {
			all = append(all, Probe{Name: "N4 " + op.ID, Class: "N4", Op: op, Run: func(ctx context.Context, s *Session) { s.keptPrivate(ctx, op) }})
		}
	}
	return all
}

// headerClause is where a header of an operation's success is declared; empty if
// it is not.
func headerClause(op *openapi.Operation, status int, name string) string {
	if response := declared(op, status); response != nil {
		for _, h := range response.Headers {
			if strings.EqualFold(h.Name, name) {
				return h.Pointer
			}
		}
	}
	return ""
}

// alter changes a thing so that its representation differs; nil if it cannot.
func (s *Session) alter(ctx context.Context, t *thing, before *state) *state {
	for _, op := range s.writers(t.resource) {
		d := s.change(op, t)
		if body, ok := d.Body.(map[string]any); ok {
			moved := copyJSON(body).(map[string]any)
			for name, value := range body {
				property := s.propertyOf(bodySchema(op), body, name, openapi.Request)
				if property == nil || property.ReadOnly || !same(value, before.body[name]) {
					continue
				}
				if other, ok := s.another(property, value); ok {
					moved[name] = other
				}
			}
			if s.keeps(bodySchema(op), moved, openapi.Request) {
				d.Body = moved
			}
		}
		s.condition(ctx, d, t)
		if !OK(s.Send(ctx, d)) {
			continue
		}
		if after := s.look(ctx, t, Own); after.seen() && !s.unchanged(before.body, after.body) {
			return after
		}
	}
	return nil
}

// tagFollows: an entity tag changes with the representation, and only with it (N1;
// RFC 9110 8.8.3).
func (s *Session) tagFollows(ctx context.Context, resource string) {
	t, op := s.mustMake(ctx, resource, Own), s.reader(resource)
	before := s.eventually(ctx, t, (*state).seen)
	tag := before.etag()
	if tag == "" {
		s.Skip(op.ID + " gives no entity tag")
	}
	f := finding.Finding{Class: "N1", RFC: "RFC 9110 8.8.3", Pointer: headerClause(op, http.StatusOK, "ETag")}
	s.Coverage.Mark(success(op), Judged)
	if again := s.look(ctx, t, Own); again.seen() && strong(tag) && again.etag() != tag && same(before.body, again.body) {
		f.Severity, f.Claim = finding.Should, fmt.Sprintf("%s gives another entity tag though nothing has changed.", op.ID)
		f.Sent, f.Expected, f.Got = "the same request twice", tag, again.etag()
		s.found(f, op, before.ex, again.ex)
	}
	before = s.look(ctx, t, Own)
	after := s.alter(ctx, t, before)
	if !before.seen() || after == nil || after.etag() != before.etag() {
		return
	}
	f.Severity, f.Claim = finding.Must, fmt.Sprintf("%s gives the same entity tag though the representation has changed.", op.ID)
	if !strong(before.etag()) {
		f.Severity = finding.Should
	}
	f.Sent, f.Expected, f.Got = "the same request before and after an update", "another entity tag", after.etag()
	s.found(f, op, before.ex, after.ex)
}

// notModified: If-None-Match with the entity tag is answered with 304 (N2), without
// a body and with what a cache must know (N3; RFC 9110 13.1.2, 15.4.5).
func (s *Session) notModified(ctx context.Context, op *openapi.Operation, resource string) {
	t := s.mustMake(ctx, resource, Own)
	st := s.eventually(ctx, t, (*state).seen)
	tag := st.etag()
	promised := names(op, http.StatusNotModified) || headerOf(op, "If-None-Match") != nil
	if tag == "" || !promised {
		s.Skip(op.ID + " does not promise to answer 304")
	}
	clause := op.StatusPointer(itoa(http.StatusNotModified))
	if p := headerOf(op, "If-None-Match"); p != nil {
		clause = p.Pointer
	}
	s.Coverage.Mark(clause, Judged)
	ask := func(value string) *wire.Exchange {
		d := s.plain(op, t.values)
		setHeader(d, "If-None-Match", value)
		return s.Send(ctx, d)
	}
	f := finding.Finding{Class: "N2", Severity: finding.Must, RFC: "RFC 9110 13.1.2", Pointer: clause}
	for _, value := range []string{tag, `"cnf", ` + tag, "W/" + strings.TrimPrefix(tag, "W/"), "*"} {
		ex := ask(value)
		switch {
		case Status(ex) == http.StatusNotModified:
			s.judgeNotModified(op, st.ex, ex, clause)
			continue
		case !OK(ex):
			continue
		}
		f.Claim, f.Sent = fmt.Sprintf("%s does not regard If-None-Match.", op.ID), "If-None-Match: "+value
		if value != tag {
			f.Claim = fmt.Sprintf("%s does not regard If-None-Match with a list, a weak entity tag or *.", op.ID)
			f.Severity = finding.Should
		}
		f.Expected, f.Got = "304", describe(ex)
		s.found(f, op, st.ex, ex)
		break
	}
	if ex := ask(`"cnf-` + s.unique() + `"`); Status(ex) == http.StatusNotModified {
		f.Severity, f.Claim = finding.Must, fmt.Sprintf("%s answers 304 to an entity tag that it has not given.", op.ID)
		f.Sent, f.Expected, f.Got = "If-None-Match with another entity tag", "200", describe(ex)
		s.found(f, op, ex)
	}
}

// judgeNotModified judges what comes with 304.
func (s *Session) judgeNotModified(op *openapi.Operation, whole, ex *wire.Exchange, clause string) {
	f := finding.Finding{Class: "N3", Severity: finding.Must, RFC: "RFC 9110 15.4.5", Pointer: clause, Sent: "If-None-Match with the entity tag"}
	if len(ex.Response.Body)+len(ex.Response.Extra) > 0 {
		f.Claim, f.Expected = fmt.Sprintf("%s sends a body with 304.", op.ID), "no body"
		f.Got = fmt.Sprintf("%d bytes", len(ex.Response.Body)+len(ex.Response.Extra))
		s.found(f, op, ex)
	}
	for _, name := range []string{"ETag", "Cache-Control", "Expires", "Vary", "Content-Location"} {
		if was := whole.Response.Get(name); was == "" || ex.Response.Get(name) != "" {
			continue
		}
		f.Claim, f.Expected, f.Got = fmt.Sprintf("%s leaves out %s with 304.", op.ID, name), name+", as with 200", "none"
		if name != "ETag" {
			f.Severity = finding.Should
		}
		s.found(f, op, whole, ex)
	}
}

// private tells whether Cache-Control keeps an answer from shared caches.
func private(response *wire.Response) bool {
	directives := strings.ToLower(response.Get("Cache-Control"))
	return strings.Contains(directives, "no-store") || slices.ContainsFunc(strings.Split(directives, ","), func(d string) bool {
		d = strings.TrimSpace(d)
		return d == "private" || strings.HasPrefix(d, "private=")
	})
}

// keptPrivate: what needs a credential is not for shared caches (N4; RFC 9111 3.5).
func (s *Session) keptPrivate(ctx context.Context, op *openapi.Operation) {
	s.ensure(ctx, op)
	schemes, ok := s.Alternative(op, Own)
	if !ok || len(schemes) == 0 {
		s.Skip("no credential for " + op.ID)
	}
	d := s.Draft(ctx, op, false)
	least := s.Source.Draft(op, generate.Minimal)
	d.Query, d.Header, d.Cookie = least.Query, least.Header, least.Cookie
	ex := s.Send(ctx, d)
	if !OK(ex) {
		s.Skip(fmt.Sprintf("%s answers %d", op.ID, Status(ex)))
	}
	clause := headerClause(op, Status(ex), "Cache-Control")
	if clause != "" {
		s.Coverage.Mark(clause, Judged)
	}
	if private(ex.Response) {
		return
	}
	f := finding.Finding{
		Class: "N4", RFC: "RFC 9111 3.5", Pointer: clause, Severity: finding.Should,
		Claim: fmt.Sprintf("%s lets shared caches keep what needs a credential.", op.ID),
		Sent:  "a request with a credential", Expected: "Cache-Control: private or no-store", Got: "Cache-Control: " + ex.Response.Get("Cache-Control"),
	}
	directives := strings.ToLower(ex.Response.Get("Cache-Control"))
	vary := strings.ToLower(ex.Response.Get("Vary"))
	shared := strings.Contains(directives, "public") || strings.Contains(directives, "s-maxage")
	fresh := shared || strings.Contains(directives, "max-age=") && !strings.Contains(directives, "max-age=0")
	varies := vary == "*" || strings.Contains(vary, "authorization") || strings.Contains(vary, "cookie")
	inAuthorization := ex.Request.Get("Authorization") != ""
	switch {
	case s.strict(openapi.StrictPrivate):
		f.Severity = finding.Must
	case varies, strings.Contains(directives, "no-cache"):
		return
	case shared, fresh && !inAuthorization:
	default:
		return
	}
	s.found(f, op, ex)
}

// dateFollows: Last-Modified is a date that follows the changes, and
// If-Modified-Since has its effect (N5; RFC 9110 8.8.2, 13.1.3).
func (s *Session) dateFollows(ctx context.Context, resource string) {
	t, op := s.mustMake(ctx, resource, Own), s.reader(resource)
	st := s.eventually(ctx, t, (*state).seen)
	if !st.seen() || st.ex.Response.Get("Last-Modified") == "" {
		s.Skip(op.ID + " gives no Last-Modified")
	}
	promised := names(op, http.StatusNotModified) && (headerOf(op, "If-Modified-Since") != nil || headerOf(op, "If-None-Match") == nil)
	f := finding.Finding{Class: "N5", Severity: finding.Must, RFC: "RFC 9110 8.8.2", Pointer: headerClause(op, http.StatusOK, "Last-Modified")}
	first, ok := s.modified(f, op, st.ex)
	if !ok || !wait(ctx, 1100*time.Millisecond) {
		return
	}
	ask := func(at time.Time) *wire.Exchange {
		d := s.plain(op, t.values)
		setHeader(d, "If-Modified-Since", at.UTC().Format(http.TimeFormat))
		return s.Send(ctx, d)
	}
	f.RFC = "RFC 9110 13.1.3"
	if p := headerOf(op, "If-Modified-Since"); p != nil {
		f.Pointer = p.Pointer
	}
	if promised {
		if ex := ask(first); OK(ex) && ex.Response.Get("Last-Modified") == st.ex.Response.Get("Last-Modified") {
			f.Claim, f.Sent = fmt.Sprintf("%s does not regard If-Modified-Since.", op.ID), "If-Modified-Since with the date of Last-Modified"
			f.Expected, f.Got = "304", describe(ex)
			s.found(f, op, st.ex, ex)
		}
	}
	if ex := ask(first.Add(-24 * time.Hour)); Status(ex) == http.StatusNotModified {
		f.Claim, f.Sent = fmt.Sprintf("%s answers 304 though it has changed since.", op.ID), "If-Modified-Since with the day before Last-Modified"
		f.Expected, f.Got = "200", describe(ex)
		s.found(f, op, st.ex, ex)
	}
	after := s.alter(ctx, t, st)
	if after == nil {
		return
	}
	if ex := ask(first); Status(ex) == http.StatusNotModified {
		f.Claim, f.Sent = fmt.Sprintf("%s answers 304 though it has changed since.", op.ID), "If-Modified-Since with the date before an update"
		f.Expected, f.Got = "200", describe(ex)
		s.found(f, op, after.ex, ex)
	}
	f.RFC, f.Pointer = "RFC 9110 8.8.2", headerClause(op, http.StatusOK, "Last-Modified")
	if second, ok := s.modified(f, op, after.ex); ok && !second.After(first) {
		f.Claim, f.Sent = fmt.Sprintf("%s gives the same Last-Modified though the representation has changed.", op.ID), "an update, more than a second later"
		f.Expected, f.Got = "after "+first.UTC().Format(http.TimeFormat), after.ex.Response.Get("Last-Modified")
		s.found(f, op, st.ex, after.ex)
	}
}

// modified reads Last-Modified, and judges whether it is a date that can be.
func (s *Session) modified(f finding.Finding, op *openapi.Operation, ex *wire.Exchange) (time.Time, bool) {
	text := ex.Response.Get("Last-Modified")
	if text == "" {
		return time.Time{}, false
	}
	at, err := http.ParseTime(text)
	if err != nil {
		f.Claim, f.Sent, f.Expected, f.Got = fmt.Sprintf("%s gives a Last-Modified that is no date.", op.ID), "", "a date (RFC 9110 5.6.7)", text
		s.found(f, op, ex)
		return at, false
	}
	if date, err := http.ParseTime(ex.Response.Get("Date")); err == nil && at.After(date) {
		f.Claim, f.Expected, f.Got = fmt.Sprintf("%s gives a Last-Modified after its Date.", op.ID), "not after "+ex.Response.Get("Date"), text
		s.found(f, op, ex)
	}
	return at, true
}
