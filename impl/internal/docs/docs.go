// Package docs publishes the contract: as a document for programs, and for
// people as a site: a reference in which requests can be tried, guides beside it,
// and an explanation of each problem. [Site.Register] serves it and [Site.Export]
// writes the same pages as files for any web host; both walk one list of pages.
//
// Everything comes from the binary. The pages ask no other host for anything,
// and the Content-Security-Policy that they are sent with keeps them from it.
// Guides and problems need no JavaScript. What scripts need of the site's own is
// given to them as scripts too (the contract, the search's index), so that an
// exported site works from a disk as well.
//
// Nothing is made before somebody asks for it: the server starts as fast with
// the documentation as without.
//
// # Guides
//
// A guide is a file guides/NAME.md. It begins with a heading, which is its title,
// and a paragraph, which is its summary. It is GitHub's Markdown with tables and
// notes ("> [!NOTE]"); a heading's id can be set ("## Retry {#retry}"). Raw HTML
// is left out.
//
// Links name other guides by their files (errors.md#rate_limit_exceeded), and
// what the contract has by its kind: operation:createCustomer, schema:Customer,
// problem:not_found, page:reference (namedPages). A link to nothing is an error.
//
// Directives are actions of text/template, run before the Markdown is read:
//
//	{{.ServerURL}}                     where the contract's paths begin
//	{{.PublicURL}}                     the same without the path of the API
//	{{.Version}}                       the contract's version
//	{{samples "ID"}}                   an operation's samples, with a choice of language
//	{{sample "ID" "Shell"}}            the one in a language
//	{{example "ID" "NAME"}}            an example of an operation's request
//	{{example "ID" "201" "NAME"}}      an example of a response; without NAME the first
//	{{values "Schema.property"}}       what a property, or a schema, is limited to
//	{{problemTable}}                   all problems
//	{{problemSections}}                a section on each
//
// # Third parties
//
// The reference is Scalar, the search MiniSearch, the Markdown goldmark's, and
// code is coloured by Chroma. .ci/site/vendor makes the copies in assets/ and
// lexers/.
//
// The published document differs from openapi.yaml in one thing: its server, in
// the list of servers and in samples, is the one that it was read from, so that
// tools which send requests from a document send them there. What the reference
// reads has the samples of package samples as well.
package docs

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"weak"

	"github.com/labstack/echo/v4"
)

// Problem is a kind of error, to be explained in a section of its own. Its texts
// are Markdown, with the links of guides; Cause and Remedy may have paragraphs
// and lists.
type Problem struct {
	Code    string
	Status  int
	Meaning string // in one sentence, as the contract's table has it
	Mend    string // what to do, in plain text; the detail of an answer that has nothing better
	Cause   string // when callers meet it
	Remedy  string // what to do about it
	Retry   string // whether the same request may be sent again, and when
}

// Config is what is published.
type Config struct {
	Contract []byte // the OpenAPI document in YAML
	// ServerURL is where the contract's paths are, as callers reach them. Empty
	// for the one that the contract names.
	ServerURL string
	Problems  []Problem
}

func (c *Config) problem(code string) *Problem {
	if i := slices.IndexFunc(c.Problems, func(p Problem) bool { return p.Code == code }); i >= 0 {
		return &c.Problems[i]
	}
	return nil
}

// publicURL is where the server is: the URL of the API without its path.
func (c *Config) publicURL() string {
	u, err := url.Parse(c.ServerURL)
	if err != nil {
		return c.ServerURL
	}
	return u.Scheme + "://" + u.Host
}

// Site is the published documentation.
type Site struct {
	config Config
	yaml   []byte // the published document
	pages  []*page
	kinds  map[string]bool // of the paths that there are, whether it is a file's

	mu   sync.Mutex
	kept weak.Pointer[book] // guarded by mu
}

// New makes the site.
func New(c Config) (*Site, error) {
	s := &Site{config: c}
	var err error
	if s.yaml, s.config.ServerURL, err = withServer(c.Contract, c.ServerURL); err != nil {
		return nil, err
	}
	files, err := assets()
	if err != nil {
		return nil, err
	}
	s.pages = slices.Concat(s.texts(), s.documents(), files)
	s.kinds = make(map[string]bool, len(s.pages))
	for _, p := range s.pages {
		s.kinds[p.path] = p.isFile
	}
	return s, nil
}

// book reads what the pages are written from; again, if nobody needed it for a
// while.
func (s *Site) book() (*book, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if kept := s.kept.Value(); kept != nil {
		return kept, nil
	}
	b, err := readBook(s.config)
	if err != nil {
		return nil, err
	}
	s.kept = weak.Make(b)
	return b, nil
}

// Register puts the site's routes on Echo.
func (s *Site) Register(e *echo.Echo) {
	e.GET("/", func(c echo.Context) error { return c.Redirect(http.StatusFound, "/"+homePath) })
	for _, p := range s.pages {
		if p.path == "" {
			continue // it leads an exported site to its beginning
		}
		e.GET("/"+p.path, s.serve(p))
	}
}

// forever is for what has its version in its URL.
const forever = "public, max-age=31536000, immutable"

// serve answers with a page, which is written at the first request.
func (s *Site) serve(p *page) echo.HandlerFunc {
	plain := func() ([]byte, error) { return p.write(linker{site: s, from: p.path}) }
	if p.packedFile == "" { // what is packed is large, and nearly never wanted otherwise
		plain = sync.OnceValues(plain)
	}
	packed := sync.OnceValues(func() ([]byte, error) {
		if p.packedFile != "" {
			return files.ReadFile(p.packedFile)
		}
		content, err := plain()
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, err = w.Write(content)
		err = errors.Join(err, w.Close())
		return b.Bytes(), err
	})
	return func(c echo.Context) error {
		h := c.Response().Header()
		content := plain
		if acceptsGzip(c.Request().Header.Values("Accept-Encoding")) {
			content = packed
		}
		body, err := content()
		if err != nil {
			return err
		}
		if bytes.HasPrefix(body, gzipMagic) {
			h.Set("Content-Encoding", "gzip")
		}
		h.Add("Vary", "Accept-Encoding")
		h.Set("Content-Security-Policy", p.policy+"; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		if p.forever {
			h.Set("Cache-Control", forever)
			return c.Blob(http.StatusOK, p.contentType, body)
		}
		// Whoever has the page already is told so.
		sum := sha256.Sum256(body)
		h.Set("Cache-Control", "no-cache")
		h.Set("Content-Type", p.contentType)
		h.Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
		r := c.Request()
		for _, name := range []string{"Range", "If-Range", "If-Match"} { // of which there is no need
			r.Header.Del(name)
		}
		http.ServeContent(c.Response(), r, "", time.Time{}, bytes.NewReader(body))
		return nil
	}
}

// gzipMagic begins what is packed (RFC 1952 §2.3.1), and none of the pages.
var gzipMagic = []byte{0x1f, 0x8b}

// acceptsGzip reads Accept-Encoding headers (RFC 9110 §12.5.3): gzip by name, or
// else by *, with a quality that is more than none.
func acceptsGzip(headers []string) bool {
	accepted := false
	for element := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		coding, parameters, err := mime.ParseMediaType(element)
		if err != nil {
			continue
		}
		q, err := strconv.ParseFloat(cmp.Or(parameters["q"], "1"), 64)
		good := err == nil && q > 0 && q <= 1
		switch coding {
		case "gzip", "x-gzip":
			return good
		case "*":
			accepted = good
		}
	}
	return accepted
}

// errNoPage is of a link within the site.
func errNoPage(path string) error { return fmt.Errorf("docs: the site has no page %q", path) }
