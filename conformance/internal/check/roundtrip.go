package check

import (
	"context"
	"net/http"
	"slices"

	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// spot is a place in a body, and the schema of what is there.
type spot struct {
	at     string // RFC 6901
	schema *openapi.Schema
}

// spots are the places of scalars in a body of a schema that a client may write:
// properties, and properties of objects that are properties.
func spots(schema *openapi.Schema) []spot {
	return spotsBelow(schema, "", 0)
}

func spotsBelow(schema *openapi.Schema, at string, depth int) []spot {
	if depth > 4 {
		return nil
	}
	var all []spot
	for _, p := range propertiesOf(schema, 0) {
		switch place := openapi.Join(at, p.Name); {
		case p.Schema == nil || p.Schema.ReadOnly || p.Schema.Never:
		case len(propertiesOf(p.Schema, 0)) > 0:
			all = append(all, spotsBelow(p.Schema, place, depth+1)...)
		default:
			all = append(all, spot{place, p.Schema})
		}
	}
	return all
}

// isA tells whether values at the spot are of a type, and only of that.
func (p spot) isA(typ string) bool {
	return slices.Equal(p.schema.Types, []string{typ}) && len(p.schema.Enum) == 0 && p.schema.Const == nil &&
		len(p.schema.OneOf) == 0 && len(p.schema.AnyOf) == 0
}

// freeText tells whether a spot is for text of any kind. What its name says is
// something else (an address for e-mails, a secret) is none.
func (p spot) freeText() bool {
	tokens := openapi.Split(p.at)
	name := tokens[len(tokens)-1]
	return p.isA("string") && p.schema.Format == "" && p.schema.Pattern == "" && p.schema.ContentEncoding == "" &&
		!p.schema.WriteOnly && !secretive.MatchString(name) && !managed.MatchString(name)
}

// putAt sets a value in a body; the object that it belongs to must be there.
func putAt(body any, pointer string, value any) bool {
	tokens := openapi.Split(pointer)
	if len(tokens) == 0 {
		return false
	}
	object, found := pick(body, openapi.Join("", tokens[:len(tokens)-1]...))
	members, isObject := object.(map[string]any)
	if !found || !isObject {
		return false
	}
	members[tokens[len(tokens)-1]] = value
	return true
}

// trip is a body that was sent, and where it was seen again.
type trip struct {
	sent    any
	ex      *wire.Exchange // of the request
	answers []pair         // bodies that are what was sent, or contain it
}

// roundTrip sends a body with some values changed to an operation, and looks at what
// comes of it: in the answer, and in what is read afterwards. It gives nil if the
// values do not fit into a valid body.
func (s *Session) roundTrip(ctx context.Context, op *openapi.Operation, values map[string]any) *trip {
	schema := bodySchema(op)
	t := &trip{}
	fits := true
	change := func(d *generate.Draft) {
		body := copyJSON(d.Body)
		for at, value := range values {
			if !putAt(body, at, value) { // what it belongs to is optional
				body = copyJSON(s.Source.Draft(op, generate.Full).Body)
				fits = fits && putAt(body, at, value)
			}
		}
		if !s.keeps(schema, body, openapi.Request) {
			fits = false
		}
		d.Body, t.sent = body, body
	}
	if probe := s.NewDraft(op); !probe.HasBody || !isJSON(probe.ContentType) {
		return nil
	} else if change(probe); !fits {
		return nil
	}
	t.ex = s.carry(ctx, op, change, t)
	if OK(t.ex) {
		t.answers = append([]pair{{bodyOf(t.ex), answerSchema(op, Status(t.ex))}}, t.answers...)
	}
	return t
}

// carry sends what roundTrip made in the way that fits the operation: it creates
// something, changes something that was created, or what is there once.
func (s *Session) carry(ctx context.Context, op *openapi.Operation, change func(*generate.Draft), t *trip) *wire.Exchange {
	for _, resource := range s.kinds() {
		if s.maker(resource) == op {
			made, ex := s.makeThing(ctx, resource, Own, change)
			if made != nil {
				s.see(ctx, made, t)
			}
			return ex
		}
	}
	if slices.Contains(s.kinds(), op.Path) && (op.Method == http.MethodPut || op.Method == http.MethodPatch) {
		made := s.mustMake(ctx, op.Path, Own)
		d := s.plain(op, made.values)
		change(d)
		s.condition(ctx, d, made)
		ex := s.Send(ctx, d)
		if OK(ex) {
			s.see(ctx, made, t)
		}
		return ex
	}
	d := s.there(ctx, op, false)
	change(d)
	ex := s.Send(ctx, d)
	if read := s.at(http.MethodGet, op.Path); read != nil && OK(ex) && (op.Method == http.MethodPut || op.Method == http.MethodPatch) {
		again := s.Send(ctx, s.there(ctx, read, false))
		t.answers = append(t.answers, pair{bodyOf(again), answerSchema(read, Status(again))})
	}
	return ex
}

// see looks at what was created or changed.
func (s *Session) see(ctx context.Context, made *thing, t *trip) {
	if st := s.look(ctx, made, Own); st.seen() {
		t.answers = append(t.answers, pair{st.body, st.schema})
	}
}

// echoes gives the texts or numbers that came back for a spot.
func (t *trip) echoes(at string) []any {
	var all []any
	for _, answer := range t.answers {
		if v, has := pick(answer.value, at); has && v != nil {
			all = append(all, v)
		}
	}
	return all
}
