package mail_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cryptoexchange.com/escrow/impl/internal/mail"
	"cryptoexchange.com/escrow/impl/internal/outbox"
)

const from = "CryptoExchange <no-reply@cryptoexchange.example>"

var sentAt = time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)

func introduction(name, partner string) outbox.Message {
	return outbox.Message{ID: "018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081", Kind: "introduction", To: "johny.smith@example.com", FirstName: &name, PartnerName: &partner}
}

// parts composes a message and takes it apart again, as a mail program does.
func parts(t *testing.T, m outbox.Message) (header netmail.Header, text, html string) {
	t.Helper()
	raw, err := mail.Compose(m, from, sentAt)
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
		bodies[kind] = string(body)
	}
	return message.Header, bodies["text/plain"], bodies["text/html"]
}

func TestCompose(t *testing.T) {
	t.Parallel()
	header, text, html := parts(t, introduction("Johny", "Muñoz & Söhne"))
	subject, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject"))
	if want := "Muñoz & Söhne has introduced you to CryptoExchange"; err != nil || subject != want {
		t.Errorf("subject %q, %v; want %q", subject, err, want)
	}
	for name, want := range map[string]string{
		"Message-Id":     "<018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081@cryptoexchange.example>",
		"To":             "<johny.smith@example.com>",
		"From":           `"CryptoExchange" <no-reply@cryptoexchange.example>`,
		"Auto-Submitted": "auto-generated",
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, want := range []string{"Welcome, Johny", "Muñoz & Söhne has introduced you", "set your password"} {
		if !strings.Contains(text, want) {
			t.Errorf("text has no %q:\n%s", want, text)
		}
	}
	for _, want := range []string{"Welcome, Johny", "Muñoz &amp; Söhne", "set your password"} {
		if !strings.Contains(html, want) {
			t.Errorf("HTML has no %q:\n%s", want, html)
		}
	}
	// Nothing is loaded from elsewhere, and there is no page to link to yet.
	for _, unwanted := range []string{"http:", "https:", "<img", "<link", "<script", "href", "url("} {
		if strings.Contains(html, unwanted) || strings.Contains(text, unwanted) {
			t.Errorf("the e-mail has %q", unwanted)
		}
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
	header, _, _ := parts(t, introduction("A", "Shop\r\nBcc: all@example.com"))
	if got := header.Get("Bcc"); got != "" {
		t.Errorf("a partner's name became a header: Bcc: %s", got)
	}
}

func TestComposeInternationalAddress(t *testing.T) {
	t.Parallel()
	m := introduction("Ana", "Shop")
	m.To = "josé.garcía@müller.example"
	header, _, _ := parts(t, m)
	addresses, err := header.AddressList("To")
	if err != nil || len(addresses) != 1 || addresses[0].Address != m.To {
		t.Errorf("To: %v, %v; want %s", addresses, err, m.To)
	}
}

func TestComposeUnknownKind(t *testing.T) {
	t.Parallel()
	m := introduction("Ana", "Shop")
	m.Kind = "farewell"
	if _, err := mail.Compose(m, from, sentAt); err == nil || strings.Contains(err.Error(), m.To) {
		t.Errorf("error %v; want one that does not name the recipient", err)
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
	sender, err := mail.NewFolder(folder, from, func() time.Time { return sentAt }, slog.New(slog.NewTextHandler(&log, nil)))
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
	if strings.Contains(log.String(), "johny") || strings.Contains(log.String(), "Johny") {
		t.Errorf("the log has personal data: %s", log.String())
	}
}
