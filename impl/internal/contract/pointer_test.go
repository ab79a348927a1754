package contract

import (
	"strconv"
	"strings"
	"testing"

	"cryptoexchange.com/escrow/impl/internal/strictjson"
)

// FuzzPointer holds the faults of a body to the body: their pointers must lead
// to something that is there, or to what is asked for and is not; and there are
// faults just where kin-openapi says that there are.
func FuzzPointer(f *testing.F) {
	ct := ours(f)
	s := ct.paths["/api/v1/escrow/partner/customers"].operations["POST"].body.exact["application/json"].schema
	for _, seed := range []string{
		`{"email":"ana@example.com"}`, `{}`, `[]`, `{"email":1,"a/b~c":{"~":1}}`, `{"address":{"country":5,"/":1,"":2}}`, `null`, `{"":1,"~1":2,"~0":3}`,
		`{"email":"x","disbursement_methods":[{"type":"ach"},{"type":"x"},{"~/":1},1,null,{"type":"wire_transfer","bank_address":{"/~":[]}}]}`,
	} {
		f.Add([]byte(seed))
	}
	answers := ct.paths["/api/v1/escrow/partner/customers"].operations["POST"].response(201).content.exact["application/json"].schema
	for _, x := range exchanges(f) {
		f.Add(x.body)
		f.Add(x.answer)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		value, malformed := strictjson.Decode(body)
		if len(malformed) > 0 {
			t.Skip()
		}
		lead(t, ct, s, value, body)
		lead(t, ct, answers, value, body)
	})
}

func lead(t *testing.T, ct *Contract, s *schema, value any, body []byte) {
	t.Helper()
	keeps := s.kin.VisitJSON(value, ct.failFast...) == nil
	if s.fast.Valid(body) && !keeps {
		t.Error("the checker accepts what kin-openapi refuses")
	}
	faults := ct.judge(s.kin, value)
	if keeps != (len(faults) == 0) && !hasLong(value) || len(faults) > MaxFaults {
		t.Errorf("%d faults; kin-openapi accepts: %v", len(faults), keeps)
	}
	for _, f := range faults {
		place := f.Pointer
		if _, there := resolve(value, place); f.Code == "required" {
			if there {
				t.Errorf("%q is asked for, and is there", place)
			}
			place = place[:strings.LastIndexByte(place, '/')]
		}
		found, there := resolve(value, place)
		if !there {
			t.Errorf("%q (%s) leads nowhere", place, f.Code)
		}
		if _, isObject := found.(map[string]any); f.Code == "required" && !isObject {
			t.Errorf("%q is asked for in no object", f.Pointer)
		}
	}
}

// resolve follows a JSON Pointer (RFC 6901 §4).
func resolve(value any, pointer string) (any, bool) {
	if pointer == "" {
		return value, true
	}
	for token := range strings.SplitSeq(pointer[1:], "/") {
		token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		switch v := value.(type) {
		case map[string]any:
			member, there := v[token]
			if !there {
				return nil, false
			}
			value = member
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(v) || strconv.Itoa(i) != token {
				return nil, false
			}
			value = v[i]
		default:
			return nil, false
		}
	}
	return value, true
}
