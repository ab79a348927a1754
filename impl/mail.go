package impl

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"cryptoexchange.com/escrow/impl/internal/mail"
	"cryptoexchange.com/escrow/impl/internal/outbox"
)

// What an operator says of the mail server.
type (
	// SMTPURL is its URL, such as smtp://user:password@host:587; it does not
	// print itself.
	SMTPURL = mail.ServerURL
	// SMTPPassword is a password for it; it does not print itself.
	SMTPPassword = mail.Password
)

// mailFolder is the name of the folder for e-mails if there is no mail server.
const mailFolder = "mail"

// mailServer reads what is set of the mail server; it gives nil if none is.
func (c *Config) mailServer() (*mail.Server, error) {
	if c.SMTPURL == "" {
		if c.SMTPPassword != "" || c.SMTPPasswordFile != "" {
			return nil, errors.New("password of the mail server: there is no mail server; give its URL too")
		}
		return nil, nil //nolint:nilnil // without a server there is nothing wrong
	}
	password := c.SMTPPassword
	if c.SMTPPasswordFile != "" {
		if password != "" {
			return nil, errors.New("password of the mail server: it is given twice; give it or its file")
		}
		content, err := os.ReadFile(c.SMTPPasswordFile)
		if err != nil {
			return nil, fmt.Errorf("password of the mail server: %w", err)
		}
		if password = SMTPPassword(strings.TrimRight(string(content), "\r\n")); password == "" {
			return nil, fmt.Errorf("password of the mail server: %s is empty", c.SMTPPasswordFile)
		}
	}
	server, err := mail.ParseServer(c.SMTPURL, password)
	if err != nil {
		return nil, prefixed("mail server", err)
	}
	return &server, nil
}

// prefixed says of each of several errors what it is about.
func prefixed(about string, err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return fmt.Errorf("%s: %w", about, err)
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, fmt.Errorf("%s: %w", about, e))
	}
	return errors.Join(all...)
}

// newSender makes what e-mails are sent by: a mail server, or else a folder or
// memory, with the pages that show what is there.
func (c *Config) newSender(composer *mail.Composer, logger *slog.Logger) (outbox.Sender, *mail.Mailbox, error) {
	server, err := c.mailServer()
	switch {
	case err != nil:
		return nil, nil, err
	case server != nil:
		return mail.NewSMTP(mail.SMTPParams{Server: *server, Composer: composer, Logger: logger}), nil, nil
	case c.Sandbox:
		memory := mail.NewMemory(composer, logger)
		return memory, memory.Mailbox(), nil
	}
	path := filepath.Join(c.Data, mailFolder)
	folder, err := mail.NewFolder(path, composer, logger)
	return folder, mail.NewMailbox(path), err
}
