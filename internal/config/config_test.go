package config

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/setting"
	"github.com/google/go-cmp/cmp"
)

// services are two services made up for these tests.
func services() []providers.Spec {
	return []providers.Spec{
		{Name: "talkdesk", Keys: func() []setting.Setting {
			return []setting.Setting{
				{Name: "account", Required: true, Help: "the account"},
				{Name: "region", Default: "us", Values: []string{"us", "eu", "ca", "au"}},
				{Name: "client_id", Required: true},
				{Name: "client_secret", Kind: setting.Secret, Required: true, Unless: []setting.Condition{{Setting: "private_key"}}},
				{Name: "private_key", Kind: setting.Secret},
				{Name: "scopes", Kind: setting.List, Default: "a b"},
				{Name: "pkce", Kind: setting.Bool, Default: "true"},
			}
		}},
		{Name: "pexip", Keys: func() []setting.Setting {
			return []setting.Setting{
				{Name: "account"}, {Name: "client_id"}, {Name: "client_secret", Kind: setting.Secret},
			}
		}},
	}
}

// environment makes a LookupEnv of "NAME=value" lines.
func environment(lines ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, line := range lines {
			if n, value, _ := strings.Cut(line, "="); n == name {
				return value, true
			}
		}
		return "", false
	}
}

// writeFile writes a file that only its owner can write, and returns its path.
func writeFile(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t testing.TB, text string, env ...string) *File {
	t.Helper()
	f, err := Load(Options{Path: writeFile(t, text), Fetcher: &source.Fetcher{Env: environment(env...)}, Services: providers.These(services()...)})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// message is an error's text and hint with the file's path shortened.
func message(f *File, err error) string {
	if err == nil {
		return ""
	}
	text := err.Error()
	if e, ok := errors.AsType[*setting.Error](err); ok && e.Help != "" {
		text += " | " + e.Help
	}
	return strings.ReplaceAll(text, f.Path, "FILE")
}

// holds fails the test unless the secret is want.
func holds(t *testing.T, fetch secret.Func, want string) {
	t.Helper()
	if fetch == nil {
		t.Fatal("there is no secret")
	}
	got, err := fetch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !got.Equal(secret.New(want)) {
		t.Errorf("the secret is not %q", want)
	}
}

const two = `default_profile: calls
profiles:
  calls:
    provider: talkdesk
    account: acme
    region: eu
    client_id: abc
    client_secret: env:CALLS_SECRET
    scopes: [x, y]
  engage: {provider: pexip, account: other}
`

func TestSelection(t *testing.T) {
	t.Parallel()
	noDefault := strings.Replace(two, "default_profile: calls\n", "", 1)
	one := "profiles:\n  only:\n    provider: pexip\n"
	tests := map[string]struct {
		text, name string
		env        []string
		want       string
		err        string
	}{
		"by name":               {two, "engage", nil, "engage", ""},
		"name before variable":  {two, "engage", []string{"AUTHCTL_PROFILE=calls"}, "engage", ""},
		"by variable":           {two, "", []string{"AUTHCTL_PROFILE=engage"}, "engage", ""},
		"empty variable":        {two, "", []string{"AUTHCTL_PROFILE="}, "calls", ""},
		"environment alone":     {two, "", []string{"AUTHCTL_PROVIDER=pexip"}, "env", ""},
		"default":               {two, "", nil, "calls", ""},
		"the only one":          {one, "", nil, "only", ""},
		"named, same provider":  {two, "calls", []string{"AUTHCTL_PROVIDER=talkdesk"}, "calls", ""},
		"named, other provider": {two, "calls", []string{"AUTHCTL_PROVIDER=pexip"}, "", "FILE:3: profile calls: is for talkdesk, but AUTHCTL_PROVIDER says pexip | unset AUTHCTL_PROVIDER or choose another profile"},
		"unknown":               {two, "cals", nil, "", "FILE: there is no profile cals | did you mean calls?"},
		"unknown variable":      {two, "", []string{"AUTHCTL_PROFILE=zzz"}, "", "FILE: there is no profile zzz | one of calls, engage"},
		"capitals":              {two, "Calls", nil, "", `FILE: what was given as the profile is none | did you mean calls?`},
		"unknown provider":      {two, "", []string{"AUTHCTL_PROVIDER=pexp"}, "", `AUTHCTL_PROVIDER "pexp" is not a known provider | did you mean pexip?`},
		"several":               {noDefault, "", nil, "", "FILE: no profile was named and none is the default; there are calls, engage | name one, or make it the default with: authctl profile use NAME"},
		"none":                  {"", "", nil, "", "FILE: there is no profile | create one with: authctl profile add; or set AUTHCTL_PROVIDER and what it needs"},
		"default gone":          {"default_profile: cals\n" + noDefault, "", nil, "", "FILE:1: default_profile names cals, which does not exist | did you mean calls?"},
		"default a number":      {"default_profile: 12\n" + noDefault, "", nil, "", "FILE:1: default_profile must be text, not a number | put it in quotes"},
		"default a list":        {"default_profile: [a]\n" + noDefault, "", nil, "", "FILE:1: default_profile must be text, not a list"},
		"default a mapping":     {"default_profile: {a: b}\n" + noDefault, "", nil, "", "FILE:1: default_profile must be text, not a mapping"},
		"default empty":         {"default_profile:\n" + one, "", nil, "only", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := load(t, tt.text, tt.env...)
			p, err := f.Profile(tt.name, nil)
			if got := message(f, err); got != tt.err {
				t.Fatalf("error\n got %s\nwant %s", got, tt.err)
			}
			if err == nil && p.Name != tt.want {
				t.Errorf("profile %s, want %s", p.Name, tt.want)
			}
		})
	}
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	flag := setting.Value{Text: "au", Origin: "flag --region"}
	for i := range 8 {
		text := "profiles:\n  p:\n    provider: talkdesk\n"
		want, origin := "us", "default"
		var env []string
		var flags map[string]setting.Value
		if i&1 != 0 {
			text += "    region: eu\n"
			want, origin = "eu", "profile p in FILE:4"
		}
		if i&2 != 0 {
			env = []string{"AUTHCTL_REGION=ca"}
			want, origin = "ca", "environment AUTHCTL_REGION"
		}
		if i&4 != 0 {
			flags = map[string]setting.Value{"region": flag}
			want, origin = "au", "flag --region"
		}
		f := load(t, text, env...)
		p, err := f.Profile("p", flags)
		if err != nil {
			t.Fatal(err)
		}
		v, _ := p.Settings.Lookup("region")
		got := []string{v.Text, strings.ReplaceAll(v.Origin, f.Path, "FILE")}
		if diff := cmp.Diff([]string{want, origin}, got); diff != "" {
			t.Errorf("case %d: %s", i, diff)
		}
	}
}

func TestEnvironmentAlone(t *testing.T) {
	t.Parallel()
	f := load(t, "", "AUTHCTL_PROVIDER=talkdesk", "AUTHCTL_ACCOUNT=acme", "AUTHCTL_CLIENT_SECRET=fake-value\n",
		"AUTHCTL_SCOPES=x, y z", "AUTHCTL_PKCE=0", "AUTHCTL_API_KEY=ignored")
	p, err := f.Profile("", nil)
	if err != nil {
		t.Fatal(err)
	}
	holds(t, p.Settings.Secret("client_secret"), "fake-value")
	want := []Item{
		{"provider", "talkdesk", "environment AUTHCTL_PROVIDER", false},
		{"account", "acme", "environment AUTHCTL_ACCOUNT", false},
		{"region", "us", "default", false},
		{"client_secret", "[redacted]", "environment AUTHCTL_CLIENT_SECRET", true},
		{"scopes", "x y z", "environment AUTHCTL_SCOPES", false},
		{"pkce", "false", "environment AUTHCTL_PKCE", false},
	}
	if diff := cmp.Diff(want, p.Describe()); diff != "" {
		t.Error(diff)
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	f := load(t, two+"# a comment\n", "AUTHCTL_PRIVATE_KEY_FILE=/run/key.pem")
	p, err := f.Profile("calls", nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range p.Describe() {
		got = append(got, i.Name+"="+i.Value+" "+strings.ReplaceAll(i.Origin, f.Path, "FILE"))
	}
	want := []string{
		"provider=talkdesk profile calls in FILE:4", "account=acme profile calls in FILE:5",
		"region=eu profile calls in FILE:6", "client_id=abc profile calls in FILE:7",
		"client_secret=env:CALLS_SECRET profile calls in FILE:8",
		"private_key=file:/run/key.pem environment AUTHCTL_PRIVATE_KEY_FILE",
		"scopes=x y profile calls in FILE:9", "pkce=true default",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestMistakesElsewhere(t *testing.T) {
	t.Parallel()
	f := load(t, two+"  Bad:\n    zebra: 1\n  worse: 12\n")
	if _, err := f.Profile("calls", nil); err != nil {
		t.Errorf("a mistake in another profile: %v", err)
	}
	list, err := f.List()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range list {
		got = append(got, strings.Join([]string{s.Name, s.Provider, s.Account, message(f, s.Err)}, "; "))
	}
	want := []string{
		"calls; talkdesk; acme; ", "engage; pexip; other; ",
		`Bad; ; ; FILE:11: this is not a name for a profile | profile names are lower case letters, digits, dot, underscore and hyphen`,
		"worse; ; ; FILE:13: profile worse: must be a mapping of settings",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !list[0].Default || list[1].Default {
		t.Error("the default is not marked")
	}
}

func TestMissingRequired(t *testing.T) {
	t.Parallel()
	list, err := load(t, "profiles:\n  p:\n    provider: talkdesk\n    account: a\n    client_id: b\n").List()
	if err != nil {
		t.Fatal(err)
	}
	e, ok := errors.AsType[*setting.Error](list[0].Err)
	if !ok || e.Name != "client_secret" {
		t.Errorf("error %v, want that client_secret is missing", list[0].Err)
	}
}

func TestLocate(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the paths of Linux")
	}
	tests := map[string]struct {
		path  string
		env   []string
		want  string
		named bool
	}{
		"flag":         {"/f", []string{"AUTHCTL_CONFIG=/e"}, "/f", true},
		"variable":     {"", []string{"AUTHCTL_CONFIG=/e", "XDG_CONFIG_HOME=/x"}, "/e", true},
		"xdg":          {"", []string{"XDG_CONFIG_HOME=/x", "HOME=/h"}, "/x/authctl/config.yaml", false},
		"xdg relative": {"", []string{"XDG_CONFIG_HOME=x", "HOME=/h"}, "/h/.config/authctl/config.yaml", false},
		"home":         {"", []string{"HOME=/h"}, "/h/.config/authctl/config.yaml", false},
		"nowhere":      {"", nil, "", false},
	}
	for name, tt := range tests {
		got, named, err := Options{Path: tt.path, Fetcher: &source.Fetcher{Env: environment(tt.env...)}}.Locate()
		if err != nil {
			t.Error(err)
		}
		if got != tt.want || named != tt.named {
			t.Errorf("%s: %s %v, want %s %v", name, got, named, tt.want, tt.named)
		}
	}
}

func TestMissingFile(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	env := []string{"HOME=" + home, "USERPROFILE=" + home, "APPDATA=" + home}
	f, err := Load(Options{Fetcher: &source.Fetcher{Env: environment(env...)}, Services: providers.These(services()...)})
	if err != nil {
		t.Fatalf("a missing default file: %v", err)
	}
	if list, err := f.List(); err != nil || len(list) != 0 {
		t.Errorf("list %v, %v", list, err)
	}
	path := filepath.Join(home, "none.yaml")
	_, err = Load(Options{Fetcher: &source.Fetcher{Env: environment("AUTHCTL_CONFIG=" + path)}})
	if e, ok := errors.AsType[*setting.Error](err); !ok || e.Problem != "does not exist" || e.Path != path {
		t.Errorf("a missing file that was named: %v", err)
	}
	f, err = Load(Options{Fetcher: &source.Fetcher{Env: environment("AUTHCTL_PROVIDER=pexip")}, Services: providers.These(services()...)})
	if err != nil {
		t.Fatalf("no home: %v", err)
	}
	if _, err := f.Profile("", nil); err != nil {
		t.Errorf("no home, environment alone: %v", err)
	}
}

func TestInteractive(t *testing.T) {
	t.Parallel()
	text := "profiles:\n  p:\n    provider: talkdesk\n    client_secret: prompt\n    private_key: stdin\n"
	asker := &fakeAsker{answer: "fake-typed"}
	f, err := Load(Options{
		Path: writeFile(t, text), Services: providers.These(services()...),
		Fetcher: &source.Fetcher{Env: environment(), Prompter: asker, Stdin: strings.NewReader("fake-piped\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.Profile("p", nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"client_secret", "private_key"}, p.Interactive()); diff != "" {
		t.Error(diff)
	}
	if len(asker.labels) != 0 {
		t.Error("asked before Ask")
	}
	if err := p.Ask(t.Context(), time.Minute); err != nil {
		t.Fatal(err)
	}
	holds(t, p.Settings.Secret("client_secret"), "fake-typed")
	holds(t, p.Settings.Secret("private_key"), "fake-piped")
	if diff := cmp.Diff([]string{"client_secret of profile p"}, asker.labels); diff != "" {
		t.Error(diff)
	}
}

// fakeAsker is a Prompter and a Keyring with one answer.
type fakeAsker struct {
	answer string
	err    error
	labels []string
}

func (a *fakeAsker) Secret(_ context.Context, label string) (secret.Secret, error) {
	a.labels = append(a.labels, label)
	return secret.New(a.answer), a.err
}
