package finding

import "strings"

// Authority is what makes a class of mistakes a mistake: one letter or two, of
// which the first counts for more.
type Authority string

// Authorities.
const (
	Contract Authority = "C" // a clause of the document
	Standard Authority = "R" // an RFC
	OptIn    Authority = "O" // a declaration, key or fixture that the user gave for it
)

// Has says whether other, a single letter, is among the authorities.
func (a Authority) Has(other Authority) bool { return strings.Contains(string(a), string(other)) }

// Class is a way to break a contract.
type Class struct {
	ID        string // a letter and a number, e.g. E3; never used for anything else
	Name      string // what the server does wrong, without a subject or as a sentence
	Authority Authority
	Group     string // what the classes of one letter have in common, for headings
}

// Classes gives the catalogue, in its order. The slice is the caller's.
func Classes() []Class {
	var all []Class
	for _, g := range catalogue {
		for _, c := range g.classes {
			c.Group = g.name
			all = append(all, c)
		}
	}
	return all
}

// ClassByID gives the class, and whether there is one.
func ClassByID(id string) (Class, bool) {
	c, ok := byID[id]
	return c, ok
}

var byID = func() map[string]Class {
	m := map[string]Class{}
	for _, c := range Classes() {
		m[c.ID] = c
	}
	return m
}()

type group struct {
	name    string
	classes []Class
}

// catalogue is in the order in which it is read: the groups by letter, their
// classes by number.
var catalogue = []group{
	{"Status codes", []Class{
		{ID: "A1", Authority: "C", Name: "Answers with a status that the contract does not declare"},
		{ID: "A2", Authority: "C", Name: "Fails with a server error (5xx)"},
		{ID: "A3", Authority: "C", Name: "Reports success for a request that breaks the contract"},
		{ID: "A4", Authority: "C", Name: "Refuses a request that keeps the contract"},
		{ID: "A5", Authority: "CR", Name: "Refuses with a status that is meant for another mistake"},
		{ID: "A6", Authority: "C", Name: "Succeeds with another success status than the declared one"},
		{ID: "A7", Authority: "R", Name: "Uses a success status that does not fit the method"},
		{ID: "A8", Authority: "R", Name: "Mixes up 401 (who are you?) and 403 (you may not)"},
		{ID: "A9", Authority: "R", Name: "Sends a status code that HTTP does not have"},
		{ID: "A10", Authority: "C", Name: "Never gives a declared answer, though it was provoked"},
		{ID: "A11", Authority: "C", Name: "Redirects although no redirect is declared"},
	}},
	{"Headers", []Class{
		{ID: "B1", Authority: "C", Name: "Leaves out a response header that is required"},
		{ID: "B2", Authority: "C", Name: "Sends a response header whose value breaks its schema"},
		{ID: "B3", Authority: "CR", Name: "Created something, but Location is absent or leads nowhere"},
		{ID: "B4", Authority: "R", Name: "Answers 405 without saying in Allow what is allowed"},
		{ID: "B5", Authority: "C", Name: "Names other methods in Allow than the contract does"},
		{ID: "B6", Authority: "R", Name: "Answers 401 without a challenge in WWW-Authenticate"},
		{ID: "B7", Authority: "CR", Name: "Retry-After is absent or unreadable where the client shall wait"},
		{ID: "B8", Authority: "R", Name: "Sends a body where there may be none, or a false Content-Length"},
		{ID: "B9", Authority: "C", Name: "Leaves out security or CORS headers that are declared"},
		{ID: "B10", Authority: "R", Name: "Lets a line break from the request into its response headers"},
		{ID: "B11", Authority: "R", Name: "Sends a header twice that may be there once"},
	}},
	{"Media types", []Class{
		{ID: "C1", Authority: "C", Name: "Content-Type of the answer is absent or not declared"},
		{ID: "C2", Authority: "CR", Name: "Takes a body in a media type that is not declared"},
		{ID: "C3", Authority: "C", Name: "Ignores an Accept that it cannot satisfy"},
		{ID: "C4", Authority: "C", Name: "Chooses a representation that Accept ranks lower or excludes"},
		{ID: "C5", Authority: "R", Name: "Text is not valid in the character set it claims, or begins with a BOM"},
		{ID: "C6", Authority: "C", Name: "Claims JSON, but the body does not parse"},
		{ID: "C7", Authority: "C", Name: "Refuses a request media type that is declared"},
		{ID: "C8", Authority: "C", Name: "Sends an error in another media type than declared"},
	}},
	{"Response bodies", []Class{
		{ID: "D1", Authority: "C", Name: "A required property is absent from the answer"},
		{ID: "D2", Authority: "C", Name: "A value in the answer has the wrong type"},
		{ID: "D3", Authority: "CO", Name: "The answer has a property that the contract does not know"},
		{ID: "D4", Authority: "C", Name: "A value in the answer is null and may not be"},
		{ID: "D5", Authority: "C", Name: "A value in the answer does not have its format"},
		{ID: "D6", Authority: "C", Name: "A value in the answer is not one of those listed"},
		{ID: "D7", Authority: "C", Name: "A value in the answer is out of its bounds"},
		{ID: "D8", Authority: "C", Name: "An array in the answer repeats an item that must be unique"},
		{ID: "D9", Authority: "C", Name: "The answer fits none, or too many, of its alternatives"},
		{ID: "D10", Authority: "C", Name: "The answer gives back what may only be written"},
		{ID: "D11", Authority: "C", Name: "A body comes where none is declared, or is missing where one is"},
		{ID: "D12", Authority: "C", Name: "The contract’s own example is not honoured"},
		{ID: "D13", Authority: "C", Name: "A value lost its JSON kind or digits on the way out"},
	}},
	{"Enforcement of input", []Class{
		{ID: "E1", Authority: "C", Name: "An inclusive bound is off by one"},
		{ID: "E2", Authority: "C", Name: "A value on an exclusive bound is accepted"},
		{ID: "E3", Authority: "C", Name: "Length is counted in other units than code points"},
		{ID: "E4", Authority: "C", Name: "A pattern is not enforced from end to end"},
		{ID: "E5", Authority: "C", Name: "A value outside of an enumeration is accepted"},
		{ID: "E6", Authority: "C", Name: "A request without a required part is accepted"},
		{ID: "E7", Authority: "C", Name: "null is accepted where it is not allowed"},
		{ID: "E8", Authority: "C", Name: "A value of another type is converted instead of refused"},
		{ID: "E9", Authority: "C", Name: "A property is accepted where no others are allowed"},
		{ID: "E10", Authority: "C", Name: "The number or uniqueness of items or properties is not enforced"},
		{ID: "E11", Authority: "C", Name: "A value between the steps of multipleOf is accepted"},
		{ID: "E12", Authority: "C", Name: "A value without the declared format is accepted"},
		{ID: "E13", Authority: "C", Name: "A rule that joins properties or alternatives is not enforced"},
		{ID: "E14", Authority: "C", Name: "A read-only property can be set by the client"},
		{ID: "E15", Authority: "C", Name: "An omitted value is not treated as its default"},
		{ID: "E16", Authority: "C", Name: "A parameter is not read in its declared serialization"},
		{ID: "E17", Authority: "C", Name: "A request without a required header or cookie is accepted"},
		{ID: "E18", Authority: "RO", Name: "A repeated query parameter or JSON key is read ambiguously"},
		{ID: "E19", Authority: "C", Name: "The operation breaks when an optional parameter is present or absent"},
		{ID: "E20", Authority: "O", Name: "An unknown query parameter is not treated as declared"},
	}},
	{"Authentication", []Class{
		{ID: "F1", Authority: "C", Name: "Serves a request without a credential"},
		{ID: "F2", Authority: "C", Name: "Serves a request with an invented credential"},
		{ID: "F3", Authority: "C", Name: "Breaks down at a malformed credential"},
		{ID: "F4", Authority: "O", Name: "Serves a request with an expired or revoked credential"},
		{ID: "F5", Authority: "O", Name: "Serves a credential that lacks the scope or role"},
		{ID: "F6", Authority: "C", Name: "Demands a credential for an operation that is public"},
		{ID: "F7", Authority: "C", Name: "Combines alternative and joint credentials wrongly"},
		{ID: "F8", Authority: "O", Name: "Tells anonymous clients about their input before it asks who they are"},
		{ID: "F9", Authority: "C", Name: "Takes a credential from a place that is not declared"},
	}},
	{"Methods and routes", []Class{
		{ID: "G1", Authority: "R", Name: "Answers an undeclared method otherwise than with 405"},
		{ID: "G2", Authority: "C", Name: "Does not implement an operation that is declared"},
		{ID: "G3", Authority: "R", Name: "HEAD differs from GET"},
		{ID: "G4", Authority: "R", Name: "OPTIONS does not tell what the resource can do"},
		{ID: "G5", Authority: "O", Name: "Serves a path that is not declared"},
		{ID: "G6", Authority: "O", Name: "A different spelling of the path changes what it means"},
		{ID: "G7", Authority: "C", Name: "An encoded character in a path parameter leads astray"},
		{ID: "G8", Authority: "O", Name: "A header overrides the method of the request"},
	}},
	{"State", []Class{
		{ID: "H1", Authority: "C", Name: "What was created cannot be read"},
		{ID: "H2", Authority: "C", Name: "What is read differs from what was written"},
		{ID: "H3", Authority: "C", Name: "What was deleted is still served"},
		{ID: "H4", Authority: "C", Name: "A refused creation leaves something behind"},
		{ID: "H5", Authority: "C", Name: "A refused update changes the resource"},
		{ID: "H6", Authority: "R", Name: "PUT leaves what it should replace"},
		{ID: "H7", Authority: "R", Name: "Repeating a PUT gives another outcome"},
		{ID: "H8", Authority: "R", Name: "A merge patch is applied wrongly"},
		{ID: "H9", Authority: "C", Name: "Deleting a second time is not answered as declared"},
		{ID: "H10", Authority: "R", Name: "A safe method changes something"},
		{ID: "H11", Authority: "C", Name: "The list and the item do not agree"},
		{ID: "H12", Authority: "C", Name: "A child is found under a parent that is not its own"},
		{ID: "H13", Authority: "C", Name: "The server’s ids can be chosen by clients, or come again"},
		{ID: "H14", Authority: "O", Name: "Timestamps of creation or change are untrue"},
	}},
	{"Idempotency and concurrency", []Class{
		{ID: "I1", Authority: "O", Name: "Repeating a request with its idempotency key does it again"},
		{ID: "I2", Authority: "O", Name: "An idempotency key is accepted for another body"},
		{ID: "I3", Authority: "O", Name: "Concurrent requests with one idempotency key are all carried out"},
		{ID: "I4", Authority: "OC", Name: "Concurrent requests get past a uniqueness rule"},
		{ID: "I5", Authority: "C", Name: "An update based on an outdated version is accepted"},
		{ID: "I6", Authority: "C", Name: "An update without the demanded precondition is accepted"},
		{ID: "I7", Authority: "O", Name: "Concurrent updates overwrite each other"},
		{ID: "I8", Authority: "C", Name: "Update and deletion at once end in an undeclared answer"},
		{ID: "I9", Authority: "C", Name: "A duplicate is accepted"},
	}},
	{"Isolation of tenants", []Class{
		{ID: "J1", Authority: "O", Name: "One tenant can read what is another’s"},
		{ID: "J2", Authority: "O", Name: "One tenant can change or delete what is another’s"},
		{ID: "J3", Authority: "O", Name: "A list shows what is another tenant’s"},
		{ID: "J4", Authority: "O", Name: "The answer reveals that something of another tenant exists"},
		{ID: "J5", Authority: "O", Name: "A body can refer to what is another tenant’s"},
		{ID: "J6", Authority: "O", Name: "A filter, search or cursor crosses tenants"},
		{ID: "J7", Authority: "O", Name: "An error message contains data of another tenant"},
		{ID: "J8", Authority: "O", Name: "Tenants share idempotency keys or cached answers"},
	}},
	{"Encoding of values", []Class{
		{ID: "K1", Authority: "C", Name: "Text beyond the basic plane does not come back as it was sent"},
		{ID: "K2", Authority: "C", Name: "A NUL character breaks the server"},
		{ID: "K3", Authority: "R", Name: "Invalid Unicode is accepted or breaks the server"},
		{ID: "K4", Authority: "O", Name: "Text is trimmed or normalised without saying so"},
		{ID: "K5", Authority: "C", Name: "Large or decimal numbers lose digits"},
		{ID: "K6", Authority: "R", Name: "Content-Encoding does not match the body"},
		{ID: "K7", Authority: "C", Name: "Bytes before or after the JSON document are accepted"},
		{ID: "K8", Authority: "C", Name: "A date-time comes back as another instant"},
	}},
	{"Errors", []Class{
		{ID: "L1", Authority: "C", Name: "The body of an error breaks its schema"},
		{ID: "L2", Authority: "R", Name: "Members of a problem document contradict the answer"},
		{ID: "L3", Authority: "O", Name: "The error names another place than the one at fault"},
		{ID: "L4", Authority: "O", Name: "The error reveals internals of the server"},
		{ID: "L5", Authority: "C", Name: "The framework’s own error page is served instead of the declared error"},
		{ID: "L6", Authority: "O", Name: "Input is reflected without being escaped"},
	}},
	{"Lists and pages", []Class{
		{ID: "M1", Authority: "C", Name: "The page size that was asked for is exceeded"},
		{ID: "M2", Authority: "C", Name: "Pages lose or repeat items"},
		{ID: "M3", Authority: "C", Name: "The next page is broken, or there is no last one"},
		{ID: "M4", Authority: "C", Name: "A tampered cursor is accepted or breaks the server"},
		{ID: "M5", Authority: "C", Name: "The requested order is not kept"},
		{ID: "M6", Authority: "C", Name: "A filter lets through what does not match, or hides what does"},
		{ID: "M7", Authority: "C", Name: "The total is wrong"},
		{ID: "M8", Authority: "C", Name: "A page size out of its bounds is not refused"},
		{ID: "M9", Authority: "O", Name: "Items move between pages when something is added"},
	}},
	{"Caching and conditions", []Class{
		{ID: "N1", Authority: "C", Name: "ETag does not follow the changes of the resource"},
		{ID: "N2", Authority: "C", Name: "If-None-Match has no effect"},
		{ID: "N3", Authority: "R", Name: "304 comes with a body or without its ETag"},
		{ID: "N4", Authority: "O", Name: "Shared caches may keep what is private"},
		{ID: "N5", Authority: "C", Name: "Last-Modified or If-Modified-Since works wrongly"},
	}},
	{"Robustness", []Class{
		{ID: "O1", Authority: "C", Name: "An oversized body is not refused properly"},
		{ID: "O2", Authority: "C", Name: "A deeply nested or very long document is not survived"},
		{ID: "O3", Authority: "R", Name: "The server hangs at a truncated body or a false length"},
		{ID: "O4", Authority: "C", Name: "Malformed JSON is not refused as such"},
		{ID: "O5", Authority: "C", Name: "A required body may be empty"},
		{ID: "O6", Authority: "R", Name: "Too many or too long headers or parameters are not refused"},
		{ID: "O7", Authority: "O", Name: "Answers take longer than was promised"},
		{ID: "O8", Authority: "O", Name: "The declared rate limit does not exist"},
		{ID: "O9", Authority: "C", Name: "The connection ends without an answer"},
		{ID: "O10", Authority: "C", Name: "An accepted job never comes to an end"},
		{ID: "O11", Authority: "C", Name: "An event of a stream breaks its schema"},
		{ID: "O12", Authority: "O", Name: "HTTP/1.1 and HTTP/2 are answered differently"},
		{ID: "O13", Authority: "C", Name: "The server is not well after hostile input"},
	}},
}
