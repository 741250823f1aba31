package main

import (
	"slices"
	"strings"
	"testing"
)

// misplacedTokens are secrets as somebody may give them where a profile's name belongs.
func misplacedTokens() map[string]string {
	const jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJmYWtlIn0."
	return map[string]string{
		"JWT":                  jwt,
		"header":               "Authorization: Bearer " + jwt,
		"JWE":                  "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..fakefakefakefake.fakefake.fakefakefakefakefakefA",
		"long":                 jwt + strings.Repeat("fakeFAKE0123", 40),
		"UUID":                 "fa4efa4e-0000-4000-8000-0123456789ab",
		"hexadecimal":          "fa4efa4efa4efa4e0123456789abcdef",
		"base64 with a hyphen": "-aB3fakeFAKE0123456789/+fakeFAKE==",
		"two hyphens":          "--aB3fakeFAKE0123456789fakeFAKE==",
		"letters":              "FakeFakeFake/Fake+Fake",
	}
}

// TestMisplacedTokensAreNotRepeated gives tokens where profiles are expected.
func TestMisplacedTokensAreNotRepeated(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	verbs := []string{
		"token get", "token get -o json", "token get -o env", "token inspect", "token inspect -o json", "token introspect",
		"token revoke", "login", "signout", "userinfo -v", "passwd", "ping --explain", "scopes check", "scopes probe", "scopes wait",
		"scopes list", "exec", "curl", "profile show", "profile use", "profile remove", "profile add --provider pexip", "doctor",
		"doctor -o json", "providers show", "token", "", "help", "completion", "sandbox run", "token get pexip", "exec pexip",
	}
	tokens := misplacedTokens()
	for _, verb := range verbs {
		args := strings.Fields(verb)
		for _, kind := range []string{"JWT", "UUID", "base64 with a hyphen"} {
			p.wantUnrepeated(kind, tokens[kind], append(args, tokens[kind]), "")
		}
		p.wantUnrepeated("JWT", tokens["JWT"], append(args, "--profile="+tokens["JWT"]), "")
		p.wantUnrepeated("UUID", tokens["UUID"], append(args, "pexip", "--profile", tokens["UUID"]), "")
		p.wantUnrepeated("UUID", tokens["UUID"], args, tokens["UUID"])
	}
	for kind, token := range tokens {
		p.wantUnrepeated(kind, token, []string{"token", "get", token}, "")
		p.wantUnrepeated(kind, token, []string{"token", "get"}, token)
		if kind != "letters" { // which might be a word to search for
			p.wantUnrepeated(kind, token, []string{"scopes", "list", token}, "")
		}
	}
	for _, variable := range []string{"PROVIDER", "REGION", "ENVIRONMENT", "GRANT", "STORE", "MIN_TTL", "TIMEOUT", "NO_INPUT"} {
		for _, profile := range []string{"pexip", "talkdesk", "genesys"} {
			for _, format := range []string{"raw", "json"} {
				r := p.prepare("token", "get", profile, "-o", format)
				r.Env = append(slices.Clip(p.env), "AUTHCTL_"+variable+"="+tokens["JWT"])
				if err := r.Start(); err != nil {
					t.Fatal(err)
				}
				if o := r.end(); strings.Contains(o.stdout+o.stderr, tokens["JWT"][:24]) {
					t.Errorf("AUTHCTL_%s, %s: it is repeated: %s%s", variable, profile, o.stdout, o.stderr)
				}
			}
		}
	}
	for _, args := range [][]string{
		{"token", "inspect", tokens["JWT"]}, {"exec", tokens["UUID"], "--", "true"}, {"profile", "remove", tokens["JWT"]},
	} {
		if o := p.run(args...); !strings.Contains(o.stderr, "authctl: hint: that looks like a token: give it with --stdin") {
			t.Errorf("%q: stderr %q, want the hint", args, o.stderr)
		}
	}
}

// wantUnrepeated runs a command, with --profile and its like or with AUTHCTL_PROFILE, and requires that it says nothing
// of a token.
func (p *place) wantUnrepeated(kind, token string, args []string, variable string) {
	p.t.Helper()
	if len(args) > 0 && (args[0] == "exec" || args[0] == "curl") {
		args = append(args, "--", "true")
	}
	r := p.prepare(args...)
	r.Env = append(slices.Clip(p.env), "AUTHCTL_PROFILE="+variable)
	if err := r.Start(); err != nil {
		p.t.Fatal(err)
	}
	o := r.end()
	for _, part := range []string{token, strings.TrimLeft(token, "-"), token[:min(len(token), 24)]} {
		if strings.Contains(o.stdout+o.stderr, strings.TrimLeft(part, "-")) {
			p.t.Errorf("%s, %q, variable %t: it is repeated: %s%s", kind, args, variable != "", o.stdout, o.stderr)
			return
		}
	}
}
