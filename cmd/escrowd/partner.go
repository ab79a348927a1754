package main

import (
	"context"
	"strconv"

	"cryptoexchange.com/escrow/impl"
)

type partnerCommand struct {
	Create partnerCreate `cmd:"" help:"Make a partner with one API key, which is shown once."`
	List   partnerList   `cmd:"" help:"List all partners."`
}

type partnerCreate struct {
	Name string `arg:"" help:"Name of the partner; customers read it in their e-mail."`
}

// Run makes the partner.
func (p *partnerCreate) Run(ctx context.Context, c *cli, out ui) error {
	return operate(ctx, c, impl.NewOperator, func(o *impl.Operator) error {
		made, secret, err := o.CreatePartner(ctx, p.Name)
		if err != nil {
			return err
		}
		out.table("PARTNER KEY", []string{strconv.FormatInt(made.ID, 10), secret.Reveal()})
		out.hint("the key is not shown again")
		return nil
	})
}

type partnerList struct{}

// Run lists the partners.
func (*partnerList) Run(ctx context.Context, c *cli, out ui) error {
	return operator(ctx, c, func(o *impl.Operator) error {
		partners, err := o.Partners(ctx)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, p := range partners {
			rows = append(rows, []string{strconv.FormatInt(p.ID, 10), moment(p.CreatedAt), p.Name})
		}
		out.table("PARTNER CREATED NAME", rows...)
		return nil
	})
}
