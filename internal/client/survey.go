package client

import (
	"context"

	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/store/shared"
)

// Usable returns why a store cannot be used, nil when it can as far as a look tells: nobody
// is asked and nothing is written. Errors are *store.UnusableError. The key that
// records are sealed with is fetched, where it is not the kernel's.
func Usable(ctx context.Context, s store.Store) error {
	switch s := s.(type) {
	case *store.Keyring:
		return s.CheckUnlocked(ctx)
	case *store.Kernel:
		_, err := s.Inspect(ctx)
		return err
	case *store.File:
		return s.CheckKey(ctx)
	case *shared.Store:
		_, err := s.Recipient(ctx)
		return err
	}
	return nil
}

// InUse returns the store that is used where s is chosen: of auto the first one that is
// usable, with what is wrong with those before it.
func InUse(ctx context.Context, s store.Store) (used store.Store, passed []Passed) {
	auto, ok := s.(*store.Auto)
	if !ok {
		return s, nil
	}
	for _, used = range auto.Stores {
		err := Usable(ctx, used)
		if err == nil {
			break
		}
		passed = append(passed, Passed{used.Name(), err})
	}
	return used, passed
}

// Passed is a store that auto passes over, and why.
type Passed struct {
	Store string
	Why   error
}
