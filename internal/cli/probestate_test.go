package cli

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/scopes"
	"github.com/google/go-cmp/cmp"
)

func TestProbeFile(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	dir, clock := t.TempDir(), func() time.Time { return now }
	client := providers.Identity{Provider: "p", ClientID: "c", Scopes: []string{"the profile's"}}
	file := func(names ...string) probeFile { return newProbeFile(dir, client, names, clock) }
	state := keptProbe{Began: now.Add(-time.Minute).UTC()}
	state.State = scopes.State{Granted: []string{"a"}, Refused: []string{"b"}, Suspect: [][]string{{"c", "d"}}, Requests: 3}
	if _, ok := file("a", "b").load(); ok {
		t.Error("there is a state before any was saved")
	}
	if err := file("a", "b").save(state); err != nil {
		t.Fatal(err)
	}
	client.Scopes = nil
	state.At = now.UTC()
	now = now.Add(3 * time.Minute)
	got, ok := file("b", "a").load()
	if diff := cmp.Diff(state, got); diff != "" || !ok {
		t.Errorf("%t, difference:\n%s", ok, diff)
	}
	if _, ok := file("a").load(); ok {
		t.Error("a probe of other names takes it for its own")
	}
	for name, later := range map[string]time.Duration{"old": time.Hour, "from the future": -time.Hour} {
		now = now.Add(later)
		if _, ok := file("a", "b").load(); ok {
			t.Errorf("a state that is %s is believed", name)
		}
		now = now.Add(-later)
	}
	for _, text := range []string{"{", "{}", `{"at":"2023-11-14T22:13:20Z","state":{"granted":["a"]}}`} {
		if err := os.WriteFile(file("a", "b").path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, ok := file("a", "b").load(); ok {
			t.Errorf("%s is believed", text)
		}
	}
	file("a", "b").remove()
	if left, err := os.ReadDir(filepath.Join(dir, "probes")); err != nil || len(left) > 0 {
		t.Errorf("%v, left behind: %v", err, left)
	}
}

func TestProbeFileWithoutADirectory(t *testing.T) {
	t.Parallel()
	none := newProbeFile("", providers.Identity{}, nil, time.Now)
	if _, ok := none.load(); ok || none.path != "" {
		t.Error("it is kept somewhere")
	}
	none.remove()
	taken := filepath.Join(t.TempDir(), "taken")
	if err := os.WriteFile(taken, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := newProbeFile(taken, providers.Identity{}, nil, time.Now).save(keptProbe{}); err == nil {
		t.Error("saved in a file that is no directory")
	}
}

// TestProbeFileTidiesUp: what is older than an hour goes, and nothing that is not the probes'.
func TestProbeFileTidiesUp(t *testing.T) {
	t.Parallel()
	dir, now := t.TempDir(), time.Now()
	probes := filepath.Join(dir, "probes")
	if err := os.MkdirAll(filepath.Join(probes, ".probe-directory"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, age := range map[string]time.Duration{
		"old.json": 2 * time.Hour, ".probe-old": 2 * time.Hour, "new.json": time.Minute, ".probe-new": time.Minute,
		"notes.txt": 2 * time.Hour, ".probe-directory": 2 * time.Hour,
	} {
		path := filepath.Join(probes, name)
		if name != ".probe-directory" {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chtimes(path, now, now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	own := newProbeFile(dir, providers.Identity{}, nil, func() time.Time { return now })
	if err := own.save(keptProbe{}); err != nil {
		t.Fatal(err)
	}
	own.remove()
	left, err := os.ReadDir(probes)
	var names []string
	for _, entry := range left {
		names = append(names, entry.Name())
	}
	if diff := cmp.Diff([]string{".probe-directory", ".probe-new", "new.json", "notes.txt"}, names); err != nil || diff != "" {
		t.Errorf("%v, left (-want +got):\n%s", err, diff)
	}
}
