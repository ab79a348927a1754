package docs

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
)

//go:embed assets templates guides
var files embed.FS

// Where things are, from the root of the site.
const (
	homePath      = "docs"
	guidesPath    = "docs/guides"
	referencePath = "docs/reference"
	problemsPath  = "problems"
	assetsPath    = "docs/assets"
	indexPath     = "docs/search-index.js"
	contractPath  = "docs/contract.js"
	yamlPath      = "openapi.yaml"
	jsonPath      = "openapi.json"
)

// namedPages are the pages that texts can link to by name.
var namedPages = map[string]string{
	"home": homePath, "reference": referencePath, "problems": problemsPath, "try": referencePath, yamlPath: yamlPath, jsonPath: jsonPath,
}

// Policies: what a page may load, and from where. Scalar writes style elements.
const (
	plainPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'"
	// referencePolicy lacks the sources that requests may be sent to.
	referencePolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
		"font-src 'self' data:; base-uri 'none'; form-action 'none'; connect-src 'self'"
)

// page is something at a path: a page for people if it is not a file.
type page struct {
	path        string // from the root, without a slash at either end
	isFile      bool   // its path is that of a file; other pages are exported as index.html in a folder
	contentType string
	policy      string
	forever     bool // its path changes with its content
	write       func(linker) ([]byte, error)
	packedFile  string // has its content as gzip, if there is one
}

// linker gives the URLs of a page's links.
type linker struct {
	site   *Site
	from   string // the page that the links are on
	static bool   // for an exported site
}

// root is what leads from the page to the root of the site. On a server it is
// the host's root; in an exported site it is relative, for nobody knows where
// that will be put.
func (l linker) root() string {
	if !l.static {
		return "/"
	}
	if l.from == "" {
		return "./"
	}
	return strings.Repeat("../", strings.Count(l.from, "/")+1)
}

// url leads from the page to another one, and to a fragment of it unless that is
// empty.
func (l linker) url(to, fragment string) (string, error) {
	below, err := l.below(to, fragment)
	return l.root() + below, err
}

// below is a page's URL seen from the root. Folders are named with the file that
// is meant: not every web host looks for it, and no disk does.
func (l linker) below(to, fragment string) (string, error) {
	isFile, known := l.site.kinds[to]
	if !known {
		return "", errNoPage(to)
	}
	if l.static && !isFile {
		to = path.Join(to, "index.html")
	}
	if fragment != "" {
		to += "#" + fragment
	}
	return to, nil
}

// texts lists the pages for people.
func (s *Site) texts() []*page {
	const contentType = "text/html; charset=utf-8"
	text := func(path, policy string, write func(linker) ([]byte, error)) *page {
		return &page{path: path, contentType: contentType, policy: policy, write: write}
	}
	list := []*page{
		text("", plainPolicy, s.writeEntrance),
		text(homePath, plainPolicy, s.writeHome),
		text(referencePath, referencePolicy, s.writeReference),
		text(problemsPath, plainPolicy, s.writeProblems),
	}
	for _, name := range guides {
		list = append(list, text(guidesPath+"/"+name, plainPolicy, func(l linker) ([]byte, error) { return s.writeGuide(name, l) }))
	}
	for _, p := range s.config.Problems {
		list = append(list, text(problemsPath+"/"+p.Code, plainPolicy, func(l linker) ([]byte, error) { return s.writeProblem(p, l) }))
	}
	return list
}

// documents lists what is for programs.
func (s *Site) documents() []*page {
	document := func(path, contentType string, write func(linker) ([]byte, error)) *page {
		return &page{path: path, isFile: true, contentType: contentType, policy: plainPolicy, write: write}
	}
	const script = "text/javascript; charset=utf-8"
	return []*page{
		// application/yaml is of RFC 9512; RFC 6838's +json types of OpenAPI are not
		// registered yet, so the plain ones are used, which browsers show.
		document(yamlPath, "application/yaml; charset=utf-8", func(linker) ([]byte, error) { return s.yaml, nil }),
		document(jsonPath, "application/json", func(linker) ([]byte, error) { return toJSON(s.yaml) }),
		document(contractPath, script, s.writeContract),
		document(indexPath, script, s.writeIndex),
	}
}

var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8",
}

// asset is a file of assets/.
type asset struct {
	file string
	path string // its name has its version, or a part of its content's hash
}

// versionIn finds the version in the name of a copy, such as scalar-1.2.3.js.gz.
var versionIn = regexp.MustCompile(`-\d[\d.]*\d`)

// assetFiles are the files of assets/ by their names without version and
// compression.
var assetFiles = sync.OnceValues(func() (map[string]asset, error) {
	found := map[string]asset{}
	entries, err := fs.ReadDir(files, "assets")
	if err != nil {
		return nil, fmt.Errorf("docs: %w", err)
	}
	for _, e := range entries {
		name := e.Name()
		plain := strings.TrimSuffix(name, ".gz")
		a := asset{file: "assets/" + name, path: assetsPath + "/" + plain}
		if !versionIn.MatchString(plain) {
			content, err := files.ReadFile(a.file)
			if err != nil {
				return nil, fmt.Errorf("docs: %w", err)
			}
			sum := sha256.Sum256(content)
			extension := path.Ext(plain)
			a.path = assetsPath + "/" + strings.TrimSuffix(plain, extension) + "-" + hex.EncodeToString(sum[:4]) + extension
		}
		found[versionIn.ReplaceAllString(plain, "")] = a
	}
	return found, nil
})

// assets lists the files of assets/. Some are kept packed.
func assets() ([]*page, error) {
	found, err := assetFiles()
	if err != nil {
		return nil, err
	}
	var list []*page
	for _, a := range found {
		p := &page{path: a.path, isFile: true, contentType: contentTypes[path.Ext(a.path)], policy: plainPolicy, forever: true}
		p.write = func(linker) ([]byte, error) { return files.ReadFile(a.file) }
		if path.Ext(a.file) == ".gz" {
			p.write = func(linker) ([]byte, error) { return unpack(files.ReadFile(a.file)) }
			p.packedFile = a.file
		}
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *page) int { return strings.Compare(a.path, b.path) })
	return list, nil
}

func unpack(packed []byte, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("docs: %w", err)
	}
	plain, err := io.ReadAll(reader)
	return plain, errors.Join(err, reader.Close())
}

var templates = sync.OnceValues(func() (*template.Template, error) {
	t, err := template.New("").Funcs(template.FuncMap{"statusText": http.StatusText}).ParseFS(files, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("docs: %w", err)
	}
	return t, nil
})

// view is what the templates are given.
type view struct {
	linker
	*book
	Title, Description string
	Policy             string // for a file, which has no headers
	Article            *article
	Previous, Next     *turn
	Problem            *Problem
	Guides             []turn
}

// turn is a link to a page.
type turn struct {
	URL, Title, Summary string
	Current             bool
}

// URL leads to a page, and to a fragment of it.
func (v *view) URL(to string, fragment ...string) (string, error) {
	return v.url(to, strings.Join(fragment, ""))
}

// Asset leads to a file of assets/.
func (v *view) Asset(name string) (string, error) {
	found, err := assetFiles()
	if err != nil {
		return "", err
	}
	if a, ok := found[name]; ok {
		return v.url(a.path, "")
	}
	return "", errNoPage("assets/" + name)
}

// Root is what URLs in the search's index begin with.
func (v *view) Root() string { return v.root() }

// IsHere tells whether the page is at a path or below it.
func (v *view) IsHere(path string) bool {
	return v.from == path || strings.HasPrefix(v.from, path+"/")
}

// Contents are the headings that a page's list of contents has.
func (v *view) Contents() []*section {
	if v.Article == nil {
		return nil
	}
	var list []*section
	for _, s := range v.Article.Sections {
		if s.Level == 2 || s.Level == 3 {
			list = append(list, s)
		}
	}
	if len(list) < 2 {
		return nil
	}
	return list
}

// render writes a page for people.
func (s *Site) render(name string, l linker, v *view) ([]byte, error) {
	b, err := s.book()
	if err != nil {
		return nil, err
	}
	v.linker, v.book = l, b
	if v.Guides == nil {
		if v.Guides, err = s.turns(l); err != nil {
			return nil, err
		}
	}
	if l.static {
		v.Policy = plainPolicy
		if l.from == referencePath {
			v.Policy = referencePolicy + " " + s.config.publicURL()
		}
	}
	t, err := templates()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := t.ExecuteTemplate(&out, name, v); err != nil {
		return nil, fmt.Errorf("docs: %w", err)
	}
	return out.Bytes(), nil
}

// turns links to all guides.
func (s *Site) turns(l linker) ([]turn, error) {
	list := make([]turn, len(guides))
	for i, name := range guides {
		source, err := files.ReadFile("guides/" + name + ".md")
		if err != nil {
			return nil, fmt.Errorf("docs: %w", err)
		}
		at := guidesPath + "/" + name
		to, err := l.url(at, "")
		if err != nil {
			return nil, err
		}
		heading, _, _ := strings.Cut(string(source), "\n")
		list[i] = turn{URL: to, Title: strings.TrimPrefix(heading, "# "), Current: at == l.from}
	}
	return list, nil
}

func (s *Site) writeGuide(name string, l linker) ([]byte, error) {
	b, err := s.book()
	if err != nil {
		return nil, err
	}
	a, err := b.guide(name, l)
	if err != nil {
		return nil, err
	}
	v := &view{Title: a.Title, Description: a.Summary, Article: a}
	if v.Guides, err = s.turns(l); err != nil {
		return nil, err
	}
	i := slices.Index(guides, name)
	if i > 0 {
		v.Previous = &v.Guides[i-1]
	}
	if i+1 < len(guides) {
		v.Next = &v.Guides[i+1]
	}
	return s.render("guide.html", l, v)
}

func (s *Site) writeHome(l linker) ([]byte, error) {
	b, err := s.book()
	if err != nil {
		return nil, err
	}
	v := &view{Title: "Documentation", Description: paragraph(b.Description)}
	if v.Guides, err = s.turns(l); err != nil {
		return nil, err
	}
	for i, name := range guides {
		a, err := b.guide(name, l)
		if err != nil {
			return nil, err
		}
		v.Guides[i].Summary = a.Summary
	}
	return s.render("home.html", l, v)
}

// paragraph is the first one of a text, on one line.
func paragraph(text string) string {
	first, _, _ := strings.Cut(text, "\n\n")
	return strings.Join(strings.Fields(first), " ")
}

func (s *Site) writeEntrance(l linker) ([]byte, error) {
	return s.render("entrance.html", l, &view{Title: "Documentation"})
}

func (s *Site) writeReference(l linker) ([]byte, error) {
	return s.render("reference.html", l, &view{Title: "Reference", Description: "All operations and schemas of the API, with requests that can be sent."})
}

func (s *Site) writeProblems(l linker) ([]byte, error) {
	b, err := s.book()
	if err != nil {
		return nil, err
	}
	var list strings.Builder
	list.WriteString("# Problems\n\nEvery error of the API is a problem (RFC 9457): decide by its `code`, which is stable.\n\n| Status | Code | Meaning |\n| --- | --- | --- |\n")
	for _, p := range s.config.Problems {
		fmt.Fprintf(&list, "| %d | [`%s`](problem:%s) | %s |\n", p.Status, p.Code, p.Code, cell(p.Meaning))
	}
	list.WriteString("\nThe guide on [errors](errors.md) tells how to handle them, and has all of them on one page.\n")
	a, err := b.article(list.String(), l)
	if err != nil {
		return nil, err
	}
	return s.render("guide.html", l, &view{Title: a.Title, Description: a.Summary, Article: a})
}

func (s *Site) writeProblem(p Problem, l linker) ([]byte, error) {
	b, err := s.book()
	if err != nil {
		return nil, err
	}
	text, err := b.explain(p, "##")
	if err != nil {
		return nil, err
	}
	source := fmt.Sprintf("# `%s`\n\n%s\n\n[All problems](page:problems) · [How to handle errors](errors.md)\n", p.Code, text)
	a, err := b.article(source, l)
	if err != nil {
		return nil, err
	}
	return s.render("guide.html", l, &view{Title: p.Code, Description: a.Summary, Article: a, Problem: &p})
}
