package cli

import (
	"fmt"
	"strings"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/scopes"
)

// missingScopes are the scopes that a token should have and has not: those that were
// asked for and, where it has just taken the place of another, those that this one had.
func missingScopes(answer broker.Answer) []string {
	return joined(answer.Missing, answer.Lost)
}

// tellOfScopes warns of the scopes that a token should have and has not, in one line, and
// not again while that stays so. It is for the verbs that hand a token on or use it.
func (a *app) tellOfScopes(s *session, answer broker.Answer) {
	text := a.lackingScopes(s, answer)
	if s.broker.Explain != nil {
		s.broker.Explain("scopes: %s", explainedScopes(s, answer))
	}
	if text != "" && text != a.toldOfScopes {
		a.warn(text)
	}
	a.toldOfScopes = text
}

// lackingScopes says which scopes are missing, empty when none is.
func (a *app) lackingScopes(s *session, answer broker.Answer) string {
	of := "the token of profile " + s.profile.Name
	see := "; see " + a.commandFor(s.profile.Name, "scopes", "check")
	before := scopes.Missing(answer.Missing, answer.Lost)
	switch {
	case len(answer.Missing) == 0 && len(before) == 0:
		return ""
	case len(answer.Missing) == 0:
		return fmt.Sprintf("%s lacks scopes that the one before it had: %s%s", of, named(before), see)
	case len(before) == 0:
		return fmt.Sprintf("%s has fewer scopes than were asked for, it lacks %s%s", of, named(answer.Missing), see)
	}
	return fmt.Sprintf("%s has fewer scopes than were asked for, it lacks %s; and the one before it had %s%s",
		of, named(answer.Missing), named(before), see)
}

// explainedScopes is what --explain tells of a token's scopes.
func explainedScopes(s *session, answer broker.Answer) string {
	asked := s.provider.Key().Scopes
	text := "none were asked for"
	switch {
	case len(answer.Missing) > 0:
		text = "asked for and not granted: " + named(answer.Missing)
	case len(asked) > 0 && answer.Token.Scope == nil:
		text = "the service named none, so those that were asked for: " + named(asked)
	case len(asked) > 0:
		text = "all that were asked for are granted: " + named(asked)
	case len(answer.Token.Scope) > 0:
		text += ", granted: " + named(answer.Token.Scope)
	}
	if len(answer.Lost) > 0 {
		text += "; the token before had also: " + named(answer.Lost)
	}
	return text
}

// named are scopes in a line, fit to be shown.
func named(names []string) string { return strings.Join(scopes.Shown(names), ", ") }
