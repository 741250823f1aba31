//go:build !windows && !darwin

package secretservice

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/godbus/dbus/v5"
)

var errNoCollection = errors.New("there is no collection yet, and nobody gave a password for a new one")

var errNoOverwrite = errors.New("the entry cannot be overwritten")

// Set writes the entry of a username, in place of the one that Get returns, or in the default
// collection. Where one is there that cannot be overwritten (KeePassXC may ask for
// each overwriting and let the caller wait), it is deleted and a new one is created.
func (c *Client) Set(ctx context.Context, username, value string) error {
	err := c.with(ctx, func() error { return c.write(ctx, username, value) })
	if errors.Is(err, errNoOverwrite) {
		err = c.with(ctx, func() error {
			if err := c.erase(ctx, username); err != nil {
				return err
			}
			_, err := c.create(ctx, username, value)
			return err
		})
	}
	return said(ctx, err)
}

// write overwrites the entry that would be read, so that who reads next gets what was
// written, or creates one.
func (c *Client) write(ctx context.Context, username, value string) error {
	return c.again(ctx, func() (_ dbus.ObjectPath, err error) {
		open := c.seen.items
		if c.seen.username != username {
			if open, _, err = c.search(ctx, c.attributes(username)); err != nil {
				return "", err
			}
		}
		c.seen.username = ""
		if len(open) == 0 {
			return c.create(ctx, username, value)
		}
		item, err := c.newest(ctx, username, open)
		if err != nil {
			return "", err
		}
		return item, c.overwrite(ctx, item, value)
	})
}

// overwrite writes an entry anew, in half of the time that is left: the other half is for
// another way.
func (c *Client) overwrite(ctx context.Context, item dbus.ObjectPath, value string) error {
	r := &request{path: item, method: itemInterface + ".SetSecret", args: []any{c.secret(value)}}
	half, cancel := ctx, context.CancelFunc(func() {})
	if end, ok := ctx.Deadline(); ok {
		half, cancel = context.WithTimeout(ctx, time.Until(end)/2)
	}
	defer cancel()
	err := c.bus.exchange(half, r)
	problem, _ := remoteErr(r.err)
	switch {
	case err != nil && half.Err() != nil && ctx.Err() == nil, problem == Refused && !moved(r.err):
		return fmt.Errorf("%w: %w", errNoOverwrite, errors.Join(err, r.err))
	case err != nil:
		return err
	}
	return r.err
}

// secret is the structure of that name.
func (c *Client) secret(value string) any {
	return struct {
		Session           dbus.ObjectPath
		Parameters, Value []byte
		ContentType       string
	}{c.session, []byte{}, []byte(value), "text/plain; charset=utf8"}
}

// create makes a new entry in the collection for those, and the collection where there is
// none. Other programs find it by its attributes; it has no schema. It returns the collection.
func (c *Client) create(ctx context.Context, username, value string) (collection dbus.ObjectPath, err error) {
	if c.collection == "" {
		_, err = c.home(ctx)
	}
	if err == nil && c.collection == noPath {
		err = c.begin(ctx)
	}
	if err != nil {
		return "", err
	}
	label := fmt.Sprintf("Password for '%s' on '%s'", username, c.service)
	collection = c.collection
	_, err = c.made(ctx, &request{path: collection, method: collectionInterface + ".CreateItem", args: []any{
		map[string]dbus.Variant{
			itemInterface + ".Label":      dbus.MakeVariant(label),
			itemInterface + ".Attributes": dbus.MakeVariant(c.attributes(username)),
		}, c.secret(value), true,
	}})
	if moved(err) {
		c.collection = ""
	}
	return collection, err
}

// begin makes the default collection, for which a person gives a password. Without one there is
// nothing that could be locked: the service is as good as none.
func (c *Client) begin(ctx context.Context) (err error) {
	label := map[string]dbus.Variant{collectionInterface + ".Label": dbus.MakeVariant("Default keyring")}
	c.collection, err = c.made(ctx, &request{
		path: secretsPath, method: serviceInterface + ".CreateCollection", args: []any{label, "default"},
	})
	if e, ok := errors.AsType[*Error](err); ok && e.Problem == Locked {
		return &Error{Unreachable, errNoCollection}
	}
	return err
}

// made sends a request that makes an object, after a prompt or without, and returns its path.
func (c *Client) made(ctx context.Context, r *request) (dbus.ObjectPath, error) {
	if err := c.bus.exchange(ctx, r); err != nil {
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
		result, err := c.prompt(ctx, asks)
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

// Remove deletes all entries of a username; it is no error when there is none.
func (c *Client) Remove(ctx context.Context, username string) error {
	return c.do(ctx, func() error { return c.erase(ctx, username) })
}

// erase deletes all entries of a username, those of other programs too.
func (c *Client) erase(ctx context.Context, username string) error {
	c.seen.username = ""
	items, err := c.found(ctx, c.attributes(username), true)
	if err != nil {
		return err
	}
	requests := make([]*request, len(items))
	for i, item := range items {
		requests[i] = &request{path: item, method: itemInterface + ".Delete"}
	}
	if err := c.bus.exchange(ctx, requests...); err != nil {
		return err
	}
	for _, r := range requests {
		asks, err := field[dbus.ObjectPath](r, 0)
		if err == nil {
			_, err = c.prompt(ctx, asks)
		}
		if err != nil && !moved(err) {
			return err
		}
	}
	return nil
}

// List returns the entries whose username is wanted.
func (c *Client) List(ctx context.Context, wanted func(username string) bool) (found map[string]string, err error) {
	err = c.do(ctx, func() error {
		items, err := c.found(ctx, map[string]string{"service": c.service}, true)
		found = make(map[string]string, len(items))
		for some := range slices.Chunk(items, maxTogether) {
			if err == nil {
				err = c.listed(ctx, some, wanted, found)
			}
		}
		return err
	})
	return found, err
}

// listed reads some entries; one that is gone meanwhile is left out.
func (c *Client) listed(
	ctx context.Context, items []dbus.ObjectPath, wanted func(string) bool, into map[string]string,
) error {
	var requests []*request
	for _, item := range items {
		requests = append(requests, property(item, itemInterface, "Attributes"), c.secretOf(item))
	}
	if err := c.bus.exchange(ctx, requests...); err != nil {
		return err
	}
	for both := range slices.Chunk(requests, 2) {
		named, err := propertyIn[map[string]string](both[0])
		if err == nil && wanted(named["username"]) {
			into[named["username"]], err = secretIn(both[1])
		}
		if err != nil && !moved(err) {
			return err
		}
	}
	return nil
}
