package lying

import (
	"net/http"
	"strings"
	"unicode/utf8"
)

// who knows the credentials.
func who(key string) (tenant string, low, known bool) {
	switch key {
	case KeyA:
		return "a", false, true
	case KeyB:
		return "b", false, true
	case KeyLow:
		return "a", true, true
	}
	return "", false, false
}

func pinOf(tenant string) string { return map[string]string{"a": PinA, "b": PinB}[tenant] }

// bearer gives the token of Authorization, if that is what there is.
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// authenticate finds out who asks, by any alternative of the operation.
func (c *call) authenticate() *answer {
	if len(c.op.security) == 0 {
		if c.lies("F6") && bearer(c.r) == "" && c.r.Header.Get("X-API-Key") == "" {
			return c.unauthenticated()
		}
		return nil
	}
	if a := c.lieMalformedCredential(); a != nil {
		return a
	}
	for _, alternative := range c.op.security {
		if c.satisfied(alternative) {
			return c.authorize()
		}
	}
	if c.lieAuthenticate() {
		return c.authorize()
	}
	return c.unauthenticated()
}

func (c *call) unauthenticated() *answer {
	a := problem(http.StatusUnauthorized, "unauthenticated", "")
	a.add("WWW-Authenticate", `ApiKey realm="lying", Bearer realm="lying"`)
	return a
}

// satisfied judges one alternative: all of its schemes are needed, and must be of
// one tenant. More than that does no harm.
func (c *call) satisfied(alternative []string) bool {
	var tenant string
	var low bool
	for _, scheme := range alternative {
		key := c.r.Header.Get("X-API-Key")
		if scheme == "bearer" {
			key = bearer(c.r)
		}
		if scheme == "pin" {
			continue
		}
		t, l, ok := who(key)
		if !ok {
			return false
		}
		tenant, low = t, l
	}
	for _, scheme := range alternative {
		if scheme == "pin" && c.r.Header.Get("X-Pin") != pinOf(tenant) && !c.breaks("F7", "key-alone") {
			return false
		}
	}
	if c.breaks("F7", "bearer-refused") && len(alternative) == 1 {
		return false
	}
	c.tenant, c.low = tenant, low
	return true
}

// authorize judges the role.
func (c *call) authorize() *answer {
	if c.op.role != "" && c.low && !c.lies("F5") {
		return problem(http.StatusForbidden, "forbidden", "")
	}
	return nil
}

// lieAuthenticate lets in who should not be.
func (c *call) lieAuthenticate() bool {
	key, token := c.r.Header.Get("X-API-Key"), bearer(c.r)
	authorization := c.r.Header.Get("Authorization")
	let := false
	switch c.s.lie.class {
	case "F1":
		let = c.lies("F1") && key == "" && authorization == ""
	case "F2":
		let = c.lies("F2") && (key != "" || token != "")
	case "F4":
		let = c.s.lie.place == "key" && key == KeyExpired || c.s.lie.place == "bearer" && token == KeyExpired
	case "F7":
		let = c.lies("F7") && c.s.mode() == "pin-alone" && (c.r.Header.Get("X-Pin") == PinA || c.r.Header.Get("X-Pin") == PinB)
	case "F9":
		let = c.misplaced()
	}
	if let && c.tenant == "" {
		c.tenant = "a"
	}
	return let
}

// misplaced finds a credential where the contract has none.
func (c *call) misplaced() bool {
	found := ""
	for _, name := range []string{"X-API-Key", "x-api-key", "api_key", "apikey", "key", "access_token", "token"} {
		switch c.s.lie.place {
		case "query":
			if v := c.r.URL.Query().Get(name); v != "" {
				found = v
			}
		case "cookie":
			if v, err := c.r.Cookie(name); err == nil {
				found = v.Value
			}
		}
	}
	if scheme, v, _ := strings.Cut(c.r.Header.Get("Authorization"), " "); c.s.lie.place == "scheme" && !strings.EqualFold(scheme, "Bearer") {
		found = v
		if v == "" {
			found = scheme
		}
	}
	tenant, low, ok := who(found)
	c.tenant, c.low = tenant, low
	return ok
}

// lieMalformedCredential breaks down over what is no credential at all.
func (c *call) lieMalformedCredential() *answer {
	if c.s.lie.class != "F3" {
		return nil
	}
	keys, hasKey := c.r.Header["X-Api-Key"]
	authorization, has := c.r.Header["Authorization"]
	for _, v := range append(append([]string{}, keys...), authorization...) {
		broken := false
		switch c.s.lie.place {
		case "empty":
			broken = strings.TrimSpace(strings.TrimPrefix(v, "Bearer")) == ""
		case "long":
			broken = len(v) > 512
		case "non-ascii":
			broken = strings.IndexFunc(v, func(r rune) bool { return r >= 0x80 || r == utf8.RuneError }) >= 0
		case "scheme":
			broken = has && !hasKey && bearer(c.r) == ""
		}
		if broken {
			return internal()
		}
	}
	return nil
}
