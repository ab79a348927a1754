//go:build unsynced

package sqlite

// synchronous lets commits return before they are on storage. The tag is for one
// test, which makes sure that it would notice.
const synchronous = "NORMAL"
