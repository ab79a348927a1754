package client_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"cryptoexchange.com/escrow/gen"
	"cryptoexchange.com/escrow/gen/scalar"
	"cryptoexchange.com/escrow/impl/client"
)

// Without options, the client calls the service itself. Give a base URL for a server
// of your own or a sandbox, and say who you are.
func ExampleNew() {
	escrow, err := client.New(os.Getenv("ESCROW_KEY"), &client.Options{
		BaseURL:   os.Getenv("ESCROW_URL"),
		UserAgent: "example-shop/2.1",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = escrow.GetCustomer(context.Background(), 999_999)
	fmt.Println(errors.Is(err, client.ErrCustomerNotFound))
	// Output: true
}

// What is wrong is said by name.
func ExampleNew_faults() {
	_, err := client.New("cex_live_EXAMPLE\n", &client.Options{BaseURL: "http://example.com/api/v1/escrow", MaxAttempts: -1})
	fmt.Println(err)
	// Output:
	// key: has a space or a line break before or after it
	// BaseURL: must be https, for the key and the customers' data are sent there (AllowHTTP permits http)
	// MaxAttempts: want 1 to 100, or 0 for the default
}

func ExampleClient_CreateCustomer() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	customer, err := connect().CreateCustomer(ctx, gen.NewCustomer{
		Email:     "ana.garcia@example.com",
		FirstName: new("Ana"),
		LastName:  new("García"),
		Address: &gen.NewAddress{
			Line1:    "Calle de Alcalá 50",
			City:     "Madrid",
			Country:  "ES",
			PostCode: scalar.String("28014"),
		},
		PhoneNumber: new(scalar.String("912 34 56 78")),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(customer.Email, *customer.Phone, customer.Invitation.State)
	// Output: ana.garcia@example.com +34912345678 queued
}

// With your own id of the customer as the Idempotency-Key, a program that was
// interrupted can simply begin again: there is one customer, and one e-mail.
func ExampleIdempotencyKey() {
	escrow, ctx := connect(), context.Background()
	customer := gen.NewCustomer{Email: "mei.lin@example.com"}
	first, err := escrow.CreateCustomer(ctx, customer, client.IdempotencyKey("shop-customer-17"))
	if err != nil {
		fmt.Println(err)
		return
	}
	again, err := escrow.CreateCustomer(ctx, customer, client.IdempotencyKey("shop-customer-17"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(first.ID == again.ID)
	// Output: true
}

// A refusal says where each fault is, so that a form can show it in its place.
func ExampleProblem() {
	_, err := connect().CreateCustomer(context.Background(), gen.NewCustomer{
		Email:       "omar.haddad@example.com",
		Address:     &gen.NewAddress{Line1: "1 Rue", City: "Paris", Country: "FX", PostCode: scalar.String("75001")},
		PhoneNumber: new(scalar.String("+1")),
	})
	var problem *client.Problem
	if errors.As(err, &problem) {
		fmt.Println(problem.Status, problem.Code)
		for _, fault := range problem.Faults {
			fmt.Println(fault.Pointer, fault.Code)
		}
	}
	// Output:
	// 422 unacceptable_data
	// /address/country unknown_country
	// /phone_number invalid_phone_number
}

func ExampleCode() {
	escrow, ctx := connect(), context.Background()
	customer := gen.NewCustomer{Email: "lena.fischer@example.com"}
	created, err := escrow.CreateCustomer(ctx, customer)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = escrow.CreateCustomer(ctx, customer)
	var problem *client.Problem
	switch {
	case errors.Is(err, client.ErrEmailAlreadyInUse) && errors.As(err, &problem):
		fmt.Println("in use by a customer of ours:", problem.CustomerID == created.ID)
	case err != nil:
		fmt.Println(err)
	}
	// Output: in use by a customer of ours: true
}

// When no answer comes, the key of the request is how to go on.
func ExampleError() {
	const nobody = "http://127.0.0.1:1/api/v1/escrow"
	escrow, err := client.New(os.Getenv("ESCROW_KEY"), &client.Options{BaseURL: nobody, MaxAttempts: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = escrow.CreateCustomer(context.Background(), gen.NewCustomer{Email: "noor.ali@example.com"})
	var failed *client.Error
	if errors.As(err, &failed) {
		fmt.Println(failed.Operation, "may have been done:", failed.Sent)
		fmt.Println("repeat with a key of", len(failed.IdempotencyKey), "characters")
	}
	// Output:
	// createCustomer may have been done: false
	// repeat with a key of 26 characters
}

func ExampleClient_GetCustomer() {
	escrow, ctx := connect(), context.Background()
	created, err := escrow.CreateCustomer(ctx, gen.NewCustomer{Email: "kofi.mensah@example.com"})
	if err != nil {
		fmt.Println(err)
		return
	}
	customer, err := escrow.GetCustomer(ctx, created.ID)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(customer.Email, customer.Invitation.AcceptedAt == nil)
	// Output: kofi.mensah@example.com true
}

// A customer has just been sent their invitation: the next may follow in a minute.
func ExampleClient_ResendInvitation() {
	escrow, ctx := connect(), context.Background()
	customer, err := escrow.CreateCustomer(ctx, gen.NewCustomer{Email: "ines.costa@example.com"})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = escrow.ResendInvitation(ctx, customer.ID)
	var problem *client.Problem
	if errors.As(err, &problem) && problem.Code == client.ErrRateLimitExceeded {
		fmt.Println("try again within a minute:", problem.RetryAfter > 0 && problem.RetryAfter <= time.Minute)
	}
	// Output: try again within a minute: true
}

func ExampleClient_GetDisbursementRequirements() {
	needed, err := connect().GetDisbursementRequirements(context.Background(), gen.GetDisbursementRequirementsParams{
		Type:     gen.GetDisbursementRequirementsParamsTypeCryptoWallet,
		Country:  "DE",
		Currency: "BTC",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, field := range needed.Fields {
		fmt.Println(field.Name, field.Required)
	}
	// Output:
	// asset true
	// network true
	// address true
}

// Disbursement methods of any kind can come with a customer.
func ExampleACH() {
	customer, err := connect().CreateCustomer(context.Background(), gen.NewCustomer{
		Email: "johny.smith@example.com",
		DisbursementMethods: &[]gen.NewDisbursementMethod{
			client.ACH(gen.NewAchMethod{
				AccountName:          "Johny Smith",
				AccountType:          gen.NewAchMethodAccountTypeChecking,
				BankAbaRoutingNumber: "021000021",
				BankAccountNumber:    "000123456789",
				BankName:             "Bank of Coffee",
				BankAddress:          gen.AchBankAddress{City: "New York", State: "NY"},
				Currency:             gen.NewAchMethodCurrencyUsd,
			}),
			client.CryptoWallet(gen.NewCryptoWalletMethod{
				Network: gen.NewCryptoWalletMethodNetworkBitcoin,
				Asset:   "BTC",
				Address: "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
			}),
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, method := range customer.DisbursementMethods {
		fmt.Println(method.Type, method.Usable, method.IsDefault)
	}
	// Output:
	// ach true true
	// crypto_wallet true false
}

// The generated client has every operation and every header.
func ExampleClient_Generated() {
	response, err := connect().Generated().CreateCustomerWithResponse(context.Background(), nil, gen.NewCustomer{Email: "yuki.sato@example.com"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(response.StatusCode(), response.Headers201.Location != "")
	// Output: 201 true
}
