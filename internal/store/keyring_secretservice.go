//go:build !windows && !darwin

package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/godbus/dbus/v5"
)

// The names of the Secret Service (https://specifications.freedesktop.org/secret-service/).
const (
	secretsName         = "org.freedesktop.secrets"
	secretsPath         = dbus.ObjectPath("/org/freedesktop/secrets")
	loginPath           = secretsPath + "/collection/login"
	serviceInterface    = "org.freedesktop.Secret.Service"
	collectionInterface = "org.freedesktop.Secret.Collection"
	itemInterface       = "org.freedesktop.Secret.Item"
	promptInterface     = "org.freedesktop.Secret.Prompt"
	propertiesInterface = "org.freedesktop.DBus.Properties"
	// noPath stands for no object.
	noPath = dbus.ObjectPath("/")
)

const (
	// maxLooks bounds how often an entry that vanishes is looked for again.
	maxLooks = 10
	// maxTogether bounds how many requests are sent together.
	maxTogether = 64
)

var errStaysLocked = errors.New("the collection stayed locked")

// secretService is the keyring of Linux and BSD. Its one connection lasts as long as the
// process and is made when it is needed.
type secretService struct {
	keyring *Keyring
	// address finds the bus.
	address func() (string, error)
	// turn is held by whoever uses the rest.
	turn chan struct{}
	bus  *bus
	// session is what secrets are exchanged in, without encryption: the bus is the user's own.
	session dbus.ObjectPath
	// collection is the one for new entries, empty until that was asked for.
	collection dbus.ObjectPath
	// seen is what was found when an account's entry was last looked for: who then writes
	// it need not look again.
	seen struct {
		account string
		items   []dbus.ObjectPath
	}
}

func systemKeyring(k *Keyring) backend {
	return newSecretService(k, findKeyring)
}

func newSecretService(k *Keyring, address func() (string, error)) *secretService {
	return &secretService{keyring: k, address: address, turn: make(chan struct{}, 1)}
}

// with has do use the connection, in turn. One that was made earlier may have lost the bus
// or the service behind it since: then do is called once more, with a new one.
func (s *secretService) with(ctx context.Context, do func() error) error {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-s.turn }()
	kept := s.bus != nil
	err := s.try(ctx, do)
	if kept && s.bus == nil && ctx.Err() == nil && (lost(err) || isRemote(err, errorNoSession)) {
		err = s.try(ctx, do)
	}
	return err
}

// try has do use the connection, and gives up one that is of no use any more.
func (s *secretService) try(ctx context.Context, do func() error) error {
	if s.bus == nil {
		address, err := s.address()
		if err != nil {
			return err
		}
		if s.bus, err = dialBus(ctx, address); err != nil {
			return err
		}
	}
	err := do()
	if s.bus.broken != nil || isRemote(err, errorNoSession) {
		_ = s.bus.conn.Close()
		s.bus, s.session, s.collection, s.seen.account = nil, "", "", ""
	}
	return err
}

func (s *secretService) get(ctx context.Context, account string) (value string, err error) {
	err = s.with(ctx, func() error {
		for range maxLooks {
			if value, err = s.read(ctx, account); !moved(err) {
				break
			}
		}
		return err
	})
	return value, err
}

// read finds an entry and reads it: two round trips.
func (s *secretService) read(ctx context.Context, account string) (string, error) {
	found, err := s.found(ctx, attributes(account), false)
	if err != nil {
		return "", err
	}
	s.seen.account, s.seen.items = account, found
	if len(found) == 0 {
		return "", ErrNotFound
	}
	item, err := s.newest(ctx, account, found)
	if err != nil {
		return "", err
	}
	r := s.secretOf(item)
	if err := s.bus.exchange(ctx, r); err != nil {
		return "", err
	}
	return secretIn(r)
}

func attributes(account string) map[string]string {
	return map[string]string{"service": keyringService, "username": account}
}

func (s *secretService) secretOf(item dbus.ObjectPath) *request {
	return &request{path: item, method: itemInterface + ".GetSecret", args: []any{s.session}}
}

// secretIn reads the structure Secret: session, parameters, value, content type.
func secretIn(r *request) (string, error) {
	fields, err := field[[]any](r, 0)
	if err != nil {
		return "", err
	}
	value, err := field[[]byte](&request{method: r.method, body: fields}, 2)
	return string(value), err
}

// newest is the entry that was changed last.
func (s *secretService) newest(ctx context.Context, account string, items []dbus.ObjectPath) (dbus.ObjectPath, error) {
	if len(items) == 1 {
		return items[0], nil
	}
	requests := make([]*request, len(items))
	for i, item := range items {
		requests[i] = property(item, itemInterface, "Modified")
	}
	if err := s.bus.exchange(ctx, requests...); err != nil {
		return "", err
	}
	newest, last := items[0], uint64(0)
	for i, r := range requests {
		if at, err := propertyIn[uint64](r); err == nil && at > last {
			newest, last = items[i], at
		}
	}
	if s.keyring.Explain != nil {
		s.keyring.Explain(fmt.Sprintf("the keyring has %d entries for service %s, username %s: the newest is used, %s",
			len(items), keyringService, account, newest))
	}
	return newest, nil
}

func property(path dbus.ObjectPath, space, name string) *request {
	return &request{path: path, method: propertiesInterface + ".Get", args: []any{space, name}}
}

func propertyIn[T any](r *request) (T, error) {
	value, err := field[dbus.Variant](r, 0)
	if err != nil {
		var none T
		return none, err
	}
	return field[T](&request{method: r.method, body: []any{value.Value()}}, 0)
}

// search returns the entries that match, in all collections. The first search opens the
// session too.
func (s *secretService) search(
	ctx context.Context, match map[string]string,
) (open, locked []dbus.ObjectPath, err error) {
	found := &request{path: secretsPath, method: serviceInterface + ".SearchItems", args: []any{match}}
	requests := []*request{found}
	if s.session == "" {
		requests = []*request{{
			path: secretsPath, method: serviceInterface + ".OpenSession", args: []any{"plain", dbus.MakeVariant("")},
		}, found}
	}
	if err := s.bus.exchange(ctx, requests...); err != nil {
		return nil, nil, err
	}
	if s.session == "" {
		if s.session, err = field[dbus.ObjectPath](requests[0], 1); err != nil {
			return nil, nil, err
		}
	}
	open, err = field[[]dbus.ObjectPath](found, 0)
	if err == nil {
		locked, err = field[[]dbus.ObjectPath](found, 1)
	}
	return open, locked, err
}

// found returns the entries that match and can be read. Where there is none, or all are
// wanted, those that are locked are unlocked; and the collection for new entries where
// nothing is found in it locked, for not every service looks into those.
func (s *secretService) found(ctx context.Context, match map[string]string, all bool) ([]dbus.ObjectPath, error) {
	open, locked, err := s.search(ctx, match)
	if err == nil && len(open)+len(locked) == 0 {
		var shut bool
		if shut, err = s.home(ctx); shut {
			locked = []dbus.ObjectPath{s.collection}
		}
	}
	if err != nil || len(locked) == 0 || len(open) > 0 && !all {
		return open, err
	}
	if err = s.unlock(ctx, locked...); err == nil {
		open, locked, err = s.search(ctx, match)
	}
	if err == nil && len(locked) > 0 && (all || len(open) == 0) {
		err = unusable(Locked, errStaysLocked)
	}
	return open, err
}

// home finds the collection for new entries: the default one, else that named login; none
// is noPath. It tells whether it is locked.
func (s *secretService) home(ctx context.Context) (locked bool, err error) {
	alias := &request{path: secretsPath, method: serviceInterface + ".ReadAlias", args: []any{"default"}}
	login := property(loginPath, collectionInterface, "Locked")
	if err := s.bus.exchange(ctx, alias, login); err != nil {
		return false, err
	}
	path, err := field[dbus.ObjectPath](alias, 0)
	if problem, isRemote := remoteErr(err); isRemote && problem != Refused || errors.Is(err, errAnswer) {
		return false, err
	}
	if err == nil && path != noPath && path != loginPath {
		own := property(path, collectionInterface, "Locked")
		if err := s.bus.exchange(ctx, own); err != nil {
			return false, err
		}
		if locked, err := propertyIn[bool](own); err == nil {
			s.collection = path
			return locked, nil
		}
	}
	s.collection = loginPath
	if locked, err = propertyIn[bool](login); err != nil {
		s.collection = noPath
	}
	return locked, nil
}

func (s *secretService) locked(ctx context.Context) (locked bool, err error) {
	err = s.with(ctx, func() error { locked, err = s.home(ctx); return err })
	return locked, err
}

// unlock unlocks collections or entries; a person may be asked.
func (s *secretService) unlock(ctx context.Context, paths ...dbus.ObjectPath) error {
	r := &request{path: secretsPath, method: serviceInterface + ".Unlock", args: []any{paths}}
	if err := s.bus.exchange(ctx, r); err != nil {
		return err
	}
	path, err := field[dbus.ObjectPath](r, 1)
	if err != nil || path == noPath {
		return err
	}
	result, err := s.prompt(ctx, path)
	if err == nil {
		_, err = field[[]dbus.ObjectPath](&request{method: r.method, body: []any{result.Value()}}, 0)
	}
	return err
}
