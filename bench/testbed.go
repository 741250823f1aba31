//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/authctl/authctl/internal/secretservicetest"
)

// patience bounds the waits for the sandbox.
const patience = 20 * time.Second

// A testbed is everything that is measured in: programs, a keyring, a sandbox and its configuration.
type testbed struct {
	dir     string
	session *secretservicetest.Session
	sandbox *exec.Cmd

	authctl, empty, peak string
	// url is the sandbox's, config its configuration.
	url, config string
	// clientID and secret are the talkdesk profile's.
	clientID, secret string
	scopes           []string
	storeKey         string
}

// newTestbed sets a testbed up. authctl is the program to measure; empty means that one is built.
func newTestbed(ctx context.Context, authctl string) (_ *testbed, err error) {
	r := &testbed{authctl: authctl}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close())
		}
	}()
	if r.dir, err = os.MkdirTemp("", "authctl-bench-"); err != nil {
		return nil, err
	}
	if err := r.buildAll(ctx); err != nil {
		return nil, err
	}
	if r.session, err = secretservicetest.New(); err != nil {
		return nil, fmt.Errorf("starting a Secret Service: %w", err)
	}
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, err
	}
	r.storeKey = identity.String()
	if err := r.startSandbox(); err != nil {
		return nil, fmt.Errorf("starting the sandbox: %w", err)
	}
	return r, r.readProfile()
}

func (r *testbed) buildAll(ctx context.Context) (err error) {
	if r.empty, err = buildSource(ctx, r.dir, "empty", emptySource); err != nil {
		return err
	}
	if r.peak, err = buildSource(ctx, r.dir, "peak", peakSource); err != nil {
		return err
	}
	if r.authctl == "" {
		r.authctl, err = buildAuthctl(ctx, r.dir)
		return err
	}
	r.authctl, err = filepath.Abs(r.authctl)
	return err
}

// startSandbox runs the sandbox as a process of its own, as a user would.
func (r *testbed) startSandbox() error {
	r.config = filepath.Join(r.dir, "sandbox.yaml")
	cmd := exec.Command(r.authctl, "sandbox", "serve", "--config-out", r.config) //nolint:noctx // close interrupts it
	cmd.Env = r.env("memory")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	r.sandbox = cmd
	giveUp := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer giveUp.Stop()
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if _, url, ok := strings.Cut(lines.Text(), "sandbox ready at "); ok {
			r.url = strings.TrimSpace(url)
			go func() { _, _ = io.Copy(io.Discard, stderr) }()
			return nil
		}
	}
	return errors.New("it ended, or took too long, before it was ready")
}

// readProfile takes what curl needs to know out of the sandbox's talkdesk profile.
func (r *testbed) readProfile() error {
	block, err := r.profile()
	if err != nil {
		return err
	}
	for line := range strings.Lines(block) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		value = strings.Trim(value, `"`)
		switch {
		case key == "client_id":
			r.clientID = value
		case key == "client_secret":
			name := filepath.Join(filepath.Dir(r.config), strings.TrimPrefix(value, "file:"))
			text, err := os.ReadFile(name)
			if err != nil {
				return fmt.Errorf("reading the sandbox's client secret: %w", err)
			}
			r.secret = strings.TrimSpace(string(text))
		case strings.HasPrefix(key, "- "):
			r.scopes = append(r.scopes, strings.Trim(key[2:], `"`))
		}
	}
	if r.clientID == "" || r.secret == "" || len(r.scopes) == 0 {
		return fmt.Errorf("the profile talkdesk in %s has no client_id, client_secret or scopes", r.config)
	}
	return nil
}

// profile returns the lines of the talkdesk profile in the sandbox's configuration, less the line that names it.
func (r *testbed) profile() (string, error) {
	text, err := os.ReadFile(r.config)
	if err != nil {
		return "", err
	}
	_, block, ok := strings.Cut(string(text), "\n  talkdesk:\n")
	if !ok {
		return "", fmt.Errorf("%s has no profile talkdesk", r.config)
	}
	var b strings.Builder
	for line := range strings.Lines(block) {
		if !strings.HasPrefix(line, "    ") {
			break
		}
		b.WriteString(line)
	}
	return b.String(), nil
}

// env is the environment in which authctl uses one of the stores of this testbed.
func (r *testbed) env(store string) []string {
	return append(append(clean(), r.session.Env()...),
		"AUTHCTL_CONFIG="+r.config,
		"AUTHCTL_STORE="+store,
		"AUTHCTL_STORE_DIR="+filepath.Join(r.dir, "store"),
		"AUTHCTL_STORE_KEY="+r.storeKey,
		"AUTHCTL_RUNTIME_DIR="+filepath.Join(r.dir, "run"),
	)
}

// tokenRequests returns how often the talkdesk token endpoint was asked.
func (r *testbed) tokenRequests(ctx context.Context) (int, error) {
	var log struct {
		Requests []struct {
			Service string `json:"service"`
		} `json:"requests"`
	}
	if err := r.control(ctx, http.MethodGet, "requests", "", &log); err != nil {
		return 0, err
	}
	n := 0
	for _, request := range log.Requests {
		if request.Service == "talkdesk" {
			n++
		}
	}
	return n, nil
}

// control asks the sandbox itself; into may be nil.
func (r *testbed) control(ctx context.Context, method, page, body string, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, r.url+"/_sandbox/"+page, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := (&http.Client{Timeout: patience}).Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the sandbox answered %s %s with status %d", method, page, resp.StatusCode)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// close ends what runs and removes what was made. A testbed that is only half set up may be closed.
func (r *testbed) close() error {
	if r.sandbox != nil {
		_ = r.sandbox.Process.Signal(os.Interrupt)
		giveUp := time.AfterFunc(patience, func() { _ = r.sandbox.Process.Kill() })
		_ = r.sandbox.Wait()
		giveUp.Stop()
	}
	if r.session != nil {
		r.session.Close()
	}
	if r.dir == "" {
		return nil
	}
	return os.RemoveAll(r.dir)
}
