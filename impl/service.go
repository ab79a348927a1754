// Package impl puts the service together: it reads the configuration, makes
// each part, hands the parts to each other, and starts and stops them. What the
// parts do is in impl/internal, where the compiler keeps everybody else out.
//
//	           HTTP
//	            |
//	contract -- httpapi -- account, customer, partner -- (Store) -- sqlite
//	                          |                              |
//	                    disbursement        mail -- (Sender) -- outbox
//
// Arrows of import point inwards: the domain (account, which builds on customer;
// customer; partner; and disbursement, whose checks are in banking and wallet)
// knows none of the others. The names in parentheses are interfaces that the
// inner side owns. What the domain asks of the keyset, to encrypt and to derive
// tokens, is joined to it here. pages and docs are beside the API, and hold nothing
// of any customer.
package impl

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"cryptoexchange.com/escrow/gen/spec"
	"cryptoexchange.com/escrow/impl/internal/account"
	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/httpapi"
	"cryptoexchange.com/escrow/impl/internal/keyset"
	"cryptoexchange.com/escrow/impl/internal/mail"
	"cryptoexchange.com/escrow/impl/internal/outbox"
	"cryptoexchange.com/escrow/impl/internal/pages"
	"cryptoexchange.com/escrow/impl/internal/partner"
	"cryptoexchange.com/escrow/impl/internal/password"
	"cryptoexchange.com/escrow/impl/internal/rawhttp"
	"cryptoexchange.com/escrow/impl/internal/sandbox"
	"cryptoexchange.com/escrow/impl/internal/sqlite"
)

// APIPath is where the contract's paths begin.
const APIPath = "/api/v1/escrow"

// Limits of time, for callers who are slow on purpose.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = 60 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 16 << 10
	// drainTimeout is how long requests under way have to finish.
	drainTimeout = 30 * time.Second
	// tidyInterval is how often what has expired is removed.
	tidyInterval = time.Hour
)

// Service is an instance of the service that listens.
type Service struct {
	logger    *slog.Logger
	now       func() time.Time
	passwords password.Params
	listener  net.Listener
	url       string
	store     *sqlite.DB
	customers *customer.Service
	partners  *partner.Service
	accounts  *account.Service
	worker    *outbox.Worker
	intake    *account.Intake
	mailbox   *mail.Mailbox // nil if e-mails leave
	keys      *keyset.Keyset
	handler   http.Handler
	refusal   func(context.Context, int) (int, http.Header, []byte) // of what the server cannot read
	metrics   *metrics                                              // nil if nobody wants any
	draining  atomic.Bool
	forgetAt  int64 // bytes of a sandbox's data; 0 if this is none
}

// New opens the data folder and begins to listen; nothing is answered before
// [Service.Run]. The caller must Close what it gets.
func New(ctx context.Context, c Config, logger *slog.Logger) (_ *Service, err error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	s := &Service{logger: logger, now: c.clock(), passwords: c.hashing(), forgetAt: c.sandboxLimit()}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen); err != nil {
		return nil, err
	}
	s.url = c.publicURL(s.listener.Addr())
	api := s.makeAPI(c)
	if s.store, s.keys, err = c.open(ctx); err != nil {
		return nil, err
	}
	if err := s.wire(ctx, c, api); err != nil {
		return nil, err
	}
	return s, nil
}

// makeAPI begins to make what answers requests, beside everything else, and gives
// what waits for it.
func (s *Service) makeAPI(c Config) func() (*httpapi.API, error) {
	made := sync.OnceValues(func() (*httpapi.API, error) {
		return httpapi.New(httpapi.Params{
			Contract:  spec.Rules,
			PublicURL: s.url,
			Logger:    s.logger,
			Now:       s.now,
			ClientIP:  clientIP(c.TrustedProxies),
			RateLimit: c.RateLimit,
			AccessLog: c.AccessLog,
			Limits:    c.Limits,
			Share:     c.share(),
		})
	})
	go func() { _, _ = made() }() // whoever waits is told of errors
	return made
}

// newID gives unique ids, in the order of time (RFC 9562 §5.7).
func newID() string { return uuid.Must(uuid.NewV7()).String() }

// wire makes the parts and hands them to each other.
func (s *Service) wire(ctx context.Context, c Config, api func() (*httpapi.API, error)) error {
	links := &account.Links{Derive: s.keys.DeriveToken, KeyID: s.keys.PrimaryPRF, Validity: c.LinkValidity}
	if err := s.wireMail(c, links); err != nil {
		return err
	}
	if err := s.wireDomain(c, links); err != nil {
		return err
	}
	return s.route(ctx, c, api)
}

// pageOfLink says where links lead.
var pageOfLink = map[string]string{
	account.LinkInvitation:   "/set-password",
	account.LinkConfirmation: "/confirm-email",
	account.LinkReset:        "/reset-password",
}

// wireMail makes what sends e-mails.
func (s *Service) wireMail(c Config, links *account.Links) error {
	composer, err := mail.NewComposer(mail.ComposerParams{
		From:      c.MailFrom,
		Templates: c.MailTemplates,
		URLs:      mail.URLs{LogIn: s.url + "/log-in", ForgotPassword: s.url + "/forgot-password", Account: s.url + "/account", Support: c.Support},
		LinkURL: func(m outbox.Message) (string, error) {
			token, err := links.Token(m.Link.KeyID, m.Link.Kind, m.ID)
			if err != nil {
				return "", err
			}
			// In the fragment, which browsers keep to themselves: no server's
			// log and no Referer has the token.
			return s.url + pageOfLink[m.Link.Kind] + "#token=" + token, nil
		},
	})
	if err != nil {
		return err
	}
	sender, mailbox, err := c.newSender(composer, s.logger)
	if err != nil {
		return err
	}
	s.mailbox = mailbox
	s.worker = outbox.NewWorker(outbox.Params{Store: s.store, Sender: sender, Now: s.now, Logger: s.logger, GiveUpAfter: c.MailGiveUpAfter})
	return nil
}

// wireDomain makes what has the rules.
func (s *Service) wireDomain(c Config, links *account.Links) error {
	hasher, err := password.NewHasher(s.passwords)
	if err != nil {
		return err
	}
	s.accounts, err = account.NewService(account.Params{
		Store:  s.store,
		Hasher: hasher,
		Cipher: sealer{s.keys},
		Sealer: sealer{s.keys},
		Links:  links,
		Now:    s.now,
		NewID:  newID,
		Queued: s.worker.Wake,
		Issuer: "CryptoExchange",
	})
	if err != nil {
		return err
	}
	s.intake = account.NewIntake(s.accounts, s.logger)
	s.partners = partner.NewService(s.store, s.now)
	var customers customer.Store = s.store
	if c.Sandbox {
		s.partners = partner.NewSandbox(s.store, s.now, c.SandboxKey)
		customers = sandbox.Store{Store: s.store}
	}
	s.customers = customer.NewService(customer.Params{
		Store:        customers,
		Now:          s.now,
		NewID:        newID,
		NewLink:      links.New,
		Fingerprints: sealer{s.keys},
		Sealer:       sealer{s.keys},
		Queued:       s.worker.Wake,
	})
	return nil
}

// route says what is where.
func (s *Service) route(ctx context.Context, c Config, made func() (*httpapi.API, error)) error {
	documentation, err := newDocumentation(s.url + APIPath)
	if err != nil {
		return err
	}
	site, err := pages.New(pages.Options{Sandbox: c.Sandbox})
	if err != nil {
		return err
	}
	api, err := made()
	if err != nil {
		return err
	}
	if c.MetricsListen != "" {
		if s.metrics, err = listenForMetrics(ctx, c.MetricsListen, api.Judged); err != nil {
			return err
		}
	}
	s.refusal = api.Refusal
	e := echo.New()
	s.handler = api.Handler(e, httpapi.Services{Customers: s.customers, Partners: s.partners, Accounts: s.accounts})
	documentation.Register(e)
	site.Register(e)
	if s.MailboxURL() != "" {
		s.mailbox.Register(e)
	}
	e.GET("/healthz", s.healthz)
	e.GET("/readyz", s.readyz)
	return nil
}

// isLocal tells whether the service is for its own machine alone: it listens on
// loopback, and its public URL does not say that a proxy brings others there.
func (s *Service) isLocal() bool {
	a, ok := s.listener.Addr().(*net.TCPAddr)
	return ok && a.IP.IsLoopback() && httpapi.IsLocal(s.url)
}

// URL is where callers reach the service, without a slash at the end.
func (s *Service) URL() string { return s.url }

// MailboxURL is where the e-mails can be seen that do not leave; empty if there is
// no such place, or it must not be reached.
func (s *Service) MailboxURL() string {
	if s.mailbox == nil || !s.isLocal() {
		return ""
	}
	return s.url + mail.MailboxPath
}

// Handler answers requests, on whatever listener.
func (s *Service) Handler() http.Handler { return s.handler }

// FirstPartner makes a partner with a key if there is no partner yet; else the
// last result is false. The key can be had this once.
func (s *Service) FirstPartner(ctx context.Context, name string) (Partner, Secret, bool, error) {
	return s.partners.CreateFirstPartner(ctx, name)
}

// healthz tells that the process answers.
func (s *Service) healthz(c echo.Context) error { return c.String(http.StatusOK, "ok\n") }

// readyz tells whether requests should be sent here.
func (s *Service) readyz(c echo.Context) error {
	if s.draining.Load() {
		return customer.ErrUnavailable
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), time.Second)
	defer cancel()
	if err := s.store.Ping(ctx); err != nil {
		return fmt.Errorf("not ready: %w: %w", customer.ErrUnavailable, err)
	}
	return c.String(http.StatusOK, "ready\n")
}

// Run answers requests until ctx ends. Then it takes no new ones, finishes
// those under way, and returns.
func (s *Service) Run(ctx context.Context) error {
	server := &http.Server{
		Handler:           closeBody(s.handler),
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		// OPTIONS * is answered as everything else is.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(s.logger.Handler(), slog.LevelWarn),
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	tidied := make(chan struct{})
	go func() {
		defer close(tidied)
		s.tidy(background)
	}()
	bounded := make(chan struct{})
	go func() {
		defer close(bounded)
		s.bound(background)
	}()
	go s.metrics.serve()
	s.worker.Start(background)
	s.intake.Start(background)
	failed := make(chan error, 1)
	listener := rawhttp.Wrap(server, s.listener, func(r rawhttp.Refusal) rawhttp.Answer {
		status, header, body := s.refusal(background, r.Status)
		return rawhttp.Answer{Status: status, Header: header, Body: body}
	})
	go func() { failed <- server.Serve(listener) }()
	s.logger.InfoContext(ctx, "listening", slog.String("address", s.listener.Addr().String()), slog.String("url", s.url), slog.Bool("sandbox", s.forgetAt > 0))
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		err = s.drain(background, server)
	}
	s.intake.Stop()
	s.worker.Stop()
	stop()
	<-tidied
	<-bounded
	s.logger.InfoContext(ctx, "stopped")
	return err
}

// closeBody ends the reading of a body when its request has been answered.
// net/http does it when it has ceased to listen to the client; if it finds the end
// of the body then, and has been told to answer before that, it listens once more,
// and panics at the next request.
func closeBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r)
		_ = r.Body.Close()
	})
}

func (s *Service) drain(ctx context.Context, server *http.Server) error {
	s.draining.Store(true)
	s.logger.InfoContext(ctx, "stopping", slog.Duration("at_most", drainTimeout))
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("requests under way were cut off: %w", err), server.Close())
	}
	return nil
}

// tidy removes what has expired, from time to time.
func (s *Service) tidy(ctx context.Context) {
	ticker := time.NewTicker(tidyInterval)
	defer ticker.Stop()
	for {
		if _, err := s.store.ForgetIdempotencyKeys(ctx, s.now()); err != nil && ctx.Err() == nil {
			s.logger.WarnContext(ctx, "cannot remove expired idempotency keys", slog.Any("error", err))
		}
		if err := s.accounts.RemoveExpired(ctx); err != nil && ctx.Err() == nil {
			s.logger.WarnContext(ctx, "cannot remove expired sessions and sign-ups", slog.Any("error", err))
		}
		if err := s.keys.Check(); err != nil {
			s.logger.ErrorContext(ctx, "the service could not be started again with the keyset as it is", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Close lets go of the listener and the data folder. It may be called twice.
func (s *Service) Close() error {
	var err error
	if s.listener != nil {
		if e := s.listener.Close(); !errors.Is(e, net.ErrClosed) {
			err = e
		}
		s.listener = nil
	}
	err = errors.Join(err, s.metrics.close())
	if s.store != nil {
		err = errors.Join(err, s.store.Close())
		s.store = nil
	}
	return err
}
