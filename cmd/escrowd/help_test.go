package main_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestHelp checks that every command has an example, which names it.
func TestHelp(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{"escrowd": programs.escrowd, "escrow": programs.escrow} {
		top := program(t, path, nil, "--help")
		if !strings.Contains(top.out, "Exit codes: 0 done,") {
			t.Errorf("%s --help has no exit codes:\n%s", name, top.out)
		}
		_, list, _ := strings.Cut(top.out, "Commands:")
		seen := 0
		// A command with further ones in it is listed by those.
		for _, m := range regexp.MustCompile(`(?m)^  ([a-z]+(?: [a-z]+)?)(?: |$)`).FindAllStringSubmatch(list, -1) {
			command := strings.Fields(m[1])
			for n := 1; n <= len(command); n++ {
				help := program(t, path, nil, slices.Concat(command[:n], []string{"--help"})...)
				if example := regexp.MustCompile(`(?m)^Examples?:\n(.*\n)* +` + name + ` .*` + strings.Join(command[:n], " ")); help.code != 0 || !example.MatchString(help.out) {
					t.Errorf("%s %v --help: %d\n%s%s", name, command[:n], help.code, help.out, help.err)
				}
			}
			seen++
		}
		if seen < 2 {
			t.Errorf("%s: %d commands in\n%s", name, seen, top.out)
		}
	}
}
