package mutate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cryptoexchange.com/escrow/conformance/internal/check"
	"cryptoexchange.com/escrow/conformance/internal/schema"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// widgets keeps the small document.
func widgets(t *testing.T) *url.URL {
	t.Helper()
	mux := http.NewServeMux()
	problem := func(w http.ResponseWriter, status int, code string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"code":%q}`, code)
	}
	mux.HandleFunc("POST /widgets", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Key") != "secret" {
			problem(w, http.StatusUnauthorized, "who")
			return
		}
		body := new(bytes.Buffer)
		if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
			problem(w, http.StatusUnsupportedMediaType, "media")
			return
		}
		if _, err := body.ReadFrom(r.Body); err != nil || !keepsWidget(body.Bytes()) || !keepsQuery(r) {
			problem(w, http.StatusBadRequest, "invalid")
			return
		}
		var widget map[string]any
		_ = json.Unmarshal(body.Bytes(), &widget) // it was parsed before
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Location", "/widgets/7")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"id":7,"name":%q,"kind":%q,"note":null}`, widget["name"], widget["kind"])
	})
	mux.HandleFunc("GET /widgets/{id}", func(w http.ResponseWriter, r *http.Request) {
		switch id, err := strconv.ParseInt(r.PathValue("id"), 10, 64); {
		case err != nil || id < 1:
			problem(w, http.StatusBadRequest, "invalid")
		case id != 7:
			problem(w, http.StatusNotFound, "none")
		default:
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"id":7,"name":"abc","kind":"round","note":null}`)
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return base
}

func keepsQuery(r *http.Request) bool {
	values, sent := r.URL.Query()["dry"]
	return !sent || len(values) == 1 && (values[0] == "true" || values[0] == "false")
}

var lower = regexp.MustCompile(`^[a-z]{2,8}$`)

// keepsWidget is what NewWidget says, written by hand.
func keepsWidget(raw []byte) bool {
	v, err := schema.Parse(raw)
	widget, ok := v.(map[string]any)
	if err != nil || !ok {
		return false
	}
	name, _ := widget["name"].(string)
	kind, _ := widget["kind"].(string)
	if !lower.MatchString(name) || kind != "round" && kind != "square" {
		return false
	}
	for key, v := range widget {
		switch key {
		case "name", "kind":
		case "size":
			n, ok := v.(json.Number)
			if f, err := n.Float64(); !ok || err != nil || f != float64(int(f)) || f < 1 || f > 5 {
				return false
			}
		case "note":
			if text, ok := v.(string); v != nil && (!ok || len([]rune(text)) > 20) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

func options(t *testing.T) Options {
	t.Helper()
	base := widgets(t)
	return Options{Workers: 2, Check: check.Config{
		Document: load(t, small), Base: base, Workers: 2, Own: map[string]string{"key": "secret"},
		Client: wire.New(base, wire.Options{Timeout: 5 * time.Second}),
		Wanted: func(p *check.Probe) bool { return !p.Late && !p.Alone },
	}}
}

func TestRun(t *testing.T) {
	t.Parallel()
	result, err := Run(t.Context(), options(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range result.Control.Findings {
		t.Logf("the control has a finding: %s %s %s", f.Class, f.Pointer, f.Claim)
	}
	var survivors []string
	for _, o := range result.Survivors() {
		survivors = append(survivors, o.Name())
	}
	want := []string{
		// The server does not give this property.
		"/components/schemas/Widget/properties/lost property renamed",
		"/components/schemas/Widget/properties/lost/format format changed",
		"/components/schemas/Widget/properties/lost/type type changed",
	}
	slices.Sort(survivors)
	if diff := cmp.Diff(want, survivors); diff != "" {
		t.Errorf("survivors (-want +got):\n%s", diff)
	}
	for _, o := range result.Outcomes {
		if o.Killed && (o.By == "" || o.Found.Class == "" || o.Requests == 0) {
			t.Errorf("%s was killed by nobody: %+v", o.Name(), o)
		}
	}
}

// Without the probes of a clause its flips survive.
func TestRunWithoutProbes(t *testing.T) {
	t.Parallel()
	o := options(t)
	o.Check.Wanted = func(p *check.Probe) bool { return !strings.Contains(p.Name, "/maximum") && !p.Late && !p.Alone }
	result, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range result.Outcomes {
		if o.Keyword == "maximum" && o.Killed {
			t.Errorf("%s was killed by %s, though no probe is of it", o.Name(), o.By)
		}
		if strings.Contains(o.Pointer, "size/minimum") && !o.Killed {
			t.Errorf("%s survived: %s", o.Name(), o.Why())
		}
	}
}

func TestRunOfASample(t *testing.T) {
	t.Parallel()
	var names [2][]string
	for i := range names {
		o := options(t)
		o.Sample, o.Seed = 5, 42
		result, err := Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if len(result.Outcomes) != 5 || result.All <= 5 {
			t.Fatalf("%d of %d flips were tried, want 5 of more", len(result.Outcomes), result.All)
		}
		for _, x := range result.Outcomes {
			names[i] = append(names[i], x.Name())
		}
	}
	if diff := cmp.Diff(names[0], names[1]); diff != "" {
		t.Errorf("the same seed chooses others:\n%s", diff)
	}
}

func TestRunEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, options(t)); err == nil {
		t.Error("a run that was broken off gives no error")
	}
}
