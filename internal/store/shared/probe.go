package shared

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/tokenkey"
	"github.com/redis/go-redis/v9"
)

// Probe is what an engine says of itself, for doctor. What it does not tell this user is empty.
type Probe struct {
	// Version is "Redis 7.0.15" or "Valkey 8.0.1".
	Version string
	// Role is "master" or "slave", in the engine's words.
	Role string
	// Latency is how long one command took, on a connection that stood.
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

const probing = "asking what the engine is"

// Probe uses each command that is needed on keys of its own, which it removes, and asks for INFO, which is no need. How
// long that takes is not counted, as of List. Errors are an *store.UnusableError.
func (s *Store) Probe(ctx context.Context) (Probe, error) {
	s.budget.lift()
	v, err := s.open(ctx)
	if err != nil {
		return Probe{}, unconfigured(probing, err)
	}
	n := v.names(tokenkey.Key{Provider: "authctl doctor", ClientID: rand.Text()})
	p := Probe{TLS: s.options.Address.TLS}
	tries := s.tries(v, n)
	for _, command := range Commands() {
		err := s.ask(ctx, probing, func(ctx context.Context, c redis.UniversalClient) error {
			began := time.Now()
			err := tries[command](ctx, c)
			// The first has made the connection.
			p.Latency = time.Since(began)
			if redis.IsPermissionError(err) {
				p.Denied = append(p.Denied, command)
				return nil
			}
			return err
		})
		if err != nil {
			return p, err
		}
	}
	return p, askItself(ctx, s, &p)
}

// tries has for each of Commands what uses it, in their order.
func (s *Store) tries(v *vault, n names) map[string]func(context.Context, redis.UniversalClient) error {
	type client = redis.UniversalClient
	return map[string]func(context.Context, client) error{
		"get": func(ctx context.Context, c client) error {
			err := c.Get(ctx, n.token).Err()
			if errors.Is(err, redis.Nil) {
				return nil
			}
			return err
		},
		"pttl": func(ctx context.Context, c client) error { return c.PTTL(ctx, n.token).Err() },
		"set": func(ctx context.Context, c client) error {
			return c.SetArgs(ctx, n.note, "", redis.SetArgs{TTL: time.Second}).Err()
		},
		"del":     func(ctx context.Context, c client) error { return c.Del(ctx, n.note).Err() },
		"eval":    func(ctx context.Context, c client) error { return c.Eval(ctx, "return 1", []string{n.token}).Err() },
		"publish": func(ctx context.Context, c client) error { return c.Publish(ctx, n.freed, "").Err() },
		"subscribe": func(ctx context.Context, c client) error {
			subscription := c.Subscribe(ctx, n.freed)
			defer func() { _ = subscription.Close() }()
			_, err := subscription.ReceiveTimeout(ctx, s.options.Address.Timeout)
			return err
		},
		"scan": func(ctx context.Context, c client) error { return c.Scan(ctx, 0, v.tokens(), 1).Err() },
	}
}

// askItself reads what the engine says of itself, where its user may ask that.
func askItself(ctx context.Context, s *Store, p *Probe) error {
	return s.ask(ctx, probing, func(ctx context.Context, c redis.UniversalClient) error {
		text, err := c.Info(ctx).Result()
		if redis.IsPermissionError(err) {
			return nil
		}
		p.take(facts(text))
		return err
	})
}

// facts reads lines such as redis_version:7.0.15, which are the engine's, and may be anything.
func facts(info string) map[string]string {
	said := map[string]string{}
	for line := range strings.Lines(info) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			said[name] = secret.CleanName(value)
		}
	}
	return said
}

func (p *Probe) take(said map[string]string) {
	if version := said["redis_version"]; version != "" {
		p.Version = "Redis " + version
	}
	if version := said["valkey_version"]; version != "" {
		p.Version = "Valkey " + version
	}
	p.Role, p.Eviction = said["role"], said["maxmemory_policy"]
	switch {
	case said["aof_enabled"] == "1":
		p.Persistence = "append-only file"
	case said["aof_enabled"] == "":
	case cmp.Or(said["rdb_saves"], "0") != "0":
		p.Persistence = "snapshots"
	default:
		p.Persistence = "none"
	}
}
