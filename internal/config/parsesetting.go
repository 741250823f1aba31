package config

import (
	"slices"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/setting"
)

// ParseSetting reads one setting of a service as it would be written in a profile,
// a list as words. A secret's text is a reference, which is not fetched. Errors
// are *setting.Error and do not repeat what may be a secret.
func ParseSetting(service providers.Spec, name, text string) (setting.Value, error) {
	known := settingNames(service)
	i := slices.Index(known, name)
	if i < 0 {
		return setting.Value{}, notASetting(service, name, known)
	}
	d := service.Settings()[i]
	text = files.Tidy(text)
	switch {
	case text == "":
		return setting.Value{}, setting.Wrong(name, "is empty", "")
	case d.Kind == setting.Map:
		b := builder{Profile: &Profile{Service: service, file: &File{options: Options{Fetcher: &source.Fetcher{}}}}}
		return b.mapText(d, name, text, "what was given")
	case d.Kind != setting.Secret:
		b := builder{Profile: &Profile{Service: service}}
		return b.value(d, text, name, "what was given")
	}
	b := builder{Profile: &Profile{Service: service}}
	if _, err := b.parse(d, name, text); err != nil {
		return setting.Value{}, err
	}
	return setting.Value{Text: text, Origin: "what was given", Secret: secret.Known(secret.Secret{})}, nil
}

// settingNames are the keys that a profile of a service may have beside provider.
func settingNames(service providers.Spec) []string {
	names := make([]string, len(service.Settings()))
	for i, d := range service.Settings() {
		names[i] = d.Name
	}
	return names
}
