//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	profileName  = "talkdesk"
	manyProfiles = 1000
	crowdSize    = 50
	crowdDelay   = 300 * time.Millisecond
)

// comparisons lists what is measured, and against what.
func (r *testbed) comparisons(ctx context.Context) ([]comparison, error) {
	secretTool, err := exec.LookPath("secret-tool")
	if err != nil {
		return nil, err
	}
	digest, err := r.storedDigest(ctx, secretTool)
	if err != nil {
		return nil, err
	}
	curl, err := r.curl()
	if err != nil {
		return nil, err
	}
	forget := func(ctx context.Context) error {
		_, err := capture(ctx, r.env("keyring"), secretTool, "clear", "service", "authctl", "username", digest)
		return err
	}
	lookup := side{
		name: "secret-tool lookup", argv: []string{secretTool, "lookup", "service", "authctl", "username", digest},
		env: r.env("keyring"), check: notEmpty,
	}
	start := side{name: "authctl version", argv: []string{r.authctl, "version"}, env: r.env("memory"), check: notEmpty}
	empty := side{name: "an empty Go program", argv: []string{r.empty}, env: r.env("memory")}
	profiles, err := r.manyProfiles()
	if err != nil {
		return nil, err
	}
	return []comparison{
		{
			title: "a cached token from the keyring", ours: r.get("keyring", nil), theirs: lookup,
			maxRatio: 0.60, maxPeak: 12 * 1024,
		},
		{
			title: "a new token, no cache", ours: r.get("keyring", nil, "--no-cache"), theirs: curl,
			maxRatio: 1.0,
		},
		{
			title: "a new token, keyring read and written", ours: r.get("keyring", forget), theirs: curl,
			maxRatio: 1.6,
		},
		{title: "start-up", ours: start, theirs: empty, maxMore: 2 * time.Millisecond},
		{
			title:   fmt.Sprintf("a cached token, %d profiles in the file instead of one", manyProfiles),
			ours:    profiles[1],
			theirs:  profiles[0],
			maxMore: 3 * time.Millisecond,
		},
	}, nil
}

// get is `authctl token get` on a store.
func (r *testbed) get(store string, before func(context.Context) error, flags ...string) side {
	return side{
		name:   strings.Join(append([]string{"authctl token get"}, flags...), " "),
		argv:   append([]string{r.authctl, "token", "get", profileName}, flags...),
		env:    r.env(store),
		before: before,
		check:  notEmpty,
	}
}

func notEmpty(output string) error {
	if strings.TrimSpace(output) == "" {
		return errors.New("it printed nothing")
	}
	return nil
}

// storedDigest has a token stored in the keyring and returns the account it is stored under, which the Secret Service
// calls the attribute username.
func (r *testbed) storedDigest(ctx context.Context, secretTool string) (string, error) {
	if _, err := capture(ctx, r.env("keyring"), r.authctl, "token", "get", profileName); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, secretTool, "search", "--all", "service", "authctl")
	cmd.Env = r.env("keyring")
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

// curl asks the endpoint that the profile's tokens come from, in the same words.
func (r *testbed) curl() (side, error) {
	path, err := exec.LookPath("curl")
	if err != nil {
		return side{}, err
	}
	return side{
		name: "curl",
		argv: []string{
			path, "--disable", "--silent", "--show-error", "--fail", "--user", r.clientID + ":" + r.secret,
			"--data", "grant_type=client_credentials", "--data-urlencode", "scope=" + strings.Join(r.scopes, " "),
			r.url + "/oauth/token",
		},
		env: clean(),
		check: func(output string) error {
			if !strings.Contains(output, `"access_token"`) {
				return errors.New("the sandbox gave it no token")
			}
			return nil
		},
	}, nil
}

// manyProfiles returns two sides that differ in the number of profiles only: one, and a thousand.
func (r *testbed) manyProfiles() ([2]side, error) {
	block, err := r.profile()
	if err != nil {
		return [2]side{}, err
	}
	var sides [2]side
	for i, n := range []int{1, manyProfiles} {
		var b strings.Builder
		b.WriteString("profiles:\n")
		for j := range n - 1 {
			fmt.Fprintf(&b, "  other-%04d:\n%s", j, block)
		}
		fmt.Fprintf(&b, "  %s:\n%s", profileName, block)
		// Beside the sandbox's own, because the secrets' paths are relative to it.
		name := filepath.Join(filepath.Dir(r.config), fmt.Sprintf("profiles-%d.yaml", n))
		if err := os.WriteFile(name, []byte(b.String()), 0o600); err != nil {
			return [2]side{}, err
		}
		sides[i] = r.get("file", nil)
		sides[i].name = fmt.Sprintf("%d in the file", n)
		sides[i].env = append(sides[i].env, "AUTHCTL_CONFIG="+name)
	}
	return sides, nil
}

// A crowdResult is what many processes at once cost, each time on a cold cache.
type crowdResult struct {
	store string
	// times are from the first start to the last end.
	times []time.Duration
	// requests are those that reached the token endpoint, each time.
	requests []int
}

// crowd starts 50 processes at once on an empty store while the endpoint takes 300 ms to answer.
func (r *testbed) crowd(ctx context.Context, store string, times int) (crowdResult, error) {
	result := crowdResult{store: store}
	fault := fmt.Sprintf(`{"service":"talkdesk","delay_ms":%d}`, crowdDelay.Milliseconds())
	if err := r.control(ctx, http.MethodPost, "faults", fault, nil); err != nil {
		return result, err
	}
	for range times {
		if err := r.empties(ctx, store); err != nil {
			return result, err
		}
		before, err := r.tokenRequests(ctx)
		if err != nil {
			return result, err
		}
		begin := time.Now()
		if err := r.startAll(ctx, store); err != nil {
			return result, err
		}
		result.times = append(result.times, time.Since(begin))
		after, err := r.tokenRequests(ctx)
		if err != nil {
			return result, err
		}
		result.requests = append(result.requests, after-before)
	}
	return result, r.control(ctx, http.MethodDelete, "faults", "", nil)
}

// empties forgets every token of a store.
func (r *testbed) empties(ctx context.Context, store string) error {
	if store == "file" {
		return os.RemoveAll(filepath.Join(r.dir, "store"))
	}
	// secret-tool exits with 1 when there was nothing to clear.
	_, _ = capture(ctx, r.env(store), "secret-tool", "clear", "service", "authctl")
	return nil
}

// startAll runs the crowd; all must print the same token.
func (r *testbed) startAll(ctx context.Context, store string) error {
	outputs, failures := make([]string, crowdSize), make([]error, crowdSize)
	var wg sync.WaitGroup
	for i := range crowdSize {
		wg.Go(func() {
			outputs[i], failures[i] = capture(ctx, r.env(store), r.authctl, "token", "get", profileName)
		})
	}
	wg.Wait()
	if err := errors.Join(failures...); err != nil {
		return err
	}
	for _, output := range outputs {
		if output != outputs[0] || strings.TrimSpace(output) == "" {
			return errors.New("the processes did not all print the same token")
		}
	}
	return nil
}
