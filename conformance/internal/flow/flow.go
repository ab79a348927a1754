// Package flow runs the workflows of an Arazzo document: what a contract means
// by its operations together, which no document of single operations says. The
// engine is that of pb33f/libopenapi; what it asks for is sent by a session of
// package check, so that every answer is judged by the contract as well.
//
// A workflow gets its inputs from the defaults of its schema, and one more that
// needs no declaration: unique, a name that no run has used, of lower-case letters
// and digits.
package flow

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pb33f/libopenapi"
	"github.com/pb33f/libopenapi/arazzo"
	high "github.com/pb33f/libopenapi/datamodel/high/arazzo"

	"cryptoexchange.com/escrow/conformance/internal/check"
	"cryptoexchange.com/escrow/conformance/internal/finding"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// Probes reads an Arazzo document (1.0 or 1.1), and gives a probe for each of its
// workflows. name is what the document is called in messages.
func Probes(name string, raw []byte) (func(*check.Runner) []check.Probe, error) {
	doc, err := libopenapi.NewArazzoDocument(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(doc.Workflows) == 0 {
		return nil, fmt.Errorf("%s: it has no workflows", name)
	}
	return func(*check.Runner) []check.Probe {
		var all []check.Probe
		for _, w := range doc.Workflows {
			all = append(all, check.Probe{
				Name: "workflow " + w.WorkflowId, Class: "A4", Writes: true,
				Run: func(ctx context.Context, s *check.Session) { run(ctx, s, name, raw, w.WorkflowId) },
			})
		}
		return all
	}, nil
}

// run runs one workflow. The engine is not for several goroutines, and neither is
// the document that it reads: each run has its own.
func run(ctx context.Context, s *check.Session, name string, raw []byte, workflow string) {
	doc, err := libopenapi.NewArazzoDocument(raw)
	if err != nil {
		s.Skip(err.Error())
	}
	var sources []*arazzo.ResolvedSource
	for _, d := range doc.SourceDescriptions {
		sources = append(sources, &arazzo.ResolvedSource{Name: d.Name, URL: d.URL, Type: "openapi"})
	}
	engine := arazzo.NewEngine(doc, &executor{s: s}, sources)
	result, err := engine.RunWorkflow(ctx, workflow, inputs(s, doc, workflow))
	if ctx.Err() != nil {
		return
	}
	step := ""
	if result != nil {
		if result.Success {
			return
		}
		for _, r := range result.Steps {
			if !r.Success {
				step = r.StepId
				err = r.Error
			}
		}
	}
	s.Report(finding.Finding{
		Severity: finding.Must,
		Claim:    fmt.Sprintf("does not do what workflow %s of %s says at its step %q", workflow, name, step),
		Sent:     "the steps of the workflow, in order", Got: fmt.Sprint(err), Expected: "that the step's success criteria hold",
	}, 0)
}

// inputs are the defaults of a workflow's inputs, and what makes it unique.
func inputs(s *check.Session, doc *high.Arazzo, workflow string) map[string]any {
	values := map[string]any{"unique": s.Source.Unique()}
	for _, w := range doc.Workflows {
		if w.WorkflowId != workflow || w.Inputs == nil {
			continue
		}
		var schema struct {
			Properties map[string]struct {
				Default any `yaml:"default"`
			} `yaml:"properties"`
		}
		if w.Inputs.Decode(&schema) != nil {
			continue
		}
		for name, p := range schema.Properties {
			if p.Default != nil {
				values[name] = p.Default
			}
		}
	}
	return values
}

// executor sends what the engine asks for.
type executor struct{ s *check.Session }

// Execute implements [arazzo.Executor].
func (e *executor) Execute(ctx context.Context, req *arazzo.ExecutionRequest) (*arazzo.ExecutionResponse, error) {
	op := e.operation(req)
	if op == nil {
		return nil, fmt.Errorf("the document has no operation %s%s", req.OperationID, req.OperationPath)
	}
	d := e.s.NewDraft(op)
	d.Query, d.Header, d.Cookie = map[string]any{}, map[string]any{}, map[string]any{}
	for name, value := range req.Parameters {
		i := slices.IndexFunc(op.Parameters, func(p *openapi.Parameter) bool { return p.Name == name })
		if i < 0 {
			d.ExtraHeader = append(d.ExtraHeader, wire.Field{Name: name, Value: fmt.Sprint(value)})
			continue
		}
		d.Values(op.Parameters[i].In)[name] = plain(value)
	}
	d.HasBody = req.RequestBody != nil
	if d.HasBody {
		d.Body = plain(req.RequestBody)
		if text, ok := req.RequestBody.(string); ok && json.Valid([]byte(text)) {
			d.RawBody = []byte(text)
		}
		if req.ContentType != "" {
			d.ContentType = req.ContentType
		}
	} else {
		d.ContentType = ""
	}
	ex := e.s.Send(ctx, d)
	if ex.Response == nil {
		return nil, ex.Err
	}
	answer := &arazzo.ExecutionResponse{StatusCode: ex.Response.Status, Headers: map[string][]string{}, URL: ex.Request.Target, Method: op.Method}
	for _, f := range ex.Response.Header {
		answer.Headers[f.Name] = append(answer.Headers[f.Name], f.Value)
	}
	decoder := json.NewDecoder(bytes.NewReader(ex.Response.Body))
	if decoder.Decode(&answer.Body) != nil {
		answer.Body = string(ex.Response.Body)
	}
	return answer, nil
}

// plain makes decoded JSON, as drafts have it, of what the engine made of YAML.
func plain(value any) any {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var decoded any
	if decoder.Decode(&decoded) != nil {
		return fmt.Sprint(value)
	}
	return decoded
}

// operation finds what a step names: by id, or by the path of the operation in
// its document ({$sourceDescriptions.x.url}#/paths/~1things/get).
func (e *executor) operation(req *arazzo.ExecutionRequest) *openapi.Operation {
	id := req.OperationID
	if i := strings.LastIndexByte(id, '.'); strings.HasPrefix(id, "$") && i > 0 {
		id = id[i+1:]
	}
	_, pointer, _ := strings.Cut(req.OperationPath, "#")
	for _, op := range e.s.Document.Operations {
		if id != "" && op.ID == id || pointer != "" && op.Pointer == pointer {
			return op
		}
	}
	return nil
}
