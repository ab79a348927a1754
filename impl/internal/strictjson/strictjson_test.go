package strictjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// seeds are documents that readers disagree about, and some that they do not.
var seeds = []string{
	`{"name":"bolt","n":[1,2.50,-0e9,true,false,null,{}],"a/b~c":{"":""}}`, ` [ ] `, `"\u00e9\ud83d\ude00\n"`, "\ufeff{}", ``, ` `, `{}{}`, `{`, `[1,]`, `{"a":1,}`,
	`{"a":1,"a":2}`, `{"a":{"b":1,"\u0062":2}}`, `{"a":"\u0000"}`, `{"\u0000":1}`, `{"a":"\ud800"}`, `{"\udc00":1}`, "{\"a\":\"\xff\"}", `{"a":01}`, `{"a":1e999}`, `{"a":1e-999}`,
	`[1.00000000000000000001]`, `[9007199254740993]`, `[NaN]`, `[+1]`, `[.5]`, `[1.]`, `[1e]`, `[tru]`, `[nul`, "[\"a\tb\"]", `["\x"]`, `['a']`, `{"a" 1}`, `{a:1}`, `{1:1}`, `[1 2]`, `]`, `[}`,
	`"\/\b\f\r\t\"\\"`, `"\ud83d\u0041"`, `"\ud83d`, `"\u00`, `1.0`, `1e2`, `-1.50e1`, `9223372036854775807.0`, `9223372036854775808.0`, `1E+2`, `-`, `0x1`, `[,1]`, "\x00", "[\x00]",
	strings.Repeat("[", 40), strings.Repeat("[", 32) + strings.Repeat("]", 32), strings.Repeat("[", 33) + strings.Repeat("]", 33),
	`[` + strings.Repeat("1,", 256) + `1]`, `[` + strings.Repeat("1,", 255) + `1]`, `{` + strings.Repeat(`"a":1,`, 300) + `"a":1}`,
	strings.Repeat("9", 64), strings.Repeat("9", 65), "0." + strings.Repeat("1", 62), "0." + strings.Repeat("1", 63),
}

func FuzzDecode(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) { check(t, body) })
}

// TestMutations puts documents that are nearly good to the same tests.
func TestMutations(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	pieces := []string{`"`, `\`, `{`, `}`, `[`, `]`, `,`, `:`, ` `, `0`, `1`, `.`, `e`, `-`, `\u0000`, `\ud800`, `\udc00`, `\u00e9`, "\xff", "é", "\x00", "\n", `"a":1`, `null`, `true`, `9007199254740993`, `1.0`}
	for range 60_000 {
		body := []byte(seeds[r.IntN(len(seeds))])
		for range 1 + r.IntN(3) {
			at := r.IntN(len(body) + 1)
			cut := min(len(body), at+r.IntN(3))
			body = slices.Replace(body, at, cut, []byte(pieces[r.IntN(len(pieces))])...)
		}
		check(t, body)
		if t.Failed() {
			t.Fatalf("of %q", body)
		}
	}
}

// check holds what is made of a document to what others make of it.
func check(t *testing.T, body []byte) {
	value, faults := Decode(body)
	if len(faults) > MaxFaults {
		t.Errorf("%d faults", len(faults))
	}
	for _, fault := range faults {
		if fault.Code == "" || fault.Detail == "" || !validPointer(fault.Pointer) {
			t.Errorf("fault %+v", fault)
		}
	}
	if bytes.Equal(bytes.ToValidUTF8(body, nil), body) {
		scanned, ok := scan(string(body))
		want, found := read(body)
		if ok != (len(found) == 0) || ok && !reflect.DeepEqual(scanned, want) {
			t.Errorf("the scanner reads %#v, %v; the reader %#v with faults %v", scanned, ok, want, found)
		}
	}
	if len(faults) > 0 {
		if value != nil {
			t.Errorf("a value beside faults")
		}
		return
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var want any
	if err := decoder.Decode(&want); err != nil {
		t.Fatalf("encoding/json refuses what was accepted: %v", err)
	}
	if !same(want, value) { // cmp.Diff takes exponentially long for what is deep
		t.Errorf("read %#v, encoding/json %#v", value, want)
	}
	unambiguous(t, value)
}

// same compares values; numbers by what they are, not how they are written.
func same(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		b, ok := b.(json.Number)
		if !ok || a == b {
			return ok
		}
		if x, err := a.Float64(); err == nil && x == 0 {
			y, err := b.Float64()
			return err == nil && y == 0
		}
		x, _ := new(big.Rat).SetString(string(a))
		y, _ := new(big.Rat).SetString(string(b))
		return x != nil && y != nil && x.Cmp(y) == 0
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, same)
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, v := range a {
			if w, ok := b[k]; !ok || !same(v, w) {
				return false
			}
		}
		return true
	default:
		return reflect.DeepEqual(a, b)
	}
}

func unambiguous(t *testing.T, value any) {
	text := func(s string) {
		if strings.ToValidUTF8(s, "") != s || strings.ContainsRune(s, 0) {
			t.Errorf("accepted text %q", s)
		}
	}
	switch v := value.(type) {
	case string:
		text(v)
	case []any:
		for _, item := range v {
			unambiguous(t, item)
		}
	case map[string]any:
		for name, member := range v {
			text(name)
			unambiguous(t, member)
		}
	}
}

// validPointer tells whether a text is a JSON Pointer that can be answered.
func validPointer(p string) bool {
	if p == "" {
		return true
	}
	unescaped := strings.NewReplacer("~0", "", "~1", "").Replace(p)
	return p[0] == '/' && !strings.ContainsAny(unescaped, "~\x00") && strings.ToValidUTF8(p, "") == p
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	tests := []struct{ literal, want string }{
		{"1", "1"}, {"1.0", "1"}, {"1e2", "100"}, {"-1.50e1", "-15"}, {"-0.0e-999", "0"}, {"-0", "-0"}, {"1.5", "1.5"}, {"0.10", "0.10"},
		{"9007199254740993", "9007199254740993"}, {"9007199254740993.0", "9007199254740993"}, {"9223372036854775808.0", "9223372036854775808.0"}, {"1e300", "1e300"},
	}
	for _, tt := range tests {
		if got, faults := Decode([]byte(tt.literal)); faults != nil || got != any(json.Number(tt.want)) {
			t.Errorf("%s is read as %v, %v; want %s", tt.literal, got, faults, tt.want)
		}
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	tests := []struct{ body, want string }{
		{`{"a":1,"a":2,"b":"\u0000"}`, "/a duplicate_property, /b nul_character"},
		{`[1e999]`, "/0 number_out_of_range"},
		{`{"a":[1,2`, "/a malformed_json"},
		{`{` + strings.Repeat(`"a":1,`, 255) + `"a":1}`, strings.TrimSuffix(strings.Repeat("/a duplicate_property, ", MaxFaults), ", ")},
		{`{` + strings.Repeat(`"a":1,`, 256) + `"a":1}`, strings.TrimSuffix(strings.Repeat("/a duplicate_property, ", MaxFaults), ", ")},
	}
	for _, tt := range tests {
		_, faults := Decode([]byte(tt.body))
		var got []string
		for _, f := range faults {
			got = append(got, f.Pointer+" "+f.Code)
		}
		if diff := cmp.Diff(tt.want, strings.Join(got, ", ")); diff != "" {
			t.Errorf("%.40s (-want +got)\n%s", tt.body, diff)
		}
	}
}

const customer = `{"email":"ana.maria@example.com","name":"Ana María Núñez","phone":"+14155550123","language":"es","address":{"line1":"1 Main Street","line2":null,"city":"Springfield","region":"IL","postal_code":"62701","country":"US"},
"disbursement_methods":[{"type":"crypto_wallet","asset":"BTC","network":"bitcoin","address":"bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"},{"type":"ach","account_name":"Ana","routing_number":"021000021","account_number":"123456789","account_type":"checking"}],"limits":[1,20,300.5]}`

func BenchmarkDecode(b *testing.B) {
	for name, body := range map[string]string{"customer": customer, "ok": `{"ok":true}`} {
		b.Run(name+"/scan", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, faults := Decode([]byte(body)); faults != nil {
					b.Fatal(faults)
				}
			}
		})
		b.Run(name+"/jsontext", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, faults := read([]byte(body)); faults != nil {
					b.Fatal(faults)
				}
			}
		})
		b.Run(name+"/encoding_json", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				decoder := json.NewDecoder(strings.NewReader(body))
				decoder.UseNumber()
				var v any
				if err := decoder.Decode(&v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for name, body := range map[string]string{"nested": strings.Repeat("[", 8000), "repeated": `{` + strings.Repeat(`"a":1,`, 40_000) + `"a":1}`, "items": `[` + strings.Repeat("1,", 100_000) + `1]`} {
		b.Run("bomb/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, faults := Decode([]byte(body)); faults == nil {
					b.Fatal(fmt.Errorf("accepted"))
				}
			}
		})
	}
}
