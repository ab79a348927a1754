// Package pages has the customer's web pages: to sign up, to set a password, to
// log in, and to look after their account.
//
// They are plain HTML, CSS and small ES modules, embedded. Nothing is built, and
// nothing comes from another host. The pages are the same for everybody and hold
// no data: what a customer sees, their browser gets from the operations of the
// contract under /api/v1/escrow/customer, as any other client could. So there is
// one way to an answer, with one set of rules, and a page can be kept by nobody
// who should not have it.
//
//	/log-in  /sign-up  /forgot-password  /account
//	/set-password  /confirm-email  /reset-password    links of e-mails lead here
//	/assets/<hash>/...                                what the pages are made of
//
// # Links
//
// The token of a link is in the fragment (#token=...), which browsers send to
// nobody: it is in no log of a server or proxy, and in no Referer. The page takes
// it out of the address bar, so that it is in no history either, and keeps it for
// the tab until it has been used. The link is looked at before anything can be
// typed, which uses nothing up.
//
// # What may go wrong in a browser
//
// The policy of [harden] lets a page run the modules of this package and ask this
// server, and nothing else: no inline script or style, no other host, no frame
// around it, no string that becomes markup (Trusted Types). Forms are sent by the
// modules; form-action 'none' keeps a browser from sending one by itself, with a
// password in the URL, should a module have failed to load.
//
// # Texts
//
// Every text is in texts/en.json, by a key. The templates are executed with it
// once, by [New], and the modules get it as texts.js. {name} stands for what is
// filled in. What the server says of a fault is shown as it is, unless there is a
// friendlier text for its code.
//
// # Design
//
// style.css begins with the sizes, distances and colours, for light and for dark.
// Everything else is made of those.
package pages

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"sync"

	"github.com/labstack/echo/v4"
)

//go:embed assets templates texts
var files embed.FS

// page is a page: a template, the module that brings it to life, and what they
// are told.
type page struct {
	Path     string
	Template string
	Title    string // key of a text
	Script   string
	Kind     string // of the links that lead here
	Hint     string // key of the text that says how long a password must be
}

func pageList() []page {
	link := func(path, kind, hint string) page {
		return page{path, "link.html", "link." + kind + ".page", "link.js", kind, hint}
	}
	return []page{
		{"/log-in", "log-in.html", "log_in.title", "log-in.js", "", ""},
		{"/sign-up", "sign-up.html", "sign_up.title", "sign-up.js", "", ""},
		{"/forgot-password", "forgot-password.html", "forgot.title", "forgot-password.js", "", ""},
		link("/set-password", "invitation", "password.hint"),
		link("/confirm-email", "confirmation", "password.hint"),
		link("/reset-password", "reset", "password.hint.either"),
		{"/account", "account.html", "account.title", "account.js", "", ""},
	}
}

// content is what is sent for a URL.
type content struct {
	contentType, cacheControl string
	body                      func() ([]byte, error)
}

// Site is the pages and what they are made of.
type Site struct {
	contents map[string]content // by path
}

// Cache-Control. The hash in the path of an asset changes with its content.
const (
	forever = "public, max-age=31536000, immutable"
	never   = "no-store"
)

var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// Options are what differs between one site and another.
type Options struct {
	Sandbox bool // whether the pages say that nothing here is real
}

// New makes the site. Each page is made when it is first asked for, which fails if
// it names a text or a file that there is not: the tests would have told.
func New(o Options) (*Site, error) {
	texts, err := readTexts()
	if err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	assets, err := readAssets(texts)
	if err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	s := &Site{contents: make(map[string]content)}
	folder := "/assets/" + hashOf(assets) + "/"
	for name, body := range assets {
		s.contents[folder+name] = content{contentTypes[path.Ext(name)], forever, func() ([]byte, error) { return body, nil }}
	}
	functions := template.FuncMap{
		"t": func(key string) (string, error) {
			if text, known := texts[key]; known {
				return text, nil
			}
			return "", fmt.Errorf("there is no text %q", key)
		},
		"asset": func(name string) (string, error) {
			if _, known := assets[name]; known {
				return folder + name, nil
			}
			return "", fmt.Errorf("there is no asset %q", name)
		},
		"sandbox": func() bool { return o.Sandbox },
		"args":    args,
	}
	for _, p := range pageList() {
		s.contents[p.Path] = content{"text/html; charset=utf-8", never, sync.OnceValues(func() ([]byte, error) { return render(p, functions) })}
	}
	return s, nil
}

// Register puts the routes on Echo.
func (s *Site) Register(e *echo.Echo) {
	for where, what := range s.contents {
		e.GET(where, func(c echo.Context) error {
			body, err := what.body()
			if err != nil {
				return fmt.Errorf("pages: %s: %w", where, err)
			}
			harden(c.Response().Header())
			c.Response().Header().Set(echo.HeaderCacheControl, what.cacheControl)
			return c.Blob(http.StatusOK, what.contentType, body)
		})
	}
}

// policy is what a page may do. A picture in a data URI is the QR code of a
// second factor.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// harden sets the headers that keep a browser from doing more than a page needs.
func harden(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY") // for browsers without frame-ancestors
}

func readTexts() (map[string]string, error) {
	b, err := files.ReadFile("texts/en.json")
	if err != nil {
		return nil, err
	}
	var texts map[string]string
	if err := json.Unmarshal(b, &texts); err != nil {
		return nil, fmt.Errorf("texts/en.json: %w", err)
	}
	return texts, nil
}

// readAssets gives the embedded assets by name, and the texts as one more.
func readAssets(texts map[string]string) (map[string][]byte, error) {
	entries, err := files.ReadDir("assets")
	if err != nil {
		return nil, err
	}
	assets := make(map[string][]byte, len(entries)+1)
	for _, e := range entries {
		if contentTypes[path.Ext(e.Name())] == "" {
			return nil, fmt.Errorf("the content type of %s is not known", e.Name())
		}
		if assets[e.Name()], err = files.ReadFile("assets/" + e.Name()); err != nil {
			return nil, err
		}
	}
	asJSON, err := json.Marshal(texts) // which escapes what JavaScript takes for a line break
	if err != nil {
		return nil, err
	}
	assets["texts.js"] = fmt.Appendf(nil, "export default %s;\n", asJSON)
	return assets, nil
}

// hashOf names a set of assets. It is one for all of them, so that a module finds
// the others beside itself, of its own version.
func hashOf(assets map[string][]byte) string {
	sums := make(map[string][]byte, len(assets))
	for name, body := range assets {
		sum := sha256.Sum256(body)
		sums[name] = sum[:]
	}
	sorted, err := json.Marshal(sums) // in the order of the names
	if err != nil {
		return "none" // a map of octets can be marshalled
	}
	sum := sha256.Sum256(sorted)
	return hex.EncodeToString(sum[:8])
}

func render(p page, functions template.FuncMap) ([]byte, error) {
	set, err := template.New("").Funcs(functions).ParseFS(files, "templates/layout.html", "templates/"+p.Template)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := set.ExecuteTemplate(&b, "layout", p); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// args makes the arguments of a template of names and values in turn.
func args(pairs ...string) (map[string]string, error) {
	if len(pairs)%2 != 0 {
		return nil, errors.New("args: a name without a value")
	}
	m := make(map[string]string, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m, nil
}
