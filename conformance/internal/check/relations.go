package check

import (
	"regexp"
	"slices"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// Operations of one resource are found by their paths. A resource is a template
// that ends in a parameter, such as /projects/{project_id}; its collection is the
// path before, /projects, or what a Location or a link shows at run time: see
// [fixtures].

// trailing is a path that ends in a parameter.
var trailing = regexp.MustCompile(`^(.*)/\{([^{}/]+)\}$`)

// prefixes gives the templates within a path that end in a parameter, the
// shortest first: /a/{b} and /a/{b}/c/{d} of /a/{b}/c/{d}/e.
func prefixes(path string) []string {
	var all []string
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if strings.HasPrefix(segment, "{") && strings.HasSuffix(segment, "}") {
			all = append(all, strings.Join(segments[:i+1], "/"))
		}
	}
	return all
}

// parameter is the name of the parameter at the end of a resource's template.
func parameter(resource string) string {
	m := trailing.FindStringSubmatch(resource)
	if m == nil {
		return ""
	}
	return m[2]
}

// collection is a resource's template without its parameter.
func collection(resource string) string {
	if m := trailing.FindStringSubmatch(resource); m != nil {
		return m[1]
	}
	return resource
}

// at finds an operation by method and path.
func (r *Runner) at(method, path string) *openapi.Operation {
	for _, op := range r.Document.Operations {
		if op.Method == method && op.Path == path {
			return op
		}
	}
	return nil
}

// resources are the templates of the document that end in a parameter.
func (r *Runner) resources() []string {
	var all []string
	for _, op := range r.Document.Operations {
		for _, resource := range prefixes(op.Path) {
			if !slices.Contains(all, resource) {
				all = append(all, resource)
			}
		}
	}
	return all
}

// creator is the operation that creates what a template names: a POST to the
// collection, or one whose path is the collection's plural (/customers creates
// /customer/{id}); nil if there is none. Producers that only run time shows are
// known to [fixtures].
func (r *Runner) creator(resource string) *openapi.Operation {
	base := collection(resource)
	for _, path := range []string{base, base + "s", base + "es", strings.TrimSuffix(base, "y") + "ies"} {
		if op := r.at("POST", path); op != nil && succeeds(op) {
			return op
		}
	}
	return nil
}

// created is the template of what an operation creates; empty if that is unknown.
func (r *Runner) created(op *openapi.Operation) string {
	for _, resource := range r.resources() {
		if r.creator(resource) == op {
			return resource
		}
	}
	return ""
}

// reader, deleter, replacer and patcher are the operations on one resource.
func (r *Runner) reader(resource string) *openapi.Operation   { return r.at("GET", resource) }
func (r *Runner) deleter(resource string) *openapi.Operation  { return r.at("DELETE", resource) }
func (r *Runner) replacer(resource string) *openapi.Operation { return r.at("PUT", resource) }
func (r *Runner) patcher(resource string) *openapi.Operation  { return r.at("PATCH", resource) }

// lister is the operation that lists the resources of a template.
func (r *Runner) lister(resource string) *openapi.Operation {
	base := collection(resource)
	for _, path := range []string{base, base + "s", base + "es", strings.TrimSuffix(base, "y") + "ies"} {
		if op := r.at("GET", path); op != nil {
			return op
		}
	}
	return nil
}

// succeeds tells whether an operation declares a success.
func succeeds(op *openapi.Operation) bool {
	for key := range op.Responses {
		if strings.HasPrefix(key, "2") {
			return true
		}
	}
	return false
}

// declares tells whether an operation declares a status, by itself, by its class
// or by default.
func declares(op *openapi.Operation, status int) bool {
	return declared(op, status) != nil
}

// declared gives the response that is declared for a status; nil if there is none.
func declared(op *openapi.Operation, status int) *openapi.Response {
	exact := itoa(status)
	for _, key := range []string{exact, exact[:1] + "XX", exact[:1] + "xx", "default"} {
		if response := op.Responses[key]; response != nil {
			return response
		}
	}
	return nil
}

// names tells whether an operation declares a status by itself, and not only by
// its class.
func names(op *openapi.Operation, status int) bool { return op.Responses[itoa(status)] != nil }

// inOrder sorts probes by name, for maps have no order.
func inOrder(probes []Probe) []Probe {
	slices.SortStableFunc(probes, func(a, b Probe) int { return strings.Compare(a.Name, b.Name) })
	return probes
}
