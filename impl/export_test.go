package impl

// ClientIPForTest is [clientIP].
var ClientIPForTest = clientIP
