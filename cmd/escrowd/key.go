package main

import (
	"context"
	"fmt"
	"strconv"

	"cryptoexchange.com/escrow/impl"
)

type keyCommand struct {
	Create keyCreate `cmd:"" help:"Make a further API key for a partner, which is shown once."`
	List   keyList   `cmd:"" help:"List the API keys of a partner."`
	Revoke keyRevoke `cmd:"" help:"End an API key, with effect on the next request."`
}

type keyCreate struct {
	Partner int64 `arg:"" help:"Id of the partner."`
}

// Run makes the key.
func (k *keyCreate) Run(ctx context.Context, c *cli, out ui) error {
	return operator(ctx, c, func(o *impl.Operator) error {
		key, secret, err := o.CreateKey(ctx, k.Partner)
		if err != nil {
			return fmt.Errorf("partner %d: %w", k.Partner, err)
		}
		out.table("ID KEY", []string{strconv.FormatInt(key.ID, 10), secret.Reveal()})
		out.hint("the key is not shown again")
		return nil
	})
}

type keyList struct {
	Partner int64 `arg:"" help:"Id of the partner."`
}

// Run lists the keys.
func (k *keyList) Run(ctx context.Context, c *cli, out ui) error {
	return operator(ctx, c, func(o *impl.Operator) error {
		keys, err := o.Keys(ctx, k.Partner)
		if err != nil {
			return fmt.Errorf("partner %d: %w", k.Partner, err)
		}
		var rows [][]string
		for _, key := range keys {
			revoked := "-"
			if key.RevokedAt != nil {
				revoked = moment(*key.RevokedAt)
			}
			rows = append(rows, []string{strconv.FormatInt(key.ID, 10), "..." + key.Last4, moment(key.CreatedAt), revoked})
		}
		out.table("ID KEY CREATED REVOKED", rows...)
		return nil
	})
}

type keyRevoke struct {
	ID int64 `arg:"" help:"Id of the key, as key list shows it."`
}

// Run revokes the key.
func (k *keyRevoke) Run(ctx context.Context, c *cli, out ui) error {
	return operator(ctx, c, func(o *impl.Operator) error {
		if err := o.RevokeKey(ctx, k.ID); err != nil {
			return fmt.Errorf("key %d: %w", k.ID, err)
		}
		out.printf("key %d revoked\n", k.ID)
		return nil
	})
}
