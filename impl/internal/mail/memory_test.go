package mail_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"cryptoexchange.com/escrow/impl/internal/mail"
)

// TestMemory keeps more e-mails than there is room for: the newest are shown, as
// those in a folder are, and each can be taken back.
func TestMemory(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	sender := mail.NewMemory(composer(t), slog.New(slog.NewTextHandler(&log, nil)))
	e := echo.New()
	sender.Mailbox().Register(e)
	get := func(path string) (int, string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		r.Host = "localhost"
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	if status, body := get("/dev/mail"); status != http.StatusOK || !strings.Contains(body, "no e-mails yet") || !strings.Contains(body, "This is a sandbox") {
		t.Errorf("an empty mailbox: %d %s", status, body)
	}
	kinds := composer(t).Kinds()
	const many = 1002
	for i := range many {
		m := message(kinds[i%len(kinds)], "Ana", "Shop")
		m.ID = fmt.Sprintf("m-%d", i)
		if err := sender.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]int{
		"/dev/mail/m-0": 404, "/dev/mail/m-1": 404, "/dev/mail/m-2": 200, "/dev/mail/m-1001": 200, "/dev/mail/m-1001/raw": 200, "/dev/mail/m-1002": 404, "/dev/mail/..%2fm-2": 404,
	} {
		if status, body := get(path); status != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	status, body := get("/dev/mail")
	if status != http.StatusOK || !strings.Contains(body, "There are 1000 e-mails; these are the newest 200") || !strings.Contains(body, `href="/dev/mail/m-1001"`) || strings.Contains(body, "No mail server") {
		t.Errorf("%d %s", status, body)
	}
	again := message(kinds[1], "Ana", "Shop")
	again.ID = "m-1001"
	if err := sender.Send(t.Context(), again); err != nil {
		t.Error(err)
	}
	if status, _ := get("/dev/mail/m-2"); status != http.StatusOK {
		t.Error("an e-mail that was sent again took another's place")
	}
	for range 2 { // the second time there is nothing
		if err := sender.Retract(t.Context(), "m-1001"); err != nil {
			t.Error(err)
		}
	}
	if status, _ := get("/dev/mail/m-1001"); status != http.StatusNotFound {
		t.Errorf("an e-mail that was taken back: %d", status)
	}
	if text := log.String(); strings.Contains(text, "johny") || strings.Contains(text, "token") || !strings.Contains(text, "m-1001") {
		t.Errorf("the log: %.300s", text)
	}
	broken := message(kinds[0], "Ana", "Shop")
	broken.To = "nobody"
	if err := sender.Send(t.Context(), broken); err == nil {
		t.Error("an e-mail to nobody was kept")
	}
}
