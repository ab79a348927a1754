package impl_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "cryptoexchange.com/escrow"

// layers says which packages of this module each package may import, and
// whether it may import others than the standard library's. What is not here
// is forbidden. Tests may import more.
var layers = map[string]struct {
	own    []string
	others []string // prefixes
}{
	"gen":                        {[]string{"gen/scalar"}, []string{"github.com/oapi-codegen/runtime", "github.com/oapi-codegen/nullable"}},
	"gen/scalar":                 {nil, nil},
	"gen/spec/internal/rules":    {nil, []string{"gopkg.in/yaml.v3"}},
	"gen/spec":                   {nil, nil},
	"gen/server":                 {[]string{"gen"}, []string{"github.com/oapi-codegen/runtime", "github.com/labstack/echo/v4"}},
	"impl/internal/country":      {nil, nil},
	"impl/internal/text":         {nil, nil},
	"impl/internal/unread":       {nil, nil},
	"impl/internal/rawhttp":      {[]string{"impl/internal/unread"}, nil},
	"impl/internal/emailaddr":    {[]string{"impl/internal/text"}, []string{"golang.org/x/"}},
	"impl/internal/phone":        {nil, []string{"github.com/nyaruka/phonenumbers"}},
	"impl/internal/disbursement": {[]string{"impl/internal/banking", "impl/internal/country", "impl/internal/text", "impl/internal/wallet"}, []string{"golang.org/x/text"}},
	"impl/internal/customer":     {[]string{"impl/internal/disbursement", "impl/internal/country", "impl/internal/emailaddr", "impl/internal/phone", "impl/internal/text"}, []string{"golang.org/x/text/language"}},
	"impl/internal/partner":      {nil, nil},
	"impl/internal/keyset":       {nil, []string{"github.com/tink-crypto/tink-go/v2", "github.com/gofrs/flock"}},
	"impl/internal/password":     {nil, []string{"github.com/alexedwards/argon2id", "golang.org/x/"}},
	"impl/internal/totp":         {nil, []string{"github.com/pquerna/otp"}},
	"impl/internal/wallet":       {nil, []string{"github.com/btcsuite/btcd/btcutil/bech32", "github.com/mr-tron/base58", "golang.org/x/crypto/sha3"}},
	"impl/internal/banking":      {[]string{"impl/internal/country"}, nil},
	"impl/internal/account": {
		[]string{"impl/internal/customer", "impl/internal/disbursement", "impl/internal/emailaddr", "impl/internal/password", "impl/internal/totp"}, nil,
	},
	"impl/internal/outbox": {nil, nil},
	"impl/internal/mail": {
		[]string{"impl/internal/outbox"},
		[]string{"github.com/wneessen/go-mail", "golang.org/x/text", "golang.org/x/net/idna", "github.com/labstack/echo/v4"},
	},
	"impl/internal/cors":    {nil, []string{"github.com/labstack/echo/v4"}},
	"impl/internal/sandbox": {[]string{"impl/internal/customer", "impl/internal/httpapi"}, nil},
	"impl/internal/pages":   {nil, []string{"github.com/labstack/echo/v4"}},
	"impl/internal/sqlite": {
		[]string{"impl/internal/account", "impl/internal/customer", "impl/internal/disbursement", "impl/internal/partner", "impl/internal/outbox"},
		[]string{"modernc.org/sqlite", "zombiezen.com/go/sqlite", "github.com/pressly/goose/v3", "github.com/gofrs/flock"},
	},
	"impl/internal/storetest":  {[]string{"impl/internal/account", "impl/internal/disbursement", "impl/internal/customer", "impl/internal/partner", "impl/internal/outbox"}, []string{"github.com/google/go-cmp"}},
	"impl/smtptest":            {nil, []string{"github.com/emersion/go-smtp", "github.com/emersion/go-sasl"}},
	"impl/internal/strictjson": {nil, []string{"github.com/go-json-experiment/json"}},
	"impl/internal/checker":    {[]string{"impl/internal/strictjson"}, []string{"github.com/getkin/kin-openapi/openapi3"}},
	"impl/internal/contract": {
		[]string{"impl/internal/checker", "impl/internal/strictjson", "impl/internal/unread"},
		[]string{"github.com/getkin/kin-openapi", "github.com/labstack/echo/v4", "github.com/google/uuid"},
	},
	"impl/internal/samples": {nil, []string{"gopkg.in/yaml.v3"}},
	"impl/internal/docs": {
		[]string{"impl/internal/samples"},
		[]string{"github.com/labstack/echo/v4", "github.com/go-json-experiment/json", "gopkg.in/yaml.v3", "github.com/yuin/goldmark", "github.com/alecthomas/chroma/v2"},
	},
	"impl/internal/httpapi": {
		[]string{"gen", "gen/scalar", "gen/server", "impl/internal/account", "impl/internal/contract", "impl/internal/customer", "impl/internal/disbursement", "impl/internal/emailaddr", "impl/internal/partner", "impl/internal/password"},
		[]string{
			"github.com/labstack/echo/v4", "github.com/getkin/kin-openapi/openapi3", "github.com/oapi-codegen/runtime/types", "github.com/oapi-codegen/nullable",
			"github.com/google/uuid", "github.com/hashicorp/golang-lru/v2", "golang.org/x/time/rate", "github.com/go-json-experiment/json/jsontext",
		},
	},
	"impl/client":                    {[]string{"gen"}, []string{"github.com/cenkalti/backoff/v5"}},
	"impl/client/internal/constants": {nil, []string{"gopkg.in/yaml.v3"}},
	"impl": {
		[]string{"gen", "gen/spec", "impl/internal/"},
		[]string{"github.com/labstack/echo/v4", "github.com/google/uuid", "github.com/realclientip/realclientip-go", "github.com/prometheus/client_golang"},
	},
	"cmd/escrowd":                   {[]string{"impl"}, []string{"github.com/alecthomas/kong"}},
	"cmd/escrow":                    {[]string{"gen", "gen/scalar", "impl/client"}, []string{"github.com/alecthomas/kong"}},
	"conformance/internal/openapi":  {nil, []string{"gopkg.in/yaml.v3", "github.com/go-json-experiment/json/jsontext"}},
	"conformance/internal/schema":   {[]string{"conformance/internal/openapi"}, []string{"github.com/santhosh-tekuri/jsonschema/v6", "github.com/dlclark/regexp2", "github.com/go-json-experiment/json", "golang.org/x/"}},
	"conformance/internal/wire":     {nil, []string{"golang.org/x/net", "golang.org/x/time/rate"}},
	"conformance/internal/finding":  {[]string{"conformance/internal/openapi", "conformance/internal/wire"}, nil},
	"conformance/internal/generate": {[]string{"conformance/internal/openapi", "conformance/internal/schema", "conformance/internal/wire"}, []string{"github.com/dlclark/regexp2", "gopkg.in/yaml.v3"}},
	"conformance/internal/check": {
		[]string{"conformance/internal/finding", "conformance/internal/generate", "conformance/internal/openapi", "conformance/internal/schema", "conformance/internal/wire"},
		[]string{"github.com/go-json-experiment/json/jsontext", "golang.org/x/text"},
	},
	"conformance/internal/report": {[]string{"conformance/internal/finding", "conformance/internal/openapi", "conformance/internal/wire"}, []string{"gopkg.in/yaml.v3"}},
	"conformance/internal/mutate": {
		[]string{"conformance/internal/check", "conformance/internal/finding", "conformance/internal/generate", "conformance/internal/openapi", "conformance/internal/schema", "conformance/internal/wire"},
		[]string{"gopkg.in/yaml.v3"},
	},
	"conformance/internal/flow": {
		[]string{"conformance/internal/check", "conformance/internal/finding", "conformance/internal/openapi", "conformance/internal/wire"},
		[]string{"github.com/pb33f/libopenapi"},
	},
	"conformance/internal/lying": {nil, []string{"gopkg.in/yaml.v3", "golang.org/x/net", "golang.org/x/text", "github.com/go-json-experiment/json/jsontext"}},
	"conformance":                {[]string{"conformance/internal/"}, nil},
	"cmd/conformance":            {[]string{"conformance"}, []string{"github.com/alecthomas/kong"}},
	"cmd/bench":                  {nil, []string{"github.com/alecthomas/kong", "modernc.org/sqlite"}},
}

// TestImports holds the packages to the layers.
func TestImports(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", module+"/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		layer, known := layers[name]
		if !known {
			t.Errorf("%s is in no layer", name)
			continue
		}
		for _, path := range p.Imports {
			own, isOwn := strings.CutPrefix(path, module+"/")
			switch first, _, _ := strings.Cut(path, "/"); {
			case isOwn:
				if !slices.ContainsFunc(layer.own, func(allowed string) bool {
					return own == allowed || strings.HasSuffix(allowed, "/") && strings.HasPrefix(own, allowed)
				}) {
					t.Errorf("%s must not import %s", name, own)
				}
			case strings.Contains(first, "."):
				if !slices.ContainsFunc(layer.others, func(prefix string) bool { return strings.HasPrefix(path, prefix) }) {
					t.Errorf("%s must not import %s", name, path)
				}
			}
		}
	}
}

// TestSize holds files to 600 lines, functions to 80, and those over 60 to one in
// twenty. Generated code, tests and what they are given are exempt.
func TestSize(t *testing.T) {
	t.Parallel()
	const maxFile, maxFunction, longFunction = 600, 80, 60
	functions, long := 0, 0
	for _, root := range []string{"../impl", "../cmd", "../gen"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || strings.Contains(path, "/testdata/") || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, ".gen.go") {
				return err
			}
			files := token.NewFileSet()
			parsed, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			if lines := files.Position(parsed.End()).Line; lines > maxFile {
				t.Errorf("%s has %d lines", path, lines)
			}
			for _, d := range parsed.Decls {
				f, isFunction := d.(*ast.FuncDecl)
				if !isFunction {
					continue
				}
				lines := files.Position(f.End()).Line - files.Position(f.Pos()).Line + 1
				functions++
				if lines > longFunction {
					long++
				}
				if lines > maxFunction {
					t.Errorf("%s: %s has %d lines", path, f.Name.Name, lines)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if functions == 0 || long*20 > functions {
		t.Errorf("%d of %d functions have more than %d lines", long, functions, longFunction)
	}
}
