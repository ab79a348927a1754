package wallet_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"cryptoexchange.com/escrow/impl/internal/wallet"
)

// disagreement is a line of testdata/disagreements.json: where we and an oracle
// differ on purpose.
type disagreement struct {
	Networks string `json:"networks"` // a regular expression, as are Oracle and Address
	Oracle   string `json:"oracle"`
	Ours     string `json:"ours"` // our code, empty where we accept
	Address  string `json:"address"`
	Reason   string `json:"reason"`

	networks, oracle, address *regexp.Regexp
	seen                      map[string]int // by oracle
}

type question struct {
	Network string `json:"network"`
	Address string `json:"address"`
}

type answer struct {
	Multicoin bool `json:"multicoin"`
	Second    bool `json:"second"`
	Curve     bool `json:"curve"`
}

// TestOracles compares our verdict with those of two other implementations, over
// 10000 addresses of each family that are valid and 10000 that are mutated.
func TestOracles(t *testing.T) {
	t.Parallel()
	const values = 10000
	r := newRandom(t, 1000)
	var questions []question
	for _, f := range families {
		for i := range 2 * values {
			network := f.networks[r.IntN(len(f.networks))]
			if i < values {
				questions = append(questions, question{network, f.kinds[r.IntN(len(f.kinds))].make(r)})
			} else {
				questions = append(questions, question{network, f.mutate(r)})
			}
		}
	}
	answers := askOracles(t, questions)
	known := disagreements(t)
	failures, accepted := 0, 0
	for i, q := range questions {
		ours := addressCode(q.Network, q.Address)
		if ours == "" {
			accepted++
		}
		for oracle, theirs := range map[string]bool{"multicoin": answers[i].Multicoin, "second": answers[i].Second} {
			if (ours == "") != theirs && !listed(known, q, oracle, ours) {
				failures++
				if failures <= 20 {
					t.Errorf("%s %q: we say %q, %s says %v", q.Network, q.Address, ours, oracle, theirs)
				}
			}
		}
		if q.Network == "solana" && ours == "" && answers[i].Curve == notAKey(q.Network, q.Address) {
			t.Errorf("solana %q: on the curve: %v", q.Address, answers[i].Curve)
		}
	}
	t.Logf("%d addresses, %d accepted, %d disagreements that are not listed", len(questions), accepted, failures)
	for _, d := range known {
		t.Logf("%v: %s, we say %q: %s", d.seen, d.Networks, d.Ours, d.Reason)
		if len(d.seen) == 0 {
			t.Errorf("no such disagreement: %+v", *d)
		}
	}
}

func listed(known []*disagreement, q question, oracle string, ours wallet.Code) bool {
	for _, d := range known {
		if d.oracle.MatchString(oracle) && d.Ours == string(ours) && d.networks.MatchString(q.Network) && d.address.MatchString(q.Address) {
			d.seen[oracle]++
			return true
		}
	}
	return false
}

func disagreements(t *testing.T) []*disagreement {
	t.Helper()
	data, err := os.ReadFile("testdata/disagreements.json")
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var all []*disagreement
	if err := decoder.Decode(&all); err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		if d.Reason == "" {
			t.Errorf("without a reason: %+v", *d)
		}
		d.networks = regexp.MustCompile("^(?:" + d.Networks + ")$")
		d.oracle = regexp.MustCompile("^(?:" + d.Oracle + ")$")
		d.address = regexp.MustCompile("^(?:" + d.Address + ")$")
		d.seen = make(map[string]int)
	}
	return all
}

// askOracles runs .ci/oracles/wallet.mjs. On a laptop without it there is nothing
// to compare with; where it decides what lands, it must be there.
func askOracles(t *testing.T, questions []question) []answer {
	t.Helper()
	folder := os.Getenv("ESCROW_ORACLES")
	if folder == "" {
		const why = "ESCROW_ORACLES is not set: it is a folder in which npm has installed .ci/oracles/package.json"
		if os.Getenv("CI") != "" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	input, err := json.Marshal(questions)
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join("..", "..", "..", ".ci", "oracles", "wallet.mjs")
	command := exec.CommandContext(t.Context(), "node", script)
	command.Stdin, command.Stderr = bytes.NewReader(input), os.Stderr
	output, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answers []answer
	if err := json.Unmarshal(output, &answers); err != nil || len(answers) != len(questions) {
		t.Fatalf("%d answers to %d questions: %v", len(answers), len(questions), err)
	}
	return answers
}
