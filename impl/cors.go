package impl

import (
	"strings"

	"github.com/labstack/echo/v4"

	"cryptoexchange.com/escrow/impl/internal/cors"
)

// share lets pages of the listed origins call the API; nil if there are none.
func (c *Config) share() echo.MiddlewareFunc {
	if len(c.CORSOrigins) == 0 {
		return nil
	}
	return cors.Middleware(c.CORSOrigins, isShared)
}

// isShared tells what is for programs, and may be shared: the API and the
// contract. The customers' pages and their e-mails are for people.
func isShared(path string) bool {
	return path == APIPath || strings.HasPrefix(path, APIPath+"/") || path == "/openapi.yaml" || path == "/openapi.json"
}
