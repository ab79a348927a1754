package mutate

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/schema"
)

func TestFlips(t *testing.T) {
	t.Parallel()
	flips := flipsOf(t, small)
	got := map[string]string{}
	for i := range flips {
		if _, twice := got[flips[i].Name()]; twice {
			t.Errorf("two flips are called %s", flips[i].Name())
		}
		got[flips[i].Name()] = flips[i].Description
	}
	want := map[string]string{
		"/components/schemas/NewWidget/required/0 required removed":                        "name is not required",
		"/components/schemas/NewWidget/properties/size required added":                     "size is required",
		"/components/schemas/NewWidget/properties/name property renamed":                   "name -> flipped_name",
		"/components/schemas/NewWidget/properties/name/maxLength maxLength+1":              "maxLength 8 -> 9",
		"/components/schemas/NewWidget/properties/name/maxLength maxLength-1":              "maxLength 8 -> 7",
		"/components/schemas/NewWidget/properties/name/pattern pattern changed":            "^[a-z]{2,8}$ -> ^[^a-z]{2,8}$",
		"/components/schemas/NewWidget/properties/kind/enum enum value dropped":            "without square",
		"/components/schemas/NewWidget/properties/kind/enum enum value added":              "flipped_square is allowed",
		"/components/schemas/NewWidget/properties/size/maximum maximum-1":                  "maximum 5 -> 4",
		"/components/schemas/NewWidget/properties/note/nullable nullable removed":          "null is not allowed",
		"/components/schemas/NewWidget/properties/name/type nullable added":                "null is allowed",
		"/components/schemas/NewWidget/additionalProperties additionalProperties opened":   "further properties are allowed",
		"/components/schemas/Widget/properties/name/maxLength maxLength lowered":           "maxLength 2",
		"/components/schemas/Widget/properties/kind/enum enum value dropped":               "without round",
		"/components/schemas/Widget/properties/lost/format format changed":                 "date -> uuid",
		"/components/schemas/Widget/required/0 required renamed":                           "flipped_id is required",
		"/paths/~1widgets/post/responses/201 status removed":                               "201 is not declared",
		"/paths/~1widgets/post/responses/201/headers/Location header renamed":              "Location -> X-Flipped-Location",
		"/paths/~1widgets/post/responses/201/headers/X-Note header required":               "X-Note is required",
		"/paths/~1widgets/post/responses/201/content/application~1json media type renamed": "application/json -> application/vnd.flipped+json",
		"/paths/~1widgets/post/requestBody/required body not required":                     "the body may be left out",
		"/paths/~1widgets/post/parameters/0 parameter renamed":                             "dry -> flipped_dry",
		"/paths/~1widgets/post/parameters/0 parameter required":                            "dry is required",
		"/paths/~1widgets/post/security/0 security removed":                                "no credential is needed",
		"/paths/~1widgets~1{id}/get/security security added":                               "key is needed",
	}
	for name, description := range want {
		if diff := cmp.Diff(description, got[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for name := range got {
		if strings.Contains(name, "responses/500") || strings.Contains(name, "Widget/properties/note/type type changed") && strings.Contains(name, "/Widget/") {
			t.Errorf("there is a flip that nobody can see: %s", name)
		}
	}
}

func TestFlipsAreTheSameEachTime(t *testing.T) {
	t.Parallel()
	var names [2][]string
	for i := range names {
		for _, f := range flipsOf(t, small) {
			names[i] = append(names[i], f.Name()+": "+f.Description+f.Equivalent)
		}
	}
	if diff := cmp.Diff(names[0], names[1]); diff != "" {
		t.Errorf("two runs differ:\n%s", diff)
	}
}

// Each flipped document can be read, is another one, and differs in nothing but
// what was flipped: flipped again from the file, it is the same.
func TestDocumentsOfFlips(t *testing.T) {
	t.Parallel()
	doc := load(t, small)
	unchanged, err := (&Flip{doc: doc, edit: all()}).Document()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range flipsOf(t, small) {
		raw, err := f.Document()
		if err != nil {
			t.Errorf("%s: %v", f.Name(), err)
			continue
		}
		if bytes.Equal(raw, unchanged) {
			t.Errorf("%s changes nothing", f.Name())
		}
		flipped, err := openapi.Load("flipped.yaml", raw)
		if err != nil {
			t.Errorf("%s: %v", f.Name(), err)
			continue
		}
		if _, err := schema.New(flipped); err != nil {
			t.Errorf("%s: %v", f.Name(), err)
		}
	}
}

func TestLeft(t *testing.T) {
	t.Parallel()
	doc := load(t, small)
	seen, err := examples(doc)
	if err != nil {
		t.Fatal(err)
	}
	_, left := plan(doc, seen)
	got := map[string]string{}
	for _, l := range left {
		got[l.Pointer] = l.Why
	}
	want := map[string]string{
		"/components/schemas/NewWidget/properties/kind/type":                    "the values that are listed say the type, too",
		"/components/schemas/Widget/type":                                       nullWhy,
		"/components/schemas/Error/type":                                        nullWhy,
		"/paths/~1widgets/post/responses/408":                                   unseenWhy,
		"/paths/~1widgets/post/responses/500/content/application~1json":         unseenWhy,
		"/paths/~1widgets/post/responses/201/headers/Location/required":         looseWhy,
		"/paths/~1widgets/post/responses/201/headers/Location/schema/type":      nullWhy,
		"/paths/~1widgets/post/responses/201/headers/Location/schema/maxLength": valueWhy,
		"/paths/~1widgets/post/responses/201/headers/X-Note/schema/type":        nullWhy,
		"/paths/~1widgets~1{id}/get/parameters/0":                               "its name is in the template of the path, too, and says nothing else",
		"/components/schemas/Widget/properties/note/type":                       nullWhy,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("clauses without a flip (-want +got):\n%s", diff)
	}
}

// Every clause of the service's own document is flipped, or listed with a reason.
func TestOwnDocument(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi.Load("openapi.yaml", raw)
	if err != nil {
		t.Fatal(err)
	}
	seen, err := examples(doc)
	if err != nil {
		t.Fatal(err)
	}
	flips, left := plan(doc, seen)
	has := map[string]bool{}
	for i := range flips {
		has[flips[i].Pointer] = true
	}
	for _, l := range left {
		has[l.Pointer] = true
	}
	for _, c := range doc.Clauses() {
		if !has[c.Pointer] {
			t.Errorf("%s:%d: %s has neither a flip nor a reason why not", doc.Name, c.Position.Line, c.Pointer)
		}
	}
	for i := 0; i < len(flips); i += 397 {
		if raw, err = flips[i].Document(); err != nil {
			t.Errorf("%s: %v", flips[i].Name(), err)
		} else if _, err = openapi.Load("flipped.yaml", raw); err != nil {
			t.Errorf("%s: %v", flips[i].Name(), err)
		}
	}
	equivalent := slices.DeleteFunc(slices.Clone(flips), func(f Flip) bool { return f.Equivalent == "" })
	if n := len(equivalent); n*20 > len(flips) {
		t.Errorf("%d of %d flips are called equivalent: more than 5 %%", n, len(flips))
	}
}
