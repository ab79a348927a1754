package strictjson_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"cryptoexchange.com/escrow/impl/internal/strictjson"
)

// seeds are documents that readers disagree about, and some that they do not.
var seeds = []string{
	`{"name":"bolt","n":[1,2.50,-0e9,true,false,null,{}],"a/b~c":{"":""}}`, ` [ ] `, `"\u00e9\ud83d\ude00\n"`, "\ufeff{}", ``, ` `, `{}{}`, `{`, `[1,]`, `{"a":1,}`,
	`{"a":1,"a":2}`, `{"a":{"b":1,"\u0062":2}}`, `{"a":"\u0000"}`, `{"\u0000":1}`, `{"a":"\ud800"}`, `{"\udc00":1}`, "{\"a\":\"\xff\"}", `{"a":01}`, `{"a":1e999}`, `{"a":1e-999}`,
	`[1.00000000000000000001]`, `[9007199254740993]`, `[NaN]`, `[+1]`, `[.5]`, `[1.]`, `[1e]`, `[tru]`, `[nul`, "[\"a\tb\"]", `["\x"]`, `['a']`, `{"a" 1}`, `{a:1}`, `{1:1}`, `[1 2]`, `]`, `[}`,
	strings.Repeat("[", 40), strings.Repeat("[", 32) + strings.Repeat("]", 32), `[` + strings.Repeat("1,", 256) + `1]`, `[` + strings.Repeat("1,", 255) + `1]`,
}

func FuzzDecode(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		value, faults := strictjson.Decode(body)
		for _, fault := range faults {
			if fault.Code == "" || fault.Detail == "" || !validPointer(fault.Pointer) {
				t.Errorf("fault %+v", fault)
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
		if !reflect.DeepEqual(want, value) { // cmp.Diff takes exponentially long for what is deep
			t.Errorf("read %#v, encoding/json %#v", value, want)
		}
	})
}

// validPointer tells whether a text is a JSON Pointer that can be answered.
func validPointer(p string) bool {
	if p == "" {
		return true
	}
	unescaped := strings.NewReplacer("~0", "", "~1", "").Replace(p)
	return p[0] == '/' && !strings.ContainsAny(unescaped, "~\x00") && strings.ToValidUTF8(p, "") == p
}
