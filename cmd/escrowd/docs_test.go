package main_test

import (
	"context"
	"errors"
	"fmt"
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
// phone: it must show its texts and the operations, and ask no other host for
// anything. The screenshots are kept with go test -artifacts.
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
// are wider than what cuts them off, or than the screen, and codes in tables that
// are broken in mid-word. None of that makes the page itself wider. Code and
// tables may scroll by themselves.
const overflowing = `(() => {
  const faults = [];
  const name = e => e.tagName.toLowerCase() + ' ' + JSON.stringify(e.textContent.trim().slice(0, 40));
  for (const e of document.querySelectorAll('article, article *, .home *')) {
    if (getComputedStyle(e).overflowX === 'hidden' && e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1)
      faults.push(name(e) + ' is ' + e.scrollWidth + ' wide in ' + e.clientWidth);
    const box = e.getBoundingClientRect();
    if (box.width > 0 && !e.closest('pre, .table') && (box.left < 0 || box.right > innerWidth))
      faults.push(name(e) + ' is from ' + box.left + ' to ' + box.right + ' on a screen of ' + innerWidth);
  }
  for (const e of document.querySelectorAll('article td a > code'))
    if (!/\s/.test(e.textContent) && e.getClientRects().length > 1) faults.push(name(e) + ' is broken in mid-word');
  return [...new Set(faults)];
})()`

// copies lists what the buttons of the page copy.
const copies = `(() => {
  const copied = [];
  navigator.clipboard.writeText = async (text) => { copied.push(text); };
  for (const button of document.querySelectorAll('.code .copy')) button.click();
  return copied;
})()`

// shown are pages of the documentation, an element that each waits for, and what
// it must say.
var shown = []struct {
	path, waitFor string
	want          []string
}{
	{"/", "#operations", []string{"Escrow API for partners", "Quick start", "Create a customer"}},
	{"/docs/guides/errors", "article > h1", []string{"email_already_in_use", "What to do", "Versioning"}},
	{"/docs/reference", `[id$="tag/customers"]`, []string{"CryptoExchange Escrow Partner API", "Create a customer", "Get a customer", "email_already_in_use"}},
}

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
	if err := errors.Join(listening, logging, chromedp.Do(ctx, chromedp.EmulateViewport(size[0], size[1]))); err != nil {
		t.Fatal(err)
	}
	for i, page := range shown {
		showing := chromedp.Do(ctx, chromedp.Navigate(s.root+page.path), chromedp.WaitVisible(page.waitFor))
		text, reading := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.textContent`))
		width, measuring := chromedp.Run(ctx, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`))
		wide, looking := chromedp.Run(ctx, chromedp.Evaluate[[]string](overflowing))
		picture, taking := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err := errors.Join(showing, reading, measuring, looking, taking); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(t.ArtifactDir(), fmt.Sprintf("docs-%d-%s.png", i, name)), picture, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, want := range page.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not show %q", page.path, want)
			}
		}
		if width > size[0] {
			t.Errorf("%s is %d wide on a screen of %d", page.path, width, size[0])
		}
		for _, w := range wide {
			t.Errorf("%s on a screen of %d: %s", page.path, size[0], w)
		}
	}
	checkCopies(ctx, t, s)
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
	if len(requests) < 12 {
		t.Errorf("only %d requests were seen: does this test look at them?", len(requests))
	}
	for _, c := range complaints {
		t.Errorf("the browser complains: %s", c)
	}
}

// checkCopies checks that of what a terminal shows the commands are copied, and no
// prompt or answer.
func checkCopies(ctx context.Context, t *testing.T, s *server) {
	t.Helper()
	showing := chromedp.Do(ctx, chromedp.Navigate(s.root+"/docs/guides/testing"), chromedp.WaitVisible(".code .copy"))
	copied, copying := chromedp.Run(ctx, chromedp.Evaluate[[]string](copies))
	if err := errors.Join(showing, copying); err != nil {
		t.Fatal(err)
	}
	if len(copied) < 3 || copied[0] != "escrowd serve --sandbox\n" || !strings.HasPrefix(copied[1], "export ESCROW_SANDBOX_KEY=") || strings.Contains(strings.Join(copied, "\n"), "$ escrowd") {
		t.Errorf("what is copied: %q", copied)
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

// TestDocsCommand exports the documentation, and refuses what cannot be meant.
func TestDocsCommand(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "site")
	done := program(t, programs.escrowd, nil, "docs", "--out", folder, "--public-url", "https://escrow.example.com")
	if done.code != 0 || !strings.Contains(done.out, "files written to "+folder) {
		t.Fatalf("%+v", done)
	}
	for name, want := range map[string]string{
		"index.html":                         "docs/index.html",
		"openapi.yaml":                       "https://escrow.example.com/api/v1/escrow",
		"docs/reference/index.html":          "../../docs/contract.js",
		"problems/not_found/index.html":      "not_found",
		"docs/guides/quick-start/index.html": "https://escrow.example.com/api/v1/escrow",
	} {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil || !strings.Contains(string(content), want) {
			t.Errorf("%s: %v, want %s in it", name, err, want)
		}
	}
	file := filepath.Join(folder, "openapi.yaml")
	for _, refused := range []struct {
		args []string
		code int
		say  string
	}{
		{[]string{"--out", folder}, 1, "not empty"},
		{[]string{"--out", file}, 1, file},
		{[]string{"--out", ""}, 1, "out"},
		{[]string{}, 2, "--out"},
		{[]string{"--out", filepath.Join(folder, "x"), "--public-url", "escrow.example.com"}, 1, "public URL"},
		{[]string{"--out", filepath.Join(folder, "x"), "--public-url", "https://example.com/escrow"}, 1, "public URL"},
		{[]string{"--out", "/proc/escrow"}, 1, "/proc/escrow"},
	} {
		got := program(t, programs.escrowd, nil, append([]string{"docs"}, refused.args...)...)
		if got.code != refused.code || !strings.Contains(got.err, refused.say) || got.out != "" {
			t.Errorf("%v: %+v", refused.args, got)
		}
	}
	if again := program(t, programs.escrowd, nil, "docs", "--out", folder, "--force"); again.code != 0 {
		t.Errorf("%+v", again)
	}
}
