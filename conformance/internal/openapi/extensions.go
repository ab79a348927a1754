package openapi

// Extensions that a document may have to say what OpenAPI has no words for. All
// are optional: without them the classes of the catalogue that need a declaration
// (authority O) are judged where the document says enough in plain OpenAPI, and
// not at all where it does not.
//
// Pointers are RFC 6901, into the body named in the comment. Where an extension
// belongs is the first word of its comment.
const (
	// ExtStrict (document): a list of policies, see the Strict constants, that the
	// server keeps in every operation.
	ExtStrict = "x-conformance-strict"

	// ExtIdempotencyKey (operation): the name of the request header that makes a
	// repeated request one. The same key and the same body are answered with what
	// the first was answered with; the same key and another body with a documented
	// 4xx. Keys of two credentials have nothing to do with each other. Classes I1,
	// I2, I3, J8.
	ExtIdempotencyKey = "x-conformance-idempotency-key"

	// ExtUnique (operation): a list of pointers into the request body. No two
	// resources of one credential have the same value there: the second is answered
	// with 409. Classes I4, I9.
	ExtUnique = "x-conformance-unique"

	// ExtPagination (operation): an object, all of whose members are optional:
	//
	//	limit:  query parameter with the number of items of a page
	//	cursor: query parameter that is given the cursor of the next page
	//	next:   pointer into the answer: the next cursor; null or absent at the end
	//	items:  pointer into the answer: the array ("" is the whole body)
	//	total:  pointer into the answer: the number of all items that match
	//	sort:   query parameter with an enum of properties; -name is descending
	//	filter: object: query parameter to pointer into an item that must equal it
	//	stable: true: an insert between two pages moves no item to another page
	//
	// The Link header with rel="next" needs no extension (RFC 8288). Classes M1–M9.
	ExtPagination = "x-conformance-pagination"

	// ExtLatencyBudget (operation): milliseconds (a number) within which an answer
	// is complete. Class O7.
	ExtLatencyBudget = "x-conformance-latency-budget-ms"

	// ExtRateLimit (operation): an object {requests: n, seconds: s}: of more than n
	// requests of one credential within s seconds the rest is answered with 429.
	// Class O8, and B7 with the answer's Retry-After.
	ExtRateLimit = "x-conformance-rate-limit"

	// ExtJob (operation that answers 202): an object
	//
	//	status: pointer into what the Location of the 202 gives
	//	done:   list of values there that mean that it is done
	//	failed: list of values there that mean that it will not be
	//	seconds: within how many one of them is reached
	//
	// Class O10.
	ExtJob = "x-conformance-job"

	// ExtRole (operation): the name of the role that it needs, for people. A valid
	// credential of little privilege is answered with 403. Classes A8, F5.
	ExtRole = "x-conformance-role"

	// ExtExpired (security scheme): a credential that was valid once, and is
	// refused with 401. Class F4.
	ExtExpired = "x-conformance-expired-credential"

	// ExtLowPrivilege (security scheme): a credential that is valid but has no
	// role. Classes A8, F5. Both are for test systems: real ones are given as flags.
	ExtLowPrivilege = "x-conformance-low-privilege-credential"

	// ExtErrorPointer (document): a pointer into an error's body, with * for any
	// index, where the pointers to the parts of the request body that are wrong
	// are, e.g. /errors/*/pointer. Class L3.
	ExtErrorPointer = "x-conformance-error-pointer"

	// ExtErrorParameter (document): likewise, where the names of parameters that
	// are wrong are, e.g. /errors/*/parameter. Class L3.
	ExtErrorParameter = "x-conformance-error-parameter"

	// ExtTimestamps (schema of a resource): an object {created: pointer, updated:
	// pointer} into the resource. The first never changes, the second never goes
	// back, and goes on with each change. Class H14.
	ExtTimestamps = "x-conformance-timestamps"

	// ExtReference (schema of a property): the operationId that reads what the
	// value is an id of. A value that this credential cannot read is refused with a
	// documented 4xx. Class J5.
	ExtReference = "x-conformance-reference"

	// ExtIncrement (operation): an object {read: operationId, pointer: pointer into
	// its answer, by: number}: each success adds that number there, also if several
	// are at it. Class I7.
	ExtIncrement = "x-conformance-increment"

	// ExtBodyLimit (document or operation): bytes (a number). A longer request body
	// is answered with 413. Class O1.
	ExtBodyLimit = "x-conformance-body-limit"
)

// Policies of [ExtStrict].
const (
	// StrictAuthFirst: who is not authenticated learns nothing: an invalid request
	// without a credential is answered as a valid one is, with 401. Class F8.
	StrictAuthFirst = "auth-first"
	// StrictUnknownQuery: a query parameter that the operation does not have is
	// refused with 400. Class E20.
	StrictUnknownQuery = "unknown-query"
	// StrictDuplicates: a query parameter that is given twice but is no array, and
	// a JSON object with a name twice, are refused with 400. Class E18.
	StrictDuplicates = "duplicates"
	// StrictPaths: nothing is served but the document's paths: neither others (class
	// G5) nor other spellings of them (a slash more, another case, dot segments;
	// class G6).
	StrictPaths = "paths"
	// StrictMethod: the method is that of the request line; X-HTTP-Method-Override
	// and its kin change nothing. Class G8.
	StrictMethod = "method"
	// StrictErrors: errors tell nothing of the server's inside (class L4), and give
	// nothing back of the request in a type that a browser renders (class L6).
	StrictErrors = "errors"
	// StrictExistence: what belongs to another credential is answered exactly as
	// what does not exist. Class J4.
	StrictExistence = "existence"
	// StrictPrivate: answers to requests with a credential are not for shared
	// caches: Cache-Control is private or no-store. Class N4.
	StrictPrivate = "private"
	// StrictText: strings are kept code point by code point: nothing is trimmed or
	// normalised. Class K4.
	StrictText = "text"
)
