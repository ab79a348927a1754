package generate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// documents are those that the tests generate from.
func documents(t testing.TB) map[string]*openapi.Document {
	t.Helper()
	found := map[string]*openapi.Document{}
	for name, path := range map[string]string{
		"escrow":   filepath.Join("..", "..", "..", "openapi.yaml"),
		"keywords": filepath.Join("testdata", "keywords.yaml"),
		"lying":    filepath.Join("..", "lying", "openapi.yaml"),
	} {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("read: %v", err)
		}
		doc, err := openapi.Load(path, raw)
		if err != nil {
			t.Fatalf("load %s: %v", path, err)
		}
		found[name] = doc
	}
	return found
}

func source(doc *openapi.Document) *Source {
	return &Source{Doc: doc, Seed: 7}
}

func TestDraft(t *testing.T) {
	t.Parallel()
	for name, doc := range documents(t) {
		for mode, modeName := range []string{"full", "typical", "minimal"} {
			t.Run(name+"/"+modeName, func(t *testing.T) {
				t.Parallel()
				s := source(doc)
				for _, op := range doc.Operations {
					d := s.Draft(op, Mode(mode))
					target, header, body, err := s.Encode(d)
					if err != nil {
						t.Errorf("%s: %v", op.ID, err)
					}
					if strings.Contains(target, "{") || target == "" {
						t.Errorf("%s: the target is %q", op.ID, target)
					}
					t.Logf("%s %s %s %v %.1500s", op.ID, op.Method, target, header, body)
				}
			})
		}
	}
}
