package config

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/config/kinds"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/setting"
)

// Profile is one client of one service, with every value it will use.
type Profile struct {
	// Name is the profile's name, EnvironmentProfile when no file was used.
	Name string
	// Base is the base that it extends, empty for none.
	Base string
	// Service is the service named by the profile's provider.
	Service providers.Spec
	// Settings are the values with their origins, defaults included. Whether
	// something required is missing is left to the service. Of a secret given by
	// reference, Text is the reference with a command cut to its first word.
	Settings setting.Values

	// chosen is the origin of the provider.
	chosen string
	// needs are the references of the file, the flags and the environment, also
	// those that something else goes before.
	needs []need
	// file is where the other profiles are, path and line where this one begins; without a
	// file there is no line.
	file *File
	path string
	line int
	// extends is the origin of the base.
	extends string
}

// need is a secret that a setting needs, or a member of one that is a map.
type need struct {
	source.Need
	of, member string
	// token says that the setting wants a token of somebody else.
	token bool
	// asks says that it is the token of a profile that a person or stdin has to give a secret for.
	asks bool
}

// secret binds a reference to a setting of the profile. Errors name what needs it: the
// setting, or a variable.
func (p *Profile) secret(n need, named string, ref source.Reference, origin string) setting.Value {
	n.Need = source.Need{Profile: p.Name, Setting: named, Origin: origin, Reference: ref, Token: n.token, Keep: p.named}
	v := setting.Value{
		Text: ref.String(), Secret: p.file.options.Fetcher.Bind(n.Need), Origin: origin,
		Anew: ref.IsToken(), Asked: ref.Kind == "prompt",
	}
	n.Setting = n.name()
	p.needs = append(p.needs, n)
	return v
}

// name is the setting, or headers.x-api-key.
func (n need) name() string {
	if n.member == "" {
		return n.of
	}
	return n.of + "." + n.member
}

// Reference is where the file has the secret of a setting, whatever goes before it; false where it has
// none.
func (p *Profile) Reference(name string) (source.Need, bool) {
	for _, n := range p.needs {
		ofFile := !strings.HasPrefix(n.Origin, "environment ") && !strings.HasPrefix(n.Origin, "flag")
		if n.of == name && n.member == "" && ofFile {
			return n.Need, true
		}
	}
	return source.Need{}, false
}

// fetchOf returns what fetches a need's secret, nil where something else gives it.
func (p *Profile) fetchOf(n need) secret.Func {
	v, _ := p.Settings.Lookup(n.of)
	switch {
	case v.Origin != n.Origin:
		return nil
	case n.member != "":
		return v.Secrets[n.member]
	}
	return v.Secret
}

// named are the environment variables that references name, and those that they need.
func (p *Profile) named() []string {
	var names []string
	for _, n := range p.needs {
		names = append(names, variablesFor(n.Reference)...)
	}
	return names
}

// asks are the secrets that only a person or stdin can give, and the tokens of profiles that need
// such. Nobody is asked for what a flag or the environment gives.
func (p *Profile) asks() []need {
	return slices.DeleteFunc(slices.Clone(p.needs), func(n need) bool {
		return p.fetchOf(n) == nil || !n.Asks() && !n.asks
	})
}

// AtHand returns the secrets of the profile that are in the environment: those whose values
// are known without asking anybody for them.
func (p *Profile) AtHand() []secret.Secret {
	var list []secret.Secret
	for _, name := range append(p.named(), secretsOf(p.Service)...) {
		value := p.file.env.Get(name)
		if _, isReference := tokenVariable(p.file, p.Service, name); value != "" && !isReference {
			list = append(list, secret.New(value))
		}
	}
	return list
}

// Interactive returns the names of the secrets that need a person or read stdin,
// in the order in which they are asked for.
func (p *Profile) Interactive() []string {
	names := []string{}
	for _, n := range p.asks() {
		names = append(names, n.Setting)
	}
	return names
}

// Ask fetches the secrets that Interactive lists, so that nobody holds a lock
// while a person types. A person may take any time, a pipe no more than limit. The
// answers are remembered. Errors are *setting.Error.
func (p *Profile) Ask(ctx context.Context, limit time.Duration) error {
	for _, n := range p.asks() {
		if err := p.fetch(ctx, n, limit); err != nil {
			return err
		}
	}
	return nil
}

func (p *Profile) fetch(ctx context.Context, n need, limit time.Duration) error {
	if n.Kind == "stdin" && limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	_, err := p.fetchOf(n)(ctx)
	return err
}

// Inspect looks for every secret that the profile will use, in the service's
// order of settings, without asking or running anything.
func (p *Profile) Inspect(ctx context.Context) []source.Inspection {
	var list []source.Inspection
	for _, d := range p.Service.Settings() {
		known := len(list)
		for _, n := range p.needs {
			if n.of == d.Name && p.fetchOf(n) != nil {
				list = append(list, p.file.options.Fetcher.Inspect(ctx, n.Need))
			}
		}
		if v, _ := p.Settings.Lookup(d.Name); v.Secret != nil && len(list) == known {
			list = append(list, source.Inspection{Need: source.Need{Setting: d.Name, Origin: v.Origin}})
		}
	}
	return list
}

// Item is one line of a profile's description.
type Item struct {
	// Name is the setting's name.
	Name string
	// Value is the text, the words of a list with blanks between, a map in braces, a secret's
	// reference, or [redacted] for a secret given by value.
	Value string
	// Origin says where the value comes from: "profile calls in /path:7", "base talk in
	// /path:4".
	Origin string
	// Secret says that Value stands for a secret.
	Secret bool
}

// withoutUser returns a URL without what may be a password in it.
func withoutUser(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.User == nil && u.RawQuery == "" {
		return text
	}
	u.User, u.RawQuery = nil, ""
	return u.String() + " (and what is not shown)"
}

// Describe returns the provider, the base and every setting that has a value, in the
// service's order. It shows no secret and fetches nothing.
func (p *Profile) Describe() []Item {
	items := []Item{{Name: "provider", Value: p.Service.Name, Origin: p.chosen}}
	if p.Base != "" {
		items = append(items, Item{Name: "extends", Value: p.Base, Origin: p.extends})
	}
	for _, d := range p.Service.Settings() {
		v, ok := p.Settings.Lookup(d.Name)
		if !ok {
			continue
		}
		item := Item{Name: d.Name, Value: v.Text, Origin: v.Origin, Secret: d.Kind == setting.Secret}
		switch {
		case d.Kind == setting.List:
			item.Value = strings.Join(v.List, " ")
		case d.Kind == setting.Map:
			item.Value = kinds.MappingLine(v)
		case d.Name == "base_url":
			item.Value = withoutUser(v.Text)
		case item.Secret && v.Text == "":
			item.Value = secret.Redacted
		}
		items = append(items, item)
	}
	return slices.Clip(items)
}
