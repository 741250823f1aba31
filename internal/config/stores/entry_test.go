package stores

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/setting"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"auto": "", "keyring": "", "kernel": "", "file": "", "memory": "",
		"redis://cache": "", "REDISS://ci@[::1]:7000/3": "", "redis://a:1?addr=b:2&cluster=true": "",
		"keyrin":                      `store "keyrin" is not a store`,
		"redis":                       `store "redis" is not a store`,
		"https://cache":               "store is an address, and not one of a store",
		"redis:ci:obviously-fake@c":   "store is not a store",
		"ci:obviously-fake@cache":     "store is not a store",
		"redis://ci:obviously-fake@c": "store has a password in its address",
		"redis://c?tiemout=1s":        "store has an unknown parameter: tiemout",
	} {
		err := Check("store", text)
		wrong, ok := errors.AsType[*setting.Error](err)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", text, err)
		case want == "":
		case !ok || wrong.Error() != want || wrong.Help == "" || strings.Contains(wrong.Help, "obviously"):
			t.Errorf("%s: %v, want %s and what to do", text, err, want)
		}
	}
}

func TestShown(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"file": "file", "redis://ci@cache": "redis://cache:6379/0", "rediss://cache:7000/2?timeout=2s": "rediss://cache:7000/2?timeout=2s",
	} {
		if got := (Choice{Text: text}).Shown(); got != want {
			t.Errorf("%s is shown as %s, want %s", text, got, want)
		}
	}
}

func TestEntry(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(filepath.Join(dir, "password"), []byte("obviously-fake\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := &source.Fetcher{}
	s, err := Entry{Key: Password, Text: "file:password", Path: path, Line: 4}.Secret(f)
	if err != nil || s.From != "store_password in "+path+":4" {
		t.Fatalf("%+v, %v", s, err)
	}
	if value, err := s.Fetch(t.Context()); err != nil || value.Reveal() != "obviously-fake" {
		t.Errorf("what is relative does not begin where the file is: %v", err)
	}
	for text, want := range map[string]string{
		"obviously-fake": ":4: store_password is not a reference to a secret",
		"profile:calls":  ":4: store_password is not a reference to a secret",
		"prompt":         ":4: store_password cannot be prompt: every call needs it",
		"stdin":          ":4: store_password cannot be stdin: every call needs it",
	} {
		if _, err := (Entry{Key: Password, Text: text, Path: path, Line: 4}).Secret(f); err == nil || err.Error() != path+want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	s, err = Entry{Key: TLSKey, Text: "file:gone", Path: path, Line: 5}.Secret(f)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Fetch(t.Context()); err == nil || !strings.HasPrefix(err.Error(), path+":5: store_tls_key from file:gone: ") {
		t.Errorf("a file that is not there: %v", err)
	}
	wrong := s.Wrong(TLSKey, "has no key in it", "give one")
	if want := path + ":5: store_tls_key from file:gone: has no key in it"; wrong.Error() != want {
		t.Errorf("%v, want %s", wrong, want)
	}
	if wrong := (Secret{}).Wrong(TLSKey, "is missing", "give one"); wrong.Error() != "store_tls_key is missing" {
		t.Errorf("one that nothing gives: %v", wrong)
	}
}

func TestGiven(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(path, []byte("obviously-fake\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	name := Variable(Password)
	for text, from := range map[string]string{
		"=obviously-fake": name, "_FILE=" + path: name + "_FILE", "_CMD=echo obviously-fake": name + "_CMD", "_OTHER=1": "",
	} {
		variable, value, _ := strings.Cut(name+text, "=")
		s, err := Given(&source.Fetcher{Env: environment(map[string]string{variable: value})}, name)
		if err != nil || s.From != from {
			t.Errorf("%s: %+v, %v", text, s, err)
			continue
		}
		if from == "" {
			continue
		}
		if got, err := s.Fetch(t.Context()); err != nil || got.Reveal() != "obviously-fake" {
			t.Errorf("%s: %v", text, err)
		}
	}
	_, err := Given(&source.Fetcher{Env: environment(map[string]string{name: "x", name + "_FILE": "x"})}, name)
	if want := "AUTHCTL_STORE_PASSWORD and AUTHCTL_STORE_PASSWORD_FILE are set together"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func environment(of map[string]string) files.Environ {
	return func(name string) (string, bool) {
		value, ok := of[name]
		return value, ok
	}
}
