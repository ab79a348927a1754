package wallet

import "slices"

// Network is a network on which is paid out, as data to draw a form from.
type Network struct {
	Name, Label string
	Assets      []Asset
	Memo        Memo
	// Hint says how an address looks: "begins with T and has 34 characters".
	Hint string
	// Example is a documented address that is no person's.
	Example string
	// Pattern is a regular expression for forms, of RE2 and of ECMAScript. Every
	// address has its form; [Check] tells which of that form are addresses.
	Pattern string
}

// Asset is what can be paid out on a network.
type Asset struct {
	// Code is as markets write it: BTC, USDT.
	Code string
	// Token is the address by which the network knows a token, its contract, mint
	// or issuer; empty for the network's own coin. It is what tells a token from
	// others that bear its name.
	Token string
}

// Networks gives the networks, in the order in which forms show them.
func Networks() []Network {
	all := make([]Network, len(networks))
	for i, n := range networks {
		all[i] = n.Network
		all[i].Assets = slices.Clone(n.Assets)
	}
	return all
}

// Patterns. Base58 of a fixed number of octets has few lengths; the shortest are
// those of many zeros.
const (
	bitcoinPattern  = `^([13]` + base58Class + `{25,34}|bc1` + bech32Class + `{8,87}|BC1[02-9AC-HJ-NP-Z]{8,87})$`
	litecoinPattern = `^([LM3]` + base58Class + `{25,34}|ltc1` + bech32Class + `{8,86}|LTC1[02-9AC-HJ-NP-Z]{8,86})$`
	evmPattern      = `^0x[0-9a-fA-F]{40}$`
	tronPattern     = `^T` + base58Class + `{33}$`
	solanaPattern   = `^` + base58Class + `{32,44}$`
	ripplePattern   = `^r` + base58Class + `{24,34}$`
	stellarPattern  = `^G[A-Z2-7]{55}$`
)

// Examples. Those of Bitcoin, Ethereum and Stellar are of the documents that
// define the form: BIP 173, EIP-55 and SEP-23. Those of Litecoin and Tron are
// the same hashes as that of BIP 173 and the first of EIP-55. That of the XRP
// Ledger is of the README of ripple-address-codec; that of Solana is the key of
// RFC 8032 §7.1, test 1.
const (
	evmExample = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
	evmHint    = "begins with 0x and has 40 more characters, digits and the letters A to F"
)

// networks are the networks and their assets. The pages of the issuers are where
// to look when a token moves; all but RLUSD were compared in November 2026 with
// the lists that public wallets and exchanges use:
//
//   - USDC: developers.circle.com/stablecoins/usdc-contract-addresses. On
//     polygon, arbitrum, optimism and avalanche_c it is Circle's own, not that
//     which came over a bridge (USDC.e). On bsc there is none of Circle's; it is
//     Binance-Peg. Circle has ended USDC on Tron (February 2024), so it is left
//     out.
//   - USDT: tether.to/supported-protocols for ethereum, tron, solana and
//     avalanche_c; on arbitrum, polygon and optimism it came over the network's
//     own bridge, on bsc it is Binance-Peg. On base there is none.
//   - DAI: docs.makerdao.com. RLUSD: docs.ripple.com, "Token addresses", read in
//     November 2026.
var networks = []*network{
	define(bitcoin, nil, Network{
		Name: "bitcoin", Label: "Bitcoin", Memo: noMemo, Assets: []Asset{{Code: "BTC"}},
		Hint:    "begins with bc1, 1 or 3",
		Example: "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", Pattern: bitcoinPattern,
	}),
	onEVM("ethereum", "Ethereum", "ETH",
		Asset{"USDT", "0xdAC17F958D2ee523a2206206994597C13D831ec7"},
		Asset{"USDC", "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"},
		Asset{"DAI", "0x6B175474E89094C44Da98b954EedeAC495271d0F"}),
	define(tron{}, nil, Network{
		Name: "tron", Label: "Tron", Memo: noMemo,
		Assets:  []Asset{{Code: "TRX"}, {"USDT", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"}},
		Hint:    "begins with T and has 34 characters",
		Example: "TJEh7TX8sNj5uq4hXKyYdTrnGmeeG48top", Pattern: tronPattern,
	}),
	define(solana{}, nil, Network{
		Name: "solana", Label: "Solana", Memo: noMemo,
		Assets: []Asset{
			{Code: "SOL"},
			{"USDT", "Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB"},
			{"USDC", "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"},
		},
		Hint:    "has 32 to 44 letters and digits, without 0, O, I and l",
		Example: "FVen3X669xLzsi6N2V91DoiyzHzg1uAgqiT8jZ9nS96Z", Pattern: solanaPattern,
	}),
	define(ripple{}, checkTag, Network{
		Name: "xrp_ledger", Label: "the XRP Ledger", Memo: destinationTag,
		Assets:  []Asset{{Code: "XRP"}, {"RLUSD", "rMxCKbEDwqr76QuheSUMdEGf4B9xJ8m5De"}},
		Hint:    "begins with r and has 25 to 35 characters",
		Example: "rGWrZyQqhTp9Xu7G5Pkayo7bXjH4k4QYpf", Pattern: ripplePattern,
	}),
	define(stellar{}, checkStellarMemo, Network{
		Name: "stellar", Label: "Stellar", Memo: stellarMemo,
		Assets:  []Asset{{Code: "XLM"}, {"USDC", "GA5ZSEJYB37JRC5AVCIA5MOP4RHTM335X2KGX3IHOJAPP5RE34K4KZVN"}},
		Hint:    "begins with G and has 56 capitals and digits",
		Example: "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ", Pattern: stellarPattern,
	}),
	define(litecoin, nil, Network{
		Name: "litecoin", Label: "Litecoin", Memo: noMemo, Assets: []Asset{{Code: "LTC"}},
		Hint:    "begins with ltc1, L or M",
		Example: "ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9", Pattern: litecoinPattern,
	}),
	onEVM("polygon", "Polygon", "POL",
		Asset{"USDT", "0xc2132D05D31c914a87C6611C10748AEb04B58e8F"},
		Asset{"USDC", "0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359"}),
	onEVM("bsc", "BNB Smart Chain", "BNB",
		Asset{"USDT", "0x55d398326f99059fF775485246999027B3197955"},
		Asset{"USDC", "0x8AC76a51cc950d9822D68b83fE1Ad97B32Cd580d"}),
	onEVM("arbitrum", "Arbitrum One", "ETH",
		Asset{"USDT", "0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9"},
		Asset{"USDC", "0xaf88d065e77c8cC2239327C5EDb3A432268e5831"}),
	onEVM("optimism", "OP Mainnet", "ETH",
		Asset{"USDT", "0x94b008aA00579c1307B0EF2c499aD98a8ce58e58"},
		Asset{"USDC", "0x0b2C639c533813f4Aa9D7837CAf62653d097Ff85"}),
	onEVM("base", "Base", "ETH",
		Asset{"USDC", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"}),
	onEVM("avalanche_c", "Avalanche C-Chain", "AVAX",
		Asset{"USDT", "0x9702230A8Ea53601f5cD2dc00fDBc13d4dF4A8c7"},
		Asset{"USDC", "0xB97EF9Ef8734C71904D8002F8b6Bc66Dd9c48a6E"}),
}

func onEVM(name, label, coin string, tokens ...Asset) *network {
	return define(evm{}, nil, Network{
		Name: name, Label: label, Memo: noMemo, Assets: append([]Asset{{Code: coin}}, tokens...),
		Hint: evmHint, Example: evmExample, Pattern: evmPattern,
	})
}

func define(s scheme, memo memoCheck, n Network) *network {
	tokens := make(map[string]string)
	for _, a := range n.Assets {
		if read, _ := s.read(a.Token); a.Token != "" {
			tokens[string(read.payload)] = a.Code
		}
	}
	return &network{Network: n, form: pattern(n.Pattern), scheme: s, memo: memo, tokens: tokens}
}
