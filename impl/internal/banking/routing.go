package banking

const routingDigits = 9

// routingPrefixes are the first two digits that routing numbers have: the
// Federal Reserve district of the bank, with 20 added for thrift institutions (12
// CFR 229, appendix A, as of 2009); and from the routing number policy of the
// American Bankers Association, which is not public, as validators quote it
// alike: 00 for the United States Government, 61 to 72 for electronic
// transaction identifiers, 80 for traveler's checks.
var routingPrefixes = [...]struct{ first, last int }{{0, 12}, {21, 32}, {61, 72}, {80, 80}}

// CheckRoutingNumber tells whether s is the routing number of a bank in the
// United States: nine digits, the first two of which are given out and the last
// of which is the check digit that the others make. Nothing else may be in s, not
// even spaces. Errors are of type [*Error], with the codes
// [CodeRoutingNumberForm], [CodeRoutingNumberPrefix] and
// [CodeRoutingNumberCheckDigit].
//
// The check digit makes a sum a multiple of 10: the digits times 3, 7, 1, 3, 7, 1,
// 3, 7, 1 (likewise; python-stdnum has the same rule).
func CheckRoutingNumber(s string) error {
	if len(s) != routingDigits || misfit(s, "nnnnnnnnn") >= 0 {
		return &Error{CodeRoutingNumberForm, "A routing number has nine digits, without spaces or anything else."}
	}
	if s == "000000000" {
		return &Error{CodeRoutingNumberForm, "No bank has a routing number of zeros only. Give the one on your checks or in your online banking."}
	}
	if !isRoutingPrefix(int(s[0]-'0')*10 + int(s[1]-'0')) {
		return &Error{CodeRoutingNumberPrefix, "No routing number begins with these two digits: one of them is probably mistyped."}
	}
	sum := 0
	for i := range routingDigits {
		sum += int(s[i]-'0') * [...]int{3, 7, 1}[i%3]
	}
	if sum%10 != 0 {
		return &Error{CodeRoutingNumberCheckDigit, "The check digit of this routing number does not match: one digit is probably mistyped."}
	}
	return nil
}

func isRoutingPrefix(n int) bool {
	for _, r := range routingPrefixes {
		if r.first <= n && n <= r.last {
			return true
		}
	}
	return false
}
