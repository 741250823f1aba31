package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/scopes"
	"github.com/authctl/authctl/internal/store"
)

// probeMemory is how long it is believed what a broken-off probe found.
const probeMemory = time.Hour

// probeFile keeps what a probe knows until it is finished. There is no secret in it:
// names, and in the file's own name a digest of what client was asked. The zero value
// keeps nothing.
type probeFile struct {
	path string
	now  func() time.Time
}

// keptProbe is the file's content.
type keptProbe struct {
	At    time.Time    `json:"at"`
	State scopes.State `json:"state"`
}

// newProbeFile names the file of a probe below the state directory, which may be
// empty: of one client and the very names it is about.
func newProbeFile(dir string, client providers.Identity, names []string, now func() time.Time) probeFile {
	if dir == "" {
		return probeFile{}
	}
	client.Scopes = names
	return probeFile{path: filepath.Join(dir, "probes", store.Key(client).Digest()+".json"), now: now}
}

// load returns what an earlier run found and how long ago; false when that is
// nothing, too old or cannot be read.
func (f probeFile) load() (scopes.State, time.Duration, bool) {
	if f.path == "" {
		return scopes.State{}, 0, false
	}
	text, err := os.ReadFile(f.path)
	if err != nil {
		return scopes.State{}, 0, false
	}
	var kept keptProbe
	if json.Unmarshal(text, &kept) != nil {
		return scopes.State{}, 0, false
	}
	age := f.now().Sub(kept.At)
	return kept.State, age, age >= 0 && age < probeMemory
}

// save replaces the file at once, so that a run that is killed leaves a whole one.
func (f probeFile) save(state scopes.State) error {
	text, err := json.Marshal(keptProbe{At: f.now().UTC(), State: state})
	if err != nil {
		return err
	}
	dir := filepath.Dir(f.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, ".probe-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(file.Name(), f.path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}

// remove forgets what is kept.
func (f probeFile) remove() {
	if f.path != "" {
		_ = os.Remove(f.path)
	}
}
