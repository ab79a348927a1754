package scalar_test

import (
	"encoding/json"
	"testing"
	"time"

	"cryptoexchange.com/escrow/gen/scalar"
)

func TestStringOrInteger(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in, text string
		integer  bool
		out      string
	}{
		{`"10203"`, "10203", false, `"10203"`},
		{`10203`, "10203", true, `10203`},
		{`"00501"`, "00501", false, `"00501"`},
		{`0`, "0", true, `0`},
		{`-5`, "-5", true, `-5`},
		{`1e3`, "1000", true, `1000`},
		{`1000.0`, "1000", true, `1000`},
		{`8885118600`, "8885118600", true, `8885118600`},
		{`""`, "", false, `""`},
		{`"é\n"`, "é\n", false, `"é\n"`},
	}
	for _, tt := range tests {
		var v scalar.StringOrInteger
		if err := json.Unmarshal([]byte(tt.in), &v); err != nil {
			t.Errorf("%s: %v", tt.in, err)
			continue
		}
		if v.Text() != tt.text || v.IsInteger() != tt.integer {
			t.Errorf("%s: %q, integer %v", tt.in, v.Text(), v.IsInteger())
		}
		if out, err := json.Marshal(v); err != nil || string(out) != tt.out {
			t.Errorf("%s: written as %s, %v", tt.in, out, err)
		}
	}
	for _, in := range []string{`null`, `true`, `1.5`, `[]`, `{}`, `1e400`, `1e999999999`, `12345678901234567890123456789012345`} {
		v := scalar.String("kept")
		if err := json.Unmarshal([]byte(in), &v); err == nil {
			t.Errorf("%s was read as %q", in, v.Text())
		}
	}
	if out, err := json.Marshal(scalar.Integer(-7)); err != nil || string(out) != `-7` {
		t.Errorf("%s, %v", out, err)
	}
}

func TestTimestamp(t *testing.T) {
	t.Parallel()
	at := time.Date(2022, 8, 1, 23, 38, 51, 0, time.FixedZone("", 2*3600))
	out, err := json.Marshal(scalar.Timestamp{Time: at})
	if want := `"2022-08-01T21:38:51.000000Z"`; err != nil || string(out) != want {
		t.Errorf("%s, %v; want %s", out, err, want)
	}
	var back scalar.Timestamp
	if err := json.Unmarshal(out, &back); err != nil || !back.Equal(at) || back.Location() != time.UTC {
		t.Errorf("%v, %v", back, err)
	}
	for _, in := range []string{`"2022-02-31T00:00:00Z"`, `"yesterday"`, `5`} {
		if err := json.Unmarshal([]byte(in), &back); err == nil {
			t.Errorf("%s was read", in)
		}
	}
}
