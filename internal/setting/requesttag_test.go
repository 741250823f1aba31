package setting_test

import (
	"context"
	"testing"

	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
)

type secretFunc = secret.Func

// Every setting belongs to the comparison of two requests, whatever its kind, and so
// does what the caller adds; where a value was said does not.
func TestRequestTag(t *testing.T) {
	secret := func(value string) setting.Value {
		return setting.Value{Secret: func(context.Context) (secret.Secret, error) { return secret.New(value), nil }}
	}
	hidden := func(name, value string) map[string]secretFunc {
		return map[string]secretFunc{name: secret(value).Secret}
	}
	base := map[string]setting.Value{
		"basic_encoding": {Text: "raw"}, "account_form_field": {Text: "true"}, "accept": {Text: "application/json"},
		"key_id": {Text: "k1"}, "keep": {List: []string{"sid"}}, "client_secret": secret("s"),
		"params": {Map: map[string]any{"a": "1", "b": "2"}}, "claims": {Map: map[string]any{"n": map[string]any{"x": 1}}},
		"headers": {Map: map[string]any{"x": "1"}, Secrets: hidden("y", "1")},
	}
	first := setting.New("p", base)
	want := first.RequestTag("salt", "ca.pem")
	for name, row := range map[string]struct {
		other setting.Values
		same  bool
	}{
		"the same":                   {first, true},
		"another secret":             {first.With("client_secret", secret("other")), true}, // see Settings.Tag
		"said elsewhere":             {first.With("key_id", setting.Value{Text: "k1", Origin: "flag"}), true},
		"basic_encoding":             {first.With("basic_encoding", setting.Value{Text: "form"}), false},
		"account_form_field":         {first.With("account_form_field", setting.Value{Text: "false"}), false},
		"accept":                     {first.With("accept", setting.Value{Text: "text/plain"}), false},
		"key_id":                     {first.With("key_id", setting.Value{Text: "k2"}), false},
		"a list":                     {first.With("keep", setting.Value{List: []string{"sid", "id_token"}}), false},
		"a setting more":             {first.With("pkce", setting.Value{Text: "true"}), false},
		"a secret more":              {first.With("api_key", secret("k")), false},
		"a value of a map":           {first.With("params", setting.Value{Map: map[string]any{"a": "1", "b": "3"}}), false},
		"a name of a map":            {first.With("params", setting.Value{Map: map[string]any{"a": "1", "c": "2"}}), false},
		"a claim inside":             {first.With("claims", setting.Value{Map: map[string]any{"n": map[string]any{"x": "1"}}}), false},
		"another secret in a map":    {first.With("headers", setting.Value{Map: map[string]any{"x": "1"}, Secrets: hidden("y", "2")}), true},
		"a secret more in a map":     {first.With("headers", setting.Value{Secrets: hidden("x", "1")}), false},
		"words that run into others": {first.With("keep", setting.Value{Text: "sid"}).With("key_id", setting.Value{Text: "k1keep"}), false},
	} {
		if got := row.other.RequestTag("salt", "ca.pem"); (got == want) != row.same {
			t.Errorf("%s: same %v, want %v", name, got == want, row.same)
		}
	}
	if first.RequestTag("salt", "other.pem") == want || first.RequestTag("other", "ca.pem") == want {
		t.Error("the way to the service, or the salt, is no part of the tag")
	}
}
