package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const document = `openapi: 3.0.3
info: {title: Greetings, version: 1.0.0}
paths:
  /greeting:
    get:
      operationId: greet
      responses:
        '200':
          description: A greeting.
          content:
            application/json:
              schema:
                type: object
                required: [text]
                additionalProperties: false
                properties:
                  text: {type: string, maxLength: 20}
`

// serve serves the document, or says something else.
func serve(t *testing.T, text string) (url, spec string) {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /greeting", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if _, err := w.Write([]byte(text)); err != nil {
			t.Log(err)
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	spec = filepath.Join(t.TempDir(), "greetings.yaml")
	if err := os.WriteFile(spec, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	return server.URL, spec
}

func call(t *testing.T, args ...string) (code int, out, err string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, ui{out: &o, err: &e})
	return code, o.String(), e.String()
}

func TestRun(t *testing.T) {
	t.Parallel()
	good, spec := serve(t, `{"text":"hello"}`)
	bad, _ := serve(t, `{"text":5}`)
	tests := []struct {
		name string
		args []string
		code int
		out  string // what is printed contains
		err  string // what is said contains
	}{
		{"keeps", []string{"--url", good, "--spec", spec}, exitOK, "keeps its contract", "probes"},
		{"breaks", []string{"--url", bad, "--spec", spec}, exitFindings, "greetings.yaml:17:26", ""},
		{"breaks, but that is excluded", []string{"--url", bad, "--spec", spec, "--exclude", "greet"}, exitOK, "keeps its contract", ""},
		{"judges too little", []string{"--url", good, "--spec", spec, "--least-judged", "100.1"}, exitFindings, "keeps its contract", ""},
		{"nothing", nil, exitUsage, "", "Usage: conformance"},
		{"no URL", []string{"--key", "x"}, exitUsage, "", "--url"},
		{"unknown flag", []string{"--url", good, "--nope"}, exitUsage, "", "conformance --help"},
		{"not a URL", []string{"--url", "here", "--spec", spec}, exitUsage, "", "--url here"},
		{"unknown word", []string{"--url", good, "--spec", spec, "--include", "Z9"}, exitUsage, "", `"Z9"`},
		{"no such scheme", []string{"--url", good, "--spec", spec, "--credential", "A=b"}, exitUsage, "", `"A"`},
		{"nobody there", []string{"--url", "http://127.0.0.1:1", "--spec", spec}, exitUnreachable, "", "is it running"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			code, out, err := call(t, test.args...)
			if code != test.code || !strings.Contains(out, test.out) || !strings.Contains(err, test.err) {
				t.Errorf("exit %d, want %d\nprinted (want %q):\n%s\nsaid (want %q):\n%s", code, test.code, test.out, out, test.err, err)
			}
		})
	}
}

// TestReports writes all reports of a run at once.
func TestReports(t *testing.T) {
	t.Parallel()
	url, spec := serve(t, `{"text":5}`)
	folder := t.TempDir()
	file := func(name string) string { return filepath.Join(folder, name) }
	code, out, err := call(t, "--url", url, "--spec", spec, "--github", "--junit", file("a.xml"), "--sarif", file("a.sarif"),
		"--html", file("a.html"), "--ndjson", file("a.ndjson"), "--summary", file("a.md"))
	if code != exitFindings || !strings.Contains(out, "::error file=") {
		t.Errorf("exit %d, printed:\n%s\nsaid:\n%s", code, out, err)
	}
	for name, want := range map[string]string{
		"a.xml": "<testsuite", "a.sarif": `"2.1.0"`, "a.html": "<!doctype html>", "a.ndjson": `"class":"D2"`, "a.md": "must",
	} {
		text, err := os.ReadFile(file(name))
		if err != nil || !strings.Contains(strings.ToLower(string(text)), strings.ToLower(want)) {
			t.Errorf("%s does not have %q: %.300s %v", name, want, text, err)
		}
	}
}

// TestBaseline lets known findings pass, and tells when they are gone.
func TestBaseline(t *testing.T) {
	t.Parallel()
	url, spec := serve(t, `{"text":5}`)
	baseline := filepath.Join(t.TempDir(), "baseline.yaml")
	if code, _, err := call(t, "--url", url, "--spec", spec, "--baseline", baseline, "--baseline-update"); code == exitUsage {
		t.Fatal(err)
	}
	if code, out, err := call(t, "--url", url, "--spec", spec, "--baseline", baseline); code != exitOK {
		t.Errorf("exit %d with all findings known\n%s\n%s", code, out, err)
	}
	good, _ := serve(t, `{"text":"hello"}`)
	if code, out, _ := call(t, "--url", good, "--spec", spec, "--baseline", baseline); code != exitOK || !strings.Contains(out, "ixed") {
		t.Errorf("exit %d, and nothing is called fixed\n%s", code, out)
	}
}

const workflows = `arazzo: 1.0.1
info: {title: Being greeted, version: 1.0.0}
sourceDescriptions:
  - {name: greetings, url: greetings.yaml, type: openapi}
workflows:
  - workflowId: beGreeted
    steps:
      - stepId: ask
        operationId: greet
        successCriteria:
          - condition: $statusCode == 200
          - condition: $response.body#/text == 'hello'
`

// TestWorkflows tells whether a server does what an Arazzo document says.
func TestWorkflows(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "being-greeted.yaml")
	if err := os.WriteFile(file, []byte(workflows), 0o600); err != nil {
		t.Fatal(err)
	}
	kind, spec := serve(t, `{"text":"hello"}`)
	if code, out, err := call(t, "--url", kind, "--spec", spec, "--arazzo", file); code != exitOK {
		t.Errorf("exit %d\n%s\n%s", code, out, err)
	}
	rude, _ := serve(t, `{"text":"what"}`)
	code, out, _ := call(t, "--url", rude, "--spec", spec, "--arazzo", file)
	if code != exitFindings || !strings.Contains(out, "beGreeted") || !strings.Contains(out, `step "ask"`) {
		t.Errorf("exit %d\n%s", code, out)
	}
	if code, _, err := call(t, "--url", kind, "--spec", spec, "--arazzo", spec); code != exitUsage {
		t.Errorf("exit %d for what is no Arazzo document: %s", code, err)
	}
}
