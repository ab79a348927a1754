package check

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// authProbes are those of group F, authentication. An operation is secured if it
// has no alternative without a scheme. Each probe but the first makes sure that a
// request without a credential is refused: else one mistake would be many.
func authProbes(r *Runner) []Probe {
	var all []Probe
	for _, op := range r.Document.Operations {
		switch {
		case op.SecurityPointer == "":
		case open(op):
			p := probeOf("F6", op, probeOpen)
			p.Writes, p.Clauses = !safe(op.Method), securityClauses(op)
			all = append(all, p)
		default:
			for _, p := range []Probe{
				probeOf("F1", op, probeAnonymous), probeOf("F2", op, probeInvented), probeOf("F3", op, probeMalformed),
				probeOf("F7", op, probeCombined), probeOf("F9", op, probeMisplaced),
			} {
				p.Clauses = securityClauses(op)
				all = append(all, p)
			}
			all = append(all, r.declaredAuthProbes(op)...)
		}
	}
	return all
}

// declaredAuthProbes are those for which the document declares something.
func (r *Runner) declaredAuthProbes(op *openapi.Operation) []Probe {
	var all []Probe
	if r.fixed(op, openapi.ExtExpired) != nil {
		all = append(all, probeOf("F4", op, probeExpired))
	}
	if op.Extensions[openapi.ExtRole] != nil && r.fixed(op, openapi.ExtLowPrivilege) != nil {
		all = append(all, probeOf("F5", op, probeUnprivileged))
	}
	if r.strict(openapi.StrictAuthFirst) {
		all = append(all, probeOf("F8", op, probeAuthFirst))
	}
	return all
}

// open tells whether an operation can be called without a credential.
func open(op *openapi.Operation) bool {
	return len(op.Security) == 0 || slices.ContainsFunc(op.Security, func(a map[string][]string) bool { return len(a) == 0 })
}

// securityClauses are the clauses of an operation's security.
func securityClauses(op *openapi.Operation) []string {
	if len(op.Security) == 0 {
		return []string{op.SecurityPointer}
	}
	var all []string
	for i := range op.Security {
		all = append(all, openapi.Join(op.SecurityPointer, itoa(i)))
	}
	return all
}

// securityPointer is where the security of an operation is broken as a whole.
func securityPointer(op *openapi.Operation) string { return securityClauses(op)[0] }

// draftFor gives a valid request that a server which serves it would do little
// harm with: what can be deleted is made for it.
func (s *Session) draftFor(ctx context.Context, op *openapi.Operation) *generate.Draft {
	return s.there(ctx, op, op.Method == http.MethodDelete)
}

// guarded gives a valid request that is refused without a credential, and skips
// the probe if there is none: F1 tells of that.
func (s *Session) guarded(ctx context.Context) *generate.Draft {
	d := s.draftFor(ctx, s.probe.Op)
	ex := s.Send(ctx, d, As(Anonymous))
	switch {
	case served(ex):
		s.Skip("it is served without a credential, whatever else is sent")
	case !refusesCredential(ex):
		if Status(s.Send(ctx, d)) == Status(ex) {
			s.Skip("it is refused with a credential as it is without one")
		}
		d = s.draftFor(ctx, s.probe.Op)
	}
	return d
}

// What may be a habit of a server.
const (
	servesAnonymous = "Serves a request without a credential"
	servesInvented  = "Serves a request with an invented credential"
	servesMalformed = "Serves a request with a malformed credential"
)

// refusesCredential tells whether an answer refuses whoever asks.
func refusesCredential(ex *wire.Exchange) bool {
	return Status(ex) == http.StatusUnauthorized || Status(ex) == http.StatusForbidden
}

// unauthorized is the finding that a request was served which must not have been.
func unauthorized(op *openapi.Operation, ex *wire.Exchange, claim, sent string) finding.Finding {
	return finding.Finding{
		Severity: finding.Must, Pointer: securityPointer(op), Claim: claim, Habits: []string{claim}, Sent: sent,
		Expected: "401 Unauthorized", Got: ex.Response.StatusText(),
	}
}

// probeAnonymous leaves the credential out: F1.
func probeAnonymous(ctx context.Context, s *Session) {
	op := s.probe.Op
	ex := s.Send(ctx, s.draftFor(ctx, op), As(Anonymous))
	switch {
	case busy(ex):
		s.Skip("the server is busy, or does not answer")
	case served(ex):
		s.Report(unauthorized(op, ex, servesAnonymous, "a valid request without a credential"), 1)
	case refusesCredential(ex):
		s.habits.free("F1", []string{servesAnonymous}, op.ID)
	}
	for _, clause := range securityClauses(op) {
		s.Coverage.Mark(clause, SentInvalid|Judged)
	}
}

// forgery is a credential that nobody owns.
type forgery struct{ what, value string }

// forgeries are credentials in the likeness of one that is valid. Its last
// characters are not what is changed, for some encodings do not use all their bits.
func forgeries(scheme *openapi.SecurityScheme, own, unique string) []forgery {
	if scheme.Type == "http" && strings.EqualFold(scheme.Scheme, "basic") {
		all := []forgery{{"an invented user and password", "nobody-" + unique + ":wrong-" + unique}}
		if user, _, ok := strings.Cut(own, ":"); ok {
			all = append(all, forgery{"the right user with a wrong password", user + ":wrong-" + unique})
		}
		return all
	}
	all := []forgery{{"an invented credential", "invented-" + strings.Repeat(unique, 3)}}
	if scheme.Type != "apiKey" { // a token of no algorithm (RFC 7519 6)
		all = append(all, forgery{"an unsigned token", "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJhZG1pbiJ9."})
	}
	if len(own) < 8 {
		return all
	}
	for i := len(own) / 2; i < len(own)-2; i++ {
		if c := own[i]; c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			other := "x"
			if c == 'x' || c == 'X' {
				other = "k"
			}
			all = append(all, forgery{"a credential with one character changed", own[:i] + other + own[i+1:]})
			break
		}
	}
	return append(all, forgery{"the first half of a credential", own[:len(own)/2]})
}

// probeInvented sends credentials that nobody owns, each scheme's with valid ones
// of the schemes that it is needed together with: F2.
func probeInvented(ctx context.Context, s *Session) {
	op, own := s.probe.Op, s.Credentials(Own)
	d := s.guarded(ctx)
	for i, alternative := range op.Security {
		for _, id := range slices.Sorted(maps.Keys(alternative)) {
			scheme := s.Document.Schemes[id]
			if scheme == nil {
				continue
			}
			for _, f := range forgeries(scheme, own[id], s.unique()) {
				credentials := map[string]string{id: f.value}
				for other := range alternative {
					if other != id {
						credentials[other] = own[other]
					}
				}
				ex := s.Send(ctx, d, WithCredentials(credentials), Changed(func(r *wire.Request) { r.Invented = []string{f.value} }))
				if served(ex) {
					found := unauthorized(op, ex, servesInvented, f.what)
					found.Pointer = openapi.Join(op.SecurityPointer, itoa(i))
					s.Report(found, 1)
				} else if refusesCredential(ex) {
					s.habits.free("F2", []string{servesInvented}, op.ID)
				}
			}
		}
		s.Coverage.Mark(openapi.Join(op.SecurityPointer, itoa(i)), SentInvalid|Judged)
	}
}

// carrier is where a scheme's credential is put: the kind of the place, and its
// name in lower case.
func carrier(scheme *openapi.SecurityScheme) (in, name string) {
	if scheme.Type == "apiKey" {
		return scheme.In, strings.ToLower(scheme.Name)
	}
	return "header", "authorization"
}

// oddities are credentials that are none, for the place where a scheme's belongs.
func oddities(scheme *openapi.SecurityScheme) []forgery {
	long := strings.Repeat("x", 16<<10)
	common := []forgery{
		{"an empty credential", ""},
		{"a credential of 16 KiB", long},
		{"a credential that is not ASCII", "schl\xc3\xbcssel-\xf0\x9f\x94\x91"},
		{"a credential that is not UTF-8", "\xff\xfe\xc3("},
		{"a credential of punctuation", `"'\;--,=<>%00`},
	}
	if in, name := carrier(scheme); in != "header" || name != "authorization" {
		return common
	}
	word := "Bearer"
	if strings.EqualFold(scheme.Scheme, "basic") {
		word = "Basic"
		common = append(common, forgery{"a credential that is not base64", "!!!"},
			forgery{"a credential without a colon", "bm9jb2xvbg=="}, forgery{"a credential with control characters", "AAEC/zoAAQL/"})
	}
	all := []forgery{
		{"an empty Authorization", ""}, {"a scheme without a credential", word}, {"an unknown scheme", "Conformance abc"},
		{"a credential in three parts", word + " a b c"}, {"an unfinished Digest", `Digest username="`},
	}
	for _, f := range common {
		all = append(all, forgery{f.what, word + " " + f.value})
	}
	return all
}

// probeMalformed sends what is no credential at all: F3.
func probeMalformed(ctx context.Context, s *Session) {
	op := s.probe.Op
	d := s.guarded(ctx)
	seen := map[string]bool{}
	for _, alternative := range op.Security {
		for _, id := range slices.Sorted(maps.Keys(alternative)) {
			scheme := s.Document.Schemes[id]
			if scheme == nil || seen[id] {
				continue
			}
			seen[id] = true
			in, name := carrier(scheme)
			for _, odd := range oddities(scheme) {
				request := s.prepared(ctx, d, Anonymous)
				request.Invented = []string{odd.value}
				switch in {
				case "query":
					withQuery(request, scheme.Name, odd.value[:min(len(odd.value), 4<<10)])
				case "cookie":
					setField(request, "Cookie", scheme.Name+"="+odd.value)
				default:
					setField(request, name, odd.value)
				}
				ex := s.hostile(ctx, op, request, attack{what: odd.what, kind: "a malformed credential", mayHangUp: len(odd.value) > 4<<10})
				if refusesCredential(ex) {
					s.habits.free("F3", []string{servesMalformed}, op.ID)
				} else if served(ex) && len(alternative) == 1 {
					s.Report(unauthorized(op, ex, servesMalformed, odd.what), 1)
				}
			}
		}
	}
}

// fixed gives credentials that the document declares for tests, for each alternative
// of an operation that has one.
func (r *Runner) fixed(op *openapi.Operation, extension string) (all []map[string]string) {
	own := r.Credentials(Own)
	for _, alternative := range op.Security {
		credentials, has := map[string]string{}, false
		for id := range alternative {
			credentials[id] = own[id]
			if scheme := r.Document.Schemes[id]; scheme != nil {
				if value, ok := scheme.Extensions[extension].(string); ok {
					credentials[id], has = value, true
				}
			}
		}
		if has {
			all = append(all, credentials)
		}
	}
	return all
}

// probeExpired sends a credential that was valid once: F4.
func probeExpired(ctx context.Context, s *Session) {
	op := s.probe.Op
	d := s.guarded(ctx)
	for _, credentials := range s.fixed(op, openapi.ExtExpired) {
		if ex := s.Send(ctx, d, WithCredentials(credentials)); served(ex) {
			s.Report(unauthorized(op, ex, "Serves a request with an expired or revoked credential", "a valid request with the credential that the document declares as expired"), 1)
		}
	}
}

// probeUnprivileged sends a credential that is valid and has no role: F5, and A8 if
// it is taken for an invalid one.
func probeUnprivileged(ctx context.Context, s *Session) {
	op := s.probe.Op
	d := s.guarded(ctx)
	for _, credentials := range s.fixed(op, openapi.ExtLowPrivilege) {
		ex := s.Send(ctx, d, WithCredentials(credentials))
		f := finding.Finding{
			Severity: finding.Must, Pointer: openapi.Join(op.Pointer, openapi.ExtRole), RFC: "RFC 9110 15.5.4",
			Sent: "a valid request with the credential that the document declares to have no role", Expected: "403 Forbidden",
		}
		switch {
		case served(ex):
			f.Claim, f.Got = "Serves a credential that lacks the role", ex.Response.StatusText()
			s.Report(f, 1)
		case Status(ex) == http.StatusUnauthorized:
			f.Class, f.Claim, f.Got = "A8", "Answers 401 to a credential that is valid but lacks the role", ex.Response.StatusText()
			s.Report(f, 1)
		}
	}
}

// probeOpen calls a public operation without a credential: F6. An answer of 401
// that the operation declares may be about something else, such as a password: it
// counts only if credentials change it.
func probeOpen(ctx context.Context, s *Session) {
	op := s.probe.Op
	d := s.draftFor(ctx, op)
	ex := s.Send(ctx, d, As(Anonymous))
	if busy(ex) {
		s.Skip("the server is busy, or does not answer")
	}
	if Status(ex) == http.StatusUnauthorized {
		own := s.Credentials(Own)
		again := ex
		if len(own) > 0 {
			again = s.Send(ctx, d, WithCredentials(own))
		}
		if Status(again) == http.StatusUnauthorized && names(op, http.StatusUnauthorized) {
			s.Skip("it answers 401 with and without credentials, which it declares")
		}
		s.Report(finding.Finding{
			Severity: finding.Must, Pointer: securityPointer(op), Claim: "Demands a credential for an operation that is public",
			Sent: "a valid request without a credential", Expected: "any answer but 401", Got: ex.Response.StatusText(),
		}, 0)
	}
	for i, alternative := range op.Security {
		if len(alternative) == 0 {
			s.Coverage.Mark(openapi.Join(op.SecurityPointer, itoa(i)), SentValid|Judged)
		}
	}
	if len(op.Security) == 0 {
		s.Coverage.Mark(op.SecurityPointer, SentValid|Judged)
	}
}
