package providers

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/secret"
)

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
)

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
	// Aliases are other words for values, in lower case: "canada" for ca.
	Aliases map[string]string
	// Unlisted says what to do about a value that is none of Values; empty means the
	// nearest of them.
	Unlisted string
	// InHost says that it only becomes a part of the host, which base_url replaces.
	InHost bool
	// Login says that only a login in the browser uses it.
	Login bool
	// Help is one line, lower case, no full stop.
	Help string
	// Example is a value for documentation; obviously fake.
	Example string
}

// Env is the environment variable that gives the setting. A Secret has a twin
// with _FILE appended.
func (d Setting) Env() string { return "AUTHCTL_" + strings.ToUpper(d.Name) }

// Condition holds when Setting has the value Is, or any value that is not empty when Is is.
type Condition struct{ Setting, Is string }

// Value is a setting's value and where it was said.
type Value struct {
	// Text is the value of a Text or Bool ("true", "false"), or the reference of
	// a Secret as written ("env:NAME"). Empty for a secret given by value.
	Text string
	// List is the value of a List.
	List []string
	// Secret fetches the value of a Secret.
	Secret secret.Func
	// Origin says where the value comes from, for people: "flag --scope",
	// "environment AUTHCTL_ACCOUNT", "profile calls in /path:7", "default".
	Origin string
}

// Settings are the effective values of one profile, every name known to the
// service and every value of its kind.
type Settings struct {
	// Profile is the profile's name, for messages.
	Profile string
	values  map[string]Value
	absent  map[string]Absence
}

// Absence is what is known of a setting that has no value.
type Absence struct {
	// Why completes "is missing: …": "AUTHCTL_ACCOUNT is set but empty"; may be empty.
	Why string
	// Help says what to do; empty means the setting's own words.
	Help string
}

// Explaining returns the settings with what is known of those that have no value.
func (s Settings) Explaining(absent map[string]Absence) Settings {
	s.absent = absent
	return s
}

// Absence returns what is known of a setting that has no value.
func (s Settings) Absence(name string) Absence { return s.absent[name] }

// NewSettings makes Settings of values that have been checked.
func NewSettings(profile string, values map[string]Value) Settings {
	return Settings{Profile: profile, values: values}
}

// Lookup returns the value of a setting and whether it has one.
func (s Settings) Lookup(name string) (Value, bool) {
	v, ok := s.values[name]
	return v, ok
}

// Text returns the value of a Text setting, empty when it has none.
func (s Settings) Text(name string) string { return s.values[name].Text }

// List returns the value of a List setting.
func (s Settings) List(name string) []string { return s.values[name].List }

// Bool returns the value of a Bool setting.
func (s Settings) Bool(name string) bool { return s.values[name].Text == "true" }

// Secret returns what fetches a Secret setting, nil when it has no value.
func (s Settings) Secret(name string) secret.Func { return s.values[name].Secret }

// With returns the settings with another value of one of them. The secrets stay
// fetched.
func (s Settings) With(name string, v Value) Settings {
	s.values = maps.Clone(s.values)
	if s.values == nil {
		s.values = map[string]Value{}
	}
	s.values[name] = v
	return s
}

// Tag returns secret.Secret.Tag over every secret of the settings, in the order of
// their names. It fetches them.
func (s Settings) Tag(ctx context.Context, salt string) (string, error) {
	var tag strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.values)) {
		fetch := s.values[name].Secret
		if fetch == nil {
			continue
		}
		secret, err := fetch(ctx)
		if err != nil {
			return "", err
		}
		tag.WriteString(secret.Tag(salt))
	}
	return tag.String(), nil
}

// RequestTag returns a salted digest in hex of every setting that is no secret, of
// which secrets there are, and of what else the caller names: two profiles with one tag
// ask a service in the same way. It fetches nothing.
func (s Settings) RequestTag(salt string, beside ...string) string {
	words := append([]string{salt}, beside...)
	for _, name := range slices.Sorted(maps.Keys(s.values)) {
		v := s.values[name]
		words = append(words, name)
		if v.Secret == nil {
			words = append(words, v.Text)
			words = append(words, v.List...)
		}
	}
	sum := sha256.New()
	for _, word := range words {
		_, _ = fmt.Fprintf(sum, "%d:%s,", len(word), word) // a hash takes everything
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// Check returns an error that names every required setting that is missing.
func (s Settings) Check(settings []Setting) error {
	var names, whys, help []string
	for _, d := range settings {
		if v, ok := s.values[d.Name]; ok && (d.Kind != List || len(v.List) > 0) || !d.Wanted(s) {
			continue
		}
		absence := s.absent[d.Name]
		names, help = append(names, d.Name), append(help, cmp.Or(absence.Help, d.Name+": "+d.Help))
		if absence.Why != "" {
			whys = append(whys, absence.Why)
		}
	}
	if len(names) == 0 {
		return nil
	}
	e := &SettingError{
		Profile: s.Profile, Name: strings.Join(names, ", "), Problem: "are missing", Help: strings.Join(help, "; "),
	}
	if len(names) == 1 {
		e.Problem = "is missing"
	}
	if len(whys) > 0 {
		e.Problem += ": " + strings.Join(whys, "; ")
	}
	return e
}

// Wanted reports whether the setting must have a value beside those in s.
func (d Setting) Wanted(s Settings) bool {
	for _, c := range d.Unless {
		if c.holds(s) {
			return false
		}
	}
	if d.If != nil && !d.If.holds(s) {
		return false
	}
	return d.Required
}

func (c Condition) holds(s Settings) bool {
	v, ok := s.values[c.Setting]
	return ok && (c.Is == "" && (v.Text != "" || v.Secret != nil || len(v.List) > 0) || c.Is != "" && c.Is == v.Text)
}

// SettingError says that a setting's value cannot be used. Exit code 3.
type SettingError struct {
	Profile, Name string
	// Problem completes "profile P: NAME …": "is missing", `"a/b" is not a host label`.
	Problem string
	// Help says what is wanted; may be empty.
	Help string
	// Origin says where the value was given; may be empty.
	Origin string
}

// Error names profile, setting, problem and origin.
func (e *SettingError) Error() string {
	var b strings.Builder
	if e.Profile != "" {
		fmt.Fprintf(&b, "profile %s: ", e.Profile)
	}
	fmt.Fprintf(&b, "%s %s", e.Name, e.Problem)
	if e.Origin != "" {
		fmt.Fprintf(&b, " (from %s)", e.Origin)
	}
	return b.String()
}
