package docs_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cryptoexchange.com/escrow/impl/internal/wallet"
)

// guide reads a guide as it is written.
func guide(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("guides", name+".md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sources gives the Go files of a package beside this one, but for tests.
func sources(t *testing.T, pkg string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", pkg, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
	if len(files) == 0 {
		t.Fatalf("no files of %s", pkg)
	}
	return files
}

// codeConstants gives the values of a package's constants named Code….
func codeConstants(t *testing.T, pkg string) []string {
	t.Helper()
	var codes []string
	for _, name := range sources(t, pkg) {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			for i, value := range spec.Values {
				literal, ok := value.(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING || !strings.HasPrefix(spec.Names[i].Name, "Code") {
					continue
				}
				code, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				codes = append(codes, code)
			}
			return true
		})
	}
	return codes
}

// codeOfRule finds the codes that package contract gives to broken rules, where
// it writes them.
var codeOfRule = regexp.MustCompile(`(?:Code: |return |fault\(|add\([^"\n]*)"([a-z_]+)", `)

// TestFaultCodes checks that the guides list every code of a fault that a caller
// can meet.
func TestFaultCodes(t *testing.T) {
	t.Parallel()
	text := guide(t, "errors") + guide(t, "disbursement-methods")
	var codes []string
	for _, pkg := range []string{"strictjson", "customer", "account", "password", "banking", "wallet", "disbursement"} {
		of := codeConstants(t, pkg)
		if len(of) == 0 {
			t.Errorf("no codes in package %s", pkg)
		}
		codes = append(codes, of...)
	}
	before := len(codes)
	for _, name := range sources(t, "contract") {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range codeOfRule.FindAllSubmatch(source, -1) {
			codes = append(codes, string(match[1]))
		}
	}
	if n := len(codes) - before; n < 25 {
		t.Errorf("only %d codes in package contract", n)
	}
	for _, code := range codes {
		if !strings.Contains(text, "`"+code+"`") {
			t.Errorf("no guide lists the code %s", code)
		}
	}
}

// TestNetworks checks the table of networks and their assets.
func TestNetworks(t *testing.T) {
	t.Parallel()
	text := guide(t, "disbursement-methods")
	for _, n := range wallet.Networks() {
		assets := make([]string, len(n.Assets))
		for i, a := range n.Assets {
			assets[i] = a.Code
		}
		if row := "\n| `" + n.Name + "` | " + strings.Join(assets, ", ") + " |\n"; !strings.Contains(text, row) {
			t.Errorf("the table of networks has no row%s", row)
		}
	}
}

var goBlock = regexp.MustCompile("(?ms)^```go\n(.*?)^```$")

// TestGoBlocks compiles the Go programs of the guides, each as a package of this
// module that is nowhere but in the compiler's overlay.
func TestGoBlocks(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob("guides/*.md")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	overlay := map[string]string{}
	var packages []string
	for _, name := range names {
		name = strings.TrimSuffix(filepath.Base(name), ".md")
		for i, block := range goBlock.FindAllStringSubmatch(guide(t, name), -1) {
			program := name + "-" + strconv.Itoa(i)
			file := filepath.Join(folder, program+".go")
			if err := os.WriteFile(file, []byte(block[1]), 0o600); err != nil {
				t.Fatal(err)
			}
			overlay[filepath.Join(root, "cmd", program, "main.go")] = file
			packages = append(packages, "./cmd/"+program)
		}
	}
	if len(packages) == 0 {
		t.Fatal("no guide has a Go program")
	}
	content, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "go", append([]string{"build", "-o", folder, "-overlay", file}, packages...)...)
	command.Dir = root
	if said, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, said)
	}
}
