package contract

import "cryptoexchange.com/escrow/impl/internal/strictjson"

// fromStrict makes faults of those of the form of a body.
func fromStrict(found []strictjson.Fault) []Fault {
	faults := make([]Fault, len(found))
	for i, f := range found {
		faults[i] = Fault{Pointer: f.Pointer, Code: f.Code, Detail: f.Detail}
	}
	return faults
}
