//go:build !windows && !darwin

package secretservice

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/godbus/dbus/v5"
)

var (
	errDismissed = errors.New("the keyring's prompt was dismissed, or could not be shown")
	errUnasked   = errors.New("the collection is locked, and nobody is asked to unlock it")
	errLeft      = errors.New("the Secret Service went away while its prompt was open")
)

// prompt has a person answer a prompt and returns what the answer brought, where the
// service asks at all: a path of "/" is none
// (https://specifications.freedesktop.org/secret-service/, Prompts). A dismissed prompt,
// one that nobody answers in time and a service that went away are errors.
func (c *Client) prompt(ctx context.Context, path dbus.ObjectPath) (dbus.Variant, error) {
	if path == noPath {
		return dbus.Variant{}, nil
	}
	if !c.mayAsk() {
		return dbus.Variant{}, &Error{Locked, errUnasked}
	}
	outcome, left := []any(nil), false
	c.bus.signals = func(m *dbus.Message) {
		switch name, from := named(m); {
		case name == promptInterface+".Completed" && from == path:
			outcome = append([]any{}, m.Body...)
		case name == busName+".NameOwnerChanged":
			left = true
		}
	}
	err := c.show(ctx, path, func() bool { return outcome != nil || left })
	c.bus.signals = nil
	switch {
	case err != nil && ctx.Err() != nil:
		c.bus.tell(&request{path: path, method: promptInterface + ".Dismiss"})
		return dbus.Variant{}, fmt.Errorf("the keyring's prompt got %w", context.Cause(ctx))
	case err != nil:
		// Not what asks for another try: nobody is asked twice.
		return dbus.Variant{}, sorted(err)
	case outcome == nil:
		return dbus.Variant{}, &Error{Unreachable, errLeft}
	}
	return answerOf(outcome)
}

// named is the name of a signal and the object that it is from.
func named(m *dbus.Message) (name string, from dbus.ObjectPath) {
	space, _ := m.Headers[dbus.FieldInterface].Value().(string)
	member, _ := m.Headers[dbus.FieldMember].Value().(string)
	from, _ = m.Headers[dbus.FieldPath].Value().(dbus.ObjectPath)
	return space + "." + member, from
}

// show shows a prompt and waits until done. It listens before: a prompt may be answered at
// once, and whoever shows it may go away.
func (c *Client) show(ctx context.Context, path dbus.ObjectPath, done func() bool) error {
	rules := []string{
		"type='signal',interface='" + promptInterface + "',member='Completed',path='" + string(path) + "'",
		"type='signal',sender='" + busName + "',member='NameOwnerChanged',arg0='" + secretsName + "'",
	}
	completed := &request{path: busPath, method: busName + ".AddMatch", args: []any{rules[0]}}
	owner := &request{path: busPath, method: busName + ".AddMatch", args: []any{rules[1]}}
	shown := &request{path: path, method: promptInterface + ".Prompt", args: []any{""}}
	err := c.bus.exchange(ctx, completed, owner, shown)
	if err = cmp.Or(err, completed.err, owner.err, shown.err); err != nil {
		return err
	}
	if err := c.bus.await(ctx, done); err != nil {
		return err
	}
	for _, rule := range rules {
		if err := c.bus.queue(&request{path: busPath, method: busName + ".RemoveMatch", args: []any{rule}}); err != nil {
			return err
		}
	}
	return nil
}

// answerOf reads the signal Completed: whether the prompt was dismissed, and its result.
func answerOf(outcome []any) (dbus.Variant, error) {
	r := &request{method: promptInterface + ".Completed", body: outcome}
	dismissed, err := field[bool](r, 0)
	if err == nil && dismissed {
		err = &Error{Locked, errDismissed}
	}
	if err != nil {
		return dbus.Variant{}, err
	}
	return field[dbus.Variant](r, 1)
}
