package check

import (
	"context"
	"slices"

	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
)

// references are the properties of a request's body that are ids of something
// else, and the operations that read it: the document says so
// ([openapi.ExtReference]), or the property is called as a path's parameter is.
func (r *Runner) references(op *openapi.Operation) map[string]*openapi.Operation {
	found := map[string]*openapi.Operation{}
	if op.Body == nil {
		return found
	}
	for _, content := range op.Body.Content {
		if content.Schema == nil {
			continue
		}
		for _, p := range content.Schema.Properties {
			id, _ := p.Schema.Extensions[openapi.ExtReference].(string) // what is no text is none
			for _, reader := range r.Document.Operations {
				templates := prefixes(reader.Path)
				if reader.ID == id || id == "" && reader.Method == "GET" && len(templates) == 1 && templates[0] == reader.Path && parameter(reader.Path) == p.Name && p.Name != "id" {
					found[p.Name] = reader
				}
			}
		}
	}
	return found
}

// refer lets a request name what is there.
func (s *Session) refer(ctx context.Context, d *generate.Draft) {
	body, ok := d.Body.(map[string]any)
	if !ok {
		return
	}
	for name, reader := range s.references(d.Op) {
		if _, sent := body[name]; !sent {
			continue
		}
		values, err := s.fixtures.resolve(ctx, s, reader, false)
		if err != nil {
			if !slices.Contains(required(d.Op), name) {
				delete(body, name)
			}
			continue
		}
		templates := prefixes(reader.Path)
		body[name] = values[parameter(templates[len(templates)-1])]
	}
}

// refers tells whether a case is about an id of something else: that it has the
// form of one does not make it one.
func (r *Runner) refers(c generate.Case) bool {
	for name := range r.references(c.Op) {
		if c.At == "/"+name {
			return true
		}
	}
	return false
}
