package mail_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"cryptoexchange.com/escrow/impl/internal/mail"
)

// TestRetract checks that an e-mail goes, and with it what a process that died
// has left of it, and no other.
func TestRetract(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	sender, err := mail.NewFolder(folder, composer(t), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"m-1", "m-2"} {
		m := message(composer(t).Kinds()[0], "Ana", "Shop")
		m.ID = id
		if err := sender.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "m-1.eml.tmp"), []byte("To: <ana@"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is nothing
		if err := sender.Retract(t.Context(), "m-1"); err != nil {
			t.Error(err)
		}
	}
	left, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != "m-2.eml" {
		t.Errorf("left %v, %v", left, err)
	}
}
