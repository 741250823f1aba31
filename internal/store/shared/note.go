package shared

import (
	"encoding/json"
	"time"

	"github.com/authctl/authctl/internal/store"
)

// noteLife is how long a note stays, or longer where it says something of a later time.
const noteLife = 10 * time.Minute

// storedNote is the form of a note on the engine, before it is sealed: a message names accounts.
type storedNote struct {
	store.Note
	// WrittenMS is when it was left, by the clock of whoever did, in milliseconds since 1970; LifeMS how long it stays.
	WrittenMS int64 `json:"written_ms"`
	LifeMS    int64 `json:"life_ms"`
}

// sealNote returns a note in its form on the engine, and how long it stays there.
func (s *Store) sealNote(v *vault, name string, n store.Note) (string, time.Duration, error) {
	now := s.options.Now()
	life := max(noteLife, n.NotBefore.Sub(now)+noteLife, n.Renew.Sub(now)+noteLife)
	plain, err := json.Marshal(storedNote{Note: n, WrittenMS: now.UnixMilli(), LifeMS: life.Milliseconds()})
	if err != nil {
		return "", 0, err
	}
	sealed, err := v.seal(name, plain)
	return sealed, life, err
}

// noteIn opens a note. Where clocks differ its times become ours: the engine says how long ago it was left. One that
// cannot be opened is none.
func (s *Store) noteIn(v *vault, name string, found value) store.Note {
	if !found.there {
		return store.Note{}
	}
	plain, err := v.unseal(name, found.text)
	var stored storedNote
	if err != nil || json.Unmarshal(plain, &stored) != nil {
		s.options.Explain(place(name) + " cannot be read, and counts as none")
		return store.Note{}
	}
	if found.left < 0 {
		return stored.Note
	}
	ago := time.Duration(stored.LifeMS)*time.Millisecond - found.left
	differs := s.options.Now().Add(-ago).Sub(time.UnixMilli(stored.WrittenMS))
	if differs.Abs() > s.pace.skew {
		for _, at := range []*time.Time{&stored.At, &stored.NotBefore, &stored.Renew} {
			if !at.IsZero() {
				*at = at.Add(differs)
			}
		}
	}
	return stored.Note
}
