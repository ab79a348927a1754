package mail

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	gosmtp "github.com/wneessen/go-mail/smtp"

	"cryptoexchange.com/escrow/impl/internal/outbox"
)

// Limits of time. RFC 5321, section 4.5.3.2, has longer ones, for servers that
// look at a message while they are asked; the last is the longest here too,
// since an answer that is not waited for is a second e-mail.
const (
	replyTimeout = 30 * time.Second
	finalTimeout = 3 * time.Minute
)

// SMTPParams are what an [SMTP] needs.
type SMTPParams struct {
	Server   Server
	Composer *Composer
	Logger   *slog.Logger
	// Roots are the authorities that the server's certificate may come from;
	// nil for the system's.
	Roots *x509.CertPool
	// Timeout is how long to wait for each reply; 0 for 30 seconds, and three
	// minutes for the last.
	Timeout time.Duration
}

// SMTP is a [outbox.Sender] that hands each e-mail to a mail server (RFC 5321,
// RFC 6409), over a connection of its own: what one message does to a connection
// is no other message's problem.
//
// It is built of go-mail's SMTP commands, not on its client: the client closes no
// connection that fails before the first message, takes a failure after the
// server's last word for a failure of the message, and tells a refused recipient
// from a refused user by text only.
type SMTP struct {
	p     SMTPParams
	tls   *tls.Config
	reply time.Duration
	final time.Duration
}

var _ outbox.Sender = (*SMTP)(nil)

// NewSMTP makes a sender. It connects to nothing.
func NewSMTP(p SMTPParams) *SMTP {
	return &SMTP{
		p:     p,
		tls:   &tls.Config{ServerName: p.Server.host, RootCAs: p.Roots, MinVersion: tls.VersionTLS12},
		reply: cmp.Or(p.Timeout, replyTimeout),
		final: cmp.Or(p.Timeout, finalTimeout),
	}
}

// Send implements [outbox.Sender]. When it returns nil, the server has taken the
// message over.
func (s *SMTP) Send(ctx context.Context, m outbox.Message) error {
	message, err := s.p.Composer.Compose(m)
	if err != nil {
		return err
	}
	to, err := deliverable(m.To)
	if err != nil {
		return &outbox.PermanentError{Err: err}
	}
	if err := s.deliver(ctx, to, message); err != nil {
		return err
	}
	s.p.Logger.InfoContext(ctx, "e-mail sent", slog.String("message_id", m.ID), slog.String("kind", m.Kind))
	return nil
}

func (s *SMTP) deliver(ctx context.Context, to string, message []byte) error {
	conn, at, err := s.connect(ctx)
	if err != nil {
		return failed(at, err)
	}
	defer func() { _ = conn.Close() }() // nothing is lost by then
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	at, err = s.talk(conn, to, message)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil { // that is why it failed
		err = ctx.Err()
	}
	return failed(at, err)
}

// connect opens a connection, with TLS if it begins with TLS.
func (s *SMTP) connect(ctx context.Context) (*patient, stage, error) {
	dialer := net.Dialer{Timeout: s.reply}
	raw, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(s.p.Server.host, s.p.Server.port))
	if err != nil {
		return nil, atConnect, err
	}
	conn := &patient{Conn: raw, patience: s.reply}
	if s.p.Server.protection != implicitTLS {
		return conn, "", nil
	}
	secured := tls.Client(conn, s.tls)
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, atTLS, errors.Join(err, conn.Close())
	}
	conn.secured = secured
	return conn, "", nil
}

// patient is a connection that waits so long for each piece of data.
type patient struct {
	net.Conn
	patience time.Duration
	secured  *tls.Conn // around this one; nil if TLS does not begin here
}

func (p *patient) Read(b []byte) (int, error) {
	if err := p.SetReadDeadline(time.Now().Add(p.patience)); err != nil {
		return 0, err
	}
	return p.Conn.Read(b)
}

func (p *patient) Write(b []byte) (int, error) {
	if err := p.SetWriteDeadline(time.Now().Add(p.patience)); err != nil {
		return 0, err
	}
	return p.Conn.Write(b)
}

// talk has the dialogue. It returns the stage at which it failed, and nil once
// the server has said that it takes the message over.
func (s *SMTP) talk(conn *patient, to string, message []byte) (stage, error) {
	client, at, err := s.begin(conn)
	if err != nil {
		return at, err
	}
	from := s.p.Composer.sender
	international := !isASCII(from) || !isASCII(to)
	if offered, _ := client.Extension("SMTPUTF8"); international && !offered {
		return atMail, fmt.Errorf("%w: the address needs SMTPUTF8 (RFC 6531), which the mail server does not offer", errPermanent)
	}
	// A message that is marked as international needs servers that are, all the
	// way; the others are not marked.
	client.SkipSMTPUTF8(!international)
	if err := client.Mail("<" + from + ">"); err != nil {
		return atMail, err
	}
	if err := client.Rcpt("<" + to + ">"); err != nil {
		return atRcpt, err
	}
	w, err := client.Data()
	if err != nil {
		return atData, err
	}
	if _, err := w.Write(message); err != nil {
		return atData, err
	}
	conn.patience = s.final
	if err := w.Close(); err != nil {
		return atEnd, err
	}
	// The answer is not waited for: until the worker has recorded that the
	// message is sent, each moment is one in which a crash sends it again.
	_, _ = client.Text.Cmd("QUIT")
	return "", nil
}

// begin brings a session to where a message can be sent.
func (s *SMTP) begin(conn *patient) (*gosmtp.Client, stage, error) {
	var wire net.Conn = conn
	if conn.secured != nil {
		wire = conn.secured
	}
	client, err := gosmtp.NewClient(wire, s.p.Server.host)
	if err != nil {
		return nil, atGreeting, err
	}
	if err := client.Hello(domain(s.p.Composer.sender)); err != nil {
		return nil, atHello, err
	}
	if at, err := s.secure(client); err != nil {
		return nil, at, err
	}
	if s.p.Server.user != "" {
		if err := s.authenticate(client); err != nil {
			return nil, atAuth, err
		}
	}
	return client, "", nil
}

// secure begins TLS inside the session, if it is to.
func (s *SMTP) secure(client *gosmtp.Client) (stage, error) {
	offered, _ := client.Extension("STARTTLS")
	switch s.p.Server.protection {
	case implicitTLS, inTheClear:
		return "", nil
	case opportunistic:
		if !offered {
			return "", nil
		}
	case startTLS:
		if !offered {
			return atStartTLS, fmt.Errorf("%w: the server does not offer it; use smtps:// if it begins with TLS, or say ?tls=none to send in the clear", errSetup)
		}
	}
	return atStartTLS, client.StartTLS(s.tls)
}

// authenticate proves who we are (RFC 4954), in the way that the server offers
// and that tells it the least. Without TLS, the ways that tell the password are
// not used but to this same machine.
func (s *SMTP) authenticate(client *gosmtp.Client) error {
	_, list := client.Extension("AUTH")
	offered := strings.Fields(strings.ToUpper(list))
	user, password, host := s.p.Server.user, string(s.p.Server.password), s.p.Server.host
	for _, way := range []struct {
		name string
		auth func() gosmtp.Auth
	}{
		{"SCRAM-SHA-256", func() gosmtp.Auth { return gosmtp.ScramSHA256Auth(user, password) }},
		{"SCRAM-SHA-1", func() gosmtp.Auth { return gosmtp.ScramSHA1Auth(user, password) }},
		{"CRAM-MD5", func() gosmtp.Auth { return gosmtp.CRAMMD5Auth(user, password) }},
		{"PLAIN", func() gosmtp.Auth { return gosmtp.PlainAuth("", user, password, host, false) }},
		{"LOGIN", func() gosmtp.Auth { return gosmtp.LoginAuth(user, password, host, false) }},
	} {
		if slices.Contains(offered, way.name) {
			return client.Auth(way.auth())
		}
	}
	return fmt.Errorf("%w: the server offers no way to authenticate that is known here", errSetup)
}
