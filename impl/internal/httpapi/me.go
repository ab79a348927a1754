package httpapi

import (
	"context"
	"encoding/base64"

	"github.com/oapi-codegen/nullable"

	"cryptoexchange.com/escrow/gen"
	"cryptoexchange.com/escrow/gen/scalar"
	"cryptoexchange.com/escrow/gen/server"
	"cryptoexchange.com/escrow/impl/internal/account"
	"cryptoexchange.com/escrow/impl/internal/customer"
)

// GetMe implements getMe.
func (a *API) GetMe(ctx context.Context, _ server.GetMeRequestObject) (server.GetMeResponseObject, error) {
	call := callOf(ctx)
	profile, err := a.Accounts.Profile(ctx, call.session.CustomerID)
	if err != nil {
		return nil, err
	}
	return server.GetMe200JSONResponse{Body: toAPIMe(&profile), Headers: server.GetMe200ResponseHeaders{
		CacheControl: noStore, XContentTypeOptions: noSniff, XRequestID: call.requestID,
	}}, nil
}

// UpdateMe implements updateMe.
func (a *API) UpdateMe(ctx context.Context, request server.UpdateMeRequestObject) (server.UpdateMeResponseObject, error) {
	call := callOf(ctx)
	profile, err := a.Accounts.Update(ctx, call.session.CustomerID, fromAPIMeChange(request.Body))
	if err != nil {
		return nil, err
	}
	return server.UpdateMe200JSONResponse{Body: toAPIMe(&profile), Headers: server.UpdateMe200ResponseHeaders{
		CacheControl: noStore, XContentTypeOptions: noSniff, XRequestID: call.requestID,
	}}, nil
}

// prove counts a proof that it is the customer who asks.
func (a *API) prove(c *call) error { return a.throttles.proof.take(c.session.CustomerID) }

// proven counts a proof, does what it is for, and forgets the tries before one
// that was good.
func proven[T any](a *API, c *call, do func() (T, error)) (T, error) {
	if err := a.prove(c); err != nil {
		var none T
		return none, err
	}
	done, err := do()
	if err == nil {
		a.throttles.proof.forget(c.session.CustomerID)
	}
	return done, err
}

// guessing is a customer whose codes are tried.
type guessing struct{ customerID int64 }

// proveByCode counts a proof that takes a code, too. It is counted twice: what
// else the password is right for, which forgets the proofs before it, does not
// make up for codes that are wrong.
func (a *API) proveByCode(c *call) error {
	if err := a.prove(c); err != nil {
		return err
	}
	return a.throttles.proof.take(guessing{c.session.CustomerID})
}

// ChangePassword implements changePassword.
func (a *API) ChangePassword(ctx context.Context, request server.ChangePasswordRequestObject) (server.ChangePasswordResponseObject, error) {
	call := callOf(ctx)
	token, err := proven(a, call, func() (string, error) {
		return a.Accounts.ChangePassword(ctx, *call.session, request.Body.CurrentPassword, request.Body.NewPassword, call.client())
	})
	if err != nil {
		return nil, err
	}
	return server.ChangePassword204Response{Headers: server.ChangePassword204ResponseHeaders{
		CacheControl: noStore, XContentTypeOptions: noSniff, XRequestID: call.requestID, SetCookie: a.cookie(token),
	}}, nil
}

// EnrolTotp implements enrolTotp.
func (a *API) EnrolTotp(ctx context.Context, request server.EnrolTotpRequestObject) (server.EnrolTotpResponseObject, error) {
	call := callOf(ctx)
	if err := a.prove(call); err != nil {
		return nil, err
	}
	e, err := a.Accounts.EnrolTOTP(ctx, call.session.CustomerID, request.Body.Password)
	if err != nil {
		return nil, err
	}
	body := gen.TotpEnrolment{Secret: e.Secret, URI: e.URI, QrCode: "data:image/png;base64," + base64.StdEncoding.EncodeToString(e.PNG)}
	return server.EnrolTotp200JSONResponse{Body: body, Headers: server.EnrolTotp200ResponseHeaders{
		CacheControl: noStore, XContentTypeOptions: noSniff, XRequestID: call.requestID,
	}}, nil
}

// ConfirmTotp implements confirmTotp.
func (a *API) ConfirmTotp(ctx context.Context, request server.ConfirmTotpRequestObject) (server.ConfirmTotpResponseObject, error) {
	call := callOf(ctx)
	codes, err := proven(a, call, func() ([]string, error) {
		return a.Accounts.ConfirmTOTP(ctx, call.session.CustomerID, request.Body.Code)
	})
	if err != nil {
		return nil, err
	}
	return server.ConfirmTotp200JSONResponse{Body: gen.RecoveryCodes{RecoveryCodes: codes}, Headers: server.ConfirmTotp200ResponseHeaders{
		CacheControl: noStore, XContentTypeOptions: noSniff, XRequestID: call.requestID,
	}}, nil
}

// DisableTotp implements disableTotp.
func (a *API) DisableTotp(ctx context.Context, request server.DisableTotpRequestObject) (server.DisableTotpResponseObject, error) {
	call := callOf(ctx)
	if err := a.proveByCode(call); err != nil {
		return nil, err
	}
	if err := a.Accounts.DisableTOTP(ctx, call.session.CustomerID, request.Body.Password, request.Body.Code); err != nil {
		return nil, err
	}
	a.throttles.proof.forget(call.session.CustomerID)
	a.throttles.proof.forget(guessing{call.session.CustomerID})
	return server.DisableTotp204Response{Headers: server.DisableTotp204ResponseHeaders{
		CacheControl: noStore, XContentTypeOptions: noSniff, XRequestID: call.requestID,
	}}, nil
}

// ExportMe implements exportMe.
func (a *API) ExportMe(ctx context.Context, _ server.ExportMeRequestObject) (server.ExportMeResponseObject, error) {
	call := callOf(ctx)
	e, err := a.Accounts.Export(ctx, call.session.CustomerID)
	if err != nil {
		return nil, err
	}
	body, err := toAPIExport(&e, call.session.ID)
	if err != nil {
		return nil, err
	}
	return server.ExportMe200JSONResponse{Body: body, Headers: server.ExportMe200ResponseHeaders{
		CacheControl: noStore, XContentTypeOptions: noSniff, XRequestID: call.requestID,
	}}, nil
}

// CloseAccount implements closeAccount.
func (a *API) CloseAccount(ctx context.Context, request server.CloseAccountRequestObject) (server.CloseAccountResponseObject, error) {
	call := callOf(ctx)
	if err := a.proveByCode(call); err != nil {
		return nil, err
	}
	code := ""
	if request.Body.Code != nil {
		code = *request.Body.Code
	}
	if err := a.Accounts.Close(ctx, call.session.CustomerID, request.Body.Password, code, request.Body.Reason); err != nil {
		return nil, err
	}
	return server.CloseAccount204Response{Headers: server.CloseAccount204ResponseHeaders{
		CacheControl: noStore, XContentTypeOptions: noSniff, XRequestID: call.requestID, SetCookie: a.cookie(""),
	}}, nil
}

func fromAPIMeChange(m *gen.MeChange) customer.Change {
	change := customer.Change{
		FirstName:   fromAPIEdit(m.FirstName),
		MiddleName:  fromAPIEdit(m.MiddleName),
		LastName:    fromAPIEdit(m.LastName),
		PhoneNumber: fromAPIEdit(m.PhoneNumber),
		Language:    fromAPIEdit(m.Language),
	}
	if address := fromAPIEdit(m.Address); address.Given {
		change.Address.Given = true
		if address.Value != nil {
			change.Address.Value = fromAPIAddress(address.Value)
		}
	}
	return change
}

func fromAPIEdit[T any](v nullable.Nullable[T]) customer.Edit[T] {
	e := customer.Edit[T]{Given: v.IsSpecified()}
	if value, err := v.Get(); err == nil {
		e.Value = &value
	}
	return e
}

func toAPIMe(p *account.Profile) gen.Me {
	c := &p.Customer
	return gen.Me{
		ID:                c.ID,
		Email:             c.Email,
		FirstName:         c.FirstName,
		MiddleName:        c.MiddleName,
		LastName:          c.LastName,
		Phone:             c.Phone,
		Language:          c.Language,
		Address:           toAPIAddress(c.Address),
		IntroducedBy:      p.PartnerName,
		TotpEnabled:       p.SecondFactor,
		RecoveryCodesLeft: int32(p.RecoveryLeft),
		PasswordChangedAt: scalar.Timestamp{Time: p.PasswordSetAt},
		CreatedAt:         scalar.Timestamp{Time: c.CreatedAt},
		UpdatedAt:         scalar.Timestamp{Time: c.UpdatedAt},
		Origins:           toAPIOrigins(c.Origins()),
	}
}

func toAPIOrigins(origins []customer.Origin) []gen.FieldOrigin {
	list := make([]gen.FieldOrigin, len(origins))
	for i, o := range origins {
		list[i] = gen.FieldOrigin{Field: gen.FieldOriginField(o.Field), Origin: gen.FieldOriginOriginCustomer, At: scalar.Timestamp{Time: o.At}}
		if o.ByPartner {
			list[i].Origin = gen.FieldOriginOriginPartner
		}
	}
	return list
}

func toAPIExport(e *account.Export, current string) (gen.Export, error) {
	c, err := ToAPICustomer(&e.Profile.Customer, e.At)
	if err != nil {
		return gen.Export{}, err
	}
	sessions, err := toAPISessions(e.Sessions, current)
	if err != nil {
		return gen.Export{}, err
	}
	emails := make([]gen.SentEmail, len(e.Emails))
	for i, m := range e.Emails {
		emails[i] = gen.SentEmail{
			Kind:     m.Kind,
			QueuedAt: scalar.Timestamp{Time: m.QueuedAt},
			SentAt:   toAPITimestamp(m.SentAt),
			FailedAt: toAPITimestamp(m.FailedAt),
			Attempts: int32(m.Attempts),
		}
	}
	return gen.Export{
		ExportedAt:   scalar.Timestamp{Time: e.At},
		Customer:     c,
		IntroducedBy: e.Profile.PartnerName,
		Origins:      toAPIOrigins(e.Profile.Customer.Origins()),
		Sessions:     sessions,
		Emails:       emails,
	}, nil
}
