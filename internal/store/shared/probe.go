package shared

import (
	"context"
	"time"
)

// Probe is what an engine says of itself, for doctor. What the engine does not tell this user is empty.
type Probe struct {
	// Version is "Redis 7.0.15" or "Valkey 8.0.1".
	Version string
	// Role is "master" or "slave", in the engine's words.
	Role string
	// Latency is how long one command took.
	Latency time.Duration
	// Eviction is what the engine does when its memory is full, maxmemory-policy: "noeviction", "allkeys-lru".
	Eviction string
	// Persistence is where the engine keeps its keys beyond its own life: "append-only file", "snapshots", "none".
	Persistence string
	// TLS says that the connection is encrypted.
	TLS bool
	// Denied are the commands that are needed and that the user may not use on our keys.
	Denied []string
}

// Probe uses each command that is needed on keys of its own, and removes them. Errors are an *store.UnusableError.
func (s *Store) Probe(context.Context) (Probe, error) { return Probe{}, notYet("asking the engine") }
