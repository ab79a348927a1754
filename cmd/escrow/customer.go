package main

import (
	"context"
	"errors"

	"cryptoexchange.com/escrow/gen"
	"cryptoexchange.com/escrow/gen/scalar"
	"cryptoexchange.com/escrow/impl/client"
)

type customerCommand struct {
	Create customerCreate `cmd:"" help:"Create a customer."`
	Get    customerGet    `cmd:"" help:"Read a customer whom you created."`
}

type customerCreate struct {
	Email          string  `help:"E-mail address." required:"" placeholder:"ADDRESS"`
	FirstName      *string `help:"Given name." placeholder:"NAME"`
	MiddleName     *string `help:"Middle name or names." placeholder:"NAME"`
	LastName       *string `help:"Family name." placeholder:"NAME"`
	Line1          *string `name:"line1" help:"Street and number; needs --city, --country and --post-code." placeholder:"TEXT" and:"address"`
	Line2          *string `name:"line2" help:"Apartment, floor or the like." placeholder:"TEXT"`
	City           *string `help:"City, town or village." placeholder:"TEXT" and:"address"`
	State          *string `help:"State, province or territory; needed in US, CA and AU." placeholder:"TEXT"`
	Country        *string `help:"Country, ISO 3166-1 alpha-2." placeholder:"CODE" and:"address"`
	PostCode       *string `help:"Post code." placeholder:"TEXT" and:"address"`
	PhoneNumber    *string `help:"Phone number, with + and calling code, or as it is dialled in the country of the address." placeholder:"NUMBER"`
	IdempotencyKey string  `help:"Repeats an earlier request safely. Without it, a new one is made." placeholder:"KEY"`
}

var errAddressParts = errors.New("--line2 and --state are parts of an address: give --line1, --city, --country and --post-code too")

// Validate checks what the parser cannot.
func (c *customerCreate) Validate() error {
	if c.Line1 == nil && (c.Line2 != nil || c.State != nil) {
		return errAddressParts
	}
	return nil
}

// body makes the request of the flags.
func (c *customerCreate) body() gen.NewCustomer {
	body := gen.NewCustomer{Email: c.Email, FirstName: c.FirstName, MiddleName: c.MiddleName, LastName: c.LastName}
	if c.PhoneNumber != nil {
		number := scalar.String(*c.PhoneNumber)
		body.PhoneNumber = &number
	}
	if c.Line1 != nil {
		body.Address = &gen.NewAddress{Line1: *c.Line1, Line2: c.Line2, City: *c.City, State: c.State, Country: *c.Country, PostCode: scalar.String(*c.PostCode)}
	}
	return body
}

// Run creates the customer.
func (c *customerCreate) Run(ctx context.Context, cli *cli, out ui) error {
	escrow, err := cli.client(out)
	if err != nil {
		return err
	}
	var options []client.CreateOption
	if c.IdempotencyKey != "" {
		options = append(options, client.IdempotencyKey(c.IdempotencyKey))
	}
	created, err := escrow.CreateCustomer(ctx, c.body(), options...)
	if err != nil {
		return err
	}
	return out.customer(created, cli.JSON)
}

type customerGet struct {
	ID int64 `arg:"" help:"Id of the customer."`
}

// Run reads the customer.
func (g *customerGet) Run(ctx context.Context, cli *cli, out ui) error {
	escrow, err := cli.client(out)
	if err != nil {
		return err
	}
	customer, err := escrow.GetCustomer(ctx, g.ID)
	if err != nil {
		return err
	}
	return out.customer(customer, cli.JSON)
}
