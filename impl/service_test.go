package impl_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"cryptoexchange.com/escrow/impl"
)

// syncBuffer takes a log that many write.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// bundle is a service that runs on a folder of its own.
type bundle struct {
	service *impl.Service
	config  impl.Config
	url     string // of the API
	root    string
	key     string
	log     *syncBuffer
}

func setup(t testing.TB, edit ...func(*impl.Config)) *bundle {
	t.Helper()
	c := impl.DefaultConfig()
	c.Listen, c.Data, c.RateLimit = "127.0.0.1:0", t.TempDir(), 0
	impl.CheapPasswordsForTest(&c)
	for _, e := range edit {
		e(&c)
	}
	b := &bundle{config: c, log: &syncBuffer{}}
	var err error
	b.service, err = impl.New(t.Context(), c, slog.New(slog.NewTextHandler(b.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	_, secret, _, err := b.service.FirstPartner(t.Context(), "Shop")
	if err != nil {
		t.Fatal(err)
	}
	b.key = secret.Reveal()
	server := httptest.NewServer(b.service.Handler())
	b.root, b.url = server.URL, server.URL+impl.APIPath
	t.Cleanup(func() {
		server.Close()
		if err := b.service.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   map[string]any
	raw    string
}

func (a *answer) code() string { code, _ := a.body["code"].(string); return code }

// faults lists the faults of a problem, each as its place and code.
func (a *answer) faults() []string {
	var list []string
	errors, _ := a.body["errors"].([]any)
	for _, e := range errors {
		f, _ := e.(map[string]any)
		place := fmt.Sprint(f["pointer"])
		if f["in"] != nil {
			place = fmt.Sprint(f["in"], " ", f["name"])
		}
		list = append(list, place+" "+fmt.Sprint(f["code"]))
	}
	slices.Sort(list)
	return list
}

func (b *bundle) do(t *testing.T, method, url, body string, headers ...string) *answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+b.key)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		} else {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := &answer{status: response.StatusCode, header: response.Header, raw: string(raw)}
	if method != http.MethodHead && strings.Contains(response.Header.Get("Content-Type"), "json") {
		if err := json.Unmarshal(raw, &a.body); err != nil {
			t.Fatalf("%v: %s", err, raw)
		}
	}
	if a.status >= 400 && method != http.MethodHead {
		a.checkProblem(t)
	}
	return a
}

// checkProblem checks what every problem has.
func (a *answer) checkProblem(t *testing.T) {
	t.Helper()
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q: %s", got, a.raw)
	}
	if a.body["request_id"] != a.header.Get("X-Request-Id") || a.header.Get("X-Request-Id") == "" {
		t.Errorf("request_id %v, X-Request-Id %q", a.body["request_id"], a.header.Get("X-Request-Id"))
	}
	if a.body["status"] != float64(a.status) || a.body["title"] != http.StatusText(a.status) {
		t.Errorf("status %v, title %v; sent with %d", a.body["status"], a.body["title"], a.status)
	}
	if a.body["type"] != "https://cryptoexchange.com/problems/"+a.code() {
		t.Errorf("type %v", a.body["type"])
	}
}

func (b *bundle) create(t *testing.T, body string, headers ...string) *answer {
	t.Helper()
	return b.do(t, http.MethodPost, b.url+"/partner/customers", body, headers...)
}

func (b *bundle) get(t *testing.T, id any, headers ...string) *answer {
	t.Helper()
	return b.do(t, http.MethodGet, fmt.Sprint(b.url, "/partner/customer/", id), "", headers...)
}

// newKey makes another partner, and gives its key.
func (b *bundle) newKey(t *testing.T) string {
	t.Helper()
	o, err := impl.NewOperator(t.Context(), b.config.Data)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	_, secret, err := o.CreatePartner(t.Context(), "Other")
	if err != nil {
		t.Fatal(err)
	}
	return secret.Reveal()
}

const documented = `{
"email": "johny.smith@example.com",
"first_name": "Johny",
"middle_name": "Kanez",
"last_name": "Smith",
"address": {
"line1": "East Lane",
"line2": "Apartment 2",
"city": "San Francisco",
"state": "CA",
"country": "US",
"post_code": 10203
},
"phone_number": 8885118600
}`

func TestCreateAndGet(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *impl.Config) { c.PublicURL = "https://escrow.example.com/" })
	created := b.create(t, documented)
	if created.status != http.StatusCreated {
		t.Fatalf("%d %s", created.status, created.raw)
	}
	if got, want := created.header.Get("Location"), "https://escrow.example.com/api/v1/escrow/partner/customer/1"; got != want {
		t.Errorf("Location %q, want %q", got, want)
	}
	at := created.body["created_at"]
	if _, err := time.Parse("2006-01-02T15:04:05.000000Z", fmt.Sprint(at)); err != nil {
		t.Error(err)
	}
	want := map[string]any{
		"id": 1.0, "username": "", "first_name": "Johny", "middle_name": "Kanez", "last_name": "Smith",
		"company_name": nil, "gender": nil, "date_of_birth": nil, "email": "johny.smith@example.com", "status": 1.0,
		"country": "US", "customer_group_id": 2.0, "subscribed_to_news_letter": 0.0, "created_at": at, "updated_at": at,
		"is_verified": 1.0, "token": nil, "notes": nil, "phone": "+18885118600", "is_phone_verified": 0.0, "is_company": 0.0,
		"last_login_at": nil, "last_login_ip": nil, "last_login_host": nil, "partner_id": 1.0, "reason_for_deletion": nil,
		"deleted_at": nil, "disbursement_methods": []any{},
		"address": map[string]any{
			"line1": "East Lane", "line2": "Apartment 2", "city": "San Francisco", "state": "CA", "country": "US", "post_code": "10203",
		},
		"language": nil,
		"invitation": map[string]any{
			"state": "queued", "queued_at": at, "sent_at": nil, "failed_at": nil, "accepted_at": nil, "expires_at": later(t, at, 72*time.Hour),
		},
	}
	if diff := cmp.Diff(want, created.body); diff != "" {
		t.Errorf("created (-want +got)\n%s", diff)
	}
	got := b.get(t, 1)
	if diff := cmp.Diff(want, got.body); diff != "" || got.status != http.StatusOK {
		t.Errorf("read: %d (-want +got)\n%s", got.status, diff)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Content-Type": "application/json"} {
		if g := got.header.Get(name); g != want {
			t.Errorf("%s: %q, want %q", name, g, want)
		}
	}
	head := b.do(t, http.MethodHead, b.url+"/partner/customer/1", "")
	if head.status != http.StatusOK || head.raw != "" || head.header.Get("Content-Length") != fmt.Sprint(len(got.raw)) {
		t.Errorf("HEAD: %d, %q, %v", head.status, head.raw, head.header)
	}
}

// later gives a time of an answer, some time on.
func later(t *testing.T, at any, by time.Duration) string {
	t.Helper()
	const layout = "2006-01-02T15:04:05.000000Z"
	parsed, err := time.Parse(layout, fmt.Sprint(at))
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Add(by).Format(layout)
}

func TestMinimal(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.create(t, `{"email":"a@example.com"}`)
	if a.status != http.StatusCreated || a.body["address"] != nil || a.body["country"] != nil || a.body["phone"] != nil || len(a.body) != 31 {
		t.Errorf("%d %s", a.status, a.raw)
	}
}

func TestEmailInUse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.create(t, `{"email":"a@example.com"}`)
	mine := b.create(t, `{"email":"A@EXAMPLE.COM","first_name":"Ana"}`)
	if mine.status != http.StatusForbidden || mine.code() != "email_already_in_use" || mine.body["customer_id"] != 1.0 {
		t.Errorf("%d %s", mine.status, mine.raw)
	}
	other := b.create(t, `{"email":"a@example.com"}`, "Authorization", "Bearer "+b.newKey(t))
	if _, named := other.body["customer_id"]; other.status != http.StatusForbidden || named || len(other.body) != 8 {
		t.Errorf("%d %s", other.status, other.raw)
	}
	if diff := cmp.Diff([]string{"/email email_already_in_use"}, other.faults()); diff != "" {
		t.Error(diff)
	}
}

func TestIdempotency(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := b.create(t, documented, "Idempotency-Key", "k-1")
	second := b.create(t, strings.ReplaceAll(documented, "\n", " "), "Idempotency-Key", "k-1")
	if first.status != 201 || second.status != 201 || first.raw != second.raw {
		t.Errorf("%d %s\n%d %s", first.status, first.raw, second.status, second.raw)
	}
	if first.header.Get("Idempotency-Replayed") != "" || second.header.Get("Idempotency-Replayed") != "true" || first.header.Get("Location") != second.header.Get("Location") {
		t.Errorf("%v\n%v", first.header, second.header)
	}
	if a := b.create(t, `{"email":"b@example.com"}`, "Idempotency-Key", "k-1"); a.status != 422 || a.code() != "idempotency_key_reused" || !slices.Equal(a.faults(), []string{"header Idempotency-Key idempotency_key_reused"}) {
		t.Errorf("other body: %d %s", a.status, a.raw)
	}
	if a := b.create(t, `{"email":"c@example.com"}`, "Idempotency-Key", "k-1", "Authorization", "Bearer "+b.newKey(t)); a.status != 201 {
		t.Errorf("another partner's key: %d %s", a.status, a.raw)
	}
	for _, key := range []string{strings.Repeat("k", 256), "a b", "é", " "} {
		if a := b.create(t, documented, "Idempotency-Key", key); a.status != 400 || len(a.faults()) == 0 {
			t.Errorf("key %q: %d %s", key, a.status, a.raw)
		}
	}
	if a := b.create(t, documented); a.status != 403 {
		t.Errorf("without a key: %d", a.status)
	}
}

// TestNotFound checks that somebody else's customer is answered just as one that
// does not exist.
func TestNotFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.create(t, documented)
	other := b.newKey(t)
	answers := []*answer{b.get(t, 1, "Authorization", "Bearer "+other), b.get(t, 2), b.get(t, int64(1)<<62)}
	for _, a := range answers {
		id := a.header.Get("X-Request-Id")
		a.raw = strings.ReplaceAll(a.raw, id, "ID")
		a.header.Del("X-Request-Id")
		a.header.Del("Date")
		if a.status != 404 || a.code() != "customer_not_found" {
			t.Errorf("%d %s", a.status, a.raw)
		}
		if diff := cmp.Diff(answers[0].raw+fmt.Sprint(answers[0].header), a.raw+fmt.Sprint(a.header)); diff != "" {
			t.Errorf("answers differ: %s", diff)
		}
	}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const invalid, malformed = "invalid_request", "malformed_body"
	tests := []struct {
		name, body string
		status     int
		code       string
		faults     []string
	}{
		{"empty", "", 400, malformed, []string{" malformed_json"}},
		{"null", "null", 400, invalid, []string{" type"}},
		{"array", "[]", 400, invalid, []string{" type"}},
		{"truncated", documented[:80], 400, malformed, nil},
		{"trailing garbage", documented + "x", 400, malformed, []string{" malformed_json"}},
		{"duplicate keys", `{"email":"a@example.com","email":"b@example.com"}`, 400, malformed, []string{"/email duplicate_property"}},
		{"invalid UTF-8", "{\"email\":\"a@example.com\",\"first_name\":\"\xff\"}", 400, malformed, []string{" invalid_utf8"}},
		{"lone surrogate", `{"email":"a@example.com","first_name":"\udc00"}`, 400, malformed, []string{"/first_name malformed_json"}},
		{"10 MiB", `{"email":"` + strings.Repeat("a", 10<<20) + `"}`, 413, "body_too_large", nil},
		{"100,000 brackets", strings.Repeat("[", 100_000), 400, malformed, []string{strings.Repeat("/0", 31) + " too_deep"}},
		{"NUL", `{"email":"a@example.com","first_name":"A\u0000"}`, 400, malformed, []string{"/first_name nul_character"}},
		{"placeholder of the documented example", `{"email":"[email protected]"}`, 400, invalid, []string{"/email format"}},
		{"no e-mail address at all", `{"email":"bad"}`, 400, invalid, []string{"/email format", "/email min_length"}},
		{"empty e-mail address", `{"email":""}`, 400, invalid, []string{"/email min_length"}},
		{"no e-mail address", `{}`, 400, invalid, []string{"/email required"}},
		{"e-mail address of another type", `{"email":5}`, 400, invalid, []string{"/email type"}},
		{"e-mail address that is null", `{"email":null}`, 400, invalid, []string{"/email type"}},
		{"e-mail address with a name", `{"email":"Johny <johny@example.com>"}`, 400, invalid, []string{"/email format"}},
		{"e-mail address with a line break", `{"email":"a@example.com\r\nBcc: b@example.com"}`, 400, invalid, []string{"/email format"}},
		{"no disbursement method", `{"email":"a@example.com","disbursement_methods":[{}]}`, 400, invalid, []string{"/disbursement_methods/0/type required"}},
		{"names in another case", `{"email":"a@example.com","First_Name":"A"}`, 400, invalid, []string{"/First_Name unknown_property"}},
		{"empty name", `{"email":"a@example.com","first_name":""}`, 400, invalid, []string{"/first_name min_length"}},
		{"blank name", `{"email":"a@example.com","first_name":" "}`, 400, invalid, []string{"/first_name pattern"}},
		{"long name", `{"email":"a@example.com","first_name":"` + strings.Repeat("a", 101) + `"}`, 400, invalid, []string{"/first_name max_length"}},
		{"line break in a name", `{"email":"a@example.com","first_name":"A\nB"}`, 400, invalid, []string{"/first_name pattern"}},
		{"address without its parts", `{"email":"a@example.com","address":{}}`, 400, invalid, []string{"/address/city required", "/address/country required", "/address/line1 required", "/address/post_code required"}},
		{"address that is null", `{"email":"a@example.com","address":null}`, 400, invalid, []string{"/address type"}},
		{"country in small letters", `{"email":"a@example.com","address":{"line1":"1","city":"c","country":"us","state":"CA","post_code":1}}`, 400, invalid, []string{"/address/country pattern"}},
		{"post code that is nearly whole", `{"email":"a@example.com","address":{"line1":"1","city":"c","country":"ES","post_code":1e-400}}`, 400, malformed, []string{"/address/post_code number_out_of_range"}},
		{"address that nobody sees as it is", `{"email":"a@exa\u200bmple.com"}`, 400, invalid, []string{"/email format"}},
		{"negative post code", `{"email":"a@example.com","address":{"line1":"1","city":"c","country":"ES","post_code":-1}}`, 400, invalid, []string{"/address/post_code minimum"}},
		{"post code with a fraction", `{"email":"a@example.com","address":{"line1":"1","city":"c","country":"ES","post_code":1.5}}`, 400, invalid, []string{"/address/post_code type"}},
		{"huge post code", `{"email":"a@example.com","address":{"line1":"1","city":"c","country":"ES","post_code":9223372036854775808}}`, 400, invalid, []string{"/address/post_code maximum"}},
		{"phone number that is true", `{"email":"a@example.com","phone_number":true}`, 400, invalid, []string{"/phone_number type"}},
		{"faults of contract before those of the domain", `{"email":"a@example.com","phone_number":"12","nickname":"A"}`, 400, invalid, []string{"/nickname unknown_property"}},
		{"unknown country", `{"email":"a@example.com","address":{"line1":"1","city":"c","country":"XX","post_code":1}}`, 422, "unacceptable_data", []string{"/address/country unknown_country"}},
		{"unreadable names", `{"email":"a@example.com","first_name":"A\u0085b","last_name":"\u200b"}`, 422, "unacceptable_data", []string{"/first_name invalid_text", "/last_name invalid_text"}},
		{"no state", `{"email":"a@example.com","address":{"line1":"1","city":"c","country":"US","post_code":1}}`, 422, "unacceptable_data", []string{"/address/state state_required"}},
		{"unknown phone number", `{"email":"a@example.com","phone_number":"+1999"}`, 422, "unacceptable_data", []string{"/phone_number invalid_phone_number"}},
		{"national phone number without an address", `{"email":"a@example.com","phone_number":8885118600}`, 422, "unacceptable_data", []string{"/phone_number phone_number_needs_country"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := b.create(t, tt.body, "Content-Type", "application/json")
			if a.status != tt.status || a.code() != tt.code {
				t.Errorf("%d %s; want %d %s", a.status, a.raw, tt.status, tt.code)
			}
			if tt.faults != nil {
				if diff := cmp.Diff(tt.faults, a.faults()); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			}
		})
	}
	if a := b.create(t, `{"email":"a@example.com"}`); a.body["id"] != 1.0 {
		t.Errorf("something was stored before: %s", a.raw)
	}
}

// TestManyFaults checks that 20 faults are found of all that there are, and
// that names which a caller chose can be answered.
func TestManyFaults(t *testing.T) {
	t.Parallel()
	b := setup(t)
	body := make(map[string]any)
	for i := range 200 {
		body[fmt.Sprintf("x%d", i)] = i
	}
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	a := b.create(t, string(raw))
	if a.status != 400 || len(a.faults()) != 20 || a.body["error_count"] != 20.0 {
		t.Errorf("%d, %d faults listed, %v in all", a.status, len(a.faults()), a.body["error_count"])
	}
	long := strings.Repeat("\u00fc~/", 5000)
	for name, a := range map[string]*answer{
		"property":  b.create(t, fmt.Sprintf(`{"email":"a@example.com",%q:1}`, long)),
		"parameter": b.do(t, http.MethodGet, b.url+"/partner/customer/1?"+strings.Repeat("x", 5000)+"=1", ""),
		"NUL":       b.do(t, http.MethodGet, b.url+"/partner/customer/1?%00%ff=1", ""),
		"empty":     b.do(t, http.MethodGet, b.url+"/partner/customer/1?=1", ""),
		"broken":    b.do(t, http.MethodGet, b.url+"/partner/customer/1?%zz;=1", ""),
	} {
		if a.status != 400 || len(a.faults()) == 0 {
			t.Errorf("%s: %d %s", name, a.status, a.raw)
		}
	}
}

func TestUnauthenticated(t *testing.T) {
	t.Parallel()
	b := setup(t)
	plain, invalid := `Bearer realm="CryptoExchange Escrow"`, `Bearer realm="CryptoExchange Escrow", error="invalid_token"`
	for authorization, challenge := range map[string]string{
		"": plain, "Bearer": plain, "Basic " + b.key: plain, b.key: plain,
		"Bearer your-api-key": invalid, "Bearer cex_live_ABC": invalid, "Bearer " + b.key + "x": invalid, "Bearer " + b.key + " x": invalid,
	} {
		a := b.create(t, "{", "Authorization", authorization)
		if a.status != 401 || a.code() != "unauthenticated" || a.header.Get("WWW-Authenticate") != challenge {
			t.Errorf("%q: %d %q", authorization, a.status, a.header.Get("WWW-Authenticate"))
		}
		if unknown := a.body["detail"] == "This API key is unknown or revoked."; unknown != (challenge == invalid) {
			t.Errorf("%q: %v", authorization, a.body["detail"])
		}
	}
	for _, authorization := range []string{"Bearer " + b.key, "bearer " + b.key, "BEARER   " + b.key} {
		if a := b.get(t, 1, "Authorization", authorization); a.status != 404 {
			t.Errorf("%q: %d", authorization[:8], a.status)
		}
	}
}

func TestRevokedKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.create(t, documented)
	o, err := impl.NewOperator(t.Context(), b.config.Data) // as another process does
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if err := o.RevokeKey(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if a := b.get(t, 1); a.status != 401 {
		t.Errorf("%d after the key was revoked", a.status)
	}
	if err := o.RevokeKey(t.Context(), 99); !errors.Is(err, impl.ErrNotFound) {
		t.Errorf("unknown key: %v", err)
	}
}

func TestRouting(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tests := []struct {
		method, url string
		status      int
		code, allow string
	}{
		{"GET", b.root + "/nowhere", 404, "not_found", ""},
		{"GET", b.url, 404, "not_found", ""},
		{"GET", b.url + "/partner/customer/", 404, "not_found", ""},
		{"GET", b.url + "/partner/customer/1/", 404, "not_found", ""},
		{"GET", b.url + "/partner/customer/1/x", 404, "not_found", ""},
		{"GET", b.root + "/problems/nothing", 404, "not_found", ""},
		{"GET", b.url + "/partner/customers", 405, "method_not_allowed", "POST"},
		{"PUT", b.url + "/partner/customer/1", 405, "method_not_allowed", "GET, HEAD"},
		{"PATCH", b.url + "/partner/customer/1", 405, "method_not_allowed", "GET, HEAD"},
		{"DELETE", b.url + "/partner/customer/1", 405, "method_not_allowed", "GET, HEAD"},
		{"OPTIONS", b.url + "/partner/customers", 405, "method_not_allowed", "POST"},
		{"BREW", b.url + "/partner/customers", 405, "method_not_allowed", "POST"},
		{"POST", b.root + "/docs", 405, "method_not_allowed", "GET, HEAD"},
		{"OPTIONS", b.root + "/docs", 405, "method_not_allowed", "GET, HEAD"},
		{"OPTIONS", b.root + "/healthz", 405, "method_not_allowed", "GET, HEAD"},
		{"OPTIONS", b.root + "/problems/not_found", 405, "method_not_allowed", "GET, HEAD"},
	}
	for _, tt := range tests {
		a := b.do(t, tt.method, tt.url, "")
		if a.status != tt.status || a.code() != tt.code || a.header.Get("Allow") != tt.allow {
			t.Errorf("%s %s: %d %s, Allow %q; want %d %s, %q", tt.method, tt.url, a.status, a.code(), a.header.Get("Allow"), tt.status, tt.code, tt.allow)
		}
	}
}

func TestNegotiation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if a := b.create(t, documented, "Content-Type", "text/plain"); a.status != 415 || a.code() != "unsupported_media_type" {
		t.Errorf("%d %s", a.status, a.raw)
	}
	if a := b.create(t, documented, "Content-Encoding", "gzip"); a.status != 415 {
		t.Errorf("%d %s", a.status, a.raw)
	}
	for _, a := range []*answer{b.create(t, documented, "Accept", "text/html"), b.get(t, 1, "Accept", "application/xml")} {
		if a.status != 406 || a.code() != "not_acceptable" {
			t.Errorf("%d %s", a.status, a.raw)
		}
	}
	if a := b.create(t, documented, "Accept", "application/json"); a.status != 201 {
		t.Errorf("%d %s", a.status, a.raw)
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *impl.Config) { c.RateLimit = 0.5 })
	other := b.newKey(t)
	for range 2 { // five seconds' worth
		if a := b.get(t, 1); a.status != 404 {
			t.Fatalf("%d", a.status)
		}
	}
	a := b.get(t, 1)
	if a.status != 429 || a.code() != "rate_limit_exceeded" || (a.header.Get("Retry-After") != "1" && a.header.Get("Retry-After") != "2") {
		t.Errorf("%d %q", a.status, a.header.Get("Retry-After"))
	}
	if a := b.get(t, 1, "Authorization", "Bearer "+other); a.status != 404 {
		t.Errorf("another key: %d", a.status)
	}
}

// TestGuessing checks that who tries many keys is told to slow down, and that
// nobody with a good key is held up by it.
func TestGuessing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	seen := make(map[int]int)
	for range 300 {
		seen[b.get(t, 1, "Authorization", "Bearer cex_live_guess").status]++
	}
	if seen[401] < 200 || seen[429] == 0 || seen[401]+seen[429] != 300 {
		t.Errorf("statuses %v", seen)
	}
	if a := b.get(t, 1); a.status != 404 {
		t.Errorf("with a good key: %d", a.status)
	}
}

// TestViolation checks that what is stored and breaks the contract never leaves,
// and is not shown to the log either.
func TestViolation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.create(t, documented)
	corrupt(t, b.config.Data, `UPDATE customers SET address_country = 's3cret'`)
	a := b.get(t, 1)
	if a.status != 500 || a.code() != "internal_error" || strings.Contains(a.raw, "s3cret") {
		t.Errorf("%d %s", a.status, a.raw)
	}
	log := b.log.String()
	for _, want := range []string{"operation_id=getCustomer", "pointer=/address/country", "level=ERROR"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log has no %s:\n%s", want, log)
		}
	}
	if strings.Contains(log, "s3cret") {
		t.Errorf("the log has the value:\n%s", log)
	}
}

// TestUnavailable checks the answer while the store cannot be read.
func TestUnavailable(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if a := b.do(t, "GET", b.root+"/readyz", ""); a.status != 200 {
		t.Errorf("readyz: %d", a.status)
	}
	unlock := lock(t, b.config.Data)
	a := b.do(t, "GET", b.root+"/readyz", "")
	if a.status != 503 || a.code() != "service_unavailable" || a.header.Get("Retry-After") != "1" {
		t.Errorf("readyz: %d %s", a.status, a.raw)
	}
	if a := b.do(t, "GET", b.root+"/healthz", ""); a.status != 200 {
		t.Errorf("healthz: %d", a.status)
	}
	if a := b.create(t, documented); a.status != 503 || a.code() != "service_unavailable" || a.header.Get("Retry-After") != "1" {
		t.Errorf("create: %d %s", a.status, a.raw)
	}
	unlock()
	if a := b.create(t, documented); a.status != 201 {
		t.Errorf("create: %d %s", a.status, a.raw)
	}
}

// TestLogs checks that no log line has personal data or a key, whatever happens.
func TestLogs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const marker = "m4rker"
	b.create(t, `{"email":"`+marker+`@example.com","first_name":"`+marker+`"}`)
	b.create(t, `{"email":"`+marker+`@example.com"}`)
	b.create(t, `{"email":"`+marker+`"}`)
	b.create(t, `{"`+marker+`":1}`)
	b.create(t, marker)
	b.create(t, `{"email":"a@example.com","phone_number":"`+marker+`"}`)
	b.get(t, marker)
	b.get(t, "1?"+marker+"=1")
	b.get(t, 1, "Authorization", "Bearer "+marker)
	b.do(t, "GET", b.root+"/"+marker, "")
	b.do(t, "GET", b.root+"/problems/"+marker, "")
	log := b.log.String()
	if strings.Contains(log, marker) || strings.Contains(log, "cex_live") {
		t.Errorf("the log has data of a request:\n%s", log)
	}
	if got := strings.Count(log, "request_id="); got != 11 {
		t.Errorf("%d requests in the log, want 11:\n%s", got, log)
	}
}

// TestConcurrentCreates checks that of 200 creations of one address at once one
// is answered with 201.
func TestConcurrentCreates(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const creates = 200
	statuses := make([]int, creates)
	gate := make(chan struct{})
	var wg sync.WaitGroup
	for i := range creates {
		wg.Go(func() {
			<-gate
			email := []string{"a@example.com", "A@example.com", "a@EXAMPLE.com"}[i%3]
			statuses[i] = b.create(t, `{"email":"`+email+`"}`).status
		})
	}
	close(gate)
	wg.Wait()
	seen := make(map[int]int)
	for _, s := range statuses {
		seen[s]++
	}
	if diff := cmp.Diff(map[int]int{201: 1, 403: creates - 1}, seen); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestShutdown checks that a request under way is finished when the service is
// told to stop, and that nothing is left running.
func TestShutdown(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	c := impl.DefaultConfig()
	c.Listen, c.Data = "127.0.0.1:0", t.TempDir()
	log := &syncBuffer{}
	service, err := impl.New(t.Context(), c, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	_, secret, _, err := service.FirstPartner(t.Context(), "Shop")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- service.Run(ctx) }()
	connection, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(service.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	half := len(documented) / 2
	fmt.Fprintf(connection, "POST %s/partner/customers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n", impl.APIPath, secret.Reveal(), len(documented))
	// The service asks for the body when the request has reached it.
	asked := make([]byte, len("HTTP/1.1 100 Continue\r\n\r\n"))
	if _, err := io.ReadFull(connection, asked); err != nil || !strings.Contains(string(asked), "100 Continue") {
		t.Fatalf("%q, %v", asked, err)
	}
	stop()
	for !strings.Contains(log.String(), "msg=stopping") {
		time.Sleep(time.Millisecond)
	}
	fmt.Fprint(connection, documented[:half])
	fmt.Fprint(connection, documented[half:])
	answered, err := io.ReadAll(connection)
	if err != nil || !strings.HasPrefix(string(answered), "HTTP/1.1 201 Created\r\n") {
		t.Errorf("%v: %s", err, answered)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := errors.Join(service.Close(), service.Close()); err != nil {
		t.Error(err)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	goleak.VerifyNone(t, leaks)
}

func TestConfigValidate(t *testing.T) {
	t.Parallel()
	c := impl.DefaultConfig()
	if err := c.Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	c = impl.Config{Listen: "8080", PublicURL: "escrow.example.com", MailFrom: "nobody", RateLimit: -1}
	err := c.Validate()
	for _, want := range []string{"listen address", "data folder", "public URL", "sender of e-mails", "rate limit"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("nothing said of %s: %v", want, err)
		}
	}
	for url, want := range map[string]string{
		"http://localhost:8080": "", "https://escrow.example.com/": "", "https://a_b.example": "", "http://[::1]:8080": "", "http://192.0.2.1": "", "https://xn--mnchen-3ya.example": "",
		"https://münchen.example": "xn--", `https://x"onload=.example`: "want a host", "https://x'y.example": "want a host", "https://x$(id)": "want a host",
		"https://x;frame-src": "want a host", "https://*": "want a host", "https://x,y": "want a host", "https://x.example:": "want a host",
		"https://x.example:99999": "no such port", "https://x.example:0": "no such port", "https://x.example?": "without query", "https://me:secret@x.example": "without query and user",
	} {
		c := impl.DefaultConfig()
		c.PublicURL = url
		if err := c.Validate(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
}

// TestPublicURLWithPath checks that a path is refused: the pages link to each
// other from the root.
func TestPublicURLWithPath(t *testing.T) {
	t.Parallel()
	c := impl.DefaultConfig()
	c.PublicURL = "https://escrow.example.com/base"
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "must have no path") {
		t.Errorf("%v", err)
	}
}

func TestTrustedProxies(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	tests := []struct {
		name, remote, xff, forwarded, want string
	}{
		{"no proxy", "198.51.100.7:1234", "", "", "198.51.100.7"},
		{"header of somebody else", "198.51.100.7:1234", "203.0.113.1", "for=203.0.113.1", "198.51.100.7"},
		{"header of a proxy", "10.0.0.1:1234", "203.0.113.1", "", "203.0.113.1"},
		{"caller pretends", "10.0.0.1:1234", "192.0.2.1, 203.0.113.1", "", "203.0.113.1"},
		{"two proxies", "10.0.0.1:1234", "203.0.113.1, 10.0.0.2", "", "203.0.113.1"},
		{"Forwarded", "10.0.0.1:1234", "", `for=203.0.113.1;proto=https`, "203.0.113.1"},
		{"both agree", "10.0.0.1:1234", "203.0.113.1", "for=203.0.113.1", "203.0.113.1"},
		{"both differ", "10.0.0.1:1234", "203.0.113.1", "for=203.0.113.2", "10.0.0.1"},
		{"no header", "10.0.0.1:1234", "", "", "10.0.0.1"},
		{"garbage", "10.0.0.1:1234", "unknown", "for=_hidden", "10.0.0.1"},
		{"IPv6", "[fd00::1]:1234", "2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"},
		{"IPv4 in IPv6", "[::ffff:10.0.0.1]:1234", "203.0.113.1", "", "203.0.113.1"},
		{"no address", "@", "", "", "invalid IP"},
	}
	find := impl.ClientIPForTest(trusted)
	for _, tt := range tests {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.RemoteAddr = tt.remote
		if tt.xff != "" {
			r.Header.Set("X-Forwarded-For", tt.xff)
		}
		if tt.forwarded != "" {
			r.Header.Set("Forwarded", tt.forwarded)
		}
		if got := find(r); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// FuzzCreate checks that no body makes the service fail, and that whatever is
// answered keeps the contract.
func FuzzCreate(f *testing.F) {
	for _, seed := range []string{documented, `{}`, `{"email":"a@example.com","phone_number":1e3}`, `{"email":"é@ü.example","x\u0001":[[]]}`, `null`, "\x00"} {
		f.Add([]byte(seed), "k", "")
	}
	b := setup(f)
	f.Fuzz(func(t *testing.T, body []byte, key, query string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://x"+impl.APIPath+"/partner/customers", bytes.NewReader(body))
		r.URL.RawQuery = query
		r.Header.Set("Authorization", "Bearer "+b.key)
		r.Header.Set("Content-Type", "application/json")
		if key != "" {
			r.Header["Idempotency-Key"] = []string{key}
		}
		w := httptest.NewRecorder()
		b.service.Handler().ServeHTTP(w, r)
		if w.Code >= 500 || w.Code < 200 || !json.Valid(w.Body.Bytes()) {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	})
}
