package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/setting"
)

// addressed is a service that knows an address of its own.
func addressed() providers.Spec {
	return providers.Spec{
		Name: "talkdesk",
		Keys: func() []setting.Setting {
			return []setting.Setting{
				{Name: "account"},
				{Name: "region", Default: "us", Values: []string{"us", "eu"}},
				{Name: "client_id"},
				{Name: "client_secret", Kind: setting.Secret},
				{Name: "scopes", Kind: setting.List},
			}
		},
		Base: providers.Hosts{By: "region", At: map[string]string{"eu": "https://{account}.id.example"}},
	}
}

// TestPastedValues is the table of what people paste into variables.
func TestPastedValues(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		variable, value string
		setting, want   string
		err             string
	}{
		"plain":                 {"CLIENT_ID", "abc", "client_id", "abc", ""},
		"blank at the end":      {"CLIENT_ID", "abc ", "client_id", "abc", ""},
		"CR of Windows":         {"CLIENT_ID", "abc\r", "client_id", "abc", ""},
		"byte order mark":       {"CLIENT_ID", "\uFEFFabc", "client_id", "abc", ""},
		"no-break space":        {"CLIENT_ID", "\u00A0abc\u00A0", "client_id", "abc", ""},
		"zero width":            {"CLIENT_ID", "abc\u200B", "client_id", "abc", ""},
		"zero width inside":     {"CLIENT_ID", "a\u200Bbc", "client_id", "", "AUTHCTL_CLIENT_ID holds an invisible character (U+200B)"},
		"no-break space inside": {"CLIENT_ID", "a\u00A0bc", "client_id", "", "AUTHCTL_CLIENT_ID holds a blank that is not the usual one (U+00A0)"},
		"quotes":                {"CLIENT_ID", `"abc"`, "client_id", "", "AUTHCTL_CLIENT_ID is in quotes"},
		"only a mark":           {"CLIENT_ID", "\uFEFF", "client_id", "", ""},
		"address":               {"ACCOUNT", "https://acme.id.example/oauth/token?x=1#y", "account", "acme", ""},
		"its region":            {"ACCOUNT", "https://acme.id.example/", "region", "eu", ""},
		"host":                  {"ACCOUNT", "acme.id.example", "account", "acme", ""},
		"region":                {"REGION", " https://acme.id.example", "region", "eu", ""},
		"no address of it":      {"ACCOUNT", "https://acme.elsewhere.example", "account", "https://acme.elsewhere.example", ""},
		"a user in it":          {"ACCOUNT", "https://x@acme.id.example", "account", "https://x@acme.id.example", ""},
		"quote in a scope":      {"SCOPES", `"a b"`, "scopes", "", `AUTHCTL_SCOPES has "\"a", and no scope can hold '"' (RFC 6749 §3.3)`},
		"backslash in a scope":  {"SCOPES", `a\b`, "scopes", "", `AUTHCTL_SCOPES has "a\\b", and no scope can hold '\\' (RFC 6749 §3.3)`},
		"scope in quotes":       {"SCOPES", "'contacts:read'", "scopes", "", "AUTHCTL_SCOPES has 'contacts:read', which is in quotes"},
		"scopes in quotes":      {"SCOPES", "'a b'", "scopes", "", "AUTHCTL_SCOPES has 'a, which is in quotes"},
		"scope in backticks":    {"SCOPES", "`a`", "scopes", "", "AUTHCTL_SCOPES has `a`, which is in quotes"},
		"no-break spaces":       {"SCOPES", "a\u00A0b", "scopes", "a b", ""},
		"letter in a scope":     {"SCOPES", "contacts:reаd", "scopes", "", `AUTHCTL_SCOPES has "contacts:reаd", and no scope can hold 'а' (RFC 6749 §3.3)`},
		"JSON":                  {"SCOPES", `["a","b"]`, "scopes", "a b", ""},
		"semicolons":            {"SCOPES", "a;b", "scopes", "a b", ""},
		"bars":                  {"SCOPES", "a|b", "scopes", "a b", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := environment("AUTHCTL_PROVIDER=talkdesk", "HOME="+t.TempDir(), "AUTHCTL_"+tt.variable+"="+tt.value)
			f, err := Load(Options{Fetcher: &source.Fetcher{Env: env}, Services: providers.These(addressed())})
			if err != nil {
				t.Fatal(err)
			}
			p, err := f.Profile("", nil)
			if tt.err != "" {
				if err == nil || err.Error() != tt.err {
					t.Errorf("error %v, want %s", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := p.Settings.Text(tt.setting)
			if list := p.Settings.List(tt.setting); list != nil {
				got = strings.Join(list, " ")
			}
			if got != tt.want {
				t.Errorf("%s is %q, want %q", tt.setting, got, tt.want)
			}
		})
	}
}

// TestAddressAgainstSetting names an address and a setting that contradict each other.
func TestAddressAgainstSetting(t *testing.T) {
	t.Parallel()
	path := writeFile(t, "profiles:\n  p: {provider: talkdesk, account: 'https://acme.id.example ', region: us}\n"+
		"  q: {provider: talkdesk, account: ' acme.id.example', region: \" eu\"}\n")
	f, err := Load(Options{Path: path, Fetcher: &source.Fetcher{Env: environment()}, Services: providers.These(addressed())})
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Profile("p", nil)
	if e, ok := errors.AsType[*setting.Error](err); !ok || e.Name != "region" || e.Line == 0 {
		t.Errorf("error %v", err)
	}
	p, err := f.Profile("\uFEFFq ", nil)
	if err != nil || p.Settings.Text("account") != "acme" || p.Settings.Text("region") != "eu" {
		t.Errorf("%v, %v", p, err)
	}
}

// TestPastedVariable is a secret by value: it warns when it is used, once.
func TestPastedVariable(t *testing.T) {
	t.Parallel()
	var said []string
	env := environment("AUTHCTL_PROVIDER=talkdesk", "HOME="+t.TempDir(), "AUTHCTL_CLIENT_SECRET=\uFEFFfake \r\n")
	f, err := Load(Options{Services: providers.These(addressed()), Fetcher: &source.Fetcher{
		Env: env, Trust: files.Trust{Warn: func(text string) { said = append(said, text) }},
	}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.Profile("", nil)
	if err != nil || len(said) > 0 {
		t.Fatalf("%v, said %q", err, said)
	}
	for range 2 {
		value, err := p.Settings.Secret("client_secret")(t.Context())
		if err != nil || !value.Equal(secret.New("fake ")) {
			t.Errorf("%v", err)
		}
	}
	if len(said) != 1 || said[0] != "AUTHCTL_CLIENT_SECRET ends with a blank, which is taken for a part of it; remove that where it is not meant" {
		t.Errorf("said %q", said)
	}
}

// TestEditKeepsMark changes a file that an editor of Windows wrote.
