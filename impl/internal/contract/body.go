package contract

import "cryptoexchange.com/escrow/impl/internal/strictjson"

// decode reads a body, and makes of it the value that is judged and that the
// handler gets.
func decode(body []byte) (any, *RequestError) {
	value, found := strictjson.Decode(body)
	if len(found) == 0 {
		return value, nil
	}
	faults := make([]Fault, len(found))
	for i, f := range found {
		faults[i] = Fault{Pointer: f.Pointer, Code: f.Code, Detail: f.Detail}
	}
	return nil, &RequestError{Kind: MalformedBody, Faults: faults}
}
