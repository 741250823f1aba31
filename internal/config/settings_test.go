package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/setting"
)

// TestStrict gives a profile one line more and expects the error, or none.
func TestStrict(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ line, want string }{
		"typo":                {"clientid: x", "FILE:6: profile p: clientid is not a setting of talkdesk | did you mean client_id?"},
		"prefix":              {"client: x", "FILE:6: profile p: client is not a setting of talkdesk | did you mean client_id?"},
		"capitals":            {"Client_ID: x", "FILE:6: profile p: Client_ID is not a setting of talkdesk | did you mean client_id?"},
		"nothing near":        {"zebra: x", "FILE:6: profile p: zebra is not a setting of talkdesk | one of provider, account, region, client_id, client_secret, private_key, scopes, pkce"},
		"control characters":  {`"a\tb": x`, `FILE:6: profile p: "a\tb" is not a setting of talkdesk | one of provider, account, region, client_id, client_secret, private_key, scopes, pkce`},
		"a number":            {"client_id: 0123", "FILE:6: profile p: client_id must be text, not a number | put it in quotes"},
		"a float":             {"client_id: 1e3", "FILE:6: profile p: client_id must be text, not a number | put it in quotes"},
		"a truth value":       {"client_id: true", "FILE:6: profile p: client_id must be text, not a truth value | put it in quotes"},
		"a date":              {"client_id: 2024-01-01", "FILE:6: profile p: client_id must be text, not a date | put it in quotes"},
		"a list for text":     {"client_id: [x]", "FILE:6: profile p: client_id must be text, not a list"},
		"a mapping for text":  {"client_id: {a: b}", "FILE:6: profile p: client_id must be text, not a mapping"},
		"a mapping for list":  {"scopes: {a: b}", "FILE:6: profile p: scopes must be a list, not a mapping | write [first, second]"},
		"a list in a list":    {"scopes: [a, [b]]", "FILE:6: profile p: scopes has an item that is not text but a list, number 2"},
		"a line break":        {`client_id: "a\nb"`, "FILE:6: profile p: client_id holds a control character or a line break | write it on one line"},
		"a number in a list":  {"scopes: [a, 12]", "FILE:6: profile p: scopes has an item that is not text but a number, number 2 | put it in quotes"},
		"text for bool":       {"pkce: yse", `FILE:6: profile p: pkce "yse" is not one of true, false`},
		"a number for bool":   {"pkce: 12", "FILE:6: profile p: pkce must be true or false, not a number"},
		"quoted bool":         {`pkce: "false"`, ""},
		"bad value":           {"region: ue", `FILE:6: profile p: region "ue" is not one of us, eu, ca, au | did you mean us?`},
		"a secret in plain":   {"client_secret: hunter2-fake", "FILE:6: profile p: client_secret is not a reference to a secret | use env:NAME, file:PATH, cmd:COMMAND, keyring:NAME, stdin or prompt"},
		"a secret of digits":  {"client_secret: 7777", "FILE:6: profile p: client_secret is not a reference to a secret | use env:NAME, file:PATH, cmd:COMMAND, keyring:NAME, stdin or prompt"},
		"an empty reference":  {"client_secret: 'env:'", "FILE:6: profile p: client_secret is not a reference to a secret | use env:NAME, file:PATH, cmd:COMMAND, keyring:NAME, stdin or prompt"},
		"a misspelt one":      {"client_secret: evn:X", "FILE:6: profile p: client_secret is not a reference to a secret | use env:NAME, file:PATH, cmd:COMMAND, keyring:NAME, stdin or prompt"},
		"a tag":               {"client_secret: !!int hunter2-fake", "FILE: has a value that does not fit its tag"},
		"twice":               {"account: x", "FILE:6: account is given twice"},
		"no value":            {"client_id:", ""},
		"empty value":         {`client_id: ""`, ""},
		"list as text":        {"scopes: x, y", ""},
		"list of lines":       {"scopes:\n    - x\n    - y", ""},
		"syntax":              {"client_id: [a", "FILE:6: is not valid YAML: did not find expected ',' or ']'"},
		"a tab":               {"\tclient_id: a", "FILE:6: is not valid YAML: found a tab character that violates indentation | indent with spaces, which YAML wants there"},
		"top-level typo":      {"x\nprofile: {}", "FILE:6: is not valid YAML: could not find expected ':'"},
		"unknown key outside": {"client_id: x\nprofile: {}", "FILE:7: profile is not a known key | did you mean profiles?"},
		"second document":     {"client_id: x\n---\na: b", "FILE:7: has a second YAML document | keep one document"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := load(t, "profiles:\n  q: {bad: [1]}\n  p:\n    provider: talkdesk\n    account: a\n    "+tt.line+"\n")
			_, err := f.Profile("p", nil)
			got := message(f, err)
			if got != tt.want {
				t.Errorf("error\n got %s\nwant %s", got, tt.want)
			}
			// The path of the file, which is random, is not in it.
			if strings.Contains(got, "hunter2") || strings.Contains(got, "7777") {
				t.Error("the error shows the secret")
			}
		})
	}
}

func TestStrictProfile(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, want string }{
		"no provider":       {"{account: a}", "FILE:2: profile p: provider is missing | one of talkdesk, pexip"},
		"provider a number": {"{provider: 1}", "FILE:2: profile p: provider must be text, not a number | put it in quotes"},
		"provider unknown":  {"{provider: takldesk}", `FILE:2: profile p: provider "takldesk" is not known | did you mean talkdesk?`},
		"empty":             {"", "FILE:2: profile p: is empty | begin with its provider"},
		"empty mapping":     {"{}", "FILE:2: profile p: is empty | begin with its provider"},
		"a list":            {"[a]", "FILE:2: profile p: must be a mapping of settings"},
		"a word":            {"talkdesk", "FILE:2: profile p: must be a mapping of settings"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := load(t, "profiles:\n  p: "+tt.text+"\n")
			_, err := f.Profile("p", nil)
			if got := message(f, err); got != tt.want {
				t.Errorf("error\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	f := load(t, two)
	tests := map[string]struct {
		name  string
		value setting.Value
		want  string
	}{
		"unknown":     {"zebra", setting.Value{Origin: "flag --zebra"}, "flag --zebra gives zebra, which talkdesk does not have"},
		"value":       {"region", setting.Value{Text: "xx", Origin: "flag --region"}, `flag --region gives region: "xx" is not one of us, eu, ca, au`},
		"plain":       {"client_secret", setting.Value{Text: "fake", Origin: "flag --client-secret"}, "flag --client-secret is not a reference to a secret | use env:NAME, file:PATH, cmd:COMMAND, keyring:NAME, stdin or prompt"},
		"a reference": {"client_secret", setting.Value{Text: "env:X"}, ""},
	}
	for name, tt := range tests {
		_, err := f.Profile("calls", map[string]setting.Value{tt.name: tt.value})
		if got := message(f, err); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", name, got, tt.want)
		}
	}
}

func TestSecretTwins(t *testing.T) {
	t.Parallel()
	secret := writeFile(t, "fake-from-file\n")
	f := load(t, two, "AUTHCTL_CLIENT_SECRET=fake", "AUTHCTL_CLIENT_SECRET_FILE="+secret)
	_, err := f.Profile("calls", nil)
	want := "AUTHCTL_CLIENT_SECRET and AUTHCTL_CLIENT_SECRET_FILE are both set | unset one of them"
	if got := message(f, err); got != want {
		t.Errorf("error %s", got)
	}
	f = load(t, two, "AUTHCTL_CLIENT_SECRET=", "AUTHCTL_CLIENT_SECRET_FILE="+secret)
	p, err := f.Profile("calls", nil)
	if err != nil {
		t.Fatal(err)
	}
	holds(t, p.Settings.Secret("client_secret"), "fake-from-file")
}

// TestTabsAreNamed: a tab at the beginning of a line is said to be one, with what to do, wherever the parser stumbles.
func TestTabsAreNamed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"profiles:\n\tx: {provider: pexip}\n":       true,
		"profiles:\n  x:\n\tprovider: pexip\n":      true,
		"\tprofiles: {}\n":                          true,
		"profiles:\n  x: {provider: pexip\n  y\n":   false,
		"profiles:\n  x:\n    provider: @pexip\n":   false,
		"profiles:\n  x:\n  \tprovider: pexip\n":    true,
		"profiles:\n  x:\n    provider: \"pexip\n ": false,
	} {
		_, err := parse([]byte(text), 0)
		e, ok := errors.AsType[*setting.Error](err)
		if !ok {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := strings.Contains(e.Problem, " tab ") && e.Help != ""; got != want {
			t.Errorf("%q: %v, hint %q", text, e, e.Help)
		}
	}
}
