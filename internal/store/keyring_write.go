//go:build !windows && !darwin

package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/godbus/dbus/v5"
)

var errNoOverwrite = errors.New("the entry cannot be overwritten")

// set writes an entry. Where one is there that cannot be overwritten (KeePassXC may ask for
// each overwriting and let the caller wait), it is deleted and a new one is created.
func (s *secretService) set(ctx context.Context, account, value string) (string, error) {
	err := s.with(ctx, func() error { return s.write(ctx, account, value) })
	if errors.Is(err, errNoOverwrite) {
		err = s.with(ctx, func() error {
			if err := s.erase(ctx, account); err != nil {
				return err
			}
			return s.create(ctx, account, value)
		})
	}
	return value, err
}

// write overwrites the entry that would be read, so that who reads next gets what was
// written, or creates one. What turns out to be locked is unlocked.
func (s *secretService) write(ctx context.Context, account, value string) error {
	var err error
	for range maxLooks {
		open := s.seen.items
		if s.seen.account != account {
			if open, _, err = s.search(ctx, attributes(account)); err != nil {
				return err
			}
		}
		s.seen.account = ""
		if len(open) > 0 {
			err = s.overwrite(ctx, account, open, value)
		} else {
			err = s.create(ctx, account, value)
		}
		if !moved(err) {
			return err
		}
	}
	return err
}

// unlockAfter unlocks what an error says is locked, and leaves other errors as they are.
func (s *secretService) unlockAfter(ctx context.Context, err error, path dbus.ObjectPath) error {
	if isRemote(err, errorIsLocked) {
		if err := s.unlock(ctx, path); err != nil {
			return err
		}
	}
	return err
}

// overwrite writes the newest of some entries anew, in half of the time that is left: the
// other half is for another way.
func (s *secretService) overwrite(ctx context.Context, account string, items []dbus.ObjectPath, value string) error {
	item, err := s.newest(ctx, account, items)
	if err != nil {
		return err
	}
	r := &request{path: item, method: itemInterface + ".SetSecret", args: []any{s.secret(value)}}
	half, cancel := ctx, context.CancelFunc(func() {})
	if end, ok := ctx.Deadline(); ok {
		half, cancel = context.WithTimeout(ctx, time.Until(end)/2)
	}
	defer cancel()
	err = s.bus.exchange(half, r)
	problem, _ := remoteErr(r.err)
	switch {
	case err != nil && half.Err() != nil && ctx.Err() == nil, problem == Refused && !moved(r.err):
		return fmt.Errorf("%w: %w", errNoOverwrite, errors.Join(err, r.err))
	case err != nil:
		return err
	}
	return s.unlockAfter(ctx, r.err, item)
}

// secret is the structure of that name.
func (s *secretService) secret(value string) any {
	return struct {
		Session           dbus.ObjectPath
		Parameters, Value []byte
		ContentType       string
	}{s.session, []byte{}, []byte(value), "text/plain; charset=utf8"}
}

// create makes a new entry in the collection for those, and the collection where there is
// none. Other programs find it by its attributes; it has no schema.
func (s *secretService) create(ctx context.Context, account, value string) error {
	if s.collection == "" {
		if _, err := s.home(ctx); err != nil {
			return err
		}
	}
	if s.collection == noPath {
		if err := s.begin(ctx); err != nil {
			return err
		}
	}
	r := &request{path: s.collection, method: collectionInterface + ".CreateItem", args: []any{
		map[string]dbus.Variant{
			itemInterface + ".Label": dbus.MakeVariant(
				fmt.Sprintf("Password for '%s' on '%s'", account, keyringService)),
			itemInterface + ".Attributes": dbus.MakeVariant(attributes(account)),
		}, s.secret(value), true,
	}}
	_, err := s.made(ctx, r)
	err = s.unlockAfter(ctx, err, s.collection)
	if moved(err) {
		s.collection = ""
	}
	return err
}

// begin makes the default collection, for which a person gives a password.
func (s *secretService) begin(ctx context.Context) (err error) {
	label := map[string]dbus.Variant{collectionInterface + ".Label": dbus.MakeVariant("Default keyring")}
	s.collection, err = s.made(ctx, &request{
		path: secretsPath, method: serviceInterface + ".CreateCollection", args: []any{label, "default"},
	})
	return err
}

// made sends a request that makes an object, after a prompt or without, and returns its path.
func (s *secretService) made(ctx context.Context, r *request) (dbus.ObjectPath, error) {
	if err := s.bus.exchange(ctx, r); err != nil {
		return "", err
	}
	path, err := field[dbus.ObjectPath](r, 0)
	if err != nil {
		return "", err
	}
	asks, err := field[dbus.ObjectPath](r, 1)
	if err != nil {
		return "", err
	}
	if asks != noPath {
		result, err := s.prompt(ctx, asks)
		if err != nil {
			return "", err
		}
		path, err = field[dbus.ObjectPath](&request{method: r.method, body: []any{result.Value()}}, 0)
		if err != nil {
			return "", err
		}
	}
	if path == noPath {
		return "", fmt.Errorf("%w: %s made nothing", errAnswer, r.method)
	}
	return path, nil
}

func (s *secretService) remove(ctx context.Context, account string) error {
	return s.with(ctx, func() error { return s.erase(ctx, account) })
}

// erase deletes all entries of an account, those of other programs too.
func (s *secretService) erase(ctx context.Context, account string) error {
	s.seen.account = ""
	items, err := s.found(ctx, attributes(account), true)
	if err != nil {
		return err
	}
	requests := make([]*request, len(items))
	for i, item := range items {
		requests[i] = &request{path: item, method: itemInterface + ".Delete"}
	}
	if err := s.bus.exchange(ctx, requests...); err != nil {
		return err
	}
	for _, r := range requests {
		asks, err := field[dbus.ObjectPath](r, 0)
		if err == nil {
			_, err = s.prompt(ctx, asks)
		}
		if err != nil && !moved(err) {
			return err
		}
	}
	return nil
}

// list reads the entries of all records: those whose username is a digest.
func (s *secretService) list(ctx context.Context) (found map[string]string, err error) {
	err = s.with(ctx, func() error {
		items, err := s.found(ctx, map[string]string{"service": keyringService}, true)
		found = make(map[string]string, len(items))
		for some := range slices.Chunk(items, maxTogether) {
			if err == nil {
				err = s.listed(ctx, some, found)
			}
		}
		return err
	})
	return found, err
}

// listed reads some entries; one that is gone meanwhile is left out.
func (s *secretService) listed(ctx context.Context, items []dbus.ObjectPath, into map[string]string) error {
	var requests []*request
	for _, item := range items {
		requests = append(requests, property(item, itemInterface, "Attributes"), s.secretOf(item))
	}
	if err := s.bus.exchange(ctx, requests...); err != nil {
		return err
	}
	for both := range slices.Chunk(requests, 2) {
		named, err := propertyIn[map[string]string](both[0])
		if err == nil && isDigest(named["username"]) {
			into[named["username"]], err = secretIn(both[1])
		}
		if err != nil && !moved(err) {
			return err
		}
	}
	return nil
}
