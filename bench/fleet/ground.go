//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/authctl/authctl/bench/lab"
	"github.com/authctl/authctl/internal/redistest"
)

const (
	// profileName is the profile that most runners use, limitedName one whose service takes a request a second.
	profileName = "talkdesk"
	limitedName = "qmatic"
)

// A ground is what a fleet is measured on: one engine, one service behind a gate, and room for machines.
type ground struct {
	*lab.Sandbox
	gate   *gate
	engine *redistest.Engine
	idle   load

	dir, machines, authctl, config, storeKey string
	closers                                  []func() error
}

// newGround sets a ground up. authctl is the program to measure; empty means that one is built.
func newGround(ctx context.Context, authctl string) (_ *ground, err error) {
	g := &ground{}
	defer func() {
		if err != nil {
			err = errors.Join(err, g.close())
		}
	}()
	if g.dir, err = os.MkdirTemp("", "authctl-fleet-"); err != nil {
		return nil, err
	}
	g.onClose(func() error { return os.RemoveAll(g.dir) })
	g.machines = filepath.Join(g.dir, "machines")
	if err := os.Mkdir(g.machines, 0o700); err != nil {
		return nil, err
	}
	if g.storeKey, err = lab.StoreKey(); err != nil {
		return nil, err
	}
	if g.authctl, err = lab.BuildAuthctl(ctx, g.dir, authctl); err != nil {
		return nil, err
	}
	if err := g.startService(); err != nil {
		return nil, fmt.Errorf("starting the sandbox: %w", err)
	}
	return g, g.startEngine()
}

// startService starts the sandbox, a gate in front of it, and writes a configuration that leads through the gate.
func (g *ground) startService() (err error) {
	_, home, err := g.machine()
	if err != nil {
		return err
	}
	if g.Sandbox, err = lab.StartSandbox(g.authctl, g.dir, home); err != nil {
		return err
	}
	g.onClose(g.Sandbox.Close)
	if g.gate, err = newGate(strings.TrimPrefix(g.URL, "http://")); err != nil {
		return err
	}
	g.onClose(g.gate.close)
	text, err := os.ReadFile(g.Config)
	if err != nil {
		return err
	}
	// Beside the sandbox's own, because the paths of secrets are relative to it.
	g.config = filepath.Join(g.dir, "fleet.yaml")
	through := strings.ReplaceAll(string(text), g.URL, "http://"+g.gate.address)
	return os.WriteFile(g.config, []byte(through), 0o600)
}

func (g *ground) startEngine() (err error) {
	dir := filepath.Join(g.dir, "engine")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if g.engine, err = redistest.New(dir, redistest.Options{}); err != nil {
		return fmt.Errorf("starting redis-server: %w", err)
	}
	g.onClose(func() error { g.engine.Kill(); return nil })
	return g.weigh()
}

// env is what all machines have in common: the configuration of the pipeline, the store and its key.
func (g *ground) env(store string) []string {
	place := store
	if store == "redis" {
		place = g.engine.URL()
	}
	env := append(lab.Environment(),
		"CI=true", "AUTHCTL_CONFIG="+g.config, "AUTHCTL_STORE="+place, "AUTHCTL_STORE_KEY="+g.storeKey)
	if store == "file" {
		// The machines share a directory and its locks: they are users of one machine then.
		env = append(env, "AUTHCTL_STORE_DIR="+filepath.Join(g.dir, "tokens"),
			"AUTHCTL_RUNTIME_DIR="+filepath.Join(g.dir, "locks"))
	}
	return env
}

// forget empties the stores.
func (g *ground) forget() error {
	if _, err := g.engine.Do("FLUSHALL"); err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(g.dir, "tokens"))
}

// version is the engine's.
func (g *ground) version() (string, error) {
	answer, err := g.engine.Do("INFO", "server")
	_, version, _ := strings.Cut(fmt.Sprint(answer), "redis_version:")
	version, _, _ = strings.Cut(version, "\r")
	return "redis-server " + version, err
}

// scopes names some scopes of the service, each of which makes another token.
func (g *ground) scopes(ctx context.Context, n int) ([]string, error) {
	text, err := exec.CommandContext(ctx, g.authctl, "scopes", "list", profileName, "-o", "json").Output()
	if err != nil {
		return nil, fmt.Errorf("listing scopes: %w", err)
	}
	var list struct {
		Scopes []struct {
			Name string `json:"scope"`
		} `json:"scopes"`
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("listing scopes: %w", err)
	}
	var names []string
	for _, scope := range list.Scopes {
		names = append(names, scope.Name)
	}
	if len(names) < n {
		return nil, fmt.Errorf("the service has %d scopes, want %d", len(names), n)
	}
	return names[:n], nil
}

func (g *ground) onClose(f func() error) { g.closers = append(g.closers, f) }

// close ends what runs and removes what was made. A ground that is only half set up may be closed.
func (g *ground) close() error {
	var errs []error
	for _, f := range slices.Backward(g.closers) {
		errs = append(errs, f())
	}
	g.closers = nil
	return errors.Join(errs...)
}
