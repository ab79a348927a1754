package check

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/text/encoding/ianaindex"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// most is how many bytes a body may have after its content coding.
const most = 64 << 20

// body judges the body: its media type, its characters, its syntax, and its value.
func (v *verdict) body() {
	status := v.answer.Status
	if v.head || status/100 == 1 || status == http.StatusNoContent || status == http.StatusNotModified || status == http.StatusResetContent {
		return
	}
	body, ok := v.decoded()
	if !ok || !v.presence(body) || len(body) == 0 || v.answer.Unfinished {
		return
	}
	media, params, content := v.media()
	if status == http.StatusPartialContent {
		return // a part has no syntax of its own
	}
	if saysJSON(media) {
		v.json(body, media, params, content)
	} else {
		v.text(body, media, params, content)
	}
	v.leaks(body, media)
}

// decoded takes the content coding off. What is encoded otherwise cannot be judged.
func (v *verdict) decoded() ([]byte, bool) {
	body := v.answer.Body
	codings := strings.Split(strings.ToLower(v.answer.Get("Content-Encoding")), ",")
	for _, coding := range slices.Backward(codings) {
		var reader io.Reader
		var err error
		switch strings.TrimSpace(coding) {
		case "", "identity":
			continue
		case "gzip", "x-gzip":
			reader, err = gzip.NewReader(bytes.NewReader(body))
		case "deflate": // RFC 9110 8.4.1.2: zlib, which some understand as bare deflate
			if reader, err = zlib.NewReader(bytes.NewReader(body)); err != nil {
				reader, err = flate.NewReader(bytes.NewReader(body)), nil
			}
		default:
			return nil, false
		}
		if err == nil {
			body, err = io.ReadAll(io.LimitReader(reader, most))
		}
		if err != nil && len(v.answer.Body) > 0 {
			v.add(finding.Finding{
				Class: "K6", Severity: finding.Must, RFC: "RFC 9110 8.4", Claim: "The body is not encoded as Content-Encoding says.",
				Expected: "a body in " + strings.TrimSpace(coding), Got: err.Error(),
			})
			return nil, false
		}
	}
	return body, true
}

// presence judges a body that is not declared, or is declared and not there. It
// tells whether the body can be judged further.
func (v *verdict) presence(body []byte) bool {
	if v.response == nil {
		return true
	}
	status := v.answer.Status
	unexpected := fmt.Sprintf("%d comes with a body where none is declared.", status)
	if len(body) == 0 && len(v.response.Content) == 0 && v.op != nil {
		v.r.habits.free("D11", []string{unexpected}, v.op.ID+" "+v.response.Pointer)
	}
	switch {
	case len(body) > 0 && len(v.response.Content) == 0 && status/100 != 3: // RFC 9110 15.4: redirects come with a note
		f := finding.Finding{
			Class: "D11", Severity: finding.Must, Pointer: v.response.Pointer,
			Claim:    fmt.Sprintf("%d comes with a body, and none is declared.", status),
			Expected: "no body", Got: clip(body), Habits: []string{unexpected},
		}
		if status >= 400 || !names(v.op, status) {
			f.Severity = finding.Should // documents often leave out what errors look like
			f.Cause = f.Claim
		}
		v.add(f)
	case len(body) == 0 && len(v.response.Content) > 0:
		for _, c := range v.response.Content {
			if !saysJSON(bare(c.Type)) {
				return false // such a body may be empty
			}
		}
		v.add(finding.Finding{
			Class: "D11", Severity: finding.Must, Pointer: v.response.Content[0].Pointer,
			Claim:    fmt.Sprintf("%d comes without the body that is declared.", status),
			Expected: types(v.response), Got: "an empty body",
		})
		return false
	}
	return true
}

// types are the declared media types of a response, for people.
func types(r *openapi.Response) string {
	var all []string
	for _, c := range r.Content {
		all = append(all, c.Type)
	}
	return strings.Join(all, " or ")
}

// bare is a media type without parameters, in lower case.
func bare(media string) string {
	media, _, _ = strings.Cut(media, ";")
	return strings.ToLower(strings.TrimSpace(media))
}

// saysJSON tells whether a media type of an answer is of JSON.
func saysJSON(media string) bool {
	return media == "application/json" || media == "text/json" || strings.HasSuffix(media, "+json")
}

// media judges Content-Type, and finds what is declared for it.
func (v *verdict) media() (string, map[string]string, *openapi.MediaType) {
	line := ""
	if lines := v.answer.Values("Content-Type"); len(lines) > 0 {
		line = lines[0]
	}
	declares := v.response != nil && len(v.response.Content) > 0
	if strings.TrimSpace(line) == "" {
		if declares {
			v.add(finding.Finding{
				Class: "C1", Severity: finding.Must, Pointer: above(v.response.Content[0].Pointer), RFC: "RFC 9110 8.3",
				Claim:    fmt.Sprintf("%d comes with a body of an unknown type.", v.answer.Status),
				Expected: types(v.response), Got: "no Content-Type",
			})
		}
		return "", nil, nil
	}
	media, params, err := mime.ParseMediaType(line)
	if err != nil {
		f := finding.Finding{
			Class: "C1", Severity: finding.Must, RFC: "RFC 9110 8.3.1", Claim: "Content-Type is malformed.",
			Expected: "type/subtype", Got: line,
		}
		if strings.Contains(bare(line), "/") && !strings.ContainsAny(bare(line), " ,") {
			media, f.Class, f.Claim = bare(line), "C5", "The parameters of Content-Type are malformed."
		}
		v.add(f)
		if f.Class == "C1" {
			return "", nil, nil
		}
	}
	if !declares {
		v.unrouted(media)
		return media, params, nil
	}
	content := match(v.response.Content, media)
	if content == nil {
		v.mismatch(media, line)
		return media, params, nil
	}
	v.mark(content.Pointer)
	return media, params, content
}

// match finds what is declared for a media type, ranges last.
func match(declared []*openapi.MediaType, media string) *openapi.MediaType {
	major, _, _ := strings.Cut(media, "/")
	for _, want := range []string{media, major + "/*", "*/*"} {
		for _, c := range declared {
			if bare(c.Type) == want {
				return c
			}
		}
	}
	return nil
}

// ofErrors are the errors that frameworks give before an operation is reached.
var ofErrors = []int{
	http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotAcceptable,
	http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType,
}

// errorPage tells whether a media type is one of the pages that frameworks have for
// errors.
func errorPage(media string) bool {
	return media == "text/html" || media == "text/plain" || media == "application/xhtml+xml"
}

// mismatch judges a media type that is not declared.
func (v *verdict) mismatch(media, line string) {
	status := v.answer.Status
	f := finding.Finding{
		Class: "C1", Severity: finding.Must, Pointer: above(v.response.Content[0].Pointer),
		Claim:    fmt.Sprintf("%d comes as %s, which is not declared.", status, media),
		Expected: types(v.response), Got: line,
	}
	switch {
	case status/100 == 3 && errorPage(media):
		return // a redirection's note for people (RFC 9110 15.4), not what the document describes
	case status < 400:
	case errorPage(media) && slices.Contains(ofErrors, status) && syntax(v.answer.Body) != nil:
		f.Class = "L5"
		f.Claim = fmt.Sprintf("%d is a page of the framework (%s), not the declared error.", status, media)
	default:
		f.Class = "C8"
	}
	v.add(f)
}

// unrouted advises about errors that no operation can be held to, such as 405,
// though the path is one of the document, whose operations declare what errors look
// like.
func (v *verdict) unrouted(media string) {
	status := v.answer.Status
	routes := v.r.routesOf(v.ex.Request.Target)
	if v.op != nil || !errorPage(media) || !slices.Contains(ofErrors, status) || status == http.StatusNotFound || len(routes) == 0 || unusual(v.ex.Request) {
		return
	}
	for _, op := range v.r.Document.Operations {
		for key, response := range op.Responses {
			if strings.HasPrefix(key, "4") && len(response.Content) > 0 && slices.ContainsFunc(response.Content, func(c *openapi.MediaType) bool { return !saysJSON(bare(c.Type)) }) {
				return // errors are not always JSON
			}
		}
	}
	if !slices.ContainsFunc(routes[0].ops, describesErrors) {
		return
	}
	v.add(finding.Finding{
		Class: "L5", Severity: finding.Should, RFC: "RFC 9110 15.5",
		Claim: fmt.Sprintf("%d to a method or path that no operation has is a page of the framework (%s), while the contract's errors are JSON.", status, media),
		Sent:  v.where(), Expected: "an error as the contract has it elsewhere", Got: media,
	})
}

// describesErrors tells whether an operation says what any of its errors look like.
func describesErrors(op *openapi.Operation) bool {
	for key, response := range op.Responses {
		if (strings.HasPrefix(key, "4") || key == "default") && len(response.Content) > 0 {
			return true
		}
	}
	return false
}

var bom = []byte("\xEF\xBB\xBF")

// json judges a body that says it is JSON (RFC 8259).
func (v *verdict) json(body []byte, media string, params map[string]string, content *openapi.MediaType) {
	v.charset(params["charset"], body)
	if bytes.HasPrefix(body, bom) {
		v.characters("RFC 8259 8.1", "JSON begins with a byte order mark.", "JSON at once", "EF BB BF")
		body = body[len(bom):]
	}
	if !utf8.Valid(body) {
		v.characters("RFC 8259 8.1", "JSON is not valid UTF-8.", "UTF-8", clip(body))
		return
	}
	if err := syntax(body, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
		v.add(finding.Finding{
			Class: "C6", Severity: finding.Must, RFC: "RFC 8259 2", Pointer: contentPointer(content),
			Claim:    fmt.Sprintf("The body of %d is not JSON, as Content-Type says.", v.answer.Status),
			Expected: "one JSON text", Got: err.Error() + ": " + clip(body),
		})
		return
	}
	if err := syntax(body); errors.Is(err, jsontext.ErrDuplicateName) {
		v.add(finding.Finding{
			Class: "C6", Severity: finding.Should, RFC: "RFC 8259 4", Pointer: contentPointer(content),
			Claim:    fmt.Sprintf("The body of %d has an object with the same name twice.", v.answer.Status),
			Expected: "unique names", Got: err.Error(),
		})
	} else if err != nil {
		v.characters("RFC 8259 8.2", "A string of the JSON has half of a surrogate pair.", "Unicode characters", err.Error())
	}
	value, err := decode(body)
	if err != nil {
		return // it was valid: this is but deeper than is looked into
	}
	if media == "application/problem+json" && v.answer.Status >= 400 {
		v.problem(value)
	}
	if content != nil && content.Schema != nil {
		v.value(content.Schema, value)
	}
}

// charset judges the parameter that JSON does not have. It does no harm if it says
// what is true.
func (v *verdict) charset(name string, body []byte) {
	ascii := !bytes.ContainsFunc(body, func(c rune) bool { return c >= utf8.RuneSelf })
	switch strings.ToLower(name) {
	case "", "utf-8", "utf8":
		return
	case "us-ascii", "ascii":
		if ascii {
			return
		}
	}
	f := finding.Finding{
		Class: "C5", Severity: finding.Must, RFC: "RFC 8259 8.1", Claim: "JSON is said to be in another character set than UTF-8.",
		Expected: "no charset, or utf-8", Got: "charset=" + name,
	}
	if _, err := ianaindex.MIME.Encoding(name); err != nil {
		f.Severity = finding.Should // nobody can read it by that
	}
	v.add(f)
}

func contentPointer(content *openapi.MediaType) string {
	if content == nil {
		return ""
	}
	return content.Pointer
}

// syntax judges JSON strictly: one text, and nothing after it.
func syntax(body []byte, options ...jsontext.Options) error {
	d := jsontext.NewDecoder(bytes.NewReader(body), options...)
	if _, err := d.ReadValue(); err != nil {
		return fmt.Errorf("read JSON: %w", err)
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON text")
	}
	return nil
}

// decode reads JSON, with json.Number for numbers.
func decode(body []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, fmt.Errorf("read JSON: %w", err)
	}
	return value, nil
}

func (v *verdict) characters(rfc, claim, expected, got string) {
	v.add(finding.Finding{Class: "C5", Severity: finding.Must, RFC: rfc, Claim: claim, Expected: expected, Got: got})
}

// text judges a body that is no JSON: that it is in the character set that it
// says, and, of plain text, that it keeps a schema of strings.
func (v *verdict) text(body []byte, media string, params map[string]string, content *openapi.MediaType) {
	charset, has := params["charset"]
	if has {
		if _, err := ianaindex.MIME.Encoding(charset); err != nil && !strings.EqualFold(charset, "utf8") {
			v.add(finding.Finding{
				Class: "C5", Severity: finding.Should, RFC: "RFC 9110 8.3.2", Claim: "The charset of Content-Type does not exist.",
				Expected: "a registered character set", Got: "charset=" + charset,
			})
			return
		}
	}
	switch {
	case strings.EqualFold(charset, "us-ascii") && bytes.ContainsFunc(body, func(c rune) bool { return c >= utf8.RuneSelf }):
		v.characters("RFC 9110 8.3.2", "The text is not in US-ASCII, as Content-Type says.", "US-ASCII", clip(body))
		return
	case strings.EqualFold(charset, "utf-8") && !utf8.Valid(body):
		v.characters("RFC 9110 8.3.2", "The text is not valid UTF-8, as Content-Type says.", "UTF-8", clip(body))
		return
	}
	if !strings.HasPrefix(media, "text/") || media == "text/event-stream" || content == nil || content.Schema == nil ||
		!slices.Equal(content.Schema.Types, []string{"string"}) || !utf8.Valid(body) {
		return
	}
	v.value(content.Schema, string(body))
}
