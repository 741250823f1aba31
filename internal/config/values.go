package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/setting"
)

// ParseSetting reads one setting of a service as it would be written in a profile,
// a list as words. A secret's text is a reference, which is not fetched. Errors
// are *setting.Error and do not repeat what may be a secret.
func ParseSetting(service providers.Spec, name, text string) (setting.Value, error) {
	known := settingNames(service)
	i := slices.Index(known, name)
	if i < 0 {
		return setting.Value{}, notASetting(service, name, known)
	}
	d := service.Settings[i]
	text = files.Tidy(text)
	_, isReference := source.Parse(text)
	switch {
	case text == "":
		return setting.Value{}, wrong(name, "is empty", "")
	case d.Kind != setting.Secret:
		b := builder{Profile: &Profile{Service: service}}
		return b.value(d, text, name, "what was given")
	case !isReference:
		return setting.Value{}, notAReference(name)
	}
	return setting.Value{Text: text, Origin: "what was given", Secret: secret.Known(secret.Secret{})}, nil
}

// settingNames are the keys that a profile of a service may have beside provider.
func settingNames(service providers.Spec) []string {
	names := make([]string, len(service.Settings))
	for i, d := range service.Settings {
		names[i] = d.Name
	}
	return names
}

// checkValue checks the allowed values and puts a value into its one form.
func checkValue(d setting.Setting, v *setting.Value, key, prefix string) error {
	allowed, given := d.Values, v.List
	switch d.Kind {
	case setting.Bool:
		allowed = []string{"true", "false"}
		v.Text = cmp.Or(map[string]string{"1": "true", "0": "false"}[v.Text], v.Text)
	case setting.Text:
		v.Text = aliased(d, v.Text)
	}
	if d.Kind != setting.List {
		given = []string{v.Text}
	}
	for _, text := range given {
		if problem, help := oddPaste(d, text); problem != "" {
			return wrong(key, prefix+problem, help)
		}
		if len(allowed) > 0 && !slices.Contains(allowed, text) {
			return wrong(key, fmt.Sprintf("%s%q is not one of %s", prefix, files.Short(text), strings.Join(allowed, ", ")),
				cmp.Or(d.Unlisted, nearest(text, allowed)))
		}
	}
	return nil
}

// aliased returns the value that another word stands for.
func aliased(d setting.Setting, text string) string {
	word := strings.ToLower(text)
	if d.Aliases != nil && slices.Contains(d.Values, word) {
		return word
	}
	return cmp.Or(d.Aliases[word], text)
}

func listOf(name string, raw any) ([]string, error) {
	if text, ok := raw.(string); ok {
		return Words(text), nil
	}
	items, ok := raw.([]any)
	if !ok {
		return nil, notOf(name, "a list", raw)
	}
	list := make([]string, len(items))
	for i, item := range items {
		text, ok := item.(string)
		if !ok || text == "" {
			return nil, wrong(name, fmt.Sprintf("has an item that is not text but %s, number %d", kindOf(item), i+1),
				asText(item))
		}
		list[i] = files.Tidy(text)
	}
	return list, nil
}

// wantedOf says what a value of a kind is, for people.
func wantedOf(kind setting.Kind) string {
	switch kind {
	case setting.Number:
		return "a number"
	case setting.Bool:
		return "true or false"
	}
	return "text"
}

// notOf is the error for a value that YAML took for something else than what is wanted.
func notOf(key, wanted string, raw any) *setting.Error {
	e := wrong(key, "must be "+wanted+", not "+kindOf(raw), "")
	switch wanted {
	case "a list":
		e.Help = "write [first, second]"
	case "text":
		e.Help = asText(raw)
	}
	return e
}

// asText says how a value becomes text, empty for a list or a mapping, which quotes do not
// make one.
func asText(raw any) string {
	switch raw.(type) {
	case []any, map[string]any:
		return ""
	}
	return inQuotes
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
