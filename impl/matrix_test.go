package impl_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"cryptoexchange.com/escrow/gen/spec"
	"cryptoexchange.com/escrow/impl"
)

// operation is an operation as the contract has it.
type operation struct {
	id, method, path string
	statuses         []int // declared
	body             bool
}

// operations reads the contract.
func operations(t *testing.T) []operation {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(spec.YAML)
	if err != nil {
		t.Fatal(err)
	}
	var list []operation
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			o := operation{id: op.OperationID, method: method, path: path, body: op.RequestBody != nil}
			for status := range op.Responses.Map() {
				code, err := strconv.Atoi(status)
				if err != nil {
					t.Fatalf("%s declares %q", op.OperationID, status)
				}
				o.statuses = append(o.statuses, code)
			}
			slices.Sort(o.statuses)
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(a, b operation) int { return strings.Compare(a.id, b.id) })
	return list
}

// scene is two partners with a customer each, who are logged in, and have marks
// that nobody else must read.
type scene struct {
	l                         *live
	key, otherKey, revokedKey string
	vera, otto                *browser // customers of the first and the second partner
	ended                     *browser // was vera's
	veraID                    string
	veraSession               string            // id of another session of vera's
	secrets                   map[string]string // of second factors, by caller
	pool                      map[flow][]string // tokens of links that nobody has used
	made                      int
}

const (
	veraMark = "Vandermark"
	ottoMark = "Oldenburg"
)

// callers are the columns of the matrix, in the order in which they come.
var callers = []string{"none", "partner key", "other partner's key", "revoked key", "ended session", "other customer's session", "customer session"}

// newScene makes the people anew, in a service that is there already.
func newScene(t *testing.T, l *live, name, otherKey, revokedKey string) *scene {
	t.Helper()
	s := &scene{l: l, key: l.key, otherKey: otherKey, revokedKey: revokedKey, secrets: make(map[string]string), pool: make(map[flow][]string)}
	join := func(key, email, mark string) (*browser, string) {
		created := l.create(t, object("email", email, "first_name", mark, "last_name", mark+"-Lastname", "address",
			map[string]any{"line1": mark + " Street 1", "city": mark + "town", "country": "ES", "post_code": "28014"}), "Authorization", "Bearer "+key).want(t, 201)
		u := l.browser()
		u.post(t, "/invitation/accept", object("token", l.letter(t, email, 1).token, "password", passphrase)).want(t, 200)
		u.logIn(t, email, passphrase).want(t, 200)
		return u, fmt.Sprint(created.body["id"])
	}
	vera, otto := "vera."+strings.ToLower(veraMark)+"."+name+"@example.com", "otto."+strings.ToLower(ottoMark)+"."+name+"@example.com"
	s.vera, s.veraID = join(s.key, vera, veraMark)
	s.otto, _ = join(s.otherKey, otto, ottoMark)
	s.ended = l.browser()
	s.ended.logIn(t, vera, passphrase).want(t, 200)
	cookie := s.ended.cookie
	s.ended.call(t, http.MethodDelete, "/session", "").want(t, 204)
	s.ended.cookie = cookie
	l.browser().logIn(t, vera, passphrase).want(t, 200)
	s.veraSession = s.vera.get(t, "/sessions").items("sessions")[0]["id"].(string)
	return s
}

// email gives an address that nobody has yet.
func (s *scene) email() string {
	s.made++
	return fmt.Sprintf("n%d.%s@example.com", s.made, s.veraID)
}

// link gives the token of an unused link. They are made seven at a time, to wait
// once for their e-mails.
func (s *scene) link(t *testing.T, f flow) string {
	t.Helper()
	if len(s.pool[f]) == 0 {
		var emails []string
		for range callers {
			emails = append(emails, s.email())
		}
		s.pool[f] = s.l.links(t, f, emails...)
	}
	token := s.pool[f][0]
	s.pool[f] = s.pool[f][1:]
	return token
}

// credential gives the headers of a caller.
func (s *scene) credential(caller string) []string {
	authorization, cookie := "", ""
	switch caller {
	case "partner key":
		authorization = "Bearer " + s.key
	case "other partner's key":
		authorization = "Bearer " + s.otherKey
	case "revoked key":
		authorization = "Bearer " + s.revokedKey
	case "ended session":
		cookie = s.ended.cookie
	case "other customer's session":
		cookie = s.otto.cookie
	case "customer session":
		cookie = s.vera.cookie
	}
	return []string{"Authorization", authorization, "Cookie", cookie, "Sec-Fetch-Site", "same-origin"}
}

// customerOf gives the browser of a caller who has a session; else vera's.
func (s *scene) customerOf(caller string) *browser {
	if caller == "other customer's session" {
		return s.otto
	}
	return s.vera
}

// request is what fills an operation's path, or makes its query, and its body.
type request struct{ parameter, body string }

func tokenOf(f flow) func(*testing.T, *scene, string) request {
	return func(t *testing.T, s *scene, _ string) request {
		return request{"", object("token", s.link(t, f))}
	}
}

func passwordBy(f flow) func(*testing.T, *scene, string) request {
	return func(t *testing.T, s *scene, _ string) request {
		return request{"", object("token", s.link(t, f), "password", passphrase2)}
	}
}

func always(body string) func(*testing.T, *scene, string) request {
	return func(*testing.T, *scene, string) request { return request{"", body} }
}

// rows has, for each operation, a request that is valid for whom it is meant,
// and the status for each of the callers.
var rows = map[string]struct {
	request func(t *testing.T, s *scene, caller string) request
	want    [7]int
}{
	"createCustomer": {func(_ *testing.T, s *scene, _ string) request { return request{"", object("email", s.email())} }, [7]int{401, 201, 201, 401, 401, 401, 401}},
	"getCustomer":    {func(_ *testing.T, s *scene, _ string) request { return request{s.veraID, ""} }, [7]int{401, 200, 404, 401, 401, 401, 401}},
	"resendInvitation": {func(t *testing.T, s *scene, _ string) request {
		id := s.l.create(t, object("email", s.email(), "first_name", veraMark)).want(t, 201).body["id"]
		s.l.clock.forward(time.Minute)
		return request{fmt.Sprint(id), ""}
	}, [7]int{401, 202, 404, 401, 401, 401, 401}},

	"checkInvitation":        {tokenOf(flows[0]), everybody(200)},
	"acceptInvitation":       {passwordBy(flows[0]), everybody(200)},
	"checkEmailConfirmation": {tokenOf(flows[1]), everybody(200)},
	"confirmEmail":           {passwordBy(flows[1]), everybody(200)},
	"checkPasswordReset":     {tokenOf(flows[2]), everybody(200)},
	"resetPassword":          {passwordBy(flows[2]), everybody(200)},
	"renewInvitation": {func(t *testing.T, s *scene, caller string) request {
		r := tokenOf(flows[0])(t, s, caller)
		s.l.clock.forward(time.Minute)
		return r
	}, everybody(202)},
	"signUp":               {func(_ *testing.T, s *scene, _ string) request { return request{"", object("email", s.email())} }, everybody(202)},
	"requestPasswordReset": {func(_ *testing.T, s *scene, _ string) request { return request{"", object("email", s.email())} }, everybody(202)},
	"logIn": {func(t *testing.T, s *scene, _ string) request {
		email := s.email()
		s.l.customer(t, email)
		return request{"", object("email", email, "password", passphrase)}
	}, everybody(200)},

	"getDisbursementRequirements": {func(*testing.T, *scene, string) request { return request{"?type=ach&country=US&currency=usd", ""} }, [7]int{401, 200, 200, 401, 401, 401, 401}},
	"listDisbursementMethods":     {always(""), customers(200)},
	"addDisbursementMethod":       {always(methodChange(passphrase)), customers(201)},
	"replaceDisbursementMethod": {func(t *testing.T, s *scene, _ string) request {
		return request{s.method(t), methodChange(passphrase)}
	}, ownMethods(200)},
	"removeDisbursementMethod": {func(t *testing.T, s *scene, _ string) request {
		return request{s.method(t), object("password", passphrase)}
	}, ownMethods(204)},
	"setDefaultDisbursementMethod": {func(t *testing.T, s *scene, _ string) request {
		return request{s.method(t), object("password", passphrase)}
	}, ownMethods(200)},

	"logOut":       {always(""), customers(204)},
	"listSessions": {always(""), customers(200)},
	"endSession":   {func(_ *testing.T, s *scene, _ string) request { return request{s.veraSession, ""} }, [7]int{401, 401, 401, 401, 401, 404, 204}},
	"getMe":        {always(""), customers(200)},
	"updateMe":     {always(`{"middle_name":"M."}`), customers(200)},
	"exportMe":     {always(""), customers(200)},
	"closeAccount": {always(object("password", passphrase)), customers(204)},
	"changePassword": {
		always(object("current_password", passphrase, "new_password", passphrase2)), customers(204),
	},
	"enrolTotp": {always(object("password", passphrase)), customers(200)},
	"confirmTotp": {func(t *testing.T, s *scene, caller string) request {
		return request{"", object("code", s.l.code(t, s.enrol(t, caller)))}
	}, customers(200)},
	"disableTotp": {func(t *testing.T, s *scene, caller string) request {
		secret := s.enrol(t, caller)
		if u := s.customerOf(caller); u.get(t, "/me").body["totp_enabled"] == false {
			u.post(t, "/me/totp/confirm", object("code", s.l.code(t, secret))).want(t, 200)
		}
		s.l.clock.forward(time.Minute)
		return request{"", object("password", passphrase, "code", s.l.code(t, secret))}
	}, customers(204)},
}

func everybody(status int) [7]int {
	return [7]int{status, status, status, status, status, status, status}
}

func customers(status int) [7]int { return [7]int{401, 401, 401, 401, 401, status, status} }

// ownMethods is for what a customer may do with their own methods only.
func ownMethods(status int) [7]int { return [7]int{401, 401, 401, 401, 401, 404, status} }

func methodChange(password string) string {
	return fmt.Sprintf(`{"password":%q,"method":%s}`, password, goodACH)
}

// method gives the id of a disbursement method of vera's, and makes one if there
// is none.
func (s *scene) method(t *testing.T) string {
	t.Helper()
	const path = "/me/disbursement-methods"
	if there := s.vera.get(t, path).want(t, 200).items("disbursement_methods"); len(there) > 0 {
		return there[0]["id"].(string)
	}
	return s.vera.post(t, path, methodChange(passphrase)).want(t, 201).body["id"].(string)
}

// enrol makes a second factor for who calls, and gives its secret.
func (s *scene) enrol(t *testing.T, caller string) string {
	t.Helper()
	u := s.customerOf(caller)
	name := u.cookie
	if s.secrets[name] == "" {
		s.secrets[name] = u.post(t, "/me/totp", object("password", passphrase)).want(t, 200).body["secret"].(string)
	}
	return s.secrets[name]
}

// do makes an operation's request as a caller.
func (s *scene) do(t *testing.T, op operation, r request, caller string, more ...string) *answer {
	t.Helper()
	path := op.path
	if from, to := strings.Index(path, "{"), strings.Index(path, "}"); from >= 0 {
		path = path[:from] + r.parameter + path[to+1:]
	} else if query, given := strings.CutPrefix(r.parameter, "?"); given {
		_, more, _ := strings.Cut(path, "?")
		path = strings.TrimSuffix(path, "?"+more) + "?" + strings.TrimPrefix(more+"&"+query, "&")
	}
	return s.l.do(t, op.method, s.l.url+path, r.body, append(s.credential(caller), more...)...)
}

// mayRead tells whose data may be in the answer of a cell.
func mayRead(op operation, caller string) (vera, otto bool) {
	if strings.HasPrefix(op.path, "/partner/") {
		return caller == "partner key", false
	}
	return caller == "customer session", caller == "other customer's session"
}

// newMatrix makes a service with a second partner and a revoked key.
func newMatrix(t *testing.T, edit ...func(*impl.Config)) (l *live, otherKey, revokedKey string) {
	t.Helper()
	l = setupLive(t, edit...)
	otherKey = l.newKey(t)
	o, err := impl.NewOperator(t.Context(), l.config.Data)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	key, secret, err := o.CreateKey(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.RevokeKey(t.Context(), key.ID); err != nil {
		t.Fatal(err)
	}
	return l, otherKey, secret.Reveal()
}

// TestAccessMatrix makes every operation of the contract as every kind of
// caller, and holds each answer to the table: its status, that this is declared,
// and that it has nobody else's data.
func TestAccessMatrix(t *testing.T) {
	t.Parallel()
	l, otherKey, revokedKey := newMatrix(t)
	known := maps.Clone(rows)
	cells := 0
	for _, op := range operations(t) {
		row, there := known[op.id]
		if !there {
			t.Errorf("%s (%s %s) is in the contract, and not in the table", op.id, op.method, op.path)
			continue
		}
		delete(known, op.id)
		s := newScene(t, l, strings.ToLower(op.id), otherKey, revokedKey)
		before := s.vera.get(t, "/me").want(t, 200).raw
		for i, caller := range callers {
			r := row.request(t, s, caller)
			if caller == "customer session" && !strings.Contains(op.id, "Totp") {
				if now := s.vera.get(t, "/me").want(t, 200).raw; now != before {
					t.Errorf("%s: others changed the customer\n%s\n%s", op.id, before, now)
				}
			}
			s.cell(t, op, r, caller, row.want[i])
			cells++
		}
	}
	for id := range known {
		t.Errorf("%s is in the table, and not in the contract", id)
	}
	if want := len(rows) * len(callers); cells != want {
		t.Errorf("%d cells, want %d", cells, want)
	}
	t.Logf("%d operations, %d callers, %d cells", len(rows), len(callers), cells)
}

// cell holds one answer to what is expected.
func (s *scene) cell(t *testing.T, op operation, r request, caller string, want int) {
	t.Helper()
	a := s.do(t, op, r, caller)
	if a.status != want {
		t.Errorf("%s, %s: %d %s; want %d", op.id, caller, a.status, a.raw, want)
	}
	if !slices.Contains(op.statuses, a.status) {
		t.Errorf("%s, %s: %d is not declared", op.id, caller, a.status)
	}
	code, challenge := "not_logged_in", "Cookie "
	if strings.HasPrefix(op.path, "/partner/") {
		code, challenge = "unauthenticated", "Bearer "
	}
	if a.status == 401 && (a.code() != code || !strings.HasPrefix(a.header.Get("WWW-Authenticate"), challenge)) {
		t.Errorf("%s, %s: %s, %q", op.id, caller, a.code(), a.header.Get("WWW-Authenticate"))
	}
	if a.status >= 400 && a.header.Get("Set-Cookie") != "" {
		t.Errorf("%s, %s: a refusal sets a cookie", op.id, caller)
	}
	vera, otto := mayRead(op, caller)
	text := strings.ToLower(a.raw + fmt.Sprint(a.header))
	for mark, allowed := range map[string]bool{veraMark: vera, ottoMark: otto} {
		if strings.Contains(text, strings.ToLower(mark)) && !allowed {
			t.Errorf("%s, %s: reads what is not theirs: %s", op.id, caller, a.raw)
		}
	}
	// Who may read does: else the marks would prove nothing.
	if reads := map[string]bool{"getMe": true, "updateMe": true, "exportMe": true, "getCustomer": true}; reads[op.id] && a.status == 200 && vera != strings.Contains(text, strings.ToLower(veraMark)) {
		t.Errorf("%s, %s: the customer's own data is missing: %s", op.id, caller, a.raw)
	}
}
