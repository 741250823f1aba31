package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/tokenkey"
	"github.com/google/go-cmp/cmp"
)

// kernelChildEnv makes the test binary do what kernelChild can.
const kernelChildEnv = "AUTHCTL_TEST_KERNEL"

// TestMain also serves the child processes of the tests.
func TestMain(m *testing.M) {
	if dir := os.Getenv(holdLockEnv); dir != "" {
		os.Exit(holdLock(dir))
	}
	if does := os.Getenv(kernelChildEnv); does != "" {
		os.Exit(kernelChild(does))
	}
	os.Exit(m.Run())
}

// testRecord is a record with every field set, for a key that belongs to the test.
func testRecord(t *testing.T) *Record {
	t.Helper()
	return &Record{
		Key: tokenkey.Key{
			Provider: "pexip", TokenURL: "https://auth.example.com/realms/acme/token", Account: "acme",
			ClientID: t.Name(), Grant: "client_credentials", User: `acme\jane`, Audience: "api",
			AuthMethod: "client_secret_basic", Scopes: []string{"b:read", "a:write"},
		},
		Label: Label{Profile: "engage"},
		Token: oauth.Token{
			AccessToken:  secret.New("fake-access<&>token"),
			TokenType:    "bearer",
			RefreshToken: secret.New("fake refresh token"),
			Scope:        []string{"a:write"},
			RequestedAt:  time.Date(2026, 3, 4, 5, 6, 7, 8_000_000, time.UTC),
			Lifetime:     5 * time.Minute,
		},
	}
}

// sameSecrets compares secrets by value and shows none.
func sameSecrets() cmp.Option {
	return cmp.Comparer(func(a, b secret.Secret) bool { return a.Equal(b) })
}

// testStore is the contract of a Store. What newStore returns is empty and shares
// nothing with what it returned before but, perhaps, the keyring.
func testStore(t *testing.T, newStore func(t *testing.T) Store) {
	t.Run("empty", func(t *testing.T) { testEmpty(t, newStore(t)) })
	t.Run("round trip", func(t *testing.T) { testRoundTrip(t, newStore) })
	t.Run("the caller's own", func(t *testing.T) { testCallersOwn(t, newStore(t)) })
	t.Run("keys", func(t *testing.T) { testKeys(t, newStore(t)) })
	t.Run("replace", func(t *testing.T) { testReplace(t, newStore(t)) })
	t.Run("delete", func(t *testing.T) { testDelete(t, newStore(t)) })
	t.Run("uncacheable", func(t *testing.T) { testUncacheable(t, newStore(t)) })
	t.Run("list", func(t *testing.T) { testList(t, newStore(t)) })
	t.Run("concurrent", func(t *testing.T) { testConcurrent(t, newStore(t)) })
	t.Run("lock excludes", func(t *testing.T) { testLockExcludes(t, newStore(t)) })
	t.Run("lock busy", func(t *testing.T) { testLockBusy(t, newStore(t)) })
	t.Run("wait", func(t *testing.T) { testWait(t, newStore(t)) })
	t.Run("notes", func(t *testing.T) { testNotes(t, newStore(t)) })
}

func testEmpty(t *testing.T, s Store) {
	wantNone(t, s, testRecord(t).Key)
	if err := s.Delete(t.Context(), testRecord(t).Key); err != nil {
		t.Errorf("deleting nothing: %v", err)
	}
	list, err := s.List(t.Context())
	if err != nil || len(list) != 0 {
		t.Errorf("List() = %v, %v, want nothing", list, err)
	}
}

func testRoundTrip(t *testing.T, newStore func(t *testing.T) Store) {
	for name, change := range map[string]func(*Record){
		"full":             func(*Record) {},
		"no refresh token": func(r *Record) { r.Token.RefreshToken = secret.Secret{} },
		"no lifetime":      func(r *Record) { r.Token.Lifetime = 0 },
		"of a login":       func(r *Record) { r.Token.IDToken, r.Token.SessionID = secret.New("fake-id-token"), "sid" },
		"scope not said":   func(r *Record) { r.Token.Scope = nil },
		"no scope granted": func(r *Record) { r.Token.Scope = []string{} },
		"no scope asked":   func(r *Record) { r.Key.Scopes = nil },
		"20 KB":            func(r *Record) { r.Token.AccessToken = secret.New(strings.Repeat("x", 20_000)) },
		"not ASCII":        func(r *Record) { r.Key.User, r.Profile = "Jané \"ö\"\n", "naïve" },
	} {
		t.Run(name, func(t *testing.T) {
			s, want := newStore(t), testRecord(t)
			change(want)
			mustPut(t, s, want)
			if diff := cmp.Diff(want, mustGet(t, s, want.Key), sameSecrets()); diff != "" {
				t.Errorf("what came back differs (-put +got):\n%s", diff)
			}
		})
	}
}

func testCallersOwn(t *testing.T, s Store) {
	r, want := testRecord(t), testRecord(t)
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

func testKeys(t *testing.T, s Store) {
	r := testRecord(t)
	mustPut(t, s, r)
	reordered := testRecord(t).Key
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

func testReplace(t *testing.T, s Store) {
	for i, token := range []string{"fake-1", strings.Repeat("fake-2", 4000), "fake-3", strings.Repeat("fake-4", 4000)} {
		r := testRecord(t)
		r.Token.AccessToken = secret.New(token)
		r.Token.RequestedAt = r.Token.RequestedAt.Add(time.Duration(i) * time.Second)
		mustPut(t, s, r)
		if diff := cmp.Diff(r, mustGet(t, s, r.Key), sameSecrets()); diff != "" {
			t.Errorf("after write %d (-put +got):\n%s", i+1, diff)
		}
	}
}

func testDelete(t *testing.T, s Store) {
	kept, gone := testRecord(t), testRecord(t)
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

func testUncacheable(t *testing.T, s Store) {
	name := s.Name()
	good := testRecord(t)
	mustPut(t, s, good)
	for name, change := range map[string]func(*Record){
		"no token":           func(r *Record) { r.Token.AccessToken = secret.Secret{} },
		"of no use":          func(r *Record) { r.Token.Lifetime, r.Token.RefreshToken = 0, secret.Secret{} },
		"negative lifetime":  func(r *Record) { r.Token.Lifetime = -time.Second },
		"absurd lifetime":    func(r *Record) { r.Token.Lifetime = 1 << 62 },
		"no time":            func(r *Record) { r.Token.RequestedAt = time.Time{} },
		"line break":         func(r *Record) { r.Token.AccessToken = secret.New("fake\r\nX-Evil: 1") },
		"refresh line break": func(r *Record) { r.Token.RefreshToken = secret.New("fake\n") },
		"key not UTF-8":      func(r *Record) { r.Key.User = "\xff" },
		"too big":            func(r *Record) { r.Token.AccessToken = secret.New(strings.Repeat("x", 1<<20)) },
	} {
		r := testRecord(t)
		change(r)
		err := s.Put(t.Context(), r)
		if !errors.Is(err, ErrUncacheable) {
			t.Errorf("%s: Put() = %v, want ErrUncacheable", name, err)
		} else if strings.Contains(err.Error(), "fake") {
			t.Errorf("%s: the error shows the token: %v", name, err)
		}
	}
	mustGet(t, s, good.Key)
	if s.Name() != name {
		t.Errorf("an uncacheable record changed the store from %s to %s", name, s.Name())
	}
}

func testList(t *testing.T, s Store) {
	records := []*Record{testRecord(t), testRecord(t), testRecord(t)}
	var want []Entry
	for i, r := range records {
		r.Profile, r.Key.User = []string{"alpha", "beta", "beta"}[i], fmt.Sprint("user", i)
		if i == 0 {
			r.Token.RefreshToken, r.Token.Scope = secret.Secret{}, nil
		}
		want = append(want, Entry{
			Key: r.Key, Label: r.Label, Scope: r.Token.Scope, IssuedAt: r.Token.RequestedAt,
			Expiry: r.Token.RequestedAt.Add(5 * time.Minute), Refreshable: i != 0, Store: s.Name(),
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
	if diff := cmp.Diff([]Entry{want[0], want[2]}, got); err != nil || diff != "" {
		t.Errorf("List() after Delete: %v (-want +got):\n%s", err, diff)
	}
}

func testConcurrent(t *testing.T, s Store) {
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			r := testRecord(t)
			r.Token.AccessToken = secret.New(fmt.Sprint("fake-", i))
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
			if errors.Is(err, ErrNotFound) {
				return
			}
			if err != nil || !strings.HasPrefix(got.Token.AccessToken.Reveal(), "fake-") {
				t.Errorf("Get: %v", err)
			}
		})
	}
	group.Wait()
	mustPut(t, s, testRecord(t))
	mustGet(t, s, testRecord(t).Key)
}

func testLockExcludes(t *testing.T, s Store) {
	var inside atomic.Int32
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			l, err := s.Lock(t.Context(), testRecord(t).Key)
			if err != nil {
				t.Errorf("Lock: %v", err)
				return
			}
			if n := inside.Add(1); n != 1 {
				t.Errorf("%d hold the lock", n)
			}
			inside.Add(-1)
			if err := l.Unlock(); err != nil {
				t.Errorf("Unlock: %v", err)
			}
		})
	}
	group.Wait()
}

func testLockBusy(t *testing.T, s Store) {
	r := testRecord(t)
	held := mustLock(t, s, r.Key)
	if _, err := s.TryLock(t.Context(), r.Key); !isBusy(err) {
		t.Errorf("TryLock of a held lock = %v, want busy", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := s.Lock(ctx, r.Key)
	if e, ok := errors.AsType[*LockError](err); !ok || !e.Busy || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Lock of a held lock = %v, want busy", err)
	}
	if _, err := s.Wait(ctx, r.Key); !isBusy(err) {
		t.Errorf("Wait for a held lock = %v, want busy", err)
	}
	other := r.Key
	other.ClientID += "/other"
	mustUnlock(t, mustLock(t, s, other))
	mustUnlock(t, held)
	// The one who gave up must not keep what it gets too late.
	mustUnlock(t, mustLock(t, s, r.Key))
	free, err := s.TryLock(t.Context(), r.Key)
	if err != nil {
		t.Fatalf("TryLock of a free lock: %v", err)
	}
	mustUnlock(t, free)
}

func isBusy(err error) bool {
	e, ok := errors.AsType[*LockError](err)
	return ok && e.Busy
}

func testWait(t *testing.T, s Store) {
	key := testRecord(t).Key
	if note, err := s.Wait(t.Context(), key); err != nil || note != (Note{}) {
		t.Errorf("Wait for a free lock = %+v, %v", note, err)
	}
	held := mustLock(t, s, key)
	want := Note{At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Reason: "credentials", Message: "no"}
	if err := held.Leave(want); err != nil {
		t.Fatal(err)
	}
	heard := make(chan Note)
	for range 3 {
		go func() {
			note, err := s.Wait(t.Context(), key)
			if err != nil {
				t.Errorf("Wait: %v", err)
			}
			heard <- note
		}()
	}
	select {
	case <-heard:
		t.Error("Wait returned while the lock was held")
	case <-time.After(20 * time.Millisecond):
	}
	mustUnlock(t, held)
	for range 3 {
		if diff := cmp.Diff(want, <-heard); diff != "" {
			t.Errorf("the note of those who waited (-left +got):\n%s", diff)
		}
	}
	mustUnlock(t, mustLock(t, s, key))
}

func testNotes(t *testing.T, s Store) {
	key := testRecord(t).Key
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	for _, want := range []Note{
		{},
		{At: at, NotBefore: at.Add(time.Minute), Reason: "credentials", Message: "no", Hint: "look"},
		{At: at, Reason: "temporary", Message: "later"},
		{},
	} {
		l := mustLock(t, s, key)
		if err := l.Leave(want); err != nil {
			t.Fatal(err)
		}
		mustUnlock(t, l)
		l = mustLock(t, s, key)
		if diff := cmp.Diff(want, l.Note()); diff != "" {
			t.Errorf("the next holder's note (-left +got):\n%s", diff)
		}
		mustUnlock(t, l)
	}
}

func mustPut(t *testing.T, s Store, r *Record) {
	t.Helper()
	if err := s.Put(t.Context(), r); err != nil {
		t.Fatalf("Put: %v", err)
	}
}

func mustGet(t *testing.T, s Store, key tokenkey.Key) *Record {
	t.Helper()
	r, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	return r
}

func wantNone(t *testing.T, s Store, key tokenkey.Key) {
	t.Helper()
	if r, err := s.Get(t.Context(), key); !errors.Is(err, ErrNotFound) || r != nil {
		t.Errorf("Get() = %v, %v, want ErrNotFound", r, err)
	}
}

func mustLock(t *testing.T, s Store, key tokenkey.Key) Lock {
	t.Helper()
	l, err := s.Lock(t.Context(), key)
	if err != nil {
		t.Fatalf("Lock: %v", err)
	}
	return l
}

func mustUnlock(t *testing.T, l Lock) {
	t.Helper()
	if err := l.Unlock(); err != nil {
		t.Fatalf("Unlock: %v", err)
	}
}

// wantProblem checks that err is an *UnusableError of this problem, and returns it.
func wantProblem(t *testing.T, err error, want Problem) *UnusableError {
	t.Helper()
	e, ok := errors.AsType[*UnusableError](err)
	if !ok || e.Problem != want {
		t.Fatalf("error is %v, want the problem %q", err, want)
	}
	return e
}

func TestMemory(t *testing.T) {
	t.Parallel()
	testStore(t, func(*testing.T) Store { return &Memory{} })
}
