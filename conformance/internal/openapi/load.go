package openapi

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Load reads a document of OpenAPI 3.0 or 3.1, in YAML or JSON. The name is that
// of the file, as errors have it: "name:line: …".
//
// Only what the operations use is read: a component that none uses is neither
// judged nor a reason to refuse the document. References must be local (#/…).
func Load(name string, raw []byte) (*Document, error) {
	root, err := parse(name, raw)
	if err != nil {
		return nil, err
	}
	l := &loader{
		doc: &Document{
			Name: name, Raw: raw, root: root,
			Schemes: map[string]*SecurityScheme{}, places: map[string]*Schema{},
		},
		root: place{"", root}, following: map[string]bool{}, ids: map[string]bool{},
	}
	if err := l.document(); err != nil {
		return nil, err
	}
	return l.doc, nil
}

type loader struct {
	doc       *Document
	root      place
	following map[string]bool // references that are being followed
	ids       map[string]bool // operationIds
}

// errorf says what is wrong at a node.
func (l *loader) errorf(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %w", l.doc.Name, n.Line, fmt.Errorf(format, args...))
}

// warn notes what is wrong at a node, and no reason to refuse the document.
func (l *loader) warn(n *yaml.Node, format string, args ...any) {
	l.doc.Warnings = append(l.doc.Warnings, l.errorf(n, format, args...).Error())
}

// mapping refuses what is no mapping.
func (l *loader) mapping(p place, what string) error {
	if p.node.Kind != yaml.MappingNode {
		return l.errorf(p.node, "%s must be an object", what)
	}
	return nil
}

// sequence refuses what is no list.
func (l *loader) sequence(p place, what string) error {
	if p.node.Kind != yaml.SequenceNode {
		return l.errorf(p.node, "%s must be a list", what)
	}
	return nil
}

// find goes along a pointer from the root, and through references on the way, as
// bundlers write them: the place is where it ends.
func (l *loader) find(pointer string) (place, bool) {
	p := l.root
	hops := 0
	for _, token := range Split(pointer) {
		next, _ := step(p.node, token)
		for ref := p.text("$ref"); next == nil && ref != ""; ref = p.text("$ref") {
			ptr, err := fragment(ref)
			if hops++; err != nil || hops > maxDepth {
				return place{}, false
			}
			n, _, ok := find(l.root.node, ptr)
			if !ok {
				return place{}, false
			}
			p = place{ptr, n}
			next, _ = step(n, token)
		}
		if next == nil {
			return place{}, false
		}
		p = place{Join(p.ptr, token), next}
	}
	return p, true
}

// target finds what the reference ref, written at n, refers to.
func (l *loader) target(n *yaml.Node, ref string) (place, error) {
	ptr, err := fragment(ref)
	if err != nil {
		return place{}, l.errorf(n, "%w", err)
	}
	p, ok := l.find(ptr)
	if !ok {
		return place{}, l.errorf(n, "the reference %q leads nowhere", ref)
	}
	return p, nil
}

// follow gives the place that is meant: p, or what it refers to.
func (l *loader) follow(p place, what string) (place, error) {
	seen := map[string]bool{}
	for {
		if err := l.mapping(p, what); err != nil {
			return place{}, err
		}
		ref, ok := p.get("$ref")
		if !ok {
			return p, nil
		}
		if seen[p.ptr] {
			return place{}, l.errorf(ref.node, "the reference %q leads to itself", ref.node.Value)
		}
		seen[p.ptr] = true
		var err error
		if p, err = l.target(ref.node, ref.node.Value); err != nil {
			return place{}, err
		}
	}
}

func (l *loader) document() error {
	d := l.doc
	if err := l.mapping(l.root, "the document"); err != nil {
		return err
	}
	d.OpenAPI = l.root.text("openapi")
	if !d.V30() && !strings.HasPrefix(d.OpenAPI, "3.1.") {
		n := l.root.node
		if d.OpenAPI == "" && l.root.text("swagger") == "" {
			return l.errorf(n, "this is no OpenAPI document: it has no version (openapi: 3.0.3)")
		}
		return l.errorf(n, "this is a document of version %q; 3.0 and 3.1 are understood", d.OpenAPI+l.root.text("swagger"))
	}
	if info, ok := l.root.get("info"); ok {
		d.Title, d.Version = info.text("title"), info.text("version")
	}
	d.ServerURLs = servers(l.root)
	d.Extensions = extensions(l.root)
	if err := l.schemes(); err != nil {
		return err
	}
	paths, ok := l.root.get("paths")
	if !ok {
		if d.V30() {
			return l.errorf(l.root.node, "the document has no paths")
		}
		return nil
	}
	for _, f := range paths.fields() {
		if strings.HasPrefix(f.key, "x-") {
			continue
		}
		if err := l.path(f); err != nil {
			return err
		}
	}
	l.resolveLinks()
	return nil
}

// servers gives the URLs of servers, with the defaults of their variables; nil if
// the place says nothing of them.
func servers(p place) []string {
	list, ok := p.get("servers")
	if !ok {
		return nil
	}
	var urls []string
	for _, s := range list.items() {
		url := s.text("url")
		if vars, ok := s.get("variables"); ok {
			for _, v := range vars.fields() {
				url = strings.ReplaceAll(url, "{"+v.key+"}", v.text("default"))
			}
		}
		urls = append(urls, url)
	}
	return urls
}

func extensions(p place) map[string]any {
	var x map[string]any
	for _, f := range p.fields() {
		if strings.HasPrefix(f.key, "x-") {
			if x == nil {
				x = map[string]any{}
			}
			x[f.key] = Decode(f.node)
		}
	}
	return x
}

func (l *loader) schemes() error {
	list, ok := l.find("/components/securitySchemes")
	if !ok {
		return nil
	}
	for _, f := range list.fields() {
		p, err := l.follow(f.place, "a security scheme")
		if err != nil {
			return err
		}
		l.doc.Schemes[f.key] = &SecurityScheme{
			ID: f.key, Type: p.text("type"), Scheme: strings.ToLower(p.text("scheme")),
			In: p.text("in"), Name: p.text("name"), Pointer: p.ptr, Extensions: extensions(p),
		}
	}
	return nil
}

// methods are those that OpenAPI 3 has.
var methods = map[string]bool{
	"get": true, "put": true, "post": true, "delete": true,
	"options": true, "head": true, "patch": true, "trace": true,
}

func (l *loader) path(f field) error {
	if !strings.HasPrefix(f.key, "/") {
		return l.errorf(f.node, "the path %q must begin with /", f.key)
	}
	p, err := l.follow(f.place, "a path")
	if err != nil {
		return err
	}
	shared, err := l.parameters(p)
	if err != nil {
		return err
	}
	for _, m := range p.fields() {
		if !methods[m.key] {
			continue
		}
		if err := l.operation(f.key, p, m, shared); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) operation(path string, item place, m field, shared []*Parameter) error {
	if err := l.mapping(m.place, "an operation"); err != nil {
		return err
	}
	op := &Operation{
		ID: m.text("operationId"), Method: strings.ToUpper(m.key), Path: path,
		Pointer: m.ptr, Deprecated: m.truth("deprecated"), Extensions: extensions(m.place),
		ServerURLs: servers(m.place), Responses: map[string]*Response{},
	}
	if op.ID == "" || l.ids[op.ID] {
		op.ID = op.Method + " " + path
	}
	l.ids[op.ID] = true
	if op.ServerURLs == nil {
		op.ServerURLs = servers(item)
	}
	if tags, ok := m.get("tags"); ok {
		for _, t := range tags.items() {
			op.Tags = append(op.Tags, t.node.Value)
		}
	}
	own, err := l.parameters(m.place)
	if err != nil {
		return err
	}
	op.Parameters = merge(shared, own)
	l.pathNames(op, m.place)
	if body, ok := m.get("requestBody"); ok {
		if op.Body, err = l.body(body); err != nil {
			return err
		}
	}
	if err := l.responses(op, m.place); err != nil {
		return err
	}
	if err := l.security(op, m.place); err != nil {
		return err
	}
	l.doc.Operations = append(l.doc.Operations, op)
	return nil
}

// merge lets an operation's parameters replace those of its path.
func merge(shared, own []*Parameter) []*Parameter {
	var all []*Parameter
	for _, s := range shared {
		replaced := false
		for _, o := range own {
			replaced = replaced || o.Name == s.Name && o.In == s.In
		}
		if !replaced {
			all = append(all, s)
		}
	}
	return append(all, own...)
}

// pathNames sees to it that each name of the template has a parameter, as without
// one no request can be made: where the document has none, it is any text.
func (l *loader) pathNames(op *Operation, p place) {
	for _, part := range strings.Split(op.Path, "{")[1:] {
		name, _, _ := strings.Cut(part, "}")
		found := false
		for _, q := range op.Parameters {
			found = found || q.In == "path" && q.Name == name
		}
		if found {
			continue
		}
		l.warn(p.node, "the path %q has no parameter %q", op.Path, name)
		one := int64(1)
		op.Parameters = append(op.Parameters, &Parameter{
			Name: name, In: "path", Required: true, Style: "simple",
			Schema: &Schema{Types: []string{"string"}, MinLength: &one, Pointer: op.Pointer, node: p.node},
		})
	}
}

func (l *loader) security(op *Operation, p place) error {
	list, ok := p.get("security")
	if !ok {
		if list, ok = l.root.get("security"); !ok {
			return nil
		}
	}
	if err := l.sequence(list, "security"); err != nil {
		return err
	}
	op.SecurityPointer = list.ptr
	op.Security = []map[string][]string{}
	for _, item := range list.items() {
		alternative := map[string][]string{}
		for _, f := range item.fields() {
			if l.doc.Schemes[f.key] == nil {
				l.warn(f.node, "there is no security scheme %q", f.key)
				l.doc.Schemes[f.key] = &SecurityScheme{ID: f.key, Pointer: f.ptr}
			}
			scopes := []string{}
			for _, s := range f.items() {
				scopes = append(scopes, s.node.Value)
			}
			alternative[f.key] = scopes
		}
		op.Security = append(op.Security, alternative)
	}
	return nil
}

// resolveLinks finds the operations that links name by reference, and drops links
// to none.
func (l *loader) resolveLinks() {
	for _, op := range l.doc.Operations {
		for _, key := range slices.Sorted(maps.Keys(op.Responses)) {
			r := op.Responses[key]
			r.Links = slices.DeleteFunc(r.Links, l.astray)
		}
	}
}

func (l *loader) astray(link *Link) bool {
	n, _, _ := find(l.root.node, link.Pointer)
	ref := (place{link.Pointer, n}).text("operationRef")
	if ref != "" {
		if t, err := l.target(n, ref); err == nil {
			for _, op := range l.doc.Operations {
				if op.Pointer == t.ptr {
					link.OperationID = op.ID
				}
			}
		}
	}
	if !l.ids[link.OperationID] {
		l.warn(n, "the link %q leads to no operation of this document", link.Name)
		return true
	}
	return false
}
