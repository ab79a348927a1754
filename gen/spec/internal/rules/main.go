// Command rules writes those parts of an OpenAPI document that a program can
// enforce, as JSON: everything but what is there for people to read. It is read
// in a fraction of the time that the whole document takes, which is most of the
// time that the service takes to start.
//
//	rules DOCUMENT.yaml RULES.json
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"gopkg.in/yaml.v3"
)

func main() { os.Exit(start()) }

func start() int {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: rules DOCUMENT.yaml RULES.json")
		return 2
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "rules:", err)
		return 1
	}
	return 0
}

func run(from, to string) error {
	document, err := os.ReadFile(from) //nolint:gosec // the file that it is asked to read
	if err != nil {
		return err
	}
	rules, err := extract(document)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	return os.WriteFile(to, append(rules, '\n'), 0o644) //nolint:gosec // a source file
}

// extract gives the rules of a document in YAML.
func extract(document []byte) ([]byte, error) {
	var root map[string]any
	if err := yaml.Unmarshal(document, &root); err != nil {
		return nil, err
	}
	strip(root)
	return json.Marshal(root)
}

// Fixed fields of OpenAPI 3.0.3 (§4.7) that are for people.
var forPeople = []string{"description", "summary", "example", "examples", "externalDocs", "tags", "x-order"}

// Fields that are maps, whose keys are names and not fields.
var maps = map[string]bool{
	"properties": true, "headers": true, "responses": true, "schemas": true, "parameters": true,
	"content": true, "mapping": true, "paths": true, "requestBodies": true, "securitySchemes": true,
	"callbacks": true, "links": true, "variables": true, "scopes": true, "encoding": true,
}

// strip removes what is for people, in an object of the document and in all that
// are in it.
func strip(object map[string]any) {
	for _, field := range forPeople {
		delete(object, field)
	}
	for name, value := range object {
		named, isMap := value.(map[string]any)
		switch {
		case isMap && maps[name]:
			for _, each := range named {
				descend(each)
			}
			if name == "responses" {
				describe(named)
			}
		default:
			descend(value)
		}
	}
}

func descend(value any) {
	switch value := value.(type) {
	case map[string]any:
		strip(value)
	case []any:
		for _, each := range value {
			descend(each)
		}
	}
}

// describe gives responses the description that they must have.
func describe(responses map[string]any) {
	for _, each := range responses {
		if response, ok := each.(map[string]any); ok && response["$ref"] == nil {
			response["description"] = ""
		}
	}
}
