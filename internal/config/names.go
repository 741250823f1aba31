package config

import (
	"strings"

	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
)

// EnvironmentProfile is the name of the profile that AUTHCTL_PROVIDER and its
// companions make without any file. It cannot be asked for by this name.
const EnvironmentProfile = "env"

// IsName reports whether name follows the rule for profile names.
func IsName(name string) bool {
	for i := range len(name) {
		c := name[i]
		alphanumeric := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if !alphanumeric && (i == 0 || !strings.ContainsRune("._-", rune(c))) {
			return false
		}
	}
	return name != "" && len(name) <= 100
}

// MayBeShown reports whether what was given as a profile's name can be repeated: what
// cannot be one, or looks like a token, may be a secret in the wrong place.
func MayBeShown(name string) bool { return IsName(name) && !secret.MayBeToken(name) }

// NameHint says what to do about what was given as a name and cannot be one, where names
// are there.
func NameHint(name string, names []string) string {
	switch best := setting.Nearest(name, names); {
	case best != "":
		return "did you mean " + best + "?"
	case secret.MayBeToken(name):
		return "that looks like a token: give it with --stdin, to authctl token inspect"
	}
	return "profile names are lower case letters, digits, dot, underscore and hyphen"
}

// Missing is the error for a name that none of names is; it wraps ErrNoProfile.
func Missing(name string, names []string) *setting.Error {
	if !MayBeShown(name) {
		return &setting.Error{
			Problem: "what was given as the profile is none", Err: ErrNoProfile, Help: NameHint(name, names),
		}
	}
	return &setting.Error{Problem: "there is no profile " + name, Err: ErrNoProfile, Help: setting.DidYouMean(name, names)}
}
