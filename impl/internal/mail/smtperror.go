package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"regexp"
	"strings"
	"syscall"

	gosmtp "github.com/wneessen/go-mail/smtp"

	"cryptoexchange.com/escrow/impl/internal/outbox"
)

// stage is a step of the dialogue with a mail server.
type stage string

// The stages, in order.
const (
	atConnect  stage = "connect"
	atTLS      stage = "TLS"
	atGreeting stage = "greeting"
	atHello    stage = "EHLO"
	atStartTLS stage = "STARTTLS"
	atAuth     stage = "AUTH"
	atMail     stage = "MAIL"
	atRcpt     stage = "RCPT"
	atData     stage = "DATA"
	atEnd      stage = "end of data" // the server's last word
)

// ofMessage tells whether an answer at this stage is about the message; else it
// is about us.
func (s stage) ofMessage() bool { return s == atRcpt || s == atData || s == atEnd }

// RFC 4954, section 6: the server wants us to authenticate, or to do so
// otherwise, whatever it was asked.
var aboutAuthentication = map[int]bool{530: true, 534: true, 535: true, 538: true}

// enhanced is a status code of RFC 3463 at the beginning of a reply.
var enhanced = regexp.MustCompile(`^[245]\.\d{1,3}\.\d{1,3}\b`)

// failed says at which stage a dialogue failed and how, and whether it is any use
// to try again. Of what the server said only codes are kept: the text may repeat
// the recipient's address.
func failed(at stage, err error) error {
	var reply *textproto.Error
	if !errors.As(err, &reply) {
		return failedWithout(at, err)
	}
	text := fmt.Sprintf("%s: %d", at, reply.Code)
	if code := enhanced.FindString(reply.Msg); code != "" {
		text += " " + code
	}
	result := errors.New(text)
	switch {
	case reply.Code < 500:
		return result
	case at.ofMessage() && !aboutAuthentication[reply.Code]:
		return &outbox.PermanentError{Err: result}
	}
	return &outbox.SetupError{Err: result}
}

// failedWithout says how a dialogue failed without a reply.
func failedWithout(at stage, err error) error {
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var dns *net.DNSError
	var timeout net.Error
	setup := func(what string) error { return &outbox.SetupError{Err: fmt.Errorf("%s: %s", at, what)} }
	switch {
	case errors.Is(err, gosmtp.ErrUnencrypted):
		return setup("the password is not sent without TLS")
	case errors.As(err, &certificate):
		return setup("the server's certificate is not trusted: " + certificateFault(certificate.Err))
	case errors.As(err, &record):
		return setup("the server does not speak TLS here")
	case errors.As(err, &alert):
		return setup("the server refused TLS: " + alert.Error())
	case errors.As(err, &dns) && dns.IsNotFound:
		return setup("there is no such host")
	case errors.Is(err, errSetup):
		return setup(strings.TrimPrefix(err.Error(), errSetup.Error()+": "))
	case errors.Is(err, errPermanent):
		return &outbox.PermanentError{Err: fmt.Errorf("%s: %s", at, strings.TrimPrefix(err.Error(), errPermanent.Error()+": "))}
	}
	what := "the connection failed"
	switch {
	case errors.Is(err, context.Canceled):
		what = "canceled"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		what = "timed out"
	case errors.Is(err, syscall.ECONNREFUSED):
		what = "connection refused"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		what = "the server closed the connection"
	case errors.As(err, new(textproto.ProtocolError)):
		what = "the server's answer is not SMTP"
	case at == atConnect:
		what = err.Error() // has the server's address and no other
	}
	return fmt.Errorf("%s: %s", at, what)
}

func certificateFault(err error) string {
	var host x509.HostnameError
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &host):
		return "it is not for this host"
	case errors.As(err, &authority):
		return "its authority is unknown"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "it has expired or is not valid yet"
	}
	return "it is not valid"
}

// Marks of what was found out on our side: what only an operator can mend, and
// what nobody can.
var (
	errSetup     = errors.New("set-up")
	errPermanent = errors.New("permanent")
)
