package generate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// wrong is a value of another type than is wanted.
type wrong struct {
	label, why string
	value      any
}

// worthwhile are the labels of wrongs that a careless server may take for a value
// of a type: 0 and 1 for truth values, an empty array for an object.
var worthwhile = map[string][]string{
	"string":  {"wrapped", "number", "true", "object"},
	"number":  {"quoted", "wrapped", "true", "string", "empty-string", "object"},
	"integer": {"quoted", "wrapped", "fraction", "true", "string", "empty-string", "object"},
	"boolean": {"quoted", "wrapped", "number", "zero", "string", "empty-string"},
	"array":   {"unwrapped", "keyed", "quoted", "object", "string", "empty-string", "number"},
	"null":    {"zero", "false", "string", "empty-string", "object"},
	"object":  {"wrapped", "quoted", "array", "string", "empty-string", "number", "true"},
}

// wrongs are values of other types: those first that a careless server converts.
func wrongs(old any) []wrong {
	var list []wrong
	add := func(label, why string, value any) { list = append(list, wrong{label, why, value}) }
	switch v := old.(type) {
	case json.Number:
		add("quoted", "the number as a string", v.String())
		add("wrapped", "the number in an array", []any{v})
	case bool:
		text, _ := plainText(v) // a truth value has a text
		add("quoted", "the truth value as a string", text)
		add("wrapped", "the truth value in an array", []any{v})
	case string:
		add("wrapped", "the string in an array", []any{v})
	case []any:
		if len(v) > 0 {
			add("unwrapped", "the only item, not in an array", v[0])
		}
		keyed := map[string]any{}
		for i, w := range v {
			keyed[fmt.Sprint(i)] = w
		}
		add("keyed", "an object with the indexes as names", keyed)
		add("quoted", "the array as JSON in a string", string(mustJSON(v)))
	case map[string]any:
		add("wrapped", "the object in an array", []any{v})
		add("quoted", "the object as JSON in a string", string(mustJSON(v)))
	}
	add("number", "a number", json.Number("1"))
	add("zero", "the number 0", json.Number("0"))
	add("fraction", "a number with a fraction", json.Number("1.5"))
	add("true", "true", true)
	add("false", "false", false)
	add("string", "a string", "conformance")
	add("empty-string", "an empty string", "")
	add("array", "an empty array", []any{})
	add("object", "an empty object", map[string]any{})
	return list
}

// types writes down values of each type that is allowed, of each that is not, and
// null.
func (w *walker) types(sp spot, p *openapi.Schema) {
	if len(p.Types) == 0 {
		w.null(sp, p)
		return
	}
	w.add(sp.recipe(p, Keeps, "E8", "type").with("", "a valid value", func(_ *generation, old any) []any { return []any{old} }))
	w.null(sp, p)
	w.allowedTypes(sp, p)
	sample := sampleOf(sp.shape.kind())
	var same []string
	for _, q := range sp.shape.parts { // a value of another type is none of those listed, either
		for _, k := range []string{"type", "enum", "const", "oneOf", "anyOf", "not", "discriminator"} {
			same = append(same, openapi.Join(q.Pointer, k))
		}
	}
	for _, x := range wrongs(sample) {
		if p.Allows(kindOf(x.value)) || !slices.Contains(worthwhile[sp.shape.kind()], x.label) {
			continue
		}
		r := sp.recipe(p, Breaks, "E8", "type").with(x.label, x.why+", where "+strings.Join(p.Types, " or ")+" is wanted",
			func(_ *generation, old any) []any { return wrongOf(old, x) })
		r.also = append(slices.Clone(same), w.tags[sp.at]...)
		r.claims = append(r.claims, w.tags[sp.at]...)
		w.add(r)
	}
}

// wrongOf is the value of a label for what is really there.
func wrongOf(old any, x wrong) []any {
	for _, y := range wrongs(old) {
		if y.label == x.label {
			return []any{y.value}
		}
	}
	return []any{x.value}
}

// sampleOf is some value of a type.
func sampleOf(kind string) any {
	switch kind {
	case "integer", "number":
		return json.Number("1")
	case "boolean":
		return true
	case "array":
		return []any{"conformance"}
	case "object":
		return map[string]any{}
	case "null":
		return nil
	default:
		return "conformance"
	}
}

// null writes down null, where it is allowed and where it is not.
func (w *walker) null(sp spot, p *openapi.Schema) {
	null := func(*generation, any) []any { return []any{nil} }
	switch {
	case p.Nullable && w.v30():
		w.add(sp.recipe(p, Keeps, "E7", "nullable").with("null", "null, which is allowed", null))
	case p.Nullable:
		w.add(sp.recipe(p, Keeps, "E7", "type").with("null", "null, which is allowed", null))
	case len(p.Types) > 0 && !slices.Contains(p.Types, "null"):
		r := sp.recipe(p, Breaks, "E7", "type").with("null", "null, which is not allowed", null)
		for _, q := range sp.shape.parts {
			for _, k := range []string{"nullable", "type", "enum", "const", "oneOf", "anyOf", "discriminator"} {
				r.also = append(r.also, openapi.Join(q.Pointer, k))
			}
		}
		r.claims = append(r.claims, w.tags[sp.at]...)
		w.add(r)
	}
}

func (w *walker) v30() bool { return w.src.Doc == nil || w.src.Doc.V30() }

// allowedTypes writes down values of the types that the usual value is not of,
// and other ways to write the same type.
func (w *walker) allowedTypes(sp spot, p *openapi.Schema) {
	usual := sp.shape.kind()
	for _, t := range p.Types {
		if t != usual && len(p.Types) > 1 {
			w.add(sp.recipe(p, Keeps, "E8", "type").with("of-"+t, "a value of type "+t, func(g *generation, _ any) []any {
				return g.ofType(sp, t)
			}))
		}
	}
	keep := func(class, label, why string, values ...any) {
		w.add(sp.recipe(p, Keeps, class, "type").with(label, why, func(*generation, any) []any { return values }))
	}
	switch usual {
	case "boolean":
		keep("E8", "true", "true", true)
		keep("E8", "false", "false", false)
	case "integer":
		if !w.v30() { // in 3.0, an integer is a number without a point (JSON Schema Wright-00, 3.5)
			w.add(sp.recipe(p, Keeps, "E8", "type").with("point", "an integer that is written with a fraction of 0", func(_ *generation, old any) []any {
				n, ok := old.(json.Number)
				if !ok || strings.ContainsAny(n.String(), ".eE") {
					return nil
				}
				return []any{n + ".0"}
			}))
		}
		keep("K5", "beyond-double", "an integer that no float64 holds", json.Number("9007199254740993"), json.Number("-9007199254740993"))
	case "number":
		keep("K5", "decimal", "a number that no float64 holds exactly", json.Number("0.1"), json.Number("1.1"), json.Number("10.1"))
		keep("K5", "exponent", "a number with an exponent", json.Number("1e1"), json.Number("1.5e1"), json.Number("5E-1"), json.Number("1E2"))
		keep("K5", "digits", "a number of many digits", json.Number("0.1234567890123"), json.Number("1.1234567890123"))
	case "string":
		w.unusualText(sp, p)
	}
}

// ofType are values of a type that a shape may have besides the usual one.
func (g *generation) ofType(sp spot, kind string) []any {
	only := &openapi.Schema{Pointer: "", Types: []string{kind}}
	whole := append(slices.Clone(sp.shape.whole), only)
	return []any{g.value(sp.at, whole, nil, maxDepth, 0), sampleOf(kind)}
}

// unusualText writes down text that is easily damaged.
func (w *walker) unusualText(sp spot, p *openapi.Schema) {
	text := func(class, label, why string, texts ...string) {
		w.add(sp.recipe(p, Keeps, class, "type").with(label, why, func(g *generation, _ any) []any {
			u := g.src.unique()
			var list []any
			for _, t := range texts {
				list = append(list, strings.ReplaceAll(t, "*", u), strings.ReplaceAll(t, "*", ""))
			}
			return list
		}))
	}
	text("K1", "emoji", "emoji that are joined of several code points", "*👩‍👩‍👧‍👦🏳️‍🌈", "👩‍👩‍👧")
	text("K1", "scripts", "text from right to left, and beyond the basic plane", "*שלום 𝔘𝔫𝔦 日本", "日本")
	text("K4", "decomposed", "a letter and a combining accent, not composed", "*Cafe\u0301", "e\u0301")
	text("K4", "spaces", "text with spaces, at its ends if it may be", " * ", " x ", " xx ", "* x", "x x")
	text("L6", "markup", "characters that mean something in HTML, SQL and shells", `*<b>"&'</b>;--`, `<&>"'`)
}

// listedValues writes down each value of enum and const, and what nearly is one.
func (w *walker) listedValues(sp spot, p *openapi.Schema) {
	keyword, values := "enum", p.Enum
	if p.Const != nil {
		keyword, values = "const", []any{*p.Const}
	}
	if len(values) == 0 {
		return
	}
	for _, v := range values {
		label := slug(v)
		w.add(sp.recipe(p, Keeps, "E5", keyword).with(label, "a value that is listed: "+string(mustJSON(v)),
			func(*generation, any) []any { return []any{v} }))
	}
	for _, n := range nearMisses {
		r := sp.recipe(p, Breaks, "E5", keyword).with(n.label, n.why, func(*generation, any) []any {
			var list []any
			for _, v := range values {
				if t, ok := v.(string); ok {
					if miss, ok := n.change(t); ok && miss != t {
						list = append(list, miss)
					}
				}
			}
			return list
		})
		// What tags no alternative is refused by the union before it gets here.
		r.claims = append(r.claims, w.tags[sp.at]...)
		if allText(values) {
			w.add(r)
		}
	}
	for i, other := range w.besides(values) {
		r := sp.recipe(p, Breaks, "E5", keyword).with(nth(i), "a value that is not listed here, but where some of these are",
			func(*generation, any) []any { return []any{other} })
		for _, q := range sp.shape.parts {
			r.also = append(r.also, openapi.Join(q.Pointer, "discriminator"), openapi.Join(q.Pointer, "oneOf"))
		}
		w.add(r)
	}
	if slices.ContainsFunc(values, func(v any) bool { _, ok := v.(json.Number); return ok }) {
		w.add(sp.recipe(p, Breaks, "E5", keyword).with("next", "a number that is not listed", func(*generation, any) []any {
			return unlistedNumbers(values)
		}))
	}
}

// listedElsewhere gives what other lists of the document have besides values of this
// one: a server that knows them may take them here, too.
func (w *walker) listedElsewhere(values []any) []any {
	if w.src.Doc == nil {
		return nil
	}
	has := func(list []any, v any) bool {
		return slices.ContainsFunc(list, func(x any) bool { return bytes.Equal(mustJSON(x), mustJSON(v)) })
	}
	places := w.src.Doc.Places()
	var others []any
	for _, pointer := range slices.Sorted(maps.Keys(places)) {
		list := places[pointer].Enum
		if !slices.ContainsFunc(list, func(v any) bool { return has(values, v) }) {
			continue
		}
		for _, v := range list {
			if !has(values, v) && !has(others, v) {
				others = append(others, v)
			}
		}
	}
	return others
}

func allText(values []any) bool {
	return slices.ContainsFunc(values, func(v any) bool { _, ok := v.(string); return ok })
}

func unlistedNumbers(values []any) []any {
	var list []any
	for _, v := range values {
		n, ok := v.(json.Number)
		if !ok {
			continue
		}
		if r, ok := rational(n.String()); ok {
			one := big.NewRat(1, 1)
			list = append(list, number(plus(r, one)), number(minus(r, one)))
		}
	}
	return list
}

// miss is a change of a text to one that is not quite it.
type miss struct {
	label, why string
	change     func(text string) (string, bool)
}

// homoglyphs are letters that look like others.
var homoglyphs = strings.NewReplacer("a", "а", "c", "с", "e", "е", "i", "і", "o", "о", "p", "р", "x", "х", "y", "у",
	"A", "А", "B", "В", "C", "С", "E", "Е", "H", "Н", "I", "І", "K", "К", "M", "М", "O", "О", "P", "Р", "T", "Т", "X", "Х")

// nearMisses are changes of a text that is listed.
var nearMisses = []miss{
	{"upper-case", "a listed value in capitals", func(t string) (string, bool) { return strings.ToUpper(t), true }},
	{"lower-case", "a listed value in small letters", func(t string) (string, bool) { return strings.ToLower(t), true }},
	{"first-capital", "a listed value with a capital", func(t string) (string, bool) {
		if t == "" {
			return "", false
		}
		return strings.ToUpper(t[:1]) + t[1:], true
	}},
	{"trailing-space", "a listed value and a space", func(t string) (string, bool) { return t + " ", true }},
	{"leading-space", "a space and a listed value", func(t string) (string, bool) { return " " + t, true }},
	{"trailing-newline", "a listed value and a newline", func(t string) (string, bool) { return t + "\n", true }},
	{"homoglyph", "a listed value with letters of another script that look alike", func(t string) (string, bool) {
		return homoglyphs.Replace(t), true
	}},
	{"shorter", "a listed value without its last letter", func(t string) (string, bool) {
		r := []rune(t)
		if len(r) < 2 {
			return "", false
		}
		return string(r[:len(r)-1]), true
	}},
	{"longer", "a listed value with a letter more", func(t string) (string, bool) { return t + "x", true }},
	{"empty", "an empty string", func(string) (string, bool) { return "", true }},
	{"unlisted", "a word that is not listed", func(string) (string, bool) { return "conformance", true }},
}

// slug makes a label of a value.
func slug(v any) string {
	text, err := plainText(v)
	if err != nil {
		text = kindOf(v)
	}
	out := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, text)
	if len(out) > 24 {
		out = out[:24]
	}
	return strings.Trim(out, "-")
}

// defaults writes down the default, said expressly, and the examples.
func (w *walker) defaults(sp spot, p *openapi.Schema) {
	if p.Default != nil {
		w.add(sp.recipe(p, Keeps, "E15", "default").with("", "the default, said expressly",
			func(*generation, any) []any { return []any{*p.Default} }))
	}
}
