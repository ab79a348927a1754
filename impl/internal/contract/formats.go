package contract

import (
	"encoding/base64"
	"errors"
	"net/mail"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"
)

var errFormat = errors.New("not of the format")

// formats are those of OpenAPI and JSON Schema. kin-openapi by itself does not
// check most of them, and checks some by a pattern that lets 31 February pass.
// What is accepted here, Go's own types take.
var formats = map[string]func(string) error{
	"binary":    func(string) error { return nil },
	"byte":      base64Text,
	"date":      func(s string) error { return parsed(time.Parse(time.DateOnly, s)) },
	"date-time": func(s string) error { return parsed(nil, new(time.Time).UnmarshalText([]byte(s))) },
	"email":     func(s string) error { return address(s, false) },
	"hostname":  hostname,
	"idn-email": func(s string) error { return address(s, true) },
	"ip":        func(s string) error { return ip(s, func(netip.Addr) bool { return true }) },
	"ipv4":      func(s string) error { return ip(s, netip.Addr.Is4) },
	"ipv6":      func(s string) error { return ip(s, netip.Addr.Is6) },
	"password":  func(string) error { return nil },
	"uri":       uri,
	"uuid": func(s string) error {
		if id, err := uuid.Parse(s); err != nil || !strings.EqualFold(id.String(), s) {
			return errFormat
		}
		return nil
	},
}

// parsed hides an error that quotes what it is about.
func parsed(_ any, err error) error {
	if err != nil {
		return errFormat
	}
	return nil
}

// base64Text checks base64 without the line ends that mails have in it.
func base64Text(s string) error {
	if strings.ContainsAny(s, "\r\n") {
		return errFormat
	}
	return parsed(base64.StdEncoding.Strict().DecodeString(s))
}

// address checks an e-mail address, without a name before it.
func address(s string, international bool) error {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || len(s) > 254 || strings.Contains(s, "@[") {
		return errFormat
	}
	_, domain, _ := strings.Cut(s[strings.LastIndexByte(s, '@'):], "@")
	if international {
		return nil
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r > 127 }) {
		return errFormat
	}
	return hostname(domain)
}

// hostname checks a name by RFC 1123 §2.1.
func hostname(s string) error {
	if len(s) > 253 {
		return errFormat
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || strings.Trim(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
			return errFormat
		}
	}
	return nil
}

func ip(s string, of func(netip.Addr) bool) error {
	if a, err := netip.ParseAddr(s); err != nil || a.Zone() != "" || !of(a) {
		return errFormat
	}
	return nil
}

// uri checks an absolute URI, in the characters of RFC 3986 only.
func uri(s string) error {
	u, err := url.Parse(s)
	if err != nil || !u.IsAbs() {
		return errFormat
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c <= ' ' || c > '~' || strings.IndexByte("\"<>\\^`{|}", c) >= 0:
			return errFormat
		case c == '%' && (i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2])):
			return errFormat
		}
	}
	return nil
}

func isHex(c byte) bool {
	return c-'0' <= 9 || c|0x20 >= 'a' && c|0x20 <= 'f'
}

func visitOptions(checks map[string]func(string) error) []openapi3.SchemaValidationOption {
	validators := make(map[string]openapi3.StringFormatValidator, len(checks))
	for name, check := range checks {
		validators[name] = openapi3.NewCallbackValidator(check)
	}
	return []openapi3.SchemaValidationOption{
		openapi3.WithStringFormatValidators(validators),
		openapi3.DisableSchemaErrorDetails(), // they quote the value, and their size is that of the value squared
	}
}
