package config

import (
	"bytes"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/providers"
)

// SecretVariables returns the names of the environment variables whose values are
// secrets: those of the secret settings of every service, the store's key, and those
// that references name, of this profile and of all others of its file, whether they are
// used or not. The twins with _FILE and _CMD only say where a secret is and are not among
// them. A nil profile names none.
func SecretVariables(services []providers.Service, p *Profile) []string {
	names := []string{"AUTHCTL_STORE_KEY"}
	for _, s := range services {
		for _, d := range s.Settings {
			if d.Kind == providers.Secret {
				names = append(names, d.Env())
			}
		}
	}
	if p != nil {
		names = append(names, p.named...)
		if p.file != nil {
			names = append(names, variablesIn(p.file.text)...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// variablesIn returns what follows each env: in the text of a configuration. It does not
// parse: a mistake in another profile must not stop a call, nor keep its secrets in the
// environment. So it also finds what a comment names.
func variablesIn(text []byte) []string {
	var names []string
	for {
		_, after, found := bytes.Cut(text, []byte("env:"))
		if !found {
			return names
		}
		end := bytes.IndexAny(after, "\r\n\"'#,]}")
		if end < 0 {
			end = len(after)
		}
		if name := strings.TrimSpace(string(after[:end])); name != "" {
			names = append(names, name)
		}
		text = after
	}
}
