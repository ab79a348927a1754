package spec_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"cryptoexchange.com/escrow/gen/spec"
)

// TestVersion fails if the contract changes and its version does not: partners
// tell contracts apart by info.version. A new version is noted, as its last
// line, in testdata/versions.txt.
func TestVersion(t *testing.T) {
	t.Parallel()
	version := regexp.MustCompile(`(?m)^  version: (\d+\.\d+\.\d+)$`).FindSubmatch(spec.YAML)
	if version == nil {
		t.Fatal("the contract has no version of three numbers")
	}
	noted, err := os.ReadFile("testdata/versions.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(noted)), "\n")
	last, want := lines[len(lines)-1], fmt.Sprintf("%s %x", version[1], sha256.Sum256(spec.YAML))
	if last != want {
		t.Errorf("the last version noted is\n%s\nand the contract is\n%s\nRaise info.version, and note it in a line of its own.", last, want)
	}
	seen := make(map[string]bool)
	for _, line := range lines {
		number, _, _ := strings.Cut(line, " ")
		if seen[number] {
			t.Errorf("version %s stands for two contracts", number)
		}
		seen[number] = true
	}
}

// TestEmbedded checks that the copy is that of the repository.
func TestEmbedded(t *testing.T) {
	t.Parallel()
	original, err := os.ReadFile("../../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(original, spec.YAML) {
		t.Error("the embedded contract is not openapi.yaml: run go generate ./...")
	}
}
