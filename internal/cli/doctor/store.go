package doctor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config/stores"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/store/shared"
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

// storeChecks is the part of a run that looks at the stores.
type storeChecks struct {
	*doctor
	keyring *carefulKeyring
}

// check checks the store that a command would use. The error is one of the flags'.
func (d *storeChecks) check(ctx context.Context) error {
	_, chosen, err := d.Store(&d.store)
	if _, wrong := errors.AsType[*verb.Error](err); wrong {
		return err
	}
	if err != nil {
		d.fail(check{Name: "directory"}, err)
		return nil
	}
	switch s := chosen.(type) {
	case *store.Auto:
		d.checkAuto(ctx, s)
	case *store.File:
		d.checkFiles(ctx, s)
		d.tellOthers(ctx, s.Name())
	case *shared.Store:
		d.checkEngine(ctx, s)
		d.tellOthers(ctx, s.Name())
	default:
		text, err := d.try(ctx, s)
		if err != nil {
			d.fail(check{Name: s.Name(), kind: "store"}, err)
		} else {
			d.works(ctx, s, text)
		}
		d.tellOthers(ctx, s.Name())
	}
	return nil
}

// namedByFile says where the configuration names the store, nothing where it does not.
func namedByFile(local *client.Local, name string) string {
	chosen, err := local.Chosen(name)
	if err != nil || chosen.Line == 0 {
		return ""
	}
	return "; named in " + chosen.Origin
}

// probe tries a store with a record that is removed again, and says how that went.
func (d *storeChecks) probe(ctx context.Context, s store.Store) (string, error) {
	took, err := store.Probe(ctx, s, d.Now())
	return "can be read and written, answers in " + inMilliseconds(took), err
}

// try is probe for a store that may be one that keeps nothing, or would ask a person first.
func (d *storeChecks) try(ctx context.Context, s store.Store) (string, error) {
	switch s.(type) {
	case *store.Memory:
		return "tokens last as long as one command: every command asks the service", nil
	case *store.Keyring:
		if err := d.keyring.check(ctx); err != nil {
			return "", err
		}
	}
	return d.probe(ctx, s)
}

// works tells of a store that was tried, and of what it depends on.
func (d *storeChecks) works(ctx context.Context, s store.Store, text string) {
	d.ok(check{Name: s.Name(), Message: text + namedByFile(d.local, d.store.Name)})
	switch s := s.(type) {
	case *store.Keyring:
		d.limit(s)
		if path, kept := s.IndexDir(); kept {
			d.directory("index", path)
		}
	case *store.Kernel:
		d.kernelKey(ctx, s)
	}
}

// limit tells how big an entry of the keyring may be.
func (d *storeChecks) limit(keyring *store.Keyring) {
	text := "none for an entry of this keyring"
	if limit := keyring.Limit(); limit > 0 {
		text = fmt.Sprintf("an entry holds %d bytes; what is bigger is sealed into a file", limit)
	}
	d.ok(check{Name: "limit", Message: text})
}

// directory checks one in which a store keeps files.
func (d *storeChecks) directory(name, path string) {
	if path == "" {
		d.warn(check{
			Name: name, Message: "none, because there is no home directory: token list cannot know what is cached",
			Hint: "set HOME or XDG_STATE_HOME",
		})
	} else if err := store.CheckDir(path, d.local.Trust()); err != nil {
		d.fail(check{Name: name, kind: "store", Hint: "make the directory yours alone (chmod 700)"}, err)
	} else {
		d.ok(check{Name: name, Message: path})
	}
}

// checkFiles checks the file store: its key, its directory and, unless the key is the
// output of a command, reading and writing.
func (d *storeChecks) checkFiles(ctx context.Context, files *store.File) {
	said, err := d.local.StoreSecret(stores.Key)
	if err != nil {
		d.fail(check{Name: "key"}, err)
		return
	}
	key, given := said.Inspect(ctx, d.local.Fetcher())
	if given {
		d.secret(check{Name: "key"}, key)
	}
	if key.Err != nil {
		return
	}
	d.directory("directory", files.Dir)
	c := check{Name: files.Name()}
	if key.Kind == "cmd" {
		c.Message = "not tried, because that would run the command of " + key.Setting
	} else {
		c.Message, err = d.probe(ctx, files)
	}
	if err == nil {
		c.Message += namedByFile(d.local, d.store.Name)
		d.ok(c)
		return
	}
	if _, known := errors.AsType[*store.UnusableError](err); !known {
		c.kind = "store"
	}
	d.fail(c, err)
}

// checkLocks checks that a lock can be taken, and only once.
func (d *doctor) checkLocks(ctx context.Context) {
	dir, err := d.local.Locks().Probe(ctx)
	if err != nil {
		d.fail(check{Name: "directory"}, err)
		return
	}
	d.ok(check{Name: "directory", Message: dir + " is yours alone, and a lock in it keeps others out"})
}

// inMilliseconds is a time for people.
func inMilliseconds(d time.Duration) string {
	return fmt.Sprintf("%d ms", max(1, d.Milliseconds()))
}
