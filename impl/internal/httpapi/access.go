package httpapi

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"cryptoexchange.com/escrow/gen"
	"cryptoexchange.com/escrow/gen/scalar"
	"cryptoexchange.com/escrow/gen/server"
	"cryptoexchange.com/escrow/impl/internal/account"
)

// pair is an account that is tried from a network.
type pair struct{ address, network string }

// LogIn implements logIn. Tries are counted before anything is looked up, in the
// same way for every address; a success forgets them.
func (a *API) LogIn(ctx context.Context, request server.LogInRequestObject) (server.LogInResponseObject, error) {
	call := callOf(ctx)
	address := addressKey(request.Body.Email)
	from := pair{address, call.network}
	if err := a.throttles.login.take(from); err != nil {
		return nil, err
	}
	if err := a.throttles.account.take(address); err != nil {
		return nil, err
	}
	login := account.Login{Email: request.Body.Email, Password: request.Body.Password, Client: call.client(), OldToken: call.oldToken}
	if request.Body.Code != nil {
		login.Code = *request.Body.Code
	}
	session, token, err := a.tryLogin(ctx, login, address)
	if err != nil {
		return nil, err
	}
	a.throttles.login.forget(from)
	a.throttles.account.forget(address)
	body, err := toAPISession(&session, session.ID)
	if err != nil {
		return nil, err
	}
	return server.LogIn200JSONResponse{Body: body, Headers: server.LogIn200ResponseHeaders{
		CacheControl: noStore, XContentTypeOptions: noSniff, XRequestID: call.requestID, SetCookie: a.cookie(token),
	}}, nil
}

// tryLogin limits wrong codes beside the right password, from all networks
// together: six digits are soon guessed. Only such codes count, so that nobody
// who lacks the password can keep its owner from logging in.
func (a *API) tryLogin(ctx context.Context, login account.Login, address string) (account.Session, string, error) {
	if login.Code != "" {
		if err := a.throttles.codes.spent(address); err != nil {
			return account.Session{}, "", err
		}
	}
	session, token, err := a.Accounts.LogIn(ctx, login)
	if errors.Is(err, account.ErrInvalidSecondFactor) {
		_ = a.throttles.codes.take(address) // the next try is told
	}
	return session, token, err
}

// client is where a call comes from.
func (c *call) client() account.Client {
	return account.Client{IP: c.network, UserAgent: c.userAgent}
}

// LogOut implements logOut.
func (a *API) LogOut(ctx context.Context, _ server.LogOutRequestObject) (server.LogOutResponseObject, error) {
	call := callOf(ctx)
	if err := a.Accounts.LogOut(ctx, *call.session); err != nil {
		return nil, err
	}
	return server.LogOut204Response{Headers: server.LogOut204ResponseHeaders{
		CacheControl: noStore, XContentTypeOptions: noSniff, XRequestID: call.requestID, SetCookie: a.cookie(""),
	}}, nil
}

// RequestPasswordReset implements requestPasswordReset.
func (a *API) RequestPasswordReset(ctx context.Context, request server.RequestPasswordResetRequestObject) (server.RequestPasswordResetResponseObject, error) {
	if err := a.throttles.mail.take(addressKey(request.Body.Email)); err != nil {
		return nil, err
	}
	if err := a.Accounts.RequestReset(ctx, request.Body.Email); err != nil {
		return nil, err
	}
	return server.RequestPasswordReset202JSONResponse{Body: gen.Acknowledgement{Detail: acknowledged}, Headers: server.RequestPasswordReset202ResponseHeaders{
		CacheControl: noStore, XContentTypeOptions: noSniff, XRequestID: callOf(ctx).requestID,
	}}, nil
}

// CheckPasswordReset implements checkPasswordReset.
func (a *API) CheckPasswordReset(ctx context.Context, request server.CheckPasswordResetRequestObject) (server.CheckPasswordResetResponseObject, error) {
	body, err := a.checkLink(ctx, account.LinkReset, request.Body)
	if err != nil {
		return nil, err
	}
	return server.CheckPasswordReset200JSONResponse{Body: body, Headers: server.CheckPasswordReset200ResponseHeaders{
		CacheControl: noStore, XContentTypeOptions: noSniff, XRequestID: callOf(ctx).requestID,
	}}, nil
}

// ResetPassword implements resetPassword.
func (a *API) ResetPassword(ctx context.Context, request server.ResetPasswordRequestObject) (server.ResetPasswordResponseObject, error) {
	body, err := a.useLink(ctx, account.LinkReset, request.Body)
	if err != nil {
		return nil, err
	}
	return server.ResetPassword200JSONResponse{Body: body, Headers: server.ResetPassword200ResponseHeaders{
		CacheControl: noStore, XContentTypeOptions: noSniff, XRequestID: callOf(ctx).requestID,
	}}, nil
}

// ListSessions implements listSessions.
func (a *API) ListSessions(ctx context.Context, _ server.ListSessionsRequestObject) (server.ListSessionsResponseObject, error) {
	call := callOf(ctx)
	sessions, err := a.Accounts.Sessions(ctx, call.session.CustomerID)
	if err != nil {
		return nil, err
	}
	list, err := toAPISessions(sessions, call.session.ID)
	if err != nil {
		return nil, err
	}
	return server.ListSessions200JSONResponse{Body: gen.Sessions{Sessions: list}, Headers: server.ListSessions200ResponseHeaders{
		CacheControl: noStore, XContentTypeOptions: noSniff, XRequestID: call.requestID,
	}}, nil
}

// EndSession implements endSession.
func (a *API) EndSession(ctx context.Context, request server.EndSessionRequestObject) (server.EndSessionResponseObject, error) {
	call := callOf(ctx)
	if err := a.Accounts.EndSession(ctx, call.session.CustomerID, request.SessionID.String()); err != nil {
		return nil, err
	}
	return server.EndSession204Response{Headers: server.EndSession204ResponseHeaders{
		CacheControl: noStore, XContentTypeOptions: noSniff, XRequestID: call.requestID,
	}}, nil
}

func toAPISessions(sessions []account.Session, current string) ([]gen.Session, error) {
	list := make([]gen.Session, len(sessions))
	for i := range sessions {
		var err error
		if list[i], err = toAPISession(&sessions[i], current); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// toAPISession converts a session. It fails on a stored id that is none.
func toAPISession(s *account.Session, current string) (gen.Session, error) {
	id, err := uuid.Parse(s.ID)
	if err != nil {
		return gen.Session{}, err
	}
	return gen.Session{
		ID:         id,
		CreatedAt:  scalar.Timestamp{Time: s.CreatedAt},
		LastSeenAt: scalar.Timestamp{Time: s.SeenAt},
		ExpiresAt:  scalar.Timestamp{Time: s.ExpiresAt},
		IP:         s.IP,
		UserAgent:  s.UserAgent,
		Current:    s.ID == current,
	}, nil
}
