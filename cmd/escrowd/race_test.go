//go:build race

package main_test

// raceFactor is how much more memory a program takes that looks for races: five
// to ten times as much (https://go.dev/doc/articles/race_detector, read 2026-11).
const raceFactor = 10
