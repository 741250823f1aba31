package config

import (
	"testing"

	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/google/go-cmp/cmp"
)

// TestInspectLooksAtWhatWins: a reference that the environment replaces is not looked for.
func TestInspectLooksAtWhatWins(t *testing.T) {
	t.Parallel()
	path := writeFile(t, "profiles:\n  p:\n    provider: talkdesk\n    client_secret: env:NOT_SET\n    private_key: env:KEY\n")
	load := func(env ...string) []source.Inspection {
		f, err := Load(Options{Path: path, Fetcher: &source.Fetcher{Env: environment(env...)}, Services: providers.These(services()...)})
		if err != nil {
			t.Fatal(err)
		}
		p, err := f.Profile("p", nil)
		if err != nil {
			t.Fatal(err)
		}
		return p.Inspect(t.Context())
	}
	brief := func(list []source.Inspection) []string {
		lines := []string{}
		for _, i := range list {
			state := "found"
			if i.Err != nil {
				state = "missing"
			}
			lines = append(lines, i.Setting+" "+i.String()+" "+state)
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
	f, err := Load(Options{Path: path, Fetcher: &source.Fetcher{Env: environment("AUTHCTL_CLIENT_SECRET=obviously-fake")}, Services: providers.These(services()...)})
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
		fetcher := &source.Fetcher{Env: environment(row.env)}
		e, err := ReadEnvironment(fetcher)
		if err != nil {
			t.Fatal(err)
		}
		got, given := e.StoreKey.Inspect(t.Context(), fetcher)
		if given != row.given || got.String() != row.reference || (got.Err == nil) != row.found || (got.Kind == "cmd") != row.command {
			t.Errorf("%s: %t %+v", row.env, given, got)
		}
	}
}
