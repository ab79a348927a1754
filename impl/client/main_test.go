package client_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"cryptoexchange.com/escrow/gen"
	"cryptoexchange.com/escrow/impl"
	"cryptoexchange.com/escrow/impl/client"
)

// TestMain starts the service itself, and says in the environment, where a partner's
// program looks, where it is and with which key.
func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	defer func() { err = errors.Join(err, services.stop()) }()
	url, key, err := services.start()
	if err != nil {
		return 1, err
	}
	if err := errors.Join(os.Setenv("ESCROW_URL", url), os.Setenv("ESCROW_KEY", key)); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// running has services that run.
type running struct {
	mu    sync.Mutex
	stops []func() error
}

var services running

// start runs a new service with one partner, on a folder of its own.
func (r *running) start() (url, key string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	folder, err := os.MkdirTemp("", "escrow-client")
	if err != nil {
		return "", "", err
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.stops = append(r.stops, func() error { cancel(); return os.RemoveAll(folder) })
	c := impl.DefaultConfig()
	c.Listen, c.Data, c.RateLimit = "127.0.0.1:0", folder, 0
	service, err := impl.New(ctx, c, slog.New(slog.DiscardHandler))
	if err != nil {
		return "", "", err
	}
	r.stops = append(r.stops, service.Close)
	_, secret, _, err := service.FirstPartner(ctx, "Example Shop")
	if err != nil {
		return "", "", err
	}
	ended := make(chan error, 1)
	go func() { ended <- service.Run(ctx) }()
	r.stops = append(r.stops, func() error { cancel(); return <-ended })
	return service.URL() + impl.APIPath, secret.Reveal(), nil
}

// stop ends all, the last first.
func (r *running) stop() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	var faults []error
	for _, stop := range slices.Backward(r.stops) {
		faults = append(faults, stop())
	}
	return errors.Join(faults...)
}

// connect makes a client of a service that nobody else uses.
func connect() *client.Client {
	url, key, err := services.start()
	if err != nil {
		fmt.Println(err)
	}
	escrow, err := client.New(key, &client.Options{BaseURL: url})
	if err != nil {
		fmt.Println(err)
	}
	return escrow
}

// newClient makes a client of the service, which does not wait long.
func newClient(t *testing.T, edit ...func(*client.Options)) *client.Client {
	t.Helper()
	return newClientAt(t, os.Getenv("ESCROW_URL"), edit...)
}

func newClientAt(t *testing.T, url string, edit ...func(*client.Options)) *client.Client {
	t.Helper()
	o := client.Options{BaseURL: url, BaseWait: 1, MaxWait: 1}
	for _, e := range edit {
		e(&o)
	}
	c, err := client.New(os.Getenv("ESCROW_KEY"), &o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var addresses atomic.Int64

// unused gives an e-mail address that no other test has.
func unused() string { return fmt.Sprintf("customer.%d@example.com", addresses.Add(1)) }

func customer(email string) gen.NewCustomer { return gen.NewCustomer{Email: email} }
