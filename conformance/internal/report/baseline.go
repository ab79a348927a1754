package report

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"cryptoexchange.com/escrow/conformance/internal/finding"
)

// Baseline lists findings that are known, and do not fail a run.
type Baseline struct {
	File     string  `yaml:"-"`
	Findings []Entry `yaml:"findings"`
}

// Entry is a known finding. Only ID and Places decide; the rest is for people.
type Entry struct {
	ID string `yaml:"id"`
	// Places are where it is known, by ID, with the operation: in others it is new. None:
	// it is known wherever it is.
	Places    map[string]string `yaml:"places,omitempty"`
	Class     string            `yaml:"class,omitempty"`
	Operation string            `yaml:"operation,omitempty"`
	Claim     string            `yaml:"claim,omitempty"`
	// Expires is the last day (UTC, 2006-01-02) on which it is known; empty: it is
	// for ever.
	Expires string `yaml:"expires,omitempty"`
	Note    string `yaml:"note,omitempty"`
	// Flaky: it may be known and not found.
	Flaky bool `yaml:"flaky,omitempty"`
}

// Comparison is what a baseline says of a result.
type Comparison struct {
	File    string
	Known   map[string]Entry // by ID of the finding, and of each of its places that is known
	Fixed   []Entry          // not found any more, though looked for; Places: nor in these
	Expired []Entry          // found, but not known any more
}

// ReadBaseline reads a file in YAML, or in JSON, which is YAML. One that does not
// exist is an empty baseline.
func ReadBaseline(file string) (*Baseline, error) {
	b := &Baseline{File: file}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the baseline: %w", err)
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(b); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the baseline %s: %w", file, err)
	}
	for i, e := range b.Findings {
		if e.ID == "" {
			return nil, fmt.Errorf("read the baseline %s: finding %d has no id", file, i+1)
		}
		if _, err := time.Parse(time.DateOnly, e.Expires); e.Expires != "" && err != nil {
			return nil, fmt.Errorf("read the baseline %s: expires of %s: %w", file, e.ID, err)
		}
	}
	return b, nil
}

// expired tells whether the last day of an entry is over.
func (e *Entry) expired(now time.Time) bool {
	return e.Expires != "" && now.UTC().Format(time.DateOnly) > e.Expires
}

// Apply marks in the result what is known, and notes what is fixed.
func (b *Baseline) Apply(r *Result, now time.Time) {
	c := &Comparison{File: b.File, Known: map[string]Entry{}}
	found := map[string]bool{}
	for _, f := range r.Findings {
		found[f.ID] = true
		for _, p := range f.Places {
			found[p.ID] = true
		}
	}
	for _, e := range b.Findings {
		lost := maps.Clone(e.Places)
		maps.DeleteFunc(lost, func(id, _ string) bool { return found[id] })
		there := len(lost) < len(e.Places) || len(e.Places) == 0 && found[e.ID]
		switch {
		case there && e.expired(now):
			c.Expired = append(c.Expired, e)
			continue
		case there && len(e.Places) == 0:
			c.Known[e.ID] = e
		case there:
			for id := range e.Places {
				c.Known[id] = e
			}
		}
		if (!there || len(lost) > 0) && !e.Flaky && !r.Selected && r.Ended == "" {
			e.Places = lost
			c.Fixed = append(c.Fixed, e)
		}
	}
	r.Baseline = c
	for _, f := range r.Findings {
		c.spread(&f)
	}
}

// spread makes a finding known if all its places are, and its places if it is.
func (c *Comparison) spread(f *finding.Finding) {
	if len(f.Places) == 0 {
		return
	}
	if e, ok := c.Known[f.ID]; ok && len(e.Places) == 0 {
		for _, p := range f.Places {
			c.Known[p.ID] = e
		}
		return
	}
	delete(c.Known, f.ID)
	for _, p := range f.Places {
		if _, ok := c.Known[p.ID]; !ok {
			return
		}
	}
	c.Known[f.ID] = c.Known[f.Places[0].ID]
}

// Update makes the baseline list what the result has, and nothing else. Notes and
// dates are kept, but dates that have passed are not; what could not have been
// found, for not all was tried, stays.
func (b *Baseline) Update(r *Result, now time.Time) {
	old, placed := map[string]Entry{}, map[string]Entry{}
	for _, e := range b.Findings {
		old[e.ID] = e
		for id := range e.Places {
			placed[id] = Entry{Note: e.Note, Expires: e.Expires}
		}
	}
	var all []Entry
	for _, f := range r.Findings {
		e, ok := old[f.ID]
		if !ok {
			e = placed[f.ID] // it was put together with others, and is not any more
		}
		delete(old, f.ID)
		places := map[string]string{}
		for _, p := range f.Places {
			places[p.ID] = strings.TrimSpace(Clean(p.Operation + " " + p.Pointer))
			if was, ok := old[p.ID]; ok { // as it was before it was put together with others
				e.Note, e.Expires = cmp.Or(e.Note, was.Note), cmp.Or(e.Expires, was.Expires)
				delete(old, p.ID)
			}
		}
		if len(e.Places) > 0 || e.ID == "" { // else it is known wherever it is
			if r.Selected || r.Ended != "" {
				maps.Copy(places, e.Places)
			}
			e.Places = places
		}
		if e.expired(now) {
			e.Expires = ""
		}
		e.ID, e.Class, e.Operation, e.Claim, e.Flaky = f.ID, f.Class, Clean(f.Operation), sentence(shorten(r.Mask.Text(f.Claim))), f.Flaky
		all = append(all, e)
	}
	for _, e := range old {
		if r.Selected || r.Ended != "" {
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Class, b.Class), cmp.Compare(a.ID, b.ID))
	})
	b.Findings = all
}

const baselineHead = `# Findings that are known and do not fail a run of conformance. Each may have a
# note, and a last day on which it is known (expires: 2006-01-02). This file is
# written by --baseline-update, which keeps both.
`

// Write writes the file, whole or not at all.
func (b *Baseline) Write() error {
	var out bytes.Buffer
	out.WriteString(baselineHead)
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if len(b.Findings) == 0 {
		b.Findings = []Entry{}
	}
	if err := errors.Join(e.Encode(b), e.Close()); err != nil {
		return fmt.Errorf("write the baseline: %w", err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(b.File), ".baseline-*")
	if err != nil {
		return fmt.Errorf("write the baseline: %w", err)
	}
	_, err = temporary.Write(out.Bytes())
	err = errors.Join(err, temporary.Chmod(0o644), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), b.File)
	}
	if err != nil {
		_ = os.Remove(temporary.Name()) // err says what matters
		return fmt.Errorf("write the baseline: %w", err)
	}
	return nil
}
