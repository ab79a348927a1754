// Package banking decides whether routing numbers, IBANs and BICs can be those
// of a bank account. It knows their form and their check digits, not which banks
// and accounts exist.
//
// A payment to a wrong account is slow and costly to get back, if it can be had
// back. So what does not conform is refused, with a sentence that tells the
// person what to do about it. No error ever holds the value: account numbers do
// not belong into logs and answers.
//
// # What each check can catch
//
// The shares are those of TestTyposInRoutingNumbers and TestTyposInIBANs: typos
// at every place of 10000 values, over all prefixes of the registry alike.
//
//	typo                       routing number      IBAN                   BIC
//	a digit for a digit, a     all                 all                    in the country: half;
//	letter for a letter                                                   else none
//	a letter for a digit, or   all                 99.7 %: where either   in the country
//	the other way about                            may be, 1 in 97
//	                                               passes
//	two neighbours swapped     90.0 %: those that  99.96 %: all but       in the country: 6 in
//	                           differ by 5 pass    1 and B, 2 and M,      10; else none
//	                                               3 and X
//	a character too many or    all                 all                    all
//	too few
//	anything else of the       96 in 100           96 in 97               6 in 10
//	right form
//
// A BIC has no check digit. A typo in a domestic number from which an IBAN was
// then computed leaves no trace in the IBAN.
//
// No check sees that an account is closed or somebody else's, that a bank cannot
// receive a kind of payment (a routing number may be good for ACH and not for
// wires; those that begin with 61 to 72 and 80 are seldom good for either), or
// that a BIC is one for tests.
//
// # What is not checked
//
//   - The check digits that many countries have within the domestic part of an
//     IBAN. ISO 13616 leaves them to each country, no registry has their rules,
//     some differ from bank to bank and change with banks, and a wrong rule
//     refuses good accounts. The check digits of the IBAN cover them.
//   - That the BIC and the IBAN are of the same country: they often are not where
//     a territory or a branch abroad is concerned.
//
// # What is refused that others accept
//
// Only what is in the registry of ISO 13616 is an IBAN. Banks of some 20 more
// countries, most of them in Africa, give out numbers that look like one and
// that lists of "partial" or "experimental" IBANs have; nobody has registered
// their form. They are account numbers here. Territories that the registry
// includes in another country have no IBANs with their own letters.
// testdata/disagreements.json lists all differences from the implementations
// that the tests compare with.
package banking
