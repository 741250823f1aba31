package setting_test

import (
	"context"
	"errors"
	"testing"

	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
)

// TestRefuse asks each map for names that may and may not stand in it.
func TestRefuse(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		of   setting.Setting
		name string
		help string // what a refusal has to name, empty for a name that may stand
	}{
		{setting.Params(), "tenant", ""},
		{setting.Params(), "token_format", ""},
		{setting.Params(), "requested_token_use", ""},
		{setting.Params(), "grant_type", "give it as grant"},
		{setting.Params(), "scope", "give it as scopes"},
		{setting.Params(), "subject_token", "give it as subject_token"},
		{setting.Params(), "resource", "give it as resource"},
		{setting.Params(), "code_verifier", "take it out"},
		{setting.Params(), "refresh_token", "take it out"},
		{setting.AuthorizeParams(), "prompt", ""},
		{setting.AuthorizeParams(), "claims", ""},
		{setting.AuthorizeParams(), "state", "take it out"},
		{setting.AuthorizeParams(), "redirect_uri", "give it as redirect_port"},
		{setting.AuthorizeParams(), "request_uri", "take it out"},
		{setting.Headers(), "X-Api-Key", ""},
		{setting.Headers(), "authorization", "client_auth says how the client authenticates"},
		{setting.Headers(), "CONTENT-type", "take it out"},
		{setting.Headers(), "host", "take it out"},
		{setting.Headers(), "cookie", "take it out"},
		{setting.Headers(), "proxy-authorization", "take it out"},
		{setting.Headers(), "sec-fetch-site", "take it out"},
		{setting.Headers(), "te", "take it out"},
		{setting.Headers(), "x api", "letters, digits and hyphens only, such as X-Api-Key"},
		{setting.Headers(), "x\r\nhost", "letters, digits and hyphens only, such as X-Api-Key"},
		{setting.Claims(), "https://example.test/roles", ""},
		{setting.Claims(), "sub", "give it as subject"},
		{setting.Claims(), "exp", "take it out"},
	} {
		problem, help := row.of.Refuse(row.name)
		if help != row.help || (problem == "") != (row.help == "") {
			t.Errorf("%s in %s: %q, %q, want %q", row.name, row.of.Name, problem, help, row.help)
		}
	}
}

func TestSoundsSecret(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"x-api-key": true, "X-Auth-Token": true, "clientSecret": true, "api.key": true, "mfa_token": true,
		"PASSWORD": true, "Ocp-Apim-Subscription-Key": true, "accessToken": true, "otp": true,
		"tenant": false, "token_format": false, "requested_token_use": false, "keystone": false, "monkey": false,
		"x-request-id": false, "": false, "--": false, "spin": false,
	} {
		if setting.SoundsSecret(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

// A map is given when it holds something, and the secrets in it count for the credentials' tag.
func TestMapValues(t *testing.T) {
	t.Parallel()
	of := func(text string) secret.Func { return secret.Known(secret.New(text)) }
	headers := func(v setting.Value) setting.Values {
		return setting.New("p", map[string]setting.Value{"headers": v})
	}
	first := headers(setting.Value{Secrets: map[string]secret.Func{"a": of("1"), "b": of("2")}})
	tag := func(s setting.Values) string {
		t.Helper()
		text, err := s.Tag(t.Context(), "salt")
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	if none := tag(headers(setting.Value{})); none != "" || tag(first) == none {
		t.Error("the secrets of a map are no part of the tag")
	}
	other := headers(setting.Value{Secrets: map[string]secret.Func{"a": of("1"), "b": of("3")}})
	if tag(first) == tag(other) {
		t.Error("another secret of a map has the same tag")
	}
	refusal := errors.New("no")
	failing := headers(setting.Value{Secrets: map[string]secret.Func{
		"a": func(context.Context) (secret.Secret, error) { return secret.Secret{}, refusal },
	}})
	if _, err := failing.Tag(t.Context(), "salt"); !errors.Is(err, refusal) {
		t.Errorf("the error of a secret of a map: %v", err)
	}
	required := []setting.Setting{{Name: "headers", Kind: setting.Map, Required: true, Help: "wanted"}}
	if first.Check(required) != nil || headers(setting.Value{}).Check(required) == nil {
		t.Error("whether a map is given")
	}
	if (setting.Condition{Setting: "headers"}).Holds(headers(setting.Value{})) ||
		!(setting.Condition{Setting: "headers"}).Holds(first) {
		t.Error("a condition on a map")
	}
}

// The token of another profile is told apart by what it is got with, and never fetched for that.
func TestTagsOfWhatIsBehind(t *testing.T) {
	t.Parallel()
	never := func(context.Context) (secret.Secret, error) { return secret.Secret{}, errors.New("it was fetched") }
	behind := func(text string) *setting.Values {
		v := setting.New("q", map[string]setting.Value{"client_secret": {Secret: secret.Known(secret.New(text))}, "client_id": {Text: text}})
		return &v
	}
	of := func(v setting.Value) (tag, request string) {
		t.Helper()
		v.Secret = never
		s := setting.New("p", map[string]setting.Value{"subject_token": v})
		tag, err := s.Tag(t.Context(), "salt")
		if err != nil {
			t.Fatal(err)
		}
		return tag, s.RequestTag("salt")
	}
	job, _ := of(setting.Value{Text: "github:a", Anew: true})
	if again, _ := of(setting.Value{Text: "github:a", Anew: true}); again != job || job == "" {
		t.Error("each process of a job has other credentials")
	}
	if other, _ := of(setting.Value{Text: "github:b", Anew: true}); other == job {
		t.Error("another audience has the same credentials")
	}
	first, request := of(setting.Value{Text: "profile:q", Anew: true, Behind: behind("1")})
	mended, changed := of(setting.Value{Text: "profile:q", Anew: true, Behind: behind("2")})
	if first == mended || request == changed {
		t.Error("what was mended behind is answered with the old refusal")
	}
	subject := func(text string) setting.Values {
		return setting.New("p", map[string]setting.Value{"subject_token": {
			Text: "profile:q", Anew: true, Secret: never, Subject: func(context.Context) (string, error) { return text, nil },
		}})
	}
	jane, err := subject("jane").Digest(t.Context(), []string{"subject_token"})
	joe, other := subject("joe").Digest(t.Context(), []string{"subject_token"})
	if err != nil || other != nil || jane == joe || jane == "" {
		t.Errorf("whose the token behind is, is not told apart: %s, %s, %v, %v", jane, joe, err, other)
	}
}
