package generate

import "cryptoexchange.com/escrow/conformance/internal/openapi"

// faults are the pointers of the clauses of a schema that a value breaks.
func (s *Source) faults(schema *openapi.Schema, value any, dir openapi.Direction) []string {
	if s.judge == nil {
		return nil
	}
	return s.judge(schema, value, dir)
}
