package check

import (
	"context"
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// mostSchemes bounds the truth table of F7.
const mostSchemes = 4

// probeCombined sends every set of credentials that the schemes of the operation
// allow, and each other scheme of the document alone: F7. A set is to be accepted
// if an alternative is within it. Sets that are to be accepted are sent for
// operations that change nothing, and for those with several alternatives.
func probeCombined(ctx context.Context, s *Session) {
	op, own := s.probe.Op, s.Credentials(Own)
	var schemes, foreign []string
	for _, id := range slices.Sorted(maps.Keys(s.Document.Schemes)) {
		needed := slices.ContainsFunc(op.Security, func(a map[string][]string) bool { _, has := a[id]; return has })
		switch {
		case own[id] == "":
		case needed && len(schemes) < mostSchemes:
			schemes = append(schemes, id)
		case !needed:
			foreign = append(foreign, id)
		}
	}
	d := s.guarded(ctx)
	try := func(set []string) {
		credentials := map[string]string{}
		for _, id := range set {
			credentials[id] = own[id]
		}
		alternative := slices.IndexFunc(op.Security, func(a map[string][]string) bool {
			for id := range a {
				if credentials[id] == "" {
					return false
				}
			}
			return true
		})
		if alternative >= 0 && !safe(op.Method) && len(op.Security) == 1 || s.ambiguous(set) {
			return
		}
		if alternative >= 0 && op.Method == http.MethodDelete {
			d = s.there(ctx, op, true)
		}
		s.judgeSet(op, set, alternative, s.Send(ctx, d, WithCredentials(credentials)))
	}
	for mask := 1; mask < 1<<len(schemes); mask++ {
		var set []string
		for i, id := range schemes {
			if mask&(1<<i) != 0 {
				set = append(set, id)
			}
		}
		try(set)
	}
	for _, id := range foreign {
		try([]string{id})
	}
}

// ambiguous tells whether two credentials would be put into one place.
func (s *Session) ambiguous(set []string) bool {
	places := map[string]bool{}
	for _, id := range set {
		in, name := carrier(s.Document.Schemes[id])
		if places[in+":"+name] {
			return true
		}
		places[in+":"+name] = true
	}
	return false
}

// judgeSet judges the answer to a set of credentials. alternative is the one that
// it fulfils, or -1.
func (s *Session) judgeSet(op *openapi.Operation, set []string, alternative int, ex *wire.Exchange) {
	if busy(ex) {
		return
	}
	sent := "a valid request with valid credentials of " + strings.Join(set, " and ")
	if alternative < 0 {
		if served(ex) {
			s.Report(unauthorized(op, ex, "Serves credentials of "+strings.Join(set, " and ")+", which are no alternative of its security", sent), 1)
		}
		return
	}
	clause := openapi.Join(op.SecurityPointer, itoa(alternative))
	if Status(ex) == http.StatusUnauthorized {
		s.Report(finding.Finding{
			Severity: finding.Must, Pointer: clause, Claim: "Refuses credentials of " + strings.Join(set, " and ") + ", which fulfil an alternative of its security",
			Sent: sent, Expected: "any answer but 401", Got: ex.Response.StatusText(),
		}, 1)
	}
	s.Coverage.Mark(clause, SentValid|Judged)
}

// somewhere is a way to send a credential that is not the declared one.
type somewhere struct {
	what     string // as in "in the query parameter token"
	severity finding.Severity
	put      func(request *wire.Request, value string)
}

// elsewhere gives such ways for a scheme of an operation. Servers ignore unknown
// cookies and headers, so these are tried together; they may refuse unknown query
// parameters, so each of these is tried alone.
func elsewhere(doc *openapi.Document, op *openapi.Operation, scheme *openapi.SecurityScheme) []somewhere {
	declared := map[string]bool{}
	for _, alternative := range op.Security {
		for id := range alternative {
			if other := doc.Schemes[id]; other != nil {
				in, name := carrier(other)
				declared[in+":"+name] = true
			}
		}
	}
	for _, p := range op.Parameters {
		declared[p.In+":"+strings.ToLower(p.Name)] = true
	}
	undeclared := func(in string, all ...string) []string {
		seen := map[string]bool{"": true}
		return slices.DeleteFunc(append(all, scheme.Name, scheme.ID), func(name string) bool {
			name = strings.ToLower(name)
			drop := seen[name] || declared[in+":"+name]
			seen[name] = true
			return drop
		})
	}
	var all []somewhere
	for _, name := range undeclared("query", "access_token", "api_key", "apikey", "key", "token", "auth") {
		all = append(all, somewhere{"in the query parameter " + name, finding.Must, func(r *wire.Request, value string) { withQuery(r, name, value) }})
	}
	cookies := undeclared("cookie", "access_token", "api_key", "apikey", "key", "token", "auth", "session")
	all = append(all, somewhere{"in a cookie", finding.Must, func(r *wire.Request, value string) {
		pairs := r.Get("Cookie")
		for _, name := range cookies {
			if pairs != "" {
				pairs += "; "
			}
			pairs += name + "=" + value
		}
		setField(r, "Cookie", pairs)
	}})
	headers := undeclared("header", "X-API-Key", "API-Key", "X-Auth-Token", "X-Access-Token", "Token", "X-Authorization", "Proxy-Authorization")
	all = append(all, somewhere{"in another header", finding.Must, func(r *wire.Request, value string) {
		for _, name := range headers {
			if tokenText.MatchString(name) {
				r.Header = append(r.Header, wire.Field{Name: name, Value: value})
			}
		}
	}})
	return append(all, otherWords(scheme, declared)...)
}

// otherWords are ways to send a credential in Authorization that is not the
// scheme's. To take it under another scheme's name does no harm by itself.
func otherWords(scheme *openapi.SecurityScheme, declared map[string]bool) []somewhere {
	in, name := carrier(scheme)
	word := func(what, prefix string, severity finding.Severity) somewhere {
		return somewhere{what, severity, func(r *wire.Request, value string) { setField(r, "Authorization", prefix+value) }}
	}
	switch {
	case in == "header" && name == "authorization" && scheme.Type == "http" && strings.EqualFold(scheme.Scheme, "basic"):
		return nil // what its own form is, others know
	case in == "header" && name == "authorization" && scheme.Type != "apiKey":
		return []somewhere{
			word("in Authorization without a scheme", "", finding.Should), word("in Authorization under the scheme Token", "Token ", finding.Should),
			{"in Authorization as a user of Basic", finding.Should, func(r *wire.Request, value string) {
				setField(r, "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(value+":")))
			}},
		}
	case declared["header:authorization"]:
		return nil
	}
	return []somewhere{word("in Authorization", "Bearer ", finding.Must)}
}

// probeMisplaced sends a valid credential where none is looked for: F9. Of schemes
// that are needed together the others are in their places.
func probeMisplaced(ctx context.Context, s *Session) {
	op, own := s.probe.Op, s.Credentials(Own)
	d := s.guarded(ctx)
	tried := map[string]bool{}
	for i, alternative := range op.Security {
		for _, id := range slices.Sorted(maps.Keys(alternative)) {
			scheme := s.Document.Schemes[id]
			if scheme == nil || own[id] == "" || tried[id] {
				continue
			}
			tried[id] = true
			others := map[string]string{}
			for other := range alternative {
				if other != id {
					others[other] = own[other]
				}
			}
			for _, way := range elsewhere(s.Document, op, scheme) {
				ex := s.misplace(ctx, d, others, way, own[id])
				if !served(ex) && !s.looksAt(ctx, d, others, way, ex) {
					continue
				}
				f := unauthorized(op, ex, "Takes a credential "+way.what+", where none is declared", "a valid credential "+way.what)
				f.Severity, f.Pointer = way.severity, openapi.Join(op.SecurityPointer, itoa(i))
				s.Report(f, 0)
			}
		}
	}
}

// misplace sends a request with a credential in a place that is not declared.
func (s *Session) misplace(ctx context.Context, d *generate.Draft, others map[string]string, way somewhere, value string) *wire.Exchange {
	return s.Send(ctx, d, WithCredentials(others), Changed(func(r *wire.Request) { way.put(r, value) }))
}

// looksAt tells whether a server that did not serve a request with a valid credential
// somewhere has looked at it nevertheless: it refuses an invented one in that place
// with 401, and this one for another reason.
func (s *Session) looksAt(ctx context.Context, d *generate.Draft, others map[string]string, way somewhere, ex *wire.Exchange) bool {
	if busy(ex) || Status(ex) == http.StatusUnauthorized || Status(ex) >= 500 {
		return false
	}
	return Status(s.misplace(ctx, d, others, way, "invented-"+s.unique())) == http.StatusUnauthorized
}

// probeAuthFirst sends invalid requests without a credential: F8. Nothing may be
// learned from the answers but that a credential is needed. That a body is too
// long may be said before.
func probeAuthFirst(ctx context.Context, s *Session) {
	op := s.probe.Op
	d := s.guarded(ctx)
	for _, bad := range s.invalid(op) {
		request := s.prepared(ctx, d, Anonymous)
		if !bad.change(request) {
			continue
		}
		ex := s.SendRaw(ctx, op, request)
		switch status := Status(ex); status {
		case http.StatusBadRequest, http.StatusNotFound, http.StatusNotAcceptable, http.StatusConflict, http.StatusGone, http.StatusPreconditionFailed,
			http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity, http.StatusPreconditionRequired:
			s.Report(finding.Finding{
				Severity: finding.Should, Pointer: securityPointer(op), Claim: "Judges an invalid request before it asks for a credential",
				Sent: bad.what + ", without a credential", Expected: "401 Unauthorized", Got: ex.Response.StatusText(),
			}, 1)
		}
	}
}

// mistake makes a request invalid; change tells whether it could.
type mistake struct {
	what   string
	change func(*wire.Request) bool
}

// invalid gives ways to break a request for an operation.
func (s *Session) invalid(op *openapi.Operation) []mistake {
	always := func(f func(*wire.Request)) func(*wire.Request) bool {
		return func(r *wire.Request) bool { f(r); return true }
	}
	all := []mistake{{"an unknown query parameter", always(func(r *wire.Request) { withQuery(r, "conformance", "1") })}}
	if bodySchema(op) != nil {
		all = append(all,
			mistake{"malformed JSON", always(func(r *wire.Request) { r.Body = []byte(`{"conformance":`) })},
			mistake{"a body of another type", always(func(r *wire.Request) { r.Body = []byte(`"conformance"`) })},
			mistake{"an undeclared media type", always(func(r *wire.Request) { setField(r, "Content-Type", "application/x-conformance") })},
			mistake{"no body", always(func(r *wire.Request) { r.Body = nil })})
	}
	if names(op, http.StatusNotAcceptable) {
		all = append(all, mistake{"an Accept that cannot be satisfied", always(func(r *wire.Request) { setField(r, "Accept", "application/x-conformance") })})
	}
	for _, p := range op.Parameters {
		if p.In == "query" && p.Required {
			all = append(all, mistake{"no query", always(func(r *wire.Request) { r.Target, _, _ = strings.Cut(r.Target, "?") })})
			break
		}
	}
	if parts := strings.Split(op.Path, "/"); strings.HasPrefix(parts[len(parts)-1], "{") || len(prefixes(op.Path)) > 0 {
		all = append(all, mistake{"ids of nothing", func(r *wire.Request) bool { return s.replaceIDs(r, op, "conformance-none") }})
	}
	return all
}

// replaceIDs puts a value in place of every path parameter of a request.
func (s *Session) replaceIDs(request *wire.Request, op *openapi.Operation, escaped string) bool {
	path, query := pathOf(request)
	base := strings.TrimSuffix(s.Base.EscapedPath(), "/")
	segments, parts := strings.Split(strings.TrimPrefix(path, base), "/"), strings.Split(op.Path, "/")
	if len(segments) != len(parts) {
		return false
	}
	for i, part := range parts {
		if strings.HasPrefix(part, "{") && strings.HasSuffix(part, "}") {
			segments[i] = escaped
		}
	}
	request.Target = base + strings.Join(segments, "/") + query
	return true
}
