package check

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the algorithm of RFC 6238
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"cryptoexchange.com/escrow/conformance/internal/generate"
	"cryptoexchange.com/escrow/conformance/internal/openapi"
	"cryptoexchange.com/escrow/conformance/internal/wire"
)

// journeyProbes live the life of a customer, if the server's e-mails can be read:
// every operation that only a customer can call is called, once and as it is meant,
// by somebody who knows what they were told. What such operations answer when all
// goes well could not be judged otherwise: a password that is right, a code of an
// authenticator, a link that was sent. Lives are the probe's own: what ends one
// ends nobody else's.
func journeyProbes(r *Runner) []Probe {
	scheme := r.cookieScheme()
	if r.Mailbox == "" || scheme == nil {
		return nil
	}
	return []Probe{
		{Name: "journey member", Class: "H1", Writes: true, Run: func(ctx context.Context, s *Session) {
			l := &life{Session: s, scheme: scheme}
			l.members(ctx)
		}},
		{Name: "journey mail", Class: "H1", Writes: true, Clauses: guardedLinks(r.Document), Run: func(ctx context.Context, s *Session) {
			l := &life{Session: s, scheme: scheme}
			l.letters(ctx)
		}},
	}
}

// guardedLinks are the clauses of credentials of operations that could take what a link
// tells: whoever has the link tries them without one.
func guardedLinks(doc *openapi.Document) []string {
	var all []string
	for _, op := range doc.Operations {
		if op.Method == http.MethodPost && !Public(op) && len(required(op)) > 0 {
			all = append(all, securityClauses(op)...)
		}
	}
	return all
}

// cookieScheme is the security scheme whose credential a log-in sets.
func (r *Runner) cookieScheme() *openapi.SecurityScheme {
	for _, op := range r.Document.Operations {
		for _, alternative := range op.Security {
			for id := range alternative {
				if s := r.Document.Schemes[id]; s != nil && s.Type == "apiKey" && s.In == "cookie" {
					return s
				}
			}
		}
	}
	return nil
}

// life is one customer's.
type life struct {
	*Session
	scheme *openapi.SecurityScheme

	known   map[string]any
	cookie  string
	secret  []byte    // of the authenticator; nil: none
	own     *fixtures // what this customer has
	created *wire.Exchange
}

// begin begins another life.
func (l *life) begin(ctx context.Context) {
	l.secret, l.own = nil, newFixtures(l.Document, "")
	l.cookie, l.known, l.created = l.fixtures.persona.arrive(ctx, l.Session, l.scheme.Name)
	if l.cookie == "" {
		l.Skip("no way from an e-mail to a session was found")
	}
}

// members calls what needs the session: against the order of the document at
// first, when it is too early for much, and then in its order, which tells a life
// from its beginning.
func (l *life) members(ctx context.Context) {
	l.begin(ctx)
	var ops []*openapi.Operation
	for _, op := range l.Document.Operations {
		if slices.ContainsFunc(op.Security, func(a map[string][]string) bool { _, ok := a[l.scheme.ID]; return ok }) {
			ops = append(ops, op)
		}
	}
	for _, op := range slices.Backward(ops) {
		l.call(ctx, op)
	}
	for i, op := range ops {
		if !OK(l.call(ctx, op)) {
			continue
		}
		if i > 0 && strings.HasPrefix(op.Path, ops[i-1].Path+"/") { // what it finishes may be too late now
			l.call(ctx, ops[i-1])
		}
		l.use(ctx, op, ops)
	}
	l.afterwards(ctx)
}

// use calls the operations on what an operation created; what removes it, last.
func (l *life) use(ctx context.Context, creator *openapi.Operation, ops []*openapi.Operation) {
	resource := l.Runner.created(creator)
	if resource == "" {
		return
	}
	var last []*openapi.Operation
	for _, op := range ops {
		templates := prefixes(op.Path)
		switch {
		case len(templates) == 0 || templates[len(templates)-1] != resource:
		case op == l.remover(resource) || op == l.deleter(resource):
			last = append(last, op)
		default:
			l.call(ctx, op)
		}
	}
	for _, op := range last {
		if OK(l.call(ctx, op)) {
			l.call(ctx, op) // it is gone
		}
	}
}

// call calls an operation, and begins anew if the session has ended.
func (l *life) call(ctx context.Context, op *openapi.Operation) *wire.Exchange {
	if ctx.Err() != nil {
		return &wire.Exchange{Request: &wire.Request{}}
	}
	ex := l.try(ctx, op)
	if Status(ex) == http.StatusUnauthorized && !l.alive(ctx) {
		l.begin(ctx)
		ex = l.try(ctx, op)
	}
	return ex
}

// try calls an operation: first by what is made up, if something of it can be
// known, and then by that.
func (l *life) try(ctx context.Context, op *openapi.Operation) *wire.Exchange {
	as := WithCredentials(map[string]string{l.scheme.ID: l.cookie})
	d := l.Source.Draft(op, generate.Typical)
	if body, ok := d.Body.(map[string]any); ok && body["code"] != nil && l.secret != nil {
		wrong := d.Clone()
		l.fill(wrong)
		if object, ok := wrong.Body.(map[string]any); ok {
			object["code"] = body["code"]
		}
		l.Send(ctx, wrong, as)
	}
	fresh := l.fill(d)
	if templates := prefixes(op.Path); len(templates) > 0 {
		l.Send(ctx, d, as) // of nothing that there is
		for name, value := range l.own.get(templates[len(templates)-1]) {
			d.Path[name] = value
		}
	}
	ex := l.Send(ctx, d, as)
	if OK(ex) {
		if fresh != "" {
			l.known["password"] = fresh
		}
		l.learn(op, ex)
	}
	return ex
}

// fill puts what the customer knows into a request, and gives the new password in
// it, if there is one.
func (l *life) fill(d *generate.Draft) (fresh string) {
	body, ok := d.Body.(map[string]any)
	if !ok {
		return ""
	}
	for name := range body {
		switch {
		case strings.Contains(name, "new") && strings.Contains(name, "password"):
			fresh = "Conformance-" + l.Source.Unique() + "-8"
			body[name] = fresh
		case strings.Contains(name, "password"):
			body[name] = l.known["password"]
		case name == "code" && l.known["code"] != nil:
			body[name] = l.known["code"]
		case name == "code" && l.secret != nil:
			body[name] = totp(l.secret, time.Now())
		}
	}
	return fresh
}

// alive tells whether the session is still good, by what only reads.
func (l *life) alive(ctx context.Context) bool {
	for _, op := range l.Document.Operations {
		if op.Method == http.MethodGet && len(prefixes(op.Path)) == 0 && len(op.Security) > 0 && len(op.Security[0]) == 1 {
			if _, ok := op.Security[0][l.scheme.ID]; ok {
				return Status(l.Send(ctx, l.Source.Draft(op, generate.Minimal), WithCredentials(map[string]string{l.scheme.ID: l.cookie}))) != http.StatusUnauthorized
			}
		}
	}
	return false
}

// learn keeps what an answer tells: resources, the secret of an authenticator
// (otpauth:, as apps read it), codes that take the place of one.
func (l *life) learn(op *openapi.Operation, ex *wire.Exchange) {
	l.own.learn(op, ex)
	var body map[string]any
	if json.NewDecoder(bytes.NewReader(ex.Response.Body)).Decode(&body) != nil {
		return
	}
	for name, value := range body {
		if text, ok := value.(string); ok && strings.HasPrefix(text, "otpauth://totp/") {
			if u, err := url.Parse(text); err == nil {
				l.secret, _ = base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimRight(u.Query().Get("secret"), "=")) // what is none makes codes that are refused
			}
		}
		if codes, ok := value.([]any); ok && strings.HasSuffix(name, "codes") && len(codes) > 0 {
			l.known["code"] = codes[0]
		}
	}
}

// totp is the code of an authenticator app (RFC 6238: SHA-1, 30 seconds, 6 digits).
func totp(secret []byte, now time.Time) string {
	mac := hmac.New(sha1.New, secret)
	_ = binary.Write(mac, binary.BigEndian, now.Unix()/30) // to a hash, which does not fail
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[at:])&0x7fffffff%1_000_000)
}

// afterwards calls what whoever introduced the customer can call about them.
func (l *life) afterwards(ctx context.Context) {
	if l.created == nil {
		return
	}
	for _, op := range l.Document.Operations {
		templates := prefixes(op.Path)
		if len(templates) == 0 || Public(op) || op.Method == http.MethodDelete {
			continue
		}
		resource, values := l.own.match(l.created.Response.Get("Location"), l.created.Request.Target)
		if resource != templates[len(templates)-1] {
			continue
		}
		d := l.Source.Draft(op, generate.Typical)
		for name, value := range values {
			d.Path[name] = value
		}
		l.Send(ctx, d)
	}
}

// letterWait is how long a letter is waited for that may never come.
const letterWait = 4 * time.Second

// letters has every kind of e-mail sent that anybody can ask for, and follows the
// links in it: with what the document has as an example, as it is meant, and once
// more, when it is used up.
func (l *life) letters(ctx context.Context) {
	l.begin(ctx)
	before := map[string]bool{}
	l.fixtures.persona.find(fmt.Sprint(l.known["email"]), before)
	for _, op := range l.Document.Operations {
		names := required(op)
		if !Public(op) || op.Method != http.MethodPost || !slices.Contains(names, "email") || slices.Contains(names, "password") {
			continue
		}
		for _, address := range []string{fmt.Sprint(l.known["email"]), "conformance-" + l.Source.Unique() + "@example.com"} {
			d := l.Source.Draft(op, generate.Minimal)
			body, ok := d.Body.(map[string]any)
			if !ok {
				continue
			}
			body["email"] = address
			if ex := l.watched(ctx, func() *wire.Exchange { return l.Send(ctx, d) }); !OK(ex) {
				continue
			}
			for known := l.fixtures.persona.read(ctx, address, before, letterWait); known != nil; known = l.fixtures.persona.find(address, before) {
				known["email"] = address
				l.follow(ctx, known)
				l.look(ctx, known)
			}
		}
	}
	if known := l.fixtures.persona.read(ctx, fmt.Sprint(l.known["email"]), map[string]bool{}, letterWait); known != nil {
		l.follow(ctx, known) // the first link, which is used
	}
	for _, mode := range []generate.Mode{generate.Typical, generate.Minimal} { // one has a name, the other has not
		if known, _ := l.fixtures.persona.introduce(ctx, l.Session, mode); known != nil {
			l.follow(ctx, known)
		}
	}
}

// watched does something while the customer reads what is theirs, over and over: what
// is under way is seen so, such as an e-mail that has not been sent yet.
func (l *life) watched(ctx context.Context, do func() *wire.Exchange) *wire.Exchange {
	drafts := l.readings()
	done := make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		for range mostReadings {
			for _, d := range drafts {
				l.Send(ctx, d, l.as())
			}
			select {
			case <-done:
				return
			default:
			}
		}
	})
	ex := do()
	time.AfterFunc(watchedFor, func() { close(done) })
	reading.Wait()
	return ex
}

// How often what is a customer's is read at most while something happens, and for how
// long after the answer.
const (
	mostReadings = 40
	watchedFor   = 100 * time.Millisecond
)

// readings are requests that read what is the customer's, and change nothing.
func (l *life) readings() []*generate.Draft {
	var all []*generate.Draft
	for _, op := range l.Document.Operations {
		if op.Method == http.MethodGet && len(prefixes(op.Path)) == 0 && len(op.Security) == 1 && has(op.Security[0], l.scheme.ID) {
			all = append(all, l.Source.Draft(op, generate.Minimal))
		}
	}
	return all
}

// as sends with the customer's session.
func (l *life) as() Option { return WithCredentials(map[string]string{l.scheme.ID: l.cookie}) }

// look reads what somebody sees who came by a way of their own: what they know is
// what a link told, and the password that they chose.
func (l *life) look(ctx context.Context, known map[string]any) {
	for _, op := range l.Document.Operations {
		if slices.Contains(required(op), "password") && slices.Contains(required(op), "email") {
			if value := l.fixtures.persona.advance(ctx, l.Session, op, known, l.scheme.Name); value != "" {
				l.cookie = value
				break
			}
		}
	}
	for _, d := range l.readings() {
		l.Send(ctx, d, l.as())
	}
}

// follow calls whatever takes what a link told.
func (l *life) follow(ctx context.Context, told map[string]any) {
	for round := range 3 {
		for _, op := range l.Document.Operations {
			names := required(op)
			if op.Method != http.MethodPost || !slices.ContainsFunc(names, func(n string) bool { return told[n] != nil && (Public(op) || n != "email" && n != "password") }) {
				continue
			}
			d := l.Source.Draft(op, generate.Typical)
			body, ok := d.Body.(map[string]any)
			if !ok {
				continue
			}
			for name := range body {
				switch secret := strings.Contains(name, "password"); {
				case told[name] != nil && name != "password":
					body[name] = told[name]
				case secret && round == 0:
					body[name] = "password1234567" // which a policy may refuse, and should
				case secret:
					body[name] = "Conformance-" + l.Source.Unique() + "-7"
				}
			}
			if !Public(op) {
				l.bare(ctx, d)
				continue
			}
			if OK(l.Send(ctx, d)) && body["password"] != nil {
				told["password"] = body["password"]
			}
		}
	}
}

func has(alternative map[string][]string, scheme string) bool {
	_, ok := alternative[scheme]
	return ok
}
