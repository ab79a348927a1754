package impl_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// find looks for a text in all files of a folder, whatever its case, and tells
// where it is.
func find(t *testing.T, folder, text string) (in []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if os.IsNotExist(err) { // gone meanwhile
			return nil
		}
		if bytes.Contains(bytes.ToLower(content), bytes.ToLower([]byte(text))) {
			in = append(in, path)
		}
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return in
}

// TestEraseWhileSending erases customers at the moment when e-mails to them are
// being written: none is left, and the worker goes on.
func TestEraseWhileSending(t *testing.T) {
	t.Parallel()
	l := setupLive(t)
	o := operatorOn(t, l.config.Data)
	const customers = 40
	for i := range customers {
		id := int64(l.create(t, object("email", fmt.Sprintf("erased%d@example.com", i), "first_name", "Zelda")).want(t, 201).body["id"].(float64))
		if err := o.EraseCustomer(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	l.create(t, object("email", "kept@example.com")).want(t, 201)
	waitFor(t, "all that is left is sent", func() bool {
		queued, err := o.Mails(t.Context(), "queued", 10)
		return err == nil && len(queued) == 0
	})
	waitFor(t, "what was being written is taken back", func() bool {
		return len(find(t, filepath.Join(l.config.Data, "mail"), "example.com>")) == 1
	})
	for _, text := range []string{"zelda", "erased1@"} {
		if in := find(t, l.config.Data, text); len(in) != 0 {
			t.Errorf("%s is in %v", text, in)
		}
	}
	l.letter(t, "kept@example.com", 1)
	for id := range customers {
		a := l.get(t, id+1).want(t, http.StatusOK)
		if a.body["status"] != 3.0 || a.body["first_name"] != nil || a.body["reason_for_deletion"] != "Erased." {
			t.Fatalf("%s", a.raw)
		}
	}
}

// TestEraseWhileChanging erases customers who are changing what is known of
// them: what they say last is not kept.
func TestEraseWhileChanging(t *testing.T) {
	t.Parallel()
	l := setupLive(t)
	o := operatorOn(t, l.config.Data)
	for i := range 5 {
		u, id := l.customer(t, fmt.Sprintf("erased%d@example.com", i))
		done := make(chan struct{})
		began := make(chan struct{})
		go func() {
			defer close(done)
			for n := range 1000 {
				a := u.call(t, http.MethodPatch, "/me", object("first_name", fmt.Sprint("Zelda", n)))
				if n == 0 {
					close(began)
				}
				if a.status == http.StatusUnauthorized {
					return
				}
				if a.status != http.StatusOK {
					t.Errorf("%d %s", a.status, a.raw)
				}
			}
		}()
		<-began
		if err := o.EraseCustomer(t.Context(), int64(id)); err != nil {
			t.Fatal(err)
		}
		<-done
	}
	waitFor(t, "nothing is left", func() bool { return len(find(t, l.config.Data, "zelda")) == 0 })
	if in := find(t, l.config.Data, "erased1@example.com"); len(in) != 0 {
		t.Errorf("the address is in %v", in)
	}
}
