// Package mutate tests the tester: it flips one clause of a document at a time,
// and tries the flipped document against a server that keeps the one as it was.
// The runner must contradict it: a flip that survives is a clause that the runner
// does not check.
//
// # Which flips are made
//
// A clause that requests have is flipped in both directions, where it has two: of
// a bound that is tightened the server is seen to take what is forbidden now, of
// one that is loosened to refuse what is allowed now.
//
// A clause that only answers have is tightened, for an answer that keeps a bound
// keeps every looser one: nobody could see that. It is tightened so that an honest
// answer contradicts it: a value of enum that is really answered is dropped, a
// maxLength is lowered below what was seen, a property is required by a name that
// no answer has. What is really answered is learned from the run of the unchanged
// document. Of a schema that no answer had, the values are those of examples: nothing
// contradicts such a flip, and it survives.
//
// No flip is made of a clause that what was seen keeps however narrow it is (the
// maxLength of a property that is always null), or that is about answers that only
// a server gives which fails or throttles. These are listed, with the reason
// ([Left]): they are no kills.
//
// # Which flips count
//
// Some flips say the same as the document: minLength is moved from 1 to 0 beside a
// pattern that no empty string matches. A flip is called equivalent only with a
// proof, which is by keyword (prove): moving a bound by one changes the verdict
// about values on the bound alone, and another keyword of the schema forbids all
// of them. What cannot be proved is tried, and counts.
//
// # What a kill is
//
// A finding of a probe that is of the flipped clause, or that has seen an answer
// which the flip forbids, and that the unchanged document does not give: findings of
// the control do not count, and one that points elsewhere is tried with the
// unchanged document first. Probes are made of the flipped document. Where that does
// not have the probe that saw an answer which the flip forbids (nobody asks for 406
// where it is not declared), the probe of the document as it was is run, and its
// answers are judged by the flipped one; such kills are counted apart.
// A flip's run begins with what the control has come to know
// of the server (log-ins, resources), but learns anew how it refuses.
package mutate
