package config

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ErrExists is wrapped by the error of AddProfile when the name is taken.
var ErrExists = errors.New("the profile exists")

// ErrNoProfile is wrapped by the errors that say that a profile does not exist
// or that none could be chosen.
var ErrNoProfile = errors.New("no such profile")

// Error says what is wrong with the configuration file or an environment
// variable. No field holds a secret. Exit code 3.
type Error struct {
	// Path is the configuration file, empty when it is not to blame.
	Path string
	// Line is the line in Path, from 1; 0 when unknown.
	Line int
	// Profile is the profile concerned, empty when it is none in particular.
	Profile string
	// Key is the key in the file or the environment variable, may be empty.
	Key string
	// Problem completes Key, or stands alone when there is none.
	Problem string
	// Suggestion says what to do, may be empty and may have several lines. It is
	// the hint and not part of the message.
	Suggestion string
	// Err is the cause, may be nil.
	Err error
}

// Error returns "PATH:LINE: profile NAME: KEY PROBLEM" with what is known.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Path != "" {
		b.WriteString(e.Path)
		if e.Line > 0 {
			b.WriteString(":" + strconv.Itoa(e.Line))
		}
		b.WriteString(": ")
	}
	if e.Profile != "" {
		b.WriteString("profile " + e.Profile + ": ")
	}
	if e.Key != "" {
		b.WriteString(printable(e.Key) + " ")
	}
	b.WriteString(e.Problem)
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// printable returns text as one short line: quoted when it holds anything but
// printable characters, cut at 200 characters.
func printable(text string) string {
	if utf8.RuneCountInString(text) > 200 {
		text = string([]rune(text)[:200]) + "…"
	}
	if strings.ContainsFunc(text, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return strconv.Quote(text)
	}
	return text
}

// didYouMean returns "did you mean X?" for the candidate nearest to word, or the
// list of candidates when none is near and the list is short, else nothing.
func didYouMean(word string, candidates []string) string {
	if best := closest(word, candidates); best != "" {
		return "did you mean " + best + "?"
	}
	if len(candidates) == 0 || len(candidates) > 20 {
		return ""
	}
	return "one of " + strings.Join(candidates, ", ")
}

// closest returns the candidate within two edits of word, the nearest first, or
// one that begins with word or that word begins with; empty when there is none.
func closest(word string, candidates []string) string {
	word = strings.ToLower(word)
	best, distance := "", 3
	for _, c := range candidates {
		d := editDistance(word, c)
		if d < distance && d < len(word) {
			best, distance = c, d
		}
	}
	if best != "" || len(word) < 2 {
		return best
	}
	i := slices.IndexFunc(candidates, func(c string) bool {
		return strings.HasPrefix(c, word) || len(c) > 2 && strings.HasPrefix(word, c)
	})
	if i < 0 {
		return ""
	}
	return candidates[i]
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
