package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
)

// load reads a document, and refuses what is no OpenAPI 3.0.
func load(document []byte) (*openapi3.T, error) {
	loader := openapi3.NewLoader()
	doc, err := decode(document)
	if err == nil {
		err = loader.ResolveRefsIn(doc, nil)
	} else {
		// It is YAML, or something is wrong with it, which kin-openapi tells better.
		doc, err = loader.LoadFromData(document)
	}
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(loader.Context, openapi3.DisableExamplesValidation()); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.0.") {
		return nil, fmt.Errorf("OpenAPI %s, want 3.0", doc.OpenAPI)
	}
	return doc, nil
}

// decode decodes JSON. kin-openapi reads what is in an object several times more for
// each object around it, which would make up much of the time of a start. So it is given
// each path alone, and the components, two at a time.
func decode(document []byte) (*openapi3.T, error) {
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(document, &parts); err != nil {
		return nil, err
	}
	components, paths := parts["components"], parts["paths"]
	delete(parts, "components")
	delete(parts, "paths")
	rest, err := json.Marshal(parts)
	if err != nil {
		return nil, err
	}
	doc := new(openapi3.T)
	if err := json.Unmarshal(rest, doc); err != nil {
		return nil, err
	}
	var failed error
	var group sync.WaitGroup
	if components != nil {
		group.Go(func() { failed = json.Unmarshal(components, &doc.Components) })
	}
	doc.Paths, err = decodePaths(paths)
	group.Wait()
	return doc, errors.Join(err, failed)
}

func decodePaths(object []byte) (*openapi3.Paths, error) {
	var items map[string]json.RawMessage
	if object != nil {
		if err := json.Unmarshal(object, &items); err != nil {
			return nil, err
		}
	}
	if items == nil {
		return nil, nil //nolint:nilnil // there are none, which kin-openapi refuses later
	}
	paths := openapi3.NewPathsWithCapacity(len(items))
	for template, object := range items {
		if !strings.HasPrefix(template, "/") {
			return nil, errors.New(template + " is no path") // but an extension perhaps
		}
		item := new(openapi3.PathItem)
		if err := json.Unmarshal(object, item); err != nil {
			return nil, err
		}
		paths.Set(template, item)
	}
	return paths, nil
}
