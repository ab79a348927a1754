package check

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// persona is a customer whom the run brings in and plays: created or signed up by
// an operation that takes an e-mail address, told by e-mail what proves that it is
// theirs, given a password, and logged in. Nothing of this is known beforehand: an
// operation is called when everything that it requires is known by name.
type persona struct {
	mailbox string

	mu     sync.Mutex
	values map[string]any    // by property: email, password; guarded by mu
	to     map[string]string // whom a file in the mailbox is for; guarded by mu
}

// mailWait is how long an e-mail is waited for.
const mailWait = 20 * time.Second

func newPersona(mailbox string) *persona {
	return &persona{mailbox: mailbox, values: map[string]any{}, to: map[string]string{}}
}

// fill puts who the persona is into a request that logs in.
func (p *persona) fill(d *generate.Draft) {
	p.mu.Lock()
	defer p.mu.Unlock()
	body, ok := d.Body.(map[string]any)
	if !ok || !Public(d.Op) || p.values["password"] == nil {
		return
	}
	_, email := body["email"]
	_, password := body["password"]
	if email && password {
		body["email"], body["password"] = p.values["email"], p.values["password"]
		for name := range body { // what is optional may be wrong: a code that is not asked for
			if name != "email" && name != "password" && !slices.Contains(required(d.Op), name) {
				delete(body, name)
			}
		}
	}
}

// prove puts the persona's password into a request that asks for it again, of
// somebody who is logged in.
func (p *persona) prove(d *generate.Draft) {
	p.mu.Lock()
	defer p.mu.Unlock()
	body, ok := d.Body.(map[string]any)
	if !ok || Public(d.Op) || p.values["password"] == nil {
		return
	}
	for _, name := range []string{"password", "current_password"} {
		if _, asked := body[name]; asked {
			body[name] = p.values["password"]
		}
	}
}

// join makes a new persona, and gives the value of a cookie that its log-in set;
// empty if there is no way to it.
func (p *persona) join(ctx context.Context, s *Session, cookie string) string {
	value, known, _ := p.arrive(ctx, s, cookie)
	if value != "" {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.values = known
	}
	return value
}

// arrive plays a customer from the beginning until a cookie is set. It gives what
// the customer knows then, by name, and the answer that created them.
func (p *persona) arrive(ctx context.Context, s *Session, cookie string) (string, map[string]any, *wire.Exchange) {
	known, created := p.introduce(ctx, s, generate.Minimal)
	if known == nil {
		return "", nil, nil
	}
	for range 3 { // from what one answer tells to what the next requires
		for _, op := range s.Document.Operations {
			if value := p.advance(ctx, s, op, known, cookie); value != "" {
				return value, known, created
			}
		}
	}
	return "", nil, nil
}

// introduce has a customer created, and reads the e-mail that follows.
func (p *persona) introduce(ctx context.Context, s *Session, mode generate.Mode) (map[string]any, *wire.Exchange) {
	for _, op := range s.Document.Operations {
		if _, ok := s.Alternative(op, Own); !ok || op.Method != http.MethodPost || !slices.Contains(required(op), "email") || len(prefixes(op.Path)) > 0 {
			continue
		}
		d := s.Source.Draft(op, mode)
		body, ok := d.Body.(map[string]any)
		address, isText := body["email"].(string)
		if !ok || !isText || slices.Contains(required(op), "password") {
			continue
		}
		ex := s.Send(ctx, d, once)
		if !OK(ex) {
			continue
		}
		if known := p.read(ctx, address, nil, mailWait); known != nil {
			known["email"] = address
			return known, ex
		}
	}
	return nil, nil
}

// advance calls an operation if all that it requires is known, and at least
// something that only this customer can know.
func (p *persona) advance(ctx context.Context, s *Session, op *openapi.Operation, known map[string]any, cookie string) string {
	names := required(op)
	secret := func(name string) bool { return name != "email" && known[name] != nil }
	if op.Method != http.MethodPost || !slices.ContainsFunc(names, secret) {
		return ""
	}
	d := s.Source.Draft(op, generate.Minimal)
	body, ok := d.Body.(map[string]any)
	if !ok {
		return ""
	}
	for name := range body {
		switch value, has := known[name]; {
		case has:
			body[name] = value
		case strings.Contains(name, "password"):
			// That of an example is known to everybody, and may be refused for it.
			body[name] = "Conformance-" + s.Source.Unique() + "-9"
		}
	}
	var ex *wire.Exchange
	if Public(op) {
		ex = s.Send(ctx, d, once)
	} else {
		ex = s.bare(ctx, d)
	}
	if !OK(ex) {
		return ""
	}
	if password, has := body["password"]; has {
		known["password"] = password
	}
	for _, f := range ex.Response.Header {
		if !strings.EqualFold(f.Name, "Set-Cookie") {
			continue
		}
		if c, err := http.ParseSetCookie(f.Value); err == nil && c.Name == cookie && c.Value != "" {
			return c.Value
		}
	}
	return ""
}

// bare sends what a link told to an operation that needs a credential, without one:
// F1. Only who knows the link can tell whether it is asked for.
func (s *Session) bare(ctx context.Context, d *generate.Draft) *wire.Exchange {
	ex := s.Send(ctx, d, As(Anonymous))
	if OK(ex) || Status(ex) == http.StatusGone { // that it is gone, nobody should be told either
		f := unauthorized(d.Op, ex, servesAnonymous, "a request with what the link in an e-mail tells, without a credential")
		f.Class, f.Operation = "F1", d.Op.ID
		s.Report(f, 1)
	}
	return ex
}

// required are the required properties of an operation's JSON body.
func required(op *openapi.Operation) []string {
	if op.Body == nil {
		return nil
	}
	for _, content := range op.Body.Content {
		if content.Schema != nil && strings.Contains(content.Type, "json") {
			return content.Schema.Required
		}
	}
	return nil
}

// read waits for an e-mail to an address that is not among those that were read,
// and gives what its links say by name; nil if none comes in time.
func (p *persona) read(ctx context.Context, address string, before map[string]bool, wait time.Duration) map[string]any {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if known := p.find(address, before); known != nil {
			return known
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// find looks for an e-mail to an address in the mailbox: a folder of messages
// (RFC 5322), a file each, or a Maildir.
func (p *persona) find(address string, before map[string]bool) map[string]any {
	root, err := os.OpenRoot(p.mailbox)
	if err != nil {
		return nil
	}
	defer func() { _ = root.Close() }() // it was only read
	var known map[string]any
	_ = fs.WalkDir(root.FS(), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || known != nil || before[path] || p.elsewhere(path, address) {
			return nil //nolint:nilerr // what cannot be read now is looked at again
		}
		raw, err := fs.ReadFile(root.FS(), path)
		if err != nil {
			return nil //nolint:nilerr // the same
		}
		message, err := mail.ReadMessage(bytes.NewReader(raw))
		if err != nil || !p.reaches(path, message.Header.Get("To"), address) {
			return nil //nolint:nilerr // not an e-mail, or half of one
		}
		if found := linksOf(message); len(found) > 0 {
			known = found
			if before != nil {
				before[path] = true
			}
		}
		return nil
	})
	return known
}

// elsewhere tells whether a file is known to be for somebody else: mailboxes grow,
// and each file is read once.
func (p *persona) elsewhere(path, address string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	to, known := p.to[path]
	return known && !strings.Contains(to, strings.ToLower(address))
}

// reaches tells whether a message is for an address, and remembers for whom it is.
func (p *persona) reaches(path, to, address string) bool {
	to = strings.ToLower(to)
	if to != "" {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.to[path] = to
	}
	return strings.Contains(to, strings.ToLower(address))
}

var link = regexp.MustCompile(`https?://[^\s"'<>]+`)

// linksOf gives the parameters of the links in a message, in queries and fragments.
func linksOf(m *mail.Message) map[string]any {
	found := map[string]any{}
	for _, text := range texts(m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body) {
		for _, match := range link.FindAllString(text, -1) {
			u, err := url.Parse(strings.ReplaceAll(match, "&amp;", "&"))
			if err != nil {
				continue
			}
			for _, part := range []string{u.RawQuery, u.Fragment} {
				values, err := url.ParseQuery(part)
				if err != nil {
					continue
				}
				for name, value := range values {
					if len(value) == 1 && value[0] != "" {
						found[name] = value[0]
					}
				}
			}
		}
	}
	return found
}

// texts gives the texts of a message or of a part, decoded.
func texts(contentType, encoding string, body io.Reader) []string {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		media = "text/plain"
	}
	if strings.HasPrefix(media, "multipart/") {
		var all []string
		parts := multipart.NewReader(body, params["boundary"])
		for {
			part, err := parts.NextRawPart()
			if err != nil {
				return all
			}
			all = append(all, texts(part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), part)...)
		}
	}
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	text, err := io.ReadAll(io.LimitReader(body, 1<<20))
	if err != nil {
		return nil
	}
	return []string{string(text)}
}
