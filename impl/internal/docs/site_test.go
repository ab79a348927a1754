package docs_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"cryptoexchange.com/escrow/impl/internal/docs"
)

// document is a page as a browser reads it.
type document struct {
	base  string // what its links begin at: the path of the page
	ids   map[string]int
	links []string
	nodes []*html.Node
}

func parse(t *testing.T, base string, content []byte) *document {
	t.Helper()
	root, err := html.Parse(strings.NewReader(string(content)))
	if err != nil {
		t.Fatal(err)
	}
	d := &document{base: base, ids: map[string]int{}}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		d.nodes = append(d.nodes, n)
		for _, a := range n.Attr {
			switch a.Key {
			case "id":
				d.ids[a.Val]++
			case "href", "src", "data-index", "data-search":
				d.links = append(d.links, a.Val)
			}
		}
	}
	return d
}

func (d *document) count(tag string) int {
	n := 0
	for _, node := range d.nodes {
		if node.Data == tag {
			n++
		}
	}
	return n
}

// site is what is at each path: of pages their documents, of files nil.
type site map[string]*document

// serverSite fetches everything that the pages of a server lead to.
func serverSite(t *testing.T) site {
	t.Helper()
	e := setup(t)
	s := site{}
	waiting := []string{"/docs"}
	for len(waiting) > 0 {
		at := waiting[0]
		waiting = waiting[1:]
		if _, known := s[at]; known {
			continue
		}
		w := get(t, e, at)
		if w.Code != 200 {
			t.Errorf("%s is led to: %d", at, w.Code)
			continue
		}
		s[at] = nil
		if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			s[at] = parse(t, at, w.Body.Bytes())
			for _, link := range s[at].links {
				if u, err := url.Parse(link); err == nil && u.Host == "" && u.Path != "" {
					waiting = append(waiting, resolve(t, at, u).Path)
				}
			}
		}
	}
	return s
}

// fileSite exports the site, for a folder on a web host.
func fileSite(t *testing.T) site {
	t.Helper()
	folder := t.TempDir()
	n, err := newSite(t, "https://escrow.example.com/api/v1/escrow").Export(t.Context(), folder, false)
	if err != nil {
		t.Fatal(err)
	}
	s := site{}
	err = filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		relative, err := filepath.Rel(folder, name)
		if err != nil {
			return err
		}
		at := "/some/where/" + filepath.ToSlash(relative)
		s[at] = nil
		if path.Ext(name) == ".html" {
			content, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			s[at] = parse(t, at, content)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(s) != n {
		t.Errorf("%d files, said to be %d", len(s), n)
	}
	return s
}

func resolve(t *testing.T, base string, link *url.URL) *url.URL {
	t.Helper()
	b, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	return b.ResolveReference(link)
}

// elsewhere are the hosts that texts lead to. No page needs one to be shown.
var elsewhere = map[string]bool{"www.rfc-editor.org": true, "cryptoexchange.com": true, "127.0.0.1:8080": true, "escrow.example.com": true}

// TestLinks follows every link of the site, as a server has it and as it is
// exported: each leads to something, and to a fragment that is there. Only texts
// lead to other hosts.
func TestLinks(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]site{"server": serverSite(t), "files": fileSite(t)} {
		pages, links, fragments, outside := 0, 0, 0, 0
		anchors := referenceAnchors(t)
		for at, d := range s {
			if d == nil {
				continue
			}
			pages++
			for id, n := range d.ids {
				if n > 1 {
					t.Errorf("%s: %d elements have the id %q", at, n, id)
				}
			}
			for _, link := range d.links {
				links++
				u, err := url.Parse(link)
				if err != nil {
					t.Errorf("%s: %v", at, err)
					continue
				}
				if u.Scheme == "mailto" {
					continue
				}
				if u.Host != "" {
					outside++
					if !elsewhere[u.Host] {
						t.Errorf("%s leads to %s", at, link)
					}
					continue
				}
				to := resolve(t, at, u)
				target, known := s[to.Path]
				if !known {
					t.Errorf("%s leads to %s, where there is nothing", at, link)
					continue
				}
				if to.Fragment == "" {
					continue
				}
				fragments++
				isReference := strings.HasSuffix(strings.TrimSuffix(to.Path, "/index.html"), "/docs/reference")
				if target == nil || !isReference && target.ids[to.Fragment] == 0 || isReference && !anchors[to.Fragment] && target.ids[to.Fragment] == 0 {
					t.Errorf("%s leads to %s, which has no such fragment", at, link)
				}
			}
		}
		t.Logf("%s: %d pages, %d files, %d links, %d of them to fragments, %d to other hosts", name, pages, len(s)-pages, links, fragments, outside)
		if pages < 40 || fragments < 200 {
			t.Errorf("%s: only %d pages and %d fragments were looked at", name, pages, fragments)
		}
	}
}

// referenceAnchors are the fragments that the reference has when its script has
// run: of operations and schemas. The browser's test checks that it does.
func referenceAnchors(t *testing.T) map[string]bool {
	t.Helper()
	text := strings.TrimSuffix(strings.TrimPrefix(get(t, setup(t), "/docs/search-index.js").Body.String(), "globalThis.escrowIndex = "), ";\n")
	var entries []struct {
		URL  string `json:"u"`
		Kind string `json:"k"`
	}
	if err := json.Unmarshal([]byte(text), &entries); err != nil {
		t.Fatal(err)
	}
	anchors := map[string]bool{}
	for _, e := range entries {
		if to, fragment, _ := strings.Cut(e.URL, "#"); to == "docs/reference" {
			anchors[fragment] = true
		}
	}
	return anchors
}

// TestIndex checks that what the search finds is there.
func TestIndex(t *testing.T) {
	t.Parallel()
	e := setup(t)
	text := strings.TrimSuffix(strings.TrimPrefix(get(t, e, "/docs/search-index.js").Body.String(), "globalThis.escrowIndex = "), ";\n")
	var entries []struct {
		URL   string `json:"u"`
		Kind  string `json:"k"`
		Title string `json:"t"`
		Text  string `json:"b"`
	}
	if err := json.Unmarshal([]byte(text), &entries); err != nil {
		t.Fatal(err)
	}
	kinds, documents := map[string]int{}, map[string]*document{}
	for _, entry := range entries {
		kinds[entry.Kind]++
		to, fragment, _ := strings.Cut(entry.URL, "#")
		d := documents[to]
		if d == nil {
			w := get(t, e, "/"+to)
			if w.Code != 200 {
				t.Errorf("%s: %d", entry.URL, w.Code)
			}
			d = parse(t, "/"+to, w.Body.Bytes())
			documents[to] = d
		}
		if to != "docs/reference" && fragment != "" && d.ids[fragment] == 0 {
			t.Errorf("%s is not there", entry.URL)
		}
		if entry.Title == "" || strings.Contains(entry.Text, "{{") {
			t.Errorf("%+v", entry)
		}
	}
	t.Logf("%v", kinds)
	if kinds["Problem"] < 30 || kinds["Guide"] < 60 || kinds["Operation"] < 30 || kinds["Schema"] < 30 {
		t.Errorf("%v", kinds)
	}
}

// TestAccessiblePages checks what a page for people must have before scripts run:
// a language, a title, one heading of the first level and none left out, a
// landmark, and neither styles nor scripts in itself, which its policy forbids.
func TestAccessiblePages(t *testing.T) {
	t.Parallel()
	for _, s := range []site{serverSite(t), fileSite(t)} {
		for at, d := range s {
			if d == nil {
				continue
			}
			isReference := strings.Contains(at, "/docs/reference")
			if n := d.count("title"); n < 1 {
				t.Errorf("%s has %d titles", at, n)
			}
			if h, m := d.count("h1"), d.count("main"); (h != 1 || m != 1) && !isReference {
				t.Errorf("%s has %d headings of the first level, %d main parts", at, h, m)
			}
			level := 0
			for _, n := range d.nodes {
				if len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6' {
					if now := int(n.Data[1] - '0'); now > level+1 {
						t.Errorf("%s: %s follows a heading of level %d", at, n.Data, level)
					} else {
						level = now
					}
				}
				if n.Data == "style" || n.Data == "script" && n.FirstChild != nil {
					t.Errorf("%s has a %s in itself", at, n.Data)
				}
				for _, a := range n.Attr {
					if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
						t.Errorf("%s has %s=%q", at, a.Key, a.Val)
					}
				}
			}
		}
	}
}

// TestExport checks to which folders the site is written.
func TestExport(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	folder := filepath.Join(t.TempDir(), "a", "b")
	if _, err := s.Export(t.Context(), folder, false); err != nil {
		t.Fatal(err)
	}
	contract, err := os.ReadFile(filepath.Join(folder, "openapi.yaml"))
	if err != nil || !strings.Contains(string(contract), "- url: https://cryptoexchange.com/api/v1/escrow\n    description: Production\n") {
		t.Errorf("without a URL the contract is not as it is written: %v", err)
	}
	if _, err := s.Export(t.Context(), folder, false); !errors.Is(err, docs.ErrNotEmpty) || !strings.Contains(err.Error(), folder) {
		t.Errorf("a folder with something in it: %v", err)
	}
	if _, err := s.Export(t.Context(), folder, true); err != nil {
		t.Errorf("overwriting: %v", err)
	}
	if _, err := s.Export(t.Context(), filepath.Join(folder, "openapi.yaml"), true); err == nil {
		t.Error("a file was taken for a folder")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Export(ended, filepath.Join(t.TempDir(), "x"), false); !errors.Is(err, context.Canceled) {
		t.Errorf("it goes on after it was ended: %v", err)
	}
}
