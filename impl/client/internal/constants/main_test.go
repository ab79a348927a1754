package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestUpToDate checks that the constants are those of the contract as it is now.
func TestUpToDate(t *testing.T) {
	t.Parallel()
	at := filepath.Join(t.TempDir(), "constants.gen.go")
	if err := run("../../../../openapi.yaml", at); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(at)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../constants.gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("run go generate ./impl/client (-want +got)\n%s", diff)
	}
}

func TestGenerate(t *testing.T) {
	t.Parallel()
	const document = `
info:
  description: |
    | Status | ` + "`code`" + ` | Meaning |
    | --- | --- | --- |
    | 404 | ` + "`not_here`" + ` | Look elsewhere | or not. |
servers: [{url: https://example.com/v9}, {url: https://example.org}]
paths:
  /b:
    post: {parameters: [{$ref: '#/components/parameters/Key'}]}
    get: {parameters: [{$ref: '#/components/parameters/Other'}, {name: page}]}
  /a/{id}:
    put: {parameters: [{name: Idempotency-Key, in: header}]}
components:
  parameters: {Key: {name: Idempotency-Key}, Other: {name: Prefer}}
`
	got, err := generate([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"const DefaultBaseURL = \"https://example.com/v9\"\n",
		"\t// ErrNotHere (404): Look elsewhere | or not.\n\tErrNotHere Code = \"not_here\"\n",
		"{\n\t{\"PUT\", \"/a/{id}\"}: true,\n\t{\"POST\", \"/b\"}:     true,\n}\n",
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("lacks %q:\n%s", want, got)
		}
	}
	for _, bad := range []string{"", "{", "servers: [{url: a}]", strings.ReplaceAll(document, "not_here", "Not Here"), strings.ReplaceAll(document, "Idempotency-Key", "X"), strings.ReplaceAll(document, "servers", "x-servers")} {
		if source, err := generate([]byte(bad)); err == nil {
			t.Errorf("%.40q gives\n%s", bad, source)
		}
	}
	for _, bad := range [][2]string{{"nowhere.yaml", filepath.Join(t.TempDir(), "a.go")}, {"../../../../go.mod", filepath.Join(t.TempDir(), "a.go")}} {
		if err := run(bad[0], bad[1]); err == nil {
			t.Errorf("%v: no error", bad)
		}
	}
}
