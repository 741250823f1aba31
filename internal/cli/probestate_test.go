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
	state := scopes.State{Granted: []string{"a"}, Refused: []string{"b"}, Suspect: [][]string{{"c", "d"}}, Requests: 3}
	if _, _, ok := file("a", "b").load(); ok {
		t.Error("there is a state before any was saved")
	}
	if err := file("a", "b").save(state); err != nil {
		t.Fatal(err)
	}
	client.Scopes = nil
	now = now.Add(3 * time.Minute)
	got, age, ok := file("b", "a").load()
	if diff := cmp.Diff(state, got); diff != "" || !ok || age != 3*time.Minute {
		t.Errorf("%s, %t, difference:\n%s", age, ok, diff)
	}
	if _, _, ok := file("a").load(); ok {
		t.Error("a probe of other names takes it for its own")
	}
	for name, later := range map[string]time.Duration{"old": time.Hour, "from the future": -time.Hour} {
		now = now.Add(later)
		if _, _, ok := file("a", "b").load(); ok {
			t.Errorf("a state that is %s is believed", name)
		}
		now = now.Add(-later)
	}
	if err := os.WriteFile(file("a", "b").path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, ok := file("a", "b").load(); ok {
		t.Error("what cannot be read is believed")
	}
	file("a", "b").remove()
	if left, err := os.ReadDir(filepath.Join(dir, "probes")); err != nil || len(left) > 0 {
		t.Errorf("%v, left behind: %v", err, left)
	}
}

func TestProbeFileWithoutADirectory(t *testing.T) {
	t.Parallel()
	none := newProbeFile("", providers.Identity{}, nil, time.Now)
	if _, _, ok := none.load(); ok || none.path != "" {
		t.Error("it is kept somewhere")
	}
	none.remove()
	taken := filepath.Join(t.TempDir(), "taken")
	if err := os.WriteFile(taken, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := newProbeFile(taken, providers.Identity{}, nil, time.Now).save(scopes.State{}); err == nil {
		t.Error("saved in a file that is no directory")
	}
}
