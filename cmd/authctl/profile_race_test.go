//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/store"
)

// TestProfilesAddedAtOnce: twelve processes add, remove and choose profiles of one file, which does not exist at first:
// whoever ends with 0 is in the file.
func TestProfilesAddedAtOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	path := p.path("new/config.yaml")
	p.set("AUTHCTL_CONFIG=" + path)
	names := func() string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for round := range 8 {
		var all []*running
		for n := range 12 {
			all = append(all, p.start("profile", "add", fmt.Sprintf("r%d-n%d", round, n), "--provider", "talkdesk",
				"--set", "account=acme", "--set", "client_id=a", "--set", "client_secret=env:X"))
		}
		if round > 0 {
			all = append(all, p.start("profile", "remove", fmt.Sprintf("r%d-n0", round-1)),
				p.start("profile", "use", fmt.Sprintf("r%d-n1", round-1)))
		}
		for _, r := range all {
			if o := r.end(); o.code != 0 {
				t.Errorf("%v: exit code %d, %s", r.Args[1:], o.code, o.stderr)
			}
		}
		text := names()
		for n := range 12 {
			if !strings.Contains(text, fmt.Sprintf("\n  r%d-n%d:\n", round, n)) {
				t.Errorf("profile r%d-n%d is not there", round, n)
			}
		}
		if round > 0 && (strings.Contains(text, fmt.Sprintf("\n  r%d-n0:\n", round-1)) ||
			!strings.Contains(text, fmt.Sprintf("default_profile: r%d-n1\n", round-1))) {
			t.Errorf("round %d: a removal or a choice was lost", round)
		}
	}
	// The same name twice is one profile.
	var added int
	for _, o := range p.atOnce(6, "profile", "add", "same", "--provider", "talkdesk",
		"--set", "account=acme", "--set", "client_id=a", "--set", "client_secret=env:X") {
		if o.code == 0 {
			added++
		} else if o.code != 3 {
			t.Errorf("exit code %d, %s", o.code, o.stderr)
		}
	}
	if n := strings.Count(names(), "\n  same:\n"); added != 1 || n != 1 {
		t.Errorf("%d processes added the profile, and it is there %d times", added, n)
	}
	if left, _ := filepath.Glob(p.path("new/.config-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestABusyConfiguration: exit code 8, and the hint names the file.
func TestABusyConfiguration(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.set("AUTHCTL_TIMEOUT=100ms")
	free := p.lockConfig()
	defer free()
	for _, args := range [][]string{{"profile", "use", "pexip"}, {"profile", "remove", "pexip"}, {"profile", "set", "pexip", "client_id=x"}, {
		"profile", "rename", "pexip", "other",
	}, {
		"profile", "add", "more", "--provider", "talkdesk", "--set", "account=acme", "--set", "client_id=a",
		"--set", "client_secret=env:X",
	}} {
		o := p.run(args...)
		hint := "authctl: hint: another authctl is changing " + p.path("config.yaml") + "; try again\n"
		if o.code != 8 || o.stdout != "" || !strings.HasSuffix(o.stderr, hint) {
			t.Errorf("%v: exit code %d, stderr %q; want 8 and %q", args, o.code, o.stderr, hint)
		}
	}
}

// lockConfig holds the lock of the configuration, and returns what frees it.
func (p *place) lockConfig() (free func()) {
	p.t.Helper()
	lock, err := store.FileLocks{Dir: p.path("run")}.LockFile(p.t.Context(), p.path("config.yaml"))
	if err != nil {
		p.t.Fatal(err)
	}
	return func() { _ = lock.Unlock() }
}

// TestStoreSetUpAtOnce: of twelve processes one makes the key, the others see that it is there, and it is that of the
// one configuration.
func TestStoreSetUpAtOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.set("AUTHCTL_CONFIG="+p.path("new/config.yaml"), "AUTHCTL_STORE=", "AUTHCTL_STORE_DIR="+p.path("store"))
	keys, changes := 0, 0
	for _, o := range p.atOnce(12, "store", "init", "-o", "json") {
		var done struct {
			KeyMade       bool `json:"key_made"`
			ConfigChanged bool `json:"config_changed"`
		}
		if err := json.Unmarshal([]byte(o.stdout), &done); err != nil || o.code != 0 {
			t.Errorf("exit code %d, %v: %s", o.code, err, o.stderr)
		}
		if done.KeyMade {
			keys++
		}
		if done.ConfigChanged {
			changes++
		}
	}
	text, err := os.ReadFile(p.path("new/config.yaml"))
	if err != nil || keys != 1 || changes != 1 || strings.Count(string(text), "store_key:") != 1 {
		t.Errorf("%d keys were made, %d configurations written: %v\n%s", keys, changes, err, text)
	}
	if o := p.run("token", "list"); o.code != 0 {
		t.Errorf("the key does not open: exit code %d, %s", o.code, o.stderr)
	}
}
