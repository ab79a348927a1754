//go:build !race

package main_test

const raceFactor = 1
