package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// Defaults of [Options].
const (
	DefaultAttemptTimeout = 30 * time.Second
	DefaultMaxAttempts    = 4
	DefaultBaseWait       = 500 * time.Millisecond
	DefaultMaxWait        = 30 * time.Second
)

// Options are what can be set. The zero value of each field stands for its default.
type Options struct {
	// BaseURL is where the contract's paths begin, such as [DefaultBaseURL], which is
	// the default. It must be https, or http to this machine (localhost, 127.0.0.0/8,
	// ::1).
	BaseURL string
	// AllowHTTP permits http to other machines, whose network can then read the key
	// and the customers' data: for test networks.
	AllowHTTP bool
	// UserAgent names your program: products with or without a version, and comments
	// in parentheses (RFC 9110 §10.1.5), such as "example-shop/2.1". It is put before
	// this package's own.
	UserAgent string
	// AttemptTimeout bounds one attempt, from its beginning to the last byte of its
	// answer. A call as a whole is bounded by its context.
	AttemptTimeout time.Duration
	// MaxAttempts is how often a call is sent at most. 1 sends everything once.
	MaxAttempts int
	// BaseWait bounds the first pause between attempts. Each further pause has a bound
	// twice as long as the one before, up to MaxWait. How long a pause is within its
	// bound is random.
	BaseWait time.Duration
	// MaxWait bounds every pause. An answer whose Retry-After asks for more is
	// returned at once; one that does not is waited for as long as it asks, and up to
	// BaseWait longer.
	MaxWait time.Duration
	// OnRetry is told of every pause before it begins: why, and how long it is. It is
	// called by the goroutine of the call.
	OnRetry func(ctx context.Context, err error, wait time.Duration)
	// Transport sends requests, for a proxy or certificates of your own; the default
	// is [http.DefaultTransport].
	Transport http.RoundTripper
}

// withDefaults gives the options with every default put in.
func (o *Options) withDefaults() Options {
	var all Options
	if o != nil {
		all = *o
	}
	if all.BaseURL == "" {
		all.BaseURL = DefaultBaseURL
	}
	if all.AttemptTimeout == 0 {
		all.AttemptTimeout = DefaultAttemptTimeout
	}
	if all.MaxAttempts == 0 {
		all.MaxAttempts = DefaultMaxAttempts
	}
	if all.BaseWait == 0 {
		all.BaseWait = DefaultBaseWait
		if all.MaxWait > 0 {
			all.BaseWait = min(all.BaseWait, all.MaxWait)
		}
	}
	if all.MaxWait == 0 {
		all.MaxWait = max(DefaultMaxWait, all.BaseWait)
	}
	if all.OnRetry == nil {
		all.OnRetry = func(context.Context, error, time.Duration) {}
	}
	if all.Transport == nil {
		all.Transport = http.DefaultTransport
	}
	return all
}

// longest bounds durations and leaves room for sums of them.
const longest = 24 * time.Hour

// maxMaxAttempts is more than anybody waits for.
const maxMaxAttempts = 100

// check returns everything that is wrong with the options, and the base URL.
func (o *Options) check() (*url.URL, error) {
	base, err := parseBaseURL(o.BaseURL, o.AllowHTTP)
	faults := []error{err}
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"AttemptTimeout", o.AttemptTimeout}, {"BaseWait", o.BaseWait}, {"MaxWait", o.MaxWait}} {
		if d.value <= 0 || d.value > longest {
			fault("%s: want a duration up to %s, or 0 for the default", d.name, longest)
		}
	}
	if o.MaxWait > 0 && o.BaseWait > o.MaxWait {
		fault("BaseWait: must not be longer than MaxWait")
	}
	if o.MaxAttempts < 1 || o.MaxAttempts > maxMaxAttempts {
		fault("MaxAttempts: want 1 to %d, or 0 for the default", maxMaxAttempts)
	}
	if o.UserAgent != "" && (len(o.UserAgent) > maxUserAgent || !userAgentForm.MatchString(o.UserAgent)) {
		fault("UserAgent: want names of products, such as example-shop/2.1, and comments in parentheses, at most %d characters", maxUserAgent)
	}
	return base, errors.Join(faults...)
}

const maxUserAgent = 200

// userAgentForm is RFC 9110 §10.1.5 in ASCII, without comments inside of comments.
var userAgentForm = regexp.MustCompile(`^` + product + `( (` + product + `|\([ -'*-\[\]-~]*\)))*$`)

const (
	word    = "[!#$%&'*+.^_`|~0-9A-Za-z-]+" // RFC 9110 §5.6.2 calls it token
	product = word + `(/` + word + `)?`
)

// keyForm is what can follow "Bearer" (RFC 6750 §2.1).
var keyForm = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`)

const maxKey = 1024

// checkKey says what is wrong with a key, without it.
func checkKey(key string) error {
	switch {
	case key == "":
		return errors.New("key: must not be empty")
	case strings.TrimSpace(key) != key:
		return errors.New("key: has a space or a line break before or after it")
	case len(key) > maxKey || !keyForm.MatchString(key):
		return errors.New("key: this is not an API key, which begins with cex_live_, or cex_test_ in a sandbox")
	}
	return nil
}

// parseBaseURL reads a base URL, and gives it without a slash at its end. No fault
// repeats it, for it may have a password.
func parseBaseURL(text string, allowHTTP bool) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "":
		return nil, errors.New("BaseURL: want where the API is, such as " + DefaultBaseURL)
	case u.User != nil:
		return nil, errors.New("BaseURL: must have no user and no password")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("BaseURL: must have no query and no fragment")
	case u.Scheme == "http" && !allowHTTP && !isLoopback(u.Hostname()):
		return nil, errors.New("BaseURL: must be https, for the key and the customers' data are sent there (AllowHTTP permits http)")
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/"), RawPath: strings.TrimRight(u.RawPath, "/")}, nil
}

// isLoopback tells whether a host is this machine.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

// userAgent puts this package's name behind the caller's.
func userAgent(callers string) string {
	names := []string{versioned("cryptoexchange-escrow-go", moduleVersion()), versioned("go", strings.TrimPrefix(runtime.Version(), "go"))}
	if callers != "" {
		names = append([]string{callers}, names...)
	}
	return strings.Join(names, " ")
}

var versionForm = regexp.MustCompile(`^` + word + `$`)

// versioned names a product, with its version if that can be sent.
func versioned(name, version string) string {
	if versionForm.MatchString(version) {
		return name + "/" + version
	}
	return name
}

// module is this package's.
const module = "cryptoexchange.com/escrow"

// moduleVersion gives the version of this package in the program that it is part of,
// or something that is no token.
func moduleVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	if info.Main.Path == module {
		return info.Main.Version
	}
	for _, d := range info.Deps {
		if d.Path == module {
			return d.Version
		}
	}
	return ""
}
