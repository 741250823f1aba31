package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/authctl/authctl/internal/config/kinds"
	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/setting"
)

// builder makes one profile of what the flags, the environment and the file say.
type builder struct {
	*Profile
	flags map[string]setting.Value
	// entries are the profile in its file and the base that it extends; none without a file.
	entries []*entry
	// behind says that another profile asks for its token. Variables are for the profile that
	// somebody asks for, and their secrets for its service alone.
	behind bool
	// said is what pasted addresses say, by the setting each was given for.
	said map[string]map[string]string
}

// build makes the profile of that name. Errors are *setting.Error.
func (f *File) build(name string, flags map[string]setting.Value) (*Profile, error) {
	b, err := f.builder(name)
	if err != nil {
		return nil, err
	}
	b.flags = flags
	return b.build()
}

// builder reads the profile of that name, its base and its provider.
func (f *File) builder(name string) (*builder, error) {
	l, err := f.having(profiles, name)
	if err == nil && l == nil {
		err = f.noProfile(name)
	}
	if err != nil {
		return nil, err
	}
	own, err := l.entry(profiles, name)
	if err != nil {
		return nil, err
	}
	b := builder{Profile: &Profile{Name: name, file: f, path: own.path, line: own.begins}, entries: []*entry{own}}
	if err := b.extend(); err != nil {
		return nil, own.blame(err)
	}
	if err := b.provider(f.options.Services); err != nil {
		return nil, b.blame(err)
	}
	return &b, nil
}

// build gives the profile its values.
func (b *builder) build() (*Profile, error) {
	if err := b.fill(); err != nil {
		return b.Profile, err
	}
	if err := b.checkVariables(); err != nil {
		return b.Profile, err
	}
	return b.Profile, b.blame(b.checkChain())
}

// provider reads the profile's provider, which tells what else it may have.
func (b *builder) provider(services providers.Services) error {
	raw := b.raw("provider")
	name, ok := raw.(string)
	name = files.Tidy(name)
	service, known, help := serviceOf(services, name)
	switch {
	case raw == nil || ok && name == "":
		return setting.Wrong("provider", "is missing", help)
	case !ok:
		return kinds.NotOf("provider", "text", raw)
	case !known:
		return setting.Wrong("provider", fmt.Sprintf("%q is not known", files.Short(name)), help)
	}
	b.Service = service
	b.chosen = b.holder("provider").at("provider")
	return nil
}

// serviceOf returns the service of that name; where there is none, help says what to do.
func serviceOf(services providers.Services, name string) (service providers.Spec, ok bool, help string) {
	if service, ok = services.Named(name); ok {
		return service, true, ""
	}
	return service, false, setting.DidYouMean(name, services.Names())
}

// holder returns the entry that gives a key: the first one that has it, else the profile
// itself; nil without a file.
func (b *builder) holder(key string) *entry {
	for _, e := range b.entries {
		if e.has(key) {
			return e
		}
	}
	if len(b.entries) > 0 {
		return b.entries[0]
	}
	return nil
}

// raw is what the file has for a key, nil when it has nothing.
func (b *builder) raw(key string) any {
	if e := b.holder(key); e != nil {
		return e.raw[key]
	}
	return nil
}

// blame completes an error about the profile's text with where that is.
func (b *builder) blame(err error) error {
	if e, ok := errors.AsType[*setting.Error](err); ok && e.Profile == "" {
		e.Profile = b.Name
		if from := b.holder(e.Name); from != nil {
			return from.blame(err)
		}
	}
	return err
}

// fill gives the profile its effective values. The whole text of it is checked,
// also where a flag or the environment says something else.
func (b *builder) fill() error {
	if err := b.checkKeys(); err != nil {
		return err
	}
	values := make(map[string]setting.Value, len(b.Service.Settings()))
	absent := map[string]setting.Absence{}
	for _, d := range b.Service.Settings() {
		inFile, err := b.written(d)
		if err != nil {
			return b.blame(err)
		}
		v, err := b.first(d, inFile)
		if err != nil {
			return err
		}
		if v.Origin != "" {
			values[d.Name] = v
		} else if absence := b.absence(d); absence.Why != "" || len(b.entries) == 0 {
			// Without a file it comes from the environment or from nowhere.
			absent[d.Name] = absence
		}
	}
	if err := b.settle(values); err != nil {
		return b.blame(err)
	}
	b.Settings = setting.New(b.Name, values).Explaining(absent)
	b.Service = b.Service.Named(b.Settings)
	return nil
}

// first returns the value that counts, one without an Origin when there is none.
func (b *builder) first(d setting.Setting, inFile setting.Value) (setting.Value, error) {
	if v, ok := b.flags[d.Name]; ok {
		return b.flag(d, v)
	}
	v, err := b.variable(d)
	switch {
	case err != nil || v.Origin != "":
		return v, err
	case inFile.Origin != "" || d.Default == "":
		return inFile, nil
	case d.Kind == setting.List:
		return setting.Value{List: kinds.Words(d.Default), Origin: "default"}, nil
	}
	return setting.Value{Text: d.Default, Origin: "default"}, nil
}

// checkKeys looks for keys and flags the service does not know.
func (b *builder) checkKeys() error {
	known := append([]string{"provider", "extends"}, settingNames(b.Service)...)
	for _, e := range b.entries {
		if err := e.checkKeys(known, "is not a setting of "+b.Service.Name); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.flags)) {
		if !slices.Contains(known[2:], name) {
			return &setting.Error{
				Name: b.flags[name].Origin, Problem: fmt.Sprintf("gives %s, which %s does not have", name, b.Service.Name),
			}
		}
	}
	return nil
}

// notASetting is the error for a key that is none of those known.
func notASetting(service providers.Spec, key string, known []string) error {
	return setting.Wrong(key, "is not a setting of "+service.Name, setting.DidYouMean(key, known))
}

// written reads a setting in the profile's text; null and "" count as not given, and take away
// what a base says.
func (b *builder) written(d setting.Setting) (setting.Value, error) {
	from := b.holder(d.Name)
	if from == nil || from.raw[d.Name] == nil || from.raw[d.Name] == "" {
		return setting.Value{}, nil
	}
	raw, origin := from.raw[d.Name], from.at(d.Name)
	switch d.Kind {
	case setting.Secret:
	case setting.Map:
		return b.mapping(d, from)
	default:
		return b.value(d, raw, d.Name, origin)
	}
	text, _ := raw.(string)
	return b.reference(d, d.Name, text, origin, from.dir())
}

// value reads what the file or a variable, which is text, has for a setting that is no
// secret. Errors are about key.
func (b *builder) value(d setting.Setting, raw any, key, origin string) (v setting.Value, err error) {
	v.Origin = origin
	var fits bool
	switch raw := raw.(type) {
	case string:
		v.Text, fits = b.taken(d.Name, files.Tidy(raw)), true
	case int:
		v.Text, fits = strconv.Itoa(raw), d.Kind == setting.Number || d.Seconds
	case bool:
		v.Text, fits = strconv.FormatBool(raw), d.Kind == setting.Bool
	}
	switch {
	case d.Kind == setting.List:
		v.Text = ""
		if v.List, err = kinds.ListOf(key, raw); err != nil {
			return v, err
		}
	case !fits:
		return v, kinds.NotOf(key, kinds.Wanted(d), raw)
	}
	return v, kinds.Check(d, &v, key, "")
}

// reference reads a reference, which key gives. What is not one may be the secret itself,
// so it is never repeated.
func (b *builder) reference(d setting.Setting, key, text, origin, dir string) (setting.Value, error) {
	ref, err := b.parse(d, key, text)
	if err != nil {
		return setting.Value{}, err
	}
	ref.Dir = dir
	return b.secret(need{of: d.Name, token: d.Token}, d.Name, ref, origin), nil
}

// parse reads a reference that a setting may have.
func (b *builder) parse(d setting.Setting, key, text string) (source.Reference, error) {
	ref, ok := source.Parse(text)
	switch {
	case !ok:
		return ref, source.NotReference(key, d.Token)
	case ref.IsToken() && !d.Token:
		problem := "is " + ref.String() + ", which gives a token and no other secret"
		return ref, setting.Wrong(key, problem, tokensAreFor(b.Service))
	}
	return ref, nil
}

// tokensAreFor says which settings of a service take the token of somebody else.
func tokensAreFor(service providers.Spec) string {
	var names []string
	for _, d := range service.Settings() {
		if d.Token {
			names = append(names, d.Name)
		}
	}
	help := "use env:NAME, file:PATH, cmd:COMMAND, keyring:NAME, stdin or prompt"
	if len(names) > 0 {
		help += "; tokens are for " + strings.Join(names, ", ")
	}
	return help
}

func (b *builder) flag(d setting.Setting, v setting.Value) (setting.Value, error) {
	v.Origin = cmp.Or(v.Origin, "flag")
	if d.Kind == setting.Secret && v.Secret == nil {
		return b.reference(d, v.Origin, v.Text, v.Origin, "")
	}
	v.Text = b.taken(d.Name, v.Text)
	return v, kinds.Check(d, &v, v.Origin, "gives "+d.Name+": ")
}

// variable reads AUTHCTL_ and the setting's name; of a secret also its twin
// with _FILE, and of a token what it is got by: no token begins so. Empty variables count as unset.
func (b *builder) variable(d setting.Setting) (setting.Value, error) {
	name := d.Env()
	if name == "" || b.behind {
		return setting.Value{}, nil
	}
	text := b.file.env.Get(name)
	switch {
	case d.Kind == setting.Secret:
		return b.secretVariable(d, name)
	case text == "":
		return setting.Value{}, nil
	case d.Kind == setting.Map:
		return b.mapText(d, name, text, "environment "+name)
	}
	return b.value(d, text, name, "environment "+name)
}

func (b *builder) secretVariable(d setting.Setting, name string) (setting.Value, error) {
	set, ref := source.Variables(b.file.env, name, "file")
	switch {
	case len(set) == 0:
		return setting.Value{}, nil
	case len(set) > 1:
		return setting.Value{}, setting.Wrong(strings.Join(set, " and "), "are both set", "unset one of them")
	case ref.Kind != "":
		return b.secret(need{of: d.Name, token: d.Token}, set[0], ref, "environment "+set[0]), nil
	}
	if ref, ok := source.Parse(b.file.env.Get(name)); d.Token && ref.IsToken() {
		if !ok {
			return setting.Value{}, source.NotReference(name, true)
		}
		return b.secret(need{of: d.Name, token: true}, name, ref, "environment "+name), nil
	}
	fetch, ok := b.file.options.Fetcher.Given(name, b.file.env.Raw(name))
	if !ok {
		return setting.Value{}, setting.Wrong(name, "holds blanks or a line break and nothing else",
			"give it the secret, or unset it")
	}
	return setting.Value{Secret: fetch, Origin: "environment " + name}, nil
}

// absence says of a setting without a value why the environment gave none, and how it can.
func (b *builder) absence(d setting.Setting) setting.Absence {
	name := d.Env()
	if name == "" || b.behind {
		return setting.Absence{}
	}
	names, help := []string{name}, "set "+name+": "+d.Help
	if d.Kind == setting.Secret {
		names = append(names, name+"_FILE")
		help = "set " + name + " to the secret itself, or " + name + "_FILE to a file that holds it"
	}
	for _, n := range names {
		why, remedy := source.Absent(b.file.env, n)
		if why == "" {
			continue
		}
		if d.Kind == setting.Secret && !b.file.env.Has(n) {
			help = remedy + "; or " + help
		}
		return setting.Absence{Why: n + " " + why, Help: help}
	}
	return setting.Absence{Help: help}
}
