package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"cryptoexchange.com/escrow/gen"
	"cryptoexchange.com/escrow/impl/client"
)

// ui is the only way to the terminal. Results, and nothing else, go to out, so
// that they can be piped; messages go to err, each a line in small letters
// without a full stop of ours, and what to do about it as a hint on a line of
// its own.
type ui struct{ out, err io.Writer }

func (u ui) fail(err error) { fmt.Fprintf(u.err, "escrow: error: %s\n", err) }

func (u ui) hint(text string) { fmt.Fprintf(u.err, "escrow: hint: %s\n", text) }

// again tells whoever waits why.
func (u ui) again(err error, wait time.Duration) {
	fmt.Fprintf(u.err, "escrow: %s; trying again in %s\n", err, wait.Round(10*time.Millisecond))
}

// problem prints a refusal: what, and each fault with its place.
func (u ui) problem(p *client.Problem) {
	fmt.Fprintf(u.err, "escrow: refused: %s (%s, status %d)\n", p.Detail, p.Code, p.Status)
	for _, f := range p.Faults {
		place := "the body"
		switch {
		case f.Name != "":
			place = f.Name
		case f.Pointer != "":
			place = strings.ReplaceAll(strings.TrimPrefix(f.Pointer, "/"), "/", ".")
		}
		fmt.Fprintf(u.err, "  %s: %s (%s)\n", place, f.Detail, f.Code)
	}
	if p.CustomerID != 0 {
		u.hint(fmt.Sprintf("it is in use by your customer %d", p.CustomerID))
	}
	if p.RetryAfter > 0 {
		fmt.Fprintf(u.err, "escrow: try again in %s\n", p.RetryAfter)
	}
	if p.RequestID != "" {
		fmt.Fprintf(u.err, "escrow: request id %s\n", p.RequestID)
	}
}

// customer prints a customer: everything as JSON, or what is known in lines.
func (u ui) customer(c *gen.Customer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(u.out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(c)
	}
	w := tabwriter.NewWriter(u.out, 0, 0, 2, ' ', 0)
	line := func(name string, values ...*string) {
		var parts []string
		for _, v := range values {
			if v != nil && *v != "" {
				parts = append(parts, *v)
			}
		}
		if len(parts) > 0 {
			fmt.Fprintf(w, "%s\t%s\n", name, strings.Join(parts, " "))
		}
	}
	id, created := fmt.Sprint(c.ID), c.CreatedAt.UTC().Format(time.RFC3339)
	line("id", &id)
	line("email", &c.Email)
	line("name", c.FirstName, c.MiddleName, c.LastName)
	line("phone", c.Phone)
	if a := c.Address; a != nil {
		line("address", &a.Line1, a.Line2)
		line("", &a.PostCode, &a.City, a.State, &a.Country)
	}
	line("created", &created)
	return w.Flush()
}
