package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/redistest"
	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/secretservicetest"
	"github.com/authctl/authctl/internal/testneed"
)

// patience bounds every wait for a process. It is no expectation: it turns a hang into a failure.
const patience = 90 * time.Second

// release is the program built as it is released: testscript's own copy of it is a test binary, which starts
// slower, is instrumented under -race, and is no good for counting processes.
type release struct {
	once sync.Once
	dir  string
	err  error
}

var built release

func (r *release) build() {
	if r.dir, r.err = os.MkdirTemp("", "authctl-release-"); r.err != nil {
		return
	}
	cmd := exec.Command("go", "build", "-o", r.path(), ".") //nolint:noctx // all tests share it
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		r.err = fmt.Errorf("%w: %s", err, said)
	}
}

func (r *release) path() string {
	name := "authctl"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(r.dir, name)
}

// binary returns the path of the built program.
func binary(t testing.TB) string {
	t.Helper()
	built.once.Do(built.build)
	if built.err != nil {
		t.Fatalf("building the program: %v", built.err)
	}
	return built.path()
}

// cleaned runs the tests and removes what they share.
type cleaned struct{ *testing.M }

// Run runs the tests; see testing.M.
func (c cleaned) Run() int {
	heedSignals()
	code := c.M.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
	return code
}

// heedSignals has the tests' processes start with the signals' default actions, whatever whoever runs the tests has this
// process ignore, as nohup and the background jobs of scripts do: what is caught is not inherited.
func heedSignals() {
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGHUP} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
}

// place is where a test's processes run: a sandbox with its configuration, directories of their own, and nothing of
// whoever runs the tests.
type place struct {
	t      testing.TB
	server *sandbox.Server
	dir    string
	env    []string
	// traces counts the records of requests.
	traces int
	// copied is the path of the program, empty for the one that all tests share, and as is whom it runs as.
	copied string
	as     *syscall.SysProcAttr
	// hidden are secrets beside those that the sandbox knows.
	hidden []string
	// engine is what the place's store is on, nil where that is none that machines share.
	engine *redistest.Engine
}

// newPlace makes a place without a store: see fileStore and keyringStore.
func newPlace(t testing.TB) *place {
	t.Helper()
	p := &place{t: t, dir: t.TempDir(), server: sandbox.New(sandbox.Options{})}
	if err := p.server.Start(""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.server.Close)
	if err := p.server.WriteConfig(p.path("config.yaml")); err != nil {
		t.Fatal(err)
	}
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "AUTHCTL_") && !strings.HasPrefix(entry, "XDG_") {
			p.env = append(p.env, entry)
		}
	}
	for _, name := range []string{"home", "xdg"} {
		if err := os.Mkdir(p.path(name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	p.set("HOME="+p.path("home"), "XDG_RUNTIME_DIR="+p.path("xdg"), "XDG_CONFIG_HOME="+p.path("xdg"),
		"DBUS_SESSION_BUS_ADDRESS=", "DISPLAY=", "WAYLAND_DISPLAY=", "SSH_CONNECTION=", "TERM=dumb",
		"AUTHCTL_CONFIG="+p.path("config.yaml"), "AUTHCTL_RUNTIME_DIR="+p.path("run"), "AUTHCTL_STORE=memory")
	return p
}

// set adds to the environment of the processes to come.
func (p *place) set(entries ...string) { p.env = append(p.env, entries...) }

func (p *place) path(name string) string { return filepath.Join(p.dir, name) }

// fileStore makes the sealed file store the processes' own.
func (p *place) fileStore() {
	p.set("AUTHCTL_STORE=file", "AUTHCTL_STORE_KEY="+fakeStoreKey, "AUTHCTL_STORE_DIR="+p.path("store"))
}

// keyringStore moves the processes into a session with a real Secret Service.
func (p *place) keyringStore() *secretservicetest.Session {
	p.t.Helper()
	session := secretservicetest.Start(p.t)
	p.set(session.Env()...)
	p.set("AUTHCTL_STORE=keyring")
	return session
}

// kernelStore has the kernel keep the key of the processes' files, which are the place's own.
func (p *place) kernelStore() {
	p.t.Helper()
	testneed.Need(p.t, "a kernel that keeps keys", kernelKeys())
	p.set("AUTHCTL_STORE=kernel")
}

// unhurried are an engine's bounds that no busy machine meets, for tests that are not about them.
const unhurried = "connect_timeout=1m&timeout=1m"

// engineStore makes a Redis the processes' store.
func (p *place) engineStore(o redistest.Options) {
	p.t.Helper()
	p.engine = redistest.Start(p.t, o)
	p.set("AUTHCTL_STORE="+p.engine.URL()+"?"+unhurried, "AUTHCTL_STORE_KEY="+fakeStoreKey)
}

// eachStore runs a test in a place with the file store, in one with a real keyring, and on Linux in one with the
// kernel's.
func eachStore(t *testing.T, test func(t *testing.T, p *place)) {
	t.Helper()
	t.Run("file", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t)
		p.fileStore()
		test(t, p)
	})
	t.Run("keyring", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t)
		p.keyringStore()
		test(t, p)
	})
	if runtime.GOOS != "linux" {
		return
	}
	t.Run("kernel", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t)
		p.kernelStore()
		test(t, p)
	})
}

// eachStoreAndEngine is eachStore and a place whose store is a Redis, for tests that keep no refresh token.
func eachStoreAndEngine(t *testing.T, test func(t *testing.T, p *place)) {
	t.Helper()
	eachStore(t, test)
	t.Run("redis", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t)
		p.engineStore(redistest.Options{})
		test(t, p)
	})
}

// running is a running authctl.
type running struct {
	*exec.Cmd
	t              testing.TB
	stdout, stderr bytes.Buffer
}

// outcome is how a process ended.
type outcome struct {
	code           int
	stdout, stderr string
}

// prepare returns a process that is not started yet. It is killed when the test ends, or out of patience.
func (p *place) prepare(args ...string) *running {
	p.t.Helper()
	program := p.copied
	if program == "" {
		program = binary(p.t)
	}
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	p.t.Cleanup(cancel)
	r := &running{Cmd: exec.CommandContext(ctx, program, args...), t: p.t}
	r.Env, r.Dir, r.SysProcAttr = p.env, p.dir, p.as
	r.Cmd.Stdout, r.Cmd.Stderr = &r.stdout, &r.stderr
	// A daemon that inherited the streams would keep Wait waiting.
	r.WaitDelay = 5 * time.Second
	return r
}

// start starts a process.
func (p *place) start(args ...string) *running {
	p.t.Helper()
	r := p.prepare(args...)
	if err := r.Start(); err != nil {
		p.t.Fatal(err)
	}
	return r
}

// end waits for the end of a process.
func (r *running) end() outcome {
	r.t.Helper()
	err := r.Wait()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		r.t.Errorf("%v: %v", r.Args[1:], err)
	}
	return outcome{shellCode(r.ProcessState), r.stdout.String(), r.stderr.String()}
}

// shellCode is the exit code as a shell tells it: 128 and the number of the signal that ended the process.
func shellCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}

// run runs a process to its end.
func (p *place) run(args ...string) outcome {
	p.t.Helper()
	return p.start(args...).end()
}

// atOnce starts n processes and waits for all.
func (p *place) atOnce(n int, args ...string) []outcome {
	p.t.Helper()
	return ends(p.startMany(n, args...))
}

func (p *place) startMany(n int, args ...string) []*running {
	p.t.Helper()
	var all []*running
	for range n {
		all = append(all, p.start(args...))
	}
	return all
}

func ends(all []*running) []outcome {
	var list []outcome
	for _, r := range all {
		list = append(list, r.end())
	}
	return list
}

// fault makes the sandbox misbehave.
func (p *place) fault(f sandbox.Fault) {
	p.t.Helper()
	if err := p.server.AddFault(f); err != nil {
		p.t.Fatal(err)
	}
}

// asked returns how many requests the sandbox has seen.
func (p *place) asked() int { return len(p.server.Requests()) }

// awaitRequests waits until the sandbox has seen n requests.
func (p *place) awaitRequests(n int) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for p.asked() < n {
		select {
		case <-ctx.Done():
			p.t.Fatalf("the sandbox has seen %d requests, want %d", p.asked(), n)
		case <-look.C:
		}
	}
}

// wantRequests requires the number of requests that the sandbox has seen.
func (p *place) wantRequests(least, most int) {
	p.t.Helper()
	if n := p.asked(); n < least || n > most {
		p.t.Errorf("the sandbox has seen %d requests, want %d to %d", n, least, most)
	}
}

// wrongSecret replaces a profile's client secret by one that the sandbox refuses.
func (p *place) wrongSecret(profile string) {
	p.t.Helper()
	path := p.path(filepath.Join("config.secrets", profile+".client_secret"))
	if err := os.WriteFile(path, []byte("fake-and-wrong"), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// wantTokens requires that all processes printed the same token and nothing else, and returns it.
func wantTokens(t testing.TB, list []outcome) string {
	t.Helper()
	first := ""
	for i, o := range list {
		token := strings.TrimSuffix(o.stdout, "\n")
		if o.code != 0 || o.stderr != "" || token == "" || strings.ContainsAny(token, " \n") {
			t.Errorf("process %d: exit code %d, stderr %q; want one token on stdout alone", i, o.code, o.stderr)
			continue
		}
		if first == "" {
			first = token
		}
		if token != first {
			t.Errorf("process %d printed another token than those before it", i)
		}
	}
	return first
}

// wantFailures requires that all processes ended with code, stdout empty and one error on stderr.
func wantFailures(t testing.TB, code int, list []outcome) {
	t.Helper()
	for i, o := range list {
		if o.code != code || o.stdout != "" || strings.Count(o.stderr, "authctl: error: ") != 1 {
			t.Errorf("process %d: exit code %d, %d bytes on stdout, stderr %q; want code %d, none, one error",
				i, o.code, len(o.stdout), o.stderr, code)
		}
	}
}
