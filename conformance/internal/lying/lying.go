// Package lying is a server that keeps its contract, openapi.yaml in this folder,
// in every respect but one: with a fault of the catalogue's classes switched on it
// breaks exactly that class, at one of several places, which the seed picks. With
// none it is the control: whatever is found in it is a false alarm.
//
// It is what the conformance runner is tested against, and knows nothing of it. A
// request is read from the connection (front.go), routed, authenticated and
// validated by the contract (route.go, auth.go, params.go, validate.go), answered
// by the operation's handler, and the answer written as bytes. Faults of what is
// let in are where it is let in; those of what is given out are made at the end of
// an answer that is right (lies_*.go), so that a handler is seldom more than what
// it does when it is honest. Nothing that a client library would repair is
// repaired: connections are served by this package, not by net/http.
//
// Everything is in memory and of one process; all handlers run under one lock,
// which only faults of concurrency let go.
package lying

import (
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Credentials. Each is accepted as X-API-Key and as a bearer token; [PinA] and
// [PinB] go with the first of them where the contract wants both.
const (
	KeyA       = "key-of-the-first-tenant-0001"
	KeyB       = "key-of-the-second-tenant-002"
	KeyLow     = "key-of-a-clerk-00000000" // of the first tenant, without the role admin
	KeyExpired = "key-of-yesterday-000000"
	PinA       = "pin-4711"
	PinB       = "pin-0815"
)

// Server is a server that listens on the loopback interface.
type Server struct {
	URL string // without a slash at the end

	doc *document
	lie lie
	ln  net.Listener
	h2  *http.Server
	h2c chan net.Conn

	closing chan struct{}
	wg      sync.WaitGroup
	connMu  sync.Mutex
	conns   map[net.Conn]bool

	mu sync.Mutex // guards what follows
	state
}

// lie is what is broken, and where.
type lie struct {
	class, place string
	pick         uint64 // what the seed has left for choices within the place
}

// New starts a server that breaks the class of the catalogue, e.g. E3, at a place
// that the seed picks; an empty class breaks nothing. A class that does not exist
// or is not wired is an error.
func New(seed uint64, class string) (*Server, error) {
	doc, err := loadDocument()
	if err != nil {
		return nil, err
	}
	s := &Server{doc: doc, closing: make(chan struct{}), conns: map[net.Conn]bool{}, h2c: make(chan net.Conn)}
	s.state = newState(seed)
	if class != "" {
		places := doc.places(class)
		if len(places) == 0 {
			return nil, fmt.Errorf("class %s is not wired", class)
		}
		n := uint64(len(places))
		s.lie = lie{class: class, place: places[seed%n], pick: seed/n + seed%n}
	}
	s.ln, err = net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it is closed by Close
	if err != nil {
		return nil, fmt.Errorf("cannot listen: %w", err)
	}
	s.URL = "http://" + s.ln.Addr().String()
	s.startHTTP2()
	s.wg.Go(s.accept)
	return s, nil
}

// Place says where the class is broken, in words of this package; empty: nowhere.
func (s *Server) Place() string { return s.lie.place }

// Close ends the server and its connections.
func (s *Server) Close() error {
	close(s.closing)
	err := s.ln.Close()
	s.connMu.Lock()
	for c := range s.conns {
		_ = c.Close()
	}
	s.connMu.Unlock()
	if e := s.h2.Close(); err == nil {
		err = e
	}
	s.wg.Wait()
	if err != nil {
		return fmt.Errorf("cannot close: %w", err)
	}
	return nil
}

// lies says whether the class is the one that is broken, and this the place.
func (s *Server) lies(class, place string) bool {
	return s.lie.class == class && s.lie.place == place
}

// pause lets others in for a moment in which they should not be. The lock must be
// held.
func (s *Server) pause() {
	s.mu.Unlock()
	s.wait(150 * time.Millisecond)
	s.mu.Lock()
}

// wait waits, but not for longer than the server lives.
func (s *Server) wait(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.closing:
	}
}
