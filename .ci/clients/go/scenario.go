// What a partner does with the client that oapi-codegen generates, package gen.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log"
	"math"
	"net/http"
	"os"
	"strings"

	"cryptoexchange.com/escrow/gen"
	"cryptoexchange.com/escrow/gen/scalar"
)

func main() {
	log.SetFlags(0)
	client, err := gen.NewClientWithResponses(os.Getenv("ESCROW_URL"), gen.WithRequestEditorFn(authorize))
	if err != nil {
		log.Fatal(err)
	}
	s := scenario{client}
	if err := s.run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func authorize(_ context.Context, r *http.Request) error {
	r.Header.Set("Authorization", "Bearer "+os.Getenv("ESCROW_KEY"))
	return nil
}

type scenario struct{ client *gen.ClientWithResponses }

func (s scenario) run(ctx context.Context) error {
	numbers := johny(scalar.Integer(10203), scalar.Integer(8885118600))
	created, err := s.create(ctx, numbers)
	if err != nil {
		return err
	}
	fmt.Println("create with numbers:", describe(created))
	customer, err := s.create(ctx, johny(scalar.String("10203"), scalar.String("+18885118600")))
	if err != nil {
		return err
	}
	fmt.Println("create with strings:", describe(customer))
	if customer, err = s.create(ctx, gen.NewCustomer{Email: email()}); err != nil {
		return err
	}
	fmt.Println("create with the e-mail address only:", describe(customer))

	taken, err := s.refusal(ctx, numbers)
	if err != nil {
		return err
	}
	if taken.Code == "email_already_in_use" && taken.CustomerID != nil && *taken.CustomerID == created.ID {
		fmt.Println("create again:", taken.Status, taken.Code)
	}
	got, err := s.client.GetCustomerWithResponse(ctx, created.ID)
	if err != nil {
		return err
	}
	if got.JSON200 != nil && got.JSON200.ID == created.ID {
		fmt.Println("get:", describe(got.JSON200))
	}
	if err := s.disburse(ctx); err != nil {
		return err
	}
	return s.fail(ctx)
}

// disburse creates a customer with one disbursement method of each kind.
func (s scenario) disburse(ctx context.Context) error {
	methods := make([]gen.NewDisbursementMethod, 3)
	err := methods[0].FromNewAchMethod(gen.NewAchMethod{
		AccountName:          "Johny Smith",
		AccountType:          gen.NewAchMethodAccountTypeChecking,
		BankAbaRoutingNumber: "021000021",
		BankAccountNumber:    "000123456789",
		BankName:             "Bank of Coffee",
		BankAddress:          gen.AchBankAddress{City: "New York", State: "NY"},
		Currency:             gen.NewAchMethodCurrencyUsd,
	})
	if err != nil {
		return err
	}
	if err = methods[1].FromNewWireTransferMethod(wireTransfer("DE89 3704 0044 0532 0130 00")); err != nil {
		return err
	}
	err = methods[2].FromNewCryptoWalletMethod(gen.NewCryptoWalletMethod{
		Asset:   "BTC",
		Network: gen.NewCryptoWalletMethodNetworkBitcoin,
		Address: "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
	})
	if err != nil {
		return err
	}
	customer, err := s.create(ctx, gen.NewCustomer{Email: email(), DisbursementMethods: &methods})
	if err != nil {
		return err
	}
	for _, method := range customer.DisbursementMethods {
		switch method.Type {
		case gen.DisbursementMethodTypeAch:
			fmt.Println("ach: account ending in", *method.BankAccountNumberLast4)
		case gen.DisbursementMethodTypeWireTransfer:
			fmt.Println("wire_transfer: IBAN ending in", *method.BankIbanLast4)
		case gen.DisbursementMethodTypeCryptoWallet:
			fmt.Println("crypto_wallet: address ending in", *method.AddressLast4)
		}
	}
	return nil
}

// fail makes requests that are refused, and reads why.
func (s scenario) fail(ctx context.Context) error {
	invalid, err := s.refusal(ctx, gen.NewCustomer{Email: "johny.smith@localhost"})
	if err != nil {
		return err
	}
	fmt.Printf("invalid: %d %s, %s\n", invalid.Status, invalid.Code, faults(invalid))

	nowhere := gen.NewCustomer{
		Email: email(),
		Address: &gen.NewAddress{
			Line1: "East Lane", City: "San Francisco", Country: "XX", PostCode: scalar.String("10203"),
		},
		DisbursementMethods: &[]gen.NewDisbursementMethod{{}},
	}
	mistyped := wireTransfer("DE89 3704 0044 0532 0130 01")
	if err = (*nowhere.DisbursementMethods)[0].FromNewWireTransferMethod(mistyped); err != nil {
		return err
	}
	unacceptable, err := s.refusal(ctx, nowhere)
	if err != nil {
		return err
	}
	fmt.Printf("unacceptable: %d %s, %s\n", unacceptable.Status, unacceptable.Code, faults(unacceptable))

	unknown, err := s.client.GetCustomerWithResponse(ctx, math.MaxInt64)
	if err != nil {
		return err
	}
	if problem := unknown.ApplicationProblemJSON404; problem != nil {
		fmt.Println("unknown id:", problem.Status, problem.Code)
	}
	return nil
}

func (s scenario) create(ctx context.Context, body gen.NewCustomer) (*gen.Customer, error) {
	key := rand.Text()
	answer, err := s.client.CreateCustomerWithResponse(ctx, &gen.CreateCustomerParams{IdempotencyKey: &key}, body)
	if err != nil {
		return nil, err
	}
	if answer.JSON201 == nil {
		return nil, fmt.Errorf("%s: %s", answer.Status(), answer.Body)
	}
	return answer.JSON201, nil
}

// refusal gives the problem that a customer is refused with. Every status has
// the same one.
func (s scenario) refusal(ctx context.Context, body gen.NewCustomer) (*gen.Problem, error) {
	answer, err := s.client.CreateCustomerWithResponse(ctx, nil, body)
	if err != nil {
		return nil, err
	}
	problem := new(gen.Problem)
	return problem, json.Unmarshal(answer.Body, problem)
}

func email() string { return "go-" + rand.Text() + "@example.com" }

func johny(postCode gen.NewPostCode, phoneNumber gen.NewPhoneNumber) gen.NewCustomer {
	return gen.NewCustomer{
		Email:     email(),
		FirstName: new("Johny"),
		LastName:  new("Smith"),
		Address: &gen.NewAddress{
			Line1:    "East Lane",
			City:     "San Francisco",
			State:    new("CA"),
			Country:  "US",
			PostCode: postCode,
		},
		PhoneNumber: &phoneNumber,
	}
}

func wireTransfer(iban string) gen.NewWireTransferMethod {
	return gen.NewWireTransferMethod{
		AccountName:        "Johny Smith",
		Currency:           gen.NewWireTransferMethodCurrencyEur,
		BankIban:           &iban,
		BankSwiftCode:      new("DEUTDEFF"),
		BankName:           "Deutsche Beispielbank",
		BankAddress:        gen.WireBankAddress{City: "Frankfurt am Main", Country: "DE"},
		BeneficiaryAddress: gen.BeneficiaryAddress{Line1: "East Lane", City: "San Francisco", Country: "US"},
	}
}

// describe says what is known of a customer; what is not is nil.
func describe(c *gen.Customer) string {
	name, address, phone := "no name", "no address", "no phone"
	if c.FirstName != nil && c.LastName != nil {
		name = *c.FirstName + " " + *c.LastName
	}
	if c.Address != nil {
		address = c.Address.PostCode + " " + c.Address.City
	}
	if c.Phone != nil {
		phone = *c.Phone
	}
	status := map[gen.CustomerStatus]string{
		gen.CustomerStatusActive:    "active",
		gen.CustomerStatusSuspended: "suspended",
		gen.CustomerStatusClosed:    "closed",
	}[c.Status]
	return strings.Join([]string{name, status, address, phone}, ", ")
}

func faults(p *gen.Problem) string {
	if p.Errors == nil {
		return ""
	}
	var found []string
	for _, fault := range *p.Errors {
		if fault.Pointer != nil {
			found = append(found, fault.Code+" at "+*fault.Pointer)
		}
	}
	return strings.Join(found, ", ")
}
