package report

import (
	"context"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// TestPage opens the page in a browser, as wide as a desktop and as a phone, in
// light and in dark: nothing is wider than the screen, nothing is asked of any
// server, and the filters work, without a script. The screenshots are kept with
// go test -artifacts.
func TestPage(t *testing.T) {
	t.Parallel()
	chromium := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			chromium = path
			break
		}
	}
	switch {
	case chromium == "" && os.Getenv("CI") != "":
		t.Fatal("chromium is not installed")
	case chromium == "":
		t.Skip("needs chromium, which is not installed")
	}
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, write(t, "page.html", sample()), 0o600); err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox)
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	defer cancel()
	for name, size := range map[string][2]int64{"desktop": {1280, 900}, "phone": {390, 844}} {
		for _, scheme := range []string{"light", "dark"} {
			t.Run(name+", "+scheme, func(t *testing.T) {
				browse(t, allocator, (&url.URL{Scheme: "file", Path: file}).String(), name, scheme, size)
			})
		}
	}
}

// faults opens all that is closed, and lists what is wider than the screen or
// than what cuts it off, and text that has little contrast to what is behind it
// (WCAG 2.2, 1.4.3).
const faults = `(() => {
  const faults = [];
  for (const d of document.querySelectorAll('details')) d.open = true;
  const name = e => e.tagName.toLowerCase() + '.' + e.className + ' ' + JSON.stringify(e.textContent.trim().slice(0, 40));
  const rgb = s => (s.match(/[\d.]+/g) || []).map(Number);
  const luminance = c => { const [r, g, b] = c.map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] > 0) return c; } return [255, 255, 255]; };
  for (const e of document.querySelectorAll('body *')) {
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    if (style.opacity === '0') continue;
    if (style.overflowX !== 'visible' && e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1) faults.push(name(e) + ' is ' + e.scrollWidth + ' wide in ' + e.clientWidth);
    if (box.width > 0 && (box.left < 0 || box.right > innerWidth + 1)) faults.push(name(e) + ' is from ' + box.left + ' to ' + box.right);
    if (box.width > 0 && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) {
      const [a, b] = [luminance(rgb(style.color).slice(0, 3)), luminance(behind(e).slice(0, 3))].sort((x, y) => y - x);
      if ((a + .05) / (b + .05) < 4.5) faults.push(name(e) + ' has a contrast of ' + ((a + .05) / (b + .05)).toFixed(2));
    }
  }
  return [...new Set(faults)];
})()`

// filtered gives how many findings and rows of clauses are seen after clicks on
// the filters.
const filtered = `(() => {
  const seen = s => [...document.querySelectorAll(s)].filter(e => e.checkVisibility()).length;
  const counts = [seen('.finding'), seen('tr.clause')];
  document.querySelector('label[for=show-should]').click();
  document.querySelector('label[for=show-unjudged]').click();
  counts.push(seen('.finding'), seen('tr.clause'));
  document.querySelector('label[for=show-judged]').click();
  counts.push(seen('tr.clause'));
  return counts;
})()`

func browse(t *testing.T, allocator context.Context, address, name, scheme string, size [2]int64) {
	t.Helper()
	tab, cancel := chromedp.NewContext(allocator)
	defer cancel()
	if err := chromedp.Do(tab); err != nil { // the browser starts without a limit of time
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(tab, 2*time.Minute)
	defer cancel()
	var mu sync.Mutex
	var asked, complaints []string // guarded by mu
	listening := chromedp.Listen(tab, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			asked = append(asked, e.Request.URL)
		case *cdplog.EventEntryAdded:
			complaints = append(complaints, e.Entry.Text)
		}
	})
	_, logging := chromedp.Call(ctx, cdplog.Enable, cdp.Empty{})
	_, dyeing := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	shown := chromedp.Do(ctx, chromedp.EmulateViewport(size[0], size[1]), chromedp.Navigate(address), chromedp.WaitVisible("#findings"))
	first, taking := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	text, reading := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText`))
	wrong, looking := chromedp.Run(ctx, chromedp.Evaluate[[]string](faults))
	width, measuring := chromedp.Run(ctx, chromedp.Evaluate[[]int64](`[document.documentElement.scrollWidth, document.documentElement.scrollHeight]`))
	if err := errors.Join(listening, logging, dyeing, shown, taking, reading, looking, measuring); err != nil {
		t.Fatal(err)
	}
	resized := chromedp.Do(ctx, chromedp.EmulateViewport(size[0], min(width[1], 12000)))
	whole, taking := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	counts, clicking := chromedp.Run(ctx, chromedp.Evaluate[[]int](filtered))
	if err := errors.Join(resized, taking, clicking); err != nil {
		t.Fatal(err)
	}
	for suffix, picture := range map[string][]byte{"": first, "-whole": whole} {
		if err := os.WriteFile(filepath.Join(t.ArtifactDir(), "report-"+name+"-"+scheme+suffix+".png"), picture, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"The server breaks its contract in 3 ways", "Accepts what breaks maxLength of nickname", "api/openapi.yaml:812:11", "a refusal: 400 or 422", "3 of 6 clauses"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not show %q", want)
		}
	}
	if width[0] > size[0] {
		t.Errorf("the page is %d wide on a screen of %d", width[0], size[0])
	}
	for _, w := range wrong {
		t.Errorf("on a screen of %d: %s", size[0], w)
	}
	if want := [5]int{7, 6, 1, 3, 3}; [5]int(counts) != want {
		t.Errorf("the filters show %v, want %v", counts, want)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, a := range asked {
		if a != address {
			t.Errorf("the page asks for %s", a)
		}
	}
	if len(asked) == 0 {
		t.Error("no request was seen: does this test look at them?")
	}
	for _, c := range complaints {
		t.Errorf("the browser complains: %s", c)
	}
}
