package check_test

import (
	"fmt"
	"slices"
	"testing"

	"cryptoexchange.com/escrow/conformance/internal/finding"
)

// scenarios are the classes that are found by doing several things to one
// resource. A lie may be named by another class as well, which says the same of it.
var scenarios = map[string][]string{
	"E14": nil, "E15": nil,
	"H1": nil, "H2": nil, "H3": nil, "H4": nil, "H5": nil, "H6": nil, "H7": nil,
	"H8": nil, "H9": nil, "H10": nil, "H11": nil, "H12": nil, "H13": nil, "H14": nil,
	"I1": nil, "I2": nil, "I3": nil, "I4": nil, "I5": nil, "I6": nil, "I7": nil, "I8": nil, "I9": nil,
	"J1": nil, "J2": nil, "J3": nil, "J4": nil, "J5": nil, "J6": nil, "J7": nil, "J8": nil,
	"M1": nil, "M2": nil, "M3": nil, "M4": nil, "M5": nil, "M6": nil, "M7": nil, "M8": nil, "M9": nil,
	"N1": nil, "N2": nil, "N3": nil, "N4": nil, "N5": nil,
}

func TestScenariosFind(t *testing.T) {
	t.Parallel()
	seeds := uint64(5) // as many as a class has places
	if testing.Short() {
		seeds = 1
	}
	for class, others := range scenarios {
		for seed := range seeds {
			if !chosen(class, seed) {
				continue
			}
			t.Run(fmt.Sprintf("%s/%d", class, seed), func(t *testing.T) {
				t.Parallel()
				classes := []string{class}
				switch class { // which others' probes provoke
				case "M3":
					classes = append(classes, "M2")
				case "N3":
					classes = append(classes, "N2")
				}
				found, place := hunt(t, seed, class, classes...)
				if !slices.ContainsFunc(found, func(f finding.Finding) bool { return f.Class == class || slices.Contains(others, f.Class) }) {
					t.Errorf("the lie at %s is not found", place)
					for _, f := range found {
						t.Logf("found instead: %s", summary(f))
					}
				}
			})
		}
	}
}

func TestScenariosOfAnHonestServer(t *testing.T) {
	t.Parallel()
	classes := []string{}
	for class := range scenarios {
		classes = append(classes, class)
	}
	for seed := range honestSeeds() {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			found, _ := hunt(t, seed, "", classes...)
			for _, f := range found {
				t.Errorf("a false alarm: %s", summary(f))
			}
		})
	}
}
