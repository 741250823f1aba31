package setting

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/secret"
)

// Value is a setting's value and where it was said.
type Value struct {
	// Text is the value of a Text or Bool ("true", "false"), or the reference of
	// a Secret as written ("env:NAME"). Empty for a secret given by value.
	Text string
	// List is the value of a List.
	List []string
	// Secret fetches the value of a Secret.
	Secret secret.Func
	// Map is the value of a Map: texts, or what JSON has where the setting says so.
	Map map[string]any
	// Secrets fetch those values of a Map that are references, by name.
	Secrets map[string]secret.Func
	// Identity stands for a Secret that another profile gets, where one has to be told from another
	// without being fetched; empty means that Text does.
	Identity string
	// Subject tells apart, as Values.Digest does, for whom a Secret is that another profile gets; nil
	// for all others.
	Subject func(ctx context.Context) (string, error)
	// Behind are the settings of that profile, nil for all others.
	Behind *Values
	// References are the references of Secrets as they are shown, by name.
	References map[string]string
	// Anew says of a Secret that each process gets it anew, from another profile or a pipeline, and
	// Asked that a person is asked for it. All others this machine has.
	Anew, Asked bool
	// Origin says where the value comes from, for people: "flag --scope",
	// "environment AUTHCTL_ACCOUNT", "profile calls in /path:7", "default".
	Origin string
}

// Values are the effective values of one profile, every name known to the
// service and every value of its kind.
type Values struct {
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
func (s Values) Explaining(absent map[string]Absence) Values {
	s.absent = absent
	return s
}

// Absence returns what is known of a setting that has no value.
func (s Values) Absence(name string) Absence { return s.absent[name] }

// New makes Values of values that have been checked.
func New(profile string, values map[string]Value) Values {
	return Values{Profile: profile, values: values}
}

// Lookup returns the value of a setting and whether it has one.
func (s Values) Lookup(name string) (Value, bool) {
	v, ok := s.values[name]
	return v, ok
}

// Text returns the value of a Text setting, empty when it has none.
func (s Values) Text(name string) string { return s.values[name].Text }

// List returns the value of a List setting.
func (s Values) List(name string) []string { return s.values[name].List }

// Map returns the value of a Map setting without what is a reference in it.
func (s Values) Map(name string) map[string]any { return s.values[name].Map }

// Secrets returns what fetches those values of a Map setting that are references.
func (s Values) Secrets(name string) map[string]secret.Func { return s.values[name].Secrets }

// Bool returns the value of a Bool setting.
func (s Values) Bool(name string) bool { return s.values[name].Text == "true" }

// Secret returns what fetches a Secret setting, nil when it has no value.
func (s Values) Secret(name string) secret.Func { return s.values[name].Secret }

// With returns the settings with another value of one of them. The secrets stay
// fetched.
func (s Values) With(name string, v Value) Values {
	s.values = maps.Clone(s.values)
	if s.values == nil {
		s.values = map[string]Value{}
	}
	s.values[name] = v
	return s
}

// Tag returns secret.Secret.Tag over every secret of the settings, in the order of
// their names. It fetches them, but for tokens of somebody else: each process gets another, and
// what they are got with stands for them.
func (s Values) Tag(ctx context.Context, salt string) (string, error) {
	var tag strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.values)) {
		one, err := s.values[name].tag(ctx, salt)
		if err != nil {
			return "", err
		}
		tag.WriteString(one)
	}
	return tag.String(), nil
}

// tag is one value's part of Tag.
func (v Value) tag(ctx context.Context, salt string) (string, error) {
	switch {
	case v.Behind != nil:
		return v.Behind.Tag(ctx, salt)
	case v.Anew:
		return secret.New(v.Text).Tag(salt), nil
	}
	var tag strings.Builder
	for _, fetch := range v.fetches() {
		value, err := fetch(ctx)
		if err != nil {
			return "", err
		}
		tag.WriteString(value.Tag(salt))
	}
	return tag.String(), nil
}

// Digest returns a digest of the named secrets, those that this machine has: what another profile,
// a pipeline or a person would have to be asked for is told apart by its reference. It is empty,
// and nothing is fetched, where there is none of that.
func (s Values) Digest(ctx context.Context, names []string) (string, error) {
	sum, none := sha256.New(), true
	for _, name := range names {
		one, err := s.values[name].digest(ctx)
		if err != nil {
			return "", err
		}
		if one != "" {
			_, _ = fmt.Fprintf(sum, "%s %s\n", name, one) // a hash takes everything
			none = false
		}
	}
	if none {
		return "", nil
	}
	return hex.EncodeToString(sum.Sum(nil)[:16]), nil
}

// digest is one secret's part of Digest, empty when it is not at hand.
func (v Value) digest(ctx context.Context) (string, error) {
	switch {
	case v.Subject != nil:
		return v.Subject(ctx)
	case v.Anew || v.Asked:
		return "", nil
	}
	var text strings.Builder
	for _, fetch := range v.fetches() {
		value, err := fetch(ctx)
		if err != nil {
			return "", err
		}
		_, _ = fmt.Fprintf(&text, "%x", value.Sum()) // a builder takes everything
	}
	return text.String(), nil
}

// fetches are what fetches the secrets of a value, in the order of their names.
func (v Value) fetches() []secret.Func {
	var list []secret.Func
	if v.Secret != nil {
		list = append(list, v.Secret)
	}
	for _, name := range slices.Sorted(maps.Keys(v.Secrets)) {
		list = append(list, v.Secrets[name])
	}
	return list
}

// Shown is a map with each reference in its secret's place, nil for what is no map.
func (v Value) Shown() map[string]any {
	if v.Map == nil && v.References == nil {
		return nil
	}
	shown := map[string]any{}
	maps.Copy(shown, v.Map)
	for name, reference := range v.References {
		shown[name] = reference
	}
	return shown
}

// given reports whether the value is more than an empty one.
func (v Value) given() bool {
	return v.Text != "" || v.Secret != nil || len(v.List) > 0 || len(v.Map) > 0 || len(v.Secrets) > 0
}

// RequestTag returns a salted digest in hex of every setting that is no secret, of
// which secrets there are, and of what else the caller names: two profiles with one tag
// ask a service in the same way. It fetches nothing.
func (s Values) RequestTag(salt string, beside ...string) string {
	words := append([]string{salt}, beside...)
	for _, name := range slices.Sorted(maps.Keys(s.values)) {
		v := s.values[name]
		words = append(words, name)
		if v.Secret == nil {
			words = append(words, v.Text)
			words = append(words, v.List...)
			words = append(words, v.mapWords()...)
		}
		if v.Behind != nil {
			words = append(words, v.Behind.RequestTag(salt))
		}
	}
	sum := sha256.New()
	for _, word := range words {
		_, _ = fmt.Fprintf(sum, "%d:%s,", len(word), word) // a hash takes everything
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// mapWords are a map's values as words and which of them are secrets, in the order of their
// names.
func (v Value) mapWords() []string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(v.Map)) {
		text, _ := json.Marshal(v.Map[name]) // it was read from YAML, and checked
		words = append(words, "value", name, string(text))
	}
	for _, name := range slices.Sorted(maps.Keys(v.Secrets)) {
		words = append(words, "secret", name)
	}
	return words
}

// Fit returns an error for the first value that does not fit its setting.
func (s Values) Fit(settings []Setting) error {
	for _, d := range settings {
		v, given := s.values[d.Name]
		if d.Fits == nil || !given {
			continue
		}
		texts := v.List
		if d.Kind != List {
			texts = []string{v.Text}
		}
		for _, text := range texts {
			if problem, help := d.Fits(text); problem != "" {
				return s.Wrong(d.Name, problem, help)
			}
		}
	}
	return nil
}

// Check returns an error that names every required setting that is missing.
func (s Values) Check(settings []Setting) error {
	var names, whys, help []string
	for _, d := range settings {
		if v, ok := s.values[d.Name]; ok && (d.Kind != List && d.Kind != Map || v.given()) || !d.Wanted(s) {
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
	e := &Error{
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
