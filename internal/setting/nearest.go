package setting

import (
	"slices"
	"strings"
)

// Nearest returns the candidate within two edits of word, the nearest first, or
// one that begins with word or that word begins with; empty when there is none.
// Case counts for nothing.
func Nearest(word string, candidates []string) string {
	word = strings.ToLower(word)
	best, distance := "", 3
	for _, c := range candidates {
		d := editDistance(word, strings.ToLower(c))
		if d < distance && d < len(word) {
			best, distance = c, d
		}
	}
	if best != "" || len(word) < 2 {
		return best
	}
	i := slices.IndexFunc(candidates, func(c string) bool {
		c = strings.ToLower(c)
		return strings.HasPrefix(c, word) || len(c) > 2 && strings.HasPrefix(word, c)
	})
	if i < 0 {
		return ""
	}
	return candidates[i]
}

// Meant returns "did you mean X?" for the candidate nearest to word, nothing when none is
// near.
func Meant(word string, candidates []string) string {
	if best := Nearest(word, candidates); best != "" {
		return "did you mean " + best + "?"
	}
	return ""
}

// DidYouMean is Meant, or the list of candidates when none is near and the list is short.
func DidYouMean(word string, candidates []string) string {
	text := Meant(word, candidates)
	if text == "" && len(candidates) > 0 && len(candidates) <= 20 {
		return "one of " + strings.Join(candidates, ", ")
	}
	return text
}

// editDistance is Levenshtein's distance in bytes; 99 when the lengths alone
// rule out anything near.
func editDistance(a, b string) int {
	if max(len(a), len(b))-min(len(a), len(b)) > 2 {
		return 99
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j]+1, row[j+1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
