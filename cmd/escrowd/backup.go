package main

import (
	"context"

	"cryptoexchange.com/escrow/impl"
)

type backupCommand struct {
	File string `arg:"" help:"File to write; it must not exist."`
}

// Run writes the copy.
func (b *backupCommand) Run(ctx context.Context, c *cli, out ui) error {
	return operator(ctx, c, func(o *impl.Operator) error {
		if err := o.Backup(ctx, b.File); err != nil {
			return err
		}
		out.printf("%s written\n", b.File)
		out.hint("to restore, stop the server and put it into an empty data folder as escrow.db, with the keyset; keep the keyset apart from it")
		return nil
	})
}
