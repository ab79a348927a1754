package client_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/gen"
	"cryptoexchange.com/escrow/impl/client"
)

// network is a net/http server and a client of it, joined by pipes, inside of which
// nobody waits for real (see [synctest]).
type network struct {
	client *client.Client
	began  time.Time

	handlers sync.WaitGroup
	mu       sync.Mutex
	arrived  []request
	bodies   int // that the client has not closed
}

// request is one that arrived.
type request struct {
	at      time.Duration // since the beginning
	header  http.Header
	path    string
	content string
}

type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, open := <-p
	if !open {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (p pipes) Close() error { return nil }

func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// transport counts bodies that are open.
func (n *network) transport(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		response, err := next.RoundTrip(r)
		if err == nil {
			n.count(1)
			response.Body = &countedBody{ReadCloser: response.Body, closed: sync.OnceFunc(func() { n.count(-1) })}
		}
		return response, err
	})
}

func (n *network) count(change int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.bodies += change
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type countedBody struct {
	io.ReadCloser
	closed func()
}

func (b *countedBody) Close() error {
	b.closed()
	return b.ReadCloser.Close()
}

// inBubble runs a test against a handler, which is told the number of the request, from
// 1 on. No body may be left open, and no goroutine.
func inBubble(t *testing.T, o client.Options, handle func(w http.ResponseWriter, r *http.Request, n int), test func(t *testing.T, n *network)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := &network{began: time.Now()}
		listener := make(pipes)
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			content, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			n.mu.Lock()
			n.arrived = append(n.arrived, request{time.Since(n.began), r.Header, r.URL.Path, string(content)})
			number := len(n.arrived)
			n.handlers.Add(1)
			n.mu.Unlock()
			defer n.handlers.Done()
			handle(w, r, number)
		})}
		go func() { _ = server.Serve(listener) }()
		transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			listener <- theirs
			return ours, nil
		}}
		o.BaseURL, o.Transport = "http://localhost/v1", n.transport(transport)
		c, err := client.New("cex_live_SECRET", &o)
		if err != nil {
			t.Fatal(err)
		}
		n.client = c
		test(t, n)
		transport.CloseIdleConnections()
		close(listener)
		_ = server.Close()
		n.handlers.Wait()
		synctest.Wait()
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.bodies != 0 {
			t.Errorf("%d bodies are open", n.bodies)
		}
	})
}

// requests gives those that have arrived.
func (n *network) requests() []request {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.arrived)
}

// gaps gives the pauses between requests.
func (n *network) gaps() []time.Duration {
	requests := n.requests()
	var all []time.Duration
	for i := 1; i < len(requests); i++ {
		all = append(all, requests[i].at-requests[i-1].at)
	}
	return all
}

const customerJSON = `{"id": 7, "email": "a@example.com"}`

func answerCustomer(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, customerJSON)
}

func answerProblem(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/problem+json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"type":"https://cryptoexchange.com/problems/`+code+`","title":"T","status":`+"499"+`,"detail":"D.","code":"`+code+`","request_id":"018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081"}`)
}

// TestRetryAfter checks that a pause is as long as the service asks for.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	const base = time.Second
	date := func(after time.Duration) func() string {
		return func() string { return time.Now().Add(after).UTC().Format(http.TimeFormat) }
	}
	text := func(s string) func() string { return func() string { return s } }
	tests := []struct {
		name        string
		status      int
		retryAfter  func() string
		clock       time.Duration // by which the server's is ahead
		least, most time.Duration
	}{
		{"seconds", 503, text("3"), 0, 3 * time.Second, 4 * time.Second},
		{"seconds with spaces", 429, text(" 20 "), 0, 20 * time.Second, 21 * time.Second},
		{"none left", 429, text("0"), 0, 0, base},
		{"a date", 429, date(7 * time.Second), 0, 7 * time.Second, 8 * time.Second},
		{"a date of RFC 850", 429, func() string { return time.Now().Add(7 * time.Second).UTC().Format("Monday, 02-Jan-06 15:04:05 GMT") }, 0, 7 * time.Second, 8 * time.Second},
		{"a date of another clock", 503, date(time.Hour + 7*time.Second), time.Hour, 7 * time.Second, 8 * time.Second},
		{"a date that has passed", 503, date(-time.Hour), 0, 0, base},
		{"negative", 503, text("-5"), 0, 0, base},
		{"a fraction", 503, text("1.5"), 0, 0, base},
		{"nonsense", 503, text("soon"), 0, 0, base},
		{"of a server error", 500, text("4"), 0, 4 * time.Second, 5 * time.Second},
		{"of a conflict", 409, text("2"), 0, 2 * time.Second, 3 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, client.Options{BaseWait: base, MaxAttempts: 3}, func(w http.ResponseWriter, _ *http.Request, n int) {
				if n == 3 {
					answerCustomer(w, 201)
					return
				}
				w.Header().Set("Date", time.Now().Add(test.clock).UTC().Format(http.TimeFormat))
				w.Header().Set("Retry-After", test.retryAfter())
				answerProblem(w, test.status, map[bool]string{true: "idempotency_key_in_use", false: "any"}[test.status == 409])
			}, func(t *testing.T, n *network) {
				if _, err := n.client.CreateCustomer(t.Context(), gen.NewCustomer{}); err != nil {
					t.Fatal(err)
				}
				gaps := n.gaps()
				for i, gap := range gaps {
					// The bound of the second pause is twice as long, unless the
					// service has said how long it is. That none is added to that is
					// as likely as 1 of the nanoseconds of base.
					if most := test.most << (map[bool]int{true: i}[test.least == 0]); gap <= test.least || gap > most {
						t.Errorf("pause %d: %v", i, gap)
					}
				}
				if len(gaps) != 2 {
					t.Errorf("%v", gaps)
				}
			})
		})
	}
}

// TestNoPatience checks that nobody waits for longer than was permitted, or in vain.
func TestNoPatience(t *testing.T) {
	t.Parallel()
	far := "Fri, 31 Dec 9999 23:59:59 GMT"
	tests := []struct {
		name       string
		retryAfter string
		deadline   time.Duration
		want       time.Duration
	}{
		{"longer than MaxWait", "31", 0, 31 * time.Second},
		{"an hour", "3600", time.Minute, time.Hour},
		{"more than fits", "99999999999999999999999999", 0, (1<<31 - 1) * time.Second},
		{"more than a duration", "10000000000", 0, (1<<31 - 1) * time.Second},
		{"the end of time", far, 0, (1<<31 - 1) * time.Second},
		{"longer than the context", "10", 5 * time.Second, 10 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, client.Options{}, func(w http.ResponseWriter, _ *http.Request, _ int) {
				w.Header().Set("Retry-After", test.retryAfter)
				answerProblem(w, 503, "service_unavailable")
			}, func(t *testing.T, n *network) {
				ctx := t.Context()
				if test.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.deadline)
					defer cancel()
				}
				_, err := n.client.GetCustomer(ctx, 7)
				p := asProblem(t, err, "getCustomer", 503, client.ErrServiceUnavailable)
				if waited := time.Since(n.began); p.RetryAfter != test.want || waited != 0 || len(n.requests()) != 1 {
					t.Errorf("%v after %v and %d requests", p.RetryAfter, waited, len(n.requests()))
				}
			})
		})
	}
}

// TestBackoff checks that pauses are of random length up to a bound that doubles, and
// that there is an end to them.
func TestBackoff(t *testing.T) {
	t.Parallel()
	const base, longest = 100 * time.Millisecond, 500 * time.Millisecond
	bounds := []time.Duration{base, 2 * base, 4 * base, longest, longest}
	greatest := make([]time.Duration, len(bounds))
	least := append([]time.Duration(nil), bounds...)
	for range 200 {
		inBubble(t, client.Options{BaseWait: base, MaxWait: longest, MaxAttempts: len(bounds) + 1}, func(w http.ResponseWriter, _ *http.Request, _ int) {
			answerProblem(w, 503, "service_unavailable")
		}, func(t *testing.T, n *network) {
			_, err := n.client.GetCustomer(t.Context(), 7)
			_ = asProblem(t, err, "getCustomer", 503, client.ErrServiceUnavailable)
			if failed := new(client.Error); !errors.As(err, &failed) || failed.Attempts != len(bounds)+1 || failed.IdempotencyKey != "" {
				t.Errorf("%+v", failed)
			}
			gaps := n.gaps()
			if len(gaps) != len(bounds) {
				t.Fatalf("%v", gaps)
			}
			for i, gap := range gaps {
				greatest[i], least[i] = max(greatest[i], gap), min(least[i], gap)
			}
		})
	}
	for i, bound := range bounds {
		// That 200 draws all miss a tenth of what they are drawn from is as likely as
		// 0.9 to the 200th, 7e-10.
		if greatest[i] > bound+1 || greatest[i] < bound*9/10 || least[i] > bound/10 {
			t.Errorf("pause %d: %v to %v, of at most %v", i, least[i], greatest[i], bound)
		}
	}
}

// TestSame checks that every attempt of a call is the same request, and that two calls
// are not.
func TestSame(t *testing.T) {
	t.Parallel()
	var told []string
	onRetry := func(ctx context.Context, err error, wait time.Duration) {
		if ctx.Err() != nil || wait <= 0 || wait > 2*time.Second {
			t.Errorf("%v, %v", ctx.Err(), wait)
		}
		told = append(told, err.Error())
	}
	inBubble(t, client.Options{UserAgent: "example-shop/2.1 (on-line)", OnRetry: onRetry}, func(w http.ResponseWriter, _ *http.Request, n int) {
		switch n % 3 {
		case 1:
			w.WriteHeader(http.StatusBadGateway)
		case 2:
			answerProblem(w, 408, "request_timeout")
		default:
			answerCustomer(w, 201)
		}
	}, func(t *testing.T, n *network) {
		for range 2 {
			if c, err := n.client.CreateCustomer(t.Context(), gen.NewCustomer{Email: "a@example.com"}); err != nil || c.ID != 7 {
				t.Fatalf("%+v, %v", c, err)
			}
		}
		once := []string{
			"status 502 with no media type: not an answer of the service; is this the URL of the API? Is there a proxy in between?",
			"status 408 request_timeout: D. (request 018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7081)",
		}
		if diff := cmp.Diff(append(once, once...), told); diff != "" {
			t.Errorf("OnRetry was told (-want +got)\n%s", diff)
		}
		keys := map[string]int{}
		for _, r := range n.requests() {
			keys[r.header.Get("Idempotency-Key")]++
			if r.content != `{"email":"a@example.com"}` || r.path != "/v1/partner/customers" || r.header.Get("Authorization") != "Bearer cex_live_SECRET" ||
				r.header.Get("Accept") != "application/json" || !strings.HasPrefix(r.header.Get("User-Agent"), "example-shop/2.1 (on-line) cryptoexchange-escrow-go") {
				t.Errorf("%+v", r)
			}
		}
		if len(keys) != 2 || keys[n.requests()[0].header.Get("Idempotency-Key")] != 3 || keys[""] != 0 {
			t.Errorf("%v", keys)
		}
	})
}

// TestOnce checks that what a repetition could harm is sent once, and that what is no
// passing fault is.
func TestOnce(t *testing.T) {
	t.Parallel()
	create := func(n *network) error {
		_, err := n.client.CreateCustomer(context.Background(), gen.NewCustomer{})
		return err
	}
	tests := []struct {
		name   string
		answer func(w http.ResponseWriter)
		call   func(n *network) error
	}{
		{"invitation refused", func(w http.ResponseWriter) { answerProblem(w, 503, "service_unavailable") }, func(n *network) error {
			_, err := n.client.ResendInvitation(context.Background(), 7)
			return err
		}},
		{"invitation lost", hangUp, func(n *network) error {
			_, err := n.client.ResendInvitation(context.Background(), 7)
			return err
		}},
		{"PATCH", hangUp, func(n *network) error {
			_, err := n.client.Generated().UpdateMeWithResponse(context.Background(), gen.MeChange{})
			return err
		}},
		{"DELETE", hangUp, func(n *network) error {
			_, err := n.client.Generated().LogOutWithResponse(context.Background())
			return err
		}},
		{"POST with a key that the operation does not take", hangUp, func(n *network) error {
			_, err := n.client.Generated().ResendInvitationWithResponse(context.Background(), 7, func(_ context.Context, r *http.Request) error {
				r.Header.Set("Idempotency-Key", "k")
				return nil
			})
			return err
		}},
		{"refusal", func(w http.ResponseWriter) { answerProblem(w, 403, "email_already_in_use") }, create},
		{"another conflict", func(w http.ResponseWriter) { answerProblem(w, 409, "invitation_accepted") }, create},
		{"not implemented", func(w http.ResponseWriter) { answerProblem(w, 501, "any") }, create},
		{"HTML", func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html>")
		}, create},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, client.Options{}, func(w http.ResponseWriter, _ *http.Request, _ int) { test.answer(w) }, func(t *testing.T, n *network) {
				err := test.call(n)
				if failed := new(client.Error); !errors.As(err, &failed) || failed.Attempts != 1 || !failed.Sent || len(n.requests()) != 1 {
					t.Errorf("%v after %d requests", err, len(n.requests()))
				}
			})
		})
	}
}

// TestSlow checks that each attempt is bounded, from its beginning to the last byte.
func TestSlow(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		answer func(w http.ResponseWriter, r *http.Request)
	}{
		{"silence", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
		{"a byte every second", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, " ")
				_ = http.NewResponseController(w).Flush()
				time.Sleep(time.Second)
			}
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, client.Options{AttemptTimeout: 5 * time.Second, MaxAttempts: 3, BaseWait: 1, MaxWait: 1}, func(w http.ResponseWriter, r *http.Request, _ int) {
				test.answer(w, r)
			}, func(t *testing.T, n *network) {
				_, err := n.client.GetCustomer(t.Context(), 7)
				if !errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no complete answer within 5s") {
					t.Error(err)
				}
				if waited := time.Since(n.began); waited < 15*time.Second || waited > 16*time.Second || len(n.requests()) != 3 {
					t.Errorf("%v, %d requests", waited, len(n.requests()))
				}
			})
		})
	}
}

var errEnough = errors.New("enough")

// TestContext checks that a call ends with its context, wherever it is.
func TestContext(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		answer  func(w http.ResponseWriter, r *http.Request)
		problem bool
	}{
		{"while waiting for an answer", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, false},
		{"while reading", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "{")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, false},
		{"between attempts", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "20")
			answerProblem(w, 503, "service_unavailable")
		}, true},
	}
	ends := []struct {
		name string
		end  func(ctx context.Context) (context.Context, context.CancelFunc)
		want error
	}{
		{"canceled", func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(3*time.Second, cancel)
			return ctx, cancel
		}, context.Canceled},
		{"canceled for a cause", func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(ctx)
			time.AfterFunc(3*time.Second, func() { cancel(errEnough) })
			return ctx, func() { cancel(nil) }
		}, context.Canceled},
	}
	for _, test := range tests {
		for _, end := range ends {
			t.Run(test.name+" "+end.name, func(t *testing.T) {
				t.Parallel()
				inBubble(t, client.Options{}, func(w http.ResponseWriter, r *http.Request, _ int) { test.answer(w, r) }, func(t *testing.T, n *network) {
					ctx, cancel := end.end(t.Context())
					defer cancel()
					_, err := n.client.CreateCustomer(ctx, gen.NewCustomer{})
					if waited := time.Since(n.began); waited != 3*time.Second || len(n.requests()) != 1 || !errors.Is(err, end.want) {
						t.Errorf("%v after %v and %d requests", err, waited, len(n.requests()))
					}
					if errors.Is(err, client.ErrServiceUnavailable) != test.problem {
						t.Error(err)
					}
					if failed := new(client.Error); !errors.As(err, &failed) || !failed.Sent || failed.IdempotencyKey == "" {
						t.Errorf("%+v", failed)
					}
				})
			})
		}
	}
	inBubble(t, client.Options{}, func(http.ResponseWriter, *http.Request, int) {}, func(t *testing.T, n *network) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := n.client.GetCustomer(ctx, 7)
		if failed := new(client.Error); !errors.Is(err, context.Canceled) || len(n.requests()) != 0 || !errors.As(err, &failed) || failed.Attempts != 0 || failed.Sent {
			t.Errorf("%+v after %d requests", err, len(n.requests()))
		}
	})
}

// TestDeadline checks that a deadline in the midst of an attempt is the context's, not
// the attempt's.
func TestDeadline(t *testing.T) {
	t.Parallel()
	inBubble(t, client.Options{}, func(_ http.ResponseWriter, r *http.Request, _ int) { <-r.Context().Done() }, func(t *testing.T, n *network) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		_, err := n.client.GetCustomer(ctx, 7)
		if !errors.Is(err, context.DeadlineExceeded) || err.Error() != "getCustomer: context deadline exceeded" || time.Since(n.began) != 3*time.Second || len(n.requests()) != 1 {
			t.Errorf("%v after %v", err, time.Since(n.began))
		}
	})
}
