package config

import (
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/setting"
	"github.com/google/go-cmp/cmp"
)

// withMaps is a service whose settings are maps.
func withMaps() providers.Spec {
	return providers.Spec{Name: "oauth2", Keys: func() []setting.Setting {
		return []setting.Setting{
			{Name: "client_id"},
			setting.Params(), setting.AuthorizeParams(), setting.Headers(), setting.Claims(),
			setting.ClientSecret()[0],
		}
	}}
}

// loadMaps reads a configuration of withMaps.
func loadMaps(t *testing.T, text string, env ...string) *File {
	t.Helper()
	path := writeFile(t, text)
	f, err := Load(Options{
		Path: path, Fetcher: &source.Fetcher{Env: environment(env...)}, Services: providers.These(withMaps()),
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestMapsAreStrict gives a profile a map and expects the error with its line, or none.
func TestMapsAreStrict(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, want string }{
		"text":                  {"params: tenant=acme", "FILE:4: profile p: params must be a mapping, not text | write {name: value}"},
		"a list":                {"params: [a, b]", "FILE:4: profile p: params must be a mapping, not a list | write {name: value}"},
		"a number":              {"params: 5", "FILE:4: profile p: params must be a mapping, not a number | write {name: value}"},
		"a map in it":           {"params:\n      a: 1\n      b: {c: d}", "FILE:6: profile p: params has b, which must be text, not a mapping"},
		"a list in it":          {"params:\n      a: [b]", "FILE:5: profile p: params has a, which must be text, not a list"},
		"nothing in it":         {"params:\n      a:", "FILE:5: profile p: params has a, which must be text, not nothing"},
		"an empty text":         {"params: {a: ''}", "FILE:4: profile p: params has a, which is empty | give it a value, or take it out"},
		"an empty name":         {"params: {'': a}", "FILE:4: profile p: params has an empty name, or one that is no text"},
		"a null name":           {"params: {~: a}", "FILE:4: profile p: params has an empty name, or one that is no text"},
		"twice":                 {"params:\n      a: b\n      a: c", "FILE:6: a is given twice"},
		"twice in another case": {"headers:\n      X-A: b\n      x-a: c", "FILE:6: profile p: headers has X-A and x-a, which are the same name | keep one of them"},
		"cases of parameters":   {"params: {A: b, a: c}", ""},
		"of the protocol":       {"params:\n      a: b\n      scope: c", "FILE:6: profile p: params has scope, which has a setting of its own | give it as scopes"},
		"of the login":          {"authorize_params: {state: x}", "FILE:4: profile p: authorize_params has state, which is authctl's own to send | take it out"},
		"a header of HTTP":      {"headers: {Host: x}", "FILE:4: profile p: headers has Host, which is authctl's own to send | take it out"},
		"the program's name":    {"headers: {User-Agent: me}", "FILE:4: profile p: headers has User-Agent, which is authctl's own to send | take it out"},
		"in another case":       {"headers: {user-agent: me}", "FILE:4: profile p: headers has user-agent, which is authctl's own to send | take it out"},
		"no header's name":      {"headers: {'a b': x}", `FILE:4: profile p: headers has a b, which is not the name of a header | letters, digits and hyphens only, such as X-Api-Key`},
		"a secret by its name":  {"params: {api_key: hunter2}", "FILE:4: profile p: params has api_key, which sounds like a secret | what stands in params is shown: no secret goes there"},
		"a secret by value":     {"headers: {x-api-key: hunter2}", "FILE:4: profile p: headers has x-api-key, which sounds like a secret and is given by value | give a reference: env:NAME, file:PATH, cmd:COMMAND, keyring:NAME, stdin or prompt"},
		"a reference":           {"headers: {x-api-key: env:KEY}", ""},
		"a reference as text":   {"params: {a: env:KEY}", "FILE:4: profile p: params has a, which is a reference | what stands in params is sent and shown as it is"},
		"a line break":          {`headers: {x-a: "hunter2\r\nhost: b"}`, "FILE:4: profile p: headers has x-a, which holds a control character or a line break | write it on one line"},
		"what nobody sees":      {`params: {a: "b\u200Bc"}`, "FILE:4: profile p: params has a, which holds an invisible character (U+200B) | type it anew"},
		"nobody sees the name":  {`params: {"b\u200Bc": a}`, `FILE:4: profile p: params has "b\u200bc", which holds what cannot be seen | type it anew`},
		"a claim of the RFC":    {"claims: {iss: a}", "FILE:4: profile p: claims has iss, which has a setting of its own | give it as assertion_issuer"},
		"no number of JSON":     {"claims: {a: {b: [.inf]}}", "FILE:4: profile p: claims has a, which is a number that JSON does not have"},
		"no name of JSON":       {"claims: {a: {[b]: c}}", "FILE: has a value that does not fit its tag"},
		"claims nested":         {"claims: {a: {b: [1, {c: d}]}}", ""},
		"empty":                 {"params: {}", ""},
		"null":                  {"params:", ""},
		"an empty text for it":  {`params: ""`, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := loadMaps(t, "profiles:\n  p:\n    provider: oauth2\n    "+tt.text+"\n")
			_, err := f.Profile("p", nil)
			got := message(f, err)
			if got != tt.want {
				t.Errorf("error\n got %s\nwant %s", got, tt.want)
			}
			if strings.Contains(got, "hunter2") {
				t.Error("the error shows the secret")
			}
		})
	}
}

// TestMapsAreRead reads what is written, and keeps what YAML would change: 1.10, a date, capitals.
func TestMapsAreRead(t *testing.T) {
	t.Parallel()
	f := loadMaps(t, `x-common: &common {region: eu, tenant: other}
bases:
  b:
    provider: oauth2
    params: {of: base}
    headers: {X-Base: "1"}
profiles:
  p:
    extends: b
    params:
      <<: *common
      tenant: acme
      n: 5
      b: true
      v: 1.10
      d: 2024-01-01
      Case: Kept
    headers:
      X-Api-Key: env:KEY
      X-Trace: on
    claims: {n: 5, deep: {List: [1, two, null, true, 1.5]}, d: 2024-01-01}
  q: {extends: b, params: {own: only}}
`, "KEY=fake-key")
	p, err := f.Profile("p", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]map[string]any{
		"params":  {"region": "eu", "tenant": "acme", "n": "5", "b": "true", "v": "1.10", "d": "2024-01-01", "Case": "Kept"},
		"headers": {"X-Trace": "on"},
		"claims": {
			"n": 5, "d": "2024-01-01",
			"deep": map[string]any{"List": []any{1, "two", nil, true, 1.5}},
		},
		"authorize_params": nil,
	} {
		if diff := cmp.Diff(want, p.Settings.Map(name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	holds(t, p.Settings.Secrets("headers")["X-Api-Key"], "fake-key")
	if names := SecretVariables([]providers.Spec{withMaps()}, p); !slices.Contains(names, "KEY") {
		t.Errorf("KEY stays in the environment of children: %v", names)
	}
	if q, err := f.Profile("q", nil); err != nil || !cmp.Equal(q.Settings.Map("params"), map[string]any{"own": "only"}) ||
		!cmp.Equal(q.Settings.Map("headers"), map[string]any{"X-Base": "1"}) {
		t.Errorf("a map of its own does not replace the base's as a whole: %v, %v", q, err)
	}
}

// TestMapsAreShown: a reference is shown as one, and what it stands for is looked after as any
// other secret of the profile.
func TestMapsAreShown(t *testing.T) {
	t.Parallel()
	f := loadMaps(t, `profiles:
  p:
    provider: oauth2
    client_id: c
    client_secret: env:SECRET
    params: {tenant: acme, x: "a, b"}
    headers: {x-api-key: env:KEY, x-a: b, x-token: "cmd:op read fake", x-pin: prompt}
    claims: {a: {b: [1]}}
`, "KEY=fake-key", "SECRET=fake-secret")
	p, err := f.Profile("p", nil)
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]string{}
	for _, i := range p.Describe() {
		shown[i.Name] = i.Value
	}
	want := map[string]string{
		"provider": "oauth2", "client_id": "c", "client_secret": "env:SECRET", "params": "{tenant: acme, x: 'a, b'}",
		"headers": "{x-a: b, x-api-key: 'env:KEY', x-pin: prompt, x-token: 'cmd:op …'}", "claims": "{a: {b: [1]}}",
	}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"headers.x-pin"}, p.Interactive()); diff != "" {
		t.Error(diff)
	}
	var found []string
	for _, i := range p.Inspect(t.Context()) {
		found = append(found, i.Setting+" "+i.String())
	}
	slices.Sort(found)
	if diff := cmp.Diff([]string{
		"client_secret env:SECRET", "headers.x-api-key env:KEY", "headers.x-pin prompt", "headers.x-token cmd:op …",
	}, found); diff != "" {
		t.Error(diff)
	}
	if n := len(p.AtHand()); n != 2 {
		t.Errorf("%d secrets are withheld, want those of KEY and SECRET", n)
	}
	dry := p.ForDryRun().Secrets("headers")
	holds(t, dry["x-api-key"], "fake-key")
	for _, left := range []string{"x-token", "x-pin"} {
		if _, err := dry[left](t.Context()); err == nil || !strings.Contains(err.Error(), "left alone in a dry run") {
			t.Errorf("%s in a dry run: %v", left, err)
		}
	}
}

// TestMapsOfVariables reads maps on one line.
func TestMapsOfVariables(t *testing.T) {
	t.Parallel()
	const text = "profiles:\n  p: {provider: oauth2, client_id: c, params: {of: file}}\n"
	for name, tt := range map[string]struct {
		env, setting string
		want         map[string]any
		err          string
	}{
		"pairs":          {"AUTHCTL_PARAMS=tenant=acme, x=y=z", "params", map[string]any{"tenant": "acme", "x": "y=z"}, ""},
		"a comma behind": {"AUTHCTL_PARAMS=tenant=acme,\n", "params", map[string]any{"tenant": "acme"}, ""},
		"lines":          {"AUTHCTL_PARAMS=a=b c\nd=e", "params", map[string]any{"a": "b c", "d": "e"}, ""},
		"braces":         {"AUTHCTL_PARAMS={a: 'b,c', n: 5}", "params", map[string]any{"a": "b,c", "n": "5"}, ""},
		"JSON":           {`AUTHCTL_CLAIMS={"a":{"b":[1]}}`, "claims", map[string]any{"a": map[string]any{"b": []any{1}}}, ""},
		"empty":          {"AUTHCTL_PARAMS=", "params", map[string]any{"of": "file"}, ""},
		"no pair":        {"AUTHCTL_PARAMS=hunter2", "", nil, "AUTHCTL_PARAMS has a part without an equals sign | write NAME=VALUE,NAME=VALUE; a value with a comma in it in braces: {NAME: 'a,b'}"},
		"twice":          {"AUTHCTL_PARAMS=a=hunter2,a=c", "", nil, "AUTHCTL_PARAMS has a twice | keep one of them"},
		"twice, braces":  {"AUTHCTL_PARAMS={a: hunter2, a: c}", "", nil, "AUTHCTL_PARAMS is not a mapping in braces | write {first: value, second: value}, each name once"},
		"no value":       {"AUTHCTL_PARAMS=a=", "", nil, "AUTHCTL_PARAMS has a, which is empty | give it a value, or take it out"},
		"no name":        {"AUTHCTL_PARAMS==a", "", nil, "AUTHCTL_PARAMS has an empty name, or one that is no text"},
		"protocol":       {"AUTHCTL_PARAMS=grant_type=x", "", nil, "AUTHCTL_PARAMS has grant_type, which has a setting of its own | give it as grant"},
		"open braces":    {"AUTHCTL_PARAMS={a: hunter2", "", nil, "AUTHCTL_PARAMS is not a mapping in braces | write {first: value, second: value}, each name once"},
		"headers":        {"AUTHCTL_HEADERS=x-a=b", "headers", nil, ""},
	} {
		f := loadMaps(t, text, tt.env)
		p, err := f.Profile("p", nil)
		if got := message(f, err); got != tt.err {
			t.Errorf("%s: error\n got %s\nwant %s", name, got, tt.err)
		}
		if err == nil && !cmp.Equal(tt.want, p.Settings.Map(tt.setting)) {
			t.Errorf("%s: %v, want %v", name, p.Settings.Map(tt.setting), tt.want)
		}
	}
	unknown := UnknownVariables([]string{"AUTHCTL_HEADERS=x-a=b", "AUTHCTL_PARAMS=a=b"}, func() []providers.Spec { return []providers.Spec{withMaps()} })
	if len(unknown) != 1 || unknown[0].Name != "AUTHCTL_HEADERS" {
		t.Errorf("unknown variables: %v", unknown)
	}
}
