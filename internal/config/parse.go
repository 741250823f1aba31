package config

import (
	"context"
	"slices"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
)

// noHome is why there is no place for a configuration file.
const noHome = "there is no home directory (HOME is not set), and so no place for a configuration file"

// notLooked is what that means where one is read.
const notLooked = "no configuration file was looked for, because there is no home directory (HOME is not set)"

// CheckNewProfile returns an *Error unless a profile of that name can be added.
func CheckNewProfile(f *File, name string) error {
	if !validName(name) {
		return notAName(name)
	}
	if name == EnvironmentProfile {
		return &Error{
			Profile: name, Problem: "is the name of what AUTHCTL_PROVIDER and its companions make",
			Suggestion: "choose another name",
		}
	}
	if f.Path == "" {
		return &Error{Problem: noHome, Suggestion: "name the configuration file with --config or AUTHCTL_CONFIG"}
	}
	names, err := f.Names()
	if err != nil {
		return err
	}
	if slices.Contains(names, name) {
		return &Error{
			Path: f.Path, Profile: name, Problem: "exists already", Err: ErrExists,
			Suggestion: anotherName(name),
		}
	}
	return nil
}

// anotherName is what to do where a profile exists already.
func anotherName(name string) string {
	return "choose another name; or, to replace its secret, remove it and add it again, " +
		"with what it has in the keyring: authctl profile remove " + name
}

// ParseSetting reads one setting of a service as it would be written in a profile,
// a list as words. A secret's text is a reference, which is not fetched. Errors
// are *Error and do not repeat what may be a secret.
func ParseSetting(service providers.Spec, name, text string) (providers.Value, error) {
	i := slices.IndexFunc(service.Settings, func(d providers.Setting) bool { return d.Name == name })
	if i < 0 {
		known := []string{}
		for _, d := range service.Settings {
			known = append(known, d.Name)
		}
		return providers.Value{}, &Error{
			Key: name, Problem: "is not a setting of " + service.Name, Suggestion: didYouMean(name, known),
		}
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
		if _, ok := parseReference(text); !ok {
			return providers.Value{}, notAReference(name)
		}
		value.Secret = func(context.Context) (secret.Secret, error) { return secret.Secret{}, nil }
		return value, nil
	}
	return value, checkValue(d, &value, name, "")
}
