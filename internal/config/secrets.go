package config

import (
	"slices"
	"strings"
)

// OwnSecrets returns the names of the keyring's secrets that the profile refers to,
// that begin with prefix, and that no other profile refers to, as the file says,
// whatever the environment says. Errors are *Error: when a profile cannot be read,
// nobody knows what it refers to.
func (f *File) OwnSecrets(name, prefix string) ([]string, error) {
	doc, err := f.all()
	if err != nil {
		return nil, err
	}
	own, others := []string{}, []string{}
	for _, profile := range doc.names() {
		values, _, _ := doc.profile(profile)
		settings, ok := values.(map[string]any)
		if !ok {
			return nil, &Error{Path: f.Path, Profile: profile, Problem: "cannot be read"}
		}
		for _, value := range settings {
			text, _ := value.(string)
			secret, ok := strings.CutPrefix(text, "keyring:")
			switch {
			case !ok:
			case profile != name:
				others = append(others, strings.TrimSpace(secret))
			case strings.HasPrefix(secret, prefix):
				own = append(own, strings.TrimSpace(secret))
			}
		}
	}
	slices.Sort(own)
	return slices.DeleteFunc(slices.Compact(own), func(s string) bool { return slices.Contains(others, s) }), nil
}
