package kinds

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/setting"
)

// inQuotes is what helps where YAML took text for something else.
const inQuotes = "put it in quotes"

// Check checks the allowed values and puts a value into its one form.
func Check(d setting.Setting, v *setting.Value, key, prefix string) error {
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
			return setting.Wrong(key, prefix+problem, help)
		}
		if len(allowed) > 0 && !slices.Contains(allowed, text) {
			problem := fmt.Sprintf("%s%q is not one of %s", prefix, files.Short(text), strings.Join(allowed, ", "))
			return setting.Wrong(key, problem, cmp.Or(d.Unlisted, setting.Meant(text, allowed)))
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

// ListOf returns the words of a list, or of one text. Errors are about the key name.
func ListOf(name string, raw any) ([]string, error) {
	if text, ok := raw.(string); ok {
		return Words(text), nil
	}
	items, ok := raw.([]any)
	if !ok {
		return nil, NotOf(name, "a list", raw)
	}
	list := make([]string, len(items))
	for i, item := range items {
		text, ok := item.(string)
		if !ok || text == "" {
			return nil, setting.Wrong(name, fmt.Sprintf("has an item that is not text but %s, number %d", KindOf(item), i+1),
				asText(item))
		}
		list[i] = files.Tidy(text)
	}
	return list, nil
}

// Wanted says what the value of a setting is, for people.
func Wanted(d setting.Setting) string {
	switch {
	case d.Seconds:
		return "a duration"
	case d.Kind == setting.Number:
		return "a number"
	case d.Kind == setting.Bool:
		return "true or false"
	}
	return "text"
}

// wantedMap is what a Map is, for people.
const wantedMap = "a mapping"

// NotOf is the error for a value that YAML took for something else than what is wanted.
func NotOf(key, wanted string, raw any) *setting.Error {
	e := setting.Wrong(key, "must be "+wanted+", not "+KindOf(raw), "")
	switch wanted {
	case "a list":
		e.Help = "write [first, second]"
	case wantedMap:
		e.Help = "write {name: value}"
	case "a duration":
		e.Help = "write it as 30m or 12h, or in whole seconds"
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

// KindOf names what YAML took a value for.
func KindOf(raw any) string {
	switch raw := raw.(type) {
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
		if raw != "" {
			return "text"
		}
		return "an empty text"
	}
	return "something else"
}
