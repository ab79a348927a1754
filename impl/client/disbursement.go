package client

import (
	"cryptoexchange.com/escrow/gen"
)

// ACH makes a disbursement method of an account at a bank of the United States. Its
// Type need not be set.
func ACH(method gen.NewAchMethod) gen.NewDisbursementMethod {
	return union(func(m *gen.NewDisbursementMethod) error { return m.FromNewAchMethod(method) })
}

// WireTransfer makes a disbursement method of an account at a bank anywhere. Its Type
// need not be set.
func WireTransfer(method gen.NewWireTransferMethod) gen.NewDisbursementMethod {
	return union(func(m *gen.NewDisbursementMethod) error { return m.FromNewWireTransferMethod(method) })
}

// CryptoWallet makes a disbursement method of a wallet. Its Type need not be set.
func CryptoWallet(method gen.NewCryptoWalletMethod) gen.NewDisbursementMethod {
	return union(func(m *gen.NewDisbursementMethod) error { return m.FromNewCryptoWalletMethod(method) })
}

// union fills a disbursement method. The generated functions can fail only if JSON
// cannot be made of a struct of strings, which cannot be; if it were, the method would
// be sent as null, which the service refuses by name.
func union(fill func(*gen.NewDisbursementMethod) error) gen.NewDisbursementMethod {
	var method gen.NewDisbursementMethod
	if err := fill(&method); err != nil {
		return gen.NewDisbursementMethod{}
	}
	return method
}
