package schema

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStrictJSON(t *testing.T) {
	t.Parallel()
	good := []string{`{}`, ` [1, "a"] `, "\"\\u0000\"", `"\ud83d\ude00"`, `-0.0e+5`, `{"a":{"a":1}}`}
	for _, text := range good {
		if err := StrictJSON([]byte(text)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	bad := map[string]string{
		"nothing":                "",
		"only spaces":            " \n",
		"cut short":              `{"a":`,
		"a comma at the end":     `[1,]`,
		"trailing data":          `{} {}`,
		"a letter after":         `1x`,
		"a name twice":           `{"a":1,"a":2}`,
		"a name twice, escaped":  `{"a":1,"\u0061":2}`,
		"a name twice, within":   `[{"b":{"a":1,"a":2}}]`,
		"a byte order mark":      "\xEF\xBB\xBF{}",
		"no UTF-8":               "\"\xff\"",
		"a surrogate of UTF-8":   "\"\xed\xa0\x80\"",
		"a lone surrogate":       `"\ud800"`,
		"a lone low surrogate":   `"\udc00"`,
		"swapped surrogates":     `"\ude00\ud83d"`,
		"a control character":    "\"\n\"",
		"a leading zero":         `01`,
		"NaN":                    `NaN`,
		"single quotes":          `'a'`,
		"a comment":              `{} // a`,
		"a space that is none":   "\u00a01",
		"an escape that is none": `"\x41"`,
	}
	for name, text := range bad {
		if err := StrictJSON([]byte(text)); err == nil {
			t.Errorf("%s: %q is accepted", name, text)
		}
	}
	if err := StrictJSON(nil); !errors.Is(err, ErrEmpty) {
		t.Errorf("nothing: %v", err)
	}
	if err := StrictJSON([]byte("1 2")); !errors.Is(err, ErrMore) {
		t.Errorf("more: %v", err)
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ good, bad []string }{
		"date":          {[]string{"2020-02-29", "0001-01-01"}, []string{"2021-02-29", "2020-2-9", "2020-13-01", "20200101", "2020-01-01T00:00:00Z", "２020-01-01", ""}},
		"date-time":     {[]string{"2020-02-29T23:59:59Z", "2020-01-01t00:00:00.123456789-23:59", "2016-12-31T23:59:60Z", "2017-01-01T00:59:60+01:00", "2016-12-31T15:59:60-08:00"}, []string{"2020-01-01", "2020-01-01 00:00:00Z", "2020-01-01T00:00:00", "2020-01-01T24:00:00Z", "2020-01-01T00:00:60Z", "2016-12-30T23:59:60Z", "2020-02-30T00:00:00Z", "2020-01-01T00:00:00+24:00", "2020-01-01T00:00:00.Z", "2020-01-01T+1:00:00Z"}},
		"time":          {[]string{"00:00:00Z", "23:59:60Z", "12:00:00.5+01:00"}, []string{"00:00:00", "24:00:00Z", "12:00Z", "12:00:60Z"}},
		"duration":      {[]string{"P1D", "PT1H", "P1Y2M3DT4H5M6S", "P3W", "PT36H"}, []string{"", "P", "PT", "P1DT", "P1W1D", "1D", "P1Y1D", "PT1H1S", "P1S"}},
		"uuid":          {[]string{"018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081", "018F6B1C-9D3E-7C45-A1B2-3C4D5E6F7081"}, []string{"018f6b1c9d3e7c45a1b23c4d5e6f7081", "{018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081}", "018f6b1c-9d3e-7c45-a1b2-3c4d5e6f708g"}},
		"idn-email":     {[]string{"a@example.com", "ä@example.com", "a@bücher.example"}, []string{"a", "😀😀😀", "ä@", "ä@-example.com", "ä b@example.com"}},
		"idn-hostname":  {[]string{"example.com", "bücher.example"}, []string{"", "-a", "a b"}},
		"email":         {[]string{"a@example.com", "a.b+c@example.com", `"a b"@example.com`, "a@[127.0.0.1]", "a@[IPv6:::1]", "a@localhost"}, []string{"a", "@example.com", "a@", ".a@example.com", "a..b@example.com", "a@-example.com", "a@example..com", "ä@example.com", "a@[127.0.0.1", "a b@example.com", "Ann <a@example.com>"}},
		"uri":           {[]string{"https://example.com/a?b=c#d", "urn:a:b", "mailto:a@example.com", "http://[::1]:80/", "https://u:p@[::1]/a%20b"}, []string{"/a", "example.com", "https://example.com/a b", "https://example.com/ä", "https://example.com/%zz", "http://[::1/", "https://example.com/[a]", "a://b#c#d", "https://example.com/<a>"}},
		"uri-reference": {[]string{"/a", "", "#a", "a/b?c", "//example.com"}, []string{`\a`, "a b", "%", "^"}},
		"hostname":      {[]string{"example.com", "a", "xn--nxasmq6b.com", "1.2"}, []string{"", "-a.com", "a-.com", "a_b.com", "a..b", "a.", "ä.com"}},
		"ipv4":          {[]string{"127.0.0.1"}, []string{"127.0.0.01", "256.0.0.1", "1.2.3", "::1", ""}},
		"ipv6":          {[]string{"::1", "2001:db8::ff", "::ffff:1.2.3.4"}, []string{"1.2.3.4", "::1%eth0", ":::", ""}},
		"byte":          {[]string{"", "YQ==", "YWI=", "YWJj", "+/+/"}, []string{"YQ", "YQ=", "YR==", "_-_-", "Y Q=", "YWJj\n"}},
		"colour":        {[]string{"", "anything"}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, text := range test.good {
				if err := checkFormat(name, text); err != nil {
					t.Errorf("%q: %v", text, err)
				}
			}
			for _, text := range test.bad {
				if checkFormat(name, text) == nil {
					t.Errorf("%q is accepted", text)
				}
			}
		})
	}
	numbers := map[string]struct{ good, bad []json.Number }{
		"int32":  {[]json.Number{"2147483647", "-2147483648", "1.0", "1e3"}, []json.Number{"2147483648", "-2147483649", "1.5", "1e30"}},
		"int64":  {[]json.Number{"9223372036854775807", "-9223372036854775808"}, []json.Number{"9223372036854775808", "-9223372036854775809"}},
		"float":  {[]json.Number{"3.4e38", "0.1"}, []json.Number{"3.5e38"}},
		"double": {[]json.Number{"1.7e308"}, []json.Number{"1.8e308"}},
		"date":   {[]json.Number{"1"}, nil},
	}
	for name, test := range numbers {
		for _, n := range test.good {
			if err := checkFormat(name, n); err != nil {
				t.Errorf("%s %s: %v", name, n, err)
			}
		}
		for _, n := range test.bad {
			if checkFormat(name, n) == nil {
				t.Errorf("%s %s is accepted", name, n)
			}
		}
	}
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pattern, text string
		want          bool
	}{
		{`^a$`, "a", true},
		{`^a$`, "a\n", false},
		{`a`, "bab", true},
		{`[$.]`, "$", true},
		{`[$.]`, "a", false},
		{`^\$\.$`, "$.", true},
		{`^.$`, "😀", true},
		{`^.$`, "\n", false},
		{`^.$`, "\u2028", false},
		{`^\d$`, "٣", false},
		{`^\s$`, "\u00a0", true},
		{`^\w$`, "ä", false},
		{`^\p{Letter}$`, "ä", true},
		{`^\p{Script=Greek}+$`, "αβγ", true},
		{`^[\p{sc=Greek}]$`, "a", false},
		{`^[\u{1F600}-\u{1F64F}]$`, "😁", true},
		{`^(?!x)a`, "ab", true},
		{`(?<=a)b`, "ab", true},
		{`^(a+)+$`, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true},
		{`^\\$`, `\`, true},
		{`^[\]$]+$`, "]$", true},
	}
	for _, test := range tests {
		t.Run(test.pattern, func(t *testing.T) {
			t.Parallel()
			p, err := CompilePattern(test.pattern)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.MatchString(test.text); got != test.want {
				t.Errorf("%q: %t", test.text, got)
			}
		})
	}
}

func TestPatternsEnd(t *testing.T) {
	t.Parallel()
	p, err := CompilePattern(`^(?:a|a?)+$`)
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for range 60 {
		text += "a"
	}
	if !p.MatchString(text + "!") {
		t.Error("a text that could not be judged in time is said to break the pattern")
	}
}

func TestCoerce(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		schema, text, style string
		explode             bool
		want                any
	}{
		"a number":             {`{type: integer}`, "5", "simple", false, json.Number("5")},
		"a number that is not": {`{type: integer}`, "05", "simple", false, "05"},
		"above its bound":      {`{type: integer, maximum: 3}`, "5", "simple", false, json.Number("5")},
		"digits of a string":   {`{type: string}`, "5", "simple", false, "5"},
		"a string or a number": {`{oneOf: [{type: string, minLength: 3}, {type: integer}]}`, "5", "form", true, json.Number("5")},
		"true":                 {`{type: boolean}`, "true", "", false, true},
		"True":                 {`{type: boolean}`, "True", "", false, "True"},
		"true of a string":     {`{type: string, enum: ['true']}`, "true", "", false, "true"},
		"null of a string":     {`{type: string, nullable: true}`, "null", "", false, "null"},
		"a comma in a string":  {`{type: string}`, "a,b", "simple", false, "a,b"},
		"a list":               {`{type: array, items: {type: integer}}`, "1,2", "simple", false, []any{json.Number("1"), json.Number("2")}},
		"an empty list":        {`{type: array, items: {type: integer}}`, "", "simple", false, []any{}},
		"spaces":               {`{type: array, items: {type: string}}`, "a b", "spaceDelimited", false, []any{"a", "b"}},
		"pipes":                {`{type: array, items: {type: string}}`, "a|b", "pipeDelimited", false, []any{"a", "b"}},
		"an object":            {`{type: object, properties: {a: {type: integer}}}`, "a,1,b,2", "form", false, map[string]any{"a": json.Number("1"), "b": "2"}},
		"an exploded object":   {`{type: object, additionalProperties: {type: integer}}`, "a=1,b=2", "simple", true, map[string]any{"a": json.Number("1"), "b": json.Number("2")}},
		"a label":              {`{type: array, items: {type: string}}`, ".a.b", "label", true, []any{"a", "b"}},
		"a label of one":       {`{type: integer}`, ".5", "label", false, json.Number("5")},
		"matrix":               {`{type: integer}`, ";id=5", "matrix", false, json.Number("5")},
		"an exploded matrix":   {`{type: array, items: {type: integer}}`, ";id=5;id=6", "matrix", true, []any{json.Number("5"), json.Number("6")}},
		"a matrix of objects":  {`{type: object, properties: {a: {type: integer}}}`, ";a=5", "matrix", true, map[string]any{"a": json.Number("5")}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, m := prepare(t, "3.0.3", "S: "+test.schema)
			got, err := s.Coerce(m, test.text, test.style, test.explode)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	s, m := prepare(t, "3.0.3", `S: {type: array, items: {type: integer}}`)
	for _, style := range []string{"form", "deepObject"} {
		if _, err := s.Coerce(m, "1", style, true); !errors.Is(err, ErrStyle) {
			t.Errorf("%s: %v", style, err)
		}
	}
	if diff := cmp.Diff([]any{json.Number("1"), "x"}, s.CoerceList(m, []string{"1", "x"})); diff != "" {
		t.Error(diff)
	}
}
