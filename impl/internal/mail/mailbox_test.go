package mail_test

import (
	"fmt"
	htmlunescape "html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"cryptoexchange.com/escrow/impl/internal/mail"
)

// mailbox serves the pages of a folder with e-mails of each kind.
func mailbox(t *testing.T) (folder string, get func(host, path string) *httptest.ResponseRecorder) {
	t.Helper()
	folder = t.TempDir()
	sender, err := mail.NewFolder(folder, composer(t), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for i, kind := range composer(t).Kinds() {
		m := message(kind, "Ana", "<b>Muñoz</b> & Söhne")
		m.ID = fmt.Sprintf("m-%d", i)
		if err := sender.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		at := queuedAt.Add(time.Duration(i) * time.Minute)
		if err := os.Chtimes(filepath.Join(folder, m.ID+".eml"), at, at); err != nil {
			t.Fatal(err)
		}
	}
	e := echo.New()
	mail.NewMailbox(folder).Register(e)
	return folder, func(host, path string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		r.Host = host
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		return w
	}
}

func TestMailbox(t *testing.T) {
	t.Parallel()
	folder, get := mailbox(t)
	list := get("localhost:8080", "/dev/mail")
	body := list.Body.String()
	kinds := composer(t).Kinds()
	last := -1
	for i := len(kinds) - 1; i >= 0; i-- { // the newest first
		at := strings.Index(body, fmt.Sprintf(`href="/dev/mail/m-%d"`, i))
		if at <= last {
			t.Errorf("m-%d is not where it should be:\n%s", i, body)
		}
		last = at
	}
	if !strings.Contains(body, "&lt;b&gt;Muñoz&lt;/b&gt; &amp; Söhne has introduced you") || !strings.Contains(body, "johny.smith@example.com") {
		t.Errorf("the list: %s", body)
	}
	for i, kind := range kinds {
		path := fmt.Sprintf("/dev/mail/m-%d", i)
		shown := get("127.0.0.1:8080", path)
		page := shown.Body.String()
		if shown.Code != http.StatusOK || !strings.Contains(page, `sandbox="allow-popups allow-popups-to-escape-sandbox" srcdoc="`) || !strings.Contains(page, "<pre>") {
			t.Errorf("%s: %d %s", kind, shown.Code, page)
		}
		if !strings.Contains(htmlunescape.UnescapeString(page), `<base target="_blank"><!DOCTYPE html>`) {
			t.Errorf("%s: the frame has no document", kind)
		}
		if strings.Contains(page, "<script") || strings.Contains(page, "<b>") {
			t.Errorf("%s: the page is not what it should be: %s", kind, page)
		}
		want, err := os.ReadFile(filepath.Join(folder, fmt.Sprintf("m-%d.eml", i)))
		raw := get("[::1]:8080", path+"/raw")
		if err != nil || raw.Body.String() != string(want) || raw.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%s: %v; raw: %v %s", kind, err, raw.Header(), raw.Body)
		}
		policy := shown.Header().Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "script") || strings.Contains(policy, "http") {
			t.Errorf("policy: %s", policy)
		}
	}
	if style := get("localhost", "/dev/mail/style.css"); style.Code != http.StatusOK || style.Header().Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("%d %v", style.Code, style.Header())
	}
}

// TestMailboxRefuses asks for what there is not, and as a page elsewhere would.
func TestMailboxRefuses(t *testing.T) {
	t.Parallel()
	folder, get := mailbox(t)
	if err := os.WriteFile(filepath.Join(filepath.Dir(folder), "secret.eml"), []byte("Subject: secret\r\n\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/dev/mail/none", "/dev/mail/..%2fsecret", "/dev/mail/../secret", "/dev/mail/%2e%2e%2fsecret/raw", "/dev/mail/m-0.eml", "/dev/mail/m-0%00"} {
		if got := get("localhost", path); got.Code != http.StatusNotFound || strings.Contains(got.Body.String(), "Subject") {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
	for _, host := range []string{"evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "", "0.0.0.0", "[fe80::1]:80"} {
		for _, path := range []string{"/dev/mail", "/dev/mail/m-0", "/dev/mail/m-0/raw"} {
			if got := get(host, path); got.Code != http.StatusForbidden || strings.Contains(got.Body.String(), "johny") {
				t.Errorf("%q %s: %d", host, path, got.Code)
			}
		}
	}
	for _, host := range []string{"LOCALHOST", "127.0.0.1", "127.8.9.1:1", "[::1]", "[::ffff:127.0.0.1]:80"} {
		if got := get(host, "/dev/mail"); got.Code != http.StatusOK {
			t.Errorf("%q: %d", host, got.Code)
		}
	}
}

// TestMailboxOthers shows what is in the folder by other ways, or not at all.
func TestMailboxOthers(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for name, content := range map[string]string{
		"plain.eml":  "Subject: =?utf-8?q?Espa=C3=B1a?=\r\n\r\nHello <b>there</b>\r\n",
		"base64.eml": "Subject: 64\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+aGVs\r\nbG88L2I+\r\n",
		"broken.eml": "no header at all",
		"m.eml.tmp":  "Subject: half\r\n\r\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e := echo.New()
	mail.NewMailbox(folder).Register(e)
	for path, want := range map[string]string{
		"/dev/mail":        "España",
		"/dev/mail/plain":  "Hello &lt;b&gt;there&lt;/b&gt;",
		"/dev/mail/base64": "&lt;b&gt;hello&lt;/b&gt;",
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		r.Host = "localhost"
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		if got := w.Body.String(); w.Code != http.StatusOK || !strings.Contains(got, want) || strings.Contains(got, "half") {
			t.Errorf("%s: %d, no %q: %s", path, w.Code, want, got)
		}
	}
	w := httptest.NewRecorder()
	empty := echo.New()
	mail.NewMailbox(filepath.Join(folder, "nowhere")).Register(empty)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/dev/mail", nil)
	r.Host = "localhost"
	if empty.ServeHTTP(w, r); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "no e-mails yet") {
		t.Errorf("an empty folder: %d %s", w.Code, w.Body)
	}
}
