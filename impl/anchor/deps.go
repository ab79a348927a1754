//go:build anchor

package anchor

import (
	_ "github.com/alecthomas/kong"
	_ "github.com/biter777/countries"
	_ "github.com/chromedp/chromedp"
	_ "github.com/elnormous/contenttype"
	_ "github.com/getkin/kin-openapi/openapi3"
	_ "github.com/go-json-experiment/json/jsontext"
	_ "github.com/gofrs/flock"
	_ "github.com/google/go-cmp/cmp"
	_ "github.com/google/uuid"
	_ "github.com/hashicorp/golang-lru/v2"
	_ "github.com/labstack/echo/v4"
	_ "github.com/nyaruka/phonenumbers"
	_ "github.com/oapi-codegen/runtime"
	_ "github.com/pressly/goose/v3"
	_ "github.com/realclientip/realclientip-go"
	_ "github.com/wneessen/go-mail"
	_ "go.uber.org/goleak"
	_ "golang.org/x/net/idna"
	_ "golang.org/x/text/cases"
	_ "golang.org/x/time/rate"
	_ "gopkg.in/yaml.v3"
	_ "modernc.org/sqlite"
)
