package gen_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestClientDependencies checks that a partner who imports the client gets no
// server framework, no validator and no database with it.
func TestClientDependencies(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "cryptoexchange.com/escrow/gen").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, unwanted := range []string{"labstack", "kin-openapi", "sqlite", "escrow/impl", "gen/server", "gen/spec"} {
		if strings.Contains(string(out), unwanted) {
			t.Errorf("the client depends on %s", unwanted)
		}
	}
	if !strings.Contains(string(out), "net/http\n") {
		t.Errorf("the list has not even net/http:\n%s", out)
	}
}
