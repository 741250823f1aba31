package config

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/secret"
	"github.com/google/go-cmp/cmp"
)

// lookedUp is a keyring that knows one name.
type lookedUp struct{}

func (lookedUp) Secret(_ context.Context, name string) (secret.Secret, error) {
	if name == "kept" {
		return secret.New("obviously-fake"), nil
	}
	return secret.Secret{}, errors.New("no such entry")
}

func TestInspect(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"full.txt": "obviously-fake\n", "empty.txt": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	refs := newResolver(Resolver{Keyring: lookedUp{}}, environment("SET=obviously-fake", "HOME="+dir))
	ran := filepath.Join(dir, "ran")
	for text, want := range map[string]string{
		"env:SET":                   "",
		"env:NOT_SET":               "profile p: s from env:NOT_SET: the variable is not set",
		"file:full.txt":             "",
		"file:~/full.txt":           "",
		"file:empty.txt":            "profile p: s from file:empty.txt: it is empty",
		"file:gone.txt":             "profile p: s from file:gone.txt: ",
		"file:.":                    "profile p: s from file:.: it is a directory",
		"keyring:kept":              "",
		"keyring:gone":              "profile p: s from keyring:gone: no such entry",
		"cmd:no-such-program x":     "profile p: s from cmd:no-such-program …: the program cannot be found: ",
		"cmd:go env >" + ran:        "",
		"cmd:exec touch " + ran:     "",
		"cmd:(touch " + ran + ")":   "",
		"cmd:A=b no-such-program":   "",
		"cmd:./no-such-program a b": "profile p: s from cmd:./no-such-program …: the program cannot be found: ",
		"prompt":                    "",
		"stdin":                     "",
	} {
		ref, ok := parseReference(text)
		if !ok {
			t.Fatalf("%q is no reference", text)
		}
		ref.dir = dir
		found := refs.inspect(t.Context(), "p", bound{"s", ref, "here"})
		said := ""
		if found.Err != nil {
			said = found.Err.Error()
		}
		if want == "" != (said == "") || len(said) < len(want) || said[:len(want)] != want {
			t.Errorf("%s: %q, want %q", text, said, want)
		}
		if found.Command != (ref.kind == "cmd") || found.Reference != ref.String() || found.Setting != "s" {
			t.Errorf("%s: %+v", text, found)
		}
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("a command was run")
	}
}

// TestInspectLooksAtWhatWins: a reference that the environment replaces is not looked for.
func TestInspectLooksAtWhatWins(t *testing.T) {
	t.Parallel()
	path := writeFile(t, "profiles:\n  p:\n    provider: talkdesk\n    client_secret: env:NOT_SET\n    private_key: env:KEY\n")
	load := func(env ...string) []Inspection {
		f, err := Load(Options{Path: path, LookupEnv: environment(env...), Services: services()})
		if err != nil {
			t.Fatal(err)
		}
		p, err := f.Profile("p", nil)
		if err != nil {
			t.Fatal(err)
		}
		return p.Inspect(t.Context())
	}
	brief := func(list []Inspection) []string {
		lines := []string{}
		for _, i := range list {
			state := "found"
			if i.Err != nil {
				state = "missing"
			}
			lines = append(lines, i.Setting+" "+i.Reference+" "+state)
		}
		return lines
	}
	want := []string{"client_secret env:NOT_SET missing", "private_key env:KEY found"}
	if diff := cmp.Diff(want, brief(load("KEY=obviously-fake"))); diff != "" {
		t.Error(diff)
	}
	want = []string{"client_secret  found", "private_key env:KEY missing"}
	if diff := cmp.Diff(want, brief(load("AUTHCTL_CLIENT_SECRET=obviously-fake"))); diff != "" {
		t.Error(diff)
	}
}

// TestNobodyIsAskedForWhatTheEnvironmentGives: the profile says prompt, and the variable goes first.
func TestNobodyIsAskedForWhatTheEnvironmentGives(t *testing.T) {
	t.Parallel()
	path := writeFile(t, "profiles:\n  p:\n    provider: talkdesk\n    client_secret: prompt\n    private_key: stdin\n")
	f, err := Load(Options{Path: path, LookupEnv: environment("AUTHCTL_CLIENT_SECRET=obviously-fake"), Services: services()})
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.Profile("p", nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"private_key"}, p.Interactive()); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}
}

func TestInspectStoreKey(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		env, reference string
		given, found   bool
		command        bool
	}{
		{"OTHER=1", "", false, true, false},
		{"AUTHCTL_STORE_KEY=obviously-fake", "", true, true, false},
		{"AUTHCTL_STORE_KEY_FILE=gone.key", "file:gone.key", true, false, false},
		{"AUTHCTL_STORE_KEY_CMD=go version", "cmd:go …", true, true, true},
	} {
		got, given := InspectStoreKey(t.Context(), environment(row.env), files.Trust{})
		if given != row.given || got.Reference != row.reference || (got.Err == nil) != row.found || got.Command != row.command {
			t.Errorf("%s: %t %+v", row.env, given, got)
		}
	}
}
