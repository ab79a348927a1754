// Package impl puts the service together: it reads the configuration, makes
// each part, hands the parts to each other, and starts and stops them. What the
// parts do is in impl/internal, where the compiler keeps everybody else out.
//
//	           HTTP
//	            |
//	contract -- httpapi -- customer, partner -- (Store) -- sqlite
//	                                               |
//	                        outbox -- (Sender) -- mail
//
// Arrows of import point inwards: customer and partner know none of the others;
// the names in parentheses are interfaces that the inner side owns.
package impl

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"cryptoexchange.com/escrow/gen/spec"
	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/docs"
	"cryptoexchange.com/escrow/impl/internal/httpapi"
	"cryptoexchange.com/escrow/impl/internal/mail"
	"cryptoexchange.com/escrow/impl/internal/outbox"
	"cryptoexchange.com/escrow/impl/internal/partner"
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
	maxHeaderBytes    = 64 << 10
	// drainTimeout is how long requests under way have to finish.
	drainTimeout = 30 * time.Second
	// tidyInterval is how often what has expired is removed.
	tidyInterval = time.Hour
)

// Service is an instance of the service that listens.
type Service struct {
	logger    *slog.Logger
	listener  net.Listener
	url       string
	store     *sqlite.DB
	customers *customer.Service
	partners  *partner.Service
	worker    *outbox.Worker
	handler   http.Handler
	draining  atomic.Bool
}

// New opens the data folder and begins to listen; nothing is answered before
// [Service.Run]. The caller must Close what it gets.
func New(ctx context.Context, c Config, logger *slog.Logger) (_ *Service, err error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	s := &Service{logger: logger}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.store, err = sqlite.Open(ctx, c.Data); err != nil {
		return nil, err
	}
	if s.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen); err != nil {
		return nil, err
	}
	s.url = c.publicURL(s.listener.Addr())
	if err := s.wire(c); err != nil {
		return nil, err
	}
	return s, nil
}

// wire makes the parts and hands them to each other.
func (s *Service) wire(c Config) error {
	composer, err := mail.NewComposer(mail.ComposerParams{
		From:      c.MailFrom,
		Templates: c.MailTemplates,
		URLs:      mail.URLs{LogIn: s.url + "/log-in", ForgotPassword: s.url + "/forgot-password", Account: s.url + "/account"},
		LinkURL:   func(outbox.Message) (string, error) { return "", errors.New("there are no links yet") },
	})
	if err != nil {
		return err
	}
	sender, err := c.newSender(composer, s.logger)
	if err != nil {
		return err
	}
	s.worker = outbox.NewWorker(outbox.Params{Store: s.store, Sender: sender, Now: time.Now, Logger: s.logger, GiveUpAfter: c.MailGiveUpAfter})
	s.partners = partner.NewService(s.store, time.Now)
	s.customers = customer.NewService(customer.Params{
		Store:  s.store,
		Now:    time.Now,
		NewID:  func() string { return uuid.Must(uuid.NewV7()).String() },
		Queued: s.worker.Wake,
	})
	api, err := httpapi.New(httpapi.Params{
		Contract:  spec.YAML,
		PublicURL: s.url,
		Customers: s.customers,
		Partners:  s.partners,
		Logger:    s.logger,
		Now:       time.Now,
		ClientIP:  clientIP(c.TrustedProxies),
		RateLimit: c.RateLimit,
	})
	if err != nil {
		return err
	}
	problems := make([]docs.Problem, 0, len(httpapi.Problems()))
	for _, p := range httpapi.Problems() {
		problems = append(problems, docs.Problem(p))
	}
	site, err := docs.New(docs.Config{Contract: spec.YAML, ServerURL: s.url + APIPath, Problems: problems})
	if err != nil {
		return err
	}
	e := echo.New()
	s.handler = api.Handler(e)
	site.Register(e)
	e.GET("/healthz", s.healthz)
	e.GET("/readyz", s.readyz)
	return nil
}

// URL is where callers reach the service, without a slash at the end.
func (s *Service) URL() string { return s.url }

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
		Handler:           s.handler,
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
	s.worker.Start(background)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(s.listener) }()
	s.logger.InfoContext(ctx, "listening", slog.String("address", s.listener.Addr().String()), slog.String("url", s.url))
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		err = s.drain(background, server)
	}
	s.worker.Stop()
	stop()
	<-tidied
	s.logger.InfoContext(ctx, "stopped")
	return err
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
		if _, err := s.store.ForgetIdempotencyKeys(ctx, time.Now()); err != nil && ctx.Err() == nil {
			s.logger.WarnContext(ctx, "cannot remove expired idempotency keys", slog.Any("error", err))
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
	if s.store != nil {
		err = errors.Join(err, s.store.Close())
		s.store = nil
	}
	return err
}
