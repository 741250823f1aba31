// Package scopes holds the thinking behind `authctl scopes`: what is wrong with a
// name, what of the wanted is in effect, which names a client gets, what an error
// says, and when waiting helps. It reads nothing and asks nobody: what it needs is
// passed in.
package scopes

import (
	"fmt"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
)

// Kind is what is wrong with the name of a scope.
type Kind string

// The kinds of warnings.
const (
	// Unknown: the catalogue has no such scope. The catalogues grow, so it may exist.
	Unknown Kind = "unknown"
	// WrongCase: the catalogue has it in another spelling (RFC 6749 §3.3: scopes are
	// case-sensitive).
	WrongCase Kind = "wrong_case"
	// Pointless: the service takes one scope only, and this is another.
	Pointless Kind = "pointless"
)

// Warning is a warning about one name. It is never a reason not to ask.
type Warning struct {
	Name string `json:"scope"`
	Kind Kind   `json:"kind"`
	// Suggestion is what was probably meant, empty when nothing is near.
	Suggestion string `json:"suggestion,omitempty"`
	// Service is the service's title.
	Service string `json:"-"`
}

// String is the warning, on one line.
func (c Warning) String() string {
	name := shown(c.Name)
	switch {
	case c.Kind == Pointless:
		return fmt.Sprintf("scope %s is pointless: %s takes only %s", name, c.Service, c.Suggestion)
	case c.Kind == WrongCase:
		return fmt.Sprintf("scope %s is not in the catalogue of %s: case matters, did you mean %s?",
			name, c.Service, c.Suggestion)
	case c.Suggestion != "":
		return fmt.Sprintf("scope %s is not in the catalogue of %s; did you mean %s?", name, c.Service, c.Suggestion)
	default:
		return fmt.Sprintf("scope %s is not in the catalogue of %s, which may be older than the scope", name, c.Service)
	}
}

// Check returns what is wrong with the names, each once, in their order.
func Check(service providers.Spec, names []string) []Warning {
	known := knownNames(service)
	var warnings []Warning
	for i, name := range names {
		if slices.Contains(known, name) || slices.Contains(names[:i], name) {
			continue
		}
		c := Warning{Name: name, Service: service.Title}
		switch spelling := otherCase(name, known); {
		case service.OnlyScope != "":
			c.Kind, c.Suggestion = Pointless, service.OnlyScope
		case len(known) == 0:
			continue
		case spelling != "":
			c.Kind, c.Suggestion = WrongCase, spelling
		default:
			c.Kind, c.Suggestion = Unknown, suggest(name, known)
		}
		warnings = append(warnings, c)
	}
	return warnings
}

// knownNames are the names that nobody is warned of: the catalogue's, and where
// the service tells who a user is those of OpenID Connect Core §5.4 and §11.
func knownNames(service providers.Spec) []string {
	if service.OnlyScope != "" {
		return []string{service.OnlyScope}
	}
	if service.Catalogue == nil {
		return nil
	}
	var names []string
	for _, scope := range service.Catalogue().Scopes {
		names = append(names, scope.Name)
	}
	if service.Has(providers.UserInfo) && len(names) > 0 {
		names = append(names, "openid", "profile", "email", "address", "phone", "offline_access")
	}
	return names
}

func otherCase(name string, known []string) string {
	i := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, name) })
	if i < 0 {
		return ""
	}
	return known[i]
}

// suggest returns a near name, one whose first part was left out, or one of the same
// resource.
func suggest(name string, known []string) string {
	if near := setting.Nearest(name, known); near != "" {
		return near
	}
	resource, access := split(strings.ToLower(name))
	same := ""
	for _, k := range known {
		lower := strings.ToLower(k)
		if len(name) > 2 && strings.HasSuffix(lower, strings.ToLower(name)) {
			return k
		}
		r, a := split(lower)
		if resource == "" || r != resource {
			continue
		}
		if same == "" || strings.Contains(a, access) {
			same = k
		}
	}
	return same
}

// split takes a name apart at the last separator: "contacts", "read".
func split(name string) (resource, access string) {
	i := strings.LastIndexAny(name, ":./")
	if i < 0 {
		return "", name
	}
	return name[:i], name[i+1:]
}

// shown is a name as it is where it is Valid, else quoted and cleaned: it then
// equals no scope that anybody could ask for.
func shown(name string) string {
	if Valid(name) {
		return name
	}
	return `"` + secret.CleanText(name) + `"`
}

// Shown are names fit to be shown: one that no scope can have is in quotes, and cleaned.
func Shown(names []string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = shown(name)
	}
	return all
}

// Valid reports whether a name has only the characters that RFC 6749 §3.3 allows in a
// scope, and is short enough to be one: 200 bytes.
func Valid(name string) bool {
	odd := func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }
	return name != "" && len(name) <= 200 && !strings.ContainsFunc(name, odd)
}

// plain is a text with "…" for what is neither a plain word, a short number nor a scope of
// a catalogue: it may be a secret.
func plain(text string, isKnown func(word string) bool) string {
	words := strings.Fields(text)
	for i, word := range words {
		bare := strings.Trim(word, `.,:;!?"'()[]`)
		left := strings.Trim(strings.ToLower(bare), "abcdefghijklmnopqrstuvwxyz_'")
		number := left == bare && strings.Trim(left, "0123456789") == "" && len(left) <= 7
		if left != "" && !number && !isKnown(bare) || len(bare) > 30 && !isKnown(bare) {
			words[i] = "…"
		}
	}
	return strings.Join(words, " ")
}
