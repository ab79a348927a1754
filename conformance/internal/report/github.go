package report

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"strings"
	"time"
)

// GitHub writes workflow commands that annotate the lines of the OpenAPI document
// which the server breaks. Known and flaky findings are notices.
func GitHub(w io.Writer, r *Result) error {
	var b bytes.Buffer
	all := r.views()
	for i := range all {
		v := &all[i]
		command := map[string]string{"must": "error", "should": "warning"}[v.Kind]
		if command == "" {
			command = "notice"
		}
		properties := ""
		if v.Line > 0 {
			properties = fmt.Sprintf("file=%s,line=%d,col=%d,", attribute(v.File), v.Line, v.Column)
		}
		title := v.Class + " " + v.Where()
		if v.Kind == "known" || v.Kind == "flaky" {
			title += " (" + v.Kind + ")"
		}
		text := v.Claim + "."
		for _, part := range []struct{ name, value string }{{"Clause", v.Authority()}, {"Sent", v.Sent}, {"Expected", v.Expected}, {"Got", v.Got}, {"Seen at", v.Also(annotationPlaces)}, {"Again", v.Replay}} {
			if part.value != "" {
				text += "\n" + part.name + ": " + part.value
			}
		}
		fmt.Fprintf(&b, "::%s %stitle=%s::%s\n", command, properties, attribute(title), data(text))
	}
	return flush(w, &b)
}

// data escapes the message of a workflow command, and attribute a property, as
// the runner of GitHub Actions unescapes them.
func data(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func attribute(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}

// annotationPlaces are named in an annotation.
const annotationPlaces = 10

// Bounds of a summary, which GitHub shows up to 1 MiB.
const (
	summaryFindings = 100
	summaryReasons  = 50
	summaryPlaces   = 20
)

// Summary writes a page in GitHub's Markdown, e.g. for GITHUB_STEP_SUMMARY.
func Summary(w io.Writer, r *Result) error {
	var b bytes.Buffer
	c := r.Counts()
	fmt.Fprintf(&b, "## %s\n\n", text(r.verdict()))
	b.WriteString("| must | should | advice | flaky | known | fixed | clauses judged | requests | time |\n|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	fmt.Fprintf(&b, "| %d | %d | %d | %d | %d | %d | %d of %d (%.1f %%) | %d | %s |\n\n", c.Must, c.Should, c.Advice, c.Flaky, c.Known, c.Fixed, c.Judged, c.Clauses, c.percent(), r.Requests, r.Took.Round(time.Second/10))
	if r.Ended != "" {
		fmt.Fprintf(&b, "The run ended early: %s.\n\n", text(single(r.Ended)))
	}
	all := r.views()
	shown := 0
	for i := range all {
		if all[i].Kind == "known" {
			continue
		}
		if shown++; shown > summaryFindings {
			fmt.Fprintf(&b, "And %s more.\n\n", plural(len(all)-i, "finding"))
			break
		}
		summaryFinding(&b, &all[i])
	}
	reasons := r.notJudged()
	if len(reasons) > 0 {
		b.WriteString("<details><summary>Why clauses were not judged</summary>\n\n| clauses | reason |\n|--:|:--|\n")
		for _, g := range reasons[:min(len(reasons), summaryReasons)] {
			fmt.Fprintf(&b, "| %d | %s |\n", len(g.Clauses), text(g.Reason))
		}
		b.WriteString("\n</details>\n")
	}
	return flush(w, &b)
}

func summaryFinding(b *bytes.Buffer, v *view) {
	fmt.Fprintf(b, "<details><summary><b>%s %s</b> %s: %s</summary>\n\n", v.Kind, v.Class, text(v.Where()), text(v.Claim))
	b.WriteString("| | |\n|:--|:--|\n")
	for _, part := range []struct{ name, value string }{{"clause", v.Authority()}, {"sent", v.Sent}, {"expected", v.Expected}, {"got", v.Got}, {"seen at", v.Also(summaryPlaces)}, {"again", v.Replay}, {"seen", v.Reproduced + ", " + v.Times()}} {
		if part.value != "" {
			fmt.Fprintf(b, "| %s | %s |\n", part.name, text(part.value))
		}
	}
	for _, c := range v.Curls {
		fence := "```"
		for strings.Contains(c, fence) {
			fence += "`"
		}
		fmt.Fprintf(b, "\n%ssh\n%s\n%s\n", fence, c, fence)
	}
	b.WriteString("\n</details>\n\n")
}

// text escapes what Markdown or HTML would take for a command.
func text(s string) string {
	s = strings.NewReplacer("\n", " ", "\\", "\\\\", "|", "\\|", "`", "\\`", "*", "\\*", "_", "\\_", "[", "\\[", "]", "\\]", "~", "\\~", "#", "\\#").Replace(s)
	return html.EscapeString(s)
}
