package banking_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jbub/banking/iban"
	"github.com/jbub/banking/swift"

	"cryptoexchange.com/escrow/impl/internal/banking"
	"cryptoexchange.com/escrow/impl/internal/country"
)

// question is a value that we and another implementation judge.
type question struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

// disagreement is a line of testdata/disagreements.json: where we and an oracle
// differ on purpose.
type disagreement struct {
	Oracle string       `json:"oracle"`
	Kind   string       `json:"kind"`
	Value  string       `json:"value"`  // a regular expression of the whole, as is Theirs
	Ours   banking.Code `json:"ours"`   // empty where we accept
	Theirs string       `json:"theirs"` // likewise
	Reason string       `json:"reason"`

	value, theirs *regexp.Regexp
	seen          int
}

// questions are 10000 values of each kind that are valid and 10000 that are
// mutated. Routing numbers are not among them: the oracles do not know them.
func questions(t *testing.T) []question {
	t.Helper()
	const values = 10000
	r := newRandom(t, 1)
	ibans, bics := examples(t), []string{"XK"}
	for _, a := range letters {
		for _, b := range letters {
			if code := string([]rune{a, b}); country.Exists(code) {
				bics = append(bics, code)
			}
		}
	}
	var all []question
	for range values {
		all = append(all,
			question{"iban", newIBAN(r, ibans, 0.3)}, question{"iban", mutateIBAN(r, newIBAN(r, ibans, 0.3), ibans)},
			question{"bic", newBIC(r, bics)}, question{"bic", mutateBIC(r, newBIC(r, bics))})
	}
	return all
}

func mutateBIC(r *rand.Rand, s string) string {
	if r.IntN(2) == 0 {
		return s[:4] + pick(r, letters) + pick(r, letters) + s[6:]
	}
	return mutate(r, s)
}

func ours(q question) banking.Code {
	var err error
	if q.Kind == "iban" {
		_, err = banking.CheckIBAN(q.Value)
	} else {
		_, err = banking.CheckBIC(q.Value)
	}
	return code(err)
}

// code gives the code of an error, empty for none.
func code(err error) banking.Code {
	var refused *banking.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refused):
		return refused.Code
	default:
		return "not an *Error"
	}
}

// TestOracleInGo compares our verdicts with those of jbub/banking.
func TestOracleInGo(t *testing.T) {
	t.Parallel()
	all := questions(t)
	answers := make([]string, len(all))
	for i, q := range all {
		validate := iban.Validate
		if q.Kind == "bic" {
			validate = swift.Validate
		}
		if err := validate(q.Value); err != nil {
			answers[i] = err.Error()
		}
	}
	compare(t, "jbub", all, answers)
}

// TestOracleInNode compares our verdicts with those of ibantools. On a laptop
// without it there is nothing to compare with; where it decides what lands, it
// must be there.
func TestOracleInNode(t *testing.T) {
	t.Parallel()
	if os.Getenv("ESCROW_ORACLES") == "" {
		const why = "ESCROW_ORACLES is not set: it is a folder in which npm has installed .ci/oracles/package.json"
		if os.Getenv("CI") != "" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	all := questions(t)
	input, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "node", filepath.Join("..", "..", "..", ".ci", "oracles", "bank.mjs"))
	command.Stdin, command.Stderr = bytes.NewReader(input), os.Stderr
	output, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answers []string
	if err := json.Unmarshal(output, &answers); err != nil || len(answers) != len(all) {
		t.Fatalf("%d answers to %d questions: %v", len(answers), len(all), err)
	}
	compare(t, "ibantools", all, answers)
}

// compare holds our verdicts to those of an oracle, which are empty for what it
// accepts. Where both refuse, each may have its own reason.
func compare(t *testing.T, oracle string, all []question, answers []string) {
	t.Helper()
	known := disagreements(t, oracle)
	accepted, listed, failures := 0, 0, 0
	for i, q := range all {
		code, theirs := ours(q), answers[i]
		if code == "" {
			accepted++
		}
		switch {
		case (code == "") == (theirs == ""):
		case find(known, q, code, theirs):
			listed++
		default:
			if failures++; failures <= 20 {
				t.Errorf("%s %q: we say %q, %s says %q", q.Kind, q.Value, code, oracle, theirs)
			}
		}
	}
	t.Logf("%s: %d values, %d accepted by us, %d disagreements that are listed, %d that are not", oracle, len(all), accepted, listed, failures)
	for _, d := range known {
		t.Logf("%6d times: %s, we say %q, it says %q: %s", d.seen, d.Kind, d.Ours, d.Theirs, d.Reason)
		if d.seen == 0 {
			t.Errorf("no such disagreement: %+v", *d)
		}
	}
}

func find(known []*disagreement, q question, code banking.Code, theirs string) bool {
	for _, d := range known {
		if d.Kind == q.Kind && d.Ours == code && d.theirs.MatchString(theirs) && d.value.MatchString(q.Value) {
			d.seen++
			return true
		}
	}
	return false
}

func disagreements(t *testing.T, oracle string) []*disagreement {
	t.Helper()
	data, err := os.ReadFile("testdata/disagreements.json")
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var all, known []*disagreement
	if err := decoder.Decode(&all); err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		if strings.TrimSpace(d.Reason) == "" {
			t.Errorf("without a reason: %+v", *d)
		}
		d.value = regexp.MustCompile("^(?:" + d.Value + ")$")
		d.theirs = regexp.MustCompile("^(?:" + d.Theirs + ")$")
		if d.Oracle == oracle {
			known = append(known, d)
		}
	}
	return known
}
