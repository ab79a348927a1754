package impl

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"strings"
	"time"

	"cryptoexchange.com/escrow/impl/internal/cors"
	"cryptoexchange.com/escrow/impl/internal/httpapi"
	"cryptoexchange.com/escrow/impl/internal/mail"
	"cryptoexchange.com/escrow/impl/internal/password"
)

// Config is what an operator can set.
type Config struct {
	// Listen is the address to listen on, host:port. Port 0 takes a free one.
	Listen string
	// Data is the folder that everything is kept in. It is made if there is
	// none.
	Data string
	// PublicURL begins every link that leaves the server: where callers reach
	// it, without a path. Empty for the address that it listens on.
	PublicURL string
	// TrustedProxies are the addresses (CIDR) whose Forwarded and
	// X-Forwarded-For headers are believed.
	TrustedProxies []netip.Prefix
	// MailFrom is the sender of e-mails (RFC 5322 mailbox).
	MailFrom string
	// SMTPURL is the mail server that e-mails are handed to. Empty to put them
	// into the folder mail inside Data instead, or to keep them in memory.
	SMTPURL SMTPURL
	// SMTPPassword and SMTPPasswordFile are two ways to give the password apart
	// from the URL. A line break at the end of the file is not part of it.
	SMTPPassword     SMTPPassword
	SMTPPasswordFile string
	// MailGiveUpAfter is the age at which an e-mail that cannot be sent is given
	// up.
	MailGiveUpAfter time.Duration
	// MailTemplates is a folder of templates that replace those of the same name
	// among the embedded ones. Empty for none.
	MailTemplates string
	// Support is where customers turn to: an e-mail address or a URL. Empty if
	// there is nobody.
	Support string
	// Keyset is the file of the keys that encrypt what is secret at rest. Empty
	// for keyset.json inside Data. It is made at the first start.
	Keyset string
	// LinkValidity is for how long the link in an e-mail is good; that of a
	// forgotten password is good for an hour at most.
	LinkValidity time.Duration
	// Limits are on what customers do without a session, and on proofs that it
	// is they.
	Limits Limits
	// RateLimit is how many requests a second each API key, and each customer, may make, with five
	// times as many at once. 0 sets no limit.
	RateLimit float64
	// AccessLog is how many requests that went well, and how many that were
	// refused, are logged in a second at most. 0 logs all.
	AccessLog int
	// MetricsListen is the address to serve metrics on, host:port. Empty for
	// nowhere.
	MetricsListen string
	// CORSOrigins are the origins whose pages may call the API from a browser,
	// such as https://shop.example.com. Empty for none.
	CORSOrigins []string
	// Sandbox keeps everything in memory, sends no e-mail, and provokes answers on
	// demand. Data, Keyset and the mail server must be empty then.
	Sandbox bool
	// SandboxKey is the API key of a sandbox's partner. Empty to make one.
	SandboxKey Secret

	now       func() time.Time // the clock; nil for the machine's
	passwords *password.Params // costs of hashing; nil for the usual ones
	forgetAt  int64            // bytes of data from which on a sandbox forgets; 0 for the usual number
}

// maxLinkValidity is thirty days: a link is as good as a password.
const maxLinkValidity = 30 * 24 * time.Hour

type (
	// Limits are on what customers do.
	Limits = httpapi.Limits
	// Limit is one of them.
	Limit = httpapi.Limit
)

// DefaultConfig is for one machine, reached from itself.
func DefaultConfig() Config {
	return Config{
		Listen:    "127.0.0.1:8080",
		Data:      "./data",
		MailFrom:  "CryptoExchange <no-reply@cryptoexchange.com>",
		RateLimit: 1000,
		AccessLog: 100,

		MailGiveUpAfter: 72 * time.Hour,
		LinkValidity:    72 * time.Hour,
		Limits:          httpapi.DefaultLimits(),
	}
}

// Validate returns everything that is wrong.
func (c *Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		fault("listen address %q: want host:port, such as 127.0.0.1:8080", c.Listen)
	}
	if _, _, err := net.SplitHostPort(c.MetricsListen); c.MetricsListen != "" && err != nil {
		fault("metrics address %q: want host:port, such as 127.0.0.1:9090", c.MetricsListen)
	}
	if c.Data == "" && !c.Sandbox {
		fault("data folder: must not be empty")
	}
	faults = append(faults, c.sandboxFaults()...)
	for _, origin := range c.CORSOrigins {
		if err := cors.Check(origin); err != nil {
			fault("CORS origin %q: %w", origin, err)
		}
	}
	if c.PublicURL != "" {
		if err := checkPublicURL(c.PublicURL); err != nil {
			faults = append(faults, err)
		}
	}
	if err := mail.CheckFrom(c.MailFrom); err != nil {
		fault("sender of e-mails: %w", err)
	}
	if _, err := c.mailServer(); err != nil {
		faults = append(faults, err)
	}
	if c.MailGiveUpAfter < time.Minute {
		fault("age at which e-mails are given up: want a minute or more, such as 72h")
	}
	if c.LinkValidity <= 0 || c.LinkValidity > maxLinkValidity {
		fault("validity of links: want a duration up to 720h")
	}
	if c.RateLimit < 0 || math.IsNaN(c.RateLimit) || c.RateLimit > 1e6 {
		fault("rate limit: want requests a second, or 0 for no limit")
	}
	if c.AccessLog < 0 {
		fault("access log: want lines a second, or 0 for all requests")
	}
	return errors.Join(faults...)
}

// clock gives the clock to go by.
func (c *Config) clock() func() time.Time {
	if c.now != nil {
		return c.now
	}
	return time.Now
}

// hashing gives the costs of hashing a password.
func (c *Config) hashing() password.Params {
	if c.passwords != nil {
		return *c.passwords
	}
	return password.DefaultParams()
}

// publicURL gives the configured URL, or that of the address listened on.
func (c *Config) publicURL(listening net.Addr) string {
	if c.PublicURL != "" {
		return strings.TrimRight(c.PublicURL, "/")
	}
	address, err := netip.ParseAddrPort(listening.String())
	if err != nil {
		return "http://" + listening.String()
	}
	if address.Addr().IsUnspecified() {
		address = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), address.Port())
	}
	return "http://" + address.String()
}
