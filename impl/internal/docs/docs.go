// Package docs publishes the contract: as a document for programs, and for
// people as a page that Redoc renders.
//
// Everything comes from the binary. The pages ask no other host for anything,
// and the Content-Security-Policy that they are sent with keeps them from it
// even if Redoc should change its mind.
//
// The published document differs from openapi.yaml in one thing: its server, in
// the list of servers and in samples, is the one that it was read from, so that
// tools which send requests from a document send them there.
package docs

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"embed"
	"fmt"
	"html/template"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
)

//go:embed assets templates
var files embed.FS

const (
	redocFile = "assets/redoc-2.5.4.js.gz"
	redocURL  = "/docs/redoc-2.5.4.js"
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
	Contract  []byte // the OpenAPI document in YAML
	ServerURL string // where the contract's paths are, as callers reach them
	Problems  []Problem
}

// Site is the published documentation.
type Site struct {
	yaml     []byte
	json     func() ([]byte, error)
	redoc    []byte // compressed
	problems []Problem
	pages    func() (*template.Template, error)
}

// New makes the site. The contract as JSON and the pages are made when they are
// first asked for.
func New(c Config) (*Site, error) {
	served, err := withServer(c.Contract, c.ServerURL)
	if err != nil {
		return nil, err
	}
	redoc, err := files.ReadFile(redocFile)
	if err != nil {
		return nil, fmt.Errorf("docs: %w", err)
	}
	pages := func() (*template.Template, error) {
		return template.New("").Funcs(template.FuncMap{"code": code, "statusText": http.StatusText}).ParseFS(files, "templates/*.html")
	}
	return &Site{
		yaml: served, json: sync.OnceValues(func() ([]byte, error) { return toJSON(served) }),
		redoc: redoc, problems: c.Problems, pages: sync.OnceValues(pages),
	}, nil
}

// Register puts the site's routes on Echo.
func (s *Site) Register(e *echo.Echo) {
	e.GET("/", func(c echo.Context) error { return c.Redirect(http.StatusFound, "/docs") })
	e.GET("/docs", s.page("docs.html", redocPolicy, func(echo.Context) (any, error) { return redocURL, nil }))
	e.GET(redocURL, s.serveRedoc)
	e.GET("/docs/style.css", s.serveStyle)
	// application/yaml is of RFC 9512; RFC 6838's +json types of OpenAPI are not
	// registered yet, so the plain ones are used, which browsers show.
	e.GET("/openapi.yaml", blob("application/yaml; charset=utf-8", s.yaml))
	e.GET("/openapi.json", s.serveJSON)
	e.GET("/problems", s.page("problems.html", plainPolicy, func(echo.Context) (any, error) { return s.problems, nil }))
	e.GET("/problems/:code", s.page("problem.html", plainPolicy, s.problem))
}

func (s *Site) serveJSON(c echo.Context) error {
	document, err := s.json()
	if err != nil {
		return err
	}
	return blob("application/json", document)(c)
}

func (s *Site) problem(c echo.Context) (any, error) {
	i := slices.IndexFunc(s.problems, func(p Problem) bool { return p.Code == c.Param("code") })
	if i < 0 {
		return nil, echo.ErrNotFound
	}
	return s.problems[i], nil
}

// Policies: what a page may load, and from where. Redoc writes style elements,
// and searches in a worker that it makes of a blob.
const (
	plainPolicy = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	redocPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
		"font-src 'self'; connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

func harden(c echo.Context, policy string) {
	h := c.Response().Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
}

func (s *Site) page(name, policy string, data func(echo.Context) (any, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		d, err := data(c)
		if err != nil {
			return err
		}
		pages, err := s.pages()
		if err != nil {
			return fmt.Errorf("docs: %w", err)
		}
		var page bytes.Buffer
		if err := pages.ExecuteTemplate(&page, name, d); err != nil {
			return fmt.Errorf("docs: %w", err)
		}
		harden(c, policy)
		c.Response().Header().Set("Cache-Control", "no-cache")
		return c.HTMLBlob(http.StatusOK, page.Bytes())
	}
}

func blob(contentType string, content []byte) echo.HandlerFunc {
	return func(c echo.Context) error {
		harden(c, plainPolicy)
		c.Response().Header().Set("Cache-Control", "no-cache")
		return c.Blob(http.StatusOK, contentType, content)
	}
}

// forever is for what has its version in its URL.
const forever = "public, max-age=31536000, immutable"

func (s *Site) serveRedoc(c echo.Context) error {
	h := c.Response().Header()
	harden(c, plainPolicy)
	h.Set("Cache-Control", forever)
	h.Set("Vary", "Accept-Encoding")
	const contentType = "text/javascript; charset=utf-8"
	if acceptsGzip(c.Request().Header.Values("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		return c.Blob(http.StatusOK, contentType, s.redoc)
	}
	reader, err := gzip.NewReader(bytes.NewReader(s.redoc))
	if err != nil {
		return fmt.Errorf("docs: %w", err)
	}
	plain, err := io.ReadAll(reader)
	if err != nil {
		return fmt.Errorf("docs: %w", err)
	}
	return c.Blob(http.StatusOK, contentType, plain)
}

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

func (s *Site) serveStyle(c echo.Context) error {
	style, err := files.ReadFile("assets/style.css")
	if err != nil {
		return fmt.Errorf("docs: %w", err)
	}
	return blob("text/css; charset=utf-8", style)(c)
}

// code turns `this` into an element, and escapes everything.
func code(text string) template.HTML {
	var b strings.Builder
	for i, part := range strings.Split(text, "`") {
		escaped := template.HTMLEscapeString(part)
		if i%2 == 1 {
			escaped = "<code>" + escaped + "</code>"
		}
		b.WriteString(escaped)
	}
	return template.HTML(b.String()) //nolint:gosec // every part has been escaped
}
