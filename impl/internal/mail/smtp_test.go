package mail_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"cryptoexchange.com/escrow/impl/internal/mail"
	"cryptoexchange.com/escrow/impl/internal/outbox"
	"cryptoexchange.com/escrow/impl/smtptest"
)

// patience is how long the sender under test waits for a reply, and too is what
// a server takes that is too slow.
const (
	patience = 700 * time.Millisecond
	too      = 2 * time.Second
)

// kindOf says what an error means for the worker.
func kindOf(err error) string {
	switch {
	case err == nil:
		return "sent"
	case errors.As(err, new(*outbox.PermanentError)):
		return "permanent"
	case errors.As(err, new(*outbox.SetupError)):
		return "set-up"
	}
	return "temporary"
}

func smtpSender(t *testing.T, url string, roots *x509.CertPool, log *bytes.Buffer) *mail.SMTP {
	t.Helper()
	server, err := mail.ParseServer(mail.ServerURL(url), "")
	if err != nil {
		t.Fatal(err)
	}
	return mail.NewSMTP(mail.SMTPParams{
		Server: server, Composer: composer(t), Logger: slog.New(slog.NewTextHandler(log, nil)), Roots: roots, Timeout: patience,
	})
}

// TestSMTPFaults has a server that fails at each stage in each way.
func TestSMTPFaults(t *testing.T) {
	t.Parallel()
	drop, slow := smtptest.Action{Drop: true}, smtptest.Action{Delay: too}
	reply := func(code int) smtptest.Action { return smtptest.Action{Code: code} }
	for _, tt := range []struct {
		stage    smtptest.Stage
		action   smtptest.Action
		kind     string
		err      string
		accepted int
	}{
		{"", smtptest.Action{}, "sent", "", 1},
		{smtptest.Connect, drop, "temporary", "greeting: the server closed the connection", 0},
		{smtptest.Connect, slow, "temporary", "greeting: timed out", 0},
		{smtptest.Connect, reply(421), "temporary", "greeting: 421 4.3.0", 0},
		{smtptest.Connect, reply(554), "set-up", "greeting: 554 5.3.0", 0},
		{smtptest.Hello, drop, "temporary", "EHLO: the server closed the connection", 0},
		{smtptest.Hello, slow, "temporary", "EHLO: timed out", 0},
		{smtptest.Hello, reply(451), "temporary", "EHLO: 451 4.2.1", 0},
		{smtptest.Hello, reply(550), "set-up", "EHLO: 550 5.2.1", 0},
		{smtptest.Auth, drop, "temporary", "AUTH: the server closed the connection", 0},
		{smtptest.Auth, slow, "temporary", "AUTH: timed out", 0},
		{smtptest.Auth, reply(454), "temporary", "AUTH: 454 4.2.1", 0},
		{smtptest.Auth, reply(535), "set-up", "AUTH: 535 5.2.1", 0},
		{smtptest.Mail, drop, "temporary", "MAIL: the server closed the connection", 0},
		{smtptest.Mail, slow, "temporary", "MAIL: timed out", 0},
		{smtptest.Mail, reply(452), "temporary", "MAIL: 452 4.2.1", 0},
		{smtptest.Mail, reply(550), "set-up", "MAIL: 550 5.2.1", 0},
		{smtptest.Rcpt, drop, "temporary", "RCPT: the server closed the connection", 0},
		{smtptest.Rcpt, slow, "temporary", "RCPT: timed out", 0},
		{smtptest.Rcpt, reply(450), "temporary", "RCPT: 450 4.2.1", 0},
		{smtptest.Rcpt, reply(550), "permanent", "RCPT: 550 5.2.1", 0},
		{smtptest.Rcpt, reply(530), "set-up", "RCPT: 530 5.2.1", 0},
		{smtptest.Data, drop, "temporary", "DATA: the server closed the connection", 0},
		{smtptest.Data, slow, "temporary", "DATA: timed out", 0},
		{smtptest.Data, reply(451), "temporary", "DATA: 451 4.3.0", 0},
		{smtptest.Data, reply(554), "permanent", "DATA: 554 5.3.0", 0},
		{smtptest.Content, drop, "temporary", "the server closed the connection", 0},
		{smtptest.Content, slow, "temporary", "end of data: timed out", 1}, // it is accepted when nobody waits any more
		{smtptest.End, drop, "temporary", "end of data: the server closed the connection", 1},
		{smtptest.End, slow, "temporary", "end of data: timed out", 1},
		{smtptest.End, reply(452), "temporary", "end of data: 452 4.6.0", 0},
		{smtptest.End, reply(554), "permanent", "end of data: 554 5.6.0", 0},
	} {
		t.Run(fmt.Sprintf("%s %+v", tt.stage, tt.action), func(t *testing.T) {
			t.Parallel()
			s := smtptest.Start(t, smtptest.Config{User: "johny", Password: "p@ss", Act: func(_ int, stage smtptest.Stage) smtptest.Action {
				if stage == tt.stage {
					return tt.action
				}
				return smtptest.Action{}
			}})
			var log bytes.Buffer
			err := smtpSender(t, "smtp://johny:p%40ss@"+s.Addr+"?tls=none", nil, &log).Send(t.Context(), introduction("Johny", "Shop"))
			if got := kindOf(err); got != tt.kind || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: %v; want %s: %s", got, err, tt.kind, tt.err)
			}
			if text := fmt.Sprint(err, &log); strings.Contains(text, "example.com") || strings.Contains(text, "not now") || strings.Contains(text, "p@ss") {
				t.Errorf("it tells too much: %s", text)
			}
			for deadline := time.Now().Add(5 * time.Second); len(s.Deliveries()) < tt.accepted && time.Now().Before(deadline); {
				<-time.After(5 * time.Millisecond)
			}
			if got := len(s.Deliveries()); got != tt.accepted {
				t.Errorf("%d accepted, want %d", got, tt.accepted)
			}
		})
	}
}

func TestSMTPRefusedConnection(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	err = smtpSender(t, "smtp://"+address, nil, new(bytes.Buffer)).Send(t.Context(), introduction("A", "Shop"))
	if kindOf(err) != "temporary" || err.Error() != "connect: connection refused" {
		t.Errorf("%v", err)
	}
	err = smtpSender(t, "smtp://no-such-host.invalid", nil, new(bytes.Buffer)).Send(t.Context(), introduction("A", "Shop"))
	if kind := kindOf(err); kind != "set-up" && kind != "temporary" { // some resolvers do not say no
		t.Errorf("%s: %v", kind, err)
	}
}

// TestSMTPNotSMTP connects to something else.
func TestSMTPNotSMTP(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("HTTP/1.1 400 for johny.smith@example.com\r\n"))
			_ = c.Close()
		}
	}()
	for url, want := range map[string]string{
		"smtp://" + listener.Addr().String():  "greeting: the server's answer is not SMTP",
		"smtps://" + listener.Addr().String(): "TLS: the server does not speak TLS here",
	} {
		if err := smtpSender(t, url, nil, new(bytes.Buffer)).Send(t.Context(), introduction("A", "Shop")); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestSMTPSecured(t *testing.T) {
	t.Parallel()
	config, roots, _ := smtptest.Authority(t)
	elsewhere, elsewhereRoots, _ := smtptest.Authority(t, "elsewhere.example")
	withTLS := smtptest.Config{TLS: config, User: "johny", Password: "secret"}
	implicit := withTLS
	implicit.Implicit = true
	forElsewhere := withTLS
	forElsewhere.TLS = elsewhere
	for _, tt := range []struct {
		name   string
		server smtptest.Config
		url    string
		roots  *x509.CertPool
		kind   string
		err    string
		tls    bool
	}{
		{"STARTTLS", withTLS, "smtp://johny:secret@HOST", roots, "sent", "", true},
		{"opportunistic", withTLS, "smtp://johny:secret@HOST?tls=opportunistic", roots, "sent", "", true},
		{"opportunistic without", smtptest.Config{}, "smtp://HOST?tls=opportunistic", roots, "sent", "", false},
		{"none", withTLS, "smtp://johny:secret@HOST?tls=none", nil, "sent", "", false}, // a password, but to this machine
		{"implicit", implicit, "smtps://johny:secret@HOST", roots, "sent", "", true},
		{"STARTTLS not offered", smtptest.Config{}, "smtp://HOST", roots, "set-up", "STARTTLS: the server does not offer it; use smtps://", false},
		{"unknown authority", withTLS, "smtp://HOST", nil, "set-up", "STARTTLS: the server's certificate is not trusted: its authority is unknown", false},
		{"unknown authority implicit", implicit, "smtps://HOST", nil, "set-up", "TLS: the server's certificate is not trusted: its authority is unknown", false},
		{"unknown authority opportunistic", withTLS, "smtp://HOST?tls=opportunistic", nil, "set-up", "its authority is unknown", false},
		{"another host", forElsewhere, "smtp://HOST", elsewhereRoots, "set-up", "it is not for this host", false},
		{"wrong password", withTLS, "smtp://johny:wrong@HOST", roots, "set-up", "AUTH: 535 5.7.8", false},
		{"no user", withTLS, "smtp://HOST", roots, "set-up", "MAIL: 530 5.7.0", false},
		{"user not wanted", smtptest.Config{TLS: config}, "smtp://johny:secret@HOST", roots, "set-up", "AUTH: the server offers no way to authenticate", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := smtptest.Start(t, tt.server)
			err := smtpSender(t, strings.Replace(tt.url, "HOST", s.Addr, 1), tt.roots, new(bytes.Buffer)).Send(t.Context(), introduction("A", "Shop"))
			if got := kindOf(err); got != tt.kind || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Fatalf("%s: %v; want %s: %s", got, err, tt.kind, tt.err)
			}
			got := s.Deliveries()
			if err != nil {
				if len(got) != 0 {
					t.Errorf("delivered all the same: %+v", got)
				}
				return
			}
			if len(got) != 1 || got[0].User != tt.server.User || got[0].To != "johny.smith@example.com" || got[0].From != "no-reply@cryptoexchange.example" {
				t.Fatalf("%+v", got)
			}
			if got[0].TLS != tt.tls {
				t.Errorf("TLS: %v, want %v", got[0].TLS, tt.tls)
			}
			want, err := composer(t).Compose(introduction("A", "Shop"))
			if err != nil || !bytes.Equal(bytes.TrimSpace(got[0].Data), bytes.TrimSpace(want)) {
				t.Errorf("%v; it arrived as\n%s", err, got[0].Data)
			}
		})
	}
}

// TestSMTPPasswordInTheClear checks that a password is not sent in the clear to
// another machine, whatever that offers.
func TestSMTPPasswordInTheClear(t *testing.T) {
	t.Parallel()
	s := smtptest.Start(t, smtptest.Config{User: "johny", Password: "secret"})
	_, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	// 127.1.1.1 is this machine too, which the sender does not know.
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.1.1.1:"+port)
	if err != nil {
		t.Skipf("this system has one loopback address: %v", err)
	}
	defer listener.Close()
	go relay(t.Context(), listener, s.Addr)
	err = smtpSender(t, "smtp://johny:secret@127.1.1.1:"+port+"?tls=none", nil, new(bytes.Buffer)).Send(t.Context(), introduction("A", "Shop"))
	if kindOf(err) != "set-up" || err.Error() != "AUTH: the password is not sent without TLS" {
		t.Errorf("%v", err)
	}
}

func relay(ctx context.Context, listener net.Listener, to string) {
	for {
		in, err := listener.Accept()
		if err != nil {
			return
		}
		out, err := new(net.Dialer).DialContext(ctx, "tcp", to)
		if err != nil {
			_ = in.Close()
			return
		}
		go func() { defer out.Close(); _, _ = io.Copy(out, in) }()
		go func() { defer in.Close(); _, _ = io.Copy(in, out) }()
	}
}

func TestSMTPInternational(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		to, arrives    string
		offered, marks bool
		kind           string
	}{
		{"josé@müller.example", "josé@müller.example", true, true, "sent"},
		{"josé@müller.example", "", false, false, "permanent"},
		{"jose@müller.example", "jose@xn--mller-kva.example", false, false, "sent"},
		{"jose@example.com", "jose@example.com", true, false, "sent"},
	} {
		s := smtptest.Start(t, smtptest.Config{SMTPUTF8: tt.offered})
		m := introduction("José", "Shop")
		m.To = tt.to
		err := smtpSender(t, "smtp://"+s.Addr+"?tls=none", nil, new(bytes.Buffer)).Send(t.Context(), m)
		if got := kindOf(err); got != tt.kind {
			t.Errorf("%s: %s: %v", tt.to, got, err)
			continue
		}
		if err != nil {
			if !strings.Contains(err.Error(), "SMTPUTF8") || strings.Contains(err.Error(), "jos") {
				t.Errorf("%v", err)
			}
			continue
		}
		if got := s.Deliveries()[0]; got.To != tt.arrives || got.UTF8 != tt.marks {
			t.Errorf("%s arrives as %s, marked %v", tt.to, got.To, got.UTF8)
		}
	}
}

// TestSMTPCancelled checks that a sender does not wait for a server when it is
// told to stop.
func TestSMTPCancelled(t *testing.T) {
	t.Parallel()
	for _, stage := range []smtptest.Stage{smtptest.Connect, smtptest.Rcpt, smtptest.End} {
		ctx, cancel := context.WithCancel(t.Context())
		s := smtptest.Start(t, smtptest.Config{Act: func(_ int, at smtptest.Stage) smtptest.Action {
			if at == stage {
				cancel()
				return smtptest.Action{Delay: too}
			}
			return smtptest.Action{}
		}})
		began := time.Now()
		err := smtpSender(t, "smtp://"+s.Addr+"?tls=none", nil, new(bytes.Buffer)).Send(ctx, introduction("A", "Shop"))
		if kindOf(err) != "temporary" || !strings.Contains(err.Error(), "canceled") || time.Since(began) > patience {
			t.Errorf("%s: %v after %v", stage, err, time.Since(began))
		}
		cancel()
	}
}

func TestParseServer(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"smtp://mail.example.com", "smtp://u:p@[::1]:587/", "smtps://u:p%40@mail.example.com", "smtp://h:25?tls=none", "smtp://h?tls=opportunistic", "smtp://h?tls=starttls"} {
		if _, err := mail.ParseServer(mail.ServerURL(good), ""); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	if _, err := mail.ParseServer("smtp://u@h", "secret"); err != nil {
		t.Error(err)
	}
	for bad, wants := range map[string][]string{
		"mail.example.com:587":         {"smtp://"},
		"http://u:secret@h":            {"it must begin with smtp:// or smtps://"},
		"smtp://":                      {"it names no host"},
		"smtp://u:secret@h:99999":      {"port"},
		"smtp://u:sec#ret@h":           {"percent-encode"},
		"smtp://u:secret@h:587/inbox":  {"nothing after the port"},
		"smtp://u:secret%@h":           {"this is no URL"},
		"smtp://h?tls=secret":          {"tls must be starttls, opportunistic or none"},
		"smtp://h?ssl=secret":          {"the only setting"},
		"smtps://h?tls=none":           {"leave ?tls out"},
		"smtp://u@h":                   {"a user but no password"},
		"smtp://:secret@h":             {"a password but no user"},
		"smtp://u@:0/secret?tls=maybe": {"no host", "port", "nothing after", "tls must be", "no password"},
	} {
		_, err := mail.ParseServer(mail.ServerURL(bad), "")
		for _, want := range wants {
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: %v; want %s", bad, err, want)
			}
		}
	}
	if _, err := mail.ParseServer("smtp://u:p@h", "p"); err == nil || !strings.Contains(err.Error(), "given twice") {
		t.Errorf("%v", err)
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", slog.Any("url", mail.ServerURL("smtp://secret")), slog.Any("password", mail.Password("secret")))
	if text := log.String() + fmt.Sprintf("%v %s %#v %+v", mail.ServerURL("secret"), mail.Password("secret"), mail.Password("secret"), struct{ P mail.Password }{"secret"}); strings.Contains(text, "secret") {
		t.Error(text)
	}
}
