package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/authctl/authctl/internal/redistest"
	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/secretservicetest"
	"github.com/authctl/authctl/internal/testneed"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(cleaned{m}, programs())
}

// TestScripts runs the scripts of testdata/script, each with a sandbox, a
// configuration and directories of its own. A script's name says what it shows.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		Setup:               furnish,
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    exits,
			"requests": requests,
			"fault":    fault,
			"nofaults": nofaults,
			"tampered": tampered,
			"nosecret": noSecret,
			"har":      har,
			"witness":  witness,
			"keyring":  keyring,
			"lock":     lockKeyring,
			"bus":      bus,
			"redis":    redis,
		},
		Condition: condition,
	})
}

// condition knows [userbus]: a session bus where a program without
// DBUS_SESSION_BUS_ADDRESS finds it, which no script may touch; [kernelkeys]: a kernel that keeps keys; and [root].
func condition(name string) (bool, error) {
	if name == "root" {
		return os.Geteuid() == 0, nil
	}
	if name == "kernelkeys" {
		return kernelKeys() == nil, nil
	}
	if name != "userbus" {
		return false, fmt.Errorf("no condition is named %s", name)
	}
	_, err := os.Stat(filepath.Join("/run/user", strconv.Itoa(os.Getuid()), "bus"))
	return err == nil, nil
}

// world is what a script has beside its directory.
type world struct {
	server  *sandbox.Server
	session *secretservicetest.Session
	// engines are the Redis servers, by the variables that have their addresses.
	engines map[string]*redistest.Engine
	// looked is how many requests of each service have been looked at.
	looked map[string]int
	// seen counts the requests that reached the witness.
	seen atomic.Int32
}

type worldKey struct{}

// furnish gives a script a sandbox with its profiles in sandbox.yaml, a sealed file
// store and nothing of the user who runs the tests. The configuration is the script's
// own config.yaml, where it has one.
func furnish(env *testscript.Env) error {
	// Else each program that the race detector looks at waits a second at its end.
	if options, ok := os.LookupEnv("GORACE"); ok {
		env.Setenv("GORACE", options)
	}
	w := &world{server: sandbox.New(sandbox.Options{}), looked: map[string]int{}, engines: map[string]*redistest.Engine{}}
	if err := w.server.Start("127.0.0.1:0"); err != nil {
		return err
	}
	env.Defer(w.server.Close)
	env.Values[worldKey{}] = w
	profiles := filepath.Join(env.WorkDir, "sandbox.yaml")
	if err := w.server.WriteConfig(profiles); err != nil {
		return err
	}
	config := filepath.Join(env.WorkDir, "config.yaml")
	if _, err := os.Stat(config); err != nil {
		config = profiles
	}
	home := filepath.Join(env.WorkDir, "home")
	if err := os.MkdirAll(filepath.Join(home, "xdg"), 0o700); err != nil {
		return err
	}
	for name, value := range map[string]string{
		"SANDBOX_URL":         w.server.URL(),
		"AUTHCTL_CONFIG":      config,
		"AUTHCTL_STORE":       "file",
		"AUTHCTL_STORE_KEY":   fakeStoreKey,
		"AUTHCTL_STORE_DIR":   filepath.Join(env.WorkDir, "store"),
		"AUTHCTL_RUNTIME_DIR": filepath.Join(env.WorkDir, "run"),
		"HOME":                home,
		"XDG_CONFIG_HOME":     filepath.Join(home, "xdg"),
		"XDG_RUNTIME_DIR":     filepath.Join(home, "xdg"),
		"TERM":                "dumb",
	} {
		env.Setenv(name, value)
	}
	return nil
}

// fakeStoreKey seals nothing but what scripts store.
const fakeStoreKey = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"

func here(ts *testscript.TestScript) *world {
	w, ok := ts.Value(worldKey{}).(*world)
	if !ok {
		ts.Fatalf("the script has no world")
	}
	return w
}

// exits runs a program and requires an exit code: exits 4 authctl token get pexip.
// Of a failure it also requires that stdout is empty.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG…]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
	if out := ts.ReadFile("stdout"); want != 0 && out != "" {
		ts.Fatalf("exit code %d, but stdout is not empty: %q", got, out)
	}
}

// requests requires a number of requests of a service since the last look at that
// service: requests talkdesk 1.
func requests(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: requests SERVICE NUMBER")
	}
	w := here(ts)
	var all []sandbox.Request
	for _, r := range w.server.Requests() {
		if r.Service == args[0] {
			all = append(all, r)
		}
	}
	fresh := all[w.looked[args[0]]:]
	w.looked[args[0]] = len(all)
	if strconv.Itoa(len(fresh)) != args[1] {
		ts.Fatalf("%s saw %d requests, want %s: %+v", args[0], len(fresh), args[1], fresh)
	}
}

// fault makes the sandbox misbehave: fault '{"status": 503}'.
func fault(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: fault JSON")
	}
	var f sandbox.Fault
	ts.Check(json.Unmarshal([]byte(args[0]), &f))
	ts.Check(here(ts).server.AddFault(f))
}

func nofaults(ts *testscript.TestScript, _ bool, _ []string) { here(ts).server.ClearFaults() }

// tampered lets Pexip Engage's realm give away a token of its own whose payload was changed: tampered FILE, which
// holds the token.
func tampered(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: tampered FILE")
	}
	parts := strings.Split(strings.TrimSpace(ts.ReadFile(args[0])), ".")
	if len(parts) != 3 {
		ts.Fatalf("%s holds no JWT", args[0])
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	ts.Check(err)
	changed := strings.Replace(string(payload), `"azp":"sandbox-pexip"`, `"azp":"somebody-else"`, 1)
	if changed == string(payload) {
		ts.Fatalf("the token in %s is not the sandbox's", args[0])
	}
	parts[1] = base64.RawURLEncoding.EncodeToString([]byte(changed))
	token, err := json.Marshal(strings.Join(parts, "."))
	ts.Check(err)
	ts.Check(here(ts).server.AddFault(sandbox.Fault{
		Path: "/realms/acme/protocol/openid-connect/token", Extra: map[string]json.RawMessage{"access_token": token},
	}))
}

// keyring gives the rest of the script a real Secret Service, or ends it where
// there is none. The store becomes auto.
func keyring(ts *testscript.TestScript, _ bool, _ []string) {
	session, err := secretservicetest.New()
	if errors.Is(err, exec.ErrNotFound) && os.Getenv(testneed.Switch) != "all" {
		ts.Logf("no Secret Service for tests: %v", err)
		ts.Fatalf("skip: gnome-keyring is missing; scripts/install-test-deps installs it")
	}
	ts.Check(err)
	ts.Defer(session.Close)
	here(ts).session = session
	for _, entry := range session.Env() {
		name, value, _ := strings.Cut(entry, "=")
		if name != "PATH" {
			ts.Setenv(name, value)
		}
	}
	autoStore(ts)
}

func autoStore(ts *testscript.TestScript) {
	for _, name := range []string{"AUTHCTL_STORE", "AUTHCTL_STORE_KEY"} {
		ts.Setenv(name, "")
	}
}

// lockKeyring locks the keyring, as after a login without a password.
func lockKeyring(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Check(here(ts).session.Restart("another-password"))
}

// bus gives the rest of the script a session bus that is no use: bus dead is a
// socket nobody listens on, bus silent one that takes connections and never
// answers. The store becomes auto.
func bus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 || args[0] != "dead" && args[0] != "silent" {
		ts.Fatalf("usage: bus dead|silent")
	}
	// A socket's path has room for 107 bytes, which $WORK may use up.
	dir, err := os.MkdirTemp("", "authctl-bus")
	ts.Check(err)
	ts.Defer(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "bus")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket})
	ts.Check(err)
	listener.SetUnlinkOnClose(false)
	if args[0] == "dead" {
		ts.Check(listener.Close())
	} else {
		ts.Defer(func() { _ = listener.Close() })
		go hold(listener)
	}
	ts.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+socket)
	autoStore(ts)
}

// hold takes connections and lets them wait until the listener is closed.
func hold(listener net.Listener) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		defer connection.Close()
	}
}

// witness is a second server, which must not be told anything: witness listen puts
// its address into WITNESS_URL, witness saw 0 requires a number of requests.
func witness(ts *testscript.TestScript, neg bool, args []string) {
	w := here(ts)
	switch {
	case !neg && len(args) == 1 && args[0] == "listen":
		server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { w.seen.Add(1) }))
		ts.Defer(server.Close)
		ts.Setenv("WITNESS_URL", server.URL)
	case !neg && len(args) == 2 && args[0] == "saw":
		if n := strconv.Itoa(int(w.seen.Load())); n != args[1] {
			ts.Fatalf("the witness saw %s requests, want %s", n, args[1])
		}
	default:
		ts.Fatalf("usage: witness listen, or witness saw NUMBER")
	}
}

// noSecret requires that no secret the sandbox knows, issued ones included, is in
// a stream or a file: nosecret stderr.
func noSecret(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: nosecret FILE…")
	}
	secrets := append(here(ts).server.IssuedSecrets(), sandbox.Marker)
	for _, file := range args {
		text := ts.ReadFile(file)
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				ts.Fatalf("%s holds the secret %q: %s", file, secret, text)
			}
		}
	}
}
