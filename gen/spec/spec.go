// Package spec embeds the contract, byte for byte as it stands in openapi.yaml,
// so that what is enforced, what is published and what is tested is one text.
package spec

import _ "embed"

//go:generate cp ../../openapi.yaml openapi.yaml

// YAML is the contract: an OpenAPI 3.0.3 document in YAML.
//
//go:embed openapi.yaml
var YAML []byte
