package sqlite_test

import (
	"os"
	"testing"
)

// TestBackupName checks that the copy is in the file that was named, with the
// permissions it was made with, even if SQLite would read the name as a URI.
func TestBackupName(t *testing.T) {
	db := open(t, t.TempDir())
	t.Cleanup(func() { _ = db.Close() })
	t.Chdir(t.TempDir())
	const name = "file:copy.db?mode=rwc"
	if err := db.Backup(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		if f.Name() != name || info.Size() == 0 || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has %d bytes and mode %v", f.Name(), info.Size(), info.Mode())
		}
	}
	if err := db.Backup(t.Context(), name); err == nil {
		t.Error("a file that is there was overwritten")
	}
}
