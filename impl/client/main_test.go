package client_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"

	"cryptoexchange.com/escrow/gen"
	"cryptoexchange.com/escrow/impl"
	"cryptoexchange.com/escrow/impl/client"
)

// TestMain starts the service itself on a folder of its own, and says in the
// environment, where a partner's program looks, where it is and with which key.
func TestMain(m *testing.M) {
	code, err := withService(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func withService(run func() int) (code int, err error) {
	folder, err := os.MkdirTemp("", "escrow-client")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(folder)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	c := impl.DefaultConfig()
	c.Listen, c.Data, c.RateLimit = "127.0.0.1:0", folder, 0
	service, err := impl.New(ctx, c, slog.New(slog.DiscardHandler))
	if err != nil {
		return 0, err
	}
	defer service.Close()
	_, key, _, err := service.FirstPartner(ctx, "Example Shop")
	if err != nil {
		return 0, err
	}
	os.Setenv("ESCROW_URL", service.URL()+impl.APIPath)
	os.Setenv("ESCROW_KEY", key.Reveal())
	ended := make(chan error, 1)
	go func() { ended <- service.Run(ctx) }()
	code = run()
	stop()
	return code, <-ended
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

func customer(email string) gen.NewCustomer { return gen.NewCustomer{Email: email} }
