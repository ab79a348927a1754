package checker_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"cryptoexchange.com/escrow/impl/internal/checker"
	"cryptoexchange.com/escrow/impl/internal/strictjson"
)

// zoo gives a schema of the zoo.
func zoo(t testing.TB, name string) *openapi3.Schema {
	t.Helper()
	ref := originals(t)["zoo"].Components.Schemas[name]
	if ref == nil {
		t.Fatalf("no schema %s", name)
	}
	return ref.Value
}

// TestKnows has documents that a checker must know, each of a thing that is easy
// to get wrong in the other direction.
func TestKnows(t *testing.T) {
	t.Parallel()
	tests := []struct{ schema, document string }{
		{"Anything", `{"a":[1,{"b":null}],"c":"\ud83d\ude00"}`},
		{"Anything", " \r\n\t0 \r\n\t"},
		{"NullableNoType", `null`},
		{"NullableNoType", `"😀😀😀"`},
		{"NullableNoType", `[1]`},
		{"Enums", `{"strings":"\ud83d\ude00","nullable":null,"integers":-5,"numbers":0.5,"booleans":true}`},
		{"Enums", `{"mixed":"a"}`},
		{"Enums", `{"mixed":1}`},
		{"Enums", `{"mixed":true}`},
		{"Numbers", `{"int32":-2147483648,"int64":-999999999999999,"double":0.1,"open":0.001,"halves":-1.5}`},
		{"Numbers", `{"unbounded":0,"unknown":1}`},
		{"Texts", `{"astral":"😀😀","unanchored":"xabbbcx","end":"xab","either":"xb","empty":"","fold":"STRAßE","word":"a cat","lines":"x\nabc\ny"}`},
		{"Texts", `{"date":"2024-02-29","time":"1985-04-12T23:20:50+01:00","email":"\u006a@example.com","uri":"urn:a","formatOnly":1}`},
		{"Arrays", `{"bounded":["a","b"],"untyped":["a"],"loose":[null],"nulls":[null,1],"nested":[[[true]]]}`},
		{"Map", `{"a":1,"b":2}`},
		{"MapToo", `{"a":"","elsewhere":1,"b":null,"c":2}`},
		{"Open", `{"a":"","b":"","zzz":null}`},
		{"StrangeNames", `{"é":1,"a/b~c":1,"":1,"😀":1}`},
		{"AllWithMore", `{"id":1,"name":"a","more":false}`},
		{"AllNullable", `null`},
		{"AllOfNullable", `null`},
		{"AllOfNullableTyped", `null`},
		{"Any", `"1234"`},
		{"Any", `{"id":1,"name":"toolong"}`},
		{"AnyNullable", `null`},
		{"AnyWithOwn", `7`},
		{"OneByKind", `{"id":1}`},
		{"OneNull", `null`},
		{"OneNested", `[1,2,3]`},
		{"OneNested", `3`},
		{"Pet", `{"meows":true,"kind":"cat"}`},
		{"Pet", `{ "barks" : 1 , "kind" : "dog" }`},
		{"Pet", `{"kind":"hound"}`},
		{"PetOrText", `{"extra":{"kind":"dog"},"kind":"cat","meows":true}`},
		{"PetTwice", `null`},
		{"PetTwice", `{"kind":"dog"}`},
		{"NotDiscriminated", `{"kind":"dog"}`},
		{"NotNullable", `null`},
		{"Tree", `{"value":1,"left":{"value":2},"children":[{"value":3,"children":[]}]}`},
		{"Nest", `[{"a":[1]},[],2]`},
	}
	for _, test := range tests {
		s := zoo(t, test.schema)
		if err := authority(s, []byte(test.document)); err != nil {
			t.Errorf("%s: %s: %v", test.schema, test.document, err)
		}
		if !checker.Compile(s, formats).Valid([]byte(test.document)) {
			t.Errorf("%s: does not know %s", test.schema, test.document)
		}
	}
}

func types(names ...string) *openapi3.Types { t := openapi3.Types(names); return &t }

func pointer[T any](v T) *T { return &v }

// TestOdd holds schemas that only a program can make, or only one that means ill,
// to the authority.
func TestOdd(t *testing.T) {
	t.Parallel()
	ref := func(s *openapi3.Schema) *openapi3.SchemaRef { return &openapi3.SchemaRef{Value: s} }
	schemas := []*openapi3.Schema{
		{Always: pointer(true)},
		{Always: pointer(false)},
		{Always: pointer(false), Nullable: true},
		{Type: types()},
		{Type: types("null")},
		{Type: types("string", "null"), MinLength: 1},
		{Type: types("integer", "number")},
		{Type: types("wrong")},
		{Min: pointer(math.NaN())},
		{ExclusiveMin: openapi3.ExclusiveBound{Value: pointer(math.NaN())}},
		{ExclusiveMax: openapi3.ExclusiveBound{Value: pointer(1.0)}},
		{ExclusiveMax: openapi3.ExclusiveBound{Bool: pointer(true)}, Max: pointer(math.NaN())},
		{MultipleOf: pointer(0.0)},
		{MultipleOf: pointer(-1.0)},
		{MultipleOf: pointer(math.Inf(1))},
		{MultipleOf: pointer(0.1)},
		{Enum: []any{1, json.Number("2"), "a", nil}},
		{Enum: []any{}},
		{Enum: []any{math.NaN()}},
		{MinLength: math.MaxUint64},
		{MaxLength: pointer(uint64(math.MaxUint64))},
		{MinItems: math.MaxUint64},
		{MaxItems: pointer(uint64(math.MaxUint64))},
		{MinProps: math.MaxUint64},
		{MaxProps: pointer(uint64(0))},
		{Pattern: "("},
		{PrefixItems: openapi3.SchemaRefs{ref(&openapi3.Schema{Type: types("string")})}, Items: ref(&openapi3.Schema{Type: types("integer")})},
		{Const: "a"},
		{AdditionalProperties: openapi3.AdditionalProperties{Has: pointer(false), Schema: ref(&openapi3.Schema{})}},
		{Required: []string{"a", "a", "\x01"}},
		{OneOf: openapi3.SchemaRefs{ref(&openapi3.Schema{Type: types("string")}), ref(&openapi3.Schema{Always: pointer(true)})}},
		{
			AnyOf:         openapi3.SchemaRefs{ref(&openapi3.Schema{Type: types("object")})},
			Discriminator: &openapi3.Discriminator{PropertyName: "a", Mapping: map[string]openapi3.MappingRef{"": {}, "a": {Ref: "x/y"}}},
		},
		{
			OneOf:         openapi3.SchemaRefs{ref(&openapi3.Schema{Type: types("object")})},
			Discriminator: &openapi3.Discriminator{},
		},
		{Format: "int32"},
		{Format: "date"},
		{Type: types("integer"), Format: "date"},
	}
	documents := []string{
		`null`, `true`, `false`, `0`, `1`, `2`, `-1`, `0.5`, `1.5`, `3000000000`, `""`, `"a"`, `"b"`, `"2022-08-01"`, `[]`, `[1]`, `["a"]`, `["a",1]`, `["a","b"]`,
		`{}`, `{"a":1}`, `{"a":"a"}`, `{"a":""}`, `{"b":null}`, `{"a":"a","b":1}`, `{"":"a"}`,
	}
	for _, s := range schemas {
		c := checker.Compile(s, formats)
		for _, document := range documents {
			if !c.Valid([]byte(document)) {
				continue
			}
			if err := authority(s, []byte(document)); err != nil {
				text, _ := json.Marshal(s)
				t.Errorf("%s: %s: %v", text, document, err)
			}
		}
	}
}

// TestNothing compiles schemas that are not there, and some that kin-openapi
// fails on.
func TestNothing(t *testing.T) {
	t.Parallel()
	loop := &openapi3.Schema{}
	loop.AllOf = openapi3.SchemaRefs{{Value: loop}}
	loop.OneOf = openapi3.SchemaRefs{{Value: loop}}
	for _, s := range []*openapi3.Schema{
		nil, loop,
		{OneOf: openapi3.SchemaRefs{nil}}, {OneOf: openapi3.SchemaRefs{{}}}, {AnyOf: openapi3.SchemaRefs{{}}}, {AllOf: openapi3.SchemaRefs{{}}},
		{OneOf: openapi3.SchemaRefs{{Value: &openapi3.Schema{AllOf: openapi3.SchemaRefs{nil}}}}},
		{Items: &openapi3.SchemaRef{}, Type: types("array"), MinItems: 1}, {Properties: openapi3.Schemas{"a": nil}, Required: []string{"a"}, Type: types("object")},
	} {
		c := checker.Compile(s, nil)
		for _, document := range []string{"", " ", "1", "[1]", `{"a":1}`, "null", `"`, `{"`, `{"a"`, `{"a":`, `[`, `[1`, `[1,`, `-`, `tru`} {
			if c.Valid([]byte(document)) {
				t.Errorf("%v: %s", s, document)
			}
		}
	}
}

// TestLimits holds checkers to the limits of the strict reader, on both sides.
func TestLimits(t *testing.T) {
	t.Parallel()
	c := checker.Compile(zoo(t, "Anything"), formats)
	repeat := func(n int, before, within, behind string) string {
		return strings.Repeat(before, n) + within + strings.Repeat(behind, n)
	}
	for _, test := range []struct {
		document string
		known    bool
	}{
		{repeat(strictjson.MaxDepth, "[", "", "]"), true},
		{repeat(strictjson.MaxDepth+1, "[", "", "]"), false},
		{repeat(strictjson.MaxDepth-1, "[", `{"a":1}`, "]"), true},
		{repeat(strictjson.MaxDepth, "[", `{"a":1}`, "]"), false},
		{repeat(40, "[", "[],[]", "]"), false},
		{"[" + strings.Repeat("[],", 200) + "[]]", true},
		{"[" + strings.Repeat("1,", strictjson.MaxMembers-1) + "1]", true},
		{"[" + strings.Repeat("1,", strictjson.MaxMembers) + "1]", false},
	} {
		if known := c.Valid([]byte(test.document)); known != test.known {
			t.Errorf("knows %t: %s", known, test.document)
		}
		if err := authority(zoo(t, "Anything"), []byte(test.document)); (err == nil) != test.known {
			t.Errorf("%v: %s", err, test.document)
		}
	}
	properties := make(openapi3.Schemas)
	var members []string
	for i := range strictjson.MaxMembers + 1 {
		properties[fmt.Sprint("p", i)] = &openapi3.SchemaRef{Value: &openapi3.Schema{Type: types("integer")}}
		members = append(members, fmt.Sprintf(`"p%d":%d`, i, i))
	}
	all := "{" + strings.Join(members[:strictjson.MaxMembers], ",") + "}"
	if checker.Compile(&openapi3.Schema{Properties: properties}, nil).Valid([]byte(all)) {
		t.Error("knows more names than a document may have")
	}
	delete(properties, fmt.Sprint("p", strictjson.MaxMembers))
	if !checker.Compile(&openapi3.Schema{Properties: properties}, nil).Valid([]byte(all)) {
		t.Error("does not know as many names as a document may have")
	}
}

// TestPatterns compares patterns to package regexp: those of the documents, and
// many at random.
func TestPatterns(t *testing.T) {
	t.Parallel()
	g := newGenerator(seedOf(t), 0)
	patterns := make(map[string]bool)
	for _, doc := range originals(t) {
		eachSchema(doc, func(s *openapi3.Schema) { patterns[s.Pattern] = s.Pattern != "" })
	}
	delete(patterns, "")
	for range 1500 {
		patterns[g.pattern(0)] = true
	}
	for pattern := range patterns {
		re, err := regexp.Compile(regexp.MustCompile(`\\u([0-9A-F]{4})`).ReplaceAllString(pattern, `\x{$1}`))
		if err != nil {
			continue
		}
		c := checker.Compile(&openapi3.Schema{Pattern: pattern}, nil)
		for i := range 20 {
			text := g.matching(pattern, 6)
			if i%3 != 0 {
				text += g.pattern(2)
			}
			if i%5 == 0 {
				text = g.characters(g.IntN(4)) + text
			}
			text = strings.ReplaceAll(text, "\x00", "") // which no document has
			document := g.quote(nil, text)
			if c.Valid(document) != re.MatchString(text) {
				t.Fatalf("pattern %q, text %q: %t", pattern, text, !re.MatchString(text))
			}
		}
	}
}

// pattern writes a pattern, now and then one that is none.
func (g generator) pattern(depth int) string {
	parts := []string{"a", "b", "é", "[ab]", "[^a]", "[a-c]", ".", "^", "$", "ab", `\d`, `\pL`, "😀", `[^\x00-\x20]`, "\n", `\b`, "(?i)a", `\z`, `\A`, ""}
	if depth > 2 {
		return pick(g, parts)
	}
	a, b := g.pattern(depth+1), g.pattern(depth+1)
	switch g.IntN(9) {
	case 0:
		return a + "|" + b
	case 1:
		return "(" + a + ")*" + b
	case 2:
		return "(?:" + a + "){1,3}"
	case 3:
		return a + "+" + b
	case 4:
		return "^" + a + "$"
	case 5:
		return "^(" + a + "|" + b + ")?$"
	case 6:
		return a + b
	default:
		return pick(g, parts) + a
	}
}

// TestFormats compares formats to their callbacks, over texts that are nearly of
// them.
func TestFormats(t *testing.T) {
	t.Parallel()
	g := newGenerator(seedOf(t), 1)
	for format, callback := range formats {
		c := checker.Compile(&openapi3.Schema{Format: format}, formats)
		global, globally := openapi3.SchemaStringFormats[format], checker.Compile(&openapi3.Schema{Format: format}, nil)
		texts := append([]string{"", " ", "0000-00-00", "2023-02-29", "1900-02-29", "2000-02-29", "0000-02-29", "0100-02-29", "2022-13-01", "2022-04-31"}, formatTexts[format]...)
		for range 20_000 {
			text := []byte(pick(g, texts))
			for range g.IntN(3) {
				if len(text) > 0 {
					text[g.IntN(len(text))] = pick(g, []byte("0123456789-:.TZtz@/abcdefxn "))
				}
			}
			if g.chance(10) {
				at := g.IntN(len(text) + 1)
				text = append(text[:at:at], append([]byte(g.characters(g.IntN(3))), text[at:]...)...)
			}
			quoted, err := json.Marshal(string(text))
			if err != nil {
				t.Fatal(err)
			}
			if c.Valid(quoted) != (callback(string(text)) == nil) {
				t.Fatalf("%s: %q: %v", format, text, callback(string(text)))
			}
			if global != nil && globally.Valid(quoted) != (global.Validate(string(text)) == nil) {
				t.Fatalf("%s of kin-openapi: %q: %v", format, text, global.Validate(string(text)))
			}
		}
	}
	picky := func(string) error { return errFormat }
	for format := range formats {
		c := checker.Compile(&openapi3.Schema{Format: format}, checker.Formats{format: picky})
		for _, text := range formatTexts[format] {
			if c.Valid([]byte(`"` + text + `"`)) {
				t.Errorf("%s: a callback that takes nothing was not asked about %s", format, text)
			}
		}
	}
}

// TestNumbers makes sure that a number which a checker knows is the float64 that
// package strconv reads, and that it knows the plain ones.
func TestNumbers(t *testing.T) {
	t.Parallel()
	g := newGenerator(seedOf(t), 2)
	for range 50_000 {
		literal := strconv.FormatInt(g.Int64N(1<<g.IntN(62)+1), 10)
		if g.chance(50) {
			literal = fmt.Sprintf("%s.%0*d", literal[:1+g.IntN(len(literal))], 1+g.IntN(12), g.Int64N(1<<g.IntN(40)+1))
		}
		if g.chance(30) {
			literal = "-" + literal
		}
		f, err := strconv.ParseFloat(literal, 64)
		if err != nil {
			t.Fatal(err)
		}
		plain := len(strings.Trim(literal, "-.")) <= 15 && (f != math.Trunc(f) || !strings.Contains(literal, ".")) && literal != "-0"
		same := checker.Compile(&openapi3.Schema{Min: &f, Max: &f, Enum: []any{f}}, nil).Valid([]byte(literal))
		if plain && !same {
			t.Fatalf("does not know %s", literal)
		}
		if known := checker.Compile(&openapi3.Schema{Type: types("number")}, nil).Valid([]byte(literal)); known != same {
			t.Fatalf("%s is not %g", literal, f)
		}
		if checker.Compile(&openapi3.Schema{Type: types("integer")}, nil).Valid([]byte(literal)) && f != math.Trunc(f) {
			t.Fatalf("%s is not whole", literal)
		}
	}
}

// TestParts checks a schema whose parts have parts, for which kin-openapi takes
// time that doubles with each level: a checker gives up.
func TestParts(t *testing.T) {
	t.Parallel()
	deep := &openapi3.Schema{}
	array := func(most uint64) *openapi3.SchemaRef {
		return &openapi3.SchemaRef{Value: &openapi3.Schema{Type: types("array"), MaxItems: &most, Items: &openapi3.SchemaRef{Value: deep}}}
	}
	text := &openapi3.SchemaRef{Value: &openapi3.Schema{Type: types("string")}}
	deep.AnyOf = openapi3.SchemaRefs{array(1), array(2), text}
	began := time.Now()
	c := checker.Compile(deep, nil)
	if !c.Valid([]byte(`[["a"],["b"]]`)) {
		t.Error("does not know what is not deep")
	}
	if c.Valid([]byte(strings.Repeat("[", 31) + "0" + strings.Repeat("]", 31))) {
		t.Error("knows what is not valid")
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("took %v", took)
	}
}

// TestAllocations makes sure that nothing is allocated for the contract's own
// examples without escapes, and that a checker is safe for concurrent use.
func TestAllocations(t *testing.T) {
	for _, s := range subjects(t, nil) {
		for _, example := range s.examples {
			// What has an escape may need its text made.
			if strings.HasPrefix(s.name, "zoo") || !s.valid(example) || bytes.IndexByte(example, '\\') >= 0 {
				continue
			}
			if n := testing.AllocsPerRun(10, func() { s.valid(example) }); n > 0 {
				t.Errorf("%s: %g allocations for %s", s.name, n, example)
			}
			var group sync.WaitGroup
			for range 4 {
				group.Go(func() {
					if !s.valid(example) {
						t.Errorf("%s: knows %s only alone", s.name, example)
					}
				})
			}
			group.Wait()
		}
	}
}

// TestExamples makes sure that checkers know the contract's examples.
func TestExamples(t *testing.T) {
	t.Parallel()
	for _, s := range subjects(t, nil) {
		for _, example := range s.examples {
			if authority(s.schema, example) == nil && !s.valid(example) {
				t.Errorf("%s: does not know %s", s.name, example)
			}
		}
	}
}
