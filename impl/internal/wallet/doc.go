// Package wallet decides whether a crypto wallet address can be paid to: per
// network, with the asset and the memo that go with it.
//
// A payment to a wrong address does not come back. So whatever is not surely an
// address that somebody holds on that very network is refused, with a sentence
// that tells the person what to do about it. No error or warning ever holds the
// address, for it may be a secret key that was pasted by mistake.
//
// # What each check can catch
//
// A typo is one character that is exchanged for another one of the alphabet, or
// two different neighbours that are swapped. The shares are those of
// TestTypos.
//
//	check         networks            catches                          cannot catch
//	bech32(m)     bitcoin, litecoin   every typo, any 4 characters     1 in 10^9 of what is worse
//	base58check   bitcoin, litecoin,  all but 1 in 4.3 * 10^9 of       that one
//	              tron, xrp_ledger    typos, and of anything else
//	CRC-16        stellar             every typo, any 16 bits in a     1 in 65536 of what is
//	                                  row                              spread wider
//	EIP-55        ethereum and its    99.95 % of substitutions and     a change that leaves the
//	              like                99.99 % of transpositions, of    case of all n letters right,
//	                                  addresses with capitals and      1 in 2^n; there are 15 on
//	                                  small letters                    average, and may be 2
//	form only     ethereum and its    wrong lengths and alphabets      every typo, of which a
//	              like, in one case                                    warning tells
//	form only     solana              wrong alphabets, most wrong      98 % of typos, of which a
//	                                  lengths, 2 % of typos            warning tells; one in two
//	                                                                   leaves the curve, of which
//	                                                                   a second warning tells
//
// No check sees that an address is somebody else's, that an exchange has retired
// it, that a contract holds it which cannot pass tokens on, or that an account
// on the XRP Ledger, Stellar or Tron is not yet opened or takes no token. Test
// networks of Ethereum and its like, Tron, Solana, Stellar and the XRP Ledger
// have the same addresses as the main ones; only those of Bitcoin and Litecoin,
// and X-addresses of the XRP Ledger, tell.
//
// # What is valid and refused all the same
//
//   - Segwit programs that no rule protects yet: version 2 and above, and
//     version 1 of other than 32 octets. Anybody may spend what is sent there.
//     BIP 350 asks senders to allow them for the day when rules exist, and adds
//     that no recipient has a reason to give one before. On that day it is one
//     line in segwit.go.
//   - Script addresses of Litecoin that begin with 3. They are those of Bitcoin
//     too, so a Bitcoin address typed by mistake would pass. Every wallet gives
//     the same address in the form that begins with M.
//   - Addresses of Litecoin's MWEB, X-addresses of the XRP Ledger (XLS-5),
//     muxed accounts and contracts of Stellar (SEP-23, CAP-27), Tron addresses
//     in hexadecimal: payers do not agree on them. X and M addresses carry a
//     memo, and it must not be possible to give two. The sentence names the form
//     to use instead.
//   - Addresses whose key or hash is all zeros but for the last two octets, which
//     are nobody's, and the contract, mint or issuer of a token that is paid out
//     on the network: what is sent there is lost or destroyed.
//
// # Secret keys
//
// People paste the wrong line. What has the form of a secret key of any network,
// of a seed or of a recovery phrase is refused with a sentence that says what it
// is and what to do; the form is enough, and may be off by a character, for a
// secret key with a typo is no less secret. A secret key of Solana in base58
// without its public half (32 octets) looks like an address and cannot be told
// from one.
//
// # The stored form
//
// [Canonical] makes small letters of bech32. An address of Ethereum and its like
// is kept as given if it carries a checksum, and else made small letters: giving
// it a checksum would make a typo look verified. Others have one form only.
package wallet
