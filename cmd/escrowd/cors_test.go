package main_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// pageProgram is what a page's own program does: it creates a customer, reads the
// problem of the same again, and of other requests that fail, and repeats one.
const pageProgram = `(async (api, key) => {
  const seen = [];
  const ask = async (what, path, options) => {
    try {
      const r = await fetch(api + path, options);
      const body = r.headers.get('Content-Type') ? await r.json() : {};
      seen.push([what, r.status, body.code ?? 'id ' + body.id, body.customer_id ?? '',
        ['Location', 'WWW-Authenticate', 'Allow', 'Idempotency-Replayed', 'Retry-After'].filter(h => r.headers.get(h)).join(' '),
        r.headers.get('X-Request-Id') ? 'has an id' : 'has no id'].join(', '));
    } catch (e) {
      seen.push(what + ', ' + e.name);
    }
  };
  const headers = { Authorization: 'Bearer ' + key, 'Content-Type': 'application/json', 'Idempotency-Key': 'k' };
  const create = email => ({ method: 'POST', headers, body: JSON.stringify({ email }) });
  await ask('create', '/partner/customers', create('ana@example.com'));
  await ask('repeat', '/partner/customers', create('ana@example.com'));
  await ask('again', '/partner/customers', { ...create('ana@example.com'), headers: { ...headers, 'Idempotency-Key': 'l' } });
  await ask('read', '/partner/customer/1', { headers: { Authorization: 'Bearer ' + key } });
  await ask('no key', '/partner/customer/1', {});
  await ask('nobody', '/partner/customer/99', { headers });
  await ask('method', '/partner/customers', { method: 'DELETE', headers });
  await ask('large', '/partner/customers', create('a'.repeat(300000)));
  await ask('failure', '/partner/customers', create('service_unavailable@sandbox.example'));
  await ask('header', '/partner/customer/1', { headers: { ...headers, 'X-Other': '1' } });
  await ask('with cookies', '/partner/customer/1', { headers, credentials: 'include' });
  return seen;
})(%q, %q)`

// pageSees is what the program of a page of a listed origin sees.
var pageSees = []string{
	"create, 201, id 1, , Location, has an id",
	"repeat, 201, id 1, , Location Idempotency-Replayed, has an id",
	"again, 403, email_already_in_use, 1, , has an id",
	"read, 200, id 1, , , has an id",
	"no key, 401, unauthenticated, , WWW-Authenticate, has an id",
	"nobody, 404, customer_not_found, , , has an id",
	"method, 405, method_not_allowed, , Allow, has an id",
	"large, 413, body_too_large, , , has an id",
	"failure, 503, service_unavailable, , Retry-After, has an id",
	"header, TypeError",       // which the contract does not have
	"with cookies, TypeError", // which nobody is allowed
}

// TestCORSBrowser has the programs of two pages in a browser call a sandbox: one of
// an origin that is listed, and one of another, which can do nothing.
func TestCORSBrowser(t *testing.T) {
	t.Parallel()
	chromium := need(t, "chromium", "chromium-browser", "google-chrome")
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, "<!DOCTYPE html><title>Shop</title>")
	})
	shop, stranger := httptest.NewServer(page), httptest.NewServer(page)
	defer shop.Close()
	defer stranger.Close()
	s := startSandbox(t, nil, nil, "--sandbox", "--cors-origins", "https://shop.example.com,"+shop.URL)
	off := start(t, filepath.Join(t.TempDir(), "data"))
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox)
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	defer cancel()
	tab, cancel := chromedp.NewContext(allocator)
	defer cancel()
	if err := chromedp.Do(tab); err != nil { // the browser starts without a limit of time
		t.Fatal(err)
	}
	run := func(from string, to *server) []string {
		ctx, cancel := context.WithTimeout(tab, 2*time.Minute)
		defer cancel()
		opening := chromedp.Do(ctx, chromedp.Navigate(from))
		seen, running := chromedp.Run(ctx, chromedp.Evaluate[[]string](fmt.Sprintf(pageProgram, to.url, to.key), chromedp.EvalAwaitPromise))
		if err := errors.Join(opening, running); err != nil {
			t.Fatal(err)
		}
		return seen
	}
	for name, tt := range map[string]struct {
		from string
		to   *server
	}{"not listed": {stranger.URL, s}, "off": {shop.URL, off}} {
		for _, line := range run(tt.from, tt.to) {
			if !strings.HasSuffix(line, ", TypeError") {
				t.Errorf("%s: the page sees %s", name, line)
			}
		}
		if status, _ := tt.to.get(t, tt.to.url+"/partner/customer/1", tt.to.key); status != http.StatusNotFound {
			t.Errorf("%s: a customer was created, %d", name, status)
		}
	}
	got := run(shop.URL, s)
	for i, want := range pageSees {
		if i >= len(got) || got[i] != want {
			t.Errorf("the page sees\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(pageSees, "\n"))
			break
		}
	}
}
