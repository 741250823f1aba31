// Package providertest makes settings and logins for tests of services. It is imported
// by tests only.
package providertest

import (
	"strings"

	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
)

// Settings makes the effective settings of a service from plain values: defaults
// are filled in, lists are split at spaces, secrets become known ones. A value of
// "-" leaves a setting out that has a default.
func Settings(service providers.Spec, values map[string]string) setting.Values {
	all := map[string]setting.Value{}
	for _, d := range service.Settings() {
		text, ok := values[d.Name]
		if !ok {
			text = d.Default
		}
		if text == "" || text == "-" {
			continue
		}
		v := setting.Value{Origin: "test"}
		switch d.Kind {
		case setting.List:
			v.List = strings.Fields(text)
		case setting.Secret:
			v.Text, v.Secret = "env:TEST", secret.Known(secret.New(text))
		default:
			v.Text = text
		}
		all[d.Name] = v
	}
	return setting.New("p", all)
}
