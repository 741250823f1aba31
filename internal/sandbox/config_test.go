package sandbox_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/sandboxtest"
	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// file is the configuration as another program reads it.
type file struct {
	DefaultProfile string `yaml:"default_profile"`
	Profiles       map[string]map[string]any
}

func readConfig(t *testing.T, path string) (file, string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var f file
	if err := yaml.Unmarshal(b, &f); err != nil {
		t.Fatalf("%v in\n%s", err, b)
	}
	return f, string(b)
}

func TestWriteConfig(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	path := filepath.Join(t.TempDir(), "it's a: box.yaml")
	if err := s.WriteConfig(path); err != nil {
		t.Fatal(err)
	}
	got, text := readConfig(t, path)
	if !strings.Contains(text, "\n  pexip:\n    provider: pexip\n") {
		t.Errorf("a profile does not begin with its provider:\n%s", text)
	}
	ref := func(name string) string { return "file:it's a: box.secrets/" + name }
	want := file{DefaultProfile: "pexip", Profiles: map[string]map[string]any{
		"pexip": {
			"provider": "pexip", "account": "acme", "base_url": s.URL(), "client_id": "sandbox-pexip",
			"client_secret": ref("pexip.client_secret"), "scopes": []any{"engage:appointments:readOnly"},
		},
		"talkdesk": {
			"provider": "talkdesk", "account": "acme", "base_url": s.URL(), "client_id": "sandbox-talkdesk",
			"client_secret": ref("talkdesk.client_secret"), "scopes": []any{"account:read", "contacts:read"},
		},
		"qmatic": {
			"provider": "qmatic", "account": "My Bank AB", "base_url": s.URL(), "client_id": "sandbox-qmatic",
			"client_secret": ref("qmatic.client_secret"),
			"scopes":        []any{"com.qmatic.saas.appointments/external.appointment.book"},
		},
		"genesys": {
			"provider": "genesys", "base_url": s.URL(), "client_id": "sandbox-genesys", "grant": "client_credentials",
			"client_secret": ref("genesys.client_secret"), "api_key": ref("genesys.api_key"),
		},
	}}
	for name := range got.Profiles {
		if want.Profiles[name] == nil {
			delete(got.Profiles, name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	at := -1
	for _, name := range []string{"pexip", "talkdesk", "qmatic", "genesys", "talkdesk-jwt"} {
		next := strings.Index(text, "\n  "+name+":\n")
		if next <= at {
			t.Errorf("%s is not where it belongs in\n%s", name, text)
		}
		at = next
	}
	for _, secret := range s.IssuedSecrets() {
		if strings.Contains(text, secret) {
			t.Errorf("the configuration holds %q", secret)
		}
	}
	checkSecretFiles(t, s, path)
}

// checkSecretFiles reads every reference of the profiles.
func checkSecretFiles(t *testing.T, s *sandbox.Server, path string) {
	t.Helper()
	f, _ := readConfig(t, path)
	for _, p := range s.Profiles() {
		for name, secret := range p.Secrets {
			ref, _ := f.Profiles[p.Name][name].(string)
			at := filepath.Join(filepath.Dir(path), strings.TrimPrefix(ref, "file:"))
			if b, err := os.ReadFile(at); err != nil || string(b) != secret {
				t.Errorf("%s %s: %v", p.Name, name, err)
			}
			checkMode(t, at, 0o600)
		}
	}
	checkMode(t, path, 0o600)
	checkMode(t, strings.TrimSuffix(path, ".yaml")+".secrets", 0o700)
}

func checkMode(t *testing.T, path string, want os.FileMode) {
	t.Helper()
	if runtime.GOOS == "windows" {
		return
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != want {
		t.Errorf("%s: %v, %v; want %v", path, info.Mode().Perm(), err, want)
	}
}

func TestWriteConfigReplacesOnlyItsOwn(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	dir := t.TempDir()
	path := filepath.Join(dir, "c.yaml")
	for range 2 {
		if err := s.WriteConfig(path); err != nil {
			t.Fatal(err)
		}
	}
	theirs := filepath.Join(dir, "theirs.yaml")
	if err := os.WriteFile(theirs, []byte("profiles: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.WriteConfig(theirs); err == nil {
		t.Error("a configuration of somebody else is overwritten")
	}
	if err := os.WriteFile(filepath.Join(dir, "d.secrets"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{filepath.Join(dir, "d.yaml"), filepath.Join(dir, "none", "c.yaml"), dir} {
		if err := s.WriteConfig(bad); err == nil {
			t.Errorf("%s is written", bad)
		}
	}
	entries, err := filepath.Glob(filepath.Join(dir, ".sandbox-*"))
	if err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
