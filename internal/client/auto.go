package client

import (
	"cmp"
	"context"
	"path/filepath"
	"runtime"

	"github.com/authctl/authctl/internal/store"
)

// auto is the store auto: the keyring where it works, else the kernel's where there is one,
// else memory with the one warning there is.
func (l *Local) auto() *store.Auto {
	stores := []store.Store{l.Keyring, l.Kernel(), &store.Memory{}}
	if runtime.GOOS != "linux" {
		stores = []store.Store{l.Keyring, &store.Memory{}}
	}
	auto := &store.Auto{Stores: stores}
	auto.Passed = func(error, store.Store) {
		if lost := auto.Lost(); lost != nil {
			l.Warn("the keyring cannot be used, so no token is kept between calls: " + lost.Error() +
				"; authctl store init has them kept in files: or use --store file with AUTHCTL_STORE_KEY_FILE, " +
				"or --store memory to be quiet")
		}
	}
	return auto
}

// Kernel is the store of this user's key in the kernel's keyring.
func (l *Local) Kernel() *store.Kernel {
	kernel := &store.Kernel{FileLocks: l.Locks()}
	if state := l.LookupEnv.StateDir(); state != "" {
		kernel.Dir = filepath.Join(state, "kernel")
	}
	return kernel
}

// watch fits the store auto to one client: a token that a person has to fetch is looked for
// in the keyring and nowhere else while that is locked, and --explain tells what is passed over.
func (c *Client) watch(kept store.Store) {
	auto, ok := kept.(*store.Auto)
	if !ok {
		return
	}
	auto.Stay = c.Provider.Key().Grant.NeedsPerson()
	warn := auto.Passed
	auto.Passed = func(why error, next store.Store) {
		if c.Options.Explain != nil {
			c.Options.Explain("store: %s is next, because of %v", next.Name(), why)
		}
		warn(why, next)
	}
}

// Lost returns why nothing is kept of what is stored in a store beyond this process, nil
// where something is.
func Lost(kept store.Store) error {
	if auto, ok := kept.(*store.Auto); ok {
		return auto.Lost()
	}
	return nil
}

// Listed returns what a store holds. A keyring that is there and does not let us in may
// hold anything: then the error, an *store.UnusableError, comes beside what is in the store
// that stands for it.
func Listed(ctx context.Context, kept store.Store) ([]store.Entry, error) {
	entries, err := kept.List(ctx)
	return entries, cmp.Or(err, Closed(kept))
}

// Closed returns why a store that auto has passed over may hold anything, as store.Auto's does;
// nil for every other store.
func Closed(kept store.Store) error {
	if auto, ok := kept.(*store.Auto); ok {
		return auto.Closed()
	}
	return nil
}
