package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"cryptoexchange.com/escrow/impl"
)

type mailCommand struct {
	List  mailList  `cmd:"" help:"List e-mails, the newest first, without addresses; AT is when one was sent or given up, or else is tried next."`
	Retry mailRetry `cmd:"" help:"Try again to send e-mails that have failed: once, if they are older than the age at which they are given up."`
}

type mailList struct {
	State string `help:"Only those in this state: queued, waiting (for the next try), sent or failed (given up)." enum:",queued,waiting,sent,failed" default:"" placeholder:"STATE"`
	Limit int    `help:"List at most this many." default:"100"`
}

// Run lists the e-mails.
func (m *mailList) Run(ctx context.Context, c *cli, out ui) error {
	if m.Limit < 1 {
		return errors.New("--limit must be at least 1")
	}
	return operator(ctx, c, func(o *impl.Operator) error {
		// One more tells whether there are more.
		mails, err := o.Mails(ctx, impl.MailState(m.State), m.Limit+1)
		if err != nil {
			return err
		}
		more := len(mails) > m.Limit
		var rows [][]string
		for _, mail := range mails[:min(len(mails), m.Limit)] {
			rows = append(rows, []string{
				mail.ID, mail.Kind, strconv.FormatInt(mail.CustomerID, 10), string(mail.State), strconv.Itoa(mail.Attempts),
				moment(mail.CreatedAt), moment(mail.At), dash(mail.LastError),
			})
		}
		out.table("ID KIND CUSTOMER STATE ATTEMPTS CREATED AT ERROR", rows...)
		if more {
			out.hint(fmt.Sprintf("there are more than %d; see --limit and --state", m.Limit))
		}
		return nil
	})
}

type mailRetry struct {
	IDs       []string `arg:"" optional:"" name:"id" help:"Ids of e-mails, as mail list shows them."`
	AllFailed bool     `help:"Every e-mail that has failed."`
}

// Validate is called by kong.
func (m *mailRetry) Validate() error {
	if m.AllFailed == (len(m.IDs) > 0) {
		return errors.New("give either ids or --all-failed")
	}
	return nil
}

// Run makes the e-mails due. A server that runs on the folder finds them within
// seconds.
func (m *mailRetry) Run(ctx context.Context, c *cli, out ui) error {
	return operator(ctx, c, func(o *impl.Operator) error {
		if m.AllFailed {
			n, err := o.RetryFailedMails(ctx)
			if err != nil {
				return err
			}
			out.printf("e-mails to be tried again: %d\n", n)
			return nil
		}
		slices.Sort(m.IDs)
		ids := slices.Compact(m.IDs)
		if err := o.RetryMails(ctx, ids); err != nil {
			return err
		}
		out.printf("e-mails to be tried again: %d\n", len(ids))
		return nil
	})
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
