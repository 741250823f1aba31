package config

import (
	"maps"
	"slices"

	"github.com/authctl/authctl/internal/config/kinds"
	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/setting"
)

// extend reads the base that the profile extends, where it does. Errors without a place are
// about the profile.
func (b *builder) extend() error {
	own := b.entries[0]
	raw := own.raw["extends"]
	name, ok := raw.(string)
	name = files.Tidy(name)
	switch {
	case raw == nil || ok && name == "":
		return nil
	case !ok:
		return setting.Wrong("extends", "must be the name of one base, not "+kinds.KindOf(raw), "")
	}
	base, err := b.file.base(name)
	if err != nil {
		return err
	}
	b.Base, b.extends, b.entries = name, own.at("extends"), append(b.entries, base)
	return nil
}

// base reads the base of that name. Errors without a place are about what extends it.
func (f *File) base(name string) (*entry, error) {
	l, err := f.having(bases, name)
	if err != nil {
		return nil, err
	}
	if l == nil {
		return nil, noBase(f, name)
	}
	e, err := l.entry(bases, name)
	if err == nil {
		err = e.checkBase(f.options.Services)
	}
	return e, err
}

// noBase is the error for a base that there is not.
func noBase(f *File, name string) error {
	names, err := f.Bases()
	if err != nil {
		return err
	}
	if !MayBeShown(name) {
		return setting.Wrong("extends", "names no base", NameHint(name, names))
	}
	if l, _ := f.having(profiles, name); l != nil {
		return setting.Wrong("extends", "names "+name+", which is a profile and no base",
			"put what they have in common under bases")
	}
	return setting.Wrong("extends", "names "+name+", and there is no such base", setting.DidYouMean(name, names))
}

// checkBase looks for keys that no profile could have: those of its service when it names one,
// else those of none.
func (e *entry) checkBase(services providers.Services) error {
	if e.has("extends") {
		return e.blame(setting.Wrong("extends", "stands in a base: a base extends no other",
			"write the keys into it, or name the other one in the profile"))
	}
	name, _ := e.raw["provider"].(string)
	service, named, _ := serviceOf(services, files.Tidy(name))
	if named {
		return e.checkKeys(append([]string{"provider"}, settingNames(service)...), "is not a setting of "+service.Name)
	}
	if e.has("provider") {
		return nil // the profile may name another, and says so when it does not
	}
	var known []string
	for _, s := range services.All() {
		known = append(known, settingNames(s)...)
	}
	slices.Sort(known)
	return e.checkKeys(slices.Compact(known), "is not a setting of any service")
}

// checkKeys looks for keys that are not known. They are compared as they are written: one in
// capitals is a mistake although viper would fold it.
func (e *entry) checkKeys(known []string, problem string) error {
	for _, key := range append(e.keys(), slices.Sorted(maps.Keys(e.raw))...) {
		if !slices.Contains(known, key) {
			help := setting.Meant(key, known)
			if help == "" {
				others := slices.DeleteFunc(slices.Clone(known), func(k string) bool { return k == "extends" })
				help = setting.DidYouMean(key, others)
			}
			return e.blame(setting.Wrong(key, problem, help))
		}
	}
	return nil
}

// Base is a base as it stands in a file.
type Base struct {
	Name string
	// Path and Line are where it is.
	Path string
	Line int
	// Service is the one that it is read for; Named says that the base itself names it.
	Service providers.Spec
	Named   bool
	// Settings are the values that it gives to that service.
	Settings setting.Values
}

// Base reads a base, without what flags and the environment say, as one for the service as where
// it names none itself. Errors are *setting.Error.
func (f *File) Base(name, as string) (Base, error) {
	e, err := f.base(name)
	if err != nil {
		return Base{}, err
	}
	base := Base{Name: name, Path: e.path, Line: e.begins, Settings: setting.New("", nil)}
	b := builder{Profile: &Profile{file: f}, entries: []*entry{e}}
	if base.Named = e.has("provider"); !base.Named {
		b.Service, _, _ = serviceOf(f.options.Services, as)
	} else if err := b.provider(f.options.Services); err != nil {
		return base, e.blame(err)
	}
	base.Service = b.Service
	return base, b.given(&base)
}

// given reads every value that a base gives.
func (b *builder) given(base *Base) error {
	for _, d := range base.Service.Settings() {
		v, err := b.written(d)
		if err == nil && v.Origin != "" {
			base.Settings = base.Settings.With(d.Name, v)
		}
		if err != nil {
			return b.blame(err)
		}
	}
	return nil
}
