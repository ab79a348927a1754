//go:build !unsynced

package sqlite

// synchronous has each commit wait for storage.
const synchronous = "FULL"
