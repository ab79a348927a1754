package phone

// Ways to read a number: as all are, and whether there is a shorter one.
var (
	ParseForTest = parse
	PlainForTest = plain
)
