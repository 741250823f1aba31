//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/authctl/authctl/bench/lab"
	"github.com/authctl/authctl/internal/secretservicetest"
)

// A testbed is everything that is measured in: programs, a keyring, a sandbox and its configuration.
type testbed struct {
	*lab.Sandbox
	dir     string
	session *secretservicetest.Session
	closers []func() error

	authctl, empty, runner, bus string
	// profile has the lines of the talkdesk profile in the sandbox's configuration.
	profile string
	// clientID and secret are the talkdesk profile's.
	clientID, secret string
	scopes           []string
	storeKey         string

	// stores are those that can be used here.
	stores []string
	// token is the one that is kept, digest the name of its record in the keyring.
	token, digest string
	// versions are those of the peers, unmeasured says what cannot be measured, and why.
	versions, unmeasured []string
}

// newTestbed sets a testbed up. authctl is the program to measure; empty means that one is built.
func newTestbed(ctx context.Context, authctl string) (_ *testbed, err error) {
	b := &testbed{authctl: authctl}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	if b.dir, err = os.MkdirTemp("", "authctl-bench-"); err != nil {
		return nil, err
	}
	b.onClose(func() error { return os.RemoveAll(b.dir) })
	if err := b.buildAll(ctx); err != nil {
		return nil, err
	}
	if b.session, err = secretservicetest.New(); err != nil {
		return nil, fmt.Errorf("starting a Secret Service: %w", err)
	}
	b.onClose(func() error { b.session.Close(); return nil })
	if b.storeKey, err = lab.StoreKey(); err != nil {
		return nil, err
	}
	if err := b.startSandbox(); err != nil {
		return nil, fmt.Errorf("starting the sandbox: %w", err)
	}
	if err := b.readProfile(); err != nil {
		return nil, err
	}
	return b, b.keepToken(ctx)
}

func (b *testbed) buildAll(ctx context.Context) (err error) {
	for name, source := range map[string]string{"empty": emptySource, "runner": runnerSource, "bus": busSource} {
		if _, err := buildSource(ctx, b.dir, name, source); err != nil {
			return err
		}
	}
	b.empty, b.runner, b.bus = filepath.Join(b.dir, "empty"), filepath.Join(b.dir, "runner"), filepath.Join(b.dir, "bus")
	b.authctl, err = lab.BuildAuthctl(ctx, b.dir, b.authctl)
	return err
}

// startSandbox runs the sandbox as a process of its own, as a user would.
func (b *testbed) startSandbox() (err error) {
	if b.Sandbox, err = lab.StartSandbox(b.authctl, b.dir, b.session.Env()); err != nil {
		return err
	}
	b.onClose(b.Sandbox.Close)
	return nil
}

// readProfile takes the talkdesk profile out of the sandbox's configuration, and what curl needs to know out of that.
func (b *testbed) readProfile() error {
	text, err := os.ReadFile(b.Config)
	if err != nil {
		return err
	}
	_, block, _ := strings.Cut(string(text), "\n  "+profileName+":\n")
	for line := range strings.Lines(block) {
		if !strings.HasPrefix(line, "    ") {
			break
		}
		b.profile += line
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		value = strings.Trim(value, `"`)
		switch {
		case key == "client_id":
			b.clientID = value
		case key == "client_secret":
			name := filepath.Join(filepath.Dir(b.Config), strings.TrimPrefix(value, "file:"))
			text, err := os.ReadFile(name)
			if err != nil {
				return fmt.Errorf("reading the sandbox's client secret: %w", err)
			}
			b.secret = strings.TrimSpace(string(text))
		case strings.HasPrefix(key, "- "):
			b.scopes = append(b.scopes, strings.Trim(key[2:], `"`))
		}
	}
	if b.clientID == "" || b.secret == "" || len(b.scopes) < 2 {
		return fmt.Errorf("the profile %s in %s has no client_id, client_secret or two scopes", profileName, b.Config)
	}
	return nil
}

// keepToken has a token kept in each store that can be used here. The keyring and the file must be among them.
func (b *testbed) keepToken(ctx context.Context) error {
	for _, store := range []string{"keyring", "kernel", "file"} {
		token, err := capture(ctx, b.env(store), b.authctl, "token", "get", profileName)
		switch {
		case err == nil:
			b.stores, b.token = append(b.stores, store), strings.TrimSpace(token)
		case store == "kernel":
			b.lack(warmName(store), err)
		default:
			return err
		}
	}
	var err error
	b.digest, err = b.storedDigest(ctx)
	return err
}

// storedDigest returns the account that the token is stored under in the keyring, which the Secret Service calls the
// attribute username.
func (b *testbed) storedDigest(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "secret-tool", "search", "--all", "service", "authctl")
	cmd.Env = b.env("keyring")
	// secret-tool prints the attributes on stderr.
	said, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("searching the keyring: %w", err)
	}
	var found []string
	for line := range strings.Lines(string(said)) {
		if _, account, ok := strings.Cut(strings.TrimSpace(line), "attribute.username = "); ok {
			found = append(found, account)
		}
	}
	if len(found) != 1 {
		return "", fmt.Errorf("%d entries of authctl in the keyring after one token, want 1", len(found))
	}
	return found[0], nil
}

// env is the environment in which authctl uses one of the stores of this testbed.
func (b *testbed) env(store string) []string {
	return append(append(lab.Environment(), b.session.Env()...),
		"AUTHCTL_CONFIG="+b.Config,
		"AUTHCTL_STORE="+store,
		"AUTHCTL_STORE_DIR="+b.storeDir(store),
		"AUTHCTL_STORE_KEY="+b.storeKey,
		"AUTHCTL_RUNTIME_DIR="+b.runtimeDir(),
	)
}

func (b *testbed) storeDir(store string) string { return filepath.Join(b.dir, "store-"+store) }

func (b *testbed) runtimeDir() string { return filepath.Join(b.dir, "run") }

// stateDir has the index of the keyring, and the files of the store kernel.
func (b *testbed) stateDir() string { return filepath.Join(b.session.Home(), "state", "authctl") }

// empties forgets the tokens of a store. Its directories stay.
func (b *testbed) empties(ctx context.Context, store string) error {
	if store == "keyring" {
		// secret-tool exits with 1 when there was nothing to clear.
		_, _ = capture(ctx, b.env(store), "secret-tool", "clear", "service", "authctl")
		return nil
	}
	for _, dir := range []string{b.storeDir(store), b.stateDir()} {
		for _, name := range filesBelow(dir) {
			if err := os.Remove(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// filesBelow lists the files below some directories, which need not be there.
func filesBelow(dirs ...string) (names []string) {
	for _, dir := range dirs {
		_ = filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				names = append(names, name)
			}
			return nil
		})
	}
	return names
}

// file writes a file into the testbed and returns its path.
func (b *testbed) file(name, text string) (string, error) {
	path := filepath.Join(b.dir, name)
	return path, os.WriteFile(path, []byte(text), 0o600)
}

// lack notes what cannot be measured, and why.
func (b *testbed) lack(what string, err error) {
	reason := strings.ReplaceAll(err.Error(), b.dir+string(filepath.Separator), "")
	reason, _, _ = strings.Cut(strings.TrimPrefix(reason, what+": "), "\nauthctl: hint:")
	reason = strings.Join(strings.Fields(reason), " ")
	b.unmeasured = append(b.unmeasured, what+": "+reason)
}

func (b *testbed) onClose(f func() error) { b.closers = append(b.closers, f) }

// close ends what runs and removes what was made. A testbed that is only half set up may be closed.
func (b *testbed) close() error {
	var errs []error
	for _, f := range slices.Backward(b.closers) {
		errs = append(errs, f())
	}
	b.closers = nil
	return errors.Join(errs...)
}
