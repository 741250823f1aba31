// Package shared keeps access tokens on an engine that many machines share, Redis or Valkey, sealed with a key
// that the engine never sees. The engine is a help and never a condition: one that fails is not asked again by
// this process.
package shared

import (
	"context"
	"crypto/tls"
	"time"

	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/store/address"
)

// Name is the store's name on the command line.
const Name = "redis"

// Options say where the engine is, and what is needed to use it. Nothing of them is fetched before it is needed.
type Options struct {
	// Address is where the engine is.
	Address address.Address
	// Password is that of the address' user, SentinelPassword what the sentinels want; nil for none.
	Password, SentinelPassword secret.Func
	// Key fetches the store key, an age identity, and KeyFrom names for people what gives it: as those of store.File.
	Key     secret.Func
	KeyFrom string
	// TLS is asked once, and only for an address with TLS. Nil is the usual configuration.
	TLS func(context.Context) (*tls.Config, error)
	// Unopened hears of how many records List leaves out because they cannot be opened, and why the first of
	// them; nil means that nobody does.
	Unopened func(number int, why string)
	// Explain hears what is done, for people; nil means that nobody does.
	Explain func(message string)
	// Now is the clock; nil is the system's.
	Now func() time.Time
}

// Store is a shared store. It is safe for concurrent use.
type Store struct{ options Options }

var _ store.Store = (*Store)(nil)

// New returns the store of an engine. It asks nothing and fetches nothing.
func New(o Options) *Store {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Store{options: o}
}

// Name returns "redis".
func (s *Store) Name() string { return Name }

// Shared reports true.
func (s *Store) Shared() bool { return true }
