package httpapi

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	openapi_types "github.com/oapi-codegen/runtime/types"

	"cryptoexchange.com/escrow/gen"
	"cryptoexchange.com/escrow/gen/scalar"
	"cryptoexchange.com/escrow/gen/server"
)

// TestEncode holds what is written by hand to what encoding/json writes: with
// nothing that may be absent, and with everything.
func TestEncode(t *testing.T) {
	t.Parallel()
	var all gen.Customer
	n := fill(reflect.ValueOf(&all).Elem(), 0)
	if n < 40 {
		t.Fatalf("only %d values were set", n)
	}
	some := all
	some.DisbursementMethods = nil
	for name, c := range map[string]gen.Customer{"nothing": {}, "all": all, "without methods": some} {
		got := httptest.NewRecorder()
		if err := (customerResponse{server.GetCustomer200JSONResponse{Body: c}}).VisitGetCustomerResponse(got); err != nil {
			t.Fatal(err)
		}
		if c.DisbursementMethods == nil {
			c.DisbursementMethods = []gen.DisbursementMethod{} // null is not of the contract
		}
		want, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(decoded(t, want), decoded(t, got.Body.Bytes())); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

func decoded(t *testing.T, document []byte) (value any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		t.Fatalf("%v: %s", err, document)
	}
	return value
}

// fill sets everything to something, each time to something else, and tells how
// many values there are.
func fill(v reflect.Value, n int) int {
	at := time.Unix(1_700_000_000+int64(n), 123_456_000).UTC()
	switch v.Interface().(type) {
	case scalar.Timestamp:
		v.Set(reflect.ValueOf(scalar.Timestamp{Time: at}))
		return n + 1
	case openapi_types.Date:
		v.Set(reflect.ValueOf(openapi_types.Date{Time: at}))
		return n + 1
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return fill(v.Elem(), n)
	case reflect.Struct:
		for i := range v.NumField() {
			n = fill(v.Field(i), n)
		}
		return n
	case reflect.Array: // a UUID
		v.Index(0).SetUint(uint64(n))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		return fill(v.Index(0), n)
	case reflect.String:
		v.SetString("<é\U0001F600\"\\\n" + string(rune('a'+n%26)))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(1000 + n))
	default:
		panic("nothing to set a " + v.Type().String() + " to")
	}
	return n + 1
}

// TestEncodeOrder checks that properties come in the order in which the API was
// documented first (testdata/order.txt).
func TestEncodeOrder(t *testing.T) {
	t.Parallel()
	documented, err := os.ReadFile("testdata/order.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(`\w+`).FindAllString(string(documented), -1)
	got := httptest.NewRecorder()
	if err := writeCustomer(got, 200, &gen.Customer{}); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, match := range regexp.MustCompile(`"(\w+)":`).FindAllStringSubmatch(got.Body.String(), -1) {
		names = append(names, match[1])
	}
	if !slices.Equal(names[:len(want)], want) {
		t.Errorf("got %v\nwant %v", names, want)
	}
}

func BenchmarkEncode(b *testing.B) {
	var c gen.Customer
	fill(reflect.ValueOf(&c).Elem(), 0)
	c.DisbursementMethods = nil
	b.Run("by hand", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			e := encoder{b: make([]byte, 0, 2048)}
			e.customer(&c)
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = json.Marshal(c)
		}
	})
}
