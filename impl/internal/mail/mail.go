// Package mail writes the e-mails that customers get, and hands them to a mail
// server, or puts them into a folder, one file for each.
//
//	outbox.Message --Composer--> RFC 5322 text --SMTP--> server
//	                    ^                      \-Folder-> *.eml --Mailbox--> /dev/mail
//	templates, embedded or an operator's
//
// An e-mail has an HTML part and a text part that say the same, needs no image
// and loads nothing from elsewhere. What partners and customers say of themselves
// is escaped, and left out where a mail program could make a link of it: an
// e-mail from a service that is trusted must not carry somebody else's.
//
// The link in an e-mail is made while it is written, and goes nowhere else: it
// is neither stored nor logged. So are the customer's address and what a mail
// server answers, which may repeat it.
package mail

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode"

	gomail "github.com/wneessen/go-mail"
	"golang.org/x/net/idna"

	"cryptoexchange.com/escrow/impl/internal/outbox"
)

// URLs are what e-mails point to besides their own links.
type URLs struct {
	LogIn          string // page to log in at
	ForgotPassword string // page to ask for a new password at
	Account        string // page of the customer's account
	Support        string // address or page to turn to; empty if there is none
}

// ComposerParams are what a [Composer] needs.
type ComposerParams struct {
	From      string // sender, a mailbox of RFC 5322 with or without a name
	Templates string // folder of templates that replace embedded ones; empty for none
	URLs      URLs
	// LinkURL gives the URL of the link of a message that has one.
	LinkURL func(m outbox.Message) (string, error)
}

// Composer writes e-mails. It is safe for concurrent use.
type Composer struct {
	p         ComposerParams
	templates func() (*templates, error) // read once
	sender    string                     // the address of From
}

// NewComposer makes a composer. It refuses templates that cannot be parsed, or
// executed for a sample message, with an error that names the file.
func NewComposer(p ComposerParams) (*Composer, error) {
	sender, err := address(p.From)
	if err != nil {
		return nil, fmt.Errorf("sender of e-mails: %w", err)
	}
	c := &Composer{p: p, sender: sender}
	c.templates = sync.OnceValues(func() (*templates, error) { return loadTemplates(p.Templates, p.URLs) })
	if p.Templates == "" {
		return c, nil // the embedded ones are good, and read for the first e-mail
	}
	_, err = c.templates()
	return c, err
}

// content is what the templates say.
type content struct {
	Lang       string // of the e-mail, BCP 47
	Subject    string // not in the template that gives it
	Name       string // of the customer; empty if unknown
	Partner    string // who introduced the customer; empty if nobody
	Link       string // URL; empty if the e-mail has none
	ValidUntil string // of the link, in words
	When       string // the e-mail was queued, in words
	URLs       URLs
	Support    string // address or page; empty if there is none
	SupportURL string // the same to click on
}

// Kinds that are nothing without a link.
var needsLink = map[string]bool{"confirmation": true, "password_reset": true}

// Compose writes a message. Written again it is the same, byte for byte, and so
// is its Message-ID, which is made of the message's own id: a message that is
// sent again is recognised.
func (c *Composer) Compose(m outbox.Message) ([]byte, error) {
	templates, err := c.templates()
	if err != nil {
		return nil, fmt.Errorf("compose %s: %w", m.Kind, err)
	}
	lang := templates.match(m.Language)
	said := c.content(m, lang)
	if m.Link != nil {
		link, err := c.p.LinkURL(m)
		if err != nil {
			return nil, fmt.Errorf("compose %s: link: %w", m.Kind, err)
		}
		said.Link, said.ValidUntil = link, lang.moment(m.Link.ExpiresAt)
	} else if needsLink[m.Kind] {
		return nil, fmt.Errorf("compose %s: it has no link", m.Kind)
	}
	w, err := templates.write(m.Kind, lang, said)
	if err != nil {
		return nil, fmt.Errorf("compose %s: %w", m.Kind, err)
	}
	return c.message(m, lang, w)
}

func (c *Composer) content(m outbox.Message, lang *lang) content {
	said := content{
		Lang: lang.tag, Name: greeting(m.FirstName), When: lang.moment(m.CreatedAt),
		URLs: c.p.URLs, Support: c.p.URLs.Support, SupportURL: supportURL(c.p.URLs.Support),
	}
	if m.PartnerName != nil {
		said.Partner = plain(*m.PartnerName)
	}
	return said
}

// message puts the parts together as RFC 5322 and RFC 2046 have it.
func (c *Composer) message(m outbox.Message, lang *lang, w written) ([]byte, error) {
	to, err := deliverable(m.To)
	if err != nil {
		return nil, &outbox.PermanentError{Err: fmt.Errorf("compose %s: %w", m.Kind, err)}
	}
	// Nobody knows the id before the e-mail, so nobody can have put the boundary
	// into a name.
	message := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithBoundary("part-"+m.ID))
	if err := message.From(c.p.From); err != nil {
		return nil, fmt.Errorf("sender of e-mails: %w", err)
	}
	if err := message.To(to); err != nil {
		return nil, &outbox.PermanentError{Err: fmt.Errorf("compose %s: %w", m.Kind, errRecipient)}
	}
	message.Subject(w.subject)
	message.SetDateWithValue(m.CreatedAt)
	message.SetMessageIDWithValue(m.ID + "@" + domain(c.sender))
	message.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no auto-replies
	message.SetGenHeader("Content-Language", lang.tag)       // RFC 3282
	message.SetBodyString(gomail.TypeTextPlain, w.text)
	message.AddAlternativeString(gomail.TypeTextHTML, w.html)
	var out bytes.Buffer
	if _, err := message.WriteTo(&out); err != nil {
		return nil, fmt.Errorf("compose %s: %w", m.Kind, err)
	}
	return out.Bytes(), nil
}

// maxGreeting is the longest name that a greeting has, in bytes.
const maxGreeting = 40

// greeting gives the name to greet a customer with, or nothing if it is no name
// to put into a sentence.
func greeting(name *string) string {
	if name == nil || len(*name) > maxGreeting || strings.ContainsAny(*name, "/:@.") {
		return ""
	}
	return plain(*name)
}

// plain puts a name on one line, without what changes the direction of the text
// around it.
func plain(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Bidi_Control, r):
			return -1
		case unicode.IsControl(r), unicode.IsSpace(r): // U+2028 too
			return ' '
		}
		return r
	}, name)
	return strings.Join(strings.Fields(name), " ")
}

func supportURL(support string) string {
	switch {
	case strings.HasPrefix(support, "https://"), strings.HasPrefix(support, "http://"):
		return support
	case strings.Contains(support, "@"):
		return "mailto:" + support
	}
	return ""
}

// CheckFrom tells whether e-mails can be sent from an address.
func CheckFrom(from string) error {
	_, err := address(from)
	return err
}

// address gives the address in a mailbox of RFC 5322.
func address(mailbox string) (string, error) {
	message := gomail.NewMsg()
	if err := message.From(mailbox); err != nil {
		return "", fmt.Errorf("not an e-mail address with an optional name: %w", err)
	}
	return message.GetFrom()[0].Address, nil
}

// errRecipient stands for the library's error, which quotes the address.
var errRecipient = errors.New("recipient: this is not an address that can be written to")

// deliverable gives the form of an address that most servers take: the domain is
// in its ASCII form (RFC 5890). If the local part is ASCII too, no server on the
// way needs to know SMTPUTF8 (RFC 6531). An address that has other characters
// before the @ stays as it is.
func deliverable(address string) (string, error) {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return "", errRecipient
	}
	if !isASCII(address[:at]) || isASCII(address) {
		return address, nil
	}
	host, err := idna.Lookup.ToASCII(address[at+1:])
	if err != nil {
		return "", errRecipient
	}
	return address[:at+1] + host, nil
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) < 0
}

func domain(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }
