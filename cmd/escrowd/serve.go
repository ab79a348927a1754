package main

import (
	"context"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"cryptoexchange.com/escrow/impl"
)

// firstPartner is the name of the partner that the first start makes, so that
// a newcomer can try the API at once.
const firstPartner = "Example Marketplace"

type serveCommand struct {
	Listen           string            `help:"Address to listen on." default:"${listen}" env:"ESCROW_LISTEN"`
	PublicURL        string            `help:"Where callers reach the server; begins every link that leaves it. Without it, the address listened on." env:"ESCROW_PUBLIC_URL" placeholder:"URL"`
	TrustedProxies   []netip.Prefix    `help:"Networks whose Forwarded and X-Forwarded-For headers are believed." env:"ESCROW_TRUSTED_PROXIES" placeholder:"CIDR"`
	MailFrom         string            `help:"Sender of e-mails." default:"${mail_from}" env:"ESCROW_MAIL_FROM"`
	SMTPURL          impl.SMTPURL      `name:"smtp-url" help:"Mail server, such as smtp://user:password@host:587 (STARTTLS), smtps://... (TLS from the beginning) or smtp://host:25?tls=none. Without it, e-mails go to the folder mail in the data folder." env:"ESCROW_SMTP_URL" placeholder:"URL"`
	SMTPPassword     impl.SMTPPassword `name:"smtp-password" help:"Password for the mail server; better given in the environment or a file, where other users do not see it." env:"ESCROW_SMTP_PASSWORD" placeholder:"PASSWORD"`
	SMTPPasswordFile string            `name:"smtp-password-file" help:"File that has the password for the mail server." env:"ESCROW_SMTP_PASSWORD_FILE" placeholder:"FILE"`
	MailGiveUpAfter  time.Duration     `help:"Age at which an e-mail that cannot be sent is given up." default:"${mail_give_up_after}" env:"ESCROW_MAIL_GIVE_UP_AFTER" placeholder:"DURATION"`
	MailTemplates    string            `help:"Folder of templates for e-mails; each replaces the embedded one of its name, such as en/introduction.html." env:"ESCROW_MAIL_TEMPLATES" placeholder:"DIR"`
	Support          string            `help:"Where customers turn to: an e-mail address or a URL, named in e-mails." env:"ESCROW_SUPPORT" placeholder:"ADDRESS"`
	LinkValidity     time.Duration     `help:"For how long the link in an e-mail is good; that of a forgotten password, an hour at most." default:"${link_validity}" env:"ESCROW_LINK_VALIDITY" placeholder:"DURATION"`
	LoginLimit       impl.Limit        `help:"Tries to log in to one account from one network, such as 10/10m; 0 for no limit." default:"${login_limit}" env:"ESCROW_LOGIN_LIMIT" placeholder:"N/DURATION"`
	MailLimit        impl.Limit        `help:"Sign-ups and recoveries of one e-mail address." default:"${mail_limit}" env:"ESCROW_MAIL_LIMIT" placeholder:"N/DURATION"`
	NetworkLimit     impl.Limit        `help:"Requests of customers without a session from one network." default:"${network_limit}" env:"ESCROW_NETWORK_LIMIT" placeholder:"N/DURATION"`
	RateLimit        float64           `help:"Requests a second for each API key and each customer, five times as many at once; 0 for no limit." default:"${rate_limit}" env:"ESCROW_RATE_LIMIT"`
	AccessLog        int               `help:"Requests that went well, and as many that were refused, that are logged in a second at most; 0 for all. Failures are always logged." default:"${access_log}" env:"ESCROW_ACCESS_LOG" placeholder:"N"`
	MetricsListen    string            `help:"Address to serve metrics on, at /metrics, for Prometheus; better one that callers cannot reach. Without it, there are none." env:"ESCROW_METRICS_LISTEN" placeholder:"HOST:PORT"`
	CORSOrigins      []string          `name:"cors-origins" help:"Origins whose pages may call the API from a browser, such as https://shop.example.com,http://localhost:3000. Without it, none." env:"ESCROW_CORS_ORIGINS" placeholder:"ORIGIN"`
	Sandbox          bool              `help:"Test programs against this: everything is in memory, no e-mail leaves, and some e-mail addresses provoke errors (see /docs)." env:"ESCROW_SANDBOX"`
	SandboxKey       impl.Secret       `help:"API key of the sandbox, cex_test_ and 16 characters or more. Without it, a new one at each start." env:"ESCROW_SANDBOX_KEY" placeholder:"KEY"`
	LogFormat        string            `help:"Form of the log, text or json." enum:"text,json" default:"text" env:"ESCROW_LOG_FORMAT"`
}

// Run serves until ctx ends.
func (s *serveCommand) Run(ctx context.Context, c *cli, out ui) (err error) {
	logger := newLogger(out.err, s.LogFormat)
	data := c.folder()
	if s.Sandbox && c.Data == nil {
		data = "" // it is only what would be used otherwise
	}
	service, err := impl.New(ctx, impl.Config{
		Listen:         s.Listen,
		Data:           data,
		PublicURL:      s.PublicURL,
		TrustedProxies: s.TrustedProxies,
		MailFrom:       s.MailFrom,
		RateLimit:      s.RateLimit,
		AccessLog:      s.AccessLog,
		MetricsListen:  s.MetricsListen,
		CORSOrigins:    s.CORSOrigins,
		Sandbox:        s.Sandbox,
		SandboxKey:     s.SandboxKey,

		SMTPURL:          s.SMTPURL,
		SMTPPassword:     s.SMTPPassword,
		SMTPPasswordFile: s.SMTPPasswordFile,
		MailGiveUpAfter:  s.MailGiveUpAfter,
		MailTemplates:    s.MailTemplates,
		Support:          s.Support,
		Keyset:           c.Keyset,
		LinkValidity:     s.LinkValidity,
		Limits:           impl.Limits{Login: s.LoginLimit, Mail: s.MailLimit, Network: s.NetworkLimit},
	}, logger)
	if err != nil {
		return err
	}
	defer func() {
		if e := service.Close(); err == nil {
			err = e
		}
	}()
	partner, key, first, err := service.FirstPartner(ctx, firstPartner)
	if err != nil {
		return err
	}
	switch {
	case s.Sandbox:
		mailbox := "are kept, and shown only if it listens on loopback alone."
		if service.MailboxURL() != "" {
			mailbox = "can be seen at\n" + service.MailboxURL()
		}
		out.printf(welcomeToSandbox+tryIt, partner.ID, partner.Name, service.URL(), key.Reveal(), mailbox)
	case first:
		out.printf(welcome+tryIt, partner.ID, partner.Name, service.URL(), key.Reveal())
	}
	tune()
	// For what the start alone needed. Later, for whoever waited calls first.
	settled := time.AfterFunc(settleAfter, debug.FreeOSMemory)
	defer settled.Stop()
	return service.Run(ctx)
}

// tune sets what the runtime cannot know, unless the operator has.
func tune() {
	// The writer waits for storage again and again, for less time than it takes
	// the scheduler to notice: it would keep a processor from those who compute.
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}

// collectAt is by how many percent of what is in use memory grows before what is
// not is collected. Little is in use, so that twice the usual is little too, and
// the collector takes half the time.
const collectAt = 200

// memoryLimit is from where on memory is collected as soon as it is not used any
// more, in bytes: thousands of connections take less than this, so that what
// waits to be collected must not be as much again. It is no bound.
const memoryLimit = 320 << 20

// settleAfter is when memory that is not needed any more is given back to the
// system, once.
const settleAfter = time.Second

// welcome is printed once, before tryIt.
const welcome = `This is the first start, so there is a partner now (%[1]d, %[2]q), with an
API key that is shown this once. Create a customer:
`

// welcomeToSandbox is printed at each start of a sandbox, before tryIt.
const welcomeToSandbox = `This is a sandbox: everything is in memory, and gone when it stops. No e-mail
leaves it; they %[5]s
There is a partner (%[1]d, %[2]q), with an API key. Create a customer:
`

// tryIt has a curl that can be pasted as it is, and its parts taken for other
// programs.
const tryIt = `
curl '%[3]s/api/v1/escrow/partner/customers' \
  -X POST \
  -H 'Authorization: Bearer %[4]s' \
  -H 'Content-Type: application/json' \
  -d '{
    "email": "johny.smith@example.com",
    "first_name": "Johny",
    "middle_name": "Kanez",
    "last_name": "Smith",
    "address": {
      "line1": "East Lane",
      "line2": "Apartment 2",
      "city": "San Francisco",
      "state": "CA",
      "country": "US",
      "post_code": 10203
    },
    "phone_number": 8885118600
  }'

Documentation: %[3]s/docs

`

func newLogger(w io.Writer, format string) *slog.Logger {
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(slog.NewTextHandler(w, nil))
}
