package report

import (
	"bytes"
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// object is one of JSON, written with sorted names.
type object = map[string]any

// SARIF writes the findings in SARIF 2.1.0 (OASIS, 27 March 2020): each is located
// in the OpenAPI document, where the clause is that the server breaks. Rules are
// the classes of the catalogue.
func SARIF(w io.Writer, r *Result) error {
	classes := finding.Classes()
	index := map[string]int{}
	rules := make([]any, len(classes))
	for i, c := range classes {
		index[c.ID] = i
		rules[i] = object{
			"id": c.ID, "name": ruleName(c.Group), "shortDescription": object{"text": c.Name + "."},
			"fullDescription":      object{"text": c.Name + ". What makes it a mistake: " + authority(c.Authority) + "."},
			"defaultConfiguration": object{"level": "error"},
			"properties":           object{"tags": []string{c.Group}},
		}
	}
	all := r.views()
	results := make([]any, len(all))
	for i := range all {
		results[i] = r.sarifResult(&r.Findings[i], &all[i], index)
	}
	level := "none"
	if r.Ended != "" {
		level = "warning"
	}
	invocation := object{
		"executionSuccessful": r.Ended == "",
		"startTimeUtc":        r.Started.UTC().Format(time.RFC3339), "endTimeUtc": r.Started.Add(r.Took).UTC().Format(time.RFC3339),
	}
	if r.Ended != "" {
		invocation["toolExecutionNotifications"] = []any{object{"level": level, "message": object{"text": "The run ended early: " + single(r.Ended)}}}
	}
	log := object{
		"$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		"version": "2.1.0",
		"runs": []any{object{
			"tool":              object{"driver": object{"name": Tool, "semanticVersion": semantic(r.ToolVersion), "rules": rules}},
			"invocations":       []any{invocation},
			"artifacts":         []any{object{"location": artifact(r.Document.File)}},
			"automationDetails": object{"id": Tool + "/" + Clean(r.Document.Title) + "/"},
			"columnKind":        "unicodeCodePoints",
			"properties":        object{"seed": r.Seed, "requests": r.Requests, "clauses": len(r.Clauses), "judged": r.Counts().Judged},
			"results":           results,
		}},
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	if err := e.Encode(log); err != nil {
		return err //nolint:wrapcheck // it cannot be: everything in it is made here
	}
	return flush(w, &b)
}

func (r *Result) sarifResult(f *finding.Finding, v *view, index map[string]int) object {
	text := v.Where() + ": " + v.Claim + "."
	for _, part := range []struct{ name, value string }{{"Clause", v.Authority()}, {"Sent", v.Sent}, {"Expected", v.Expected}, {"Got", v.Got}, {"Seen at", v.Also(annotationPlaces)}, {"Again", v.Replay}} {
		if part.value != "" {
			text += "\n" + part.name + ": " + part.value
		}
	}
	result := object{
		"ruleId": v.Class, "level": map[finding.Severity]string{finding.Must: "error", finding.Should: "warning", finding.Advice: "note"}[f.Severity],
		"message":             object{"text": text},
		"partialFingerprints": object{"conformanceFinding/v1": v.ID},
		"locations": []any{object{
			"physicalLocation": object{"artifactLocation": artifact(r.Document.File), "region": object{"startLine": max(v.Line, 1), "startColumn": max(v.Column, 1)}},
			"logicalLocations": []any{object{"fullyQualifiedName": v.Where() + " " + v.Pointer, "name": v.Where(), "kind": "function"}},
		}},
		"relatedLocations": related(r, v),
		"occurrenceCount":  v.Seen,
		"properties":       object{"reproduced": v.Reproduced, "flaky": f.Flaky, "curl": v.Curls},
	}
	if i, ok := index[v.Class]; ok {
		result["ruleIndex"] = i
	}
	if r.Baseline != nil {
		result["baselineState"] = "new"
		if r.Known(f.ID) {
			result["baselineState"] = "unchanged"
			result["suppressions"] = []any{object{"kind": "external", "justification": v.Note}}
		}
	}
	if n := len(f.Steps); n > 0 {
		ex := r.Mask.Exchange(f.Steps[n-1])
		if ex.Request != nil {
			result["webRequest"] = object{"protocol": "HTTP", "version": "1.1", "method": Clean(ex.Request.Method), "target": Clean(ex.Request.Target), "headers": headers(ex.Request.Header), "body": content(ex.Request.Body)}
		}
		if a := ex.Response; a != nil {
			_, version, _ := strings.Cut(a.Proto, "/")
			result["webResponse"] = object{"protocol": "HTTP", "version": version, "statusCode": a.Status, "headers": headers(a.Header), "body": content(a.Body)}
		}
	}
	return result
}

// related are all places of a mistake that was seen in several.
func related(r *Result, v *view) []any {
	all := []any{}
	for i, p := range v.Places {
		where := p.Operation
		if where == "" {
			where = "the whole server"
		}
		all = append(all, object{
			"id": i + 1, "message": object{"text": where + ": " + p.Claim + "."},
			"physicalLocation": object{"artifactLocation": artifact(r.Document.File), "region": object{"startLine": max(p.Line, 1), "startColumn": max(p.Column, 1)}},
			"logicalLocations": []any{object{"fullyQualifiedName": where + " " + p.Pointer, "name": where, "kind": "function"}},
		})
	}
	return all
}

// headers joins lines of one name, for SARIF has an object.
func headers(fields []wire.Field) map[string]string {
	all := map[string]string{}
	for _, f := range fields {
		name, value := Clean(f.Name), Clean(f.Value)
		if old, ok := all[name]; ok {
			value = old + ", " + value
		}
		all[name] = value
	}
	return all
}

// content is SARIF's artifactContent, with no more of a body than is shown.
func content(body []byte) object {
	cut := body[:min(len(body), longestBody)]
	if text := whole(string(cut)); utf8.ValidString(text) {
		return object{"text": Clean(text)}
	}
	return object{"binary": cut} // base64 in JSON
}

func artifact(file string) object {
	u := url.URL{Path: filepath.ToSlash(file)}
	location := object{"uri": u.String()}
	if !filepath.IsAbs(file) {
		location["uriBaseId"] = "%SRCROOT%"
	}
	return location
}

// ruleName is in Pascal case, as SARIF likes names.
func ruleName(group string) string {
	var b strings.Builder
	for _, word := range strings.Fields(group) {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

func authority(a finding.Authority) string {
	var parts []string
	for _, p := range []struct {
		a    finding.Authority
		text string
	}{{finding.Contract, "a clause of the document"}, {finding.Standard, "an RFC"}, {finding.OptIn, "what the user declared"}} {
		if a.Has(p.a) {
			parts = append(parts, p.text)
		}
	}
	return strings.Join(parts, ", or ")
}

// semantic is a version that SARIF takes.
func semantic(version string) string {
	if version = strings.TrimPrefix(version, "v"); version != "" && version[0] >= '0' && version[0] <= '9' {
		return version
	}
	return "0.0.0"
}
