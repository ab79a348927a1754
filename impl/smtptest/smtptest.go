// Package smtptest has a mail server for tests. It keeps what it accepts, notes
// whether its last word reached the connection, and fails at whatever stage of
// the dialogue it is told to: it may be slow, answer with an error, or hang up.
//
//	accept --Connect--> 220 --Hello--> 250 --Auth--> 235 --Mail--> 250
//	    --Rcpt--> 250 --Data--> 354 --Content--> (reads) --End--> 250
//
// At each arrow it asks what to do. At End it has the whole message: unless it
// answers with an error it has accepted it, even if it then hangs up.
package smtptest

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Stage is a moment in the dialogue.
type Stage string

// The stages, in order.
const (
	Connect Stage = "connect"
	Hello   Stage = "EHLO"
	Auth    Stage = "AUTH"
	Mail    Stage = "MAIL"
	Rcpt    Stage = "RCPT"
	Data    Stage = "DATA"
	Content Stage = "content"
	End     Stage = "end of data"
)

// Action is what the server does at a stage; the zero value is to go on.
type Action struct {
	Delay time.Duration // first of all
	Drop  bool          // hang up
	Code  int           // answer with this error, 4xx or 5xx
}

// Config says how the server is.
type Config struct {
	TLS      *tls.Config // nil for none
	Implicit bool        // TLS from the beginning instead of STARTTLS
	User     string      // empty to let everybody send
	Password string
	SMTPUTF8 bool
	// Act says what to do at a stage of a session; nil to go on always. It is
	// called by many sessions at once.
	Act func(session int, stage Stage) Action
}

// Delivery is a message that the server has accepted.
type Delivery struct {
	Session   int
	At        time.Time // accepted
	Confirmed bool      // the final 250 went out without an error
	From, To  string
	UTF8      bool // marked as SMTPUTF8
	TLS       bool
	User      string // who was authenticated
	Data      []byte
}

// Server is a server that runs until the test ends.
type Server struct {
	Addr string // host:port

	config Config
	server *smtp.Server

	mu         sync.Mutex
	sessions   map[string]*conn // guarded by mu; by the client's address
	count      int              // guarded by mu
	deliveries []*Delivery      // guarded by mu
}

// Start runs a server.
func Start(tb testing.TB, c Config) *Server {
	tb.Helper()
	raw, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	s := &Server{Addr: raw.Addr().String(), config: c, sessions: make(map[string]*conn)}
	s.server = smtp.NewServer(smtp.BackendFunc(s.newSession))
	s.server.Domain = "mail.example.com"
	s.server.AllowInsecureAuth = true
	s.server.EnableSMTPUTF8 = c.SMTPUTF8
	s.server.ErrorLog = silent{}
	if !c.Implicit {
		s.server.TLSConfig = c.TLS
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.server.Serve(&listener{raw, s})
	}()
	tb.Cleanup(func() {
		_ = s.server.Close()
		<-done
	})
	return s
}

// Deliveries gives what was accepted so far, in order.
func (s *Server) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Delivery, len(s.deliveries))
	for i, d := range s.deliveries {
		list[i] = *d
	}
	return list
}

// Sessions tells how many connections there were.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

func (s *Server) act(session int, stage Stage) Action {
	if s.config.Act == nil {
		return Action{}
	}
	a := s.config.Act(session, stage)
	if a.Delay > 0 {
		<-time.After(a.Delay)
	}
	return a
}

type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

// listener gives each connection its number.
type listener struct {
	net.Listener
	s *Server
}

func (l *listener) Accept() (net.Conn, error) {
	raw, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	l.s.count++
	c := &conn{Conn: raw, s: l.s, session: l.s.count, fresh: true}
	l.s.sessions[raw.RemoteAddr().String()] = c
	if l.s.config.Implicit {
		return tls.Server(c, l.s.config.TLS), nil
	}
	return c, nil
}

// conn sees the replies that the library gives no say in.
type conn struct {
	net.Conn
	s       *Server
	session int
	fresh   bool      // nothing was written yet
	ending  *Delivery // accepted, and not yet confirmed
}

// Write acts before the greeting and before the reply to DATA, and sees whether
// the final reply goes out.
func (c *conn) Write(b []byte) (int, error) {
	stage := Stage("")
	switch {
	case c.fresh:
		stage, c.fresh = Connect, false
	case bytes.HasPrefix(b, []byte("354 ")):
		stage = Data
	}
	if stage != "" {
		a := c.s.act(c.session, stage)
		switch {
		case a.Drop:
			_ = c.Close()
			return 0, net.ErrClosed
		case a.Code != 0:
			if _, err := c.Conn.Write(fmt.Appendf(nil, "%d %d.3.0 not now, someone@example.com\r\n", a.Code, a.Code/100)); err != nil {
				return 0, err
			}
			return len(b), nil
		}
	}
	if c.ending == nil {
		return c.Conn.Write(b)
	}
	// Whoever has read the reply must not find that it was not written.
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	n, err := c.Conn.Write(b)
	c.ending.Confirmed = err == nil
	c.ending = nil
	return n, err
}

// Close forgets the connection.
func (c *conn) Close() error {
	c.s.mu.Lock()
	delete(c.s.sessions, c.RemoteAddr().String())
	c.s.mu.Unlock()
	return c.Conn.Close()
}

// session is the library's view of a connection.
type session struct {
	s        *Server
	smtp     *smtp.Conn
	conn     *conn
	user     string
	from, to string
	utf8     bool
}

func (s *Server) newSession(c *smtp.Conn) (smtp.Session, error) {
	s.mu.Lock()
	found := s.sessions[c.Conn().RemoteAddr().String()]
	s.mu.Unlock()
	made := &session{s: s, smtp: c, conn: found}
	return made, made.act(Hello)
}

func (s *session) act(stage Stage) error {
	a := s.s.act(s.conn.session, stage)
	switch {
	case a.Drop:
		_ = s.conn.Close()
		return smtp.ErrServerClosed
	case a.Code != 0:
		// Servers repeat the recipient.
		return &smtp.SMTPError{Code: a.Code, EnhancedCode: smtp.EnhancedCode{a.Code / 100, 2, 1}, Message: "not now, " + s.to}
	}
	return nil
}

// AuthMechanisms implements [smtp.AuthSession].
func (s *session) AuthMechanisms() []string {
	if s.s.config.User == "" {
		return nil
	}
	return []string{sasl.Plain, sasl.Login}
}

// Auth implements [smtp.AuthSession].
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if err := s.act(Auth); err != nil {
			return err
		}
		if user != s.s.config.User || password != s.s.config.Password {
			return smtp.ErrAuthFailed
		}
		s.user = user
		return nil
	}), nil
}

// Mail implements [smtp.Session].
func (s *session) Mail(from string, o *smtp.MailOptions) error {
	if s.s.config.User != s.user {
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "authenticate first"}
	}
	s.from, s.utf8 = from, o.UTF8
	return s.act(Mail)
}

// Rcpt implements [smtp.Session].
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	return s.act(Rcpt)
}

// Data implements [smtp.Session].
func (s *session) Data(r io.Reader) error {
	if err := s.act(Content); err != nil {
		return err
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return err // the client died
	}
	_, secured := s.smtp.TLSConnectionState()
	d := &Delivery{Session: s.conn.session, At: time.Now(), From: s.from, To: s.to, UTF8: s.utf8, TLS: secured, User: s.user, Data: data}
	a := s.s.act(s.conn.session, End)
	if a.Code != 0 {
		return &smtp.SMTPError{Code: a.Code, EnhancedCode: smtp.EnhancedCode{a.Code / 100, 6, 0}, Message: "not now, " + s.to}
	}
	s.s.mu.Lock()
	s.s.deliveries = append(s.s.deliveries, d)
	s.s.mu.Unlock()
	if a.Drop {
		_ = s.conn.Close()
		return smtp.ErrServerClosed
	}
	s.conn.ending = d
	return nil
}

// Reset implements [smtp.Session].
func (s *session) Reset() { s.from, s.to = "", "" }

// Logout implements [smtp.Session].
func (s *session) Logout() error { return nil }
