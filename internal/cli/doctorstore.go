package cli

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/store"
)

// carefulKeyring reads no secret from a keyring that would ask a person first. It
// looks once.
type carefulKeyring struct {
	keyring *store.Keyring
	once    sync.Once
	err     error
}

// check returns why the keyring is not to be used.
func (k *carefulKeyring) check(ctx context.Context) error {
	k.once.Do(func() { k.err = k.keyring.CheckUnlocked(ctx) })
	return k.err
}

// Secret returns the secret stored under name; see source.Keyring.
func (k *carefulKeyring) Secret(ctx context.Context, name string) (secret.Secret, error) {
	if err := k.check(ctx); err != nil {
		return secret.Secret{}, err
	}
	return k.keyring.Secret(ctx, name)
}

// store checks the store that a command would use. The error is one of the flags'.
func (e *examination) store(ctx context.Context, keyring *carefulKeyring) error {
	_, chosen, err := e.app.Store(&e.options.Store)
	if _, wrong := errors.AsType[*verb.Error](err); wrong {
		return err
	}
	if err != nil {
		e.fail(check{Section: sectionStore, Name: "directory"}, err)
		return nil
	}
	switch s := chosen.(type) {
	case *store.Auto:
		e.keyring(ctx, keyring, true)
	case *store.Keyring:
		e.keyring(ctx, keyring, false)
	case *store.File:
		e.files(ctx, s)
	default:
		e.ok(check{
			Section: sectionStore, Name: chosen.Name(),
			Message: "tokens last as long as one command: every command asks the service",
		})
	}
	return nil
}

// keyring checks the keyring. Where it need not work, because auto goes without, what
// is wrong with it is a warning.
func (e *examination) keyring(ctx context.Context, keyring *carefulKeyring, auto bool) {
	c := check{Section: sectionStore, Name: "keyring"}
	err := keyring.check(ctx)
	if err == nil {
		var took time.Duration
		took, err = store.Probe(ctx, keyring.keyring, e.app.Now())
		c.Message = "can be read and written, answers in " + inMilliseconds(took)
	}
	switch {
	case err != nil && auto:
		_, c.Hint = verb.Judge(err)
		c.Message = "no token is kept between calls: " + err.Error()
		e.warn(c)
		return
	case err != nil:
		c.kind = "store"
		e.fail(c, err)
		return
	}
	if auto {
		c.Message += "; chosen by auto"
	}
	e.ok(c)
	e.limit(keyring.keyring)
	e.directory("index", keyring.keyring.IndexDir())
}

// limit tells how big an entry of the keyring may be.
func (e *examination) limit(keyring *store.Keyring) {
	c := check{Section: sectionStore, Name: "limit", Message: "none for an entry of this keyring"}
	if limit := keyring.Limit(); limit > 0 {
		c.Message = fmt.Sprintf("an entry holds %d bytes; what is bigger is sealed into a file", limit)
	}
	e.ok(c)
}

// directory checks one in which a store keeps files.
func (e *examination) directory(name, path string) {
	c := check{Section: sectionStore, Name: name, Message: path}
	switch err := store.CheckDir(path, e.setup.Trust()); {
	case path == "":
		c.Message = "none, because there is no home directory: token list cannot know what is cached"
		c.Hint = "set HOME or XDG_STATE_HOME"
		e.warn(c)
	case err != nil:
		c.kind, c.Hint = "store", "make the directory yours alone (chmod 700)"
		e.fail(c, err)
	default:
		e.ok(c)
	}
}

// files checks the file store: its key, its directory and, unless the key is the
// output of a command, reading and writing.
func (e *examination) files(ctx context.Context, files *store.File) {
	key, given := config.InspectStoreKey(ctx, e.setup.Fetcher())
	if given {
		e.secret(check{Section: sectionStore, Name: "key"}, key)
	}
	if key.Err != nil {
		return
	}
	e.directory("directory", files.Dir)
	c := check{Section: sectionStore, Name: files.Name()}
	if key.Kind == "cmd" {
		c.Message = "not tried, because that would run the command of " + key.Setting
		e.ok(c)
		return
	}
	took, err := store.Probe(ctx, files, e.app.Now())
	if err != nil {
		if _, known := errors.AsType[*store.UnusableError](err); !known {
			c.kind = "store"
		}
		e.fail(c, err)
		return
	}
	c.Message = "can be read and written, answers in " + inMilliseconds(took)
	e.ok(c)
}

// locks checks that a lock can be taken, and only once.
func (e *examination) locks(ctx context.Context) {
	c := check{Section: sectionLocks, Name: "directory"}
	dir, err := e.setup.Locks().Probe(ctx)
	if err != nil {
		e.fail(c, err)
		return
	}
	c.Message = dir + " is yours alone, and a lock in it keeps others out"
	e.ok(c)
}

// inMilliseconds is a time for people.
func inMilliseconds(d time.Duration) string {
	return fmt.Sprintf("%d ms", max(1, d.Milliseconds()))
}
