package store

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/tokenkey"
)

// newAuto is a chain of a keyring, a second one in the place of the kernel's, and memory.
func newAuto(t *testing.T, first, second *fakeKeyring) *Auto {
	t.Helper()
	return &Auto{Stores: []Store{newKeyring(t, first), newKeyring(t, second), &Memory{}}}
}

// errUnreachable is what a backend without a keyring behind it says.
func errUnreachable() error { return unusable(Unreachable, errors.New("there is none")) }

func noKeyring() *fakeKeyring { return &fakeKeyring{fail: errUnreachable()} }

func TestAuto(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ first, second func() *fakeKeyring }{
		"first":  {func() *fakeKeyring { return &fakeKeyring{} }, noKeyring},
		"second": {noKeyring, func() *fakeKeyring { return &fakeKeyring{} }},
		"last":   {noKeyring, noKeyring},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			contract(t, func(t *testing.T) Store {
				a := newAuto(t, test.first(), test.second())
				if _, err := a.Get(t.Context(), tokenkey.Key{}); !errors.Is(err, ErrNotFound) {
					t.Fatal(err)
				}
				a.Passed = func(why error, _ Store) { t.Errorf("passed over: %v", why) }
				return a
			})
		})
	}
}

func TestAutoMovesOn(t *testing.T) {
	t.Parallel()
	r := testRecord(t)
	uses := map[string]func(Store) error{
		"get":  func(s Store) error { _, err := s.Get(t.Context(), r.Key); return err },
		"put":  func(s Store) error { return s.Put(t.Context(), r) },
		"list": func(s Store) error { _, err := s.List(t.Context()); return err },
	}
	for name, test := range map[string]struct {
		second *fakeKeyring
		want   string
	}{
		"to the second": {&fakeKeyring{}, "keyring"},
		"to the last":   {noKeyring(), "keyring memory"},
	} {
		for doing, use := range uses {
			t.Run(doing+" "+name, func(t *testing.T) {
				t.Parallel()
				first, second := noKeyring(), &fakeKeyring{fail: test.second.fail}
				a := newAuto(t, first, second)
				for _, s := range a.Stores[:2] {
					if k, ok := s.(*Keyring); !ok || k.index().add(r.Key.Digest()) != nil {
						t.Fatal("a keyring has no index")
					}
				}
				var heard []string
				a.Passed = func(why error, next Store) {
					wantProblem(t, why, Unreachable)
					heard = append(heard, next.Name())
				}
				if a.InUse() != a.Stores[0] || a.Lost() != nil || a.Closed() != nil {
					t.Errorf("at first %s is in use, lost %v, closed %v", a.Name(), a.Lost(), a.Closed())
				}
				if err := use(a); err != nil && !errors.Is(err, ErrNotFound) {
					t.Errorf("the first call fails: %v", err)
				}
				// It stays where it is even when the first comes back.
				first.fail = nil
				mustPut(t, a, r)
				mustGet(t, a, r.Key)
				if err := a.Delete(t.Context(), r.Key); err != nil {
					t.Errorf("Delete() = %v", err)
				}
				if got := strings.Join(heard, " "); got != test.want || len(first.entries) != 0 {
					t.Errorf("it moved to %q, want %q; the first has %v", got, test.want, first.entries)
				}
				if lost := a.Lost(); (lost != nil) != (a.Name() == "memory") || a.Closed() != nil {
					t.Errorf("in %s lost is %v, closed %v", a.Name(), lost, a.Closed())
				}
			})
		}
	}
}

// What is wrong with each store is said, the first one's with all there is to say.
func TestAutoLost(t *testing.T) {
	t.Parallel()
	a := newAuto(t, &fakeKeyring{fail: errors.New("no")}, noKeyring())
	wantNone(t, a, testRecord(t).Key)
	lost := a.Lost()
	wantProblem(t, lost, Refused)
	want := "; nor can the keyring store be: there is none"
	if !strings.HasPrefix(lost.Error(), "reading the token in the keyring store: refused: ") ||
		!strings.HasSuffix(lost.Error(), want) {
		t.Errorf("Lost() = %q, want the first store's problem, then %q", lost, want)
	}
}

// A service that cannot be reached gives everyone who asks the same error: each store's calls complete
// their own copy.
func TestFailedLeavesTheErrorAlone(t *testing.T) {
	t.Parallel()
	shared := errUnreachable()
	first, second := failed("first", ReadingToken, "", shared), failed("second", RemovingToken, "", shared)
	for i, err := range []error{first, second, shared} {
		e := wantProblem(t, err, Unreachable)
		if got, want := [2]string{e.Store, e.Doing}, [][2]string{
			{"first", ReadingToken}, {"second", RemovingToken}, {},
		}[i]; got != want {
			t.Errorf("error %d is of the store and doing %q, want %q", i, got, want)
		}
	}
}

func TestAutoWithoutHearer(t *testing.T) {
	t.Parallel()
	a := newAuto(t, &fakeKeyring{fail: errors.New("no")}, noKeyring())
	mustPut(t, a, testRecord(t))
	mustGet(t, a, testRecord(t).Key)
}

// A token that may still be in the keyring is not reported as forgotten.
func TestAutoDeleteInLockedKeyring(t *testing.T) {
	t.Parallel()
	r := testRecord(t)
	locked := &fakeKeyring{}
	a := newAuto(t, locked, &fakeKeyring{})
	mustPut(t, a, r)
	locked.dismiss = true
	for range 2 {
		wantProblem(t, a.Delete(t.Context(), r.Key), Locked)
	}
	wantProblem(t, a.Closed(), Locked)
	if a.Lost() != nil {
		t.Errorf("Lost() = %v, want nothing: the second store keeps tokens", a.Lost())
	}
}

// A store that stays passes over what is not there, and nothing else.
func TestAutoStays(t *testing.T) {
	t.Parallel()
	r := testRecord(t)
	locked := &fakeKeyring{}
	a := newAuto(t, locked, &fakeKeyring{})
	a.Stay = true
	a.Passed = func(why error, _ Store) { t.Errorf("passed over: %v", why) }
	mustPut(t, a, r)
	locked.fail = errors.New("no")
	for range 2 {
		_, err := a.Get(t.Context(), r.Key)
		wantProblem(t, err, Refused)
		wantProblem(t, a.Put(t.Context(), r), Refused)
	}
	b := newAuto(t, noKeyring(), &fakeKeyring{})
	b.Stay = true
	mustPut(t, b, r)
	if b.InUse() != b.Stores[1] {
		t.Errorf("%s is in use, want the second store", b.Name())
	}
}

func TestAutoGivenUp(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	hang := make(chan struct{})
	a := newAuto(t, &fakeKeyring{before: func() { cancel(); <-hang }}, noKeyring())
	a.Passed = func(why error, _ Store) { t.Errorf("passed over: %v", why) }
	if _, err := a.Get(ctx, testRecord(t).Key); !errors.Is(err, context.Canceled) {
		t.Errorf("Get() = %v, want that the caller gave up", err)
	}
	close(hang)
	if a.InUse() != a.Stores[0] {
		t.Error("a caller who gave up made the store move on")
	}
}

// TestAutoLater: a record that went into a later store is found there, and goes when a newer one is written before it
// or the token is forgotten.
func TestAutoLater(t *testing.T) {
	t.Parallel()
	for doing, use := range map[string]func(*Auto, *Record) error{
		"put":    func(a *Auto, r *Record) error { return a.Put(t.Context(), r) },
		"delete": func(a *Auto, r *Record) error { return a.Delete(t.Context(), r.Key) },
	} {
		t.Run(doing, func(t *testing.T) {
			t.Parallel()
			a, r := newAuto(t, &fakeKeyring{}, &fakeKeyring{}), testRecord(t)
			mustPut(t, a.Stores[1], r)
			mustGet(t, a, r.Key)
			if list, err := a.List(t.Context()); err != nil || len(list) != 1 {
				t.Errorf("List() = %v, %v, want the one record", list, err)
			}
			if err := use(a, r); err != nil {
				t.Fatal(err)
			}
			wantNone(t, a.Stores[1], r.Key)
		})
	}
}

// TestAutoStaysWhereItRead: what is refreshed is not written beside the record whose refresh token is spent.
func TestAutoStaysWhereItRead(t *testing.T) {
	t.Parallel()
	first := &fakeKeyring{}
	a, r := newAuto(t, first, &fakeKeyring{}), testRecord(t)
	a.Stay = true
	mustPut(t, a, r)
	mustGet(t, a, r.Key)
	first.fail = errUnreachable()
	if err := a.Put(t.Context(), r); err == nil || a.InUse() != a.Stores[0] {
		t.Errorf("Put() = %v in the store %v", err, a.causes())
	}
	wantNone(t, a.Stores[1], r.Key)
}

// TestAutoStaysNotWhereNothingWas: what the kernel's store has given may be written there again.
func TestAutoStaysNotWhereNothingWas(t *testing.T) {
	t.Parallel()
	first := &fakeKeyring{}
	a, r := newAuto(t, first, &fakeKeyring{}), testRecord(t)
	a.Stay = true
	mustPut(t, a.Stores[1], r)
	mustGet(t, a, r.Key)
	first.fail = errUnreachable()
	mustPut(t, a, r)
	mustGet(t, a.Stores[1], r.Key)
}
