package lying

// Class is a class of the catalogue.
type Class struct {
	ID, Name string
	// Places are where it can be broken: an operation, and after # how; or, of
	// classes that follow from schemas, the keyword. Empty: it is not wired.
	Places []string
	Reason string // why it is not wired
}

// Classes lists the catalogue, with the places at which this server can break each
// class. It is an error of this package if the contract cannot be read.
func Classes() ([]Class, error) {
	d, err := loadDocument()
	if err != nil {
		return nil, err
	}
	list := make([]Class, 0, len(catalogue))
	for _, e := range catalogue {
		list = append(list, Class{ID: e.id, Name: e.name, Places: d.places(e.id)})
	}
	return list, nil
}

// places gives the places of a class, in a fixed order.
func (d *document) places(class string) []string {
	for _, e := range catalogue {
		if e.id == class {
			return append(append([]string(nil), e.places...), d.derived[class]...)
		}
	}
	return nil
}

// entry is a class as it is written here; places of schemas are added to it.
type entry struct {
	id, name string
	places   []string
}

func at(places ...string) []string { return places }

var catalogue = []entry{
	{"A1", "undocumented status", at("getComment#404", "listTasks#404", "createComment#422", "getReport#200")},
	{"A2", "server error", at("patchProject#null", "search#depth", "createPayment#transfer", "listTasks#done")},
	{"A3", "success on invalid input", at("setRetention", "replaceSettings", "createComment", "putLabel")},
	{"A4", "valid input refused", at("createProject#paused", "createPayment#callback", "putLabel#zero", "createTask#undone")},
	{"A5", "wrong error code for the fault", at("createTask#malformed", "createProject#media", "createPayment#large", "getLabel#accept")},
	{"A6", "wrong success code", at("createComment#200", "deletePayment#200", "createReport#201", "createTask#202")},
	{"A7", "201 on GET, DELETE or PATCH; 304 on a write", at("getLabel#201", "deleteTask#201", "patchTask#201", "patchProject#304")},
	{"A8", "401 and 403 swapped", at("listPayments#403", "listAudit#401", "setRetention#401", "getTask#403")},
	{"A9", "non-standard code", at("getReport#700", "deleteLabel#600", "getSettings#999")},
	{"A10", "documented response unreachable", at("putLabel#201", "createReport#200")},
	{"A11", "undocumented redirect", at("getSettings#302", "listPayments#307", "listAudit#301")},

	{"B1", "required response header missing", at("getProject#Last-Modified", "createTask#ETag", "listProjects#X-Total-Count", "getTask#ETag")},
	{"B2", "header violates schema", at("getTask#ETag", "listProjects#X-Total-Count", "getProject#Last-Modified")},
	{"B3", "Location missing or unresolvable on 201", at("createComment#prefix", "createPayment#other", "createTask#short")},
	{"B4", "405 without Allow", at("/status", "/projects", "/quote", "/audit/retention")},
	{"B5", "Allow disagrees with contract", at("/quote#POST", "/projects#-POST", "/settings#DELETE")},
	{"B6", "401 without WWW-Authenticate", at("listTasks", "createPayment", "getSettings", "getQuote")},
	{"B7", "Retry-After missing or malformed", at("getQuote#", "getQuote#soon", "getQuote#-1")},
	{"B8", "body where there may be none; Content-Length lies", at("deleteProject#body", "deleteLabel#body", "headProject#body", "getComment#long", "getLabel#short")},
	{"B9", "security or CORS headers declared but absent", at("getStatus#Access-Control-Allow-Origin", "listPayments#X-Content-Type-Options", "getReport#X-Content-Type-Options", "search#X-Content-Type-Options")},
	{"B10", "CR and LF reflected into headers", at("search", "listProjects")},
	{"B11", "singleton header duplicated", at("getProject#ETag", "listTasks#Content-Type", "createComment#Location", "getLabel#Date")},

	{"C1", "response Content-Type missing or undocumented", at("getQuote#text/plain", "getLabel#", "listAudit#text/json")},
	{"C2", "unsupported request type accepted", at("createTask#", "createPayment#broken", "putLabel#", "createComment#")},
	{"C3", "unacceptable Accept ignored", at("getReport", "listPayments", "search", "getStatus")},
	{"C4", "negotiation picks wrong representation", at("listProjects#q0", "listProjects#order", "listProjects#wildcard")},
	{"C5", "charset wrong, invalid UTF-8 or BOM", at("getLabel#charset", "getComment#bytes", "listAudit#bom")},
	{"C6", "says JSON, is not", at("getSettings#cut", "getQuote#quotes", "listTasks#comma")},
	{"C7", "documented request type refused", at("createComment#application/x-www-form-urlencoded", "patchTask#application/merge-patch+json", "patchProject#application/merge-patch+json")},
	{"C8", "error in another type than declared", at("getPayment#application/json", "createProject#text/json", "listTasks#text/html")},

	{"D1", "required property missing", at("getProject#/priority", "listTasks#/items/*/done", "getPayment#/payee", "getReport#/format")},
	{"D2", "wrong type", at("getTask#/done", "getReport#/period", "listAudit#/*/action", "search#/match")},
	{"D3", "undeclared property", at("getProject#", "listPayments#/items/*", "getQuote#")},
	{"D4", "null in non-nullable", at("getPayment#/payee", "listProjects#/items/*/status", "getSettings#/language")},
	{"D5", "format violation", at("getProject#/created_at", "getPayment#/due", "getComment#/author", "getQuote#/at", "listTasks#/items/*/updated_at")},
	{"D6", "enum or const", at("getReport#/state", "listProjects#/items/*/status", "getStatus#/status")},
	{"D7", "bound broken", at("getLabel#/weight", "listProjects#/total", "getProject#/stars", "search#/depth")},
	{"D8", "uniqueItems", at("getProject#/tags", "listProjects#/items/*/tags", "getTask#/steps")},
	{"D9", "oneOf, anyOf or discriminator mismatch", at("getPayment#/method", "createPayment#/method", "listPayments#/items/*/method")},
	{"D10", "writeOnly value returned", at("getPayment#/secret", "createPayment#/secret", "listPayments#/items/*/secret")},
	{"D11", "body present or absent against declaration", at("getLabel", "createComment", "starProject")},
	{"D12", "contract example not honoured", at("createProject", "createPayment", "putLabel", "createReport")},
	{"D13", "null instead of [], number as string, loss beyond 2^53", at("getProject#/tags", "getPayment#/serial", "getPayment#/amount", "listTasks#/items")},

	{"E1", "inclusive bound off by one", nil},
	{"E2", "exclusive bound treated as inclusive", nil},
	{"E3", "length in bytes, not code points", nil},
	{"E4", "pattern unanchored or unenforced", nil},
	{"E5", "enum not enforced or case-folded", nil},
	{"E6", "missing required accepted", nil},
	{"E7", "null accepted", nil},
	{"E8", "coercion accepted", nil},
	{"E9", "additionalProperties: false not enforced", nil},
	{"E10", "numbers of items and properties, uniqueItems", nil},
	{"E11", "multipleOf", nil},
	{"E12", "format unenforced", nil},
	{"E13", "exclusivity of oneOf", nil},
	{"E14", "readOnly accepted and stored", at("createTask#created_at", "createPayment#created_at", "replaceTask#project_id")},
	{"E15", "default not applied", nil},
	{"E16", "style, explode or deepObject misparsed", at("search#ids", "search#words", "search#codes", "search#range")},
	{"E17", "required header or cookie missing accepted", at("search#X-Request-Tag", "search#region")},
	{"E18", "duplicate query or JSON key accepted", at("createProject#body", "createTask#body", "listProjects#limit", "search#depth")},
	{"E19", "optional parameter breaks operation", at("search#range", "listProjects#priority", "listTasks#sort", "search#codes")},
	{"E20", "unknown query parameter accepted", at("listProjects", "getStatus", "createComment", "getLabel")},

	{"F1", "no credential accepted", at("listPayments", "createComment", "getSettings", "listAudit")},
	{"F2", "garbage credential accepted", at("listProjects", "createReport", "getQuote", "createPayment")},
	{"F3", "malformed credential breaks the server", at("empty", "long", "non-ascii", "scheme")},
	{"F4", "expired accepted", at("key", "bearer")},
	{"F5", "scope or role not enforced", at("listAudit", "setRetention")},
	{"F6", "public operation demands auth", at("getStatus")},
	{"F7", "alternatives wrong", at("getSettings#key-alone", "replaceSettings#key-alone", "getSettings#pin-alone", "getSettings#bearer-refused")},
	{"F8", "validation before auth", at("createProject", "setRetention", "listPayments", "putLabel")},
	{"F9", "credential accepted in undeclared place", at("query", "cookie", "scheme")},

	{"G1", "undocumented method is not 405", at("POST /status", "DELETE /audit", "PUT /comments", "PATCH /quote")},
	{"G2", "documented operation not implemented", at("deleteComment#501", "getSettings#404", "replaceTask#405")},
	{"G3", "HEAD differs from GET", at("headProject#header", "getLabel#status", "listAudit#length")},
	{"G4", "OPTIONS wrong", at("/projects", "/labels/{label_id}", "/status")},
	{"G5", "undocumented path served", at("/metrics", "/debug", "/admin", "/health")},
	{"G6", "slash, case, dots change meaning", at("slash", "case", "double", "dots")},
	{"G7", "%2F, %00 or Unicode in path misrouted", at("slash", "nul", "unicode", "child")},
	{"G8", "X-HTTP-Method-Override honoured", at("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")},

	{"H1", "created not readable", at("comment", "task", "payment")},
	{"H2", "read differs from written", at("project.description", "task.estimate", "payment.metadata", "comment.author", "label.title")},
	{"H3", "deleted still served", at("comment", "task", "payment", "label")},
	{"H4", "failed create leaves resource", at("createProject", "createTask", "createPayment")},
	{"H5", "failed update changes resource", at("patchProject", "replaceProject", "patchTask", "replaceTask")},
	{"H6", "PUT is no full replacement", at("replaceProject", "replaceTask", "replaceSettings", "putLabel")},
	{"H7", "PUT not idempotent, or repeats 201", at("putLabel", "replaceTask", "replaceSettings")},
	{"H8", "merge-patch wrong", at("patchProject#null", "patchProject#absent", "patchProject#nested", "patchTask#null", "patchTask#absent")},
	{"H9", "second DELETE fails", at("deleteComment", "deleteTask", "deleteLabel", "deletePayment")},
	{"H10", "GET or HEAD mutates", at("getProject", "getTask", "getLabel")},
	{"H11", "list inconsistent with item", at("listProjects#stale", "listTasks#missing", "listPayments#other", "listProjects#missing")},
	{"H12", "child reachable under wrong parent", at("getTask", "patchTask", "replaceTask")},
	{"H13", "server id settable or reused", at("task#set", "payment#set", "project#reused", "comment#reused")},
	{"H14", "timestamps wrong", at("project#created", "task#created", "project#frozen", "task#back")},

	{"I1", "replay of Idempotency-Key duplicates", at("createTask", "createPayment", "createProject")},
	{"I2", "key reused with other body accepted", at("createTask", "createPayment", "createProject")},
	{"I3", "race of keys", at("createTask", "createPayment")},
	{"I4", "race for uniqueness", at("createProject")},
	{"I5", "stale If-Match accepted", at("replaceProject", "patchProject", "patchTask", "deleteProject")},
	{"I6", "missing precondition accepted", at("replaceProject")},
	{"I7", "parallel updates lost", at("starProject", "replaceProject", "patchProject")},
	{"I8", "race of update and delete breaks the server", at("patchProject", "patchTask", "putLabel")},
	{"I9", "duplicate is not 409", at("createProject", "replaceProject", "patchProject")},

	{"J1", "cross-tenant read", at("getProject", "getTask", "getComment", "getPayment")},
	{"J2", "cross-tenant write or delete", at("patchProject", "deleteProject", "deleteComment", "replaceTask")},
	{"J3", "cross-tenant list", at("listProjects", "listPayments", "listTasks")},
	{"J4", "existence told", at("getProject#403", "getPayment#detail", "getComment#header", "deleteComment#403")},
	{"J5", "foreign reference in body accepted", at("createComment", "createTask")},
	{"J6", "filter, search or cursor leaks", at("listProjects#cursor", "listPayments#cursor", "listProjects#q", "listProjects#status")},
	{"J7", "error text leaks other tenant", at("getProject", "getComment", "getPayment", "deleteComment")},
	{"J8", "shared idempotency or cache namespace", at("createProject", "createPayment")},

	{"K1", "4-byte, ZWJ or combining not round-tripped", at("project.name", "comment.text", "task.title", "project.description")},
	{"K2", "U+0000 breaks the server", at("createComment", "createTask", "createProject", "search")},
	{"K3", "lone surrogate or invalid UTF-8 accepted", at("createComment", "createTask", "createProject")},
	{"K4", "silent normalisation or trim", at("comment.text#trim", "project.description#nfc", "task.title#spaces")},
	{"K5", "loss of precision", at("payment.serial", "payment.amount", "project.budget")},
	{"K6", "Content-Encoding mismatch", at("listProjects#plain", "search#unasked", "listProjects#other")},
	{"K7", "trailing garbage, BOM or two documents accepted", at("createTask#trailing", "createComment#bom", "createPayment#trailing")},
	{"K8", "date-time loses its instant", at("offset", "fraction", "zone")},

	{"L1", "error body breaks declared schema", at("getComment#title", "createProject#status", "listPayments#extra", "createTask#errors")},
	{"L2", "status of the problem is not that of HTTP, or bad type", at("createTask#status", "getPayment#status", "createProject#type")},
	{"L3", "pointer or field wrong", at("createProject#pointer", "createPayment#pointer", "createTask#slash", "listProjects#parameter")},
	{"L4", "inside leaked", at("getTask#stack", "createComment#sql", "listProjects#path")},
	{"L5", "framework's own error", at("404", "405", "413", "415", "400")},
	{"L6", "input reflected unescaped", at("path", "search", "createComment")},

	{"M1", "limit ignored", at("listProjects", "listTasks", "listPayments")},
	{"M2", "pages lose or repeat items", at("listProjects#lose", "listTasks#repeat", "listPayments#lose")},
	{"M3", "next broken or endless", at("listProjects#endless", "listTasks#broken", "listPayments#endless", "listProjects#link")},
	{"M4", "tampered cursor accepted, or breaks the server", at("listProjects#first", "listTasks#broken", "listPayments#first")},
	{"M5", "sort not honoured", at("listProjects#ignored", "listTasks#descending", "listProjects#ascending")},
	{"M6", "filter lets others through, or too few", at("listProjects#status", "listTasks#done", "listProjects#few")},
	{"M7", "total wrong", at("listProjects#page", "listTasks#more", "listPayments#page")},
	{"M8", "limit out of its bounds", at("listProjects#zero", "listTasks#more", "listPayments#negative")},
	{"M9", "insert shifts items between pages", at("listPayments", "listTasks", "listProjects")},

	{"N1", "ETag does not change with a write, or without", at("getProject#stale", "getTask#restless", "getTask#stale")},
	{"N2", "If-None-Match ignored", at("getProject", "getTask", "headProject")},
	{"N3", "304 with body, or without ETag", at("getProject#body", "getTask#etag", "getProject#etag")},
	{"N4", "private data cacheable", at("listPayments#public, max-age=600", "getProject#max-age=60", "getSettings#public", "getLabel#max-age=3600")},
	{"N5", "Last-Modified or If-Modified-Since wrong", at("getProject#frozen", "getProject#always", "getProject#ignored")},

	{"O1", "oversize body", at("createComment#drop", "createTask#accept", "putLabel#broken")},
	{"O2", "deep nesting or huge array", at("depth#broken", "depth#hang", "width#broken")},
	{"O3", "truncated body hangs", at("hang")},
	{"O4", "malformed JSON is not 400", at("createComment#comma", "createTask#broken", "createProject#comment", "putLabel#single")},
	{"O5", "empty body accepted where one is required", at("createComment", "putLabel", "replaceSettings", "createReport")},
	{"O6", "many or huge headers", at("header#broken", "line#broken", "header#drop")},
	{"O7", "latency budget", at("getQuote", "search")},
	{"O8", "documented rate limit not enforced", at("getQuote")},
	{"O9", "connection reset without response", at("getComment", "listAudit", "createTask", "deletePayment")},
	{"O10", "202 job never resolves", at("forever", "lost")},
	{"O11", "event of a stream breaks schema", at("listEvents#missing", "listEvents#enum", "listEvents#json")},
	{"O12", "HTTP/1.1 and HTTP/2 differ", at("getStatus#version", "getStatus#header", "getStatus#status")},
	{"O13", "server unhealthy after hostile input", at("malformed", "large", "header")},
}
