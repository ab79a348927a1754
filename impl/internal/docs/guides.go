package docs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	texttemplate "text/template"

	"cryptoexchange.com/escrow/impl/internal/samples"
)

// guides are the names of the guides in guides/, in the order in which they are
// read.
var guides = []string{
	"quick-start", "authentication", "errors", "customer-journey", "disbursement-methods", "testing", "versioning", "conformance", "changelog",
}

// book is what the pages are written from.
type book struct {
	*contract
	config   Config
	samples  map[string][]samples.Sample
	examples map[string]codeExample // of problems, by code
}

func readBook(c Config) (*book, error) {
	b := &book{config: c, samples: map[string][]samples.Sample{}}
	var err error
	if b.contract, err = readContract(c.Contract); err != nil {
		return nil, err
	}
	operations, err := samples.For(c.Contract, c.ServerURL)
	if err != nil {
		return nil, fmt.Errorf("docs: %w", err)
	}
	for _, o := range operations {
		b.samples[o.ID] = o.Samples
	}
	b.examples, err = b.problemExamples()
	return b, err
}

// guide makes a guide's article, whose links begin where l is.
func (b *book) guide(name string, l linker) (*article, error) {
	source, err := files.ReadFile("guides/" + name + ".md")
	if err != nil {
		return nil, fmt.Errorf("docs: %w", err)
	}
	a, err := b.article(string(source), l)
	if err != nil {
		return nil, fmt.Errorf("guide %s: %w", name, err)
	}
	return a, nil
}

// article makes a text with directives into HTML.
func (b *book) article(source string, l linker) (*article, error) {
	v := &converter{link: func(destination string) (string, error) { return b.destination(destination, l) }}
	w := &writer{book: b, converter: v}
	t, err := texttemplate.New("").Option("missingkey=error").Funcs(w.directives()).Parse(source)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	data := map[string]string{"ServerURL": b.config.ServerURL, "PublicURL": b.config.publicURL(), "Version": b.Version}
	if err := t.Execute(&out, data); err != nil {
		return nil, err
	}
	return v.convert(out.Bytes())
}

// destination gives the URL for what a text links to: another guide by its file,
// something of the contract by its kind and name, or a URL.
func (b *book) destination(to string, l linker) (string, error) {
	kind, name, _ := strings.Cut(to, ":")
	switch kind {
	case "operation":
		if o := b.operations[name]; o != nil {
			return l.url(referencePath, o.Anchor())
		}
	case "schema":
		if i := slices.IndexFunc(b.schemas, func(s schema) bool { return s.Name == name }); i >= 0 {
			return l.url(referencePath, b.schemas[i].Anchor())
		}
	case "problem":
		if b.config.problem(name) != nil {
			return l.url(problemsPath+"/"+name, "")
		}
	case "page":
		if path, ok := namedPages[name]; ok {
			return l.url(path, "")
		}
	case "http", "https", "mailto":
		return to, nil
	default:
		file, fragment, _ := strings.Cut(to, "#")
		if file == "" {
			return to, nil
		}
		if guide, isFile := strings.CutSuffix(file, ".md"); isFile && slices.Contains(guides, guide) {
			return l.url(guidesPath+"/"+guide, fragment)
		}
	}
	return "", fmt.Errorf("docs: there is nothing at the link %q", to)
}

// writer writes what the directives of one text stand for.
type writer struct {
	*book
	converter *converter
	choices   int // of a language, so far
}

func (w *writer) directives() texttemplate.FuncMap {
	return texttemplate.FuncMap{
		"samples":         w.allSamples,
		"sample":          w.oneSample,
		"example":         w.example,
		"values":          w.values,
		"problemTable":    w.problemTable,
		"problemSections": w.problemSections,
	}
}

// block puts HTML into the text.
func (w *writer) block(content template.HTML) string {
	w.converter.blocks = append(w.converter.blocks, content)
	return "\n```" + blockLanguage + "\n" + strconv.Itoa(len(w.converter.blocks)-1) + "\n```\n"
}

// choice is what the template of samples is given.
type choice struct {
	Title   string
	Number  int // of the choice on its page
	Samples []chosen
}

type chosen struct {
	Label, Lang string
	Code        template.HTML
}

// allSamples shows the samples of an operation, with a choice of the language
// that is made of radio buttons and so works without scripts.
func (w *writer) allSamples(id string) (string, error) {
	o := w.operations[id]
	if o == nil {
		return "", fmt.Errorf("docs: the contract has no operation %q", id)
	}
	w.choices++
	c := choice{Title: o.Summary, Number: w.choices}
	for _, s := range w.samples[id] {
		code, err := codeBlock(s.Lang, s.Source)
		if err != nil {
			return "", err
		}
		c.Samples = append(c.Samples, chosen{s.Label, s.Lang, code})
	}
	t, err := templates()
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	if err := t.ExecuteTemplate(&out, "samples", c); err != nil {
		return "", fmt.Errorf("docs: %w", err)
	}
	return w.block(template.HTML(out.String())), nil //nolint:gosec // a template of html/template has written it
}

func (w *writer) oneSample(id, lang string) (string, error) {
	for _, s := range w.samples[id] {
		if s.Lang == lang {
			code, err := codeBlock(s.Lang, s.Source)
			return w.block(code), err
		}
	}
	return "", fmt.Errorf("docs: there is no sample of %q in %q", id, lang)
}

func (w *writer) example(id string, names ...string) (string, error) {
	if len(names) == 0 {
		return "", fmt.Errorf("docs: which example of %s?", id)
	}
	body, err := w.exampleOf(id, names...)
	return fence("json", body), err
}

func fence(language, code string) string { return "\n```" + language + "\n" + code + "\n```\n" }

// values lists those that a schema, or one of its properties, is limited to.
func (w *writer) values(name string) (string, error) {
	schemaName, property, isProperty := strings.Cut(name, ".")
	path := []string{"components", "schemas", schemaName}
	if isProperty {
		path = append(path, "properties", property)
	}
	var list []string
	for _, value := range w.items(w.root, append(path, "enum")...) {
		list = append(list, "`"+value.Value+"`")
	}
	switch n := len(list); n {
	case 0:
		return "", fmt.Errorf("docs: the contract has no values of %q", name)
	case 1:
		return list[0], nil
	default:
		return strings.Join(list[:n-1], ", ") + " and " + list[n-1], nil
	}
}

func (w *writer) problemTable() string {
	var b strings.Builder
	b.WriteString("\n| Status | Code | Meaning |\n| --- | --- | --- |\n")
	for _, p := range w.config.Problems {
		fmt.Fprintf(&b, "| %d | [`%s`](#%s) | %s |\n", p.Status, p.Code, p.Code, cell(p.Meaning))
	}
	return b.String()
}

func (w *writer) problemSections() (string, error) {
	var b strings.Builder
	for _, p := range w.config.Problems {
		text, err := w.explain(p, "####")
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "\n### `%s` {#%s}\n\n%s", p.Code, p.Code, text)
	}
	return b.String(), nil
}

// manyOperations is from how many on they are not listed.
const manyOperations = 12

// explain writes the text of the section on a problem; its parts have headings
// that begin with mark.
func (b *book) explain(p Problem, mark string) (string, error) {
	var out strings.Builder
	part := func(title, id, text string) {
		if text != "" {
			fmt.Fprintf(&out, "%s %s {#%s}\n\n%s\n\n", mark, title, id, text)
		}
	}
	prefix := ""
	if mark != "##" { // there are others on the page
		prefix = p.Code + "-"
	}
	fmt.Fprintf(&out, "%s\n\n", p.Meaning)
	part("Why you get it", prefix+"why", p.Cause)
	part("What to do", prefix+"remedy", p.Remedy)
	part("Send it again?", prefix+"retry", p.Retry)
	known := b.examples[p.Code]
	if named := known.operations; len(named) > manyOperations {
		part("Where", prefix+"where", fmt.Sprintf("%d of the %d operations answer so.", len(named), len(b.operations)))
	} else if len(named) > 0 {
		links := make([]string, len(named))
		for i, o := range named {
			links[i] = "[" + o.Summary + "](operation:" + o.ID + ")"
		}
		part("Where", prefix+"where", strings.Join(links, ", ")+".")
	}
	body := known.body
	if body == "" {
		var err error
		if body, err = b.problemBody(p); err != nil {
			return "", err
		}
	}
	part("The answer", prefix+"answer", fmt.Sprintf("Status %d %s, as `application/problem+json`:\n%s", p.Status, http.StatusText(p.Status), fence("json", body)))
	return out.String(), nil
}

// problemBody is how a problem looks that no operation answers with, and so the
// contract has no example of: as all others do.
func (b *book) problemBody(p Problem) (string, error) {
	base := ""
	for code, e := range b.examples {
		base = strings.TrimSuffix(e.kind, code)
	}
	body, err := json.MarshalIndent(struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
		Code   string `json:"code"`
	}{base + p.Code, http.StatusText(p.Status), p.Status, p.Mend, p.Code}, "", "  ")
	return string(body), err
}

// cell keeps a text in one cell of a table.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
