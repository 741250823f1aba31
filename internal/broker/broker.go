// Package broker holds the policy of a token: served from the store while it is
// fresh, else refreshed or issued by one process for all that wait, then stored.
// It knows no command line and prints nothing.
package broker

import (
	"context"
	"fmt"
	"time"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/store"
)

// Source says how a token was come by.
type Source string

// The sources, as `token get -o json` prints them.
const (
	SourceCache     Source = "cache"
	SourceRefreshed Source = "refreshed"
	SourceIssued    Source = "issued"
)

// Broker gets tokens. The zero value lacks only a Store.
type Broker struct {
	// Store keeps the tokens and gives the lock to fetch one under.
	Store store.Store
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Warn is told, in one line each, what a person should know although the
	// token was had; nil means nobody is.
	Warn func(message string)
	// Explain is told each decision and its reason; nil means nobody is.
	Explain func(format string, args ...any)
}

// Request asks for a token of one configured client.
type Request struct {
	// Profile names the client for listings and messages; Account and Environment tell
	// listings more of it, and may be empty.
	Profile              string
	Account, Environment string

	Provider providers.Provider
	// MinTTL is how much life a token must have left to be served from the
	// store; nil means min(60 s, a fifth of its lifetime).
	MinTTL *time.Duration
	// ForceRefresh passes over what is stored, unless another process fetched it
	// after this request began.
	ForceRefresh bool
	// NoCache neither reads nor writes the store and takes no lock.
	NoCache bool
	// Timeout bounds the look into the store, and then the wait for the lock and
	// the service together; 0 means no bound but the context's.
	Timeout time.Duration
	// Watch is called before anything that takes time, and returns the context for
	// it: one that a signal ends, for instance. A token from the store does not
	// need it. Nil means that the context stays.
	Watch func(context.Context) context.Context
	// Ask fetches the secrets that need a person. It is called before the lock
	// is taken, so that nobody waits for somebody's typing, and typing does not
	// count against Timeout. Nil means none do.
	Ask func(context.Context) error
	// Tag returns secret.Secret.Tag over the credentials of the client, so that a
	// refusal is shared only with those who would have asked with the same ones.
	// Nil means that refusals are shared with all who waited.
	Tag func(ctx context.Context, salt string) (string, error)
	// Asks returns a tag of everything else that the request is made of and the way it
	// takes: every setting, the proxy, the certificates that are trusted. It fetches
	// nothing. Nil means that there is nothing else.
	Asks func(salt string) string
}

// Answer is a token and where it came from.
type Answer struct {
	Token  oauth.Token
	Source Source
	// Missing are the scopes that were asked for and are not granted. A reply without
	// scope means as asked (RFC 6749 §5.1).
	Missing []string
	// Lost are the scopes of the stored token that this one has just taken the place
	// of, and has not.
	Lost []string
}

// Token returns a token that is fresh enough, asking the service only when it
// must. Errors are a *providers.Failure, a *providers.SettingError, a
// *store.UnusableError, a *store.LockError, or what Ask returned.
func (b *Broker) Token(ctx context.Context, r Request) (Answer, error) {
	f := &fetch{Broker: b, Request: r, key: r.Provider.Key(), began: b.now()}
	answer, err := f.answer(ctx)
	if err != nil {
		return Answer{}, err
	}
	return f.complete(answer), nil
}

// answer serves the request.
func (f *fetch) answer(ctx context.Context) (Answer, error) {
	if f.NoCache {
		f.explain("cache: not used (--no-cache)")
		return f.issueAlone(f.watched(ctx))
	}
	if f.ForceRefresh {
		return f.afterAsking(f.watched(ctx))
	}
	if answer, err := f.first(ctx); answer != nil || err != nil {
		return value(answer), err
	}
	return f.afterAsking(f.watched(ctx))
}

// fetch is one Request under way.
type fetch struct {
	*Broker
	Request
	key   oauth.Key
	began time.Time
	// held is the key's lock while this fetch has it; unlocked{} when there is none
	// to be had.
	held store.Lock
	// before is the note that was there when the lock was taken.
	before store.Note
	// stored is the record last read, nil when there is none.
	stored *store.Record
	// spent says that the store holds a refresh token that has been sent: until it is
	// out of the store, the note that says so stays.
	spent bool
	// told says that a warning was given of a record that cannot be opened.
	told bool
}

// fromStore reads the store and returns what is fresh in it, nil when nothing is.
func (f *fetch) fromStore(ctx context.Context) (*Answer, error) {
	record, err := f.read(ctx)
	if err != nil || record == nil {
		return nil, err
	}
	if ok, why := f.usable(record.Token); !ok {
		f.explain("cache: passed over, %s", why)
		return nil, nil
	}
	f.explain("cache: hit in the %s store", f.Store.Name())
	return &Answer{Token: record.Token, Source: SourceCache}, nil
}

// first looks into the store, with the lock where that is free and without where
// it is not. With the lock, what the store lacks can be asked for at once, and a
// token that is fetched costs one look and not two. Both results nil mean that the
// person or the lock has to be waited for.
func (f *fetch) first(ctx context.Context) (*Answer, error) {
	looking, cancel := f.bounded(ctx)
	defer cancel()
	lock := f.freeLock()
	answer, err := f.fromStore(looking)
	if answer == nil && err == nil && lock != nil && f.Ask == nil {
		fetching, cancel := f.bounded(f.watched(ctx))
		defer cancel()
		fetched, err := f.fetchUnder(fetching, lock)
		return &fetched, err
	}
	if lock != nil {
		_ = lock.Unlock()
	}
	return answer, err
}

func (f *fetch) watched(ctx context.Context) context.Context {
	if f.Watch == nil {
		return ctx
	}
	return f.Watch(ctx)
}

// bounded returns ctx with the time that a phase of the request may take.
func (f *fetch) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if f.Timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, f.Timeout)
}

// afterAsking asks the person, where one has to be, and then waits for the lock.
func (f *fetch) afterAsking(ctx context.Context) (Answer, error) {
	if err := f.ask(ctx); err != nil {
		return Answer{}, err
	}
	ctx, cancel := f.bounded(ctx)
	defer cancel()
	lock, err := f.lock(ctx)
	if err != nil {
		return Answer{}, err
	}
	if !lock.Waited() {
		return f.lookUnder(ctx, lock)
	}
	// Fifty who waited look side by side, without the lock, and take it again only
	// when there was nothing to see.
	note := lock.Note()
	_ = lock.Unlock()
	if answer, err := f.fromStore(ctx); answer != nil || err != nil {
		return value(answer), err
	}
	if failure := f.shared(ctx, note); failure != nil {
		return Answer{}, failure
	}
	if lock, err = f.lock(ctx); err != nil {
		return Answer{}, err
	}
	return f.lookUnder(ctx, lock)
}

// lookUnder looks again under the lock and only then asks the service.
func (f *fetch) lookUnder(ctx context.Context, lock store.Lock) (Answer, error) {
	if answer, err := f.fromStore(ctx); answer != nil || err != nil {
		_ = lock.Unlock()
		return value(answer), err
	}
	return f.fetchUnder(ctx, lock)
}

// fetchUnder asks the service unless the last who did was refused for all, leaves
// what it learns for those who wait, and unlocks.
func (f *fetch) fetchUnder(ctx context.Context, lock store.Lock) (Answer, error) {
	defer func() { _ = lock.Unlock() }()
	f.held, f.before = lock, lock.Note()
	if failure := f.shared(ctx, f.before); failure != nil {
		return Answer{}, failure
	}
	if err := f.recover(ctx); err != nil {
		return Answer{}, err
	}
	answer, err := f.obtain(ctx)
	if err != nil {
		f.share(ctx, err)
		return Answer{}, err
	}
	if answer.Source != SourceCache {
		answer.Lost = f.lost(answer.Token)
	}
	f.keep(ctx, answer.Token)
	return answer, nil
}

// issueAlone asks the service with neither store nor lock.
func (f *fetch) issueAlone(ctx context.Context) (Answer, error) {
	if err := f.ask(ctx); err != nil {
		return Answer{}, err
	}
	ctx, cancel := f.bounded(ctx)
	defer cancel()
	token, err := f.issue(ctx)
	if err != nil {
		return Answer{}, err
	}
	return Answer{Token: token, Source: SourceIssued}, nil
}

func (f *fetch) ask(ctx context.Context) error {
	if f.Ask == nil {
		return nil
	}
	return f.Ask(ctx)
}

func (b *Broker) now() time.Time {
	if b.Now == nil {
		return time.Now()
	}
	return b.Now()
}

func (b *Broker) warn(format string, args ...any) {
	if b.Warn != nil {
		b.Warn(fmt.Sprintf(format, args...))
	}
}

func (b *Broker) explain(format string, args ...any) {
	if b.Explain != nil {
		b.Explain(format, args...)
	}
}

func value(a *Answer) Answer {
	if a == nil {
		return Answer{}
	}
	return *a
}
