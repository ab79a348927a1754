package samples_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// The examples of the contract have this password.
const examplePassword = "violet teapot under seven bridges"

// scene makes people who are in the state that an operation wants.
type scene struct {
	s      *server
	made   int
	early  []string // addresses of customers who were created when the scene was, by id
	earlyI []string
	began  time.Time
}

// state is what one run of a sample finds: its session, and what takes the place
// of the example's values on the way to the server.
type state struct {
	session string
	path    string            // of the parameter's example, if there is one
	values  map[string]string // of the body's members
}

// slow are the operations that are done once a minute at most, counted from when
// the customer was created.
var slow = map[string]bool{"resendInvitation": true, "renewInvitation": true}

// newScene also creates the customers for those.
func newScene(t *testing.T, s *server, early int) *scene {
	t.Helper()
	c := &scene{s: s}
	for range early {
		email, id := c.customer(t)
		c.early, c.earlyI = append(c.early, email), append(c.earlyI, id)
	}
	c.began = time.Now()
	return c
}

func (c *scene) email() string {
	c.made++
	return fmt.Sprintf("n%d@example.com", c.made)
}

// customer is created by the partner.
func (c *scene) customer(t *testing.T) (email, id string) {
	t.Helper()
	email = c.email()
	created, _ := c.s.call(t, http.MethodPost, "/partner/customers", map[string]any{"email": email, "first_name": "Johny"}, "Authorization", "Bearer "+c.s.key)
	return email, fmt.Sprintf("%.0f", created["id"])
}

// invited is one of the early customers, a minute later.
func (c *scene) invited(t *testing.T) (email, id string) {
	t.Helper()
	if len(c.early) == 0 {
		t.Fatal("too few customers were created early")
	}
	email, id = c.early[0], c.earlyI[0]
	c.early, c.earlyI = c.early[1:], c.earlyI[1:]
	time.Sleep(time.Until(c.began.Add(61 * time.Second)))
	return email, id
}

// joined is a customer with a password.
func (c *scene) joined(t *testing.T, password string) (email string) {
	t.Helper()
	email, _ = c.customer(t)
	c.s.call(t, http.MethodPost, "/customer/invitation/accept", map[string]any{"token": c.s.token(t, email, 1), "password": password})
	return email
}

// logIn begins a session, and gives its token.
func (c *scene) logIn(t *testing.T, email string) string {
	t.Helper()
	_, header := c.s.call(t, http.MethodPost, "/customer/session", map[string]any{"email": email, "password": examplePassword})
	token, _, _ := strings.Cut(strings.TrimPrefix(header.Get("Set-Cookie"), "cex_session="), ";")
	return token
}

// inside is a session of a new customer.
func (c *scene) inside(t *testing.T) state {
	t.Helper()
	return state{session: c.logIn(t, c.joined(t, examplePassword))}
}

// as makes a request in a session.
func (c *scene) as(t *testing.T, session, method, path string, body any) map[string]any {
	t.Helper()
	answer, _ := c.s.call(t, method, path, body, "Cookie", "cex_session="+session)
	return answer
}

// enrolled is a customer who has the secret of a second factor.
func (c *scene) enrolled(t *testing.T) (st state, secret string) {
	t.Helper()
	st = c.inside(t)
	answer := c.as(t, st.session, http.MethodPost, "/customer/me/totp", map[string]any{"password": examplePassword})
	secret, _ = answer["secret"].(string)
	return st, secret
}

func oneTimeCode(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, at)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// withMethod is a customer with a disbursement method, whose id is the path's.
func (c *scene) withMethod(t *testing.T) state {
	t.Helper()
	st := c.inside(t)
	added := c.as(t, st.session, http.MethodPost, "/customer/me/disbursement-methods", map[string]any{
		"password": examplePassword,
		"method": map[string]any{
			"type": "crypto_wallet", "asset": "BTC", "network": "bitcoin",
			"address": "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
		},
	})
	st.path, _ = added["id"].(string)
	return st
}

// signedUp gives the token of the link that who signs up is sent.
func (c *scene) signedUp(t *testing.T) state {
	t.Helper()
	email := c.email()
	c.s.call(t, http.MethodPost, "/customer/sign-up", map[string]any{"email": email})
	return state{values: map[string]string{"token": c.s.token(t, email, 1)}}
}

// forgotten gives the token of the link that who has forgotten a password is sent.
func (c *scene) forgotten(t *testing.T) state {
	t.Helper()
	email := c.joined(t, "the lamp is green when the ship leaves")
	c.s.call(t, http.MethodPost, "/customer/password-reset", map[string]any{"email": email})
	return state{values: map[string]string{"token": c.s.token(t, email, 2)}}
}

// invitation gives the token of a customer's first e-mail.
func (c *scene) invitation(t *testing.T) state {
	t.Helper()
	email, _ := c.customer(t)
	return state{values: map[string]string{"token": c.s.token(t, email, 1)}}
}

// states has, for each operation, what its samples find.
var states = map[string]func(c *scene, t *testing.T) state{
	"createCustomer": func(c *scene, _ *testing.T) state {
		return state{values: map[string]string{"email": c.email()}}
	},
	"getCustomer": func(c *scene, t *testing.T) state {
		_, id := c.customer(t)
		return state{path: id}
	},
	"resendInvitation": func(c *scene, t *testing.T) state {
		_, id := c.invited(t)
		return state{path: id}
	},
	"renewInvitation": func(c *scene, t *testing.T) state {
		email, _ := c.invited(t)
		return state{values: map[string]string{"token": c.s.token(t, email, 1)}}
	},
	"getDisbursementRequirements": func(*scene, *testing.T) state { return state{} },

	"checkInvitation":        (*scene).invitation,
	"acceptInvitation":       (*scene).invitation,
	"checkEmailConfirmation": (*scene).signedUp,
	"confirmEmail":           (*scene).signedUp,
	"checkPasswordReset":     (*scene).forgotten,
	"resetPassword":          (*scene).forgotten,
	"signUp": func(c *scene, _ *testing.T) state {
		return state{values: map[string]string{"email": c.email()}}
	},
	"requestPasswordReset": func(c *scene, t *testing.T) state {
		return state{values: map[string]string{"email": c.joined(t, examplePassword)}}
	},
	"logIn": func(c *scene, t *testing.T) state {
		return state{values: map[string]string{"email": c.joined(t, examplePassword)}}
	},

	"logOut":       (*scene).inside,
	"listSessions": (*scene).inside,
	"endSession": func(c *scene, t *testing.T) state {
		email := c.joined(t, examplePassword)
		st := state{session: c.logIn(t, email)}
		c.logIn(t, email)
		list, _ := c.as(t, st.session, http.MethodGet, "/customer/sessions", nil)["sessions"].([]any)
		for _, s := range list {
			if s, _ := s.(map[string]any); s["current"] == false {
				st.path, _ = s["id"].(string)
			}
		}
		return st
	},
	"getMe":          (*scene).inside,
	"updateMe":       (*scene).inside,
	"exportMe":       (*scene).inside,
	"closeAccount":   (*scene).inside,
	"changePassword": (*scene).inside,
	"enrolTotp":      (*scene).inside,
	"confirmTotp": func(c *scene, t *testing.T) state {
		st, secret := c.enrolled(t)
		st.values = map[string]string{"code": oneTimeCode(t, secret, time.Now())}
		return st
	},
	"disableTotp": func(c *scene, t *testing.T) state {
		st, secret := c.enrolled(t)
		// A code is good once, and a little before its time too.
		now := time.Now()
		c.as(t, st.session, http.MethodPost, "/customer/me/totp/confirm", map[string]any{"code": oneTimeCode(t, secret, now)})
		st.values = map[string]string{"code": oneTimeCode(t, secret, now.Add(30*time.Second))}
		return st
	},

	"listDisbursementMethods":      (*scene).withMethod,
	"addDisbursementMethod":        (*scene).inside,
	"replaceDisbursementMethod":    (*scene).withMethod,
	"removeDisbursementMethod":     (*scene).withMethod,
	"setDefaultDisbursementMethod": (*scene).withMethod,
}

// fill puts the state's values where the request has the example's. example is
// the operation's path as the sample has it, with the parameter's example.
func (st state) fill(e *exchange, parameter string, unique string) error {
	if st.path != "" && parameter != "" {
		e.path = strings.Replace(e.path, "/"+parameter, "/"+st.path, 1)
	}
	if e.header.Get("Idempotency-Key") != "" {
		e.header.Set("Idempotency-Key", unique)
	}
	if len(st.values) == 0 {
		return nil
	}
	var body map[string]any
	if err := json.Unmarshal(e.body, &body); err != nil {
		return err
	}
	for name, value := range st.values {
		if _, there := body[name]; !there {
			return fmt.Errorf("the body has no %s", name)
		}
		body[name] = value
	}
	var err error
	e.body, err = json.Marshal(body)
	return err
}
