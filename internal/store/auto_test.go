package store

import (
	"context"
	"errors"
	"testing"

	"github.com/authctl/authctl/internal/oauth"
)

// errUnreachable is what a backend without a keyring behind it says.
func errUnreachable() error { return unusable(Unreachable, errors.New("there is none")) }

func TestAuto(t *testing.T) {
	t.Parallel()
	warn := func(err error) { t.Errorf("a warning: %v", err) }
	t.Run("keyring", func(t *testing.T) {
		t.Parallel()
		testStore(t, func(t *testing.T) Store {
			return &Auto{Primary: newKeyring(t, &fakeKeyring{}), Fallback: &Memory{}, Warn: warn}
		})
	})
	t.Run("fallen", func(t *testing.T) {
		t.Parallel()
		testStore(t, func(t *testing.T) Store {
			a := &Auto{Primary: newKeyring(t, &fakeKeyring{fail: errUnreachable()}), Fallback: &Memory{}}
			if _, err := a.Get(t.Context(), oauth.Key{}); !errors.Is(err, ErrNotFound) {
				t.Fatal(err)
			}
			return a
		})
	})
}

func TestAutoFalls(t *testing.T) {
	t.Parallel()
	r := testRecord(t)
	for name, first := range map[string]func(Store) error{
		"get":  func(s Store) error { _, err := s.Get(t.Context(), r.Key); return err },
		"put":  func(s Store) error { return s.Put(t.Context(), r) },
		"list": func(s Store) error { _, err := s.List(t.Context()); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := &fakeKeyring{fail: errUnreachable()}
			k := newKeyring(t, fake)
			if err := k.index().add(r.Key.Digest()); err != nil {
				t.Fatal(err)
			}
			var warnings []error
			a := &Auto{Primary: k, Fallback: &Memory{}, Warn: func(err error) { warnings = append(warnings, err) }}
			if a.Name() != "keyring" {
				t.Errorf("the name is %s at first", a.Name())
			}
			if err := first(a); err != nil && !errors.Is(err, ErrNotFound) {
				t.Errorf("the first call fails: %v", err)
			}
			// It stays fallen even when the keyring comes back.
			fake.fail = nil
			mustPut(t, a, r)
			mustGet(t, a, r.Key)
			if err := a.Delete(t.Context(), r.Key); err != nil {
				t.Errorf("Delete() without a keyring = %v", err)
			}
			if len(fake.entries) != 0 || a.Name() != "memory" {
				t.Errorf("the name is %s, and the keyring has %v", a.Name(), fake.entries)
			}
			if len(warnings) != 1 {
				t.Fatalf("%d warnings: %v", len(warnings), warnings)
			}
			wantProblem(t, warnings[0], Unreachable)
		})
	}
}

func TestAutoWithoutWarn(t *testing.T) {
	t.Parallel()
	a := &Auto{Primary: newKeyring(t, &fakeKeyring{fail: errors.New("no")}), Fallback: &Memory{}}
	mustPut(t, a, testRecord(t))
	mustGet(t, a, testRecord(t).Key)
}

// A token that may still be in the keyring is not reported as forgotten.
func TestAutoDeleteInLockedKeyring(t *testing.T) {
	t.Parallel()
	r := testRecord(t)
	fake := &fakeKeyring{}
	k := newKeyring(t, fake)
	mustPut(t, k, r)
	fake.dismiss = true
	a := &Auto{Primary: k, Fallback: &Memory{}}
	for range 2 {
		wantProblem(t, a.Delete(t.Context(), r.Key), Locked)
	}
}

func TestAutoGivenUp(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	hang := make(chan struct{})
	fake := &fakeKeyring{before: func() { cancel(); <-hang }}
	a := &Auto{Primary: newKeyring(t, fake), Fallback: &Memory{}, Warn: func(err error) { t.Errorf("a warning: %v", err) }}
	if _, err := a.Get(ctx, testRecord(t).Key); !errors.Is(err, context.Canceled) {
		t.Errorf("Get() = %v, want that the caller gave up", err)
	}
	close(hang)
	if a.Name() != "keyring" {
		t.Error("a caller who gave up made the store fall back")
	}
}
