package main_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// TestDocs opens the documentation in a browser, as wide as a desktop and as a
// phone: it must show the operations, and ask no other host for anything. The
// screenshots are kept with go test -artifacts.
func TestDocs(t *testing.T) {
	t.Parallel()
	chromium := need(t, "chromium", "chromium-browser", "google-chrome")
	s := start(t, filepath.Join(t.TempDir(), "data"))
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox)
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	defer cancel()
	for name, size := range map[string][2]int64{"desktop": {1280, 900}, "phone": {390, 844}} {
		t.Run(name, func(t *testing.T) {
			browse(t, allocator, s, name, size)
		})
	}
}

// overflowing lists what does not fit in the texts of the page: elements that
// are wider than what cuts them off or scrolls, or than the screen, and codes
// that are broken in mid-word. None of that makes the page itself wider.
const overflowing = `(() => {
  const faults = [];
  const name = e => e.tagName.toLowerCase() + ' ' + JSON.stringify(e.textContent.trim().slice(0, 40));
  for (const e of document.querySelectorAll('.redoc-markdown, .redoc-markdown *')) {
    if (getComputedStyle(e).overflowX !== 'visible' && e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1)
      faults.push(name(e) + ' is ' + e.scrollWidth + ' wide in ' + e.clientWidth);
    const box = e.getBoundingClientRect();
    if (box.width > 0 && (box.left < 0 || box.right > innerWidth))
      faults.push(name(e) + ' is from ' + box.left + ' to ' + box.right + ' on a screen of ' + innerWidth);
  }
  const codes = document.querySelectorAll('.redoc-markdown td code');
  for (const e of codes)
    if (!/\s/.test(e.textContent) && e.getClientRects().length > 1) faults.push(name(e) + ' is broken in mid-word');
  if (codes.length < 10) faults.push('only ' + codes.length + ' codes are in tables');
  return [...new Set(faults)];
})()`

func browse(t *testing.T, allocator context.Context, s *server, name string, size [2]int64) {
	t.Helper()
	tab, cancel := chromedp.NewContext(allocator)
	defer cancel()
	if err := chromedp.Do(tab); err != nil { // the browser starts without a limit of time
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(tab, 2*time.Minute)
	defer cancel()
	var mu sync.Mutex
	var requests, complaints []string // guarded by mu
	listening := chromedp.Listen(tab, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			requests = append(requests, e.Request.Method+" "+e.Request.URL)
		case *cdplog.EventEntryAdded:
			complaints = append(complaints, string(e.Entry.Source)+": "+e.Entry.Text)
		}
	})
	_, logging := chromedp.Call(ctx, cdplog.Enable, cdp.Empty{})
	shown := chromedp.Do(ctx,
		chromedp.EmulateViewport(size[0], size[1]),
		chromedp.Navigate(s.root+"/"),
		chromedp.WaitVisible(`[data-section-id="tag/Customers/operation/getCustomer"]`),
	)
	text, reading := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText`))
	width, measuring := chromedp.Run(ctx, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`))
	wide, looking := chromedp.Run(ctx, chromedp.Evaluate[[]string](overflowing))
	picture, taking := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err := errors.Join(listening, logging, shown, reading, measuring, looking, taking); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(t.ArtifactDir(), "docs-"+name+".png"), picture, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"CryptoExchange Escrow Partner API", "Create a customer", "Get a customer", "email_already_in_use"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not show %q", want)
		}
	}
	if width > size[0] {
		t.Errorf("the page is %d wide on a screen of %d", width, size[0])
	}
	for _, w := range wide {
		t.Errorf("on a screen of %d: %s", size[0], w)
	}
	mu.Lock()
	defer mu.Unlock()
	own := strings.TrimPrefix(s.root, "http://")
	for _, r := range requests {
		t.Logf("%.100s", r)
		_, raw, _ := strings.Cut(r, " ")
		u, err := url.Parse(raw)
		if err != nil {
			t.Error(err)
			continue
		}
		// What is in the page itself asks nobody.
		if u.Scheme != "data" && u.Scheme != "blob" && u.Host != own {
			t.Errorf("the page asks %s", u.Host)
		}
	}
	if len(requests) < 4 {
		t.Errorf("only %d requests were seen: does this test look at them?", len(requests))
	}
	for _, c := range complaints {
		t.Errorf("the browser complains: %s", c)
	}
}

// TestServedContract checks that what is served names the server itself.
func TestServedContract(t *testing.T) {
	t.Parallel()
	s := start(t, filepath.Join(t.TempDir(), "data"), "--public-url", "https://escrow.example.com/")
	for _, path := range []string{"/openapi.yaml", "/openapi.json"} {
		status, body := s.get(t, s.root+path, "")
		if status != http.StatusOK || !strings.Contains(string(body), "https://escrow.example.com/api/v1/escrow") || strings.Contains(string(body), "https://cryptoexchange.com/api") {
			t.Errorf("%s: %d, %.300s", path, status, body)
		}
	}
}
