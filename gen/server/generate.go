// Package server is the service's side of the contract, generated from
// openapi.yaml: the interface with one method for each operation, whose results
// can only be responses that the contract declares, and their routes on Echo.
//
// The models are those of package gen.
package server

//go:generate go tool oapi-codegen -config oapi-codegen.yaml ../../openapi.yaml
