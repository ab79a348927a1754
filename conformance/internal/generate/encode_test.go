package generate

import (
	"encoding/json"
	"mime"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// TestStyles has the table of OpenAPI 3.0.3, 4.7.12.4, but that names of objects
// come in order, and that what is reserved is encoded.
func TestStyles(t *testing.T) {
	t.Parallel()
	array := []any{"blue", "black", "brown"}
	object := map[string]any{"R": json.Number("100"), "G": json.Number("200"), "B": json.Number("150")}
	for _, tt := range []struct {
		name, in, style string
		explode         bool
		value           any
		want            string
	}{
		{"matrix", "path", "matrix", false, "blue", ";color=blue"},
		{"matrix array", "path", "matrix", false, array, ";color=blue,black,brown"},
		{"matrix object", "path", "matrix", false, object, ";color=B,150,G,200,R,100"},
		{"matrix array exploded", "path", "matrix", true, array, ";color=blue;color=black;color=brown"},
		{"matrix object exploded", "path", "matrix", true, object, ";B=150;G=200;R=100"},
		{"label", "path", "label", false, "blue", ".blue"},
		{"label array", "path", "label", false, array, ".blue,black,brown"},
		{"label array exploded", "path", "label", true, array, ".blue.black.brown"},
		{"label object exploded", "path", "label", true, object, ".B=150.G=200.R=100"},
		{"simple", "path", "simple", false, "a/b c", "a%2Fb%20c"},
		{"simple array", "path", "simple", false, array, "blue,black,brown"},
		{"simple object", "path", "simple", false, object, "B,150,G,200,R,100"},
		{"simple object exploded", "path", "simple", true, object, "B=150,G=200,R=100"},
		{"form", "query", "form", true, "a&b=c+d", "color=a%26b%3Dc%2Bd"},
		{"form empty", "query", "form", true, "", "color="},
		{"form array", "query", "form", false, array, "color=blue,black,brown"},
		{"form object", "query", "form", false, object, "color=B,150,G,200,R,100"},
		{"form array exploded", "query", "form", true, array, "color=blue&color=black&color=brown"},
		{"form object exploded", "query", "form", true, object, "B=150&G=200&R=100"},
		{"spaces", "query", "spaceDelimited", false, array, "color=blue%20black%20brown"},
		{"pipes", "query", "pipeDelimited", false, array, "color=blue%7Cblack%7Cbrown"},
		{"deep", "query", "deepObject", true, object, "color%5BB%5D=150&color%5BG%5D=200&color%5BR%5D=100"},
		{"header", "header", "simple", false, array, "blue,black,brown"},
		{"header object exploded", "header", "simple", true, object, "B=150,G=200,R=100"},
		{"cookie", "cookie", "form", false, "blue", "color=blue"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := &openapi.Parameter{Name: "color", In: tt.in, Style: tt.style, Explode: tt.explode}
			d := &Draft{Op: &openapi.Operation{Path: "/c", Parameters: []*openapi.Parameter{p}}}
			values := map[string]any{"color": tt.value}
			var got string
			switch tt.in {
			case "path":
				d.Op.Path, d.Path = "/{color}", values
			case "query":
				d.Query = values
			case "header":
				d.Header = values
			case "cookie":
				d.Cookie = values
			}
			target, header, _, err := (&Source{}).Encode(d)
			if err != nil {
				t.Fatalf("encode: %v", err)
			}
			switch tt.in {
			case "path":
				got = target[1:]
			case "query":
				got = strings.TrimPrefix(target, "/c?")
			default:
				got = header[0].Value
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	value := map[string]any{"a": "x y&", "b": []any{json.Number("1"), json.Number("2")}, "c": map[string]any{"d": true}, "e": []any{}}
	for _, tt := range []struct{ contentType, want string }{
		{"application/json", `{"a":"x y&","b":[1,2],"c":{"d":true},"e":[]}`},
		{"application/merge-patch+json", `{"a":"x y&","b":[1,2],"c":{"d":true},"e":[]}`},
		{"application/x-www-form-urlencoded", `a=x%20y%26&b=1&b=2&c=%7B%22d%22%3Atrue%7D`},
	} {
		t.Run(tt.contentType, func(t *testing.T) {
			t.Parallel()
			d := &Draft{Op: &openapi.Operation{Path: "/"}, HasBody: true, Body: value, ContentType: tt.contentType}
			_, header, body, err := (&Source{}).Encode(d)
			if err != nil {
				t.Fatalf("encode: %v", err)
			}
			if diff := cmp.Diff(tt.want, string(body)); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]wire.Field{{Name: "Content-Type", Value: tt.contentType}}, header); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMultipart(t *testing.T) {
	t.Parallel()
	d := &Draft{Op: &openapi.Operation{Path: "/"}, HasBody: true, ContentType: "multipart/form-data",
		Body: map[string]any{"a": "x", "b": []any{"1", "2"}, "c": map[string]any{"d": true}}}
	_, header, body, err := (&Source{}).Encode(d)
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	_, parameters, err := mime.ParseMediaType(header[0].Value)
	if err != nil {
		t.Fatalf("content type: %v", err)
	}
	form, err := multipart.NewReader(strings.NewReader(string(body)), parameters["boundary"]).ReadForm(1 << 20)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	if diff := cmp.Diff(map[string][]string{"a": {"x"}, "b": {"1", "2"}, "c": {`{"d":true}`}}, form.Value); diff != "" {
		t.Errorf("form (-want +got):\n%s", diff)
	}
}

// TestReadBack has what text does to values.
func TestReadBack(t *testing.T) {
	t.Parallel()
	number := &openapi.Schema{Types: []string{"integer"}}
	text := &openapi.Schema{Types: []string{"string"}}
	list := &openapi.Schema{Types: []string{"array"}, Items: number}
	for _, tt := range []struct {
		name   string
		p      openapi.Parameter
		value  any
		want   any
		cannot bool
	}{
		{"a string for a number", openapi.Parameter{In: "query", Style: "form", Schema: number}, "1", json.Number("1"), false},
		{"a number for a string", openapi.Parameter{In: "query", Style: "form", Schema: text}, json.Number("1"), "1", false},
		{"true for a string", openapi.Parameter{In: "query", Style: "form", Schema: text}, true, "true", false},
		{"true for a number", openapi.Parameter{In: "query", Style: "form", Schema: number}, true, "true", false},
		{"null", openapi.Parameter{In: "query", Style: "form", Schema: text}, nil, nil, true},
		{"one for a list", openapi.Parameter{In: "query", Style: "form", Explode: true, Schema: list}, json.Number("1"), []any{json.Number("1")}, false},
		{"an empty list", openapi.Parameter{In: "query", Style: "form", Explode: true, Schema: list}, []any{}, nil, true},
		{"an empty segment", openapi.Parameter{In: "path", Style: "simple", Schema: text}, "", nil, true},
		{"a dot segment", openapi.Parameter{In: "path", Style: "simple", Schema: text}, "..", nil, true},
		{"a slash in a path", openapi.Parameter{In: "path", Style: "simple", Schema: text}, "a/b", nil, true},
		{"a space at the end of a header", openapi.Parameter{In: "header", Style: "simple", Schema: text}, "a ", nil, true},
		{"a newline in a header", openapi.Parameter{In: "header", Style: "simple", Schema: text}, "a\nb", nil, true},
		{"a semicolon in a cookie", openapi.Parameter{In: "cookie", Style: "form", Schema: text}, "a;b", nil, true},
		{"a separator in an item", openapi.Parameter{In: "query", Style: "form", Schema: &openapi.Schema{Types: []string{"array"}, Items: text}}, []any{"a,b"}, nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok := readBack(&tt.p, tt.value)
			if ok == tt.cannot {
				t.Fatalf("can be told: %v", ok)
			}
			if diff := cmp.Diff(tt.want, got); ok && diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
