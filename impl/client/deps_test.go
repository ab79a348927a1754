package client_test

import (
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"cryptoexchange.com/escrow/gen/spec"
	"cryptoexchange.com/escrow/impl/client"
)

// TestDependencies checks that a partner who imports the client gets nothing of the
// server with it.
func TestDependencies(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "cryptoexchange.com/escrow/impl/client").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	allowed := map[string]bool{
		"cryptoexchange.com/escrow/impl/client": true, "cryptoexchange.com/escrow/gen": true, "cryptoexchange.com/escrow/gen/scalar": true,
		"github.com/cenkalti/backoff/v5": true, "github.com/oapi-codegen/nullable": true, "github.com/oapi-codegen/runtime": true,
		"github.com/oapi-codegen/runtime/types": true, "github.com/apapsch/go-jsonmerge/v2": true, "github.com/google/uuid": true,
	}
	for path := range strings.Lines(string(out)) {
		path = strings.TrimSpace(path)
		if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ".") && !allowed[path] {
			t.Errorf("the client depends on %s", path)
		}
		delete(allowed, path)
	}
	for path := range allowed {
		t.Errorf("the client does not depend on %s", path)
	}
}

// TestOperations checks that every operation of a partner has a method.
func TestOperations(t *testing.T) {
	t.Parallel()
	var document struct {
		Paths map[string]map[string]struct {
			OperationID string `yaml:"operationId"`
		}
	}
	if err := yaml.Unmarshal(spec.YAML, &document); err != nil {
		t.Fatal(err)
	}
	found := 0
	for path, methods := range document.Paths {
		if !strings.HasPrefix(path, "/partner/") {
			continue
		}
		for _, o := range methods {
			found++
			name := strings.ToUpper(o.OperationID[:1]) + o.OperationID[1:]
			if _, ok := reflect.TypeFor[*client.Client]().MethodByName(name); !ok {
				t.Errorf("Client has no %s", name)
			}
		}
	}
	if found < 4 {
		t.Errorf("found %d operations", found)
	}
}
