// Package storetest holds every store to what store.Store promises: for tests only.
package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/tokenkey"
	"github.com/google/go-cmp/cmp"
)

// Contract is what a store is held to.
type Contract struct {
	// New returns a store that is empty and shares nothing with what it returned before but, perhaps, the keyring.
	New func(t *testing.T) store.Store
	// AccessOnly says that the store keeps of a token what many may use at once, for as long as it lives: no refresh
	// token, no ID token and no session, and a token whose life nobody knows not at all. Its clock is Clock's then.
	AccessOnly bool
}

// Run runs the suite.
func (c Contract) Run(t *testing.T) {
	t.Run("round trip", c.testRoundTrip)
	for name, test := range map[string]func(*testing.T, store.Store){
		"empty": testEmpty, "the caller's own": c.testCallersOwn, "keys": testKeys, "replace": c.testReplace,
		"delete": testDelete, "uncacheable": testUncacheable, "list": c.testList, "concurrent": testConcurrent,
		"lock excludes": testLockExcludes, "lock busy": testLockBusy, "wait": testWait, "notes": testNotes,
	} {
		t.Run(name, func(t *testing.T) { test(t, c.New(t)) })
	}
}

// kept is what the store gives back of a record.
func (c Contract) kept(r *store.Record) *store.Record {
	kept := *r
	if c.AccessOnly {
		kept.Token.RefreshToken, kept.Token.IDToken, kept.Token.SessionID = secret.Secret{}, secret.Secret{}, ""
	}
	return &kept
}

func testEmpty(t *testing.T, s store.Store) {
	wantNone(t, s, Record(t).Key)
	if err := s.Delete(t.Context(), Record(t).Key); err != nil {
		t.Errorf("deleting nothing: %v", err)
	}
	list, err := s.List(t.Context())
	if err != nil || len(list) != 0 {
		t.Errorf("List() = %v, %v, want nothing", list, err)
	}
}

func (c Contract) testRoundTrip(t *testing.T) {
	for name, change := range map[string]func(*store.Record){
		"full":             func(*store.Record) {},
		"no refresh token": func(r *store.Record) { r.Token.RefreshToken = secret.Secret{} },
		"no lifetime":      func(r *store.Record) { r.Token.Lifetime = 0 },
		"of a login":       func(r *store.Record) { r.Token.IDToken, r.Token.SessionID = secret.New("fake-id-token"), "sid" },
		"scope not said":   func(r *store.Record) { r.Token.Scope = nil },
		"no scope granted": func(r *store.Record) { r.Token.Scope = []string{} },
		"no scope asked":   func(r *store.Record) { r.Key.Scopes = nil },
		"20 KB":            func(r *store.Record) { r.Token.AccessToken = secret.New(strings.Repeat("x", 20_000)) },
		"not ASCII":        func(r *store.Record) { r.Key.User, r.Profile = "Jané \"ö\"\n", "naïve" },
	} {
		t.Run(name, func(t *testing.T) {
			s, want := c.New(t), Record(t)
			change(want)
			if c.AccessOnly && want.Token.Lifetime == 0 {
				if err := s.Put(t.Context(), want); !errors.Is(err, store.ErrUncacheable) {
					t.Errorf("Put() = %v, want ErrUncacheable", err)
				}
				return
			}
			mustPut(t, s, want)
			if diff := cmp.Diff(c.kept(want), mustGet(t, s, want.Key), sameSecrets()); diff != "" {
				t.Errorf("what came back differs (-put +got):\n%s", diff)
			}
		})
	}
}

func (c Contract) testCallersOwn(t *testing.T, s store.Store) {
	r, want := Record(t), c.kept(Record(t))
	r.Token.LifetimeProblem = "not said"
	r.Token.RequestedAt = r.Token.RequestedAt.Add(999 * time.Microsecond)
	r.Token.Lifetime += 999 * time.Microsecond
	mustPut(t, s, r)
	r.Token.Scope[0], r.Key.Scopes[0], r.Profile = "changed", "changed", "changed"
	first := mustGet(t, s, want.Key)
	if diff := cmp.Diff(want, first, sameSecrets()); diff != "" {
		t.Errorf("the stored record has what it should not (-want +got):\n%s", diff)
	}
	first.Token.Scope[0] = "changed"
	if diff := cmp.Diff(want, mustGet(t, s, want.Key), sameSecrets()); diff != "" {
		t.Errorf("changing what Get returned changed the store (-want +got):\n%s", diff)
	}
}

func testKeys(t *testing.T, s store.Store) {
	r := Record(t)
	mustPut(t, s, r)
	reordered := Record(t).Key
	reordered.Scopes = []string{"a:write", "b:read", "a:write"}
	mustGet(t, s, reordered)
	for name, change := range map[string]func(*tokenkey.Key){
		"provider":    func(k *tokenkey.Key) { k.Provider += "x" },
		"token URL":   func(k *tokenkey.Key) { k.TokenURL += "x" },
		"account":     func(k *tokenkey.Key) { k.Account += "x" },
		"client id":   func(k *tokenkey.Key) { k.ClientID += "x" },
		"grant":       func(k *tokenkey.Key) { k.Grant += "x" },
		"user":        func(k *tokenkey.Key) { k.User += "x" },
		"audience":    func(k *tokenkey.Key) { k.Audience = "" },
		"auth method": func(k *tokenkey.Key) { k.AuthMethod += "x" },
		"scopes":      func(k *tokenkey.Key) { k.Scopes = k.Scopes[:1] },
	} {
		t.Run(name, func(t *testing.T) {
			other := r.Key
			change(&other)
			wantNone(t, s, other)
		})
	}
}

func (c Contract) testReplace(t *testing.T, s store.Store) {
	for i, token := range []string{"fake-1", strings.Repeat("fake-2", 4000), "fake-3", strings.Repeat("fake-4", 4000)} {
		r := Record(t)
		r.Token.AccessToken = secret.New(token)
		r.Token.RequestedAt = r.Token.RequestedAt.Add(time.Duration(i) * time.Second)
		mustPut(t, s, r)
		if diff := cmp.Diff(c.kept(r), mustGet(t, s, r.Key), sameSecrets()); diff != "" {
			t.Errorf("after write %d (-put +got):\n%s", i+1, diff)
		}
	}
}

func testDelete(t *testing.T, s store.Store) {
	kept, gone := Record(t), Record(t)
	gone.Key.ClientID += "/gone"
	gone.Token.AccessToken = secret.New(strings.Repeat("x", 20_000))
	mustPut(t, s, kept)
	mustPut(t, s, gone)
	for range 2 {
		if err := s.Delete(t.Context(), gone.Key); err != nil {
			t.Fatal(err)
		}
		wantNone(t, s, gone.Key)
	}
	mustGet(t, s, kept.Key)
}

func testUncacheable(t *testing.T, s store.Store) {
	name := s.Name()
	good := Record(t)
	mustPut(t, s, good)
	for name, change := range map[string]func(*store.Record){
		"no token":           func(r *store.Record) { r.Token.AccessToken = secret.Secret{} },
		"of no use":          func(r *store.Record) { r.Token.Lifetime, r.Token.RefreshToken = 0, secret.Secret{} },
		"negative lifetime":  func(r *store.Record) { r.Token.Lifetime = -time.Second },
		"absurd lifetime":    func(r *store.Record) { r.Token.Lifetime = 1 << 62 },
		"no time":            func(r *store.Record) { r.Token.RequestedAt = time.Time{} },
		"line break":         func(r *store.Record) { r.Token.AccessToken = secret.New("fake\r\nX-Evil: 1") },
		"refresh line break": func(r *store.Record) { r.Token.RefreshToken = secret.New("fake\n") },
		"key not UTF-8":      func(r *store.Record) { r.Key.User = "\xff" },
		"too big":            func(r *store.Record) { r.Token.AccessToken = secret.New(strings.Repeat("x", 1<<20)) },
	} {
		r := Record(t)
		change(r)
		err := s.Put(t.Context(), r)
		if !errors.Is(err, store.ErrUncacheable) {
			t.Errorf("%s: Put() = %v, want store.ErrUncacheable", name, err)
		} else if strings.Contains(err.Error(), "fake") {
			t.Errorf("%s: the error shows the token: %v", name, err)
		}
	}
	mustGet(t, s, good.Key)
	if s.Name() != name {
		t.Errorf("an uncacheable record changed the store from %s to %s", name, s.Name())
	}
}

func (c Contract) testList(t *testing.T, s store.Store) {
	records := []*store.Record{Record(t), Record(t), Record(t)}
	var want []store.Entry
	for i, r := range records {
		r.Profile, r.Key.User = []string{"alpha", "beta", "beta"}[i], fmt.Sprint("user", i)
		if i == 0 {
			r.Token.RefreshToken, r.Token.Scope = secret.Secret{}, nil
		}
		want = append(want, store.Entry{
			Key: r.Key, Label: r.Label, Scope: r.Token.Scope, IssuedAt: r.Token.RequestedAt,
			Expiry: r.Token.RequestedAt.Add(5 * time.Minute), Refreshable: i != 0 && !c.AccessOnly, Store: s.Name(),
		})
	}
	for _, r := range slices.Backward(records) {
		mustPut(t, s, r)
	}
	got, err := s.List(t.Context())
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("List(): %v (-want +got):\n%s", err, diff)
	}
	if err := s.Delete(t.Context(), want[1].Key); err != nil {
		t.Fatal(err)
	}
	got, err = s.List(t.Context())
	if diff := cmp.Diff([]store.Entry{want[0], want[2]}, got); err != nil || diff != "" {
		t.Errorf("List() after Delete: %v (-want +got):\n%s", err, diff)
	}
}

func testConcurrent(t *testing.T, s store.Store) {
	var group sync.WaitGroup
	tokens := make([]secret.Secret, 8)
	for i := range tokens {
		tokens[i] = secret.New(fmt.Sprint("fake-", i))
	}
	for _, token := range tokens {
		group.Go(func() {
			r := Record(t)
			r.Token.AccessToken = token
			l, err := s.Lock(t.Context(), r.Key)
			if err != nil {
				t.Errorf("Lock: %v", err)
				return
			}
			if err := errors.Join(s.Put(t.Context(), r), l.Unlock()); err != nil {
				t.Errorf("Put: %v", err)
			}
			got, err := s.Get(t.Context(), r.Key)
			// The store may be between the two steps of somebody else's write.
			if errors.Is(err, store.ErrNotFound) {
				return
			}
			if err != nil || !slices.ContainsFunc(tokens, got.Token.AccessToken.Equal) {
				t.Errorf("Get: %v", err)
			}
		})
	}
	group.Wait()
	mustPut(t, s, Record(t))
	mustGet(t, s, Record(t).Key)
}

func mustPut(t *testing.T, s store.Store, r *store.Record) {
	t.Helper()
	if err := s.Put(t.Context(), r); err != nil {
		t.Fatalf("Put: %v", err)
	}
}

func mustGet(t *testing.T, s store.Store, key tokenkey.Key) *store.Record {
	t.Helper()
	r, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	return r
}

func wantNone(t *testing.T, s store.Store, key tokenkey.Key) {
	t.Helper()
	if r, err := s.Get(t.Context(), key); !errors.Is(err, store.ErrNotFound) || r != nil {
		t.Errorf("Get() = %v, %v, want store.ErrNotFound", r, err)
	}
}
