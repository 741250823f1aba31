package shared

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/tokenkey"
	"github.com/redis/go-redis/v9"
)

// value is what is under a name, and how long it stays there: negative when for ever.
type value struct {
	text  string
	there bool
	left  time.Duration
}

// reading is a value that a pipeline asks for.
type reading struct {
	get *redis.StringCmd
	ttl *redis.DurationCmd
}

func read(ctx context.Context, p redis.Pipeliner, name string) reading {
	return reading{p.Get(ctx, name), p.PTTL(ctx, name)}
}

// execute sends a pipeline. That something is not there, or no string, is no error yet.
func execute(ctx context.Context, p redis.Pipeliner) error {
	_, err := p.Exec(ctx)
	if errors.Is(err, redis.Nil) || redis.HasErrorPrefix(err, "WRONGTYPE") {
		return nil
	}
	return err
}

// value returns what was read. What is no string is there and has no text.
func (r reading) value() (value, error) {
	text, err := r.get.Result()
	if err != nil && !errors.Is(err, redis.Nil) && !redis.HasErrorPrefix(err, "WRONGTYPE") {
		return value{}, err
	}
	left, lacks := r.ttl.Result()
	if lacks != nil {
		return value{}, lacks
	}
	// It may have gone between the two.
	return value{text: text, there: !errors.Is(err, redis.Nil) && left != gone, left: left}, nil
}

// gone is what PTTL says of what is not there, in go-redis' words.
const gone = -2

// Get returns the record of key; see store.Store. How long it lives is the engine's word where clocks differ.
func (s *Store) Get(ctx context.Context, key tokenkey.Key) (*store.Record, error) {
	v, err := s.open(ctx)
	if err != nil {
		return nil, unconfigured(store.ReadingToken, err)
	}
	return s.load(ctx, v, store.ReadingToken, v.names(key).token)
}

// load reads the record under a name.
func (s *Store) load(ctx context.Context, v *vault, doing, name string) (*store.Record, error) {
	var found value
	err := s.ask(ctx, doing, func(ctx context.Context, c redis.UniversalClient) (err error) {
		found, err = look(ctx, c, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.seen.Store(name, found.text)
	if !found.there {
		return nil, store.ErrNotFound
	}
	r, err := v.record(name, found.text)
	if err != nil {
		return nil, err
	}
	if issued := s.issued(r, found.left); issued.Before(r.Token.RequestedAt) {
		r.Token.RequestedAt = issued
	}
	return r, nil
}

// look reads one value.
func look(ctx context.Context, c redis.UniversalClient, name string) (value, error) {
	p := c.Pipeline()
	r := read(ctx, p, name)
	if err := execute(ctx, p); err != nil {
		return value{}, err
	}
	return r.value()
}

// issued is when a record's token was asked for: what the record says by the clock of whoever wrote it, or where
// that differs, what follows of how long the engine keeps it, by ours.
func (s *Store) issued(r *store.Record, left time.Duration) time.Time {
	engine := s.options.Now().Add(left - r.Token.Lifetime)
	if left < 0 || engine.Sub(r.Token.RequestedAt).Abs() <= s.pace.skew {
		return r.Token.RequestedAt
	}
	return engine.Truncate(time.Millisecond).UTC()
}

// Put writes a record; see store.Store. Only the access token is kept, for as long as it lives, and not where a
// younger one is there.
func (s *Store) Put(ctx context.Context, r *store.Record) error {
	// What no store keeps is not kept in part.
	if _, err := store.EncodeRecord(r); err != nil {
		return err
	}
	if r.Token.Lifetime <= 0 {
		return fmt.Errorf("%w: %w", store.ErrUncacheable, errNoLifetime)
	}
	kept := *r
	kept.Token.RefreshToken, kept.Token.IDToken, kept.Token.SessionID = secret.Secret{}, secret.Secret{}, ""
	plain, err := store.EncodeRecord(&kept)
	if err != nil {
		return err
	}
	v, err := s.open(ctx)
	if err != nil {
		return unconfigured(store.StoringToken, err)
	}
	name := v.names(r.Key).token
	sealed, err := v.seal(name, plain)
	if err != nil {
		return unconfigured(store.StoringToken, err)
	}
	return s.replace(ctx, v, &kept, name, sealed)
}

// attempts are how often a record is tried to be put in the place of one that another puts there meanwhile.
const attempts = 5

// replace puts a sealed record in the place of what was last seen there, and of what is there unless that is younger.
func (s *Store) replace(ctx context.Context, v *vault, r *store.Record, name, sealed string) error {
	seen, _ := s.seen.Load(name)
	for range attempts {
		left := r.Token.RequestedAt.Add(r.Token.Lifetime).Sub(s.options.Now())
		if left < time.Millisecond {
			return fmt.Errorf("%w: %w", store.ErrUncacheable, errNothingLeft)
		}
		var other value
		err := s.ask(ctx, store.StoringToken, func(ctx context.Context, c redis.UniversalClient) error {
			answer, err := c.Eval(ctx, putToken, []string{name}, textOf(seen), sealed, left.Milliseconds()).Slice()
			other = otherOf(answer)
			return err
		})
		if err != nil {
			return err
		}
		if !other.there {
			s.seen.Store(name, sealed)
			return nil
		}
		if there, err := v.record(name, other.text); err == nil && s.issued(there, other.left).After(r.Token.RequestedAt) {
			s.options.Explain("a younger token is there already, and stays")
			return nil
		}
		seen = other.text
	}
	// Others are quicker: theirs are as good.
	return nil
}

func textOf(seen any) string {
	text, _ := seen.(string)
	return text
}

// otherOf reads the answer of putToken.
func otherOf(answer []any) value {
	if len(answer) != 2 {
		return value{}
	}
	text, _ := answer[0].(string)
	left, _ := answer[1].(int64)
	return value{text: text, there: true, left: time.Duration(left) * time.Millisecond}
}

// Delete removes a record; see store.Store. Other machines lose it too.
func (s *Store) Delete(ctx context.Context, key tokenkey.Key) error {
	v, err := s.open(ctx)
	if err != nil {
		return unconfigured(store.RemovingToken, err)
	}
	return s.ask(ctx, store.RemovingToken, func(ctx context.Context, c redis.UniversalClient) error {
		return c.Del(ctx, v.names(key).token).Err()
	})
}
