package httpapi

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"cryptoexchange.com/escrow/gen"
	"cryptoexchange.com/escrow/gen/scalar"
	"cryptoexchange.com/escrow/gen/server"
	"cryptoexchange.com/escrow/impl/internal/customer"
	"cryptoexchange.com/escrow/impl/internal/disbursement"
)

// lenient is the preference that takes methods which fail their checks.
const lenient = "handling=lenient"

// prefersLenient reads a Prefer header (RFC 7240 §2): preferences are separated
// by commas, may be followed by parameters, and count the first time only.
func prefersLenient(header string) bool {
	for preference := range strings.SplitSeq(header, ",") {
		preference, _, _ = strings.Cut(preference, ";")
		name, value, _ := strings.Cut(preference, "=")
		if strings.EqualFold(strings.TrimSpace(name), "handling") {
			return strings.Trim(strings.TrimSpace(value), `"`) == "lenient"
		}
	}
	return false
}

var errUnsupportedRoute = errors.New("unsupported route")

// GetDisbursementRequirements implements getDisbursementRequirements.
func (a *API) GetDisbursementRequirements(ctx context.Context, request server.GetDisbursementRequirementsRequestObject) (server.GetDisbursementRequirementsResponseObject, error) {
	route := disbursement.Route{Type: disbursement.Type(request.Params.Type), Country: request.Params.Country, Currency: request.Params.Currency}
	fields, groups, ok := disbursement.Requirements(route)
	if !ok {
		return nil, errUnsupportedRoute
	}
	body := gen.DisbursementRequirements{
		Type: gen.DisbursementRequirementsType(route.Type), Country: route.Country, Currency: route.Currency,
		Fields: make([]gen.RequiredField, len(fields)), OneOf: [][]string{},
	}
	for i := range fields {
		body.Fields[i] = toAPIField(&fields[i])
	}
	body.OneOf = append(body.OneOf, groups...)
	return server.GetDisbursementRequirements200JSONResponse{Body: body, Headers: server.GetDisbursementRequirements200ResponseHeaders{
		CacheControl: noStore, XContentTypeOptions: noSniff, XRequestID: callOf(ctx).requestID,
	}}, nil
}

func toAPIField(f *disbursement.Field) gen.RequiredField {
	return gen.RequiredField{
		Name: f.Name, Label: f.Label, Required: f.Required, Secret: f.Secret,
		MinLength: int32(f.MinLength), MaxLength: int32(f.MaxLength),
		Pattern: toAPIOptional(f.Pattern), Example: f.Example, Choices: append([]string{}, f.Choices...),
	}
}

// ListDisbursementMethods implements listDisbursementMethods.
func (a *API) ListDisbursementMethods(ctx context.Context, _ server.ListDisbursementMethodsRequestObject) (server.ListDisbursementMethodsResponseObject, error) {
	call := callOf(ctx)
	list, err := a.Accounts.Methods(ctx, call.session.CustomerID)
	if err != nil {
		return nil, err
	}
	methods, err := toAPIMethods(list)
	if err != nil {
		return nil, err
	}
	return server.ListDisbursementMethods200JSONResponse{Body: gen.DisbursementMethods{DisbursementMethods: methods}, Headers: server.ListDisbursementMethods200ResponseHeaders{
		CacheControl: noStore, XContentTypeOptions: noSniff, XRequestID: call.requestID,
	}}, nil
}

// AddDisbursementMethod implements addDisbursementMethod.
func (a *API) AddDisbursementMethod(ctx context.Context, request server.AddDisbursementMethodRequestObject) (server.AddDisbursementMethodResponseObject, error) {
	call := callOf(ctx)
	draft, err := fromAPIMethod(request.Body.Method)
	if err != nil {
		return nil, err
	}
	m, err := proven(a, call, func() (disbursement.Method, error) {
		return a.Accounts.AddMethod(ctx, call.session.CustomerID, request.Body.Password, draft)
	})
	if err != nil {
		return nil, err
	}
	body, err := toAPIMethod(&m)
	if err != nil {
		return nil, err
	}
	return server.AddDisbursementMethod201JSONResponse{Body: body, Headers: server.AddDisbursementMethod201ResponseHeaders{
		CacheControl: noStore, XContentTypeOptions: noSniff, XRequestID: call.requestID,
	}}, nil
}

// ReplaceDisbursementMethod implements replaceDisbursementMethod.
func (a *API) ReplaceDisbursementMethod(ctx context.Context, request server.ReplaceDisbursementMethodRequestObject) (server.ReplaceDisbursementMethodResponseObject, error) {
	call := callOf(ctx)
	draft, err := fromAPIMethod(request.Body.Method)
	if err != nil {
		return nil, err
	}
	m, err := proven(a, call, func() (disbursement.Method, error) {
		return a.Accounts.ReplaceMethod(ctx, call.session.CustomerID, request.Body.Password, request.MethodID.String(), draft)
	})
	if err != nil {
		return nil, err
	}
	body, err := toAPIMethod(&m)
	if err != nil {
		return nil, err
	}
	return server.ReplaceDisbursementMethod200JSONResponse{Body: body, Headers: server.ReplaceDisbursementMethod200ResponseHeaders{
		CacheControl: noStore, XContentTypeOptions: noSniff, XRequestID: call.requestID,
	}}, nil
}

// RemoveDisbursementMethod implements removeDisbursementMethod.
func (a *API) RemoveDisbursementMethod(ctx context.Context, request server.RemoveDisbursementMethodRequestObject) (server.RemoveDisbursementMethodResponseObject, error) {
	call := callOf(ctx)
	_, err := proven(a, call, func() (struct{}, error) {
		return struct{}{}, a.Accounts.RemoveMethod(ctx, call.session.CustomerID, request.Body.Password, request.MethodID.String())
	})
	if err != nil {
		return nil, err
	}
	return server.RemoveDisbursementMethod204Response{Headers: server.RemoveDisbursementMethod204ResponseHeaders{
		CacheControl: noStore, XContentTypeOptions: noSniff, XRequestID: call.requestID,
	}}, nil
}

// SetDefaultDisbursementMethod implements setDefaultDisbursementMethod.
func (a *API) SetDefaultDisbursementMethod(ctx context.Context, request server.SetDefaultDisbursementMethodRequestObject) (server.SetDefaultDisbursementMethodResponseObject, error) {
	call := callOf(ctx)
	m, err := proven(a, call, func() (disbursement.Method, error) {
		return a.Accounts.SetDefaultMethod(ctx, call.session.CustomerID, request.Body.Password, request.MethodID.String())
	})
	if err != nil {
		return nil, err
	}
	body, err := toAPIMethod(&m)
	if err != nil {
		return nil, err
	}
	return server.SetDefaultDisbursementMethod200JSONResponse{Body: body, Headers: server.SetDefaultDisbursementMethod200ResponseHeaders{
		CacheControl: noStore, XContentTypeOptions: noSniff, XRequestID: call.requestID,
	}}, nil
}

// fromAPIMethod converts a method as it is given. It fails on a kind that the
// contract does not have.
func fromAPIMethod(m gen.NewDisbursementMethod) (disbursement.Draft, error) {
	value, err := m.ValueByDiscriminator()
	if err != nil {
		return disbursement.Draft{}, fmt.Errorf("disbursement method: %w", err)
	}
	switch v := value.(type) {
	case gen.NewAchMethod:
		return disbursement.Draft{
			Type: disbursement.ACH, AccountName: v.AccountName, AccountType: string(v.AccountType), Currency: string(v.Currency),
			RoutingNumber: v.BankAbaRoutingNumber, AccountNumber: v.BankAccountNumber, BankName: v.BankName,
			BankAddress: fromAPIBankAddress(gen.WireBankAddress{
				Line1: v.BankAddress.Line1, Line2: v.BankAddress.Line2, City: v.BankAddress.City, State: &v.BankAddress.State,
				Country: optional(v.BankAddress.Country), PostCode: v.BankAddress.PostCode,
			}, "US"), // there is no other bank that ACH reaches
		}, nil
	case gen.NewWireTransferMethod:
		return fromAPIWire(&v), nil
	case gen.NewCryptoWalletMethod:
		return disbursement.Draft{Type: disbursement.Wallet, Asset: v.Asset, Network: string(v.Network), WalletAddress: v.Address, Memo: optional(v.Memo)}, nil
	default:
		return disbursement.Draft{}, fmt.Errorf("disbursement method: unexpected kind %T", value)
	}
}

func fromAPIWire(v *gen.NewWireTransferMethod) disbursement.Draft {
	d := disbursement.Draft{
		Type: disbursement.Wire, AccountName: v.AccountName, Currency: string(v.Currency),
		AccountNumber: optional(v.BankAccountNumber), IBAN: optional(v.BankIban),
		RoutingNumber: optional(v.BankAbaRoutingNumber), BIC: optional(v.BankSwiftCode),
		BranchNumber: optional(v.BankBranchNumber), RoutingCode: optional(v.InternationalRoutingCode),
		BankName: v.BankName, BankAddress: fromAPIBankAddress(v.BankAddress, v.BankAddress.Country),
		BeneficiaryAddress: fromAPIBankAddress(gen.WireBankAddress{
			Line1: &v.BeneficiaryAddress.Line1, Line2: v.BeneficiaryAddress.Line2, City: v.BeneficiaryAddress.City,
			State: v.BeneficiaryAddress.State, Country: v.BeneficiaryAddress.Country, PostCode: v.BeneficiaryAddress.PostCode,
		}, v.BeneficiaryAddress.Country),
	}
	if i := v.IntermediaryBank; i != nil {
		d.Intermediary = &disbursement.Intermediary{
			BankName: i.BankName, RoutingNumber: optional(i.BankAbaRoutingNumber),
			BIC: optional(i.BankSwiftCode), AccountNumber: optional(i.BankAccountNumber),
		}
		if i.BankAddress != nil {
			d.Intermediary.BankAddress = fromAPIBankAddress(*i.BankAddress, i.BankAddress.Country)
		}
	}
	return d
}

// fromAPIBankAddress converts an address, whose post code is one of a country.
func fromAPIBankAddress(a gen.WireBankAddress, country string) *disbursement.Address {
	out := disbursement.Address{Line1: optional(a.Line1), Line2: optional(a.Line2), City: a.City, State: optional(a.State), Country: a.Country}
	if a.PostCode != nil {
		out.PostCode = customer.PostCode(fromAPIText(*a.PostCode), country)
	}
	return &out
}

func optional(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func toAPIMethods(list []disbursement.Method) ([]gen.DisbursementMethod, error) {
	out := make([]gen.DisbursementMethod, len(list))
	for i := range list {
		var err error
		if out[i], err = toAPIMethod(&list[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// toAPIMethod converts a method as stored. It fails on a stored id that is none.
func toAPIMethod(m *disbursement.Method) (gen.DisbursementMethod, error) {
	id, err := uuid.Parse(m.ID)
	if err != nil {
		return gen.DisbursementMethod{}, fmt.Errorf("disbursement method: %w", err)
	}
	d := &m.Details
	out := gen.DisbursementMethod{
		ID: id, Type: gen.DisbursementMethodType(m.Type), IsDefault: m.IsDefault, Usable: m.Usable,
		Warnings: make([]gen.DisbursementWarning, len(m.Warnings)),
		Currency: toAPIOptional(d.Currency), AccountName: toAPIOptional(d.AccountName), AccountType: toAPIOptional(d.AccountType),
		BankAccountNumberLast4: toAPIOptional(d.AccountNumberLast), BankIbanLast4: toAPIOptional(d.IBANLast),
		BankAbaRoutingNumber: toAPIOptional(d.RoutingNumber), BankSwiftCode: toAPIOptional(d.BIC),
		BankBranchNumber: toAPIOptional(d.BranchNumber), InternationalRoutingCode: toAPIOptional(d.RoutingCode),
		BankName: toAPIOptional(d.BankName), BankAddress: toAPIDisbursementAddress(d.BankAddress), BeneficiaryAddress: toAPIDisbursementAddress(d.BeneficiaryAddress),
		Asset: toAPIOptional(d.Asset), Network: toAPIOptional(d.Network), AddressLast4: toAPIOptional(d.AddressLast), MemoPresent: d.HasMemo,
		CreatedAt: scalar.Timestamp{Time: m.CreatedAt}, UpdatedAt: scalar.Timestamp{Time: m.UpdatedAt},
	}
	for i, w := range m.Warnings {
		out.Warnings[i] = gen.DisbursementWarning{Pointer: w.Pointer, Code: w.Code, Detail: cut(w.Detail, maxDetail)}
	}
	if i := d.Intermediary; i != nil {
		out.IntermediaryBank = &gen.MaskedIntermediaryBank{
			BankName: toAPIOptional(i.BankName), BankAddress: toAPIDisbursementAddress(i.BankAddress),
			BankAbaRoutingNumber: toAPIOptional(i.RoutingNumber), BankSwiftCode: toAPIOptional(i.BIC), BankAccountNumberLast4: toAPIOptional(i.AccountNumberLast),
		}
	}
	return out, nil
}

func toAPIDisbursementAddress(a *disbursement.Address) *gen.DisbursementAddress {
	if a == nil {
		return nil
	}
	return &gen.DisbursementAddress{
		Line1: toAPIOptional(a.Line1), Line2: toAPIOptional(a.Line2), City: toAPIOptional(a.City),
		State: toAPIOptional(a.State), Country: toAPIOptional(a.Country), PostCode: toAPIOptional(a.PostCode),
	}
}
