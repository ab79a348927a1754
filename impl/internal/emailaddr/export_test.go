package emailaddr

// Ways to the key of an address: by the rules for all, and by those for most.
var (
	KeyOfAny = keyOfAny
	IsPlain  = isPlain
)
