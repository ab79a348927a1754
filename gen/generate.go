// Package gen is the partner's side of the contract, generated from
// openapi.yaml: the models, and a client that speaks HTTP with nothing but the
// standard library.
//
// It depends on no server framework and no validator, so that a partner's
// program can import it. What only the service needs is in gen/server; the
// document itself is in gen/spec; the types of values that JSON schema cannot
// name for Go are in gen/scalar. Everything but this file and gen/scalar is
// written by
//
//	go generate ./...
package gen

//go:generate go tool oapi-codegen -config ../oapi-codegen.yaml ../openapi.yaml
