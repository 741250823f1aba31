//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// An outcome is what became of one runner.
type outcome struct {
	begin, end time.Time
	code       int
	// source is where its token came from: cache, refreshed or issued; token tells two of them apart.
	source, token string
	// said is what it wrote on stderr.
	said string
	// processor is the time that the machine's processors worked for it.
	processor time.Duration
}

func (o outcome) took() time.Duration { return o.end.Sub(o.begin) }

// A job is what runners do: a command of authctl with a store.
type job struct {
	store string
	args  []string
	env   []string
}

// get is a job that wants a token.
func get(store, profile string, args ...string) job {
	return job{store: store, args: append([]string{"token", "get", profile, "-o", "json"}, args...)}
}

// machine makes the directories of a machine that nobody has used, and returns the variables that name them.
func (g *ground) machine() (home string, env []string, err error) {
	if home, err = os.MkdirTemp(g.machines, ""); err != nil {
		return "", nil, err
	}
	for name, variable := range map[string]string{"run": "XDG_RUNTIME_DIR", "state": "XDG_STATE_HOME"} {
		dir := filepath.Join(home, name)
		env = append(env, variable+"="+dir)
		err = errors.Join(err, os.Mkdir(dir, 0o700))
	}
	return home, append(env, "HOME="+home, "AUTHCTL_RUNTIME_DIR="+filepath.Join(home, "run", "authctl")), err
}

// one runs a job on a machine of its own.
func (g *ground) one(ctx context.Context, j job) (o outcome, err error) {
	home, env, err := g.machine()
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(home)) }()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, g.authctl, j.args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(append(env, g.env(j.store)...), j.env...), &stdout, &stderr
	o.begin = time.Now()
	err = cmd.Run()
	o.end = time.Now()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		return o, err
	}
	o.code, o.said = cmd.ProcessState.ExitCode(), strings.TrimSpace(stderr.String())
	o.processor = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return o, o.read(stdout.Bytes())
}

// read takes a token in the format json; other output is none.
func (o *outcome) read(printed []byte) error {
	var token struct {
		Token  string `json:"access_token"`
		Source string `json:"source"`
	}
	if !bytes.HasPrefix(printed, []byte("{")) {
		return nil
	}
	if err := json.Unmarshal(printed, &token); err != nil {
		return fmt.Errorf("reading what a runner printed: %w", err)
	}
	digest := sha256.Sum256([]byte(token.Token))
	o.source, o.token = token.Source, hex.EncodeToString(digest[:8])
	return nil
}

// together runs n runners, so many at a time; each is given its number and says what it does.
func (g *ground) together(ctx context.Context, n, atATime int, what func(i int) job) ([]outcome, error) {
	outcomes, failures := make([]outcome, n), make([]error, n)
	slots := make(chan struct{}, atATime)
	var wg sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			outcomes[i], failures[i] = g.one(ctx, what(i))
		})
	}
	wg.Wait()
	return outcomes, errors.Join(failures...)
}

// stream starts a runner every so often for a while, however many still run.
func (g *ground) stream(ctx context.Context, every, long time.Duration, j job) ([]outcome, error) {
	var (
		wg       sync.WaitGroup
		mu       sync.Mutex
		outcomes []outcome
		failures []error
	)
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	for end := time.Now().Add(long); time.Now().Before(end) && ctx.Err() == nil; <-ticks.C {
		wg.Go(func() {
			o, err := g.one(ctx, j)
			mu.Lock()
			defer mu.Unlock()
			outcomes, failures = append(outcomes, o), append(failures, err)
		})
	}
	wg.Wait()
	return outcomes, errors.Join(failures...)
}
