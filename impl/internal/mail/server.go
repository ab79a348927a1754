package mail

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
)

// ServerURL says where a mail server is, how to reach it, and who we are to it:
//
//	smtp://user:password@host:587          STARTTLS (RFC 3207), required
//	smtps://user:password@host:465         TLS from the beginning (RFC 8314)
//	smtp://host:25?tls=opportunistic       STARTTLS if the server offers it
//	smtp://host:25?tls=none                in the clear
//
// It is a secret, and does not print itself.
type ServerURL string

const redacted = "[redacted]"

// String hides the URL.
func (ServerURL) String() string { return redacted }

// GoString hides the URL.
func (ServerURL) GoString() string { return redacted }

// LogValue hides the URL.
func (ServerURL) LogValue() slog.Value { return slog.StringValue(redacted) }

// Password is a password for a mail server. It does not print itself.
type Password string

// String hides the password.
func (Password) String() string { return redacted }

// GoString hides the password.
func (Password) GoString() string { return redacted }

// LogValue hides the password.
func (Password) LogValue() slog.Value { return slog.StringValue(redacted) }

// protection is how the connection to a server is protected.
type protection int

const (
	startTLS      protection = iota // or nothing is sent
	implicitTLS                     // from the first octet on
	opportunistic                   // STARTTLS if it is offered, which an attacker can suppress
	inTheClear                      // an attacker can read everything
)

// Server is a mail server, and how to send through it.
type Server struct {
	host, port string
	protection protection
	user       string // empty to send without authentication
	password   Password
}

// Where message submission listens (RFC 6409, RFC 8314).
const (
	submissionPort  = "587"
	submissionsPort = "465"
)

// ParseServer reads a URL. The password may come apart from it. The errors, all
// in one, say what is wrong and how to mend it, and hold no part of the URL that
// could be a secret.
func ParseServer(from ServerURL, password Password) (Server, error) {
	u, err := url.Parse(string(from))
	if err != nil {
		// The error of package url quotes the URL.
		return Server{}, errors.New("this is no URL; want one such as smtp://user:password@mail.example.com:587, with special characters of the password percent-encoded")
	}
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	s := Server{host: u.Hostname(), port: u.Port(), user: u.User.Username(), password: password}
	if s.host == "" || u.Opaque != "" {
		fault("it names no host; want one such as smtp://mail.example.com:587")
	}
	if s.port != "" {
		if n, err := strconv.ParseUint(s.port, 10, 16); err != nil || n == 0 {
			fault("the port must be a number from 1 to 65535")
		}
	}
	if u.Path != "" && u.Path != "/" || u.Fragment != "" {
		fault("there must be nothing after the port but ?tls=...; percent-encode special characters of the password")
	}
	s.protect(u, fault)
	inURL, hasPassword := u.User.Password()
	switch {
	case hasPassword && password != "":
		fault("the password is given twice; take it out of the URL, or leave out the other one")
	case hasPassword:
		s.password = Password(inURL)
	}
	if s.user == "" && s.password != "" {
		fault("there is a password but no user; write the user into the URL, as in smtp://user@mail.example.com:587")
	}
	if s.user != "" && s.password == "" {
		fault("there is a user but no password; give it in the URL or apart from it")
	}
	return s, errors.Join(faults...)
}

// protect finds out how the connection is to be protected.
func (s *Server) protect(u *url.URL, fault func(string, ...any)) {
	query := u.Query()
	wanted := query.Get("tls")
	query.Del("tls")
	if len(query) > 0 {
		fault("the only setting after ? is tls")
	}
	switch u.Scheme {
	case "smtps":
		s.protection, s.port = implicitTLS, cmp.Or(s.port, submissionsPort)
		if wanted != "" {
			fault("smtps uses TLS from the beginning; leave ?tls out, or begin with smtp")
		}
	case "smtp":
		s.port = cmp.Or(s.port, submissionPort)
		switch wanted {
		case "", "starttls":
			s.protection = startTLS
		case "opportunistic":
			s.protection = opportunistic
		case "none":
			s.protection = inTheClear
		default:
			fault("tls must be starttls, opportunistic or none")
		}
	default:
		fault("it must begin with smtp:// or smtps://")
	}
}
