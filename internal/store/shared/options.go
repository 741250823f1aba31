// Package shared keeps access tokens on an engine that many machines share, Redis or Valkey, sealed with a key
// that the engine never sees. The engine is a help and never a condition: one that fails is not asked again by
// this process, unless that lives on for a minute.
package shared

import (
	"context"
	"crypto/tls"
	"sync"
	"sync/atomic"
	"time"

	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/store/address"
	"github.com/redis/go-redis/v9"
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
type Store struct {
	options Options
	pace    pace
	budget  budget

	// dead says that the engine is not asked, nil when it is.
	dead atomic.Pointer[death]
	// loose are commands that nobody waits for but Close.
	loose sync.WaitGroup
	// seen has the value (string) that was last read under a name, which Put replaces.
	seen sync.Map

	mu     sync.Mutex
	vault  *vault
	client redis.UniversalClient
}

// pace is what the clock decides on. Tests have other figures.
type pace struct {
	// renew is how often a holder renews its lease, stale how long after the last time it counts as dead.
	renew, stale time.Duration
	// spare is how much longer a lease is than the time that its holder has, and usual that time where it has no end.
	spare, usual time.Duration
	// poll is how often a waiter looks that hears nothing from the engine, and listening one that hears it. Each
	// waits up to a quarter more, so that they do not look all at once.
	poll, listening time.Duration
	// skew is how far clocks may differ before what the engine says of a time counts.
	skew time.Duration
	// again is how long a dead engine is not asked, and idle how long a connection that nothing goes over is kept:
	// load balancers and NAT drop such ones, some after a minute.
	again, idle time.Duration
}

func usualPace() pace {
	return pace{
		renew: time.Second, stale: 5 * time.Second, spare: 5 * time.Second, usual: 30 * time.Second,
		poll: 250 * time.Millisecond, listening: time.Second, skew: 100 * time.Millisecond,
		again: time.Minute, idle: 30 * time.Second,
	}
}

var _ store.Store = (*Store)(nil)

// New returns the store of an engine. It asks nothing and fetches nothing.
func New(o Options) *Store {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Explain == nil {
		o.Explain = func(string) {}
	}
	return &Store{options: o, pace: usualPace(), budget: budget{all: o.Address.Timeout, clock: time.Now}}
}

// Name returns "redis".
func (s *Store) Name() string { return Name }

// Shared reports true.
func (s *Store) Shared() bool { return true }

// Close ends the connections, when what nobody has waited for is done. A lease that is held then lapses by itself.
func (s *Store) Close() error {
	s.loose.Wait()
	closed := &store.UnusableError{
		Store: Name, Problem: store.Unreachable, Doing: "using the engine", Err: redis.ErrClosed,
	}
	if d := s.dead.Swap(&death{failure: closed}); d != nil {
		s.dead.Store(&death{failure: d.failure})
	}
	return s.disconnect()
}

// Recipient returns the public half of the store key, so that two machines can be compared. Errors are an
// *store.UnusableError.
func (s *Store) Recipient(ctx context.Context) (string, error) {
	v, err := s.open(ctx)
	if err != nil {
		return "", unconfigured("opening the key", err)
	}
	return v.identity.Recipient().String(), nil
}
