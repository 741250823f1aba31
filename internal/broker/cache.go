package broker

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/store"
)

// cache is a call with what the store holds for it: who looks, who waits, who asks.
type cache struct {
	*call
	// stored is the record last read, nil when there is none.
	stored *store.Record
	// standing is what the stored token is good for.
	standing standing
	// warned says that a warning was given of a record that cannot be opened.
	warned bool
}

// look reads the store and judges what is in it.
func (c *cache) look(ctx context.Context) error {
	c.standing = useless
	record, err := c.read(ctx)
	if c.without(err) {
		return nil
	}
	if err != nil || record == nil {
		return err
	}
	worth, why := c.judge(record.Token)
	if c.standing = worth; worth < ageing {
		c.Explain("cache: passed over, %s", why)
		return nil
	}
	c.Explain("cache: hit in the %s store", c.Store.Name())
	return nil
}

// fresh reads the store and answers with what is fresh in it, if anything is.
func (c *cache) fresh(ctx context.Context) (Answer, error) {
	if err := c.look(ctx); err != nil || c.standing < ageing {
		return Answer{}, err
	}
	return c.atHand(), nil
}

// without reports whether an error says that a shared store cannot be used: what it is for is
// then done without it, and said once.
func (c *call) without(err error) bool {
	down := store.Down(c.Store, err)
	if down == nil {
		return false
	}
	c.WarnOnce(fmt.Sprintf("tokens are not shared by this call: %v: %s", down, down.Hint))
	return true
}

// read returns the stored record, nil when there is none.
func (c *cache) read(ctx context.Context) (*store.Record, error) {
	record, err := c.Store.Get(ctx, c.key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	c.stored = record
	if err == nil {
		return c.ofSubject(ctx, record)
	}
	// Why something that is there counts as nothing comes behind a colon.
	_, why, _ := strings.Cut(err.Error(), store.ErrNotFound.Error())
	c.Explain("cache: miss in the %s store%s", c.Store.Name(), why)
	if e, ok := errors.AsType[*store.UnopenedError](err); ok && !c.warned {
		c.warned = true
		c.warn("what is stored for profile %s counts as none, and a new token takes its place: %s", c.Profile, e.Problem)
	}
	return nil, nil
}

// ofSubject returns a record if it is of the subject that is asked for, else none.
func (c *cache) ofSubject(ctx context.Context, r *store.Record) (*store.Record, error) {
	if err := c.identify(ctx); err != nil {
		c.stored = nil
		return nil, err
	}
	if r.Subject == c.subject {
		return r, nil
	}
	c.Explain("cache: miss in the %s store: what is there was given for another token", c.Store.Name())
	c.stored = nil
	return nil, nil
}

// identify finds out which subject is asked for.
func (c *call) identify(ctx context.Context) (err error) {
	if c.Subject != nil && c.subject == "" {
		c.subject, err = c.Subject(ctx)
	}
	return err
}

// write stores a record, or removes what is stored if the record is of no use: the token
// that it replaces may have been revoked, which is why one asks for another.
func (c *cache) write(ctx context.Context, r *store.Record) error {
	// The token is issued: an interrupt must not lose it between here and there.
	ctx = context.WithoutCancel(ctx)
	if !storable(r.Token) {
		return c.Store.Delete(ctx, c.key)
	}
	if err := c.Store.Put(ctx, r); err != nil {
		return err
	}
	c.Explain("store: written to %s", c.Store.Name())
	return nil
}

// storable reports whether a token can be served or refreshed later. Without a
// lifetime (RFC 6749 §5.1 only recommends expires_in) it is never served.
func storable(t oauth.Token) bool { return t.Lifetime > 0 || !t.RefreshToken.IsZero() }

// record is a token with what it was issued for.
func (c *call) record(token oauth.Token) *store.Record {
	return &store.Record{Key: c.key, Label: c.Label, Token: token, Subject: c.subject}
}

// Stored returns what is cached for a client, expired or not; store.ErrNotFound
// when nothing is.
func (b *Broker) Stored(ctx context.Context, r Request) (*store.Record, error) {
	c := b.begin(r)
	record, err := b.Store.Get(ctx, c.key)
	if err != nil {
		return nil, err
	}
	if record, err = (&cache{call: c}).ofSubject(ctx, record); record == nil && err == nil {
		err = store.ErrNotFound
	}
	return record, err
}

// Keep stores a token that was got in another way than by Token: by a login. It
// replaces what was there and clears the failure of an earlier fetch. What has neither
// a lifetime nor a refresh token cannot be kept: that is a *providers.Failure of
// ReasonProtocol. The other errors are those of Store.Put and Store.Lock.
func (b *Broker) Keep(ctx context.Context, r Request, token oauth.Token) error {
	if !storable(token) {
		return &providers.Failure{
			Reason:  providers.ReasonProtocol,
			Message: "the service gave a token without a lifetime (" + token.LifetimeProblem + ") and no refresh token",
		}
	}
	c := b.begin(r)
	lock, err := c.orNone(c.Store.Lock(ctx, c.key))
	if err != nil {
		return err
	}
	defer func() { _ = lock.Unlock() }()
	if err := b.Store.Put(ctx, c.record(token)); err != nil {
		return err
	}
	_ = lock.Leave(store.Note{})
	return nil
}

// Forget removes what is cached for a client, whoever the subject. It waits for a fetch under way, so
// that this does not bring the token back; a lock that cannot be had is no reason to
// keep a token.
func (b *Broker) Forget(ctx context.Context, r Request) error {
	key := b.begin(r).key
	lock, err := b.Store.Lock(ctx, key)
	if err == nil {
		defer func() { _ = lock.Unlock() }()
	} else if locked, ok := errors.AsType[*store.LockError](err); ok && locked.Busy {
		return err
	}
	return b.Store.Delete(ctx, key)
}
