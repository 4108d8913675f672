package cli

import "strings"

// didYouMean is the clause that proposes the one of names nearest to what was typed, with the
// prefix (the dashes of a flag) before it; empty if none is near.
func didYouMean(prefix, typed string, names []string) string {
	best, near := "", 1+len(typed)/3
	for _, name := range names {
		if d := distance(strings.ToLower(typed), strings.ToLower(name)); d < near || d == near && best == "" {
			best, near = name, d
		}
	}
	if best == "" {
		for _, name := range names {
			if len(typed) >= 2 && strings.HasPrefix(name, typed) {
				best = name
				break
			}
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + prefix + best + "?"
}

// distance is the number of letters to insert, remove, replace or swap with their neighbour to make
// a from b.
func distance(a, b string) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, above, row := rows[(i+2)%3], rows[i%3], rows[(i+1)%3]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return rows[(len(a)+1)%3][len(b)]
}
