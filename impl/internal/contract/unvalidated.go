//go:build unvalidated

package contract

// enforced is false: nothing is judged. This is for benchmarks only.
const enforced = false
