package config

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
)

// Profile is one client of one service, with every value it will use.
type Profile struct {
	// Name is the profile's name, EnvironmentProfile when no file was used.
	Name string
	// Line is where the profile begins in the file, 0 when no file was used.
	Line int
	// Service is the service named by the profile's provider.
	Service providers.Spec
	// Settings are the values with their origins, defaults included. Whether
	// something required is missing is left to the service. Of a secret given by
	// reference, Text is the reference with a command cut to its first word.
	Settings providers.Settings

	// origin tells where the profile is: "profile calls in /path".
	origin string
	// chosen is the origin of the provider.
	chosen string
	asks   []ask
	// bound are the references of the file, the flags and the environment, also
	// those that something else goes before.
	bound []bound
	refs  *resolver
	// said is what pasted addresses say, by the setting each was given for.
	said map[string]map[string]string
	// named are the environment variables that references name.
	named []string
	// file is where the other profiles are.
	file *File
}

// ask is a secret that only a person or stdin can give.
type ask struct {
	setting, origin string
	fetch           secret.Func
	// pipe says that it is read from stdin and not typed.
	pipe bool
}

// secret binds a reference to a setting of the profile.
func (p *Profile) secret(refs *resolver, setting string, ref reference, origin string) providers.Value {
	ref.owner = p
	fetch := refs.bind(p.Name, setting, ref)
	p.refs, p.bound = refs, append(p.bound, bound{setting, ref, origin})
	if ref.kind == "env" {
		p.named = append(p.named, ref.arg)
	}
	if ref.kind == "prompt" || ref.kind == "stdin" {
		p.asks = append(p.asks, ask{setting, origin, fetch, ref.kind == "stdin"})
	}
	return providers.Value{Text: ref.String(), Secret: fetch, Origin: origin}
}

// AtHand returns the secrets of the profile that are in the environment: those whose values
// are known without asking anybody for them.
func (p *Profile) AtHand() []secret.Secret {
	var list []secret.Secret
	names := slices.Clone(p.named)
	for _, d := range p.Service.Settings {
		if d.Kind == providers.Secret {
			names = append(names, d.Env())
		}
	}
	for _, name := range names {
		if value := strings.TrimSpace(p.file.env.get(name)); value != "" {
			list = append(list, secret.New(value))
		}
	}
	return list
}

// Interactive returns the names of the secrets that need a person or read stdin,
// in the order in which they are asked for.
func (p *Profile) Interactive() []string {
	names := make([]string, len(p.asks))
	for i, a := range p.asks {
		names[i] = a.setting
	}
	return names
}

// Ask fetches the secrets that Interactive lists, so that nobody holds a lock
// while a person types. A person may take any time, a pipe no more than limit. The
// answers are remembered. Errors are *ReferenceError.
func (p *Profile) Ask(ctx context.Context, limit time.Duration) error {
	for _, a := range p.asks {
		if err := a.within(ctx, limit); err != nil {
			return err
		}
	}
	return nil
}

func (a ask) within(ctx context.Context, limit time.Duration) error {
	if a.pipe && limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	_, err := a.fetch(ctx)
	return err
}

// Item is one line of a profile's description.
type Item struct {
	// Name is the setting's name.
	Name string
	// Value is the text, the words of a list with blanks between, a secret's
	// reference, or [redacted] for a secret given by value.
	Value string
	// Origin says where the value comes from: "profile calls in /path:7".
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

// Describe returns the provider and every setting that has a value, in the
// service's order. It shows no secret and fetches nothing.
func (p *Profile) Describe() []Item {
	items := []Item{{Name: "provider", Value: p.Service.Name, Origin: p.chosen}}
	for _, d := range p.Service.Settings {
		v, ok := p.Settings.Lookup(d.Name)
		if !ok {
			continue
		}
		item := Item{Name: d.Name, Value: v.Text, Origin: v.Origin, Secret: d.Kind == providers.Secret}
		switch {
		case d.Kind == providers.List:
			item.Value = strings.Join(v.List, " ")
		case d.Name == "base_url":
			item.Value = withoutUser(v.Text)
		case item.Secret && v.Text == "":
			item.Value = secret.Secret{}.String()
		}
		items = append(items, item)
	}
	return slices.Clip(items)
}
