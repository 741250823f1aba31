package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/providers"
	"go.yaml.in/yaml/v3"
)

// source is where the values of one profile come from, beside the environment.
type source struct {
	flags map[string]providers.Value
	// doc, raw and node are the profile in the file; nil without one.
	doc  *document
	raw  map[string]any
	node *yaml.Node
}

// build makes the profile of that name in doc. Errors are *Error.
func (f *File) build(doc *document, name string, flags map[string]providers.Value) (*Profile, error) {
	values, key, node := doc.profile(name)
	if key == nil {
		return nil, f.noProfile(name)
	}
	p := &Profile{Name: name, Line: doc.line(key), origin: fmt.Sprintf("profile %s in %s", name, f.Path), file: f}
	raw, ok := values.(map[string]any)
	switch {
	case !validName(name):
		e := notAName(name)
		e.Line, e.Problem = p.Line, "this is not a name for a profile"
		return nil, e
	case node.Tag == "!!null" || ok && len(raw) == 0:
		return nil, &Error{Line: p.Line, Profile: name, Problem: "is empty", Suggestion: "begin with its provider"}
	case !ok:
		return nil, &Error{Line: p.Line, Profile: name, Problem: "must be a mapping of settings"}
	}
	s := source{flags: flags, doc: doc, raw: raw, node: node}
	if err := s.provider(f, p); err != nil {
		return nil, s.blame(p, err)
	}
	return p, f.fill(p, s)
}

// provider reads the profile's provider, which tells what else it may have.
func (s source) provider(f *File, p *Profile) error {
	known := f.serviceNames()
	name, ok := s.raw["provider"].(string)
	name = files.Tidy(name)
	switch {
	case s.raw["provider"] == nil || ok && name == "":
		return &Error{Key: "provider", Problem: "is missing", Suggestion: didYouMean("", known)}
	case !ok:
		return mustBeText("provider", s.raw["provider"])
	}
	if p.Service, ok = f.service(name); !ok {
		return &Error{
			Key: "provider", Problem: fmt.Sprintf("%q is not known", printable(name)),
			Suggestion: didYouMean(name, known),
		}
	}
	key, _ := lookup(s.node, "provider")
	p.chosen = fmt.Sprintf("%s:%d", p.origin, max(s.doc.line(key), p.Line))
	return nil
}

// blame completes an error about the profile's text with name and line.
func (s source) blame(p *Profile, err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	e.Profile = p.Name
	if key, _ := lookup(s.node, e.Key); e.Line == 0 && key != nil {
		e.Line = s.doc.line(key)
	} else if e.Line == 0 {
		e.Line = p.Line
	}
	return e
}

// fill gives p its effective values. The whole text of the profile is checked,
// also where a flag or the environment says something else.
func (f *File) fill(p *Profile, s source) error {
	if err := s.checkKeys(p.Service); err != nil {
		return s.blame(p, err)
	}
	if err := checkFlags(p.Service, s.flags); err != nil {
		return err
	}
	values := make(map[string]providers.Value, len(p.Service.Settings))
	for _, d := range p.Service.Settings {
		inFile, err := f.fromText(p, s, d)
		if err != nil {
			return s.blame(p, err)
		}
		v, err := f.first(p, s, d, inFile)
		if err != nil {
			return err
		}
		if v.Origin != "" {
			values[d.Name] = v
		}
	}
	if err := p.settle(values); err != nil {
		return s.blame(p, err)
	}
	// Nobody is asked for what a flag or the environment gives.
	p.asks = slices.DeleteFunc(p.asks, func(a ask) bool { return values[a.setting].Origin != a.origin })
	p.Settings = providers.NewSettings(p.Name, values).Explaining(f.absences(p, values))
	return nil
}

// first returns the value that counts, one without an Origin when there is none.
func (f *File) first(p *Profile, s source, d providers.Setting, inFile providers.Value) (providers.Value, error) {
	if v, ok := s.flags[d.Name]; ok {
		return f.fromFlag(p, d, v)
	}
	v, err := f.fromVariable(p, d)
	switch {
	case err != nil || v.Origin != "":
		return v, err
	case inFile.Origin != "" || d.Default == "":
		return inFile, nil
	case d.Kind == providers.List:
		return providers.Value{List: Words(d.Default), Origin: "default"}, nil
	}
	return providers.Value{Text: d.Default, Origin: "default"}, nil
}

// checkKeys looks for keys the service does not know. Keys are compared as
// written: one in capitals is a mistake although viper would fold it.
func (s source) checkKeys(service providers.Spec) error {
	known := []string{"provider"}
	for _, d := range service.Settings {
		known = append(known, d.Name)
	}
	var written []string
	if s.node != nil {
		for i := 0; i < len(s.node.Content); i += 2 {
			if key := s.node.Content[i]; key.Tag != "!!merge" {
				written = append(written, key.Value)
			}
		}
	}
	for _, key := range append(written, slices.Sorted(maps.Keys(s.raw))...) {
		if !slices.Contains(known, key) {
			return &Error{
				Key: key, Problem: "is not a setting of " + service.Name,
				Suggestion: didYouMean(key, known),
			}
		}
	}
	return nil
}

func checkFlags(service providers.Spec, flags map[string]providers.Value) error {
	for _, name := range slices.Sorted(maps.Keys(flags)) {
		if !slices.ContainsFunc(service.Settings, func(d providers.Setting) bool { return d.Name == name }) {
			return &Error{Key: flags[name].Origin, Problem: fmt.Sprintf("gives %s, which %s does not have", name, service.Name)}
		}
	}
	return nil
}

// fromText reads a setting in the profile's text; null and "" count as not given.
func (f *File) fromText(p *Profile, s source, d providers.Setting) (providers.Value, error) {
	raw := s.raw[d.Name]
	if raw == nil || raw == "" {
		return providers.Value{}, nil
	}
	key, _ := lookup(s.node, d.Name)
	v := providers.Value{Origin: fmt.Sprintf("%s:%d", p.origin, max(s.doc.line(key), p.Line))}
	var err error
	switch d.Kind {
	case providers.List:
		v.List, err = listOf(d.Name, raw)
	case providers.Number:
		text, isText := raw.(string)
		if number, isNumber := raw.(int); isNumber {
			text, isText = strconv.Itoa(number), true
		}
		if v.Text = text; !isText {
			err = &Error{Key: d.Name, Problem: "must be a number, not " + kindOf(raw)}
		}
	case providers.Secret:
		return f.secretText(p, d.Name, raw, v.Origin)
	case providers.Bool:
		text, isText := raw.(string)
		if truth, isBool := raw.(bool); isBool {
			text, isText = fmt.Sprint(truth), true
		}
		if v.Text = text; !isText {
			err = &Error{Key: d.Name, Problem: "must be true or false, not " + kindOf(raw)}
		}
	default:
		text, isText := raw.(string)
		if v.Text = p.taken(d.Name, files.Tidy(text)); !isText {
			err = mustBeText(d.Name, raw)
		}
	}
	if err != nil {
		return v, err
	}
	return v, checkValue(d, &v, d.Name, "")
}

// secretText reads a reference. What is not one may be the secret itself, so it
// is never repeated.
func (f *File) secretText(p *Profile, name string, raw any, origin string) (providers.Value, error) {
	text, _ := raw.(string)
	ref, ok := parseReference(text)
	if !ok {
		return providers.Value{}, notAReference(name)
	}
	ref.dir = f.dir()
	return p.secret(f.refs, name, ref, origin), nil
}

func notAReference(name string) error {
	return &Error{
		Key: name, Problem: "is not a reference to a secret", Err: ErrNotReference,
		Suggestion: "use env:NAME, file:PATH, cmd:COMMAND, keyring:NAME, stdin or prompt",
	}
}

func (f *File) fromFlag(p *Profile, d providers.Setting, v providers.Value) (providers.Value, error) {
	if v.Origin == "" {
		v.Origin = "flag"
	}
	if d.Kind == providers.Secret && v.Secret == nil {
		ref, ok := parseReference(v.Text)
		if !ok {
			return v, notAReference(v.Origin)
		}
		return p.secret(f.refs, d.Name, ref, v.Origin), nil
	}
	v.Text = p.taken(d.Name, v.Text)
	return v, checkValue(d, &v, v.Origin, "gives "+d.Name+": ")
}

// fromVariable reads AUTHCTL_ and the setting's name; of a secret also its twin
// with _FILE. Empty variables count as unset.
func (f *File) fromVariable(p *Profile, d providers.Setting) (providers.Value, error) {
	name := "AUTHCTL_" + strings.ToUpper(d.Name)
	text := f.env.get(name)
	if d.Kind == providers.Secret {
		return f.secretVariable(p, d.Name, name)
	}
	if text == "" {
		return providers.Value{}, nil
	}
	v := providers.Value{Text: p.taken(d.Name, text), Origin: "environment " + name}
	if d.Kind == providers.List {
		v.Text, v.List = "", Words(text)
	}
	return v, checkValue(d, &v, name, "")
}

func (f *File) secretVariable(p *Profile, setting, name string) (providers.Value, error) {
	value, path := f.env.raw(name), f.env.get(name+"_FILE")
	switch {
	case value != "" && path != "":
		return providers.Value{}, &Error{
			Key: name, Problem: "and " + name + "_FILE are both set", Suggestion: "unset one of them",
		}
	case path != "":
		ref := reference{kind: "file", arg: path}
		v := p.secret(f.refs, setting, ref, "environment "+name+"_FILE")
		v.Secret = f.refs.bind(p.Name, name+"_FILE", ref)
		return v, nil
	case value != "":
		if strings.TrimSpace(files.TidySecret(value)) == "" {
			return providers.Value{}, &Error{
				Key: name, Problem: "holds blanks or a line break and nothing else", Suggestion: "give it the secret, or unset it",
			}
		}
		return providers.Value{Secret: f.refs.given(name, value), Origin: "environment " + name}, nil
	}
	return providers.Value{}, nil
}

// checkValue checks the allowed values and puts a truth value into its one form.
func checkValue(d providers.Setting, v *providers.Value, key, prefix string) error {
	allowed, given := d.Values, v.List
	if d.Kind != providers.List {
		given = []string{v.Text}
	}
	if d.Kind == providers.Bool {
		switch v.Text {
		case "1":
			v.Text = "true"
		case "0":
			v.Text = "false"
		}
		allowed, given = []string{"true", "false"}, []string{v.Text}
	}
	if err := checkPasted(d, given, key, prefix); err != nil {
		return err
	}
	if len(given) == 1 && d.Kind == providers.Text && d.Aliases != nil {
		v.Text = aliased(d, v.Text)
		given = []string{v.Text}
	}
	for _, text := range given {
		if len(allowed) > 0 && !slices.Contains(allowed, text) {
			return &Error{
				Key: key, Problem: fmt.Sprintf("%s%q is not one of %s", prefix, printable(text), strings.Join(allowed, ", ")),
				Suggestion: cmp.Or(d.Unlisted, suggestValue(text, allowed)),
			}
		}
	}
	return nil
}

// aliased returns the value that another word stands for.
func aliased(d providers.Setting, text string) string {
	word := strings.ToLower(text)
	if slices.Contains(d.Values, word) {
		return word
	}
	return cmp.Or(d.Aliases[word], text)
}

func suggestValue(text string, allowed []string) string {
	if best := providers.Nearest(text, allowed); best != "" {
		return "did you mean " + best + "?"
	}
	return ""
}

func listOf(name string, raw any) ([]string, error) {
	if text, ok := raw.(string); ok {
		return Words(text), nil
	}
	items, ok := raw.([]any)
	if !ok {
		return nil, &Error{
			Key: name, Problem: "must be a list, not " + kindOf(raw), Suggestion: "write [first, second]",
		}
	}
	list := make([]string, len(items))
	for i, item := range items {
		text, ok := item.(string)
		if !ok || text == "" {
			return nil, &Error{
				Key: name, Problem: fmt.Sprintf("has an item that is not text but %s, number %d", kindOf(item), i+1),
				Suggestion: "put it in quotes",
			}
		}
		list[i] = files.Tidy(text)
	}
	return list, nil
}

func mustBeText(name string, raw any) error {
	e := &Error{Key: name, Problem: "must be text, not " + kindOf(raw), Suggestion: "put it in quotes"}
	switch raw.(type) {
	case []any, map[string]any:
		e.Suggestion = ""
	}
	return e
}

// kindOf names what YAML took a value for.
func kindOf(raw any) string {
	switch raw.(type) {
	case nil:
		return "nothing"
	case bool:
		return "a truth value"
	case int, int64, uint64, float64:
		return "a number"
	case time.Time:
		return "a date"
	case []any:
		return "a list"
	case map[string]any:
		return "a mapping"
	case string:
		return "an empty text"
	}
	return "something else"
}
