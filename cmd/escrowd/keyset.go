package main

import (
	"context"

	"cryptoexchange.com/escrow/impl"
)

type keysetCommand struct {
	Rotate keysetRotate `cmd:"" help:"Add a key, and encrypt everything anew with it, while the server runs."`
}

type keysetRotate struct{}

// Run rotates the keyset.
func (*keysetRotate) Run(ctx context.Context, c *cli, out ui) error {
	return operator(ctx, c, func(o *impl.Operator) error {
		n, err := o.RotateKeyset(ctx, c.Keyset)
		if err != nil {
			return err
		}
		out.printf("keyset rotated, %d values encrypted anew\n", n)
		out.hint("keep a copy of the keyset, apart from the database's; older keys stay in it, for backups and for e-mails that are queued")
		return nil
	})
}
