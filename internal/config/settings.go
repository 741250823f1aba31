package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

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
	flags map[string]setting.Value
	// doc, raw and node are the profile in the file; nil without one.
	doc  *document
	raw  map[string]any
	node *yaml.Node
	// said is what pasted addresses say, by the setting each was given for.
	said map[string]map[string]string
}

// build makes the profile of that name in doc. Errors are *setting.Error.
func (f *File) build(doc *document, name string, flags map[string]setting.Value) (*Profile, error) {
	values, key, node := doc.profile(name)
	if key == nil {
		return nil, f.noProfile(name)
	}
	raw, ok := values.(map[string]any)
	b := builder{Profile: &Profile{Name: name, Line: doc.line(key), file: f}, flags: flags, doc: doc, raw: raw, node: node}
	switch {
	case !IsName(name):
		return nil, &setting.Error{
			Path: f.Path, Line: b.Line, Problem: "this is not a name for a profile", Help: NameHint(name, nil),
		}
	case node.Tag == "!!null" || ok && len(raw) == 0:
		return nil, b.blame(wrong("", "is empty", "begin with its provider"))
	case !ok:
		return nil, b.blame(wrong("", "must be a mapping of settings", ""))
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
	service, known, help := serviceOf(services, name)
	switch {
	case raw == nil || ok && name == "":
		return wrong("provider", "is missing", help)
	case !ok:
		return notOf("provider", "text", raw)
	case !known:
		return wrong("provider", fmt.Sprintf("%q is not known", files.Short(name)), help)
	}
	b.Service = service
	b.chosen = b.at("provider")
	return nil
}

// serviceOf returns the service of that name; where there is none, help says what to do.
func serviceOf(services []providers.Spec, name string) (service providers.Spec, ok bool, help string) {
	names := make([]string, len(services))
	for i, s := range services {
		if names[i] = s.Name; s.Name == name {
			return s, true, ""
		}
	}
	return providers.Spec{}, false, didYouMean(name, names)
}

// at is the origin of a value in the file.
func (b *builder) at(setting string) string {
	key, _ := lookup(b.node, setting)
	return fmt.Sprintf("profile %s in %s:%d", b.Name, b.file.Path, max(b.doc.line(key), b.Line))
}

// blame completes an error about the profile's text with where that is.
func (b *builder) blame(err error) error {
	e, ok := errors.AsType[*setting.Error](err)
	if !ok {
		return err
	}
	e.Profile = b.Name
	if b.doc == nil {
		return err
	}
	key, _ := lookup(b.node, e.Name)
	e.Path, e.Line = b.file.Path, cmp.Or(e.Line, b.doc.line(key), b.Line)
	return err
}

// fill gives the profile its effective values. The whole text of it is checked,
// also where a flag or the environment says something else.
func (b *builder) fill() error {
	if err := b.checkKeys(); err != nil {
		return err
	}
	values := make(map[string]setting.Value, len(b.Service.Settings))
	absent := map[string]setting.Absence{}
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
		} else if absence := b.absence(d); absence.Why != "" || b.doc == nil {
			// Without a file it comes from the environment or from nowhere.
			absent[d.Name] = absence
		}
	}
	if err := b.settle(values); err != nil {
		return b.blame(err)
	}
	b.Settings = setting.New(b.Name, values).Explaining(absent)
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
	switch raw := b.raw[d.Name]; {
	case raw == nil || raw == "":
		return setting.Value{}, nil
	case d.Kind == setting.Secret:
		text, _ := raw.(string)
		return b.reference(d.Name, d.Name, text, b.at(d.Name), filepath.Dir(b.file.Path))
	default:
		return b.value(d, raw, d.Name, b.at(d.Name))
	}
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
		v.Text, fits = strconv.Itoa(raw), d.Kind == setting.Number
	case bool:
		v.Text, fits = strconv.FormatBool(raw), d.Kind == setting.Bool
	}
	switch {
	case d.Kind == setting.List:
		v.Text = ""
		if v.List, err = listOf(key, raw); err != nil {
			return v, err
		}
	case !fits:
		return v, notOf(key, wantedOf(d.Kind), raw)
	}
	return v, checkValue(d, &v, key, "")
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
	text := b.file.env.Get(name)
	switch {
	case d.Kind == setting.Secret:
		return b.secretVariable(d.Name, name)
	case text == "":
		return setting.Value{}, nil
	}
	return b.value(d, text, name, "environment "+name)
}

func (b *builder) secretVariable(of, name string) (setting.Value, error) {
	set, ref := secretVariables(b.file.env, name, "file")
	switch {
	case len(set) == 0:
		return setting.Value{}, nil
	case len(set) > 1:
		return setting.Value{}, wrong(strings.Join(set, " and "), "are both set", "unset one of them")
	case ref.Kind != "":
		return b.secret(of, set[0], ref, "environment "+set[0]), nil
	}
	fetch, ok := b.file.options.Fetcher.Given(name, b.file.env.Raw(name))
	if !ok {
		return setting.Value{}, wrong(name, "holds blanks or a line break and nothing else",
			"give it the secret, or unset it")
	}
	return setting.Value{Secret: fetch, Origin: "environment " + name}, nil
}

// secretVariables returns which of the variables of a secret are set, the one that holds it
// and its twins that give a reference of a kind (_FILE, _CMD), and the reference of the last.
func secretVariables(env files.Environ, name string, kinds ...string) (set []string, ref source.Reference) {
	if env.Raw(name) != "" {
		set = append(set, name)
	}
	for _, kind := range kinds {
		twin := name + "_" + strings.ToUpper(kind)
		if arg := env.Get(twin); arg != "" {
			set, ref = append(set, twin), source.Reference{Kind: kind, Arg: arg}
		}
	}
	return set, ref
}

// absence says of a setting without a value why the environment gave none, and how it can.
func (b *builder) absence(d setting.Setting) setting.Absence {
	name := d.Env()
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
