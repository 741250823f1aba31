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

// exchanging is a service that takes tokens of somebody else.
func exchanging() []providers.Spec {
	return []providers.Spec{
		{Name: "oauth2", Keys: func() []setting.Setting {
			return []setting.Setting{
				{Name: "client_id"},
				{Name: "client_secret", Kind: setting.Secret},
				{Name: "subject_token", Kind: setting.Secret, Token: true},
				{Name: "client_assertion", Kind: setting.Secret, Token: true},
				setting.Headers(),
			}
		}},
		{Name: "plain", Keys: func() []setting.Setting { return []setting.Setting{{Name: "client_secret", Kind: setting.Secret}} }},
	}
}

func loadChain(t *testing.T, text string, env ...string) *File {
	t.Helper()
	f, err := Load(Options{
		Path: writeFile(t, text), Fetcher: &source.Fetcher{Env: environment(env...)}, Services: providers.These(exchanging()...),
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

const instead = "use env:NAME, file:PATH, cmd:COMMAND, keyring:NAME, stdin or prompt"

// TestChains reads profiles that need the tokens of others.
func TestChains(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ text, want string }{
		"a chain": {`
  p: {provider: oauth2, subject_token: "profile:q"}
  q: {provider: oauth2, subject_token: "profile:r"}
  r: {provider: plain}`, ""},
		"two to one": {`
  p: {provider: oauth2, subject_token: "profile:q", client_assertion: "profile:r"}
  q: {provider: oauth2, subject_token: "profile:r"}
  r: {provider: plain}`, ""},
		"itself": {`
  p:
    provider: oauth2
    subject_token: profile:p`, "FILE:4: profile p: subject_token goes round in a circle: p needs the token of p | give one of them another reference"},
		"a circle": {`
  q: {provider: oauth2, client_assertion: "profile:r"}
  r: {provider: oauth2, subject_token: "profile:p"}
  p: {provider: oauth2, subject_token: "profile:q"}`, "FILE:4: profile p: subject_token goes round in a circle: p needs the token of q needs the token of r needs the token of p | give one of them another reference"},
		"a circle further on": {`
  q: {provider: oauth2, subject_token: "profile:r"}
  r: {provider: oauth2, subject_token: "profile:q"}
  p: {provider: oauth2, subject_token: "profile:q"}`, "FILE:4: profile p: subject_token goes round in a circle: q needs the token of r needs the token of q | give one of them another reference"},
		"through a base": {`
  p: {extends: b}
  q: {extends: b}
bases:
  b: {provider: oauth2, subject_token: "profile:q"}`, "FILE:5: profile p: subject_token goes round in a circle: q needs the token of q (from base b)"},
		"a base that is not taken": {`
  p: {extends: b, subject_token: "profile:q"}
  q: {provider: plain}
bases:
  b: {provider: oauth2, subject_token: "profile:p"}`, ""},
		"no such profile": {`
  p: {provider: oauth2, subject_token: "profile:login"}
  logins: {provider: plain}`, "FILE:2: profile p: subject_token names profile login, and there is no such profile | did you mean logins?"},
		"a base for a profile": {`
  p: {provider: oauth2, subject_token: "profile:b"}
bases:
  b: {provider: plain}`, "FILE:2: profile p: subject_token names profile b, and there is no such profile | one of p"},
		"no name of a profile": {`
  p: {provider: oauth2, subject_token: "profile:A B"}`, "FILE:2: profile p: subject_token names no profile | profile names are lower case letters, digits, dot, underscore and hyphen"},
		"what is behind is wrong": {`
  p: {provider: oauth2, subject_token: "profile:q"}
  q: {provider: nothing}`, ""},
		"a token for a secret":    {"\n  p: {provider: oauth2, client_secret: \"profile:q\"}", "FILE:2: profile p: client_secret is profile:q, which gives a token and no other secret | " + instead + "; tokens are for subject_token, client_assertion"},
		"of a pipeline":           {"\n  p: {provider: oauth2, client_secret: \"github:api\"}", "FILE:2: profile p: client_secret is github:api, which gives a token and no other secret | " + instead + "; tokens are for subject_token, client_assertion"},
		"where there are none":    {"\n  p: {provider: plain, client_secret: \"azure-pipelines:1\"}", "FILE:2: profile p: client_secret is azure-pipelines:1, which gives a token and no other secret | " + instead},
		"in a header":             {"\n  p: {provider: oauth2, headers: {x-a: \"github:b\"}}", "FILE:2: profile p: headers has x-a, which is github:b, and gives a token and no other secret | " + instead},
		"no reference at all":     {"\n  p: {provider: oauth2, subject_token: hunter2}", "FILE:2: profile p: subject_token is not a reference to a secret | use env:NAME, file:PATH, cmd:COMMAND, profile:NAME, github:AUDIENCE, azure-pipelines:CONNECTION, keyring:NAME, stdin or prompt"},
		"an audience that is one": {"\n  p: {provider: oauth2, client_assertion: \"github:api://AzureADTokenExchange\"}", ""},
	} {
		f := loadChain(t, "profiles:"+tt.text+"\n")
		_, err := f.Profile("p", nil)
		if got := message(f, err); got != tt.want && !strings.HasPrefix(got, tt.want+" | ") {
			t.Errorf("%s: error\n got %s\nwant %s", name, got, tt.want)
		}
	}
}

// TestBehindIsAsTheFileSays: what flags and variables say is meant for the profile that was asked
// for, and the secret of a variable for its service alone.
func TestBehindIsAsTheFileSays(t *testing.T) {
	t.Parallel()
	f := loadChain(t, `profiles:
  p: {provider: oauth2, client_id: own, subject_token: "profile:q"}
  q: {provider: oauth2, client_id: behind, client_secret: prompt}
`, "AUTHCTL_CLIENT_ID=variable", "AUTHCTL_CLIENT_SECRET=fake")
	p, err := f.Profile("p", nil)
	if err != nil {
		t.Fatal(err)
	}
	q, err := f.Behind("q")
	if err != nil {
		t.Fatal(err)
	}
	if own, behind := p.Settings.Text("client_id"), q.Settings.Text("client_id"); own != "variable" || behind != "behind" {
		t.Errorf("client_id %s, and %s behind", own, behind)
	}
	if v, _ := q.Settings.Lookup("client_secret"); v.Text != "prompt" {
		t.Errorf("the variable's secret goes to the service behind: %v", v)
	}
	if diff := cmp.Diff([]Link{{"subject_token", "q"}}, p.Links()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"subject_token"}, p.Interactive()); diff != "" {
		t.Errorf("who types a secret behind is asked before the lock is had: %s", diff)
	}
	given := loadChain(t, `profiles:
  p: {provider: oauth2, subject_token: "profile:q"}
  q: {provider: oauth2, client_secret: prompt}
`, "AUTHCTL_SUBJECT_TOKEN=fake")
	if p, err = given.Profile("p", nil); err != nil || len(p.Links()) > 0 || len(p.Interactive()) > 0 {
		t.Errorf("a profile that a variable goes before: %v, %v", p, err)
	}
}

// TestTokensOfPipelinesAreSecretVariables: what a job's token is asked for with stays with us, and
// a profile of such a name is none.
func TestTokensOfPipelinesAreSecretVariables(t *testing.T) {
	t.Parallel()
	const github, azure = "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "SYSTEM_ACCESSTOKEN"
	for text, want := range map[string][]string{
		"profiles:\n  p:\n    provider: oauth2\n    client_assertion: github:api://x\n":                {github},
		"profiles:\n  p:\n    provider: oauth2\n    client_assertion: \"github: x\"\n":                 {github},
		"profiles:\n  p: {provider: oauth2, client_assertion: azure-pipelines:12}\n":                   {azure},
		"x-a: &a {client_assertion: azure-pipelines:12}\nprofiles:\n  p: {<<: *a, provider: oauth2}\n": {azure},
		"profiles:\n  github:\n    provider: oauth2\n":                                                 nil,
		"profiles:\n  github: {provider: plain}\n  azure-pipelines:\r\n    provider: plain\n":          nil,
	} {
		got := slices.DeleteFunc(loadChain(t, text).SecretVariables(nil), func(name string) bool {
			return strings.HasPrefix(name, "AUTHCTL_STORE_")
		})
		if diff := cmp.Diff(want, got, cmp.Transformer("none", func(l []string) []string { return append([]string{}, l...) })); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}
