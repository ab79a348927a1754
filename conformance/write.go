package conformance

import (
	"io"

	"cryptoexchange.com/escrow/conformance/internal/report"
)

// Format is a form of a report.
type Format string

// Formats.
const (
	Terminal Format = "terminal" // text for people
	Colored  Format = "colored"  // the same, with the colours of a terminal
	JUnit    Format = "junit"    // JUnit XML
	SARIF    Format = "sarif"    // SARIF 2.1.0, located in the document
	GitHub   Format = "github"   // workflow commands, which annotate the document
	Summary  Format = "summary"  // Markdown, for the summary of a job
	HTML     Format = "html"     // one page that needs nothing else
	NDJSON   Format = "ndjson"   // a JSON object a line, as [Schema] says
)

// Write writes a result.
func Write(w io.Writer, f Format, r *Result) error {
	switch f {
	case Colored:
		return report.Terminal(w, r, true)
	case JUnit:
		return report.JUnit(w, r)
	case SARIF:
		return report.SARIF(w, r)
	case GitHub:
		return report.GitHub(w, r)
	case Summary:
		return report.Summary(w, r)
	case HTML:
		return report.HTML(w, r)
	case NDJSON:
		return report.NDJSON(w, r)
	default:
		return report.Terminal(w, r, false)
	}
}

// Schema is the JSON Schema of a line of [NDJSON].
func Schema() []byte { return report.Schema() }
