package main

import (
	"context"
	"fmt"

	"cryptoexchange.com/escrow/impl"
)

type customerCommand struct {
	Show    customerShow    `cmd:"" help:"Print a customer, whoever created it, as JSON."`
	Suspend customerSuspend `cmd:"" help:"Keep a customer from logging in, and end all sessions."`
	Restore customerRestore `cmd:"" help:"Let a suspended customer log in again."`
	Erase   customerErase   `cmd:"" help:"Remove everything personal of a customer, for good."`
}

// ofCustomer says which customer an error is about.
func ofCustomer(id int64, err error) error {
	if err != nil {
		return fmt.Errorf("customer %d: %w", id, err)
	}
	return nil
}

type customerShow struct {
	ID int64 `arg:"" help:"Id of the customer."`
}

// Run prints the customer.
func (s *customerShow) Run(ctx context.Context, c *cli, out ui) error {
	return operator(ctx, c, func(o *impl.Operator) error {
		customer, err := o.Customer(ctx, s.ID)
		if err != nil {
			return ofCustomer(s.ID, err)
		}
		return out.json(customer)
	})
}

type customerSuspend struct {
	ID int64 `arg:"" help:"Id of the customer."`
}

// Run suspends the customer.
func (s *customerSuspend) Run(ctx context.Context, c *cli, out ui) error {
	return operator(ctx, c, func(o *impl.Operator) error {
		if err := o.SuspendCustomer(ctx, s.ID); err != nil {
			return ofCustomer(s.ID, err)
		}
		out.printf("customer %d suspended\n", s.ID)
		return nil
	})
}

type customerRestore struct {
	ID int64 `arg:"" help:"Id of the customer."`
}

// Run restores the customer.
func (s *customerRestore) Run(ctx context.Context, c *cli, out ui) error {
	return operator(ctx, c, func(o *impl.Operator) error {
		if err := o.RestoreCustomer(ctx, s.ID); err != nil {
			return ofCustomer(s.ID, err)
		}
		out.printf("customer %d restored\n", s.ID)
		return nil
	})
}

type customerErase struct {
	ID      int64 `arg:"" help:"Id of the customer."`
	Confirm bool  `name:"yes" help:"Do it: it cannot be undone." required:""`
}

// Run erases the customer.
func (s *customerErase) Run(ctx context.Context, c *cli, out ui) error {
	return operator(ctx, c, func(o *impl.Operator) error {
		if err := o.EraseCustomer(ctx, s.ID); err != nil {
			return ofCustomer(s.ID, err)
		}
		out.printf("customer %d erased\n", s.ID)
		out.printf("kept: the id, the partner, the status, the times of the account, and the kinds and times of its e-mails\n")
		out.hint("backups and the mail server have copies of their own")
		return nil
	})
}
