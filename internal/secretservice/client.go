//go:build !windows && !darwin

package secretservice

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

// Client reads and writes the entries of one program, each under a username, in all
// collections. Its one connection is made when it is needed and kept. It is safe for
// concurrent use: calls go one after the other. Their errors are ErrNotFound, an *Error, or
// wrap the cause of a context that has ended.
type Client struct {
	// Address finds the bus; it is FindBus after New.
	Address func() (string, error)
	// MayAsk says whether a person may be asked to unlock something; nil means yes.
	MayAsk func() bool
	// Explain hears, in one line, which of several entries is used; nil means nobody does.
	Explain func(message string)

	service string
	// turn is held by whoever uses the rest.
	turn chan struct{}
	bus  *bus
	// session is what secrets are exchanged in, without encryption: the bus is the user's own.
	session dbus.ObjectPath
	// collection is the one for new entries, empty until that was asked for.
	collection dbus.ObjectPath
	// seen is what was found when an entry was last looked for: who then writes it need not
	// look again.
	seen struct {
		username string
		items    []dbus.ObjectPath
	}
}

// New returns a client for the entries of a service, which is that attribute of all of them.
func New(service string) *Client {
	return &Client{service: service, Address: FindBus, turn: make(chan struct{}, 1)}
}

// do has something done with the connection, and sorts what becomes of it.
func (c *Client) do(ctx context.Context, do func() error) error { return said(ctx, c.with(ctx, do)) }

// said leaves alone what is no problem of the service.
func said(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if err == nil || errors.Is(err, ErrNotFound) || cause != nil && errors.Is(err, cause) {
		return err
	}
	return sorted(err)
}

// with has do use the connection, in turn. One that was made earlier may have lost the bus
// or the service behind it since: then do is called once more, with a new one.
func (c *Client) with(ctx context.Context, do func() error) error {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-c.turn }()
	kept := c.bus != nil
	err := c.try(ctx, do)
	if kept && c.bus == nil && ctx.Err() == nil && (lost(err) || isRemote(err, errorNoSession)) {
		err = c.try(ctx, do)
	}
	return err
}

// try has do use the connection, and gives up one that is of no use any more.
func (c *Client) try(ctx context.Context, do func() error) error {
	if c.bus == nil {
		address, err := c.Address()
		if err != nil {
			return err
		}
		if c.bus, err = dialBus(ctx, address); err != nil {
			return err
		}
		do = c.introduced(ctx, do)
	}
	err := do()
	if c.bus.broken != nil || isRemote(err, errorNoSession) {
		_ = c.bus.conn.Close()
		c.bus, c.session, c.collection, c.seen.username = nil, "", "", ""
	}
	return err
}

// introduced has the service answer something harmless first. gnome-keyring 42 notes a new client and handles its first
// call in two events, which on a busy machine change places now and then; an OpenSession of a client that it does not
// know ends the daemon, with all that is unlocked in it. A property needs no client, and after the answer it knows us.
func (c *Client) introduced(ctx context.Context, do func() error) func() error {
	return func() error {
		if err := c.bus.exchange(ctx, property(secretsPath, serviceInterface, "Collections")); err != nil {
			return err
		}
		return do()
	}
}

// Get returns the entry of a username: of several the one that was changed last. What is
// locked is unlocked where nothing else is found; a person may be asked.
func (c *Client) Get(ctx context.Context, username string) (value string, err error) {
	err = c.do(ctx, func() error {
		return c.again(ctx, func() (item dbus.ObjectPath, err error) {
			value, item, err = c.read(ctx, username)
			return item, err
		})
	})
	return value, err
}

// again has do done until it does not find that things have moved meanwhile. The object that
// do says is locked is unlocked, once.
func (c *Client) again(ctx context.Context, do func() (object dbus.ObjectPath, err error)) error {
	var err error
	unlocked := false
	for range maxLooks {
		var object dbus.ObjectPath
		if object, err = do(); !moved(err) {
			return err
		}
		if !isRemote(err, errorIsLocked) {
			continue
		}
		if unlocked || object == "" {
			return err
		}
		if err := c.unlock(ctx, object); err != nil {
			return err
		}
		unlocked = true
	}
	return err
}

// read finds an entry and reads it: two round trips.
func (c *Client) read(ctx context.Context, username string) (value string, item dbus.ObjectPath, err error) {
	found, err := c.found(ctx, c.attributes(username), false)
	if err != nil {
		return "", "", err
	}
	c.seen.username, c.seen.items = username, found
	if len(found) == 0 {
		return "", "", ErrNotFound
	}
	if item, err = c.newest(ctx, username, found); err != nil {
		return "", "", err
	}
	r := c.secretOf(item)
	if err = c.bus.exchange(ctx, r); err == nil {
		value, err = secretIn(r)
	}
	return value, item, err
}

func (c *Client) attributes(username string) map[string]string {
	return map[string]string{"service": c.service, "username": username}
}

func (c *Client) secretOf(item dbus.ObjectPath) *request {
	return &request{path: item, method: itemInterface + ".GetSecret", args: []any{c.session}}
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
func (c *Client) newest(ctx context.Context, username string, items []dbus.ObjectPath) (dbus.ObjectPath, error) {
	if len(items) == 1 {
		return items[0], nil
	}
	requests := make([]*request, len(items))
	for i, item := range items {
		requests[i] = property(item, itemInterface, "Modified")
	}
	if err := c.bus.exchange(ctx, requests...); err != nil {
		return "", err
	}
	newest, last := items[0], uint64(0)
	for i, r := range requests {
		if at, err := propertyIn[uint64](r); err == nil && at > last {
			newest, last = items[i], at
		}
	}
	if c.Explain != nil {
		c.Explain(fmt.Sprintf("the keyring has %d entries for service %s, username %s: the newest is used, %s",
			len(items), c.service, username, newest))
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
func (c *Client) search(
	ctx context.Context, match map[string]string,
) (open, locked []dbus.ObjectPath, err error) {
	found := &request{path: secretsPath, method: serviceInterface + ".SearchItems", args: []any{match}}
	requests := []*request{found}
	if c.session == "" {
		requests = []*request{{
			path: secretsPath, method: serviceInterface + ".OpenSession", args: []any{"plain", dbus.MakeVariant("")},
		}, found}
	}
	if err := c.bus.exchange(ctx, requests...); err != nil {
		return nil, nil, err
	}
	if c.session == "" {
		if c.session, err = field[dbus.ObjectPath](requests[0], 1); err != nil {
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
func (c *Client) found(ctx context.Context, match map[string]string, all bool) ([]dbus.ObjectPath, error) {
	open, locked, err := c.search(ctx, match)
	if err == nil && len(open)+len(locked) == 0 {
		var shut bool
		if shut, err = c.home(ctx); shut {
			locked = []dbus.ObjectPath{c.collection}
		}
	}
	if err != nil || len(locked) == 0 || len(open) > 0 && !all {
		return open, err
	}
	if err = c.unlock(ctx, locked...); err == nil {
		open, locked, err = c.search(ctx, match)
	}
	if err == nil && len(locked) > 0 && (all || len(open) == 0) {
		err = &Error{Locked, errStaysLocked}
	}
	return open, err
}

// home finds the collection for new entries: the default one, else that named login; none
// is noPath, or an error where nobody can be asked to make one. It tells whether it is locked.
func (c *Client) home(ctx context.Context) (locked bool, err error) {
	alias := &request{path: secretsPath, method: serviceInterface + ".ReadAlias", args: []any{"default"}}
	login := property(loginPath, collectionInterface, "Locked")
	if err := c.bus.exchange(ctx, alias, login); err != nil {
		return false, err
	}
	path, err := field[dbus.ObjectPath](alias, 0)
	if problem, remote := remoteErr(err); remote && problem != Refused || errors.Is(err, errAnswer) {
		return false, err
	}
	if err == nil && path != noPath && path != loginPath {
		own := property(path, collectionInterface, "Locked")
		if err := c.bus.exchange(ctx, own); err != nil {
			return false, err
		}
		if locked, err := propertyIn[bool](own); err == nil {
			c.collection = path
			return locked, nil
		}
	}
	c.collection = loginPath
	if locked, err = propertyIn[bool](login); err == nil {
		return locked, nil
	}
	c.collection = noPath
	if !c.mayAsk() {
		return false, &Error{Unreachable, errNoCollection}
	}
	return false, nil
}

// Locked reports whether the collection for new entries is locked; it asks nobody.
func (c *Client) Locked(ctx context.Context) (locked bool, err error) {
	err = c.do(ctx, func() error { locked, err = c.home(ctx); return err })
	return locked, err
}

func (c *Client) mayAsk() bool { return c.MayAsk == nil || c.MayAsk() }

// unlock unlocks collections or entries; a person may be asked.
func (c *Client) unlock(ctx context.Context, paths ...dbus.ObjectPath) error {
	r := &request{path: secretsPath, method: serviceInterface + ".Unlock", args: []any{paths}}
	if err := c.bus.exchange(ctx, r); err != nil {
		return err
	}
	path, err := field[dbus.ObjectPath](r, 1)
	if err != nil || path == noPath {
		return err
	}
	result, err := c.prompt(ctx, path)
	if err == nil {
		_, err = field[[]dbus.ObjectPath](&request{method: r.method, body: []any{result.Value()}}, 0)
	}
	return err
}
