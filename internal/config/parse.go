package config

import (
	"slices"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/secret/source"
)

// ParseSetting reads one setting of a service as it would be written in a profile,
// a list as words. A secret's text is a reference, which is not fetched. Errors
// are *Error and do not repeat what may be a secret.
func ParseSetting(service providers.Spec, name, text string) (providers.Value, error) {
	known := []string{}
	for _, d := range service.Settings {
		known = append(known, d.Name)
	}
	i := slices.Index(known, name)
	if i < 0 {
		return providers.Value{}, notASetting(service, name, known)
	}
	d := service.Settings[i]
	text = files.Tidy(text)
	if said := Addressed(service, name, text); said != nil {
		text = said[name]
	}
	value := providers.Value{Text: text, Origin: "what was given"}
	switch {
	case text == "":
		return value, &Error{Key: name, Problem: "is empty"}
	case d.Kind == providers.List:
		value.Text, value.List = "", Words(text)
	case d.Kind == providers.Secret:
		if _, ok := source.Parse(text); !ok {
			return providers.Value{}, notAReference(name)
		}
		value.Secret = secret.Known(secret.Secret{})
		return value, nil
	}
	return value, checkValue(d, &value, name, "")
}
