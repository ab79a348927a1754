package openapi

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

func TestWithChangesOneNode(t *testing.T) {
	t.Parallel()
	d := load(t, "testdata/shapes.yaml")
	const pointer = "/components/schemas/Tree/properties/name/maxLength"
	raw, err := d.With(pointer, func(n *yaml.Node) error {
		n.Value = "21"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	changed, err := Load("changed", raw)
	if err != nil {
		t.Fatal(err)
	}
	if got := changed.At(pointer).Value; got != "21" {
		t.Errorf("it is %s", got)
	}
	if got := d.At(pointer).Value; got != "20" {
		t.Errorf("the document itself was changed: %s", got)
	}
	back, err := changed.With(pointer, func(n *yaml.Node) error {
		n.Value = "20"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	again, err := Load("again", back)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Decode(d.At("")), Decode(again.At(""))); diff != "" {
		t.Errorf("something else was changed:\n%s", diff)
	}
}

func TestWithoutRemovesOneNode(t *testing.T) {
	t.Parallel()
	d := load(t, "testdata/shapes.yaml")
	for _, pointer := range []string{"/components/schemas/Tree/required/1", "/components/schemas/Tree/additionalProperties"} {
		raw, err := d.Without(pointer)
		if err != nil {
			t.Fatal(err)
		}
		changed, err := Load("changed", raw)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := len(changed.Clauses()), len(d.Clauses())-1; got != want {
			t.Errorf("%s: %d clauses are left of %d", pointer, got, want+1)
		}
	}
	for _, pointer := range []string{"", "/nothing", "/security/9", "/info/title/x"} {
		if _, err := d.Without(pointer); !errors.Is(err, ErrNoNode) {
			t.Errorf("%q: got %v", pointer, err)
		}
	}
}

func TestWithKeepsStrings(t *testing.T) {
	t.Parallel()
	const text = `{"openapi":"3.0.3","paths":{},"x-a":["true","1","null","2020-01-01","a\nb\u0000",1.50,1e3,"","~","\ud83d\ude00"]}`
	d, err := Load("x.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := d.With("/paths", func(*yaml.Node) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	again, err := Load("again", raw)
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	if diff := cmp.Diff(d.Extensions, again.Extensions); diff != "" {
		t.Error(diff)
	}
}
