package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/setting"
)

// Profile returns a profile with its effective values. An empty name means
// AUTHCTL_PROFILE, else the environment alone when AUTHCTL_PROVIDER is set, else
// default_profile, else the only profile there is. The flags are values given on
// the command line, by setting; they come first. Each of them may leave Secret
// nil and give a reference as Text. Nothing is fetched here.
//
// Errors are *setting.Error; those about a profile that is not there wrap ErrNoProfile.
func (f *File) Profile(name string, flags map[string]setting.Value) (*Profile, error) {
	chosen := files.Tidy(name)
	if chosen == "" {
		chosen = f.env.Get("AUTHCTL_PROFILE")
	}
	provider := f.env.Get("AUTHCTL_PROVIDER")
	if chosen == "" && provider != "" {
		return f.fromEnvironment(provider, flags)
	}
	p, err := f.fromFile(chosen, flags)
	if err != nil {
		return nil, err
	}
	if provider != "" && p.Service.Name != provider {
		return nil, &setting.Error{
			Path: p.path, Line: p.line, Profile: p.Name,
			Problem: fmt.Sprintf("is for %s, but AUTHCTL_PROVIDER says %s", p.Service.Name, files.Short(provider)),
			Help:    "unset AUTHCTL_PROVIDER or choose another profile",
		}
	}
	return p, nil
}

func (f *File) fromEnvironment(provider string, flags map[string]setting.Value) (*Profile, error) {
	service, ok, help := serviceOf(f.options.Services, provider)
	if !ok {
		return nil, setting.Wrong("AUTHCTL_PROVIDER", fmt.Sprintf("%q is not a known provider", provider), help)
	}
	b := builder{
		Profile: &Profile{Name: EnvironmentProfile, Service: service, chosen: "environment AUTHCTL_PROVIDER", file: f},
		flags:   flags,
	}
	if err := b.fill(); err != nil {
		return b.Profile, err
	}
	return b.Profile, b.checkVariables()
}

func (f *File) fromFile(name string, flags map[string]setting.Value) (*Profile, error) {
	chosen := name
	if name == "" {
		var err error
		if chosen, err = f.fallback(); err != nil {
			return nil, err
		}
	}
	p, err := f.build(chosen, flags)
	if e, ok := errors.AsType[*setting.Error](err); ok && name == "" && errors.Is(e, ErrNoProfile) {
		_, where, line, _ := f.top("default_profile")
		e.Path, e.Line, e.Name, e.Problem = where, line, "default_profile", f.NamesNothing(chosen)
	}
	return p, err
}

// Names returns the names of the profiles, those of the file itself first, in the order of
// each file. Errors are *setting.Error and mean that a file cannot be parsed.
func (f *File) Names() ([]string, error) { return f.names(profiles) }

// Bases returns the names of the bases; see Names.
func (f *File) Bases() ([]string, error) { return f.names(bases) }

// Where returns where a profile is given that counts, nothing when there is none. Errors are
// *setting.Error.
func (f *File) Where(name string) (path string, line int, err error) {
	l, err := f.having(profiles, name)
	if l == nil {
		return "", 0, err
	}
	return l.path, l.where(profiles, name), nil
}

// Default returns the value of default_profile, empty when there is none.
// Errors are *setting.Error.
func (f *File) Default() (string, error) {
	name, _, _, err := f.top("default_profile")
	return name, err
}

// NamesNothing says of default_profile that there is no profile of that name.
func (f *File) NamesNothing(name string) string {
	if l, _ := f.having(bases, name); l != nil {
		return "names " + name + ", which is a base"
	}
	if MayBeShown(name) {
		return "names " + name + ", which does not exist"
	}
	return "names a profile that does not exist"
}

// fallback returns the profile for a call that names none.
func (f *File) fallback() (string, error) {
	name, err := f.Default()
	if name != "" || err != nil {
		return name, err
	}
	names, err := f.Names()
	if err != nil || len(names) == 1 {
		return strings.Join(names, ""), err
	}
	e := &setting.Error{
		Path: f.Path, Err: ErrNoProfile,
		Problem: "no profile was named and none is the default; there are " + some(names),
		Help:    "name one, or make it the default with: authctl profile use NAME",
	}
	switch {
	case f.Path == "":
		e.Problem = "there is no profile: " + notLooked + emptyProvider(f)
		e.Help = "name the file with --config or AUTHCTL_CONFIG, or set AUTHCTL_PROVIDER and what it needs"
	case len(names) == 0:
		e.Problem = "there is no profile" + emptyProvider(f)
		e.Help = "create one with: authctl profile add; or set AUTHCTL_PROVIDER and what it needs"
	}
	return "", e
}

// emptyProvider says that the environment was about to give the profile.
func emptyProvider(f *File) string {
	if f.env.Has("AUTHCTL_PROVIDER") {
		return "; AUTHCTL_PROVIDER is set but empty"
	}
	return ""
}

// some lists names, the first ten of many.
func some(names []string) string {
	if len(names) <= 10 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:10], ", "), len(names)-10)
}

// noProfile is the error for a name the file does not have.
func (f *File) noProfile(name string) error {
	names, err := f.Names()
	if err != nil {
		return err
	}
	if l, _ := f.having(bases, name); l != nil {
		return setting.At(l.path, l.where(bases, name), OnlyBase(name))
	}
	e := Missing(name, names)
	if e.Path = f.Path; f.Path == "" {
		e.Problem += "; " + notLooked
		e.Help = "set HOME, or name the file with --config or AUTHCTL_CONFIG"
	} else if len(names) == 0 && MayBeShown(name) {
		e.Help = "create it with: authctl profile add " + name
	}
	return e
}

// OnlyBase is the error for a base that was named where a profile is wanted.
func OnlyBase(name string) *setting.Error {
	return &setting.Error{
		Problem: name + " is a base, and no profile by itself", Help: "name a profile that extends it", Err: ErrNoProfile,
	}
}

// notLooked is what it means for reading that there is no place for the file.
const notLooked = "no configuration file was looked for, because there is no home directory (HOME is not set)"

// Summary is what a listing shows of a profile.
type Summary struct {
	Name string
	// Provider and Account are empty when Err is set and they are not known.
	Provider string
	Account  string
	// Base is the base that it extends, empty for none, and Path the file that it is in.
	Base, Path string
	// Profile is the profile itself, nil when it cannot be read, as Err says.
	Profile *Profile
	// Default says that default_profile names it.
	Default bool
	// Err is what is wrong with the profile, an *setting.Error or a
	// *setting.Error; nil when it can be used.
	Err error
}

// List checks every profile and returns them as Names does, with the
// environment's values on top of their own as a call would have them. The error
// is an *setting.Error and means that the file as a whole cannot be used.
func (f *File) List() ([]Summary, error) {
	names, err := f.Names()
	if err != nil {
		return nil, err
	}
	fallback, err := f.Default()
	if err != nil {
		return nil, err
	}
	for _, l := range f.layers {
		if _, err := l.all(); err != nil {
			return nil, err
		}
	}
	list := make([]Summary, len(names))
	for i, name := range names {
		list[i] = f.summary(name)
		list[i].Default = name == fallback
	}
	return list, nil
}

func (f *File) summary(name string) Summary {
	s := Summary{Name: name}
	s.Path, _, _ = f.Where(name)
	p, err := f.build(name, nil)
	if err != nil {
		s.Err = err
		return s
	}
	s.Profile, s.Provider, s.Account, s.Base = p, p.Service.Name, p.Settings.Text("account"), p.Base
	s.Err = p.Settings.Check(p.Service.Settings())
	return s
}
