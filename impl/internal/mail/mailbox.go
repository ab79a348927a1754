package mail

import (
	"bytes"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http"
	netmail "net/mail"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
)

//go:embed mailbox
var mailboxFiles embed.FS

var mailboxTemplates = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(mailboxFiles, "mailbox/*.html"))
})

// MailboxPath is where a [Mailbox] is.
const MailboxPath = "/dev/mail"

// Mailbox shows the e-mails in the folder of a [Folder], or of a [Memory], to
// whoever tries the service on their own machine. The e-mails have links that open accounts, so it
// must be reachable from there only: it is for servers that listen on loopback,
// and it answers nobody who calls it by another name, which is what a page
// elsewhere would do that had its own name point here (DNS rebinding).
type Mailbox struct{ archive archive }

// archive is where a mailbox has its e-mails from.
type archive interface {
	// list gives the id and time of each, in any order.
	list() ([]entry, error)
	// file gives an e-mail as it is sent, or [fs.ErrNotExist].
	file(id string) ([]byte, error)
	// place says where they are, for the page.
	place() place
}

// place is where e-mails are: in a folder, or in memory, of which the newest are
// kept.
type place struct {
	Folder string // empty in memory
	Kept   int    // at most, in memory
}

// NewMailbox makes the pages for a folder.
func NewMailbox(folder string) *Mailbox { return &Mailbox{archive: inFolder(folder)} }

// inFolder are the e-mails in a folder.
type inFolder string

func (f inFolder) list() ([]entry, error) {
	files, err := os.ReadDir(string(f))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read mail folder: %w", err)
	}
	var entries []entry
	for _, file := range files {
		id, isMail := strings.CutSuffix(file.Name(), emlSuffix)
		if !isMail {
			continue
		}
		e := entry{ID: id}
		if info, err := file.Info(); err == nil {
			e.Time = info.ModTime().UTC()
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func (f inFolder) file(id string) ([]byte, error) {
	if !mailID.MatchString(id) {
		return nil, fs.ErrNotExist
	}
	return os.ReadFile(filepath.Join(string(f), id+emlSuffix))
}

func (f inFolder) place() place { return place{Folder: string(f)} }

// Register adds the pages.
func (m *Mailbox) Register(e *echo.Echo) {
	g := e.Group(MailboxPath, localOnly)
	g.GET("", m.list)
	g.GET("/style.css", m.style)
	g.GET("/:id", m.show)
	g.GET("/:id/raw", m.raw)
}

// pagePolicy lets the pages load their style sheet. The e-mail, which is in a
// frame of its own, inherits it: it has styles in itself, and may load nothing.
const pagePolicy = "default-src 'none'; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// localOnly refuses requests that did not name this machine.
func localOnly(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if !isLoopback(c.Request().Host) {
			return c.String(http.StatusForbidden, "The mailbox can be opened from this machine only, as localhost.\n")
		}
		return next(c)
	}
}

// isLoopback tells whether a Host header names this machine: localhost (RFC 6761)
// or a loopback address.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// entry is an e-mail as the pages show it.
type entry struct {
	ID, Subject, From, To string
	Time                  time.Time
	Text, HTML            string
}

// maxListed is how many e-mails the list has.
const maxListed = 200

func (m *Mailbox) list(c echo.Context) error {
	entries, err := m.archive.list()
	if err != nil {
		return err
	}
	slices.SortFunc(entries, func(a, b entry) int {
		if byTime := b.Time.Compare(a.Time); byTime != 0 {
			return byTime
		}
		return strings.Compare(b.ID, a.ID)
	})
	total := len(entries)
	entries = entries[:min(total, maxListed)]
	for i := range entries {
		if read, err := m.read(entries[i].ID); err == nil {
			read.Time = entries[i].Time
			entries[i] = read
		} else {
			entries[i].Subject = "(cannot be read)"
		}
	}
	return page(c, "list.html", map[string]any{"Entries": entries, "Total": total, "Place": m.archive.place()})
}

func (m *Mailbox) show(c echo.Context) error {
	e, err := m.read(c.Param("id"))
	if err != nil {
		return missing(c, err)
	}
	return page(c, "message.html", e)
}

func (m *Mailbox) raw(c echo.Context) error {
	content, err := m.archive.file(c.Param("id"))
	if err != nil {
		return missing(c, err)
	}
	return c.Blob(http.StatusOK, "text/plain; charset=utf-8", content)
}

func (m *Mailbox) style(c echo.Context) error {
	content, err := mailboxFiles.ReadFile("mailbox/style.css")
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "text/css; charset=utf-8", content)
}

func page(c echo.Context, name string, data any) error {
	var b bytes.Buffer
	if err := mailboxTemplates().ExecuteTemplate(&b, name, data); err != nil {
		return fmt.Errorf("mailbox: %w", err)
	}
	return c.HTMLBlob(http.StatusOK, b.Bytes())
}

func missing(c echo.Context, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return c.String(http.StatusNotFound, "There is no such e-mail.\n")
	}
	return fmt.Errorf("mailbox: %w", err)
}

// mailID is what names of files may be made of.
var mailID = regexp.MustCompile(`^[0-9A-Za-z-]{1,64}$`)

// read takes an e-mail apart.
func (m *Mailbox) read(id string) (entry, error) {
	content, err := m.archive.file(id)
	if err != nil {
		return entry{}, err
	}
	message, err := netmail.ReadMessage(bytes.NewReader(content))
	if err != nil {
		return entry{}, err
	}
	decoder := new(mime.WordDecoder)
	header := func(name string) string {
		decoded, err := decoder.DecodeHeader(message.Header.Get(name))
		if err != nil {
			return message.Header.Get(name)
		}
		return decoded
	}
	addresses := func(name string) string {
		list, err := message.Header.AddressList(name)
		if err != nil {
			return header(name)
		}
		var shown []string
		for _, a := range list {
			if a.Name == "" {
				shown = append(shown, a.Address)
			} else {
				shown = append(shown, a.Name+" <"+a.Address+">")
			}
		}
		return strings.Join(shown, ", ")
	}
	e := entry{ID: id, Subject: header("Subject"), From: addresses("From"), To: addresses("To")}
	if e.Time, err = message.Header.Date(); err != nil {
		e.Time = time.Time{}
	}
	err = e.parts(message.Header.Get("Content-Type"), message.Header.Get("Content-Transfer-Encoding"), message.Body)
	return e, err
}

// parts reads the text and the HTML part, wherever they are.
func (e *entry) parts(contentType, encoding string, body io.Reader) error {
	mediaType, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		mediaType = "text/plain"
	}
	if strings.HasPrefix(mediaType, "multipart/") {
		reader := multipart.NewReader(body, parameters["boundary"])
		for {
			part, err := reader.NextRawPart()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if err := e.parts(part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), part); err != nil {
				return err
			}
		}
	}
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	content, err := io.ReadAll(body)
	switch {
	case err != nil:
		return err
	case mediaType == "text/plain":
		e.Text = string(content)
	case mediaType == "text/html":
		e.HTML = string(content)
	}
	return nil
}

// Document is the e-mail for its frame. Its links open outside of it.
func (e entry) Document() string { return `<base target="_blank">` + e.HTML }
