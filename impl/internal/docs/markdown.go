package docs

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"html/template"
	"strconv"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// article is a text in Markdown, made into HTML.
type article struct {
	Title    string
	Summary  string // the first paragraph, as plain text
	Body     template.HTML
	Sections []*section // from the title on
}

// section is a heading and what follows, up to the next one.
type section struct {
	ID, Title string
	Level     int
	Text      string // plain, for the search
}

// blockLanguage is the language of the code blocks that directives put their own
// HTML into the text by: the block's text is the number of that HTML.
const blockLanguage = "docs-block"

// converter makes articles of Markdown. Raw HTML in a text is left out.
type converter struct {
	// link gives the URL for what a text links to.
	link func(destination string) (string, error)
	// blocks is the HTML that directives have made.
	blocks []template.HTML
}

func (v *converter) convert(source []byte) (*article, error) {
	// GitHub's Markdown, and headings may have {#id}. No style is written into
	// the HTML, which the pages' policy forbids.
	markdown := goldmark.New(
		goldmark.WithExtensions(extension.Linkify, extension.Strikethrough, extension.TaskList, extension.DefinitionList, extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute))),
		goldmark.WithParserOptions(parser.WithAutoHeadingID(), parser.WithHeadingAttribute()),
		goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(v, 100))),
	)
	root := markdown.Parser().Parse(text.NewReader(source))
	a := &article{}
	if err := v.read(a, root, source); err != nil {
		return nil, err
	}
	if a.Title == "" || a.Summary == "" {
		return nil, errors.New("docs: a text must begin with a heading and a paragraph")
	}
	var b bytes.Buffer
	if err := markdown.Renderer().Render(&b, source, root); err != nil {
		return nil, fmt.Errorf("docs: %w", err)
	}
	a.Body = template.HTML(b.String()) //nolint:gosec // goldmark has escaped the text, and left raw HTML out
	return a, nil
}

// read takes the sections out of the tree, and puts URLs into its links.
func (v *converter) read(a *article, root ast.Node, source []byte) error {
	for n := root.FirstChild(); n != nil; n = n.NextSibling() {
		if h, ok := n.(*ast.Heading); ok {
			id, _ := h.AttributeString("id")
			name, _ := id.([]byte)
			s := &section{ID: string(name), Title: plain(h, source), Level: h.Level}
			if h.Level == 1 && a.Title == "" {
				a.Title = s.Title
			}
			a.Sections = append(a.Sections, s)
			continue
		}
		words := plain(n, source)
		if a.Summary == "" && n.Kind() == ast.KindParagraph {
			a.Summary = words
		}
		if len(a.Sections) > 0 {
			last := a.Sections[len(a.Sections)-1]
			last.Text = strings.TrimSpace(last.Text + " " + words)
		}
	}
	return ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if l, ok := n.(*ast.Link); ok && entering {
			url, err := v.link(string(l.Destination))
			if err != nil {
				return ast.WalkStop, err
			}
			l.Destination = []byte(url)
		}
		return ast.WalkContinue, nil
	})
}

// plain gives the words of a node. HTML that a directive has made has none.
func plain(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch t := n.(type) {
		case *ast.Text:
			if entering {
				b.Write(t.Segment.Value(source))
				if t.SoftLineBreak() || t.HardLineBreak() {
					b.WriteByte(' ')
				}
			}
		case *ast.String:
			if entering {
				b.Write(t.Value)
			}
		case *ast.FencedCodeBlock:
			if entering && string(t.Language(source)) != blockLanguage {
				b.Write(t.Lines().Value(source))
			}
		case *ast.AutoLink:
			if entering {
				b.Write(t.Label(source))
			}
		default:
			if !entering && n.Type() == ast.TypeBlock {
				b.WriteByte(' ')
			}
		}
		return ast.WalkContinue, nil
	})
	return strings.Join(strings.Fields(b.String()), " ")
}

// RegisterFuncs says which nodes are written otherwise than goldmark does.
func (v *converter) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindHeading, v.heading)
	r.Register(ast.KindFencedCodeBlock, v.code)
	r.Register(ast.KindBlockquote, v.quote)
	r.Register(extast.KindTable, v.table)
}

// heading has a link to itself, but for the title.
func (v *converter) heading(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	h := n.(*ast.Heading) //nolint:forcetypeassert // as registered
	tag := "h" + strconv.Itoa(h.Level)
	attribute, _ := h.AttributeString("id")
	id, _ := attribute.([]byte)
	if entering {
		_, _ = w.WriteString("<" + tag + ` id="` + html.EscapeString(string(id)) + `">`)
		return ast.WalkContinue, nil
	}
	if h.Level > 1 {
		_, _ = w.WriteString(` <a class="anchor" href="#` + html.EscapeString(string(id)) + `" aria-label="Link to: ` + html.EscapeString(plain(h, source)) + `">#</a>`)
	}
	_, _ = w.WriteString("</" + tag + ">\n")
	return ast.WalkContinue, nil
}

// code is coloured; or it is a directive's HTML.
func (v *converter) code(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	block := n.(*ast.FencedCodeBlock) //nolint:forcetypeassert // as registered
	language, code := string(block.Language(source)), string(block.Lines().Value(source))
	if language == blockLanguage {
		i, err := strconv.Atoi(strings.TrimSpace(code))
		if err != nil || i < 0 || i >= len(v.blocks) {
			return ast.WalkStop, fmt.Errorf("docs: no block %q", code)
		}
		_, _ = w.WriteString(string(v.blocks[i]))
		return ast.WalkContinue, nil
	}
	coloured, err := codeBlock(language, code)
	if err != nil {
		return ast.WalkStop, err
	}
	_, _ = w.WriteString(string(coloured))
	return ast.WalkContinue, nil
}

// codeBlock can be scrolled with the keyboard.
func codeBlock(language, code string) (template.HTML, error) {
	coloured, err := highlight(language, code)
	if err != nil {
		return "", err
	}
	//nolint:gosec // highlight has escaped it
	return template.HTML(`<div class="code"><pre tabindex="0"><code>` + coloured + "</code></pre></div>\n"), nil
}

// notes are the kinds of quotes that GitHub shows as notes, and their titles.
var notes = map[string]string{"NOTE": "Note", "TIP": "Tip", "IMPORTANT": "Important", "WARNING": "Warning", "CAUTION": "Caution"}

// quote is a note if its first line is such as [!NOTE].
func (v *converter) quote(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	const attribute = "note"
	if entering {
		kind := noteKind(n, source)
		if kind == "" {
			_, _ = w.WriteString("<blockquote>\n")
			return ast.WalkContinue, nil
		}
		n.SetAttributeString(attribute, kind)
		_, _ = w.WriteString(`<div class="note ` + strings.ToLower(kind) + `"><p class="note-title">` + notes[kind] + "</p>\n")
		return ast.WalkContinue, nil
	}
	if _, isNote := n.AttributeString(attribute); isNote {
		_, _ = w.WriteString("</div>\n")
	} else {
		_, _ = w.WriteString("</blockquote>\n")
	}
	return ast.WalkContinue, nil
}

// noteKind takes the marker of a note out of a quote; empty if it has none.
func noteKind(n ast.Node, source []byte) string {
	first := n.FirstChild()
	if first == nil || first.Kind() != ast.KindParagraph || first.Lines().Len() == 0 {
		return ""
	}
	segment := first.Lines().At(0)
	line := strings.TrimSpace(string(segment.Value(source)))
	kind := strings.TrimSuffix(strings.TrimPrefix(line, "[!"), "]")
	if notes[kind] == "" || line != "[!"+kind+"]" {
		return ""
	}
	for c := first.FirstChild(); c != nil; {
		next := c.NextSibling()
		if t, ok := c.(*ast.Text); ok && t.Segment.Start < segment.Stop {
			first.RemoveChild(first, c)
		}
		c = next
	}
	return kind
}

// table can be scrolled on its own, with the keyboard too.
func (v *converter) table(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		_, _ = w.WriteString(`<div class="table" tabindex="0" role="group" aria-label="Table"><table>` + "\n")
	} else {
		_, _ = w.WriteString("</table></div>\n")
	}
	return ast.WalkContinue, nil
}
