// Package spec embeds the contract, byte for byte as it stands in openapi.yaml,
// so that what is enforced, what is published and what is tested is one text.
package spec

import _ "embed"

//go:generate cp ../../openapi.yaml openapi.yaml
//go:generate go run ./internal/rules openapi.yaml rules.json

// YAML is the contract: an OpenAPI 3.0.3 document in YAML.
//
//go:embed openapi.yaml
var YAML []byte

// Rules are those parts of the contract that a program can enforce, in JSON: all
// but descriptions and examples. They are for a quick start; what they say is
// what [YAML] says.
//
//go:embed rules.json
var Rules []byte
