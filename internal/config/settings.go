package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/setting"
	"go.yaml.in/yaml/v3"
)

// inQuotes is what helps where YAML took text for something else.
const inQuotes = "put it in quotes"

// builder makes one profile of what the flags, the environment and the file say.
type builder struct {
	*Profile
	env   files.Environ
	flags map[string]setting.Value
	// doc, raw and node are the profile in the file; nil without one.
	doc  *document
	raw  map[string]any
	node *yaml.Node
	// origin tells where the profile is: "profile calls in /path".
	origin string
	// said is what pasted addresses say, by the setting each was given for.
	said map[string]map[string]string
}

// build makes the profile of that name in doc. Errors are *setting.Error.
func (f *File) build(doc *document, name string, flags map[string]setting.Value) (*Profile, error) {
	values, key, node := doc.profile(name)
	if key == nil {
		return nil, f.noProfile(name)
	}
	b := builder{
		Profile: &Profile{Name: name, Line: doc.line(key), file: f}, env: f.env, flags: flags, doc: doc, node: node,
		origin: fmt.Sprintf("profile %s in %s", name, f.Path),
	}
	raw, ok := values.(map[string]any)
	b.raw = raw
	switch {
	case !IsName(name):
		return nil, &setting.Error{Line: b.Line, Problem: "this is not a name for a profile", Help: NameHint(name, nil)}
	case node.Tag == "!!null" || ok && len(raw) == 0:
		return nil, b.blame(wrong("", "is empty", "begin with its provider"))
	case !ok:
		return nil, b.blame(&setting.Error{Problem: "must be a mapping of settings"})
	}
	if err := b.provider(f.options.Services); err != nil {
		return nil, b.blame(err)
	}
	return b.Profile, b.fill()
}

// provider reads the profile's provider, which tells what else it may have.
func (b *builder) provider(services []providers.Spec) error {
	raw := b.raw["provider"]
	name, ok := raw.(string)
	name = files.Tidy(name)
	switch {
	case raw == nil || ok && name == "":
		return wrong("provider", "is missing", didYouMean("", serviceNames(services)))
	case !ok:
		return notOf("provider", "text", raw)
	}
	if b.Service, ok = serviceOf(services, name); !ok {
		return wrong("provider", fmt.Sprintf("%q is not known", files.Short(name)),
			didYouMean(name, serviceNames(services)))
	}
	b.chosen = b.at("provider")
	return nil
}

// serviceOf returns the service of that name.
func serviceOf(services []providers.Spec, name string) (providers.Spec, bool) {
	i := slices.IndexFunc(services, func(s providers.Spec) bool { return s.Name == name })
	if i < 0 {
		return providers.Spec{}, false
	}
	return services[i], true
}

func serviceNames(services []providers.Spec) []string {
	names := make([]string, len(services))
	for i, s := range services {
		names[i] = s.Name
	}
	return names
}

// at is the origin of a value in the file.
func (b *builder) at(setting string) string {
	key, _ := lookup(b.node, setting)
	return fmt.Sprintf("%s:%d", b.origin, max(b.doc.line(key), b.Line))
}

// blame completes an error about the profile's text with name and line.
func (b *builder) blame(err error) error {
	e, ok := errors.AsType[*setting.Error](err)
	if !ok {
		return err
	}
	e.Profile = b.Name
	if key, _ := lookup(b.node, e.Name); e.Line == 0 && key != nil {
		e.Line = b.doc.line(key)
	}
	e.Line = cmp.Or(e.Line, b.Line)
	return e
}

// fill gives the profile its effective values. The whole text of it is checked,
// also where a flag or the environment says something else.
func (b *builder) fill() error {
	if err := b.checkKeys(); err != nil {
		return err
	}
	values := make(map[string]setting.Value, len(b.Service.Settings))
	for _, d := range b.Service.Settings {
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
		}
	}
	if err := b.settle(values); err != nil {
		return b.blame(err)
	}
	b.Settings = setting.New(b.Name, values).Explaining(b.absences(values))
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
		return setting.Value{List: Words(d.Default), Origin: "default"}, nil
	}
	return setting.Value{Text: d.Default, Origin: "default"}, nil
}

// checkKeys looks for keys and flags the service does not know. Keys are compared as
// written: one in capitals is a mistake although viper would fold it.
func (b *builder) checkKeys() error {
	known := append([]string{"provider"}, settingNames(b.Service)...)
	var keys []string
	for i := 0; b.node != nil && i < len(b.node.Content); i += 2 {
		if key := b.node.Content[i]; key.Tag != "!!merge" {
			keys = append(keys, key.Value)
		}
	}
	for _, key := range append(keys, slices.Sorted(maps.Keys(b.raw))...) {
		if !slices.Contains(known, key) {
			return b.blame(notASetting(b.Service, key, known))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.flags)) {
		if !slices.Contains(known[1:], name) {
			return &setting.Error{
				Name: b.flags[name].Origin, Problem: fmt.Sprintf("gives %s, which %s does not have", name, b.Service.Name),
			}
		}
	}
	return nil
}

// notASetting is the error for a key that is none of those known.
func notASetting(service providers.Spec, key string, known []string) error {
	return wrong(key, "is not a setting of "+service.Name, didYouMean(key, known))
}

// written reads a setting in the profile's text; null and "" count as not given.
func (b *builder) written(d setting.Setting) (setting.Value, error) {
	raw := b.raw[d.Name]
	if raw == nil || raw == "" {
		return setting.Value{}, nil
	}
	text, ok := raw.(string)
	v := setting.Value{Text: text, Origin: b.at(d.Name)}
	wanted := "text"
	switch d.Kind {
	case setting.Secret:
		return b.reference(d.Name, d.Name, text, v.Origin, filepath.Dir(b.file.Path))
	case setting.List:
		list, err := listOf(d.Name, raw)
		if err != nil {
			return v, err
		}
		v.Text, v.List, ok = "", list, true
	case setting.Number:
		wanted = "a number"
		if number, isNumber := raw.(int); isNumber {
			v.Text, ok = strconv.Itoa(number), true
		}
	case setting.Bool:
		wanted = "true or false"
		if truth, isBool := raw.(bool); isBool {
			v.Text, ok = strconv.FormatBool(truth), true
		}
	default:
		v.Text = b.taken(d.Name, files.Tidy(text))
	}
	if !ok {
		return v, notOf(d.Name, wanted, raw)
	}
	return v, checkValue(d, &v, d.Name, "")
}

// reference reads a reference, which key gives. What is not one may be the secret itself,
// so it is never repeated.
func (b *builder) reference(of, key, text, origin, dir string) (setting.Value, error) {
	ref, ok := source.Parse(text)
	if !ok {
		return setting.Value{}, notAReference(key)
	}
	ref.Dir = dir
	return b.secret(of, of, ref, origin), nil
}

func notAReference(key string) error {
	return &setting.Error{
		Name: key, Problem: "is not a reference to a secret", Err: ErrNotReference,
		Help: "use env:NAME, file:PATH, cmd:COMMAND, keyring:NAME, stdin or prompt",
	}
}

func (b *builder) flag(d setting.Setting, v setting.Value) (setting.Value, error) {
	v.Origin = cmp.Or(v.Origin, "flag")
	if d.Kind == setting.Secret && v.Secret == nil {
		return b.reference(d.Name, v.Origin, v.Text, v.Origin, "")
	}
	v.Text = b.taken(d.Name, v.Text)
	return v, checkValue(d, &v, v.Origin, "gives "+d.Name+": ")
}

// variable reads AUTHCTL_ and the setting's name; of a secret also its twin
// with _FILE. Empty variables count as unset.
func (b *builder) variable(d setting.Setting) (setting.Value, error) {
	name := d.Env()
	text := b.env.Get(name)
	switch {
	case d.Kind == setting.Secret:
		return b.secretVariable(d.Name, name)
	case text == "":
		return setting.Value{}, nil
	}
	return b.given(d, text, name, "environment "+name)
}

// given reads a value that stands outside of a file, a list as words.
func (b *builder) given(d setting.Setting, text, key, origin string) (setting.Value, error) {
	v := setting.Value{Origin: origin}
	if d.Kind == setting.List {
		v.List = Words(text)
	} else {
		v.Text = b.taken(d.Name, text)
	}
	return v, checkValue(d, &v, key, "")
}

func (b *builder) secretVariable(of, name string) (setting.Value, error) {
	value, path := b.env.Raw(name), b.env.Get(name+"_FILE")
	switch {
	case value != "" && path != "":
		return setting.Value{}, wrong(name, "and "+name+"_FILE are both set", "unset one of them")
	case path != "":
		ref := source.Reference{Kind: "file", Arg: path}
		return b.secret(of, name+"_FILE", ref, "environment "+name+"_FILE"), nil
	case value != "":
		fetch, ok := b.file.options.Fetcher.Given(name, value)
		if !ok {
			return setting.Value{}, wrong(name, "holds blanks or a line break and nothing else",
				"give it the secret, or unset it")
		}
		return setting.Value{Secret: fetch, Origin: "environment " + name}, nil
	}
	return setting.Value{}, nil
}

// absences says of the settings without a value why the environment gave none, where it
// was expected to: without a file it comes from there or from nowhere.
func (b *builder) absences(values map[string]setting.Value) map[string]setting.Absence {
	all := map[string]setting.Absence{}
	for _, d := range b.Service.Settings {
		if _, ok := values[d.Name]; ok {
			continue
		}
		if absence := b.absence(d); absence.Why != "" || b.doc == nil {
			all[d.Name] = absence
		}
	}
	return all
}

func (b *builder) absence(d setting.Setting) setting.Absence {
	name := d.Env()
	names, help := []string{name}, "set "+name+": "+d.Help
	if d.Kind == setting.Secret {
		names = append(names, name+"_FILE")
		help = "set " + name + " to the secret itself, or " + name + "_FILE to a file that holds it"
	}
	for _, n := range names {
		why, remedy := source.Absent(b.env, n)
		if why == "" {
			continue
		}
		if d.Kind == setting.Secret && !b.env.Has(n) {
			help = remedy + "; or " + help
		}
		return setting.Absence{Why: n + " " + why, Help: help}
	}
	return setting.Absence{Help: help}
}
