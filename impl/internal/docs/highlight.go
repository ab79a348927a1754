package docs

import (
	"embed"
	"fmt"
	"html"
	"strings"
	"sync"

	"github.com/alecthomas/chroma/v2"
)

// The languages that code is coloured in. Chroma's package of all of them reads
// 250 when the program starts; these are files, and are read when they are used.
//
//go:embed lexers
var lexerFiles embed.FS

// lexerAliases are the names that code blocks and samples give languages.
var lexerAliases = map[string]string{
	"sh": "bash", "shell": "bash", "bash": "bash", "go": "go", "php": "php", "python": "python", "typescript": "typescript", "ts": "typescript",
	"java": "java", "rust": "rust", "ruby": "ruby", "json": "json", "yaml": "yaml", "http": "http",
}

var lexers sync.Map // of chroma.Lexer, by the name of their files

func lexer(name string) (chroma.Lexer, error) {
	if known, ok := lexers.Load(name); ok {
		return known.(chroma.Lexer), nil
	}
	read, err := chroma.NewXMLLexer(lexerFiles, "lexers/"+name+".xml")
	if err != nil {
		return nil, fmt.Errorf("docs: %w", err)
	}
	known, _ := lexers.LoadOrStore(name, chroma.Coalesce(read))
	return known.(chroma.Lexer), nil
}

// highlight writes code as HTML, with spans of the classes that style.css has. A
// language that is not known is written without.
func highlight(language, code string) (string, error) {
	name, known := lexerAliases[strings.ToLower(language)]
	if !known {
		return html.EscapeString(code), nil
	}
	l, err := lexer(name)
	if err != nil {
		return "", err
	}
	tokens, err := l.Tokenise(nil, code)
	if err != nil {
		return "", fmt.Errorf("docs: %s: %w", language, err)
	}
	var b strings.Builder
	for token := tokens(); token != chroma.EOF; token = tokens() {
		class, text := classOf(token.Type), html.EscapeString(token.Value)
		if class == "" {
			b.WriteString(text)
			continue
		}
		b.WriteString(`<span class="` + class + `">` + text + `</span>`)
	}
	return strings.TrimRight(b.String(), "\n") + "\n", nil
}

// classOf gives the class of a kind of token; few colours are enough.
func classOf(t chroma.TokenType) string {
	switch {
	case t.InCategory(chroma.Comment):
		return "hc"
	case t.InCategory(chroma.Keyword):
		return "hk"
	case t.InSubCategory(chroma.LiteralString):
		return "hs"
	case t.InSubCategory(chroma.LiteralNumber):
		return "hn"
	case t == chroma.NameTag, t == chroma.NameAttribute, t == chroma.NameVariable:
		return "ha"
	case t == chroma.NameFunction, t == chroma.NameFunctionMagic, t.InSubCategory(chroma.NameBuiltin):
		return "hf"
	}
	return ""
}
