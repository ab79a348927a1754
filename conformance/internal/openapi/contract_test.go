package openapi

import "testing"

func TestTheContractOfThisRepository(t *testing.T) {
	t.Parallel()
	d := load(t, "../../../openapi.yaml")
	clauses := d.Clauses()
	kinds := map[string]int{}
	for _, c := range clauses {
		kinds[c.Keyword]++
		if d.At(c.Pointer) == nil {
			t.Errorf("%s: there is nothing there", c.Pointer)
		}
		if c.Position.Line == 0 || len(c.Requests)+len(c.Answers) == 0 {
			t.Errorf("%s: %+v", c.Pointer, c)
		}
	}
	if len(d.Operations) < 30 || len(clauses) < 1000 {
		t.Errorf("%d operations, %d clauses: some were not read", len(d.Operations), len(clauses))
	}
	t.Logf("%d operations, %d clauses: %v", len(d.Operations), len(clauses), kinds)
}
