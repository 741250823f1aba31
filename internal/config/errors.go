package config

import (
	"errors"
	"strings"

	"github.com/authctl/authctl/internal/setting"
)

// ErrNoProfile is wrapped by the errors that say that a profile does not exist
// or that none could be chosen.
var ErrNoProfile = errors.New("no such profile")

// ErrNotReference is wrapped by the error of a secret that is given as something
// else than a reference: it may be the secret itself, in plain text.
var ErrNotReference = errors.New("not a reference to a secret")

// wrong is the error for a key of the file or a variable, or for neither.
func wrong(key, problem, help string) *setting.Error {
	return &setting.Error{Name: key, Problem: problem, Help: help}
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
