package check

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// route is a path of the document, with the methods that it has there.
type route struct {
	template string
	pattern  *regexp.Regexp
	literal  int // how many characters of the template are no parameters
	ops      []*openapi.Operation
	names    []string // of the parameters, in order
}

var placeholder = regexp.MustCompile(`\{([^{}]*)\}`)

// newRoutes reads the paths of a document, those that say more of a path first
// (OpenAPI 3.0.3, 4.7.8: concrete paths are matched before templated ones).
func newRoutes(doc *openapi.Document) []*route {
	byTemplate := map[string]*route{}
	var all []*route
	for _, op := range doc.Operations {
		if t := byTemplate[op.Path]; t != nil {
			t.ops = append(t.ops, op)
			continue
		}
		t := &route{template: op.Path, ops: []*openapi.Operation{op}}
		pattern, rest := "^", op.Path
		for {
			at := placeholder.FindStringSubmatchIndex(rest)
			if at == nil {
				break
			}
			pattern += regexp.QuoteMeta(rest[:at[0]]) + "([^/]+)"
			t.literal += at[0]
			t.names = append(t.names, rest[at[2]:at[3]])
			rest = rest[at[1]:]
		}
		t.literal += len(rest)
		t.pattern = regexp.MustCompile(pattern + regexp.QuoteMeta(rest) + "$")
		byTemplate[op.Path] = t
		all = append(all, t)
	}
	slices.SortStableFunc(all, func(a, b *route) int {
		if n := len(a.names) - len(b.names); n != 0 {
			return n
		}
		return b.literal - a.literal
	})
	return all
}

// methods are those of a route in the document, in order, without repetition.
func (t *route) methods() []string {
	var all []string
	for _, op := range t.ops {
		all = append(all, op.Method)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// op finds the operation of a method; nil: there is none.
func (t *route) op(method string) *openapi.Operation {
	for _, op := range t.ops {
		if op.Method == method {
			return op
		}
	}
	return nil
}

// routesOf finds the paths of the document that a target can be of, the likeliest
// first.
func (r *Runner) routesOf(target string) []*route {
	r.prepare()
	path, ok := r.under(target)
	if !ok {
		return nil
	}
	var all []*route
	for _, t := range r.judging.routes {
		if t.pattern.MatchString(path) {
			all = append(all, t)
		}
	}
	return all
}

// under gives the path of a target as the document has it, without the path of
// the base.
func (r *Runner) under(target string) (string, bool) {
	path, _, _ := strings.Cut(target, "?")
	path, _, _ = strings.Cut(path, "#")
	prefix := ""
	if r.Base != nil {
		prefix = strings.TrimSuffix(r.Base.EscapedPath(), "/")
	}
	return strings.CutPrefix(path, prefix)
}

// parametersOf gives the decoded values of a route's parameters in a target.
func (r *Runner) parametersOf(t *route, target string) map[string]any {
	path, ok := r.under(target)
	if !ok {
		return nil
	}
	match := t.pattern.FindStringSubmatch(path)
	if match == nil {
		return nil
	}
	values := map[string]any{}
	for i, name := range t.names {
		value, err := url.PathUnescape(match[i+1])
		if err != nil {
			return nil
		}
		values[name] = value
	}
	return values
}

// prepare reads of the document what judging needs, once.
func (r *Runner) prepare() {
	r.judging.once.Do(func() {
		r.judging.routes = newRoutes(r.Document)
		r.judging.headers, r.judging.properties, r.judging.policies = map[string]bool{}, map[string]bool{}, map[string]bool{}
		for _, op := range r.Document.Operations {
			for _, response := range op.Responses {
				for _, h := range response.Headers {
					r.judging.headers[strings.ToLower(h.Name)] = true
				}
			}
		}
		for _, s := range r.Document.Places() {
			for _, p := range s.Properties {
				r.judging.properties[p.Name] = true
			}
		}
		policies, _ := r.Document.Extensions[openapi.ExtStrict].([]any)
		for _, p := range policies {
			if name, ok := p.(string); ok {
				r.judging.policies[name] = true
			}
		}
	})
}

// strict tells whether the document declares a policy of openapi.ExtStrict.
func (r *Runner) strict(policy string) bool {
	r.prepare()
	return r.judging.policies[policy]
}

// Bounds of what any server must take: RFC 9112 3 recommends 8000 octets for the
// request line, and common servers take as much of header fields.
const (
	usualHead = 7000
	usualBody = 1 << 20
)

var (
	tokenText = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
	uriTarget = regexp.MustCompile(`^(?:[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=|]|%[0-9A-Fa-f]{2})*$`)
	framed    = []string{"content-length", "transfer-encoding", "expect", "upgrade", "connection", "host", "te", "trailer"}
)

// unusual tells whether a request is one that a server may refuse as HTTP, before
// it looks at what is asked for.
func unusual(request *wire.Request) bool {
	if request.Raw != nil || request.CloseWrite || !tokenText.MatchString(request.Method) ||
		request.Method == http.MethodConnect || request.Method == http.MethodTrace ||
		len(request.Body) > usualBody || !uriTarget.MatchString(request.Target) {
		return true
	}
	size := len(request.Target)
	for _, f := range request.Header {
		size += len(f.Name) + len(f.Value) + 4
		if !tokenText.MatchString(f.Name) || slices.Contains(framed, strings.ToLower(f.Name)) || !visibleText(f.Value) {
			return true
		}
	}
	return size > usualHead
}

// visibleText tells whether a header's value is of visible ASCII characters, spaces
// and tabs (RFC 9110 5.5).
func visibleText(value string) bool {
	for i := range len(value) {
		if c := value[i]; c != '\t' && (c < ' ' || c > '~') {
			return false
		}
	}
	return true
}
