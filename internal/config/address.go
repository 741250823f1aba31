package config

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/setting"
)

// Addressed returns what a setting's value says when it is the pasted address of the
// service ("https://acme.talkdeskid.eu/…"): the values of this setting and of others. It
// is nil for every other value.
func Addressed(service providers.Spec, name, text string) map[string]string {
	if !strings.Contains(text, ".") {
		return nil
	}
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.User != nil {
		return nil
	}
	if said := service.AtAddress(u); said[name] != "" {
		return said
	}
	return nil
}

// taken returns the text of a setting, out of a pasted address where it is one, and
// remembers what else that says.
func (b *builder) taken(name, text string) string {
	said := Addressed(b.Service, name, text)
	if said == nil {
		return text
	}
	if b.said == nil {
		b.said = map[string]map[string]string{}
	}
	b.said[name] = said
	return said[name]
}

// settle gives the settings that nobody gave what a pasted address says of them. What
// contradicts it is an error: one of the two would send the secret elsewhere.
func (b *builder) settle(values map[string]setting.Value) error {
	for from, said := range b.said {
		if values[from].Text != said[from] {
			continue // something else went before it
		}
		for name, text := range said {
			v := values[name]
			switch {
			case v.Origin == "" || v.Origin == "default":
				values[name] = setting.Value{Text: text, Origin: values[from].Origin}
			case v.Text != text:
				return setting.Wrong(name,
					fmt.Sprintf("says %q, but the address given as %s is one of %q", files.Short(v.Text), from, text),
					"give "+from+" as the name alone, or correct "+name)
			}
		}
	}
	return nil
}
