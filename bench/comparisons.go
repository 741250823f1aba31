//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"github.com/authctl/authctl/bench/lab"
)

const (
	profileName = "talkdesk"
	emptyName   = "an empty Go program"
	versionName = "authctl version"
	curlName    = "curl"
	// floorName is a Go program that reads the record from the keyring and does nothing else.
	floorName = "four D-Bus calls from Go"
)

// warmName is the row of a token that a store has.
func warmName(store string) string { return "authctl, " + store }

// comparisons lists what is measured in turns. Each is set up when it is its turn: a new token is measured by
// forgetting those that were kept.
func (b *testbed) comparisons() []func(ctx context.Context, quick bool) (comparison, error) {
	return []func(context.Context, bool) (comparison, error){b.warm, b.start, b.cold, b.profiles, b.sizes}
}

// warm is a token that is kept, beside what others keep.
func (b *testbed) warm(ctx context.Context, _ bool) (comparison, error) {
	c := comparison{id: "warm", title: "a kept token", targets: []target{
		{row: warmName("keyring"), against: secretTool, unit: ratio, most: 0.45},
		{row: warmName("kernel"), against: secretTool, unit: ratio, most: 0.30},
		{row: warmName("file"), against: secretTool, unit: ratio, most: 0.30},
		{row: warmName("keyring"), unit: peak, most: 12},
	}}
	for _, store := range b.stores {
		s := b.get(store)
		s.name = warmName(store)
		c.subjects = append(c.subjects, s)
	}
	c.subjects = append(c.subjects, subject{
		name: floorName, argv: []string{b.bus, b.digest}, env: b.env("keyring"), check: notEmpty,
	})
	c.subjects = append(c.subjects, b.setPeers(ctx)...)
	return c, nil
}

// start is what comes before anything is read.
func (b *testbed) start(context.Context, bool) (comparison, error) {
	return comparison{
		id: "start", title: "start-up",
		subjects: []subject{
			{name: emptyName, argv: []string{b.empty}, env: b.env("memory")},
			{name: versionName, argv: []string{b.authctl, "version"}, env: b.env("memory"), check: notEmpty},
		},
		targets: []target{{row: versionName, against: emptyName, unit: ratio, most: 2.2}},
	}, nil
}

// cold is a token that has to be asked for, beside curl that asks in the same words.
func (b *testbed) cold(context.Context, bool) (comparison, error) {
	curl, err := b.curl()
	if err != nil {
		return comparison{}, err
	}
	uncached := b.get("keyring", "--no-cache")
	uncached.name = "authctl token get --no-cache"
	c := comparison{id: "cold", title: "a new token", subjects: []subject{curl, uncached}, targets: []target{
		{row: "authctl, keyring read and written", against: curlName, unit: ratio, most: 1.5},
		{row: "authctl, kernel read and written", against: curlName, unit: ratio, most: 1.0},
		{row: uncached.name, against: curlName, unit: ratio, most: 1.0},
	}}
	for _, store := range b.stores {
		s := b.get(store)
		s.name = warmName(store) + " read and written"
		s.before = func(ctx context.Context) error { return b.empties(ctx, store) }
		c.subjects = append(c.subjects, s)
	}
	return c, nil
}

// sizes is a kept token of several sizes. Each has a scope of its own, so that all are kept at once.
func (b *testbed) sizes(ctx context.Context, _ bool) (comparison, error) {
	c := comparison{id: "sizes", title: "a kept token of several sizes"}
	for i, size := range []int{1 << 10, 4 << 10, 16 << 10} {
		scope := append(slices.Clip(b.scopes), strings.Join(b.scopes, ","))[i]
		token := strings.Repeat("x", size)
		fault := fmt.Sprintf(`{"service":%q,"extra":{"access_token":%q}}`, profileName, token)
		if err := b.Fault(ctx, fault); err != nil {
			return c, err
		}
		for _, store := range b.stores {
			// The token of the sandbox is there already for all scopes.
			if _, err := capture(ctx, b.env(store), b.authctl, "token", "get", profileName, "--scope", scope,
				"--force-refresh"); err != nil {
				return c, err
			}
			s := b.get(store, "--scope", scope)
			s.name, s.size = fmt.Sprintf("authctl, %s, %d KiB", store, size>>10), size
			s.check = func(output string) error {
				if strings.TrimSpace(output) != token {
					return errors.New("it printed another token")
				}
				return nil
			}
			c.subjects = append(c.subjects, s)
		}
	}
	return c, b.NoFaults(ctx)
}

// get is `authctl token get` on a store.
func (b *testbed) get(store string, flags ...string) subject {
	return subject{
		argv:  append([]string{b.authctl, "token", "get", profileName}, flags...),
		env:   b.env(store),
		check: notEmpty,
	}
}

// curl asks the endpoint that the profile's tokens come from, in the same words.
func (b *testbed) curl() (subject, error) {
	path, err := exec.LookPath("curl")
	if err != nil {
		return subject{}, err
	}
	return subject{
		name: curlName,
		argv: []string{
			path, "--disable", "--silent", "--show-error", "--fail", "--user", b.clientID + ":" + b.secret,
			"--data", "grant_type=client_credentials", "--data-urlencode", "scope=" + strings.Join(b.scopes, " "),
			b.URL + "/oauth/token",
		},
		env: lab.Environment(),
		check: func(output string) error {
			if !strings.Contains(output, `"access_token"`) {
				return errors.New("the sandbox gave it no token")
			}
			return nil
		},
	}, nil
}
