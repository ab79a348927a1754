package impl_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"cryptoexchange.com/escrow/impl"
)

// elsewhere has the declared statuses that are not provoked here, and why.
var elsewhere = map[string]string{
	"408":                "is provoked where connections are slow (cmd/escrowd)",
	"500":                "is a fault of ours (TestViolation)",
	"503":                "needs a store that does not answer (TestUnavailable)",
	"createCustomer 409": "needs two at the same time (package customer, inFlight)",
}

// caller gives who an operation is meant for.
func (op operation) caller() string {
	switch {
	case strings.HasPrefix(op.path, "/partner/"):
		return "partner key"
	case slices.Contains(op.statuses, 401) && op.id != "logIn":
		return "customer session"
	default:
		return "none"
	}
}

// provocations has, for each declared status, what gets it: from any operation,
// or from the one that is named.
func provocations() map[string]func(t *testing.T, s *scene, op operation) *answer {
	type provoke = func(t *testing.T, s *scene, op operation) *answer
	valid := func(t *testing.T, s *scene, op operation) request { return rows[op.id].request(t, s, op.caller()) }
	send := func(body func(s *scene) string) provoke {
		return func(t *testing.T, s *scene, op operation) *answer {
			parameter := s.veraID
			if strings.Contains(op.path, "{method_id}") {
				parameter = s.method(t)
			}
			return s.do(t, op, request{parameter, body(s)}, op.caller())
		}
	}
	fixed := func(body string) provoke { return send(func(*scene) string { return body }) }
	with := func(headers ...string) provoke {
		return func(t *testing.T, s *scene, op operation) *answer {
			return s.do(t, op, valid(t, s, op), op.caller(), headers...)
		}
	}
	absent := func(parameter, body string) provoke {
		return func(t *testing.T, s *scene, op operation) *answer {
			return s.do(t, op, request{parameter, body}, op.caller())
		}
	}
	twice := func(t *testing.T, s *scene, op operation) *answer {
		r := valid(t, s, op)
		s.do(t, op, r, op.caller())
		return s.do(t, op, r, op.caller())
	}
	wrong := fixed(object("password", passphrase3))
	short := func(f flow) provoke {
		return func(t *testing.T, s *scene, op operation) *answer {
			return s.do(t, op, request{"", object("token", s.link(t, f), "password", "k3#vQz9!")}, op.caller())
		}
	}
	garbage := fixed(object("token", "garbage"))
	garbageAndPassword := fixed(object("token", "garbage", "password", passphrase2))
	return map[string]provoke{
		"200": with(), "201": with(), "202": with(), "204": with(),
		"400": func(t *testing.T, s *scene, op operation) *answer {
			op.path += "?unknown=1"
			return s.do(t, op, valid(t, s, op), op.caller())
		},
		"401": func(t *testing.T, s *scene, op operation) *answer { return s.do(t, op, valid(t, s, op), "none") },
		"403": with("Sec-Fetch-Site", "cross-site"),
		"406": with("Accept", "text/html"),
		"413": fixed(`"` + strings.Repeat("a", 257<<10) + `"`),
		"415": with("Content-Type", "text/plain"),

		"logIn 401":              fixed(object("email", "nobody@example.com", "password", passphrase)),
		"createCustomer 403":     twice,
		"createCustomer 422":     fixed(`{"email":"x@example.com","phone_number":"12"}`),
		"getCustomer 404":        absent("999", ""),
		"resendInvitation 404":   absent("999", ""),
		"endSession 404":         absent("018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7082", ""),
		"resendInvitation 409":   fixed(""),
		"signUp 422":             fixed(`{"email":"x@example.com","first_name":"\u200b"}`),
		"updateMe 422":           fixed(`{"phone_number":"12"}`),
		"changePassword 422":     fixed(object("current_password", passphrase3, "new_password", passphrase2)),
		"enrolTotp 422":          wrong,
		"closeAccount 422":       wrong,
		"disableTotp 422":        fixed(object("password", passphrase3, "code", "123456")),
		"disableTotp 409":        fixed(object("password", passphrase, "code", "123456")),
		"confirmTotp 409":        fixed(object("code", "123456")),
		"acceptInvitation 410":   twice,
		"confirmEmail 410":       twice,
		"resetPassword 410":      twice,
		"acceptInvitation 422":   short(flows[0]),
		"confirmEmail 422":       short(flows[1]),
		"resetPassword 422":      short(flows[2]),
		"checkInvitation 404":    garbage,
		"renewInvitation 404":    garbage,
		"acceptInvitation 404":   garbageAndPassword,
		"confirmEmail 404":       garbageAndPassword,
		"resetPassword 404":      garbageAndPassword,
		"checkPasswordReset 404": garbage, "checkEmailConfirmation 404": garbage,

		"getDisbursementRequirements 422":  absent("?type=ach&country=DE&currency=eur", ""),
		"addDisbursementMethod 422":        fixed(methodChange(passphrase3)),
		"replaceDisbursementMethod 404":    absent("018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7082", methodChange(passphrase)),
		"removeDisbursementMethod 404":     absent("018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7082", object("password", passphrase)),
		"setDefaultDisbursementMethod 404": absent("018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7082", object("password", passphrase)),
		"replaceDisbursementMethod 422":    fixed(methodChange(passphrase3)),
		"removeDisbursementMethod 422":     wrong,
		"setDefaultDisbursementMethod 422": wrong,
		"addDisbursementMethod 409": func(t *testing.T, s *scene, op operation) *answer {
			for range 10 {
				s.do(t, op, valid(t, s, op), op.caller()).want(t, 201)
			}
			return s.do(t, op, valid(t, s, op), op.caller())
		},

		"confirmTotp 422": func(t *testing.T, s *scene, op operation) *answer {
			return s.do(t, op, request{"", object("code", wrongCode(s.l.code(t, s.enrol(t, op.caller()))))}, op.caller())
		},
		"enrolTotp 409": func(t *testing.T, s *scene, op operation) *answer {
			code := s.l.code(t, s.enrol(t, op.caller()))
			s.vera.post(t, "/me/totp/confirm", object("code", code)).want(t, 200)
			return s.do(t, op, valid(t, s, op), op.caller())
		},
		"renewInvitation 410": func(t *testing.T, s *scene, op operation) *answer {
			token := s.link(t, flows[0])
			s.vera.post(t, "/invitation/accept", object("token", token, "password", passphrase)).want(t, 200)
			return s.do(t, op, request{"", object("token", token)}, op.caller())
		},
	}
}

// TestDeclaredStatuses gets every status that the contract declares, from every
// operation, at least once. One that is declared anew and cannot be had fails.
func TestDeclaredStatuses(t *testing.T) {
	t.Parallel()
	l, otherKey, revokedKey := newMatrix(t)
	ways := provocations()
	seen, left := 0, make(map[string]int)
	for _, op := range operations(t) {
		s := newScene(t, l, strings.ToLower(op.id), otherKey, revokedKey)
		for _, status := range successLast(op.statuses) {
			general, special := fmt.Sprint(status), fmt.Sprint(op.id, " ", status)
			if status == 429 {
				continue // TestDeclaredLimits
			}
			way := ways[special]
			if way == nil {
				way = ways[general]
			}
			switch {
			case way != nil:
				people := s
				if status == 409 { // it is about what they did before
					people = newScene(t, l, strings.ToLower(op.id)+"2", otherKey, revokedKey)
				}
				if a := way(t, people, op); a.status != status {
					t.Errorf("%s: %d %s; want %d", op.id, a.status, a.raw, status)
				}
				seen++
			case elsewhere[special] != "":
				left[special]++
			case elsewhere[general] != "":
				left[general]++
			default:
				t.Errorf("%s declares %d, which nothing here provokes", op.id, status)
			}
		}
	}
	t.Logf("%d pairs of an operation and a status were seen; not provoked here: %v", seen, left)
}

// successLast puts refusals first, since a success may end what they need.
func successLast(statuses []int) []int {
	sorted := slices.Clone(statuses)
	slices.SortStableFunc(sorted, func(a, b int) int { return min(b, 300) - min(a, 300) })
	return sorted
}

// TestDeclaredLimits gets 429 from every operation.
func TestDeclaredLimits(t *testing.T) {
	t.Parallel()
	l, otherKey, revokedKey := newMatrix(t, func(c *impl.Config) { c.RateLimit = 0.2 }) // one at once
	scenes := 0
	for _, op := range operations(t) {
		l.clock.forward(time.Minute)
		s := &scene{l: l, key: l.key, otherKey: otherKey, revokedKey: revokedKey, vera: l.browser(), ended: l.browser()}
		parameter := "1"
		switch op.caller() {
		case "customer session":
			email := fmt.Sprint("a", scenes, "@example.com")
			s.vera, _ = l.customer(t, email)
			s.vera.get(t, "/me").want(t, 200)
			parameter = "018f6b1c-9d3e-7c45-a1b2-3c4d5e6f7082"
		case "partner key":
			l.get(t, 999).want(t, 404)
		default:
			continue // TestNetworkLimit has them
		}
		scenes++
		if a := s.do(t, op, request{parameter, ""}, op.caller()); a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", op.id, a.status, a.raw)
		}
	}
	if scenes < 14 {
		t.Errorf("%d operations were tried", scenes)
	}
}
