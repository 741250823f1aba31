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
			Path: f.Path, Line: p.Line, Profile: p.Name,
			Problem: fmt.Sprintf("is for %s, but AUTHCTL_PROVIDER says %s", p.Service.Name, files.Short(provider)),
			Help:    "unset AUTHCTL_PROVIDER or choose another profile",
		}
	}
	return p, nil
}

// located completes an error about the file as a whole.
func (f *File) located(err error) error {
	if e, ok := errors.AsType[*setting.Error](err); ok {
		e.Path = f.Path
	}
	return err
}

func (f *File) fromEnvironment(provider string, flags map[string]setting.Value) (*Profile, error) {
	service, ok, help := serviceOf(f.options.Services, provider)
	if !ok {
		return nil, wrong("AUTHCTL_PROVIDER", fmt.Sprintf("%q is not a known provider", provider), help)
	}
	b := builder{
		Profile: &Profile{Name: EnvironmentProfile, Service: service, chosen: "environment AUTHCTL_PROVIDER", file: f},
		flags:   flags,
	}
	return b.Profile, b.fill()
}

func (f *File) fromFile(name string, flags map[string]setting.Value) (*Profile, error) {
	chosen := name
	if name == "" {
		var err error
		if chosen, err = f.fallback(); err != nil {
			return nil, err
		}
	}
	doc, err := f.document(chosen)
	if err != nil {
		return nil, err
	}
	p, err := f.build(doc, chosen, flags)
	if e, ok := errors.AsType[*setting.Error](err); ok && name == "" && errors.Is(e, ErrNoProfile) {
		key, _ := lookup(doc.root, "default_profile")
		e.Line, e.Name, e.Problem = doc.line(key), "default_profile", NamesNothing(chosen)
	}
	return p, err
}

// document returns a document that holds the profile of that name.
func (f *File) document(name string) (*document, error) {
	return f.part("profiles:\n", find(f.layout.Profiles, name))
}

// part returns a document that holds a part of the file below a line of its own: this part
// alone where its place is known, else the whole file.
func (f *File) part(head string, at Span) (*document, error) {
	if f.whole == nil && f.simple && at.End > 0 {
		text := append([]byte(head), f.text[at.Start:at.End]...)
		if doc, err := parse(text, at.Line-1-strings.Count(head, "\n")); err == nil {
			return doc, nil
		}
	}
	return f.all()
}

// all returns the whole file.
func (f *File) all() (*document, error) {
	if f.whole != nil {
		return f.whole, nil
	}
	doc, err := parse(f.text, 0)
	if err != nil {
		return nil, f.located(err)
	}
	f.whole = doc
	return doc, nil
}

// Names returns the names of the profiles in the order of the file. Errors are
// *setting.Error and mean that the file cannot be parsed.
func (f *File) Names() ([]string, error) {
	if f.simple {
		return f.layout.Names(), nil
	}
	doc, err := f.all()
	if err != nil {
		return nil, err
	}
	return doc.names(), nil
}

// Default returns the value of default_profile, empty when the file has none.
// Errors are *setting.Error.
func (f *File) Default() (string, error) {
	name, _, err := f.top("default_profile")
	return name, err
}

// top returns the text of a key at the margin and its line, nothing when there is none.
// Errors are *setting.Error.
func (f *File) top(name string) (text string, line int, err error) {
	at := f.layout.Key(name)
	if f.simple && at.End == 0 {
		return "", 0, nil
	}
	doc, err := f.part("", at)
	if err != nil {
		return "", 0, err
	}
	text, line, err = doc.top(name)
	return text, line, f.located(err)
}

// NamesNothing says of default_profile that there is no profile of that name.
func NamesNothing(name string) string {
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
		e.Problem = "there is no profile: " + notLooked + f.emptyProvider()
		e.Help = "name the file with --config or AUTHCTL_CONFIG, or set AUTHCTL_PROVIDER and what it needs"
	case len(names) == 0:
		e.Problem = "there is no profile" + f.emptyProvider()
		e.Help = "create one with: authctl profile add; or set AUTHCTL_PROVIDER and what it needs"
	}
	return "", e
}

// emptyProvider says that the environment was about to give the profile.
func (f *File) emptyProvider() string {
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
	e := Missing(name, names)
	if e.Path = f.Path; f.Path == "" {
		e.Problem += "; " + notLooked
		e.Help = "set HOME, or name the file with --config or AUTHCTL_CONFIG"
	} else if len(names) == 0 && MayBeShown(name) {
		e.Help = "create it with: authctl profile add " + name
	}
	return e
}

// notLooked is what it means for reading that there is no place for the file.
const notLooked = "no configuration file was looked for, because there is no home directory (HOME is not set)"

// Summary is what a listing shows of a profile.
type Summary struct {
	Name string
	// Provider and Account are empty when Err is set and they are not known.
	Provider string
	Account  string
	// Default says that default_profile names it.
	Default bool
	// Err is what is wrong with the profile, an *setting.Error or a
	// *setting.Error; nil when it can be used.
	Err error
}

// List checks every profile and returns them in the order of the file, with the
// environment's values on top of their own as a call would have them. The error
// is an *setting.Error and means that the file as a whole cannot be used.
func (f *File) List() ([]Summary, error) {
	doc, err := f.all()
	if err != nil {
		return nil, err
	}
	fallback, err := f.Default()
	if err != nil {
		return nil, err
	}
	names := doc.names()
	list := make([]Summary, len(names))
	for i, name := range names {
		list[i] = f.summary(doc, name)
		list[i].Default = name == fallback
	}
	return list, nil
}

func (f *File) summary(doc *document, name string) Summary {
	s := Summary{Name: name}
	p, err := f.build(doc, name, nil)
	if err != nil {
		s.Err = err
		return s
	}
	s.Provider, s.Account = p.Service.Name, p.Settings.Text("account")
	s.Err = p.Settings.Check(p.Service.Settings)
	return s
}
