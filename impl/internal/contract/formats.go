package contract

import (
	"errors"
	"maps"
	"net/url"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"
)

var errFormat = errors.New("not of the format")

// formats are those of OpenAPI and JSON Schema that kin-openapi by itself does
// not check, or checks by a pattern that lets 31 February pass.
var formats = map[string]func(string) error{
	"date": func(s string) error { return parsed(time.Parse(time.DateOnly, s)) },
	"date-time": func(s string) error {
		return parsed(time.Parse(time.RFC3339Nano, s))
	},
	"uuid": func(s string) error {
		if id, err := uuid.Parse(s); err != nil || id.String() != s {
			return errFormat
		}
		return nil
	},
	"uri": func(s string) error {
		if u, err := url.Parse(s); err != nil || !u.IsAbs() {
			return errFormat
		}
		return nil
	},
}

// parsed hides an error that quotes what it is about.
func parsed(_ time.Time, err error) error {
	if err != nil {
		return errFormat
	}
	return nil
}

func visitOptions(more map[string]func(string) error) []openapi3.SchemaValidationOption {
	checks := maps.Clone(formats)
	maps.Copy(checks, more)
	validators := make(map[string]openapi3.StringFormatValidator, len(checks))
	for name, check := range checks {
		validators[name] = openapi3.NewCallbackValidator(check)
	}
	return []openapi3.SchemaValidationOption{
		openapi3.WithStringFormatValidators(validators),
		openapi3.DisableSchemaErrorDetails(), // they quote the value, and their size is that of the value squared
	}
}
