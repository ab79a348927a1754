package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/gen"
	"cryptoexchange.com/escrow/gen/scalar"
	"cryptoexchange.com/escrow/impl/client"
)

// asProblem gives the problem that an error is, and checks what is known of the call.
func asProblem(t *testing.T, err error, operation string, status int, code client.Code) *client.Problem {
	t.Helper()
	var problem *client.Problem
	var failed *client.Error
	if !errors.As(err, &problem) || !errors.As(err, &failed) {
		t.Fatalf("%T: %[1]v", err)
	}
	if problem.Status != status || problem.Code != code || !errors.Is(err, code) || errors.Is(err, client.Code("other")) || failed.Operation != operation {
		t.Fatalf("%v: %+v", err, problem)
	}
	return problem
}

func TestCreateAndGet(t *testing.T) {
	t.Parallel()
	email := unused()
	c := newClient(t)
	created, err := c.CreateCustomer(t.Context(), gen.NewCustomer{
		Email: email, FirstName: new("Zoë"), Language: new("es"),
		Address:     &gen.NewAddress{Line1: "East Lane", City: "San Francisco", State: new("CA"), Country: "US", PostCode: scalar.Integer(1020)},
		PhoneNumber: new(scalar.Integer(8885118600)),
		DisbursementMethods: &[]gen.NewDisbursementMethod{client.WireTransfer(gen.NewWireTransferMethod{
			AccountName: "Zoë", BankName: "Deutsche Beispielbank", BankIban: new("DE89 3704 0044 0532 0130 00"), BankSwiftCode: new("DEUTDEFF"),
			BankAddress:        gen.WireBankAddress{City: "Frankfurt am Main", Country: "DE"},
			BeneficiaryAddress: gen.BeneficiaryAddress{Line1: "East Lane", City: "San Francisco", Country: "US"},
			Currency:           gen.NewWireTransferMethodCurrencyEur,
		})},
	}, nil, client.IdempotencyKey(email))
	if err != nil {
		t.Fatal(err)
	}
	if created.ID < 1 || *created.FirstName != "Zoë" || created.Address.PostCode != "01020" || *created.Phone != "+18885118600" ||
		len(created.DisbursementMethods) != 1 || *created.DisbursementMethods[0].BankIbanLast4 != "3000" {
		t.Errorf("%+v", created)
	}
	got, err := c.GetCustomer(t.Context(), created.ID)
	if err != nil {
		t.Fatal(err)
	}
	created.Invitation, got.Invitation = nil, nil // its e-mail may have been sent meanwhile
	if diff := cmp.Diff(created, got); diff != "" {
		t.Errorf("(-created +got)\n%s", diff)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	email := unused()
	c := newClient(t)
	created, err := c.CreateCustomer(t.Context(), customer(email))
	if err != nil {
		t.Fatal(err)
	}

	_, err = c.CreateCustomer(t.Context(), customer(strings.ToUpper(email)))
	p := asProblem(t, err, "createCustomer", 403, client.ErrEmailAlreadyInUse)
	if p.CustomerID != created.ID || len(p.RequestID) != 36 || p.Type != "https://cryptoexchange.com/problems/email_already_in_use" || p.Title != "Forbidden" {
		t.Errorf("%+v", p)
	}

	_, err = c.CreateCustomer(t.Context(), gen.NewCustomer{Email: unused(), Address: &gen.NewAddress{Line1: "1", City: "c", Country: "ZZ", PostCode: scalar.String("1")}})
	p = asProblem(t, err, "createCustomer", 422, client.ErrUnacceptableData)
	want := []client.Fault{{Pointer: "/address/country", Code: "unknown_country", Detail: p.Faults[0].Detail}}
	if diff := cmp.Diff(want, p.Faults); diff != "" || p.FaultCount != 1 || p.Faults[0].Detail == "" || p.CustomerID != 0 {
		t.Errorf("%+v\n%s", p, diff)
	}
	if text := err.Error(); !strings.HasPrefix(text, "createCustomer: status 422 unacceptable_data: ") || !strings.Contains(text, " /address/country: "+p.Faults[0].Detail+" (request "+p.RequestID+")") {
		t.Error(text)
	}

	_, err = c.CreateCustomer(t.Context(), gen.NewCustomer{Email: "x", FirstName: new("\x00")})
	_ = asProblem(t, err, "createCustomer", 400, client.ErrMalformedBody)
	_, err = c.CreateCustomer(t.Context(), gen.NewCustomer{Email: "x", LastName: new(strings.Repeat("x", 1000))})
	p = asProblem(t, err, "createCustomer", 400, client.ErrInvalidRequest)
	if len(p.Faults) != 3 || p.FaultCount != 3 || p.Faults[2].Pointer != "/last_name" {
		t.Errorf("%+v", p)
	}

	_, err = c.GetCustomer(t.Context(), 1<<62)
	_ = asProblem(t, err, "getCustomer", 404, client.ErrCustomerNotFound)
	_, err = c.GetCustomer(t.Context(), -1)
	p = asProblem(t, err, "getCustomer", 400, client.ErrInvalidRequest)
	if p.Faults[0].In != "path" || p.Faults[0].Name != "customer_id" || !strings.Contains(err.Error(), " path customer_id: ") {
		t.Errorf("%+v", p)
	}
	_, err = c.ResendInvitation(t.Context(), created.ID)
	if p = asProblem(t, err, "resendInvitation", 429, client.ErrRateLimitExceeded); p.RetryAfter < 1*time.Second || p.RetryAfter > time.Minute {
		t.Errorf("%+v", p)
	}
	_, err = c.GetDisbursementRequirements(t.Context(), gen.GetDisbursementRequirementsParams{Type: "ach", Country: "DE", Currency: "eur"})
	_ = asProblem(t, err, "getDisbursementRequirements", 422, client.ErrUnacceptableData)

	if _, err = c.CreateCustomer(t.Context(), customer(unused()), client.IdempotencyKey(email)); err != nil {
		t.Fatal(err)
	}
	_, err = c.CreateCustomer(t.Context(), customer(unused()), client.IdempotencyKey(email))
	_ = asProblem(t, err, "createCustomer", 422, client.ErrIdempotencyKeyReused)
	if failed := new(client.Error); !errors.As(err, &failed) || failed.IdempotencyKey != email || failed.Attempts != 1 || !failed.Sent {
		t.Errorf("%+v", failed)
	}

	stranger, err := client.New("cex_live_UNKNOWN", &client.Options{BaseURL: os.Getenv("ESCROW_URL") + "///"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = stranger.GetCustomer(t.Context(), created.ID)
	_ = asProblem(t, err, "getCustomer", 401, client.ErrUnauthenticated)
}

func TestLenient(t *testing.T) {
	t.Parallel()
	method := client.CryptoWallet(gen.NewCryptoWalletMethod{Network: gen.NewCryptoWalletMethodNetworkBitcoin, Asset: "BTC", Address: "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5"})
	customer := gen.NewCustomer{Email: unused(), DisbursementMethods: &[]gen.NewDisbursementMethod{method}}
	c := newClient(t)
	_, err := c.CreateCustomer(t.Context(), customer)
	if p := asProblem(t, err, "createCustomer", 422, client.ErrUnacceptableData); p.Faults[0].Pointer != "/disbursement_methods/0/address" {
		t.Errorf("%+v", p)
	}
	created, err := c.CreateCustomer(t.Context(), customer, client.Lenient())
	if err != nil {
		t.Fatal(err)
	}
	if m := created.DisbursementMethods; len(m) != 1 || m[0].Usable || len(m[0].Warnings) != 1 {
		t.Errorf("%+v", m)
	}
}

// behind puts something between a client and the service, which gets what the service
// has answered.
func behind(t *testing.T, deliver func(w http.ResponseWriter, answer *http.Response, body []byte)) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request := r.Clone(r.Context())
		request.RequestURI = ""
		request.URL.Scheme, request.URL.Host = "http", strings.TrimPrefix(strings.TrimSuffix(os.Getenv("ESCROW_URL"), "/api/v1/escrow"), "http://")
		request.Host = request.URL.Host
		answer, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Error(err)
		}
		deliver(w, answer, body)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/api/v1/escrow"
}

// relay passes an answer on, or its first n bytes and then nothing.
func relay(w http.ResponseWriter, answer *http.Response, body []byte) {
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = w.Write(body)
}

func hangUp(w http.ResponseWriter) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		connection.Close()
	}
}

// TestLostAnswer checks that a customer whose answers are lost, after they were
// created, is created once, however they are lost.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		lose func(w http.ResponseWriter, answer *http.Response, body []byte)
	}{
		{"at once", func(w http.ResponseWriter, _ *http.Response, _ []byte) { hangUp(w) }},
		{"half", func(w http.ResponseWriter, answer *http.Response, body []byte) {
			relay(w, answer, body[:len(body)/2]) // less than its Content-Length
		}},
		{"gateway timeout", func(w http.ResponseWriter, _ *http.Response, _ []byte) { w.WriteHeader(http.StatusGatewayTimeout) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var answers []*http.Response
			var mu sync.Mutex
			url := behind(t, func(w http.ResponseWriter, answer *http.Response, body []byte) {
				mu.Lock()
				answers = append(answers, answer)
				n := len(answers)
				mu.Unlock()
				if n < 3 {
					test.lose(w, answer, body)
				} else {
					relay(w, answer, body)
				}
			})
			c := newClientAt(t, url)
			email := unused()
			created, err := c.CreateCustomer(t.Context(), customer(email))
			if err != nil {
				t.Fatal(err)
			}
			replayed := []string{"", "true", "true"}
			for i, a := range answers {
				if a.StatusCode != 201 || a.Header.Get("Idempotency-Replayed") != replayed[i] {
					t.Errorf("answer %d: %d, replayed %q", i, a.StatusCode, a.Header.Get("Idempotency-Replayed"))
				}
			}
			_, err = newClient(t).CreateCustomer(t.Context(), customer(email))
			if p := asProblem(t, err, "createCustomer", 403, client.ErrEmailAlreadyInUse); p.CustomerID != created.ID || len(answers) != 3 {
				t.Errorf("customer %d of %d, after %d answers", p.CustomerID, created.ID, len(answers))
			}
		})
	}
}

// TestAllAnswersLost checks that who never gets an answer can go on with the key.
func TestAllAnswersLost(t *testing.T) {
	t.Parallel()
	c := newClientAt(t, behind(t, func(w http.ResponseWriter, _ *http.Response, _ []byte) { hangUp(w) }))
	customer := customer(unused())
	_, err := c.CreateCustomer(t.Context(), customer)
	var failed *client.Error
	if !errors.As(err, &failed) || failed.Attempts != 4 || !failed.Sent || failed.IdempotencyKey == "" || !strings.HasSuffix(err.Error(), "EOF (after 4 attempts)") {
		t.Fatalf("%+v", err)
	}
	created, err := newClient(t).CreateCustomer(t.Context(), customer, client.IdempotencyKey(failed.IdempotencyKey))
	if err != nil || created.Email != customer.Email {
		t.Errorf("%+v, %v", created, err)
	}
}

// TestGenerated checks that the generated client has the key, an Idempotency-Key where
// there is one, and repetitions; and that its responses do not have the key.
func TestGenerated(t *testing.T) {
	t.Parallel()
	var first atomic.Bool
	url := behind(t, func(w http.ResponseWriter, answer *http.Response, body []byte) {
		if first.CompareAndSwap(false, true) {
			hangUp(w)
			return
		}
		relay(w, answer, body)
	})
	g := newClientAt(t, url).Generated()
	email := unused()
	response, err := g.CreateCustomerWithResponse(t.Context(), nil, customer(email))
	if err != nil {
		t.Fatal(err)
	}
	if response.JSON201 == nil || response.Headers201.IdempotencyReplayed == nil {
		t.Errorf("%d %s", response.StatusCode(), response.Body)
	}
	if response.HTTPResponse.Request.Header.Get("Authorization") != "" {
		t.Error("the response's request has the key")
	}
	refused, err := g.CreateCustomerWithBodyWithResponse(t.Context(), nil, "application/json", io.MultiReader(strings.NewReader(`{"email":`), strings.NewReader(`"`+email+`"}`)))
	if err != nil {
		t.Fatal(err)
	}
	if refused.ApplicationProblemJSON403 == nil || *refused.ApplicationProblemJSON403.CustomerID != response.JSON201.ID {
		t.Errorf("%d %s", refused.StatusCode(), refused.Body)
	}
	me, err := g.GetMeWithResponse(t.Context())
	if err != nil || me.ApplicationProblemJSON401 == nil {
		t.Errorf("%v, %+v", err, me)
	}
}

// TestGoroutines uses one client from many goroutines, on one new address and one
// Idempotency-Key: all get the same customer.
func TestGoroutines(t *testing.T) {
	t.Parallel()
	c := newClient(t, func(o *client.Options) {
		o.BaseWait, o.MaxWait, o.MaxAttempts = 100*time.Millisecond, 2*time.Second, 20
	})
	email := unused()
	var group sync.WaitGroup
	ids := make([]int64, 4)
	for i := range ids {
		group.Go(func() {
			created, err := c.CreateCustomer(context.Background(), customer(email), client.IdempotencyKey(email))
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = created.ID
		})
	}
	group.Wait()
	for _, id := range ids {
		if id == 0 || id != ids[0] {
			t.Errorf("%v", ids)
			break
		}
	}
}
