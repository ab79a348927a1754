//go:build !unvalidated

package contract

// enforced is false in the build for benchmarks that tells what judging costs.
const enforced = true
