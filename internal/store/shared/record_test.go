package shared

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/redistest"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/store/storetest"
)

// do is a command of the tests' own.
func do(t *testing.T, e *redistest.Engine, command ...string) any {
	t.Helper()
	answer, err := e.Do(command...)
	if err != nil {
		t.Fatalf("%s: %v", command[0], err)
	}
	return answer
}

func namesOf(t *testing.T, s *Store, r *store.Record) (*vault, names) {
	t.Helper()
	v, n, err := s.named(t.Context(), r.Key)
	if err != nil {
		t.Fatal(err)
	}
	return v, n
}

func put(t *testing.T, s *Store, r *store.Record) {
	t.Helper()
	if err := s.Put(t.Context(), r); err != nil {
		t.Fatalf("Put: %v", err)
	}
}

func wantToken(t *testing.T, s *Store, want *store.Record) *store.Record {
	t.Helper()
	got, err := s.Get(t.Context(), want.Key)
	if err != nil || !got.Token.AccessToken.Equal(want.Token.AccessToken) {
		t.Fatalf("Get() = %v, %v, want the token that was put", got, err)
	}
	return got
}

func withToken(t *testing.T, token string, issued time.Duration) *store.Record {
	t.Helper()
	r := storetest.Record(t)
	r.Token.AccessToken, r.Token.RequestedAt = secret.New(token), r.Token.RequestedAt.Add(issued)
	return r
}

// TestForeignValues: what is not this key's record, put there by whoever can write to the engine, is a miss, which
// a token of ours replaces.
func TestForeignValues(t *testing.T) {
	t.Parallel()
	e := redistest.Start(t, redistest.Options{})
	// sealed is what anybody can make who knows the public half alone.
	sealed := func(s *Store, plain []byte) string {
		var text bytes.Buffer
		if err := store.Seal(&text, s.vault.identity.Recipient(), plain); err != nil {
			t.Fatal(err)
		}
		return text.String()
	}
	plain := func(r *store.Record) []byte {
		r.Token.RefreshToken = secret.Secret{}
		text, err := store.EncodeRecord(r)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	another := storetest.Record(t)
	another.Key.Account = "another"
	for name, value := range map[string]func(s *Store, n names, r *store.Record) string{
		"forged, without a mark": func(s *Store, _ names, r *store.Record) string { return sealed(s, plain(r)) },
		"forged, with a wrong mark": func(s *Store, _ names, r *store.Record) string {
			return sealed(s, append(bytes.Repeat([]byte{7}, 32), plain(r)...))
		},
		"sealed with another key": func(_ *Store, n names, r *store.Record) string {
			v, err := newVault(newKey(t))
			if err != nil {
				t.Fatal(err)
			}
			return must(v.seal(n.token, plain(r)))
		},
		"another key's record": func(s *Store, n names, _ *store.Record) string {
			return must(s.vault.seal(n.token, plain(another)))
		},
		"another key's value": func(s *Store, _ names, _ *store.Record) string {
			return must(s.vault.seal(s.vault.names(another.Key).token, plain(another)))
		},
		"a note": func(s *Store, n names, _ *store.Record) string {
			return must(s.vault.seal(n.note, []byte(`{"reason":"x"}`)))
		},
		"a later version": func(s *Store, n names, r *store.Record) string {
			return must(s.vault.seal(n.token, bytes.Replace(plain(r), []byte(`"v":1`), []byte(`"v":2`), 1)))
		},
		"garbage":   func(*Store, names, *store.Record) string { return "\x00garbage\xff" },
		"empty":     func(*Store, names, *store.Record) string { return "" },
		"truncated": func(s *Store, n names, r *store.Record) string { return must(s.vault.seal(n.token, plain(r)))[:150] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, r := newStore(t, newOptions(t, e.URL())), storetest.Record(t)
			_, n := namesOf(t, s, r)
			do(t, e, "SET", n.token, value(s, n, r))
			checkForeign(t, e, s, r)
		})
	}
	t.Run("no string", func(t *testing.T) {
		t.Parallel()
		s, r := newStore(t, newOptions(t, e.URL())), storetest.Record(t)
		_, n := namesOf(t, s, r)
		do(t, e, "RPUSH", n.token, "a", "b")
		checkForeign(t, e, s, r)
	})
}

func must(text string, err error) string {
	if err != nil {
		panic(err)
	}
	return text
}

func checkForeign(t *testing.T, e *redistest.Engine, s *Store, r *store.Record) {
	t.Helper()
	if got, err := s.Get(t.Context(), r.Key); got != nil || !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Get() = %v, %v, want a miss", got, err)
	}
	if list, err := s.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("List() = %v, %v, want nothing", list, err)
	}
	// Another machine has not seen what is there.
	o := s.options
	o.Now = storetest.Clock()
	put(t, newStore(t, o), r)
	wantToken(t, s, r)
	_, n := namesOf(t, s, r)
	if left, ok := do(t, e, "PTTL", n.token).(int64); !ok || left <= 0 {
		t.Errorf("what was put stays for %d ms", left)
	}
}

func TestUnopenedAreTold(t *testing.T) {
	t.Parallel()
	e := redistest.Start(t, redistest.Options{})
	o := newOptions(t, e.URL())
	told := 0
	o.Unopened = func(number int, why string) {
		told = number
		if !strings.Contains(why, "token") {
			t.Errorf("why: %s", why)
		}
	}
	s, r := newStore(t, o), storetest.Record(t)
	put(t, s, r)
	other := storetest.Record(t)
	other.Key.ClientID = "other"
	_, n := namesOf(t, s, other)
	do(t, e, "SET", n.token, "garbage")
	if list, err := s.List(t.Context()); err != nil || len(list) != 1 || told != 1 {
		t.Errorf("List() = %v, %v, and %d are told of that cannot be opened, want 1 and 1", list, err, told)
	}
}

// TestTimeToLive: what is kept goes with the token.
func TestTimeToLive(t *testing.T) {
	t.Parallel()
	e := redistest.Start(t, redistest.Options{})
	o := newOptions(t, e.URL())
	now := storetest.Record(t).Token.RequestedAt.Add(time.Minute)
	o.Now = func() time.Time { return now }
	s, r := newStore(t, o), storetest.Record(t)
	put(t, s, r)
	_, n := namesOf(t, s, r)
	// 5 minutes in all, of which one is over.
	if left, _ := do(t, e, "PTTL", n.token).(int64); left > 240_000 || left < 180_000 {
		t.Errorf("a token that lives 4 minutes more stays for %d ms", left)
	}
	now = now.Add(4 * time.Minute)
	err := s.Put(t.Context(), r)
	if !errors.Is(err, store.ErrUncacheable) {
		t.Errorf("Put() of a token that has expired = %v, want ErrUncacheable", err)
	}
	do(t, e, "PEXPIRE", n.token, "0")
	if got, err := s.Get(t.Context(), r.Key); got != nil || !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Get() = %v, %v, want none", got, err)
	}
	do(t, e, "SET", n.token, must(s.vault.seal(n.token, encoded(t, r))))
	if got := wantToken(t, s, r); !got.Token.Expiry().Equal(now) {
		t.Errorf("a record without an end on the engine expires at %s, want its own %s", got.Token.Expiry(), now)
	}
}

func encoded(t *testing.T, r *store.Record) []byte {
	t.Helper()
	kept := *r
	kept.Token.RefreshToken = secret.Secret{}
	plain, err := store.EncodeRecord(&kept)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// TestWithoutLifetime: only a refresh token makes such a token worth keeping, and that is not kept here.
func TestWithoutLifetime(t *testing.T) {
	t.Parallel()
	s, r := newStore(t, newOptions(t, redistest.Start(t, redistest.Options{}).URL())), storetest.Record(t)
	r.Token.Lifetime, r.Token.RefreshToken = 0, secret.New("fake-refresh")
	err := s.Put(t.Context(), r)
	if !errors.Is(err, store.ErrUncacheable) || !errors.Is(err, errNoLifetime) {
		t.Errorf("Put() = %v", err)
	}
}

// TestYoungerStays: who has stalled for long does not take a younger token away.
func TestYoungerStays(t *testing.T) {
	t.Parallel()
	e := redistest.Start(t, redistest.Options{})
	s := newStore(t, newOptions(t, e.URL()))
	older, younger := withToken(t, "fake-older", 0), withToken(t, "fake-younger", 10*time.Second)
	stalled := newStore(t, s.options)
	put(t, stalled, older)
	put(t, s, younger)
	put(t, stalled, older)
	wantToken(t, s, younger)
	wantToken(t, stalled, younger)
	put(t, newStore(t, s.options), older)
	wantToken(t, s, younger)
}

// TestClocksDiffer: of two machines whose clocks differ by ten minutes neither is given a token that has expired,
// and what one of them puts is not asked for again and again by the other.
func TestClocksDiffer(t *testing.T) {
	t.Parallel()
	e := redistest.Start(t, redistest.Options{})
	for _, differs := range []time.Duration{10 * time.Minute, -10 * time.Minute} {
		t.Run(differs.String(), func(t *testing.T) {
			t.Parallel()
			right := newStore(t, newOptions(t, e.URL()))
			right.pace.skew = usualPace().skew
			o := right.options
			ours := o.Now
			o.Now = func() time.Time { return ours().Add(differs) }
			wrong := newStore(t, o)
			wrong.pace.skew = usualPace().skew
			asks := map[*Store]int{}
			// fresh is what a broker does: it asks when there is nothing that lives for 10 seconds more.
			fresh := func(s *Store) {
				now := s.options.Now()
				r := withToken(t, fmt.Sprintf("fake-%d", now.UnixNano()), 0)
				got, err := s.Get(t.Context(), r.Key)
				if err == nil && got.Token.RequestedAt.After(now.Add(time.Second)) {
					t.Errorf("a token of %s, when it is %s", got.Token.RequestedAt, now)
				}
				if err == nil && got.Token.Expiry().After(now.Add(10*time.Second)) {
					return
				}
				asks[s]++
				r.Token.RequestedAt = now.Truncate(time.Millisecond)
				put(t, s, r)
			}
			for range 10 {
				fresh(wrong)
				fresh(right)
			}
			if asks[wrong] > 1 || asks[right] > 1 {
				t.Errorf("asked %d and %d times, want at most once each", asks[wrong], asks[right])
			}
			checkLife(t, e, right, wrong)
		})
	}
}

// checkLife: neither sees more life than the engine has left, which is what the token has.
func checkLife(t *testing.T, e *redistest.Engine, stores ...*Store) {
	t.Helper()
	for _, s := range stores {
		_, n := namesOf(t, s, storetest.Record(t))
		do(t, e, "PEXPIRE", n.token, "20000")
		got, err := s.Get(t.Context(), storetest.Record(t).Key)
		if err != nil {
			t.Fatal(err)
		}
		if left := got.Token.Expiry().Sub(s.options.Now()); left > 20*time.Second+s.pace.skew {
			t.Errorf("%s are left of 20 s", left)
		}
	}
}

// TestNothingIsTold: neither what the engine keeps nor what it is sent has a token, an account or a message in it.
func TestNothingIsTold(t *testing.T) {
	t.Parallel()
	e := redistest.Start(t, redistest.Options{})
	monitor, err := e.Monitor()
	if err != nil {
		t.Fatal(err)
	}
	defer monitor.Stop()
	o := newOptions(t, e.URL())
	s, r := newStore(t, o), storetest.Record(t)
	key, err := o.Key(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.Key.Account, r.Key.User, r.Profile = "canary-account", "canary-user", "canary-profile"
	r.Token.AccessToken, r.Token.RefreshToken = secret.New("canary-access"), secret.New("canary-refresh")
	l, err := s.Lock(t.Context(), r.Key)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Leave(store.Note{At: o.Now(), Reason: "canary-reason", Message: "canary-message"}); err != nil {
		t.Fatal(err)
	}
	put(t, s, r)
	wantToken(t, s, r)
	if err := l.Unlock(); err != nil {
		t.Fatal(err)
	}
	text, err := monitor.Text()
	memory, lacks := e.Memory()
	dump, undumped := e.Dump()
	if err = errors.Join(err, lacks, undumped); err != nil {
		t.Fatal(err)
	}
	_, n := namesOf(t, s, r)
	if !strings.Contains(text, n.token) || !bytes.Contains(memory, []byte(n.token)) || !bytes.Contains(dump, []byte(n.note)) {
		t.Fatal("what is looked into is not what the store has used")
	}
	for where, seen := range map[string]string{"MONITOR": text, "memory": string(memory), "dump": string(dump), "log": e.Log()} {
		for _, never := range []string{"canary", r.Key.Digest(), key.Reveal(), "AGE-SECRET-KEY"} {
			if strings.Contains(seen, never) {
				t.Errorf("%s has %s", where, never[:6])
			}
		}
	}
}
