package config

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/setting"
)

// ForDryRun returns the settings with which a request is shown and not sent: a secret that
// is wanted and not set is there and fails with the reason, and so does one whose fetching
// may cost a person something.
func (p *Profile) ForDryRun() setting.Values {
	s := p.Settings
	for _, d := range p.Service.Settings() {
		value, set := s.Lookup(d.Name)
		switch {
		case len(value.Secrets) > 0:
			value.Secrets = maps.Clone(value.Secrets)
			for name, fetch := range value.Secrets {
				value.Secrets[name] = forDryRun(value.References[name], fetch)
			}
		case d.Kind != setting.Secret || !set && !d.Wanted(s):
			continue
		case !set:
			value.Origin, value.Secret = "not set", unfetchable(cmp.Or(s.Absence(d.Name).Why, "it is not set"))
		default:
			value.Secret = forDryRun(value.Text, value.Secret)
		}
		s = s.With(d.Name, value)
	}
	return s
}

// forDryRun leaves alone what it may cost a person something to fetch.
func forDryRun(reference string, fetch secret.Func) secret.Func {
	if ref, _ := source.Parse(reference); ref.IsToken() || ref.Kind == "cmd" || ref.Kind == "prompt" {
		return unfetchable(reference + " is left alone in a dry run")
	}
	return suggesting(fetch)
}

// unfetchable fails with the reason why a secret is not fetched.
func unfetchable(why string) secret.Func {
	return func(context.Context) (secret.Secret, error) { return secret.Secret{}, errors.New(why) }
}

// suggesting adds to an error what to do about it.
func suggesting(fetch secret.Func) secret.Func {
	return func(ctx context.Context) (secret.Secret, error) {
		value, err := fetch(ctx)
		if e, ok := errors.AsType[*setting.Error](err); ok && e.Help != "" {
			err = fmt.Errorf("%w; %s", err, e.Help)
		}
		return value, err
	}
}
