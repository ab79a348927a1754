package checker_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/mail"
	"net/url"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"

	"cryptoexchange.com/escrow/gen/spec"
	"cryptoexchange.com/escrow/impl/internal/checker"
	"cryptoexchange.com/escrow/impl/internal/emailaddr"
	"cryptoexchange.com/escrow/impl/internal/strictjson"
)

var errFormat = errors.New("not of the format")

func parsed(_ any, err error) error { return err }

// formats are those that the service checks (package contract).
var formats = checker.Formats{
	"date":      func(s string) error { return parsed(time.Parse(time.DateOnly, s)) },
	"date-time": func(s string) error { return new(time.Time).UnmarshalText([]byte(s)) },
	"email":     func(s string) error { return parsed(mail.ParseAddress(s)) },
	"uuid": func(s string) error {
		if id, err := uuid.Parse(s); err != nil || id.String() != s {
			return errFormat
		}
		return nil
	},
	"uri": func(s string) error {
		if u, err := url.Parse(s); err != nil || !u.IsAbs() {
			return errFormat
		}
		return nil
	},
	"idn-email": emailaddr.Check,
}

var visitOptions = func() []openapi3.SchemaValidationOption {
	validators := make(map[string]openapi3.StringFormatValidator)
	for name, check := range formats {
		validators[name] = openapi3.NewCallbackValidator(check)
	}
	return []openapi3.SchemaValidationOption{
		openapi3.WithStringFormatValidators(validators), openapi3.DisableSchemaErrorDetails(), openapi3.FailFast(),
	}
}()

// authority is what decides: the strict reader, and kin-openapi.
func authority(s *openapi3.Schema, body []byte) error {
	value, faults := strictjson.Decode(body)
	if len(faults) > 0 {
		return fmt.Errorf("strict reader: %v", faults)
	}
	return s.VisitJSON(value, visitOptions...)
}

// subject is a schema, and what is to be compared to the authority.
type subject struct {
	name     string
	schema   *openapi3.Schema
	valid    func(document []byte) bool
	examples [][]byte
}

func load(t testing.TB, document []byte) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// documents are those whose schemas are tested: the contract as it is for
// requests, the contract with closed objects as it is for responses, and the zoo
// of what the contract does not have.
func documents(t testing.TB) map[string]*openapi3.T {
	t.Helper()
	zoo, err := os.ReadFile("testdata/zoo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	closed := load(t, spec.YAML)
	closeObjects(closed)
	return map[string]*openapi3.T{"contract": load(t, spec.YAML), "closed": closed, "zoo": load(t, zoo)}
}

var original struct {
	once sync.Once
	docs map[string]*openapi3.T
}

// originals are the documents as they are; nobody changes them.
func originals(t testing.TB) map[string]*openapi3.T {
	t.Helper()
	original.once.Do(func() { original.docs = documents(t) })
	return original.docs
}

// subjects are all schemas of the documents that a body may have. change may
// spoil the documents of which checkers are made; nil does not.
func subjects(t testing.TB, change func(*openapi3.Schema)) []subject {
	t.Helper()
	docs := originals(t)
	spoilt := docs
	if change != nil {
		spoilt = documents(t)
	}
	var all []subject
	for _, name := range slices.Sorted(maps.Keys(docs)) {
		original := schemasOf(docs[name])
		compiled := schemasOf(spoilt[name])
		if change != nil {
			eachSchema(spoilt[name], change)
		}
		seen := make(map[*openapi3.Schema]bool)
		for _, place := range slices.Sorted(maps.Keys(original)) {
			s := original[place]
			if seen[s] {
				continue
			}
			seen[s] = true
			c := checker.Compile(compiled[place], formats)
			all = append(all, subject{name: name + " " + place, schema: s, valid: c.Valid, examples: examplesOf(t, s)})
		}
	}
	return all
}

func examplesOf(t testing.TB, s *openapi3.Schema) [][]byte {
	t.Helper()
	if s.Example == nil {
		return nil
	}
	example, err := json.Marshal(s.Example)
	if err != nil {
		t.Fatal(err)
	}
	return [][]byte{example}
}

// schemasOf has the component schemas, and those of each body.
func schemasOf(doc *openapi3.T) map[string]*openapi3.Schema {
	all := make(map[string]*openapi3.Schema)
	for name, ref := range doc.Components.Schemas {
		all[name] = ref.Value
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if op.RequestBody != nil {
				for mediaType, media := range op.RequestBody.Value.Content {
					all[fmt.Sprintf("~ %s %s %s", method, path, mediaType)] = media.Schema.Value
				}
			}
			for status, r := range op.Responses.Map() {
				for mediaType, media := range r.Value.Content {
					all[fmt.Sprintf("~ %s %s %s %s", method, path, status, mediaType)] = media.Schema.Value
				}
			}
		}
	}
	return all
}

// eachSchema calls visit for every schema of a document once.
func eachSchema(doc *openapi3.T, visit func(*openapi3.Schema)) {
	seen := make(map[*openapi3.Schema]bool)
	var walk func(s *openapi3.Schema)
	walk = func(s *openapi3.Schema) {
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		visit(s)
		for _, ref := range childrenOf(s) {
			walk(ref.Value)
		}
	}
	all := schemasOf(doc)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		walk(all[name])
	}
}

func childrenOf(s *openapi3.Schema) []*openapi3.SchemaRef {
	children := slices.Concat(s.OneOf, s.AnyOf, s.AllOf)
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		children = append(children, s.Properties[name])
	}
	for _, ref := range []*openapi3.SchemaRef{s.Items, s.Not, s.AdditionalProperties.Schema} {
		if ref != nil {
			children = append(children, ref)
		}
	}
	return children
}

// closeObjects closes what package contract closes in responses.
func closeObjects(doc *openapi3.T) {
	seen := make(map[*openapi3.Schema]bool)
	var visit func(ref *openapi3.SchemaRef, part bool)
	visit = func(ref *openapi3.SchemaRef, part bool) {
		if ref == nil || ref.Value == nil || seen[ref.Value] {
			return
		}
		s := ref.Value
		seen[s] = true
		if len(s.Properties) > 0 && !part && len(s.AllOf) == 0 && s.AdditionalProperties.Has == nil && s.AdditionalProperties.Schema == nil {
			s.AdditionalProperties.Has = new(bool)
		}
		for _, p := range s.Properties {
			visit(p, false)
		}
		for _, b := range slices.Concat(s.OneOf, s.AnyOf) {
			visit(b, part)
		}
		for _, b := range s.AllOf {
			visit(b, true)
		}
		visit(s.Items, false)
		visit(s.AdditionalProperties.Schema, false)
	}
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			for _, r := range op.Responses.Map() {
				for _, media := range r.Value.Content {
					visit(media.Schema, false)
				}
			}
		}
	}
	visit(doc.Components.Schemas["Problem"], false)
}
