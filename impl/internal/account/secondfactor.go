package account

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"cryptoexchange.com/escrow/impl/internal/password"
	"cryptoexchange.com/escrow/impl/internal/totp"
)

// Proof is the use of a second factor, to be recorded in the transaction that
// relies on it, so that no code is good twice. The zero value is of an account
// that has none.
type Proof struct {
	Step     int64  // of the code (RFC 6238); 0 for a recovery code
	Recovery []byte // hash of a recovery code; nil for a code of the app
}

// prove checks a code against an account. It returns [ErrSecondFactorRequired]
// or [ErrInvalidSecondFactor]. An account without a second factor takes any.
func (s *Service) prove(c *Credentials, code string) (Proof, error) {
	if !c.SecondFactor() {
		return Proof{}, nil
	}
	if code == "" {
		return Proof{}, ErrSecondFactorRequired
	}
	if hash, ok := totp.RecoveryHash(code); ok {
		return Proof{Recovery: hash}, nil // the store knows whether it is good
	}
	secret, err := s.p.Cipher.Decrypt(c.TOTPSecret, c.CustomerID)
	if err != nil {
		return Proof{}, fmt.Errorf("decrypt second factor: %w", err)
	}
	step, ok := totp.Check(secret, code, s.p.Now(), c.TOTPLastStep)
	if !ok {
		return Proof{}, ErrInvalidSecondFactor
	}
	return Proof{Step: step}, nil
}

// Enrolment is a secret for an authenticator app, in three forms.
type Enrolment struct {
	Secret string // Base32 (RFC 4648), to be typed
	URI    string // otpauth, to be opened
	PNG    []byte // QR code of the URI, to be scanned
}

// qrSize is the width of a QR code in pixels.
const qrSize = 320

// EnrolTOTP makes a secret, which counts from [Service.ConfirmTOTP] on. It
// returns [ErrSecondFactorEnabled] or [*customer.UnacceptableError].
func (s *Service) EnrolTOTP(ctx context.Context, customerID int64, text string) (Enrolment, error) {
	c, err := s.reauthenticate(ctx, customerID, "password", text)
	if err != nil {
		return Enrolment{}, err
	}
	if c.SecondFactor() {
		return Enrolment{}, ErrSecondFactorEnabled
	}
	secret, err := totp.NewSecret()
	if err != nil {
		return Enrolment{}, err
	}
	encrypted, err := s.p.Cipher.Encrypt(secret, customerID)
	if err != nil {
		return Enrolment{}, fmt.Errorf("encrypt second factor: %w", err)
	}
	if err := s.p.Store.EnrolTOTP(ctx, customerID, encrypted); err != nil {
		return Enrolment{}, fmt.Errorf("enrol second factor: %w", err)
	}
	e := Enrolment{Secret: totp.Base32(secret), URI: totp.URI(secret, s.p.Issuer, c.Email)}
	if e.PNG, err = totp.QRCodePNG(e.URI, qrSize); err != nil {
		return Enrolment{}, fmt.Errorf("draw QR code: %w", err)
	}
	return e, nil
}

// confirmTries is how often a code is checked against a secret that changes: when
// it is encrypted anew, or another one is enrolled.
const confirmTries = 3

// ConfirmTOTP turns the second factor on, with a code as proof that the app
// works, and gives the recovery codes. It returns [ErrSecondFactorEnabled],
// [ErrNotEnrolled] or [*customer.UnacceptableError].
func (s *Service) ConfirmTOTP(ctx context.Context, customerID int64, code string) ([]string, error) {
	for try := 1; ; try++ {
		codes, err := s.confirmTOTP(ctx, customerID, code)
		if errors.Is(err, ErrConflict) && try < confirmTries {
			continue
		}
		return codes, err
	}
}

func (s *Service) confirmTOTP(ctx context.Context, customerID int64, code string) ([]string, error) {
	c, err := s.credentials(ctx, customerID)
	if err != nil {
		return nil, err
	}
	switch {
	case c.SecondFactor():
		return nil, ErrSecondFactorEnabled
	case c.TOTPSecret == nil:
		return nil, ErrNotEnrolled
	}
	secret, err := s.p.Cipher.Decrypt(c.TOTPSecret, customerID)
	if err != nil {
		return nil, fmt.Errorf("decrypt second factor: %w", err)
	}
	step, ok := totp.Check(secret, code, s.p.Now(), 0)
	if !ok {
		return nil, wrongCode()
	}
	codes, err := totp.NewRecoveryCodes()
	if err != nil {
		return nil, err
	}
	enable := TOTPEnable{CustomerID: customerID, Secret: c.TOTPSecret, Step: step, At: s.now(), Notice: s.notice(KindSecondFactorEnabled)}
	for _, code := range codes {
		hash, _ := totp.RecoveryHash(code)
		enable.Recovery = append(enable.Recovery, hash)
	}
	if err := s.p.Store.EnableTOTP(ctx, enable); err != nil {
		return nil, fmt.Errorf("enable second factor: %w", err)
	}
	s.p.Queued()
	return codes, nil
}

// DisableTOTP turns the second factor off. It returns [ErrNotEnrolled] or
// [*customer.UnacceptableError]: about a password that would be too short, too.
func (s *Service) DisableTOTP(ctx context.Context, customerID int64, text, code string) error {
	c, err := s.reauthenticate(ctx, customerID, "password", text)
	if err != nil {
		return err
	}
	if !c.SecondFactor() {
		return ErrNotEnrolled
	}
	if utf8.RuneCountInString(password.Normalize(text)) < password.MinLength {
		return unacceptable("password", password.CodeTooShort, fmt.Sprintf("Your password is good only beside a second factor. Change it to one of at least %d characters first.", password.MinLength))
	}
	proof, err := s.proveAgain(&c, code)
	if err != nil {
		return err
	}
	err = s.p.Store.DisableTOTP(ctx, TOTPDisable{
		CustomerID: customerID, Proof: proof, PasswordHash: c.PasswordHash, At: s.now(), Notice: s.notice(KindSecondFactorDisabled),
	})
	if err := reproved(err); err != nil {
		return fmt.Errorf("disable second factor: %w", err)
	}
	s.p.Queued()
	return nil
}

// proveAgain is prove for a customer who is logged in: errors are about the
// field.
func (s *Service) proveAgain(c *Credentials, code string) (Proof, error) {
	proof, err := s.prove(c, code)
	if errors.Is(err, ErrSecondFactorRequired) {
		return Proof{}, unacceptable("code", CodeCodeRequired, "Give a code of your authenticator app, or a recovery code, as well.")
	}
	return proof, reproved(err)
}

func reproved(err error) error {
	if errors.Is(err, ErrInvalidSecondFactor) {
		return wrongCode()
	}
	return err
}
