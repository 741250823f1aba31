// Package setting is what a profile says to a service: the description of each setting as
// data, which everything that reads settings reads; the values of one profile and where each
// was said; and the names that hints give them.
package setting

import "strings"

// Kind is the type of a setting's value.
type Kind int

// The kinds of settings.
const (
	// Text is a YAML string.
	Text Kind = iota
	// List is a YAML sequence of strings, or one string of space or comma
	// separated words.
	List
	// Bool is true or false.
	Bool
	// Number is a whole number, with or without quotes.
	Number
	// Secret is a reference to a secret (env:NAME, file:PATH, …), never a value.
	Secret
	// Map is a YAML mapping of names to scalars, which become text.
	Map
)

// String returns the kind as `providers show -o json` has it.
func (k Kind) String() string {
	return [...]string{"text", "list", "bool", "number", "secret", "map"}[k]
}

// Setting describes one key of a profile. The check of the configuration,
// `profile add`, `providers show`, the documentation and completion all read
// this one description.
type Setting struct {
	// Name is the key in the profile. The environment variable is AUTHCTL_ and
	// the name in upper case.
	Name string
	Kind Kind
	// Required says that the client cannot be built without it.
	Required bool
	// Unless are conditions of which each makes this one unnecessary: client_secret
	// is required unless there is a private_key.
	Unless []Condition
	// If limits Required to profiles where another setting has a given value.
	If *Condition
	// Asked says that `profile add` asks for it although it is not required.
	Asked bool
	// Default is used when nothing else gives a value.
	Default string
	// Values are the allowed values; empty means any.
	Values []string
	// Known are values that completion offers where any may be given.
	Known []string
	// Aliases are other words for values, in lower case: "canada" for ca.
	Aliases map[string]string
	// Unlisted says what to do about a value that is none of Values; empty means the
	// nearest of them.
	Unlisted string
	// Seconds says of a Text that it is a duration, which may be a whole number of seconds.
	Seconds bool
	// Fits returns what is wrong with a text that is given, completing "NAME …", and what to do about
	// it; no problem for one that fits. Nil lets every text stand that Values does.
	Fits func(text string) (problem, help string)
	// InHost says that it only becomes a part of the host, which base_url replaces.
	InHost bool
	// Login says that only a login in the browser uses it.
	Login bool
	// References says of a Map that its values may be references to secrets.
	References bool
	// JSON says of a Map that its values may be anything that JSON has, and stay it.
	JSON bool
	// AnyCase says that the names in a Map are compared without case.
	AnyCase bool
	// Refuse returns of a name in a Map why it may not stand there, completing "NAME …", and what
	// to do instead; no problem when it may. Nil lets every name stand.
	Refuse func(name string) (problem, help string)
	// Token says of a Secret that it is a token of somebody else, which may be got by what is
	// no reference elsewhere: profile:NAME, github:AUDIENCE and azure-pipelines:CONNECTION.
	Token bool
	// Help is one line, lower case, no full stop.
	Help string
	// Example is a value for documentation; obviously fake.
	Example string
}

// Env is the environment variable that gives the setting. A Secret has a twin
// with _FILE appended. It is empty for a Map with references: a variable could not tell them from
// values.
func (d Setting) Env() string {
	if d.References {
		return ""
	}
	return "AUTHCTL_" + strings.ToUpper(d.Name)
}

// Condition holds when Setting has the value Is, or any value that is not empty when Is is.
type Condition struct{ Setting, Is string }

// Wanted reports whether the setting must have a value beside those in s.
func (d Setting) Wanted(s Values) bool {
	for _, c := range d.Unless {
		if c.Holds(s) {
			return false
		}
	}
	if d.If != nil && !d.If.Holds(s) {
		return false
	}
	return d.Required
}

// Holds reports whether the condition holds for the values of a profile.
func (c Condition) Holds(s Values) bool {
	v, ok := s.values[c.Setting]
	return ok && (c.Is == "" && v.given() || c.Is != "" && c.Is == v.Text)
}
