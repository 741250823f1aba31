package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
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
	// Began is when the probe was begun, At when the last answer came.
	Began time.Time    `json:"began"`
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

// load returns what an earlier run found; false when that is nothing, too old or
// cannot be read.
func (f probeFile) load() (keptProbe, bool) {
	if f.path == "" {
		return keptProbe{}, false
	}
	text, err := os.ReadFile(f.path)
	if err != nil {
		return keptProbe{}, false
	}
	var kept keptProbe
	if json.Unmarshal(text, &kept) != nil || kept.Began.IsZero() {
		return keptProbe{}, false
	}
	age := f.now().Sub(kept.At)
	return kept, age >= 0 && age < probeMemory
}

// save replaces the file at once, so that a run that is killed leaves a whole one, and
// sets its At.
func (f probeFile) save(kept keptProbe) error {
	kept.At = f.now().UTC()
	text, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	dir := filepath.Dir(f.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f.tidy(dir)
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

// tidy removes what other probes left that nobody would believe any more: those that
// were broken off, and half a file of one that was killed. What cannot be removed stays.
func (f probeFile) tidy(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, entry := range entries {
		ours := strings.HasPrefix(entry.Name(), ".probe-") || filepath.Ext(entry.Name()) == ".json"
		info, err := entry.Info()
		if err != nil || !ours || !info.Mode().IsRegular() || f.now().Sub(info.ModTime()) < probeMemory {
			continue
		}
		_ = os.Remove(filepath.Join(dir, entry.Name()))
	}
}

// remove forgets what is kept.
func (f probeFile) remove() {
	if f.path != "" {
		_ = os.Remove(f.path)
	}
}
