package main

import (
	"context"
	"fmt"

	"cryptoexchange.com/escrow/impl"
)

type customerCommand struct {
	Show customerShow `cmd:"" help:"Print a customer, whoever created it, as JSON."`
}

type customerShow struct {
	ID int64 `arg:"" help:"Id of the customer."`
}

// Run prints the customer.
func (s *customerShow) Run(ctx context.Context, c *cli, out ui) error {
	return operator(ctx, c, func(o *impl.Operator) error {
		customer, err := o.Customer(ctx, s.ID)
		if err != nil {
			return fmt.Errorf("customer %d: %w", s.ID, err)
		}
		return out.json(customer)
	})
}
