package samples

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

// evaluators print as JSON, by the language itself, a list of strings that is
// given as its literal.
var evaluators = map[string]struct {
	notation notation
	program  string // of which %s is the list
	file     string
	command  []string // to which the file is added
}{
	"Go":         {goNotation, "package main\n\nimport (\n\t\"encoding/json\"\n\t\"os\"\n)\n\nfunc main() { _ = json.NewEncoder(os.Stdout).Encode(%s) }\n", "main.go", []string{"go", "run"}},
	"PHP":        {phpNotation, "<?php\necho json_encode(%s);\n", "main.php", []string{"php"}},
	"Python":     {pythonNotation, "import json\nprint(json.dumps(%s))\n", "main.py", []string{"python3"}},
	"TypeScript": {typescriptNotation, "console.log(JSON.stringify(%s));\n", "main.mjs", []string{"node"}},
	"Ruby":       {rubyNotation, "require \"json\"\nputs JSON.generate(%s)\n", "main.rb", []string{"ruby"}},
	"JSON":       {jsonNotation, "%s", "main.json", []string{"cat"}},
	"shell":      {jsonNotation, "printf %%s '%s'\n", "main.sh", []string{"sh"}},
	"Java": {jsonNotation, "public class Main {\n    public static void main(String[] args) {\n        new java.io.PrintStream(System.out, true, java.nio.charset.StandardCharsets.UTF_8).print(\"\"\"\n                %s\n                \"\"\");\n    }\n}\n",
		"Main.java", []string{"java", "-Dfile.encoding=UTF-8"}},
}

// difficult are strings that mean something somewhere, and some at random.
func difficult() []string {
	list := []string{
		"", " ", "'", `"`, `\`, `\\`, "$x", "${x}", "{$x}", "$(x)", "`x`", "#{x}", "#$0", "#@x", "#", "%s", "%%", "\n", "\r\n", "\t", "\x00", "\x1b", "\x7f",
		`"""`, `""""`, `\"""`, `'''`, "*/", "//", "?>", "<?php", "{{.}}", "${", `\u0041`, `\u{41}`, `\x41`, `\n`, "</script>", "&amp;", "é", "e\u0301", "ß", "東京", "مرحبا",
		"\u00a0", "\u00ad", "\u200b", "\u202e", "\u2028", "\u2029", "\ufeff", "\ufffd", "\U0001F600", "\U000E0001", "\U0010FFFF", "end\\", "'end", "end'", "\u0085", "!x", "a\\'b", "~", "\a\b\f\v",
	}
	random := rand.New(rand.NewPCG(7, 7))
	alphabet := []rune("'\"\\$#{}@`%&<>?!*/()[]~^|;:,. \n\r\t\x00\x01\x7fabcnrtuxU01é\u00a0\u2028東\U0001F600\u202e")
	for range 400 {
		var b strings.Builder
		for range 1 + random.IntN(12) {
			b.WriteRune(alphabet[random.IntN(len(alphabet))])
		}
		list = append(list, b.String())
	}
	return list
}

// evaluate has a language read the literal of a list, and gives it back.
func evaluate(t *testing.T, name string, list []string) []string {
	t.Helper()
	e := evaluators[name]
	if _, err := exec.LookPath(e.command[0]); err != nil {
		t.Skipf("needs %s, which is not installed", e.command[0])
	}
	node := yaml.Node{Kind: yaml.SequenceNode}
	for _, s := range list {
		node.Content = append(node.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s})
	}
	literal, err := e.notation.literal(&node, map[string]string{"Java": strings.Repeat(" ", 16)}[name], 0)
	if err != nil {
		t.Fatal(err)
	}
	switch name {
	case "shell":
		literal = shellText(literal)
	case "Java":
		literal = textBlock(literal)
	}
	file := filepath.Join(t.TempDir(), e.file)
	if err := os.WriteFile(file, fmt.Appendf(nil, e.program, literal), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), e.command[0], append(e.command[1:], file)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &stderr)
	}
	var got []string
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return got
}

// TestLiterals has each language that the machine has read back what it was
// written. The other languages are tested by .ci/samples/run (TestCampaign).
func TestLiterals(t *testing.T) {
	t.Parallel()
	for name, e := range evaluators {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list := difficult()
			if diff := cmp.Diff(list, evaluate(t, name, list)); diff != "" {
				t.Errorf("(-written +read)\n%s", diff)
			}
			for _, s := range list {
				if at := strings.IndexFunc(e.notation.text(s), func(r rune) bool { return !unicode.IsPrint(r) }); at >= 0 {
					t.Errorf("the literal of %q has what cannot be seen, at %d", s, at)
				}
			}
		})
	}
}

// TestRustText reads Rust's literals back by the rules of its reference: no Rust
// is needed, whose compiler reads others in TestCampaign.
func TestRustText(t *testing.T) {
	t.Parallel()
	for _, s := range difficult() {
		literal := rustText(s)
		var b strings.Builder
		for rest := literal[1 : len(literal)-1]; rest != ""; {
			r := []rune(rest)[0]
			rest = rest[len(string(r)):]
			if r == '"' {
				t.Fatalf("%s ends early", literal)
			}
			if r == '\\' {
				escape := rest[0]
				rest = rest[1:]
				switch escape {
				case 'n', 'r', 't', '\\', '"':
					r = map[byte]rune{'n': '\n', 'r': '\r', 't': '\t', '\\': '\\', '"': '"'}[escape]
				case 'u':
					digits, after, closed := strings.Cut(strings.TrimPrefix(rest, "{"), "}")
					if _, err := fmt.Sscanf(digits, "%x", &r); err != nil || !closed {
						t.Fatalf("%s: %v", literal, err)
					}
					rest = after
				default:
					t.Fatalf("%s has the escape %q", literal, escape)
				}
			}
			b.WriteRune(r)
		}
		if b.String() != s {
			t.Errorf("%q is written as %s", s, literal)
		}
	}
}

// FuzzLiterals looks for strings that JSON's and Go's readers read otherwise; they
// are at hand without starting a program.
func FuzzLiterals(f *testing.F) {
	for _, s := range difficult() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.ToValidUTF8(s, "\ufffd") // the contract is UTF-8
		var got string
		if err := json.Unmarshal([]byte(jsonText(s)), &got); err != nil || got != s {
			t.Errorf("%q is written as %s: %q %v", s, jsonText(s), got, err)
		}
		if got, err := strconv.Unquote(goNotation.text(s)); err != nil || got != s {
			t.Errorf("%q is written as %s: %q %v", s, goNotation.text(s), got, err)
		}
	})
}
