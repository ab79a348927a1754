package impl_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/gen"
	"cryptoexchange.com/escrow/impl"
)

// Methods whose numbers are documented examples, and nobody's.
const (
	goodACH    = `{"type":"ach","account_name":"Johny Smith","account_type":"checking","bank_aba_routing_number":"021000021","bank_account_number":"000123456789","bank_name":"Bank of Coffee","bank_address":{"city":"New York","state":"NY"},"currency":"usd"}`
	goodWire   = `{"type":"wire_transfer","account_name":"Johny Smith","currency":"euro","bank_iban":"DE89 3704 0044 0532 0130 00","bank_swift_code":"deutdeff","bank_name":"Beispielbank","bank_address":{"city":"Frankfurt am Main","country":"DE"},"beneficiary_address":{"line1":"East Lane","city":"San Francisco","country":"US","post_code":10203}}`
	goodWallet = `{"type":"crypto_wallet","asset":"BTC","network":"bitcoin","address":"BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4"}`
)

// The examples that vendors of the same job publish. Their numbers are no real
// bank's: 123456789 and 290303030 fail the check digit of the ABA, and the IBAN
// and the BIC are none.
const (
	vendorACH  = `{"type":"ach","account_name":"John Wick","account_type":"savings","bank_aba_routing_number":"123456789","bank_account_number":"123456789","bank_name":"Bank of Coffee","bank_address":{"city":"Boston","state":"MA"},"currency":"usd"}`
	vendorWire = `{"type":"wire_transfer","account_name":"John Smith","currency":"usd","bank_account_number":"2303120","bank_iban":"2929292","bank_aba_routing_number":"123456789","bank_swift_code":"29292902","bank_branch_number":"9292932","international_routing_code":"2901011","bank_name":"Amazing Savings Bank of Canada","bank_address":{"line1":"123 Fake St","city":"Toronto","state":"ON","country":"CA","post_code":"M4B 1B3"},"beneficiary_address":{"line1":"1829 West Lane","line2":"Apartment 301020","city":"San Francisco","state":"CA","country":"US","post_code":"94105"},"intermediary_bank":{"bank_name":"Another Bank","bank_address":{"city":"Toronto","country":"CA"},"bank_aba_routing_number":"290303030","bank_swift_code":"29292902","bank_account_number":"2303120"}}`
)

func withMethods(email string, methods ...string) string {
	return fmt.Sprintf(`{"email":%q,"first_name":"Johny","last_name":"Smith","disbursement_methods":[%s]}`, email, strings.Join(methods, ","))
}

// TestVendorExamples checks that documented examples whose numbers are wrong are
// refused with every place that is, and are stored under lenient handling, with
// the same findings as warnings.
func TestVendorExamples(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tests := []struct {
		name, method string
		want         []string
	}{
		{"ach", vendorACH, []string{"/bank_aba_routing_number routing_number_check_digit"}},
		{"wire", vendorWire, []string{
			"/bank_aba_routing_number routing_number_check_digit",
			"/bank_iban iban_form",
			"/bank_swift_code bic_form",
			"/intermediary_bank/bank_aba_routing_number routing_number_check_digit",
			"/intermediary_bank/bank_swift_code bic_form",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			body := withMethods(tt.name+"@example.com", tt.method)
			strict := b.create(t, body).want(t, 422, "unacceptable_data")
			var got []string
			for _, f := range strict.faults() {
				got = append(got, strings.TrimPrefix(f, "/disbursement_methods/0"))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("strict (-want +got)\n%s", diff)
			}
			stored := b.create(t, body, "Prefer", "respond-async, handling=lenient").want(t, 201)
			if got := stored.header.Get("Preference-Applied"); got != "handling=lenient" {
				t.Errorf("Preference-Applied: %q", got)
			}
			method := stored.items("disbursement_methods")[0]
			if method["usable"] != false || method["is_default"] != true {
				t.Errorf("stored as %v", method)
			}
			var warned []string
			for _, w := range method["warnings"].([]any) {
				w := w.(map[string]any)
				if w["code"] != "account_name_differs" {
					warned = append(warned, w["pointer"].(string)+" "+w["code"].(string))
				}
			}
			slices.Sort(warned)
			if diff := cmp.Diff(tt.want, warned); diff != "" {
				t.Errorf("lenient (-want +got)\n%s", diff)
			}
		})
	}
}

// TestMethodsOfCreation checks what is stored, and what is always refused.
func TestMethodsOfCreation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	created := b.create(t, withMethods("a@example.com", goodACH, goodWire, goodWallet), "Idempotency-Key", "1").want(t, 201)
	methods := created.items("disbursement_methods")
	for i, want := range []map[string]any{
		{"type": "ach", "usable": true, "is_default": true, "currency": "usd", "bank_account_number_last4": "6789", "bank_iban_last4": nil},
		{"type": "wire_transfer", "usable": true, "is_default": false, "currency": "eur", "bank_account_number_last4": nil, "bank_iban_last4": "3000", "bank_swift_code": "DEUTDEFF"},
		{"type": "crypto_wallet", "usable": true, "is_default": false, "currency": nil, "address_last4": "f3t4", "network": "bitcoin"},
	} {
		for name, value := range want {
			if methods[i][name] != value {
				t.Errorf("method %d: %s is %v, want %v", i, name, methods[i][name], value)
			}
		}
	}
	if read := b.get(t, created.body["id"]); !cmp.Equal(read.items("disbursement_methods"), methods) {
		t.Errorf("read: %v", read.items("disbursement_methods"))
	}
	again := b.create(t, withMethods("a@example.com", goodACH, goodWire, goodWallet), "Idempotency-Key", "1").want(t, 201)
	if again.header.Get("Idempotency-Replayed") != "true" || !cmp.Equal(again.items("disbursement_methods"), methods) {
		t.Errorf("replayed: %v", again.raw)
	}
	b.create(t, withMethods("a@example.com", goodACH, goodWire), "Idempotency-Key", "1").want(t, 422, "idempotency_key_reused")

	tests := []struct {
		name, method, fault string
	}{
		{"neither number nor IBAN", strings.Replace(goodWire, `"bank_iban":"DE89 3704 0044 0532 0130 00",`, "", 1), "/bank_account_number account_required"},
		{"no BIC outside the United States", strings.Replace(goodWire, `"bank_swift_code":"deutdeff",`, "", 1), "/bank_swift_code required"},
		{"no routing number in the United States", strings.Replace(goodWire, `"country":"DE"`, `"country":"US"`, 1), "/bank_aba_routing_number required"},
		{"no such country", strings.Replace(goodWire, `"country":"DE"`, `"country":"XX"`, 1), "/bank_address/country unknown_country"},
		{"ACH elsewhere", strings.Replace(goodACH, `"state":"NY"`, `"state":"NY","country":"CA"`, 1), "/currency unsupported_route"},
		{"text that nobody can read", strings.Replace(goodACH, "Bank of Coffee", `B\u202eank`, 1), "/bank_name invalid_text"},
	}
	for _, tt := range tests {
		for _, prefer := range []string{"handling=strict", "handling=lenient"} {
			a := b.create(t, withMethods("b@example.com", goodACH, tt.method), "Prefer", prefer)
			if want := []string{"/disbursement_methods/1" + tt.fault}; a.status != 422 || !slices.Equal(a.faults(), want) {
				t.Errorf("%s, %s: %d %v, want %v", tt.name, prefer, a.status, a.faults(), want)
			}
		}
	}
	b.create(t, withMethods("b@example.com", slices.Repeat([]string{goodACH}, 11)...)).want(t, 400)
}

// TestEveryFinding checks that faults of methods and of everything else are
// named at once.
func TestEveryFinding(t *testing.T) {
	t.Parallel()
	b := setup(t)
	body := strings.Replace(withMethods("a@example.com", goodACH, vendorACH), `"first_name"`, `"phone_number":"12","language":"xx-yy","first_name"`, 1)
	got := b.create(t, body).want(t, 422, "unacceptable_data").faults()
	want := []string{"/disbursement_methods/1/bank_aba_routing_number routing_number_check_digit", "/language unknown_language", "/phone_number phone_number_needs_country"}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestMistyped checks that what decides money is refused in words that say how
// to mend it, and that they do not hold the number.
func TestMistyped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, tt := range []struct{ name, method, fault, hidden string }{
		{"IBAN", strings.Replace(goodWire, "0130 00", "0130 01", 1), "/bank_iban iban_check_digits", "0130"},
		{"wallet", strings.Replace(goodWallet, "F3T4", "F3T5", 1), "/address address_checksum", "F3T5"},
		{"asset", strings.Replace(goodWallet, `"BTC"`, `"ETH"`, 1), "/asset asset_not_on_network", "F3T4"},
		{"routing number", strings.Replace(goodACH, "021000021", "021000012", 1), "/bank_aba_routing_number routing_number_check_digit", "021000012"},
	} {
		a := b.create(t, withMethods("a@example.com", tt.method))
		if want := []string{"/disbursement_methods/0" + tt.fault}; a.status != 422 || !slices.Equal(a.faults(), want) {
			t.Errorf("%s: %d %v, want %v", tt.name, a.status, a.faults(), want)
		}
		if strings.Contains(a.raw, tt.hidden) {
			t.Errorf("%s: the answer has the value: %s", tt.name, a.raw)
		}
	}
}

// TestOwnMethods checks the customer's own operations, and that each change asks
// for the password and is told by e-mail.
func TestOwnMethods(t *testing.T) {
	t.Parallel()
	l := setupLive(t)
	const email = "a@example.com"
	u, id := l.customer(t, email)
	other, _ := l.customer(t, "b@example.com")
	const path = "/me/disbursement-methods"
	change := func(method, password string) string {
		return fmt.Sprintf(`{"password":%q,"method":%s}`, password, method)
	}
	u.post(t, path, change(goodACH, "wrong")).wantFault(t, "/password wrong_password")
	u.post(t, path, change(vendorACH, passphrase), "Prefer", "handling=lenient").wantFault(t, "/method/bank_aba_routing_number routing_number_check_digit")
	first := u.post(t, path, change(goodACH, passphrase)).want(t, 201)
	if first.body["is_default"] != true {
		t.Errorf("the only method is not the default: %s", first.raw)
	}
	second := u.post(t, path, change(goodWire, passphrase)).want(t, 201)
	at := func(a *answer) string { return path + "/" + a.body["id"].(string) }
	if a := u.post(t, at(second)+"/default", object("password", passphrase)).want(t, 200); a.body["is_default"] != true {
		t.Errorf("not the default: %s", a.raw)
	}
	replaced := u.call(t, http.MethodPut, at(first), change(goodWallet, passphrase)).want(t, 200)
	if replaced.body["id"] != first.body["id"] || replaced.body["type"] != "crypto_wallet" || replaced.body["bank_name"] != nil {
		t.Errorf("replaced: %s", replaced.raw)
	}
	for _, do := range []func(*browser) *answer{
		func(u *browser) *answer { return u.call(t, http.MethodPut, at(first), change(goodACH, passphrase)) },
		func(u *browser) *answer { return u.post(t, at(first)+"/remove", object("password", passphrase)) },
		func(u *browser) *answer { return u.post(t, at(first)+"/default", object("password", passphrase)) },
	} {
		do(other).want(t, 404, "disbursement_method_not_found")
	}
	if seen := l.get(t, id).items("disbursement_methods"); len(seen) != 2 {
		t.Errorf("the partner sees %v", seen)
	}
	u.post(t, at(second)+"/remove", object("password", passphrase)).want(t, 204)
	left := u.get(t, path).want(t, 200).items("disbursement_methods")
	if len(left) != 1 || left[0]["is_default"] != true {
		t.Errorf("left: %v", left)
	}
	// The introduction, and one for each of five changes.
	if m := l.letter(t, email, 6); strings.Contains(m.text, "6789") || m.page != "" {
		t.Errorf("the e-mail: %s", m.text)
	}
	for range 9 {
		u.post(t, path, change(goodACH, passphrase)).want(t, 201)
	}
	u.post(t, path, change(goodACH, passphrase)).want(t, 409, "too_many_disbursement_methods")
	if n := len(u.get(t, "/me/export").want(t, 200).body["customer"].(map[string]any)["disbursement_methods"].([]any)); n != 10 {
		t.Errorf("the export has %d methods", n)
	}
}

// TestUnusableDefault checks that money is not sent where none can be.
func TestUnusableDefault(t *testing.T) {
	t.Parallel()
	l := setupLive(t)
	const email = "a@example.com"
	created := l.create(t, withMethods(email, vendorACH, goodACH), "Prefer", `handling="lenient"`).want(t, 201)
	methods := created.items("disbursement_methods")
	if methods[0]["is_default"] != false || methods[1]["is_default"] != true {
		t.Errorf("the default is not the one that is usable: %s", created.raw)
	}
	u := l.browser()
	u.post(t, "/invitation/accept", object("token", l.letter(t, email, 1).token, "password", passphrase)).want(t, 200)
	u.logIn(t, email, passphrase).want(t, 200)
	at := "/me/disbursement-methods/" + methods[0]["id"].(string)
	u.post(t, at+"/default", object("password", passphrase)).want(t, 422, "unacceptable_data")
	u.call(t, http.MethodPut, at, fmt.Sprintf(`{"password":%q,"method":%s}`, passphrase, goodACH)).want(t, 200)
	u.post(t, at+"/default", object("password", passphrase)).want(t, 200)

	const other = "b@example.com"
	l.create(t, withMethods(other, vendorACH), "Prefer", "handling=lenient").want(t, 201)
	u = l.browser()
	u.post(t, "/invitation/accept", object("token", l.letter(t, other, 1).token, "password", passphrase)).want(t, 200)
	u.logIn(t, other, passphrase).want(t, 200)
	if added := u.post(t, "/me/disbursement-methods", methodChange(passphrase)).want(t, 201); added.body["is_default"] != true {
		t.Errorf("an unusable method stays the default: %s", added.raw)
	}
	u.post(t, "/me/disbursement-methods", methodChange(passphrase)).want(t, 201)
	var defaults []bool
	for _, m := range u.get(t, "/me/disbursement-methods").want(t, 200).items("disbursement_methods") {
		defaults = append(defaults, m["is_default"].(bool))
	}
	if !slices.Equal(defaults, []bool{false, true, false}) {
		t.Errorf("defaults: %v", defaults)
	}
}

// TestRequirements checks that a form which is filled in as the requirements say
// makes a method that is accepted.
func TestRequirements(t *testing.T) {
	t.Parallel()
	b := setup(t)
	routes := [][3]string{{"ach", "US", "usd"}, {"wire_transfer", "US", "usd"}, {"wire_transfer", "DE", "eur"}, {"wire_transfer", "DE", "euro"}, {"wire_transfer", "CA", "cad"}, {"crypto_wallet", "DE", "BTC"}}
	for i, r := range routes {
		a := b.do(t, http.MethodGet, fmt.Sprintf("%s/partner/disbursement-requirements?type=%s&country=%s&currency=%s", b.url, r[0], r[1], r[2]), "").want(t, 200)
		method := map[string]any{"type": r[0]}
		fill := func(f map[string]any) {
			value := f["example"]
			switch f["name"] {
			case "bank_address.country":
				value = r[1]
			case "currency":
				value = r[2]
			}
			place, name := method, f["name"].(string)
			if outer, inner, nested := strings.Cut(name, "."); nested {
				if place[outer] == nil {
					place[outer] = map[string]any{}
				}
				place, name = place[outer].(map[string]any), inner
			}
			place[name] = value
		}
		for _, f := range a.items("fields") {
			var first any
			if groups := a.body["one_of"].([]any); len(groups) > 0 {
				first = groups[0].([]any)[0]
			}
			if f["required"] == true || f["name"] == first {
				fill(f)
			}
		}
		raw, err := json.Marshal(method)
		if err != nil {
			t.Fatal(err)
		}
		if created := b.create(t, withMethods(fmt.Sprintf("r%d@example.com", i), string(raw))); created.status != 201 {
			t.Errorf("%v: %s: %d %s", r, raw, created.status, created.raw)
		}
	}
	for _, r := range [][3]string{{"ach", "DE", "eur"}, {"wire_transfer", "DE", "jpy"}, {"wire_transfer", "XX", "eur"}, {"crypto_wallet", "DE", "NOSUCH"}} {
		b.do(t, http.MethodGet, fmt.Sprintf("%s/partner/disbursement-requirements?type=%s&country=%s&currency=%s", b.url, r[0], r[1], r[2]), "").want(t, 422, "unacceptable_data")
	}
}

// TestGoClientMethods checks that the generated client builds and reads each
// kind of method by its types alone.
func TestGoClientMethods(t *testing.T) {
	t.Parallel()
	b := setup(t)
	client, err := gen.NewClientWithResponses(b.url, gen.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+b.key)
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	iban, bic, memo := "DE89370400440532013000", "DEUTDEFF", "12345"
	var ach, wire, wallet gen.NewDisbursementMethod
	for _, err := range []error{
		ach.FromNewAchMethod(gen.NewAchMethod{
			AccountName: "Johny Smith", AccountType: gen.NewAchMethodAccountTypeChecking, Currency: gen.NewAchMethodCurrencyUsd,
			BankAbaRoutingNumber: "021000021", BankAccountNumber: "000123456789", BankName: "Bank of Coffee",
			BankAddress: gen.AchBankAddress{City: "New York", State: "NY"},
		}),
		wire.FromNewWireTransferMethod(gen.NewWireTransferMethod{
			AccountName: "Johny Smith", Currency: gen.NewWireTransferMethodCurrencyEur, BankIban: &iban, BankSwiftCode: &bic, BankName: "Beispielbank",
			BankAddress:        gen.WireBankAddress{City: "Frankfurt am Main", Country: "DE"},
			BeneficiaryAddress: gen.BeneficiaryAddress{Line1: "East Lane", City: "San Francisco", Country: "US"},
		}),
		wallet.FromNewCryptoWalletMethod(gen.NewCryptoWalletMethod{Asset: "XRP", Network: gen.NewCryptoWalletMethodNetworkXrpLedger, Address: "rN7n7otQDd6FczFgLdSqtcsAUxDkw6fzRH", Memo: &memo}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	methods := []gen.NewDisbursementMethod{ach, wire, wallet}
	name, last := "Johny", "Smith"
	created, err := client.CreateCustomerWithResponse(t.Context(), nil, gen.NewCustomer{Email: "a@example.com", FirstName: &name, LastName: &last, DisbursementMethods: &methods})
	if err != nil {
		t.Fatal(err)
	}
	if created.JSON201 == nil {
		t.Fatalf("%s %s", created.Status(), created.Body)
	}
	got := created.JSON201.DisbursementMethods
	if len(got) != 3 || got[0].Type != gen.DisbursementMethodTypeAch || *got[0].BankAccountNumberLast4 != "6789" ||
		got[1].Type != gen.DisbursementMethodTypeWireTransfer || *got[1].BankIbanLast4 != "3000" || got[1].BankAddress.Country == nil ||
		got[2].Type != gen.DisbursementMethodTypeCryptoWallet || *got[2].Network != "xrp_ledger" || !got[2].MemoPresent {
		t.Errorf("read: %s", created.Body)
	}
	kind, err := methods[1].ValueByDiscriminator()
	if w, ok := kind.(gen.NewWireTransferMethod); err != nil || !ok || *w.BankIban != iban {
		t.Errorf("read back: %T, %v", kind, err)
	}
}

// TestMethodsAtRest writes known account numbers through the API while the keyset
// is rotated, and looks for them in everything that the service has written.
//
// ESCROW_CAMPAIGN=full writes 10,000 of them.
func TestMethodsAtRest(t *testing.T) {
	t.Parallel()
	total, rotations := 200, 3
	if os.Getenv("ESCROW_CAMPAIGN") == "full" {
		total, rotations = 10_000, 20
	}
	l := setupLive(t)
	numbers := make([]string, total)
	hidden := make(map[string]bool, total)
	for i := range numbers {
		numbers[i] = fmt.Sprintf("9%015d", rand.N(int64(1e15)))
		hidden[numbers[i]] = true
	}
	operator, err := impl.NewOperator(t.Context(), l.config.Data)
	if err != nil {
		t.Fatal(err)
	}
	defer operator.Close()
	var refused atomic.Int64
	var group sync.WaitGroup
	work := make(chan int)
	for range 8 {
		group.Go(func() {
			for i := range work {
				method := strings.Replace(goodACH, "000123456789", numbers[i], 1)
				if a := l.create(t, withMethods(fmt.Sprintf("n%d@example.com", i), method), "Idempotency-Key", numbers[i][:3]+fmt.Sprint(i)); a.status != 201 {
					refused.Add(1)
					t.Errorf("%d %s", a.status, a.raw)
				}
			}
		})
	}
	rotated := 0
	for i := range total {
		work <- i
		if (i+1)%(total/rotations) == 0 {
			n, err := operator.RotateKeyset(t.Context(), "")
			if err != nil {
				t.Errorf("rotation: %v", err)
			}
			rotated += n
		}
	}
	close(work)
	group.Wait()
	backup := filepath.Join(t.TempDir(), "backup.db")
	if err := operator.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "all e-mails", func() bool {
		written, err := filepath.Glob(filepath.Join(l.config.Data, "mail", "*.eml"))
		return err == nil && len(written) == total
	})
	places := []string{backup}
	if err := filepath.WalkDir(l.config.Data, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			places = append(places, path)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	texts := []string{l.log.String()}
	for _, place := range places {
		raw, err := os.ReadFile(place)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(raw))
	}
	found, bytes := 0, 0
	digits := regexp.MustCompile(`9[0-9]{15}`)
	for _, text := range texts {
		bytes += len(text)
		for _, run := range digits.FindAllString(text, -1) {
			if hidden[run] {
				found++
			}
		}
	}
	if found > 0 || refused.Load() > 0 {
		t.Errorf("%d account numbers found in the clear, %d requests failed", found, refused.Load())
	}
	if !strings.Contains(texts[1], "Bank of Coffee") {
		t.Error("the backup has not even the name of the bank")
	}
	t.Logf("%d account numbers, %d rotations with %d values encrypted anew, 0 errors; %d bytes in %d places searched: %d hits", total, rotations, rotated, bytes, len(texts), found)
}

// TestSwappedSecrets checks that a ciphertext cannot be moved to another row,
// nor a row to another customer.
func TestSwappedSecrets(t *testing.T) {
	t.Parallel()
	for _, statement := range []string{
		`UPDATE disbursement_methods AS a SET secret = (SELECT secret FROM disbursement_methods b WHERE b.id <> a.id)`,
		`UPDATE disbursement_methods SET customer_id = 3 - customer_id, is_default = 1`,
	} {
		b := setup(t)
		for _, email := range []string{"a@example.com", "b@example.com"} {
			b.create(t, withMethods(email, goodACH)).want(t, 201)
		}
		operator, err := impl.NewOperator(t.Context(), b.config.Data)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := operator.RotateKeyset(t.Context(), ""); err != nil {
			t.Errorf("before the swap: %v", err)
		}
		if strings.Contains(statement, "3 -") {
			corrupt(t, b.config.Data, `DROP INDEX disbursement_methods_default`)
		}
		corrupt(t, b.config.Data, statement)
		if _, err := operator.RotateKeyset(t.Context(), ""); err == nil {
			t.Errorf("not detected: %s", statement)
		}
		if err := operator.Close(); err != nil {
			t.Error(err)
		}
	}
}
