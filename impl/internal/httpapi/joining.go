package httpapi

import (
	"context"

	"cryptoexchange.com/escrow/gen"
	"cryptoexchange.com/escrow/gen/scalar"
	"cryptoexchange.com/escrow/gen/server"
	"cryptoexchange.com/escrow/impl/internal/account"
	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/emailaddr"
)

// acknowledged answers every sign-up and recovery.
const acknowledged = "If this address can be used, an e-mail is on its way to it."

func (a *API) checkLink(ctx context.Context, kind string, body *gen.LinkToken) (gen.Link, error) {
	l, state, err := a.Accounts.CheckLink(ctx, kind, body.Token)
	if err != nil {
		return gen.Link{}, err
	}
	return gen.Link{
		State:       gen.LinkState(state),
		Email:       l.Email,
		FirstName:   l.FirstName,
		PartnerName: l.PartnerName,
		ExpiresAt:   scalar.Timestamp{Time: l.ExpiresAt},
	}, nil
}

func (a *API) useLink(ctx context.Context, kind string, body *gen.TokenAndPassword) (gen.PasswordSet, error) {
	email, err := a.Accounts.UseLink(ctx, kind, body.Token, body.Password)
	if err != nil {
		return gen.PasswordSet{}, err
	}
	return gen.PasswordSet{Email: email}, nil
}

// CheckInvitation implements checkInvitation.
func (a *API) CheckInvitation(ctx context.Context, request server.CheckInvitationRequestObject) (server.CheckInvitationResponseObject, error) {
	body, err := a.checkLink(ctx, account.LinkInvitation, request.Body)
	if err != nil {
		return nil, err
	}
	return server.CheckInvitation200JSONResponse{Body: body, Headers: server.CheckInvitation200ResponseHeaders{
		CacheControl: noStore, XContentTypeOptions: noSniff, XRequestID: callOf(ctx).requestID,
	}}, nil
}

// AcceptInvitation implements acceptInvitation.
func (a *API) AcceptInvitation(ctx context.Context, request server.AcceptInvitationRequestObject) (server.AcceptInvitationResponseObject, error) {
	body, err := a.useLink(ctx, account.LinkInvitation, request.Body)
	if err != nil {
		return nil, err
	}
	return server.AcceptInvitation200JSONResponse{Body: body, Headers: server.AcceptInvitation200ResponseHeaders{
		CacheControl: noStore, XContentTypeOptions: noSniff, XRequestID: callOf(ctx).requestID,
	}}, nil
}

// RenewInvitation implements renewInvitation.
func (a *API) RenewInvitation(ctx context.Context, request server.RenewInvitationRequestObject) (server.RenewInvitationResponseObject, error) {
	email, err := a.Accounts.RenewInvitation(ctx, request.Body.Token)
	if err != nil {
		return nil, err
	}
	return server.RenewInvitation202JSONResponse{Body: gen.PasswordSet{Email: email}, Headers: server.RenewInvitation202ResponseHeaders{
		CacheControl: noStore, XContentTypeOptions: noSniff, XRequestID: callOf(ctx).requestID,
	}}, nil
}

// SignUp implements signUp.
func (a *API) SignUp(ctx context.Context, request server.SignUpRequestObject) (server.SignUpResponseObject, error) {
	if err := a.throttles.mail.take(addressKey(request.Body.Email)); err != nil {
		return nil, err
	}
	draft := customer.Draft{Email: request.Body.Email, FirstName: request.Body.FirstName, LastName: request.Body.LastName, Language: request.Body.Language}
	if err := a.Accounts.SignUp(ctx, draft); err != nil {
		return nil, err
	}
	return server.SignUp202JSONResponse{Body: gen.Acknowledgement{Detail: acknowledged}, Headers: server.SignUp202ResponseHeaders{
		CacheControl: noStore, XContentTypeOptions: noSniff, XRequestID: callOf(ctx).requestID,
	}}, nil
}

// addressKey is what equal addresses have in common.
func addressKey(email string) string {
	key, err := emailaddr.Key(email)
	if err != nil {
		return email
	}
	return key
}

// CheckEmailConfirmation implements checkEmailConfirmation.
func (a *API) CheckEmailConfirmation(ctx context.Context, request server.CheckEmailConfirmationRequestObject) (server.CheckEmailConfirmationResponseObject, error) {
	body, err := a.checkLink(ctx, account.LinkConfirmation, request.Body)
	if err != nil {
		return nil, err
	}
	return server.CheckEmailConfirmation200JSONResponse{Body: body, Headers: server.CheckEmailConfirmation200ResponseHeaders{
		CacheControl: noStore, XContentTypeOptions: noSniff, XRequestID: callOf(ctx).requestID,
	}}, nil
}

// ConfirmEmail implements confirmEmail.
func (a *API) ConfirmEmail(ctx context.Context, request server.ConfirmEmailRequestObject) (server.ConfirmEmailResponseObject, error) {
	body, err := a.useLink(ctx, account.LinkConfirmation, request.Body)
	if err != nil {
		return nil, err
	}
	return server.ConfirmEmail200JSONResponse{Body: body, Headers: server.ConfirmEmail200ResponseHeaders{
		CacheControl: noStore, XContentTypeOptions: noSniff, XRequestID: callOf(ctx).requestID,
	}}, nil
}
