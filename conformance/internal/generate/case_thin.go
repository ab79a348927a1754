package generate

// mostCases is how many cases of an operation are made. A schema that refers to
// itself, or to the same one from dozens of places, has the same clause in thousands
// of them: a document of 32 operations was seen to ask for 34 000 cases of one.
const mostCases = 2000

// thin chooses cases if there are more than most: of each kind of case of a clause
// (its side and label) those at the first places, as many of each as there is room
// for, and one at least, so that every clause keeps its cases.
func thin(protos []*proto, most int) map[*proto]bool {
	type kind struct {
		in, param, clause, keyword, label string
		side                              Side
	}
	places := map[kind]int{}
	rank := make([]int, len(protos)) // how many of its kind come before
	var ofRank []int                 // cases by rank
	for i, p := range protos {
		k := kind{p.in, p.param, p.variant.Clause, p.variant.Keyword, p.variant.Label, p.variant.Side}
		rank[i] = places[k]
		places[k]++
		if rank[i] == len(ofRank) {
			ofRank = append(ofRank, 0)
		}
		ofRank[rank[i]]++
	}
	ranks, room := 0, most
	for ranks < len(ofRank) && (ranks == 0 || room >= ofRank[ranks]) {
		room -= ofRank[ranks]
		ranks++
	}
	few := make(map[*proto]bool, len(protos))
	for i, p := range protos {
		few[p] = rank[i] < ranks
	}
	return few
}
