package sqlite

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cryptoexchange.com/escrow/impl/internal/partner"
)

// keyOf is a key with a hash of its own.
func keyOf(n byte) partner.NewKey {
	return partner.NewKey{Hash: partner.Hash{n}, Last4: "0000", CreatedAt: time.Now()}
}

// good tells whether a store accepts a key.
func good(t *testing.T, db *DB, n byte) bool {
	t.Helper()
	_, err := db.KeyByHash(t.Context(), partner.Hash{n})
	if err != nil && !errors.Is(err, partner.ErrUnauthenticated) {
		t.Error(err)
	}
	return err == nil
}

// counted counts how often a store reads the keys.
func counted(db *DB) *atomic.Int32 {
	var n atomic.Int32
	load := db.keys.load
	db.keys.load = func(ctx context.Context) (map[partner.Hash]partner.Key, error) {
		n.Add(1)
		return load(ctx)
	}
	return &n
}

// TestKeysOfOthers changes keys in one process, and looks in another at once.
func TestKeysOfOthers(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	service, command := openForTest(t, folder), openForTest(t, folder)
	reads := counted(service)
	p, first, err := command.CreatePartner(t.Context(), "Shop", keyOf(1))
	if err != nil {
		t.Fatal(err)
	}
	if !good(t, service, 1) || good(t, service, 2) {
		t.Error("after a partner was made")
	}
	second, err := command.CreateKey(t.Context(), p.ID, keyOf(2))
	if err != nil {
		t.Fatal(err)
	}
	if !good(t, service, 1) || !good(t, service, 2) {
		t.Error("after a key was made")
	}
	if err := command.RevokeKey(t.Context(), first.ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	if good(t, service, 1) || !good(t, service, 2) {
		t.Error("after the other process revoked a key")
	}
	if err := service.RevokeKey(t.Context(), second.ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	if good(t, service, 2) || good(t, command, 2) {
		t.Error("after this process revoked a key")
	}
	if n := reads.Load(); n != 4 {
		t.Errorf("keys were read %d times, want once after each change", n)
	}
	// What was refused has changed nothing, and is no harm.
	if _, err := command.CreateKey(t.Context(), 999, keyOf(3)); !errors.Is(err, partner.ErrNotFound) {
		t.Error(err)
	}
	if good(t, service, 3) || good(t, service, 1) {
		t.Error("after a refusal")
	}
}

// TestKeysKilled has a process die while it changes keys, before and after its
// commit.
func TestKeysKilled(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	service := openForTest(t, folder)
	reads := counted(service)
	p, first, err := service.CreatePartner(t.Context(), "Shop", keyOf(1))
	if err != nil {
		t.Fatal(err)
	}
	if !good(t, service, 1) {
		t.Error("the key is refused")
	}
	if err := service.keys.settle(true); err != nil { // as it does when it begins
		t.Fatal(err)
	}
	if !good(t, service, 1) {
		t.Error("before the commit")
	}
	if err := service.ExecForTest(t.Context(), `UPDATE api_keys SET revoked_at = 1 WHERE id = ?`, first.ID); err != nil {
		t.Fatal(err)
	}
	if good(t, service, 1) {
		t.Error("after the commit")
	}
	if n := reads.Load(); n != 1 {
		t.Errorf("keys were read %d times while they were being changed", n-1)
	}
	// The next change, and the next start, bring it in order again.
	if _, err := service.CreateKey(t.Context(), p.ID, keyOf(2)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if good(t, service, 1) || !good(t, service, 2) || reads.Load() != 2 {
			t.Errorf("after another change: %d reads", reads.Load())
		}
	}
	if err := service.keys.settle(true); err != nil {
		t.Fatal(err)
	}
	openForTest(t, folder)
	for range 2 {
		if good(t, service, 1) || !good(t, service, 2) || reads.Load() != 3 {
			t.Errorf("after another start: %d reads", reads.Load())
		}
	}
}

// TestKeysByOtherMeans changes the database without telling: that counts too,
// somewhat later.
func TestKeysByOtherMeans(t *testing.T) {
	t.Parallel()
	db := openForTest(t, t.TempDir())
	if _, _, err := db.CreatePartner(t.Context(), "Shop", keyOf(1)); err != nil {
		t.Fatal(err)
	}
	db.keys.trusted = time.Hour
	if !good(t, db, 1) {
		t.Error("the key is refused")
	}
	if err := db.ExecForTest(t.Context(), `UPDATE api_keys SET revoked_at = 1`); err != nil {
		t.Fatal(err)
	}
	if !good(t, db, 1) {
		t.Error("keys are read though they are trusted")
	}
	db.keys.trusted = 0
	if good(t, db, 1) {
		t.Error("keys are never read again")
	}
}

// TestKeysMissing removes the file that says whether keys have changed: then the
// database is asked, and the next start makes it.
func TestKeysMissing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	db := openForTest(t, folder)
	if _, _, err := db.CreatePartner(t.Context(), "Shop", keyOf(1)); err != nil {
		t.Fatal(err)
	}
	if !good(t, db, 1) {
		t.Error("the key is refused")
	}
	if err := os.Remove(db.keys.path); err != nil {
		t.Fatal(err)
	}
	if !good(t, db, 1) {
		t.Error("without the file, the key is refused")
	}
	if err := db.ExecForTest(t.Context(), `UPDATE api_keys SET revoked_at = 1`); err != nil {
		t.Fatal(err)
	}
	if good(t, db, 1) {
		t.Error("without the file, keys are trusted")
	}
	if again := openForTest(t, folder); good(t, again, 1) || good(t, db, 1) {
		t.Error("after a start")
	}
}

// TestKeysRace revokes keys in one process while many ask in another: none is
// accepted once the revocation has returned.
func TestKeysRace(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	service, command := openForTest(t, folder), openForTest(t, folder)
	p, _, err := command.CreatePartner(t.Context(), "Shop", keyOf(0))
	if err != nil {
		t.Fatal(err)
	}
	const keys = 20
	var state [keys + 1]atomic.Int32 // 1: made, 2: revoked
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for n := byte(1); ; n = n%keys + 1 {
				select {
				case <-stop:
					return
				default:
				}
				before := state[n].Load()
				is := good(t, service, n)
				if after := state[n].Load(); before == 2 && is || before == 1 && after == 1 && !is {
					t.Errorf("key %d, in state %d: good is %v", n, before, is)
				}
			}
		})
	}
	for n := byte(1); n <= keys; n++ {
		k, err := command.CreateKey(t.Context(), p.ID, keyOf(n))
		if err != nil {
			t.Fatal(err)
		}
		state[n].Store(1)
		if n%2 == 0 {
			state[n].Store(0) // on the way
			if err := command.RevokeKey(t.Context(), k.ID, time.Now()); err != nil {
				t.Fatal(err)
			}
			state[n].Store(2)
		}
	}
	close(stop)
	wg.Wait()
}
