package generate

import (
	"slices"
	"sort"
	"strconv"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// plan says what a value must have so that a place in it exists.
type plan struct {
	present map[string]bool   // places that must be there: properties, and items
	choice  map[string]choice // alternative of a union, by place and the union's schema
	items   map[string]int    // number of items of an array, by place
	// propertyNames are those of additional properties that must be there, by the
	// place of the object.
	extra map[string][]string
}

// choice is an alternative that is to be taken.
type choice struct {
	at    string
	index int
	of    *openapi.Schema // the alternative
}

func (p plan) with(change func(*plan)) plan {
	q := plan{map[string]bool{}, map[string]choice{}, map[string]int{}, map[string][]string{}}
	for k, v := range p.present {
		q.present[k] = v
	}
	for k, v := range p.choice {
		q.choice[k] = v
	}
	for k, v := range p.items {
		q.items[k] = v
	}
	for k, v := range p.extra {
		q.extra[k] = v
	}
	change(&q)
	return q
}

func unionKey(at string, s *openapi.Schema, keyword string) string {
	return at + " " + s.Pointer + " " + keyword
}

// shape is what holds at one place of a value.
type shape struct {
	whole []*openapi.Schema // as they are written: all must hold
	parts []*openapi.Schema // with allOf, and the chosen alternatives, taken apart
	tags  map[string]any    // properties that choose an alternative: discriminators
}

// property is what holds for a property of an object.
type property struct {
	name     string
	whole    []*openapi.Schema
	required bool
}

// shape takes apart what holds at a place. The alternative of a union is the
// planned one, or the first that the hint fits, or the simplest.
func (g *generation) shape(at string, whole []*openapi.Schema, hint *any, depth int) shape {
	sh := shape{whole: whole, tags: map[string]any{}}
	var add func(s *openapi.Schema)
	union := func(s *openapi.Schema, keyword string, alternatives []*openapi.Schema) {
		if len(alternatives) == 0 {
			return
		}
		c, ok := g.plan.choice[unionKey(at, s, keyword)]
		i := c.index
		if !ok || i >= len(alternatives) {
			i = g.choose(alternatives, hint, depth)
		}
		if d := s.Discriminator; d != nil {
			sh.tags[d.Property] = tagOf(d, alternatives[i])
		}
		add(alternatives[i])
	}
	add = func(s *openapi.Schema) {
		if s == nil || slices.Contains(sh.parts, s) {
			return
		}
		sh.parts = append(sh.parts, s)
		for _, a := range s.AllOf {
			add(a)
		}
		union(s, "oneOf", s.OneOf)
		union(s, "anyOf", s.AnyOf)
	}
	for _, s := range whole {
		add(s)
	}
	return sh
}

func (g *generation) choose(alternatives []*openapi.Schema, hint *any, depth int) int {
	if hint != nil {
		for i, a := range alternatives {
			if len(g.src.faults(a, *hint, g.dir)) == 0 {
				return i
			}
		}
	}
	if depth < maxDepth {
		return 0
	}
	best, least := 0, maxCost
	for i, a := range alternatives {
		if c := cost(a, 0); c < least {
			best, least = i, c
		}
	}
	return best
}

const (
	maxDepth = 6  // of values, below which only what is required is made
	maxCost  = 12 // levels of required parts that a schema is taken to have at most
)

// cost is the number of levels that the least value of a schema has.
func cost(s *openapi.Schema, level int) int {
	if s == nil || level >= maxCost {
		return level
	}
	most := level
	for _, p := range s.Properties {
		if slices.Contains(s.Required, p.Name) {
			most = max(most, cost(p.Schema, level+1))
		}
	}
	if s.Items != nil && s.MinItems != nil && *s.MinItems > 0 {
		most = max(most, cost(s.Items, level+1))
	}
	for _, a := range s.AllOf {
		most = max(most, cost(a, level+1))
	}
	for _, union := range [][]*openapi.Schema{s.OneOf, s.AnyOf} {
		least := maxCost
		for _, a := range union {
			least = min(least, cost(a, level+1))
		}
		if len(union) > 0 {
			most = max(most, least)
		}
	}
	return most
}

// tagOf is the value of a discriminator that chooses an alternative.
func tagOf(d *openapi.Discriminator, alternative *openapi.Schema) string {
	names := make([]string, 0, len(d.Mapping))
	for name, s := range d.Mapping {
		if s == alternative || s != nil && s.Pointer == alternative.Pointer {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for _, p := range alternative.Properties {
		if p.Name != d.Property {
			continue
		}
		for _, v := range p.Schema.Enum {
			if t, ok := v.(string); ok && (len(names) == 0 || slices.Contains(names, t)) {
				return t
			}
		}
	}
	if len(names) > 0 {
		return names[0]
	}
	return alternative.Pointer[strings.LastIndexByte(alternative.Pointer, '/')+1:]
}

// types are those that all parts allow; empty: any.
func (sh shape) types() []string {
	var types []string
	for _, p := range sh.parts {
		switch {
		case len(p.Types) == 0:
		case types == nil:
			types = slices.Clone(p.Types)
		default:
			types = meet(types, p.Types)
		}
	}
	return types
}

func meet(a, b []string) []string {
	both := []string{}
	for _, t := range a {
		switch {
		case slices.Contains(b, t), t == "integer" && slices.Contains(b, "number"):
			both = append(both, t)
		case t == "number" && slices.Contains(b, "integer"):
			both = append(both, "integer")
		}
	}
	return both
}

// kind is the type that a value of the shape is given.
func (sh shape) kind() string {
	if types := sh.types(); len(types) > 0 {
		for _, t := range types {
			if t != "null" {
				return t
			}
		}
		return "null"
	}
	for _, p := range sh.parts {
		switch {
		case len(p.Properties) > 0 || len(p.Required) > 0 || p.Additional != nil || p.Closed || p.MinProperties != nil:
			return "object"
		case p.Items != nil || len(p.PrefixItems) > 0 || p.Contains != nil || p.MinItems != nil || p.MaxItems != nil || p.UniqueItems:
			return "array"
		case p.Minimum != "" || p.Maximum != "" || p.MultipleOf != "":
			return "number"
		}
	}
	return "string"
}

// properties are those of all parts together, in the order of the file. Those
// that may not go the way that the value goes are left out.
func (sh shape) properties(dir openapi.Direction) []property {
	index := map[string]int{}
	var list []property
	add := func(name string, s *openapi.Schema) {
		i, ok := index[name]
		if !ok {
			i = len(list)
			index[name] = i
			list = append(list, property{name: name})
		}
		if s != nil {
			list[i].whole = append(list[i].whole, s)
		}
	}
	for _, p := range sh.parts {
		for _, prop := range p.Properties {
			add(prop.Name, prop.Schema)
		}
	}
	for _, p := range sh.parts {
		for _, name := range p.Required {
			if _, ok := index[name]; !ok {
				add(name, p.Additional)
			}
			list[index[name]].required = true
		}
	}
	return slices.DeleteFunc(list, func(p property) bool {
		return slices.ContainsFunc(p.whole, func(s *openapi.Schema) bool { return wrongWay(s, dir) })
	})
}

// wrongWay tells whether a property does not go this way.
func wrongWay(s *openapi.Schema, dir openapi.Direction) bool {
	if dir == openapi.Request {
		return s.ReadOnly
	}
	return s.WriteOnly
}

// lengths are the bounds of the length of a string; -1: no upper bound.
func (sh shape) lengths() (low, high int) {
	return sh.bounds(func(p *openapi.Schema) (*int64, *int64) { return p.MinLength, p.MaxLength })
}

func (sh shape) sizes() (low, high int) {
	return sh.bounds(func(p *openapi.Schema) (*int64, *int64) { return p.MinItems, p.MaxItems })
}

func (sh shape) bounds(of func(*openapi.Schema) (*int64, *int64)) (low, high int) {
	high = -1
	for _, p := range sh.parts {
		l, h := of(p)
		if l != nil {
			low = max(low, int(*l))
		}
		if h != nil && (high < 0 || int(*h) < high) {
			high = int(*h)
		}
	}
	return low, high
}

func (sh shape) first(of func(*openapi.Schema) string) string {
	for _, p := range sh.parts {
		if v := of(p); v != "" {
			return v
		}
	}
	return ""
}

func (sh shape) format() string {
	return sh.first(func(p *openapi.Schema) string {
		if p.Format == "" && p.ContentEncoding == "base64" {
			return "byte"
		}
		return p.Format
	})
}

func (sh shape) patterns() []string {
	var list []string
	for _, p := range sh.parts {
		if p.Pattern != "" {
			list = append(list, p.Pattern)
		}
	}
	return list
}

// itemsAt are what holds for the item of an index.
func (sh shape) itemsAt(i int) []*openapi.Schema {
	var list []*openapi.Schema
	for _, p := range sh.parts {
		switch {
		case i < len(p.PrefixItems):
			list = append(list, p.PrefixItems[i])
		case p.Items != nil:
			list = append(list, p.Items)
		}
	}
	return list
}

func (sh shape) items() []*openapi.Schema {
	var list []*openapi.Schema
	for _, p := range sh.parts {
		if p.Items != nil {
			list = append(list, p.Items)
		}
	}
	return list
}

// additional is what holds for further properties, and whether there may be any.
func (sh shape) additional() (whole []*openapi.Schema, open bool) {
	open = true
	for _, p := range sh.parts {
		if p.Closed {
			open = false
		}
		if p.Additional != nil {
			whole = append(whole, p.Additional)
		}
	}
	return whole, open
}

// pointer makes the place of a property or an item.
func pointer(at, name string) string {
	return at + "/" + strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

func indexed(at string, i int) string { return at + "/" + strconv.Itoa(i) }
