package conformance_test

import (
	"bytes"
	"os"
	"testing"

	"cryptoexchange.com/escrow/conformance"
)

// TestDocument checks that what is embedded is the contract.
func TestDocument(t *testing.T) {
	t.Parallel()
	contract, err := os.ReadFile("../" + conformance.DocumentName)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(contract, conformance.Document) {
		t.Error("conformance/openapi.yaml is not the contract: run go generate ./...")
	}
}
