package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// seed reads the documentation of the API that partners have had all along. The
// copy here is compared with the original, which lies beside the repository: a
// laptop may lack it, CI may not.
func seed(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/create-customer.txt")
	if err != nil {
		t.Fatal(err)
	}
	original, err := os.ReadFile("../../../shared/seed/create-customer.txt")
	switch {
	case errors.Is(err, fs.ErrNotExist) && os.Getenv("CI") == "":
		t.Log("the original is not at hand")
	case err != nil:
		t.Fatal(err)
	default:
		if diff := cmp.Diff(string(original), string(text)); diff != "" {
			t.Errorf("the copy differs (-original +copy)\n%s", diff)
		}
	}
	return string(text)
}

// documentedExamples takes the examples and the response out of the text.
func documentedExamples(t *testing.T, text string) (curls, phps []string, response map[string]any) {
	t.Helper()
	curls = regexp.MustCompile(`(?m)^curl (?:.*\\\n)+(?:-d '\n\{\n(?:.*\n)+?\}'|.*)$`).FindAllString(text, -1)
	phps = regexp.MustCompile(`(?s)\$curl = curl_init\(\);.*?curl_close\(\$curl\);`).FindAllString(text, -1)
	_, example, found := strings.Cut(text, "Example Response\n")
	if len(curls) != 2 || len(phps) != 2 || !found {
		t.Fatalf("%d curl, %d PHP, response %v; want 2, 2, true", len(curls), len(phps), found)
	}
	if err := json.Unmarshal([]byte(example), &response); err != nil {
		t.Fatal(err)
	}
	return curls, phps, response
}

// placeholders fills in what the examples leave open, and nothing else: scheme
// and host, key, e-mail address and id.
func (s *server) placeholders(example, email, id string) string {
	return strings.NewReplacer(
		"https://cryptoexchange.com", s.root,
		"your-api-key", s.key,
		"[email protected]", email,
		"/partner/customer/123", "/partner/customer/"+id,
		// The documented header lacks its quotes.
		"-H Authorization:Bearer your-api-key", "-H 'Authorization:Bearer "+s.key+"'",
	).Replace(example)
}

// supplied are the fields that the documented request has, and that are null in
// the documented response.
var supplied = map[string]bool{"middle_name": true, "country": true, "phone": true}

// added are the fields that the response has beside those that are documented.
var added = map[string]string{"address": "map[string]interface {}", "language": "null", "invitation": "map[string]interface {}", "disbursement_methods": "[]interface {}"}

func compareTypes(t *testing.T, documented, got map[string]any) {
	t.Helper()
	if len(documented) != 27 {
		t.Fatalf("%d fields are documented, want 27", len(documented))
	}
	for name, value := range documented {
		answered, there := got[name]
		want := kindOf(value)
		if value == nil && supplied[name] {
			want = "string"
		}
		if !there || kindOf(answered) != want {
			t.Errorf("%s is %v (there: %v), want a %s", name, answered, there, want)
		}
	}
	for name, kind := range added {
		answered, there := got[name]
		if !there || kindOf(answered) != kind {
			t.Errorf("%s is %v (there: %v), want a %s", name, answered, there, kind)
		}
	}
	for name := range got {
		_, known := documented[name]
		if _, ours := added[name]; !known && !ours {
			t.Errorf("%s is not documented", name)
		}
	}
}

// php runs a script with the command-line PHP.
func php(t *testing.T, script string) map[string]any {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "php", "-d", "display_errors=stderr")
	cmd.Stdin = strings.NewReader("<?php\n" + script)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &stderr)
	}
	var decoded map[string]any
	if err := json.Unmarshal(out, &decoded); err != nil {
		t.Fatalf("%v: %s%s", err, out, &stderr)
	}
	return decoded
}

// TestDocumentedExamples runs the documented examples with the real programs. The
// samples that are published beside them are generated, and run by TestCampaign of
// impl/internal/samples.
func TestDocumentedExamples(t *testing.T) {
	t.Parallel()
	need(t, "curl")
	need(t, "php")
	s := start(t, filepath.Join(t.TempDir(), "data"))
	curls, phps, documented := documentedExamples(t, seed(t))
	const email = "johny.smith@example.com"
	for _, step := range []struct {
		name string
		run  func() map[string]any
	}{
		{"curl creates", func() map[string]any { return shell(t, s.placeholders(curls[0], email, "")) }},
		{"curl reads", func() map[string]any { return shell(t, s.placeholders(curls[1], "", "1")) }},
		{"PHP reads", func() map[string]any { return php(t, s.placeholders(phps[1], "", "1")) }},
		{"PHP creates", func() map[string]any { return php(t, s.placeholders(phps[0], "php."+email, "")) }},
	} {
		t.Run(step.name, func(t *testing.T) {
			got := step.run()
			compareTypes(t, documented, got)
			if !strings.HasSuffix(got["email"].(string), email) || got["phone"] != "+18885118600" || got["first_name"] != "Johny" {
				t.Errorf("%v", got)
			}
		})
	}
	// As it stands, the example has no e-mail address: the service says so.
	refused := shell(t, s.placeholders(curls[0], "[email protected]", ""))
	if refused["code"] != "invalid_request" || refused["status"] != 400.0 {
		t.Errorf("with the placeholder: %v", refused)
	}
	again := shell(t, s.placeholders(curls[0], email, ""))
	if again["code"] != "email_already_in_use" || again["status"] != 403.0 {
		t.Errorf("again: %v", again)
	}
}

// TestReadme does what a reader of the README does: pastes the printed curl, and
// runs the examples in their order.
func TestReadme(t *testing.T) {
	t.Parallel()
	need(t, "curl")
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(readme, []byte("\n")); lines > 150 {
		t.Errorf("the README has %d lines, want 150 at most", lines)
	}
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(readme, -1)
	if len(blocks) != 3 {
		t.Fatalf("%d examples, want 3", len(blocks))
	}
	s := start(t, filepath.Join(t.TempDir(), "data"))
	if printed := shell(t, curl(t, s.printed)); printed["id"] != 1.0 {
		t.Errorf("the printed curl: %v", printed)
	}
	wants := []string{`"email":"ana.garcia@example.com"`, `"first_name":"Ana"`, `"email": "mei.lin@example.com"`}
	for i, block := range blocks {
		script := strings.NewReplacer(
			"http://127.0.0.1:8080", s.root,
			"your-api-key", s.key,
			"go run ./cmd/escrow ", programs.escrow+" ",
		).Replace(string(block[1]))
		cmd := exec.CommandContext(t.Context(), "sh", "-ec", script)
		cmd.Env = environment("ESCROW_URL=" + s.url)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil || !strings.Contains(string(out), wants[i]) {
			t.Errorf("example %d: %v\n%s%s", i+1, err, out, &stderr)
		}
	}
	// Every setting is in the table, with its default.
	help, err := exec.CommandContext(t.Context(), programs.escrowd, "serve", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, flag := range regexp.MustCompile(`(?m)^ {6}(--[a-z-]+)`).FindAllSubmatch(help, -1) {
		name := string(flag[1])
		if name == "--version" {
			continue
		}
		variable := "`ESCROW_" + strings.ToUpper(strings.ReplaceAll(strings.TrimPrefix(name, "--"), "-", "_")) + "`"
		if !strings.Contains(string(readme), "| `"+name+"` | "+variable+" |") {
			t.Errorf("the README's table lacks %s with %s", name, variable)
		}
	}
}
