package samples_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// block is a fenced block of a guide.
type block struct {
	line     int
	language string
	flags    []string // the rest of the info string
	code     string
	answer   string // the JSON that is shown as its answer, or empty
}

var fence = regexp.MustCompile("^( *)```(.*)$")

// blocks reads a guide. A json block that follows one of sh, with nothing but
// empty lines and a sentence that ends in a colon between, is its answer.
func blocks(guide string) (list []block) {
	var open *block
	indent := ""
	follows := false // only what may stand between has come since the last block
	for i, line := range strings.Split(guide, "\n") {
		found := fence.FindStringSubmatch(line)
		switch {
		case open == nil && found != nil:
			words := strings.Fields(found[2])
			open, indent = &block{line: i + 1}, found[1]
			if len(words) > 0 {
				open.language, open.flags = words[0], words[1:]
			}
		case open == nil:
			follows = follows && (strings.TrimSpace(line) == "" || strings.HasSuffix(line, ":"))
		case found != nil && found[2] == "":
			if open.language == "json" && follows && len(list) > 0 && list[len(list)-1].language == "sh" && !slices.Contains(open.flags, "example") {
				list[len(list)-1].answer = open.code
			}
			list, open, follows = append(list, *open), nil, true
		default:
			open.code += strings.TrimPrefix(line, indent) + "\n"
		}
	}
	return list
}

// TestGuides pastes every shell block of the guides into a shell, each guide in a
// folder and against a service of its own, and runs its programs in Go. Every answer that the
// service gives must be a success, or the last one have the status that the
// block's info string says (status=403); and what is shown as the answer must be
// in it.
//
// Three placeholders are filled in: your-api-key; token-from-the-e-mail, by the
// newest e-mail's; and code-of-the-app, by the newest second factor's. The guide
// to testing is about the sandbox, and is read against one.
func TestGuides(t *testing.T) {
	t.Parallel()
	need(t, "curl")
	need(t, "jq")
	files, err := filepath.Glob("../docs/guides/*.md")
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan int, len(files))
	t.Run("all", func(t *testing.T) {
		for _, file := range files {
			name := strings.TrimSuffix(filepath.Base(file), ".md")
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				guide, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				n, faults := runGuide(t, name, string(guide))
				for _, fault := range faults {
					t.Error(fault)
				}
				ran <- n
			})
		}
	})
	close(ran)
	total := 0
	for n := range ran {
		total += n
	}
	t.Logf("%d blocks of %d guides ran", total, len(files))
	if total < 30 {
		t.Errorf("only %d blocks ran: are they still marked as sh?", total)
	}
}

// reader is who reads a guide and pastes its blocks.
type reader struct {
	s      *server
	folder string
	shell  *exec.Cmd
	in     io.Writer
	out    *bufio.Reader
	used   string // the token that was used last
	secret string // of the newest second factor
}

// runGuide pastes a guide's blocks, and says how many and what was wrong.
func runGuide(t *testing.T, name, guide string) (ran int, faults []string) {
	t.Helper()
	list := slices.DeleteFunc(blocks(guide), func(b block) bool { return b.language != "sh" && !b.isProgram() })
	if len(list) == 0 {
		return 0, nil
	}
	var args []string
	if name == "testing" {
		args = []string{"--sandbox"}
	}
	r := newReader(t, startServer(t, args...))
	for i, b := range list {
		run := r.paste
		if b.isProgram() {
			run = r.program
		}
		stdout, err := run(t, i, b)
		if err != nil { // and the shell is gone
			return ran, append(faults, fmt.Sprintf("%s.md:%d: %v\n%s", name, b.line, err, b.code))
		}
		for _, fault := range b.faults(r.s.proxy.exchanges(), stdout) {
			faults = append(faults, fmt.Sprintf("%s.md:%d: %s\n%s", name, b.line, fault, b.code))
		}
		ran++
	}
	return ran, faults
}

func newReader(t *testing.T, s *server) *reader {
	t.Helper()
	r := &reader{s: s, folder: t.TempDir()}
	if s.data != "" {
		if err := os.Symlink(s.data, filepath.Join(r.folder, "data")); err != nil {
			t.Fatal(err)
		}
	}
	r.shell = exec.CommandContext(t.Context(), "sh", "-e")
	r.shell.Dir = r.folder
	r.shell.Env = append(environment("ESCROW_URL="+s.url, "ESCROW_KEY="+s.key), "PATH="+programs+string(os.PathListSeparator)+os.Getenv("PATH"))
	in, err := r.shell.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := r.shell.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	r.in, r.out = in, bufio.NewReader(out)
	if err := r.shell.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = r.shell.Wait()
	})
	return r
}

// paste has the shell run a block, and gives what it printed.
func (r *reader) paste(t *testing.T, i int, b block) (stdout []byte, err error) {
	t.Helper()
	script := filepath.Join(t.TempDir(), strconv.Itoa(i))
	if err := os.WriteFile(script, []byte(r.fill(t, b.code)), 0o600); err != nil {
		t.Fatal(err)
	}
	r.s.proxy.reset(nil, nil)
	// The shell goes on with the next block as with the next line that is typed.
	fmt.Fprintf(r.in, ". %s </dev/null >%s.out 2>%s.err\necho pasted\n", script, script, script)
	_, ended := r.out.ReadString('\n')
	stdout, err = os.ReadFile(script + ".out")
	if err != nil {
		t.Fatal(err)
	}
	if ended != nil {
		stderr, _ := os.ReadFile(script + ".err")
		return nil, fmt.Errorf("ended with an error: %w\n%s%s", errors.Join(r.shell.Wait(), ended), stdout, stderr)
	}
	for _, e := range r.s.proxy.exchanges() {
		var answer struct{ Secret string }
		if json.Unmarshal(e.response, &answer) == nil && answer.Secret != "" {
			r.secret = answer.Secret
		}
	}
	return stdout, nil
}

// isProgram tells a block that is a whole program in Go.
func (b block) isProgram() bool {
	return b.language == "go" && strings.HasPrefix(b.code, "package main\n")
}

// program runs one, which may import what is in this module.
func (r *reader) program(t *testing.T, _ int, b block) (stdout []byte, err error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(b.code), 0o600); err != nil {
		t.Fatal(err)
	}
	r.s.proxy.reset(nil, nil)
	cmd := exec.CommandContext(t.Context(), "go", "run", file)
	cmd.Env = environment("ESCROW_URL="+r.s.url, "ESCROW_KEY="+r.s.key)
	stdout, err = cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, stdout)
	}
	return stdout, err
}

// fill puts in what the guide leaves open.
func (r *reader) fill(t *testing.T, code string) string {
	t.Helper()
	const token, app = "token-from-the-e-mail", "code-of-the-app"
	if strings.Contains(code, token) {
		// The newest e-mail is so when none has come for a while.
		var tokens []string
		since := time.Now()
		eventually(t, "an e-mail with a link", func() bool {
			if now := r.s.tokens(t, ""); len(now) != len(tokens) {
				tokens, since = now, time.Now()
			}
			return len(tokens) > 0 && time.Since(since) > time.Second
		})
		r.used = tokens[len(tokens)-1]
	}
	if strings.Contains(code, app) {
		code = strings.ReplaceAll(code, app, oneTimeCode(t, r.secret, time.Now()))
	}
	return strings.NewReplacer(
		"{{.ServerURL}}", r.s.url, "{{.PublicURL}}", r.s.root, "your-api-key", r.s.key, token, r.used,
		"go run ./cmd/escrowd", "escrowd", "go run ./cmd/escrow", "escrow", "go run ./cmd/conformance", "conformance",
	).Replace(code)
}

// faults says in what a block that ran has not done what the guide says.
func (b block) faults(seen []*exchange, stdout []byte) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	local := slices.Contains(b.flags, "local")
	if len(seen) == 0 && !local {
		fault("asked the service for nothing")
	}
	if len(seen) == 0 {
		return faults
	}
	last := seen[len(seen)-1]
	want := ""
	for _, flag := range b.flags {
		if status, there := strings.CutPrefix(flag, "status="); there {
			want = status
		}
	}
	for i, e := range seen {
		refused := e.status >= 400 && (want == "" || i < len(seen)-1)
		// The runner sends what is to be refused.
		if refused && !strings.Contains(b.code, "conformance") {
			fault("%s %s was answered %d: %s", e.method, e.path, e.status, e.response)
		}
	}
	if want != "" && strconv.Itoa(last.status) != want {
		fault("was answered %d, want %s: %s", last.status, want, last.response)
	}
	if b.answer != "" {
		faults = append(faults, b.answerFaults(last.response, stdout)...)
	}
	return faults
}

// answerFaults compares what is shown with what was answered, and with what was
// printed, which may be a part of it or something made of it.
func (b block) answerFaults(response, stdout []byte) []string {
	var shown, answered any
	if err := json.Unmarshal([]byte(b.answer), &shown); err != nil {
		return []string{fmt.Sprintf("the answer that is shown is no JSON: %v", err)}
	}
	var closest []string
	for _, raw := range [][]byte{response, stdout} {
		if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&answered); err != nil {
			continue
		}
		differences := compareShown("", shown, answered)
		if len(differences) == 0 {
			return nil
		}
		if closest == nil {
			closest = differences
		}
	}
	return []string{fmt.Sprintf("the answer that is shown is not what came: %s\n%s%s", strings.Join(closest, "; "), response, stdout)}
}

// literal are members whose values must be as they are shown. Of others it is the
// kind.
var literal = map[string]bool{"code": true, "status": true, "title": true, "detail": true, "pointer": true, "state": true}

func compareShown(path string, shown, got any) (differences []string) {
	if fmt.Sprintf("%T", shown) != fmt.Sprintf("%T", got) {
		return []string{fmt.Sprintf("%s is %v, and is shown as %v", path, got, shown)}
	}
	switch shown := shown.(type) {
	case map[string]any:
		there, _ := got.(map[string]any)
		for name, value := range shown {
			actual, known := there[name]
			at := path + "/" + name
			switch {
			case !known:
				differences = append(differences, at+" is shown, and not there")
			case literal[name] && fmt.Sprint(actual) != fmt.Sprint(value):
				differences = append(differences, fmt.Sprintf("%s is %v, and is shown as %v", at, actual, value))
			default:
				differences = append(differences, compareShown(at, value, actual)...)
			}
		}
	case []any:
		there, _ := got.([]any)
		if len(shown) > len(there) {
			return []string{fmt.Sprintf("%s has %d elements, and %d are shown", path, len(there), len(shown))}
		}
		for i, value := range shown {
			differences = append(differences, compareShown(fmt.Sprintf("%s/%d", path, i), value, there[i])...)
		}
	}
	return differences
}

// TestBlocks reads a guide of all kinds of blocks, and compares answers.
func TestBlocks(t *testing.T) {
	t.Parallel()
	guide := "# A\n```sh local\na\n```\ntext\n\n1. item:\n   ```sh status=403\n   b\n     c\n   ```\n   The answer:\n\n   ```json\n   {\"code\": \"x\", \"list\": [{\"id\": 7}]}\n   ```\n```sh\nd\n```\nSomething else.\n```json\n{}\n```\n"
	list := blocks(guide)
	if len(list) != 5 || list[0].code != "a\n" || list[1].code != "b\n  c\n" || list[1].line != 8 || list[1].flags[0] != "status=403" || list[1].answer == "" || list[3].answer != "" {
		t.Fatalf("%+v", list)
	}
	for _, tt := range []struct {
		status         int
		response, want string
	}{
		{403, `{"code":"x","list":[{"id":8,"more":1},{}],"more":2}`, ""},
		{404, `{"code":"x","list":[{"id":8}]}`, "answered 404, want 403"},
		{403, `{"code":"y","list":[{"id":8}]}`, "/code is y"},
		{403, `{"code":"x","list":[]}`, "/list has 0 elements"},
		{403, `{"code":"x","list":[{"id":"8"}]}`, "/list/0/id is 8"},
		{403, `{"code":"x"}`, "/list is shown, and not there"},
		{403, `{"code":"x","list":null}`, "/list is <nil>"},
	} {
		faults := strings.Join(list[1].faults([]*exchange{{status: tt.status, response: []byte(tt.response)}}, nil), "\n")
		if (tt.want == "") != (faults == "") || !strings.Contains(faults, tt.want) {
			t.Errorf("%s: %q, want %q", tt.response, faults, tt.want)
		}
	}
	if faults := list[3].faults([]*exchange{{status: 400}, {status: 200}}, nil); len(faults) != 1 {
		t.Errorf("a refusal that is not announced: %q", faults)
	}
	if faults := list[3].faults(nil, nil); len(faults) != 1 {
		t.Errorf("no request: %q", faults)
	}
}

// TestGuidesNotices reads a guide in which something of each kind is wrong.
func TestGuidesNotices(t *testing.T) {
	t.Parallel()
	need(t, "curl")
	need(t, "jq")
	const create = `curl "$ESCROW_URL/partner/customers" -H "Authorization: Bearer $ESCROW_KEY" -H 'Content-Type: application/json' -d '{"email": "ana.garcia@example.com"}'` + "\n"
	tests := []struct{ guide, want string }{
		{"```sh status=201\n" + create + "```\n```json\n{\"id\": 1}\n```\n", ""},
		{"```sh\nid=7\n```\n", "g.md:1: asked the service for nothing"},
		{"```sh local\nid=7\n```\n```sh local\ntest $id = 7\n```\n", ""},
		{"```sh local\nfalse\n```\n", "g.md:1: ended with an error"},
		{"```sh\n" + strings.Replace(create, "@", "", 1) + "```\n", "was answered 400"},
		{"```sh status=403\n" + create + "```\n", "was answered 201, want 403"},
		{"```sh\n" + create + create + "```\n", "was answered 403"},
		{"```go\npackage main\n\nfunc main() {}\n```\n", "asked the service for nothing"},
		{"```go\npackage main\n\nfunc main() { x }\n```\n", "undefined: x"},
		{"```sh status=403\n" + create + create + "```\nProse:\n\n```json\n{\"code\": \"x\"}\n```\n", "/code is email_already_in_use, and is shown as x"},
	}
	for _, tt := range tests {
		_, faults := runGuide(t, "g", tt.guide)
		if got := strings.Join(faults, "\n"); (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s\n%q, want %q", tt.guide, got, tt.want)
		}
	}
}
