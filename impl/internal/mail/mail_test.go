package mail_test

import (
	"bytes"
	"errors"
	htmlunescape "html"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"cryptoexchange.com/escrow/impl/internal/mail"
	"cryptoexchange.com/escrow/impl/internal/outbox"
)

const from = "CryptoExchange <no-reply@cryptoexchange.example>"

const link = "https://escrow.example/set-password#token-of-"

var (
	queuedAt = time.Date(2026, 11, 24, 10, 0, 59, 0, time.UTC)
	urls     = mail.URLs{
		LogIn: "https://escrow.example/log-in", ForgotPassword: "https://escrow.example/forgot-password",
		Account: "https://escrow.example/account", Support: "help@escrow.example",
	}
)

func params() mail.ComposerParams {
	return mail.ComposerParams{From: from, URLs: urls, LinkURL: func(m outbox.Message) (string, error) { return link + m.ID, nil }}
}

func composer(t *testing.T) *mail.Composer {
	t.Helper()
	c, err := mail.NewComposer(params())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// message has a link that is valid until Friday.
func message(kind, name, partner string) outbox.Message {
	return outbox.Message{
		ID: "018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081", Kind: kind, To: "johny.smith@example.com", FirstName: &name, PartnerName: &partner, CreatedAt: queuedAt,
		Link: &outbox.Link{ExpiresAt: time.Date(2026, 11, 27, 15, 5, 59, 0, time.FixedZone("", 3600))},
	}
}

func introduction(name, partner string) outbox.Message {
	return message("introduction", name, partner)
}

// parts composes a message and takes it apart again, as a mail program does.
func parts(t *testing.T, m outbox.Message) (header netmail.Header, text, html string) {
	t.Helper()
	raw, err := composer(t).Compose(m)
	if err != nil {
		t.Fatal(err)
	}
	message, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	mediaType, parameters, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil || mediaType != "multipart/alternative" {
		t.Fatalf("Content-Type %q, %v", mediaType, err)
	}
	bodies := make(map[string]string)
	reader := multipart.NewReader(message.Body, parameters["boundary"])
	for {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		bodies[kind] = strings.ReplaceAll(string(body), "\r\n", "\n")
	}
	return message.Header, bodies["text/plain"], bodies["text/html"]
}

func subject(t *testing.T, header netmail.Header) string {
	t.Helper()
	s, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCompose(t *testing.T) {
	t.Parallel()
	m := introduction("Johny", "Muñoz & Söhne")
	header, text, html := parts(t, m)
	if got, want := subject(t, header), "Muñoz & Söhne has introduced you to CryptoExchange"; got != want {
		t.Errorf("subject %q; want %q", got, want)
	}
	for name, want := range map[string]string{
		"Message-Id":       "<018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081@cryptoexchange.example>",
		"To":               "<johny.smith@example.com>",
		"From":             `"CryptoExchange" <no-reply@cryptoexchange.example>`,
		"Date":             "Tue, 24 Nov 2026 10:00:59 +0000",
		"Auto-Submitted":   "auto-generated",
		"Content-Language": "en",
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, want := range []string{"Welcome, Johny", "Muñoz & Söhne has introduced you", "\n" + link + m.ID + "\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("text has no %q:\n%s", want, text)
		}
	}
	for _, want := range []string{"Welcome, Johny", "Muñoz &amp; Söhne", `href="` + link + m.ID + `"`, ">" + link + m.ID + "<"} {
		if !strings.Contains(html, want) {
			t.Errorf("HTML has no %q:\n%s", want, html)
		}
	}
	// A message that is sent again is the same.
	first, err := composer(t).Compose(m)
	if err != nil {
		t.Fatal(err)
	}
	m.Attempts++
	if second, err := composer(t).Compose(m); err != nil || !bytes.Equal(first, second) {
		t.Errorf("%v; composed again it differs:\n%s\n%s", err, first, second)
	}
}

// TestKinds composes each kind in each language, and looks whether it says what
// it must and nothing else.
func TestKinds(t *testing.T) {
	t.Parallel()
	linked := []string{"introduction", "confirmation", "password_reset"}
	pages := map[string][]string{
		"already_registered":           {urls.LogIn, urls.ForgotPassword},
		"password_changed":             {urls.ForgotPassword},
		"second_factor_enabled":        {urls.ForgotPassword},
		"second_factor_disabled":       {urls.ForgotPassword},
		"disbursement_methods_changed": {urls.ForgotPassword, urls.Account},
		"account_closed":               {urls.Support},
	}
	times := map[string][2]string{ // when queued, until when valid
		"en": {"Tuesday 24 November 2026, 10:00 UTC", "Friday 27 November 2026, 14:05 UTC"},
		"es": {"martes 24 de noviembre de 2026, 10:00 UTC", "viernes 27 de noviembre de 2026, 14:05 UTC"},
	}
	kinds := composer(t).Kinds()
	if want := len(linked) + len(pages); len(kinds) != want {
		t.Errorf("there are %d kinds: %v; want %d", len(kinds), kinds, want)
	}
	subjects := make(map[string]bool)
	for language, moments := range times {
		for _, kind := range kinds {
			m := message(kind, "<b>Johny</b>", `Muñoz & "Söhne"`)
			m.Language = &language
			wants := pages[kind]
			if slices.Contains(linked, kind) {
				wants = append(wants, link+m.ID, moments[1])
			} else {
				m.Link = nil
			}
			if kind == "introduction" {
				wants = append(wants, `Muñoz & "Söhne"`)
			}
			if strings.HasSuffix(kind, "ed") && kind != "already_registered" { // notices
				wants = append(wants, moments[0])
			}
			header, text, html := parts(t, m)
			subjects[subject(t, header)] = true
			for _, want := range wants {
				if !strings.Contains(strings.Join(strings.Fields(text), " "), want) {
					t.Errorf("%s %s: text has no %q:\n%s", language, kind, want, text)
				}
				if !strings.Contains(htmlunescape.UnescapeString(html), want) {
					t.Errorf("%s %s: HTML has no %q:\n%s", language, kind, want, html)
				}
			}
			if got := header.Get("Content-Language"); got != language || !strings.Contains(html, `<html lang="`+language+`"`) {
				t.Errorf("%s %s: Content-Language %s, %.40s", language, kind, got, html)
			}
			checkSelfContained(t, language+" "+kind, text, html)
		}
	}
	if len(subjects) != 2*len(kinds) {
		t.Errorf("%d subjects for %d kinds in 2 languages", len(subjects), len(kinds))
	}
}

// checkSelfContained checks that nothing is loaded, that links lead to our pages
// only, and that what somebody else said is escaped.
func checkSelfContained(t *testing.T, name, text, html string) {
	t.Helper()
	for _, unwanted := range []string{"<img", "<link", "<script", "<iframe", "url(", "@import", "src=", "<b>", "ZgotmplZ"} {
		if strings.Contains(html, unwanted) {
			t.Errorf("%s: the HTML has %q", name, unwanted)
		}
	}
	for _, found := range regexp.MustCompile(`(?:https?|mailto):[^"<\s]*`).FindAllString(html+text, -1) {
		if !strings.HasPrefix(found, "https://escrow.example/") && found != "mailto:help@escrow.example" {
			t.Errorf("%s: it points to %s", name, found)
		}
	}
	for line := range strings.Lines(text) {
		if len(line) > 90 {
			t.Errorf("%s: a line of the text has %d characters: %s", name, len(line), line)
		}
	}
	if strings.Contains(text, "\n\n\n") || strings.Contains(text, "<no value>") {
		t.Errorf("%s: the text has gaps:\n%s", name, text)
	}
}

// TestUnknown composes with as little as can be known.
func TestUnknown(t *testing.T) {
	t.Parallel()
	for _, kind := range composer(t).Kinds() {
		m := message(kind, "", "")
		m.FirstName, m.PartnerName = nil, nil
		_, text, html := parts(t, m)
		checkSelfContained(t, kind, text, html)
		if strings.Contains(text+html, "with ,") || strings.Contains(text+html, "Welcome,") {
			t.Errorf("%s: %s", kind, text)
		}
		m.Link = nil
		_, err := composer(t).Compose(m)
		if needs := kind == "confirmation" || kind == "password_reset"; needs != (err != nil) {
			t.Errorf("%s without a link: %v", kind, err)
		}
	}
	m := introduction("Johny", "Shop")
	m.Link = nil // queued by an older version
	if _, text, html := parts(t, m); strings.Contains(text+html, link) || !strings.Contains(text, "has no link") || !strings.Contains(html, urls.ForgotPassword) || strings.Contains(html, `class="button"`) {
		t.Errorf("without a link: %s", text)
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	for wanted, want := range map[string]string{"es": "es", "es-MX": "es", "en-GB": "en", "fr": "en", "ES_es": "es", "?": "en", "": "en"} {
		m := introduction("Ana", "Shop")
		m.Language = &wanted
		if header, _, _ := parts(t, m); header.Get("Content-Language") != want {
			t.Errorf("%q gets %s, want %s", wanted, header.Get("Content-Language"), want)
		}
	}
}

func TestLinkFails(t *testing.T) {
	t.Parallel()
	p := params()
	missing := errors.New("key 7 is missing")
	p.LinkURL = func(outbox.Message) (string, error) { return "", missing }
	c, err := mail.NewComposer(p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Compose(introduction("Ana", "Shop")); !errors.Is(err, missing) || errors.As(err, new(*outbox.PermanentError)) {
		t.Errorf("%v, want one that may pass", err)
	}
}

func TestComposeHostileNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"http://evil.example", "evil.example", "you@evil.example", strings.Repeat("a", 41),
	} {
		if _, text, html := parts(t, introduction(name, "Shop")); strings.Contains(text+html, name) {
			t.Errorf("the e-mail greets %q", name)
		}
	}
	if _, _, html := parts(t, introduction("<b>x", "<script>alert(1)")); strings.Contains(html, "<b>") || strings.Contains(html, "<script") {
		t.Error("a name is not escaped")
	}
	header, text, _ := parts(t, introduction("A\n\nB", "Shop\r\nBcc: all@example.com"))
	if got := header.Get("Bcc"); got != "" {
		t.Errorf("a partner's name became a header: Bcc: %s", got)
	}
	if got, want := subject(t, header), "Shop Bcc: all@example.com has introduced you to CryptoExchange"; got != want || !strings.Contains(text, "Welcome, A B\n") {
		t.Errorf("subject %q, want %q; %s", got, want, text)
	}
	if _, text, _ := parts(t, introduction("a\u202ebc", "Shop")); strings.Contains(text, "\u202e") {
		t.Error("a name turns the direction of the text")
	}
}

func TestComposeInternationalAddress(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"josé.garcía@müller.example": "josé.garcía@müller.example",
		"info@müller.example":        "info@xn--mller-kva.example", // any server takes it
	} {
		m := introduction("Ana", "Shop")
		m.To = given
		header, _, _ := parts(t, m)
		addresses, err := header.AddressList("To")
		if err != nil || len(addresses) != 1 || addresses[0].Address != want {
			t.Errorf("To: %v, %v; want %s", addresses, err, want)
		}
	}
}

func TestComposeRefuses(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(*outbox.Message){
		"kind":      func(m *outbox.Message) { m.Kind = "farewell" },
		"recipient": func(m *outbox.Message) { m.To = "secret@a@b\r\nBcc: c@d" },
		"host":      func(m *outbox.Message) { m.To = "secret@ü..example" },
		"nowhere":   func(m *outbox.Message) { m.To = "secret" },
	} {
		m := introduction("Ana", "Shop")
		change(&m)
		_, err := composer(t).Compose(m)
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: error %v; want one that does not name the recipient", what, err)
		}
		// Another version may know the kind; an address stays what it is.
		if permanent := errors.As(err, new(*outbox.PermanentError)); permanent != (what != "kind") {
			t.Errorf("%s: permanent: %v", what, permanent)
		}
	}
}

func TestTemplateFolder(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		file, content string
		want          string // of the error, or of the e-mail
		fails         bool
	}{
		{"en/introduction.txt", "Subject: Hi\n\n{{.Partner}} greets {{.Name}}: {{.Link}}", "Shop greets Johny: " + link, false},
		{"en/common.txt", `{{define "partner"}}P{{end}}{{define "footer"}}Yours, The Team{{end}}`, "Yours, The Team", false},
		{"en/introduction.html", "{{define", "en/introduction.html:1", true},
		{"es/password_changed.html", `{{define "content"}}{{.Wen}}{{end}}`, "es/password_changed.html:1", true},
		{"en/confirmation.txt", "Subject: Hi\n\nNo address here.", "en/confirmation: both parts must have {{.Link}}", true},
		{"en/confirmation.txt", "Hello", "en/confirmation.txt must begin with a line \"Subject: \"", true},
		{"en/confirmation.html", "Hello", "en/confirmation", true},
		{"en/introduktion.html", "", "en/introduktion.html replaces none", true},
		{"layout.html", `{{define "layout"}}{{template "content" .}} in another design{{end}}{{define "button"}}{{.URL}}{{end}}`, "in another design", false},
	} {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			p := params()
			p.Templates = t.TempDir()
			path := filepath.Join(p.Templates, tt.file)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(tt.content), 0o600)); err != nil {
				t.Fatal(err)
			}
			c, err := mail.NewComposer(p)
			if tt.fails {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error %v, want %q", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			raw, err := c.Compose(introduction("Johny", "Shop"))
			if plain := strings.ReplaceAll(string(raw), "=\r\n", ""); err != nil || !strings.Contains(plain, tt.want) {
				t.Errorf("%v; the e-mail has no %q:\n%s", err, tt.want, raw)
			}
		})
	}
	p := params()
	p.Templates = filepath.Join(t.TempDir(), "nowhere")
	if _, err := mail.NewComposer(p); err == nil || !strings.Contains(err.Error(), p.Templates) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

func TestCheckFrom(t *testing.T) {
	t.Parallel()
	for _, good := range []string{from, "no-reply@example.com"} {
		if err := mail.CheckFrom(good); err != nil {
			t.Errorf("CheckFrom(%q): %v", good, err)
		}
	}
	for _, bad := range []string{"", "nobody", "a@b\r\nBcc: c@d"} {
		if err := mail.CheckFrom(bad); err == nil {
			t.Errorf("CheckFrom(%q) accepts it", bad)
		}
	}
}

func TestFolder(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "mail")
	var log bytes.Buffer
	sender, err := mail.NewFolder(folder, composer(t), slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	m := introduction("Johny", "Shop")
	for range 2 { // the second takes the place of the first
		if err := sender.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != 1 || files[0].Name() != m.ID+".eml" {
		t.Fatalf("files %v, %v", files, err)
	}
	path := filepath.Join(folder, m.ID+".eml")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("permissions %v, %v", info.Mode(), err)
	}
	if !strings.Contains(log.String(), path) {
		t.Errorf("the log has no path: %s", log.String())
	}
	for _, unwanted := range []string{"johny", "Johny", "token-of"} {
		if strings.Contains(log.String(), unwanted) {
			t.Errorf("the log has %s: %s", unwanted, log.String())
		}
	}
}
