// Package mail writes the e-mails that customers get, and puts them where they
// are to go: for now into a folder, one file for each.
//
// An e-mail has an HTML part and a text part that say the same, needs no image
// and loads nothing from elsewhere. What partners say of their customers is
// escaped, and left out where a mail program could make a link of it: an e-mail
// from a service that is trusted must not carry somebody else's.
package mail

import (
	"bytes"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"strings"
	texttemplate "text/template"
	"time"

	gomail "github.com/wneessen/go-mail"

	"cryptoexchange.com/escrow/impl/internal/outbox"
)

//go:embed templates
var templates embed.FS

var (
	htmlTemplates = htmltemplate.Must(htmltemplate.ParseFS(templates, "templates/*.html"))
	textTemplates = texttemplate.Must(texttemplate.ParseFS(templates, "templates/*.txt"))
)

// content is what the templates say.
type content struct {
	Subject string
	Name    string // of the customer; empty if it is unknown
	Partner string
}

const somebody = "One of our partners"

// maxGreeting is the longest name that a greeting has, in bytes.
const maxGreeting = 40

// greeting gives the name to greet a customer with, or nothing if it is no name
// to put into a sentence.
func greeting(name *string) string {
	if name == nil || len(*name) > maxGreeting || strings.ContainsAny(*name, "/:@.") {
		return ""
	}
	return *name
}

// Compose writes a message. from is an address as in RFC 5322, with or without
// a display name. The Message-ID is made of the message's own id and never
// changes, so that a message which is sent again is recognised as the same.
func Compose(m outbox.Message, from string, date time.Time) ([]byte, error) {
	c := content{Name: greeting(m.FirstName), Partner: somebody}
	if m.PartnerName != nil {
		c.Partner = *m.PartnerName
	}
	c.Subject = c.Partner + " has introduced you to CryptoExchange"
	var text, html bytes.Buffer
	if err := textTemplates.ExecuteTemplate(&text, m.Kind+".txt", c); err != nil {
		return nil, fmt.Errorf("compose %s: %w", m.Kind, err)
	}
	if err := htmlTemplates.ExecuteTemplate(&html, m.Kind+".html", c); err != nil {
		return nil, fmt.Errorf("compose %s: %w", m.Kind, err)
	}
	message := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := message.From(from); err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	if err := message.To(m.To); err != nil {
		// The library's error quotes the address.
		return nil, fmt.Errorf("compose %s: recipient refused", m.Kind)
	}
	message.Subject(c.Subject)
	message.SetDateWithValue(date)
	message.SetMessageIDWithValue(m.ID + "@" + domain(message.GetFromString()))
	message.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no auto-replies
	message.SetBodyString(gomail.TypeTextPlain, text.String())
	message.AddAlternativeString(gomail.TypeTextHTML, html.String())
	var out bytes.Buffer
	if _, err := message.WriteTo(&out); err != nil {
		return nil, fmt.Errorf("compose %s: %w", m.Kind, err)
	}
	return out.Bytes(), nil
}

// CheckFrom tells whether e-mails can be sent from an address.
func CheckFrom(from string) error {
	if err := gomail.NewMsg().From(from); err != nil {
		return fmt.Errorf("not an e-mail address with an optional name: %w", err)
	}
	return nil
}

func domain(from []string) string {
	address := strings.TrimSuffix(strings.Join(from, ""), ">")
	return address[strings.LastIndexByte(address, '@')+1:]
}
