package customer

import (
	"context"
	"errors"
	"testing"
	"time"
)

// heldStore lets a creation wait, to look at what happens meanwhile.
type heldStore struct {
	Store
	entered, release chan struct{}
}

func (s heldStore) Create(context.Context, Creation) (Created, error) {
	s.entered <- struct{}{}
	<-s.release
	return Created{}, nil
}

// TestKeyInUse checks that a repetition is told to come back while the first
// request is under way, and only then.
func TestKeyInUse(t *testing.T) {
	t.Parallel()
	store := heldStore{entered: make(chan struct{}, 3), release: make(chan struct{})}
	s := NewService(Params{
		Store:        store,
		Now:          time.Now,
		NewID:        func() string { return "" },
		NewLink:      func(string, string, time.Time) (Link, error) { return Link{}, nil },
		Fingerprints: plain{},
		Queued:       func() {},
	})
	results := make(chan error, 3)
	create := func(partnerID int64, key string) {
		_, err := s.Create(context.Background(), partnerID, Draft{Email: "a@example.com"}, key)
		results <- err
	}
	go create(1, "k")
	<-store.entered
	create(1, "k")
	if err := <-results; !errors.Is(err, ErrKeyInUse) {
		t.Errorf("during the first request: %v", err)
	}
	// Another partner's key, and another key, are others.
	go create(2, "k")
	<-store.entered
	go create(1, "k2")
	<-store.entered
	close(store.release)
	for range 3 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	create(1, "k")
	if err := <-results; err != nil {
		t.Errorf("after the first request: %v", err)
	}
}

// plain makes fingerprints without a key.
type plain struct{}

func (plain) Fingerprint(digest []byte) ([]byte, error) { return digest, nil }

func (plain) Same(fingerprint, digest []byte) bool { return string(fingerprint) == string(digest) }
