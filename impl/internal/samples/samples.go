// Package samples writes the code samples of the contract: for each operation,
// how to call it with curl and from seven languages.
//
// Nobody types a sample. What a sample sends is read from the contract: method
// and path, the parameters' examples, the first example of the body, the
// credential that the operation asks for, and the status of its success. A
// template for each language says how a request is made there, and a notation
// how that language writes the body, so that the body is the language's own
// literal and not a string of JSON, where the language has such literals. Hence
// a sample cannot disagree with the contract; that it compiles, that it sends
// what the contract's example says, and that it takes the answer for what it is,
// is tested by running all of them against the service (TestCampaign).
//
// Keys and sessions come from the environment, as ESCROW_KEY and ESCROW_SESSION:
// what is pasted into a source file ends in a repository. A sample prints the
// answer and ends with 0, or prints the problem's code, or what has it, and ends
// with another status: 1, or curl's 22.
//
// Layout is that of each language's formatter: gofmt's (which is called),
// Prettier's, Black's, rustfmt's, PSR-12's, and Standard Ruby's.
package samples

import (
	"bytes"
	"embed"
	"fmt"
	"go/format"
	"strings"
	"text/template"

	"gopkg.in/yaml.v3"
)

// Operation is an operation of the contract, with its samples.
type Operation struct {
	ID     string // operationId
	Method string // in capitals, such as POST
	Path   string // as the contract has it, such as /partner/customer/{customer_id}
	// Samples has one for each language, in the order in which they are offered.
	Samples []Sample
}

// Sample is a program that calls an operation.
type Sample struct {
	Lang   string // language as highlighters know it, such as Shell; lang of x-codeSamples
	Label  string // name for people, such as curl; label of x-codeSamples
	Source string // whole and ready to run; without a line feed at its end
}

//go:embed templates
var files embed.FS

// language is one in which samples are written.
type language struct {
	lang, label string
	file        string // its template
	notation    notation
	finish      func(string) (string, error) // may be nil
}

var languages = []language{
	{"Shell", "curl", "curl.sh", jsonNotation, nil},
	{"Go", "Go", "go.go", goNotation, gofmt},
	{"PHP", "PHP", "php.php", phpNotation, nil},
	{"Python", "Python", "python.py", pythonNotation, nil},
	{"TypeScript", "TypeScript", "typescript.ts", typescriptNotation, nil},
	{"Java", "Java", "java.java", jsonNotation, nil},
	{"Rust", "Rust", "rust.rs", rustNotation, nil},
	{"Ruby", "Ruby", "ruby.rb", rubyNotation, nil},
}

// For writes the samples of all operations of a contract, in its order.
// contract is an OpenAPI 3.0 document in YAML; serverURL is where its paths
// begin, without a slash at its end. It fails if the contract lacks an example
// that a sample needs, and says which.
func For(contract []byte, serverURL string) ([]Operation, error) {
	requests, err := read(contract, serverURL)
	if err != nil {
		return nil, fmt.Errorf("samples: %w", err)
	}
	operations := make([]Operation, len(requests))
	for i, r := range requests {
		operations[i] = Operation{ID: r.ID, Method: r.Method, Path: r.path}
	}
	for _, l := range languages {
		t, err := l.template()
		if err != nil {
			return nil, fmt.Errorf("samples: %w", err)
		}
		for i, r := range requests {
			source, err := l.write(t, r)
			if err != nil {
				return nil, fmt.Errorf("samples: %s in %s: %w", r.ID, l.label, err)
			}
			operations[i].Samples = append(operations[i].Samples, Sample{Lang: l.lang, Label: l.label, Source: source})
		}
	}
	return operations, nil
}

// template reads the language's template. In it,
//
//	quote TEXT             is the language's literal of a text,
//	literal NODE MARGIN LEAD  is one of a body: its further lines begin with
//	                       MARGIN spaces, and LEAD characters stand before it
//	                       in its first line,
//	title TEXT             begins with a capital,
//	longer N TEXT          tells whether it has more than N characters,
//	shell TEXT             is a word in single quotes, without them,
//	textBlock TEXT         is the content of a Java text block.
func (l language) template() (*template.Template, error) {
	return template.New(l.file+".tmpl").Funcs(l.functions()).ParseFS(files, "templates/"+l.file+".tmpl")
}

func (l language) functions() template.FuncMap {
	return template.FuncMap{
		"quote": l.notation.text,
		"literal": func(n *yaml.Node, margin, lead int) (string, error) {
			return l.notation.literal(n, strings.Repeat(l.notation.indent[:1], margin), lead)
		},
		"title":     title,
		"longer":    func(most int, text string) bool { return len(text) > most },
		"shell":     shellText,
		"textBlock": textBlock,
	}
}

func (l language) write(t *template.Template, r request) (string, error) {
	var b bytes.Buffer
	if err := t.Execute(&b, r); err != nil {
		return "", err
	}
	source := b.String()
	if l.finish != nil {
		var err error
		if source, err = l.finish(source); err != nil {
			return "", err
		}
	}
	return strings.TrimSpace(source), nil
}

func gofmt(source string) (string, error) {
	formatted, err := format.Source([]byte(source))
	return string(formatted), err
}

// title puts the first letter in capitals.
func title(word string) string { return strings.ToUpper(word[:1]) + word[1:] }
