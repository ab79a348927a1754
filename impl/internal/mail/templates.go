package mail

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	texttemplate "text/template"

	"golang.org/x/text/language"
)

// The templates are
//
//	layout.html           the design of all, around "content"
//	<lang>/common.html    what all e-mails in a language have in common
//	<lang>/common.txt     the same for text parts
//	<lang>/<kind>.html    defines "content"
//	<lang>/<kind>.txt     "Subject: ..." on the first line, then the text part
//
// and are executed with a content.
//
//go:embed all:templates
var embedded embed.FS

const (
	templateFolder = "templates"
	layoutFile     = "layout.html"
	common         = "common"
	subjectPrefix  = "Subject: "
)

// templates are all templates, checked.
type templates struct {
	languages []*lang // the first is the default
	matcher   language.Matcher
}

// kind is the template of a kind of e-mail in one language.
type kind struct {
	html *htmltemplate.Template
	text *texttemplate.Template
}

// written is what became of them.
type written struct{ subject, html, text string }

// errUnknownKind: a newer version of the program may have queued it.
var errUnknownKind = errors.New("there is no template for it")

// loadTemplates reads the embedded templates, or what replaces them in a folder,
// and tries each with samples.
func loadTemplates(folder string, urls URLs) (*templates, error) {
	source := &source{folder: folder}
	if err := source.check(); err != nil {
		return nil, err
	}
	t := &templates{languages: languages()}
	tags := make([]language.Tag, len(t.languages))
	for i, l := range t.languages {
		tags[i] = language.MustParse(l.tag)
		if err := source.load(l); err != nil {
			return nil, err
		}
		for name := range l.kinds {
			if err := t.try(l, name, urls); err != nil {
				return nil, fmt.Errorf("template of e-mail %s/%s: %w", l.tag, name, err)
			}
		}
	}
	t.matcher = language.NewMatcher(tags)
	return t, nil
}

// match finds the language to write to somebody in who reads another one.
func (t *templates) match(wanted *string) *lang {
	if wanted == nil {
		return t.languages[0]
	}
	tag, err := language.Parse(*wanted)
	if err != nil {
		return t.languages[0]
	}
	_, i, _ := t.matcher.Match(tag)
	return t.languages[i]
}

// write executes the templates of a kind of e-mail.
func (t *templates) write(name string, l *lang, said content) (written, error) {
	k, known := l.kinds[name]
	if !known {
		return written{}, errUnknownKind
	}
	var text, html bytes.Buffer
	if err := k.text.Execute(&text, said); err != nil {
		return written{}, err
	}
	first, body, _ := strings.Cut(strings.TrimLeft(text.String(), "\n"), "\n")
	subject, found := strings.CutPrefix(first, subjectPrefix)
	if !found || strings.TrimSpace(subject) == "" {
		return written{}, fmt.Errorf("%s/%s.txt must begin with a line %q and the subject", l.tag, name, subjectPrefix)
	}
	said.Subject = subject
	if err := k.html.ExecuteTemplate(&html, "layout", said); err != nil {
		return written{}, err
	}
	return written{subject: subject, text: strings.TrimSpace(body) + "\n", html: strings.TrimSpace(html.String()) + "\n"}, nil
}

// try executes a template with everything that an e-mail can have, and with as
// little as it can have.
func (t *templates) try(l *lang, name string, urls URLs) error {
	full := content{
		Lang: l.tag, Name: "Ana", Partner: "Shop", Link: "https://escrow.example.com/sample-link", ValidUntil: "sample-time", When: "sample-time",
		URLs: urls, Support: "help@example.com", SupportURL: "mailto:help@example.com",
	}
	w, err := t.write(name, l, full)
	if err != nil {
		return err
	}
	if linked := needsLink[name]; linked && (!strings.Contains(w.html, full.Link) || !strings.Contains(w.text, full.Link)) {
		return errors.New("both parts must have {{.Link}}, and one of them has not")
	}
	_, err = t.write(name, l, content{Lang: l.tag, When: "sample-time", URLs: urls})
	return err
}

// source is where templates are read from.
type source struct{ folder string }

// read reads an embedded template or what replaces it.
func (s *source) read(name string) (string, error) {
	if s.folder != "" {
		b, err := os.ReadFile(filepath.Join(s.folder, filepath.FromSlash(name)))
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return string(b), err
		}
	}
	b, err := embedded.ReadFile(path.Join(templateFolder, name))
	return string(b), err
}

// check refuses a folder that is not there, and files in it that replace nothing
// and so are not what somebody meant.
func (s *source) check() error {
	if s.folder == "" {
		return nil
	}
	return filepath.WalkDir(s.folder, func(file string, e fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("templates of e-mails: %w", err)
		}
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			return nil
		}
		name, err := filepath.Rel(s.folder, file)
		if err != nil {
			return err
		}
		if _, err := fs.Stat(embedded, path.Join(templateFolder, filepath.ToSlash(name))); err != nil {
			return fmt.Errorf("templates of e-mails: %s replaces none; their names are such as layout.html and en/introduction.html", file)
		}
		return nil
	})
}

// load reads all kinds in a language.
func (s *source) load(l *lang) error {
	entries, err := embedded.ReadDir(path.Join(templateFolder, l.tag))
	if err != nil {
		return err
	}
	l.kinds = make(map[string]kind)
	for _, e := range entries {
		name, isText := strings.CutSuffix(e.Name(), ".txt")
		if !isText || name == common {
			continue
		}
		var k kind
		if k.html, err = s.parseHTML(layoutFile, path.Join(l.tag, common+".html"), path.Join(l.tag, name+".html")); err != nil {
			return err
		}
		if k.text, err = s.parseText(path.Join(l.tag, common+".txt"), path.Join(l.tag, name+".txt")); err != nil {
			return err
		}
		l.kinds[name] = k
	}
	return nil
}

// button is what the template of that name shows.
type button struct{ URL, Label string }

var functions = htmltemplate.FuncMap{"button": func(url, label string) button { return button{url, label} }}

// parseHTML parses files into one template. Errors name the file.
func (s *source) parseHTML(names ...string) (*htmltemplate.Template, error) {
	set := htmltemplate.New("").Funcs(functions)
	for _, name := range names {
		text, err := s.read(name)
		if err == nil {
			_, err = set.New(name).Parse(text)
		}
		if err != nil {
			return nil, fmt.Errorf("template of e-mails %s: %w", name, err)
		}
	}
	return set, nil
}

// parseText does the same, and gives the template of the last file.
func (s *source) parseText(names ...string) (*texttemplate.Template, error) {
	set := texttemplate.New("")
	for _, name := range names {
		text, err := s.read(name)
		if err == nil {
			_, err = set.New(name).Parse(text)
		}
		if err != nil {
			return nil, fmt.Errorf("template of e-mails %s: %w", name, err)
		}
	}
	return set.Lookup(names[len(names)-1]), nil
}

// Kinds lists the kinds of e-mail that there are templates for.
func (c *Composer) Kinds() []string {
	templates, err := c.templates()
	if err != nil {
		return nil
	}
	var names []string
	for name := range templates.languages[0].kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
