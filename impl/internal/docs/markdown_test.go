package docs

import (
	"regexp"
	"strings"
	"testing"

	"cryptoexchange.com/escrow/gen/spec"
)

// testBook is of the contract, with one problem.
func testBook(t *testing.T) (*book, linker) {
	t.Helper()
	s, err := New(Config{Contract: spec.YAML, ServerURL: "https://escrow.example.com/api/v1/escrow", Problems: []Problem{
		{Code: "not_found", Status: 404, Meaning: "Nothing is at `this` URL.", Mend: "Look elsewhere.", Cause: "A mistyped path.", Remedy: "- Look [here](page:openapi.yaml).", Retry: "No."},
	}})
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.book()
	if err != nil {
		t.Fatal(err)
	}
	return b, linker{site: s, from: "docs/guides/errors"}
}

// TestArticle checks what texts and their directives become.
func TestArticle(t *testing.T) {
	t.Parallel()
	b, l := testBook(t)
	static := l
	static.static = true
	tests := map[string]struct {
		text string
		l    linker
		want []string
		not  string
	}{
		"headings":         {"## Retry *safely*\n\n## Retry {#r}\n", l, []string{`<h2 id="retry-safely">Retry <em>safely</em> <a class="anchor" href="#retry-safely" aria-label="Link to: Retry safely">#</a></h2>`, `<h2 id="r">`}, ""},
		"raw HTML":         {"a <script>alert(1)</script> b\n\n<style>x</style>\n", l, []string{"alert(1)"}, "<script"},
		"script in a link": {"[x](https://example.com/\"onclick=\"a)\n", l, []string{"<p>"}, ` onclick="`},
		"code":             {"```sh status=403\ncurl 'a<b' # c\n```\n", l, []string{`<pre tabindex="0"><code>`, `<span class="hs">&#39;a&lt;b&#39;</span>`, `<span class="hc"># c`}, "status=403"},
		"unknown language": {"```nothing\na < b\n```\n", l, []string{"a &lt; b\n"}, "<span"},
		"table":            {"| a | b |\n| --- | --: |\n| 1 | `x\\|y` |\n", l, []string{`<div class="table" tabindex="0" role="group" aria-label="Table"><table>`, `<td align="right"><code>x|y</code></td>`, "</table></div>"}, "style="},
		"note":             {"> [!WARNING]\n> Keep *it*\n> safe.\n", l, []string{`<div class="note warning"><p class="note-title">Warning</p>`, "<p>Keep <em>it</em>\nsafe.</p>"}, "[!"},
		"quote":            {"> [!SOMETHING] said\n", l, []string{"<blockquote>", "[!SOMETHING]"}, "note-title"},
		"links": {"[a](quick-start.md#x) [b](operation:createCustomer) [c](schema:Customer) [d](problem:not_found) [e](page:reference) [f](#g) <https://example.com>\n", l, []string{
			`"/docs/guides/quick-start#x"`, `"/docs/reference#tag/customers/createCustomer"`, `"/docs/reference#models/Customer"`, `"/problems/not_found"`, `"/docs/reference"`, `"#g"`, `"https://example.com"`,
		}, ""},
		"exported links": {"[a](quick-start.md#x) [b](operation:createCustomer) [d](problem:not_found) [e](page:openapi.yaml)\n", static, []string{
			`"../../../docs/guides/quick-start/index.html#x"`, `"../../../docs/reference/index.html#tag/customers/createCustomer"`, `"../../../problems/not_found/index.html"`, `"../../../openapi.yaml"`,
		}, ""},
		"places":    {"{{.ServerURL}} {{.PublicURL}} {{.Version}}\n", l, []string{"https://escrow.example.com/api/v1/escrow", `"https://escrow.example.com"`, b.Version}, "{{"},
		"samples":   {"{{samples \"getCustomer\"}}\n", l, []string{`<fieldset class="samples">`, `value="Ruby"`, `name="samples-1"`, "<legend>Get a customer, in:</legend>"}, "docs-block"},
		"sample":    {"{{sample \"getCustomer\" \"Shell\"}}\n", l, []string{"curl", "/partner/customer/"}, "package main"},
		"example":   {"{{example \"createCustomer\" \"minimal\"}}\n", l, []string{"johny.smith@example.com"}, "first_name"},
		"answer":    {"{{example \"createCustomer\" \"403\" \"other\"}}\n", l, []string{"email_already_in_use"}, "customer_id"},
		"values":    {"one of {{values \"NewAchMethod.account_type\"}}\n", l, []string{"one of <code>checking</code> and <code>savings</code>"}, ""},
		"problems":  {"{{problemTable}}\n", l, []string{`<a href="#not_found"><code>not_found</code></a>`, "Nothing is at <code>this</code> URL."}, ""},
		"a problem": {"## All\n\n{{problemSections}}\n", l, []string{`<h3 id="not_found"><code>not_found</code>`, `<h4 id="not_found-remedy">What to do`, `href="/openapi.yaml"`, "https://cryptoexchange.com/problems/not_found", "Status 404 Not Found"}, ""},
	}
	for name, tt := range tests {
		a, err := b.article("# Title\n\nA `summary`.\n\n"+tt.text, tt.l)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if a.Title != "Title" || a.Summary != "A summary." {
			t.Errorf("%s: title %q, summary %q", name, a.Title, a.Summary)
		}
		for _, want := range tt.want {
			if !strings.Contains(string(a.Body), want) {
				t.Errorf("%s: no %s in\n%s", name, want, a.Body)
			}
		}
		if tt.not != "" && strings.Contains(string(a.Body), tt.not) {
			t.Errorf("%s: %s in\n%s", name, tt.not, a.Body)
		}
	}
}

// TestArticleRefuses checks that what a text names must be there.
func TestArticleRefuses(t *testing.T) {
	t.Parallel()
	b, l := testBook(t)
	for _, text := range []string{
		"[a](nothing.md)", "[a](changelog)", "[a](operation:nothing)", "[a](schema:Nothing)", "[a](problem:nothing)", "[a](page:nothing)", "[a](javascript:alert)", "[a](file:///etc)",
		"{{.Nothing}}", "{{nothing}}", "{{samples \"nothing\"}}", "{{sample \"getCustomer\" \"COBOL\"}}", "{{example \"getCustomer\"}}", "{{example \"getCustomer\" \"nothing\"}}",
		"{{example \"nothing\" \"200\"}}", "{{values \"Customer.nothing\"}}", "{{values \"Customer.email\"}}", "```docs-block\n7\n```", "```docs-block\nx\n```", "{{",
	} {
		if a, err := b.article("# Title\n\nSummary.\n\n"+text+"\n", l); err == nil {
			t.Errorf("%s was taken:\n%s", text, a.Body)
		}
	}
	for _, text := range []string{"", "No heading.\n", "# Only a heading\n"} {
		if _, err := b.article(text, l); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

var (
	tags     = regexp.MustCompile(`</?span[^>]*>`)
	unescape = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&#34;", `"`, "&#39;", "'", "&amp;", "&")
)

// TestHighlight checks that every language of a sample is coloured, and that the
// code stays what it is.
func TestHighlight(t *testing.T) {
	t.Parallel()
	b, _ := testBook(t)
	for _, s := range b.samples["createCustomer"] {
		coloured, err := highlight(s.Lang, s.Source)
		if err != nil {
			t.Errorf("%s: %v", s.Lang, err)
			continue
		}
		if !strings.Contains(coloured, `<span class="hs">`) {
			t.Errorf("%s has no strings:\n%s", s.Lang, coloured)
		}
		plain := tags.ReplaceAllString(coloured, "")
		if got := unescape.Replace(plain); strings.TrimSpace(got) != strings.TrimSpace(s.Source) {
			t.Errorf("%s: the code has become\n%s", s.Lang, got)
		}
	}
	if coloured, err := highlight("http", "HTTP/1.1 201 Created\nLocation: /x\n\n{\"id\": 7}\n"); err != nil || !strings.Contains(coloured, `<span class="ha">Location</span>`) || !strings.Contains(coloured, `<span class="hn">7</span>`) {
		t.Errorf("%v\n%s", err, coloured)
	}
}
