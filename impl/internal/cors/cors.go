// Package cors lets programs in browsers call the API from pages of other sites, of
// the origins that an operator lists (Cross-Origin Resource Sharing,
// https://fetch.spec.whatwg.org/#http-cors-protocol, read 2026-11).
//
// Echo's middleware writes the headers. Left to itself, it answers OPTIONS for
// everybody, with 204; so it is asked only where there is something to share, and
// all else is answered as without it:
//
//	request                            origin listed        not listed, or none
//	OPTIONS that asks for a method     204, what is allowed  as ever: 405
//	all others                         as ever, and shared   as ever
//
// Errors are shared too, for the headers are there before anything can fail: a
// program reads the problem, and not that "the network failed". That is also why
// every method and header of the contract is allowed everywhere: what a resource
// does not take is said by the contract's own answer. What net/http cannot read at
// all is answered without these headers; browsers do not send it.
//
// Nothing is shared with a cookie (no Access-Control-Allow-Credentials): programs
// authenticate with a key that they were given, and nobody's session can be used by
// a page of another site. There are no patterns: an operator who lists an origin
// means that one, and "null" is the origin of everything that has none.
package cors

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

// maxAge is for how long a browser may remember what is allowed, in seconds. An
// origin that is listed no more is refused after that by every browser.
const maxAge = 600

// Methods are those of the contract. HEAD goes with GET.
func Methods() []string {
	return []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
}

// RequestHeaders are what the contract has requests send, besides what browsers
// allow everybody.
func RequestHeaders() []string {
	return []string{"Authorization", "Content-Type", "Idempotency-Key", "Prefer"}
}

// ResponseHeaders are those that the contract declares, besides what browsers show
// everybody or nobody; and Allow, of answers with 405.
func ResponseHeaders() []string {
	return []string{
		"Allow", "Idempotency-Replayed", "Location", "Preference-Applied", "Retry-After", "WWW-Authenticate", "X-Content-Type-Options", "X-Request-Id",
	}
}

// Middleware shares what is at some paths with some origins, each as [Check] wants
// it. It must come before what answers requests.
func Middleware(origins []string, shared func(path string) bool) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		share := middleware.CORSWithConfig(middleware.CORSConfig{
			AllowOrigins:  origins,
			AllowMethods:  Methods(),
			AllowHeaders:  RequestHeaders(),
			ExposeHeaders: ResponseHeaders(),
			MaxAge:        maxAge,
		})(next)
		return func(c echo.Context) error {
			r := c.Request()
			if !shared(r.URL.Path) {
				return next(c)
			}
			asks := r.Header.Get(echo.HeaderAccessControlRequestMethod) != ""
			if !slices.Contains(origins, r.Header.Get(echo.HeaderOrigin)) || r.Method == http.MethodOptions && !asks {
				// A cache must not give one origin what it keeps for another.
				c.Response().Header().Add(echo.HeaderVary, echo.HeaderOrigin)
				return next(c)
			}
			if r.Method == http.MethodOptions {
				c.Set(echo.ContextKeyHeaderAllow, nil) // of Echo's routes, which have OPTIONS
			}
			return share(c)
		}
	}
}

// Check judges an origin: it must be written as browsers write theirs (RFC 6454
// §6.2), for it is compared with that.
func Check(origin string) error {
	switch {
	case origin == "null":
		return errors.New("null is the origin of everything that has none, such as a file that somebody was sent")
	case strings.ContainsAny(origin, "*?"):
		return errors.New("patterns are not taken; list each origin")
	}
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return errors.New("want a scheme, a host and perhaps a port, such as https://shop.example.com or http://localhost:3000")
	}
	port := u.Port()
	if n, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || strconv.FormatUint(n, 10) != port) {
		return errors.New("there is no such port, as browsers write it")
	}
	switch {
	case u.User != nil:
		return errors.New("leave the user out")
	case u.Path != "" || u.Fragment != "":
		return errors.New("leave out what comes after the host and the port, and the slash too")
	case port == "80" && u.Scheme == "http", port == "443" && u.Scheme == "https":
		return errors.New("leave the port out, as browsers do with the usual one")
	case origin != u.Scheme+"://"+u.Host || strings.HasSuffix(u.Host, ":") || !isBrowsersHost(u.Hostname()):
		return errors.New("write the scheme and the host in small letters, and a name beyond ASCII as browsers send it (xn--...)")
	}
	return nil
}

// isBrowsersHost tells whether a host is written as browsers write it, as far as
// that can be told.
func isBrowsersHost(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.String() == host && ip.Zone() == ""
	}
	return strings.IndexFunc(host, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_'
	}) < 0
}
