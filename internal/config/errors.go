package config

import (
	"errors"
	"strconv"
	"strings"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/setting"
)

// ErrNoProfile is wrapped by the errors that say that a profile does not exist
// or that none could be chosen.
var ErrNoProfile = errors.New("no such profile")

// ErrNotReference is wrapped by the error of a secret that is given as something
// else than a reference: it may be the secret itself, in plain text.
var ErrNotReference = errors.New("not a reference to a secret")

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
		b.WriteString(files.Short(e.Key) + " ")
	}
	b.WriteString(e.Problem)
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// wrong is the error for a key of the file or a variable, or for neither.
func wrong(key, problem, suggestion string) *Error {
	return &Error{Key: key, Problem: problem, Suggestion: suggestion}
}

// nearest returns "did you mean X?" for the candidate nearest to word, nothing when none is
// near.
func nearest(word string, candidates []string) string {
	if best := setting.Nearest(word, candidates); best != "" {
		return "did you mean " + best + "?"
	}
	return ""
}

// didYouMean is nearest, or the list of candidates when none is near and the list is short.
func didYouMean(word string, candidates []string) string {
	text := nearest(word, candidates)
	if text == "" && len(candidates) > 0 && len(candidates) <= 20 {
		return "one of " + strings.Join(candidates, ", ")
	}
	return text
}
