package config

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/config/stores"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/setting"
	"go.yaml.in/yaml/v3"
)

// SecretVariables returns the names of the environment variables whose values are
// secrets: those of the secret settings of every service, the store's key and password, and
// those that references name, of this profile and of all others of its file, whether they are
// used or not. The twins with _FILE and _CMD only say where a secret is and are not among
// them. A nil profile names none.
func SecretVariables(services []providers.Spec, p *Profile) []string {
	if p == nil {
		return (*File)(nil).SecretVariables(services)
	}
	names := append(p.file.SecretVariables(services), p.named()...)
	slices.Sort(names)
	return slices.Compact(names)
}

// SecretVariables is as the function of that name, for all profiles of the file. A nil
// file names none.
func (f *File) SecretVariables(services []providers.Spec) []string {
	names := []string{stores.Variable(stores.Key), stores.Variable(stores.Password)}
	for _, s := range services {
		names = append(names, secretsOf(s)...)
		if f == nil {
			continue
		}
		for _, name := range secretsOf(s) {
			ref, _ := tokenVariable(f, s, name)
			names = append(names, variablesFor(ref)...)
		}
	}
	if f != nil {
		for _, l := range f.layers {
			names = append(names, l.variables()...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// secretsOf are the variables that give the secrets of a service by value.
func secretsOf(service providers.Spec) []string {
	var names []string
	for _, d := range service.Settings() {
		if d.Kind == setting.Secret {
			names = append(names, d.Env())
		}
	}
	return names
}

// tokenVariable is the reference that a variable of a service has in place of a token, the zero one
// and false where it has none.
func tokenVariable(f *File, service providers.Spec, name string) (source.Reference, bool) {
	ref, ok := source.Parse(f.env.Get(name))
	if !ok || !ref.IsToken() || !slices.ContainsFunc(service.Settings(), func(d setting.Setting) bool {
		return d.Token && d.Env() == name
	}) {
		return source.Reference{}, false
	}
	return ref, true
}

// variables returns what env: references anywhere in the file name. Only the parser
// knows what a text in UTF-16, a folded value or an escape means; a file that it does not
// read is searched as it is, since a mistake must not keep secrets in the environment.
// What the scanner took is searched too: it is UTF-8 with every value on one line, and a
// thousand profiles take long to parse.
func (l *layer) variables() []string {
	if l.simple && !bytes.ContainsRune(l.text, '\\') {
		var names []string
		for line := range bytes.Lines(l.text) {
			if !bytes.HasPrefix(bytes.TrimLeft(line, " "), []byte("#")) {
				names = append(names, variablesIn(line)...)
			}
		}
		return names
	}
	if names, ok := variablesOf(l.text); ok {
		return names
	}
	return variablesIn(l.text)
}

// variablesOf parses the text of a configuration and returns what its env: references
// name, whatever key they stand under. It is not ok when that is no YAML.
func variablesOf(text []byte) (names []string, ok bool) {
	in := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var doc yaml.Node
		if err := in.Decode(&doc); err != nil {
			return names, errors.Is(err, io.EOF)
		}
		names = append(names, namedBy(&doc, variablesFor)...)
	}
}

// namedBy returns what the references among a node's scalars name that of knows. What an alias
// stands for is met where its anchor is.
func namedBy(n *yaml.Node, of func(source.Reference) []string) []string {
	var names []string
	if n.Kind == yaml.ScalarNode {
		text := n.Value
		_ = n.Decode(&text) // as !!binary says
		if ref, ok := source.Parse(text); ok {
			names = append(names, of(ref)...)
		}
	}
	for _, child := range n.Content {
		names = append(names, namedBy(child, of)...)
	}
	return names
}

// variablesFor are the variables that a reference names, and those with secrets that a token of
// the pipeline's job is got with.
func variablesFor(ref source.Reference) []string {
	switch ref.Kind {
	case "env":
		return []string{ref.Arg}
	case source.GitHub:
		return []string{"ACTIONS_ID_TOKEN_REQUEST_TOKEN"}
	case source.AzurePipelines:
		return []string{"SYSTEM_ACCESSTOKEN"}
	}
	return nil
}

// keyringName is the keyring's secret that a reference names.
func keyringName(ref source.Reference) []string {
	if ref.Kind == "keyring" {
		return []string{ref.Arg}
	}
	return nil
}

// tokensIn are the kinds of the pipeline's tokens that the text of a configuration that is not
// parsed may name: one with nothing but a name behind it is a key.
func tokensIn(text []byte) []string {
	var names []string
	for _, kind := range []string{source.GitHub, source.AzurePipelines} {
		before, after, found := bytes.Cut(text, []byte(kind+":"))
		quoted := len(before) > 0 && bytes.IndexByte([]byte(`"'`), before[len(before)-1]) >= 0
		if found && (quoted || len(after) > 0 && bytes.IndexByte([]byte(" \r\n"), after[0]) < 0) {
			names = append(names, variablesFor(source.Reference{Kind: kind})...)
		}
	}
	return names
}

// variablesIn returns what follows each env: in the text of a configuration that is not
// parsed, and what its other references need. So it also finds what a comment names.
func variablesIn(text []byte) []string {
	names := tokensIn(text)
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

// OwnSecrets returns the names of the keyring's secrets that the profile refers to in the file
// itself, that begin with prefix, and that no other profile and no base refers to, whatever the
// environment says. Errors are *setting.Error: when a profile cannot be read, nobody knows what
// it refers to.
func (f *File) OwnSecrets(name, prefix string) ([]string, error) {
	var own, others []string
	for i, l := range f.layers {
		doc, err := l.all()
		if err != nil {
			return nil, err
		}
		for _, k := range []kind{profiles, bases} {
			for _, entry := range doc.names(k) {
				_, key, node := doc.entry(k, entry)
				switch names := namedBy(node, keyringName); {
				case node.Kind != yaml.MappingNode:
					return nil, l.onLine(doc.line(key), &setting.Error{Profile: entry, Problem: "cannot be read"})
				case i == 0 && k == profiles && entry == name:
					own = names
				default:
					others = append(others, names...)
				}
			}
		}
	}
	slices.Sort(own)
	return slices.DeleteFunc(slices.Compact(own), func(secret string) bool {
		return !strings.HasPrefix(secret, prefix) || slices.Contains(others, secret)
	}), nil
}
