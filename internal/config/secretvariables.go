package config

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode"

	"github.com/authctl/authctl/internal/providers"
	"go.yaml.in/yaml/v3"
)

// SecretVariables returns the names of the environment variables whose values are
// secrets: those of the secret settings of every service, the store's key, and those
// that references name, of this profile and of all others of its file, whether they are
// used or not. The twins with _FILE and _CMD only say where a secret is and are not among
// them. A nil profile names none.
func SecretVariables(services []providers.Spec, p *Profile) []string {
	var f *File
	var named []string
	if p != nil {
		f, named = p.file, p.named
	}
	names := append(f.SecretVariables(services), named...)
	slices.Sort(names)
	return slices.Compact(names)
}

// SecretVariables is as the function of that name, for all profiles of the file. A nil
// file names none.
func (f *File) SecretVariables(services []providers.Spec) []string {
	names := []string{"AUTHCTL_STORE_KEY"}
	for _, s := range services {
		for _, d := range s.Settings {
			if d.Kind == providers.Secret {
				names = append(names, d.Env())
			}
		}
	}
	if f != nil {
		names = append(names, f.variables()...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// variables returns what env: references anywhere in the file name. Only the parser
// knows what a text in UTF-16, a folded value or an escape means; a file that it does not
// read is searched as it is, since a mistake must not keep secrets in the environment.
// What the scanner took is searched too: it is UTF-8 with every value on one line, and a
// thousand profiles take long to parse.
func (f *File) variables() []string {
	if f.simple && !bytes.ContainsRune(f.text, '\\') {
		return variablesIn(f.text)
	}
	if names, ok := variablesOf(f.text); ok {
		return names
	}
	return variablesIn(f.text)
}

// variablesOf parses the text of a configuration and returns what its env: references
// name, whatever key they stand under. It is not ok when that is no YAML.
func variablesOf(text []byte) (names []string, ok bool) {
	in := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var doc yaml.Node
		if err := in.Decode(&doc); errors.Is(err, io.EOF) {
			return names, true
		} else if err != nil {
			return nil, false
		}
		names = append(names, namedBy(&doc)...)
	}
}

// namedBy returns what the references among a node's scalars name. What an alias stands
// for is met where its anchor is.
func namedBy(n *yaml.Node) []string {
	var names []string
	if n.Kind == yaml.ScalarNode {
		text := n.Value
		_ = n.Decode(&text) // as !!binary says
		if ref, ok := parseReference(text); ok && ref.kind == "env" {
			names = append(names, ref.arg)
		}
	}
	for _, child := range n.Content {
		names = append(names, namedBy(child)...)
	}
	return names
}

// variablesIn returns what follows each env: in the text of a configuration that is not
// parsed. So it also finds what a comment names.
func variablesIn(text []byte) []string {
	var names []string
	for {
		_, after, found := bytes.Cut(text, []byte("env:"))
		if !found {
			return names
		}
		end := bytes.IndexAny(after, "\r\n\"'#,]}")
		if end < 0 {
			end = len(after)
		}
		if name := strings.TrimSpace(string(after[:end])); name != "" {
			names = append(names, name)
		}
		text = after
	}
}

// wordsOf returns the words of a command line that may be names of variables: what a
// person wrote into a command is meant for it.
func wordsOf(line string) []string {
	return strings.FieldsFunc(line, func(r rune) bool {
		return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
}
