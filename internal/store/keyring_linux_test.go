package store

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/secretservice"
	"github.com/authctl/authctl/internal/secretservicetest"
	"github.com/authctl/authctl/internal/testneed"
	"github.com/godbus/dbus/v5"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/zalando/go-keyring"
)

// childEnv names the test that a child process runs the inner part of.
const childEnv = "AUTHCTL_TEST_INSIDE"

// childRan is what the child prints, as proof that it ran anything.
const childRan = "the inner part ran"

// inside runs f in a process of its own with the environment env: godbus reads the
// address of the bus once and keeps the connection.
func inside(t *testing.T, env func(t *testing.T) []string, f func(t *testing.T)) {
	t.Helper()
	if os.Getenv(childEnv) == t.Name() {
		_, _ = io.WriteString(os.Stdout, childRan+"\n")
		f(t)
		return
	}
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.timeout=2m")
	// A child built with -race would wait a second at its end.
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), childEnv + "=" + t.Name(), "GORACE=atexit_sleep_ms=0"}, env(t)...)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), childRan) {
		t.Errorf("%v\n%s", err, out)
	}
}

func unlockedSession(t *testing.T) []string { return secretservicetest.Start(t).Env() }

// newSystemKeyring is a store over the system's keyring.
func newSystemKeyring(t *testing.T) *Keyring {
	t.Helper()
	return newKeyring(t, nil)
}

// newClearedKeyring is one that is emptied at the end: all stores of a session are the same.
func newClearedKeyring(t *testing.T) *Keyring {
	t.Helper()
	k := newSystemKeyring(t)
	ctx := context.WithoutCancel(t.Context())
	t.Cleanup(func() {
		list, err := k.List(ctx)
		for _, e := range list {
			err = cmp.Or(err, k.Delete(ctx, e.Key))
		}
		if err != nil {
			t.Errorf("emptying the keyring: %v", err)
		}
	})
	return k
}

// impatientKeyring gives up soon, for keyrings that never answer.
func impatientKeyring(t *testing.T) *Keyring {
	t.Helper()
	k := newSystemKeyring(t)
	k.Timeout = 200 * time.Millisecond
	return k
}

func TestSecretService(t *testing.T) {
	inside(t, unlockedSession, func(t *testing.T) {
		contract(t, func(t *testing.T) Store { return newClearedKeyring(t) })
	})
}

func TestSecretServiceSealed(t *testing.T) {
	inside(t, unlockedSession, func(t *testing.T) {
		contract(t, func(t *testing.T) Store {
			k := newClearedKeyring(t)
			k.MaxRecord = 700
			return k
		})
	})
}

// otherDefault is a session whose default collection is not the one named login; that is locked.
func otherDefault(t *testing.T, locked ...string) []string {
	s := secretservicetest.Start(t)
	err := cmp.Or(s.AddCollection("second"), s.SetDefault("second"))
	if len(locked) > 0 {
		err = cmp.Or(err, s.Lock(locked...))
	}
	if err != nil {
		t.Fatal(err)
	}
	return s.Env()
}

func TestSecretServiceOtherDefault(t *testing.T) {
	testneed.Program(t, "secret-tool")
	inside(t, func(t *testing.T) []string { return otherDefault(t) }, func(t *testing.T) {
		secretTool(t, "fake-from-outside", "store", "--label=authctl", "service", "authctl", "username", "a")
		k := newSystemKeyring(t)
		if got, err := k.Secret(t.Context(), "a"); err != nil || got.Reveal() != "fake-from-outside" {
			t.Errorf("Secret() = %q, %v", got.Reveal(), err)
		}
		wantCollection(t, "a", "second")
		contract(t, func(t *testing.T) Store { return newClearedKeyring(t) })
	})
}

func TestSecretServiceLoginLocked(t *testing.T) {
	inside(t, func(t *testing.T) []string { return otherDefault(t, "login") }, func(t *testing.T) {
		contract(t, func(t *testing.T) Store { return newClearedKeyring(t) })
		k := newSystemKeyring(t)
		if err := k.CheckUnlocked(t.Context()); err != nil {
			t.Errorf("the default collection is open: %v", err)
		}
		mustPut(t, k, testRecord(t))
		wantCollection(t, testRecord(t).Key.Digest(), "second")
	})
}

func TestSecretServiceDefaultLocked(t *testing.T) {
	inside(t, func(t *testing.T) []string { return otherDefault(t, "second") }, func(t *testing.T) {
		testUnusable(t, newSystemKeyring(t), Locked, "prompt was dismissed, or could not be shown")
		wantProblem(t, newSystemKeyring(t).CheckUnlocked(t.Context()), Locked)
		k := newSystemKeyring(t)
		k.NeverAsk = true
		testUnusable(t, k, Locked, "nobody is asked")
	})
}

// A process that runs for long outlives the service, and a lock of the screen.
func TestSecretServiceComesAgain(t *testing.T) {
	t.Parallel()
	s, k := secretservicetest.Start(t), newKeyring(t, nil)
	client := secretservice.New(keyringService)
	client.Address = func() (string, error) { return s.Address(), nil }
	client.MayAsk = func() bool { return false }
	k.backend = desktop{client}
	for range 2 {
		mustPut(t, k, testRecord(t))
		for range 2 {
			if err := s.Restart(secretservicetest.Password); err != nil {
				t.Fatal(err)
			}
			mustGet(t, k, testRecord(t).Key)
		}
		if err := s.Restart(secretservicetest.Password); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Lock(); err != nil {
		t.Fatal(err)
	}
	_, err := k.Get(t.Context(), testRecord(t).Key)
	wantProblem(t, err, Locked)
}

// wantCollection expects the one entry of an account in a collection.
func wantCollection(t *testing.T, account, name string) {
	t.Helper()
	conn, err := dbus.Connect(os.Getenv(secretservice.AddressEnv))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var items, locked []dbus.ObjectPath
	err = conn.Object("org.freedesktop.secrets", "/org/freedesktop/secrets").
		Call("org.freedesktop.Secret.Service.SearchItems", 0, map[string]string{"service": "authctl", "username": account}).
		Store(&items, &locked)
	prefix := "/org/freedesktop/secrets/collection/" + name + "/"
	if err != nil || len(items) != 1 || !strings.HasPrefix(string(items[0]), prefix) {
		t.Errorf("%s is at %v (%v), want one entry in the collection %s", account, items, err, name)
	}
}

// secretTool runs secret-tool and returns what it prints.
func secretTool(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "secret-tool", args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("secret-tool %s: %v\n%s", args, err, out)
	}
	return string(out)
}

// What the client of earlier versions stored is found, and it finds what ours stores.
func TestSecretServiceForeignClient(t *testing.T) {
	inside(t, unlockedSession, func(t *testing.T) {
		k, theirs, ours := newSystemKeyring(t), testRecord(t), testRecord(t)
		theirs.Key.User, ours.Key.User = "theirs", "ours"
		plain, err := EncodeRecord(theirs)
		if err != nil {
			t.Fatal(err)
		}
		if err := keyring.Set("authctl", theirs.Key.Digest(), string(plain)); err != nil {
			t.Fatal(err)
		}
		mustPut(t, k, ours)
		if diff := gocmp.Diff(theirs, mustGet(t, k, theirs.Key), sameSecrets()); diff != "" {
			t.Errorf("their record differs (-set +got):\n%s", diff)
		}
		if list, err := k.List(t.Context()); err != nil || len(list) != 2 {
			t.Errorf("List() = %v, %v, want both", list, err)
		}
		entry, err := keyring.Get("authctl", ours.Key.Digest())
		if err != nil {
			t.Fatalf("their client does not find ours: %v", err)
		}
		if _, err := decodeRecord([]byte(entry), ours.Key.Digest()); err != nil {
			t.Error(err)
		}
		// Each overwrites the other's entry, and there is still one.
		if err := keyring.Set("authctl", ours.Key.Digest(), "fake"); err != nil {
			t.Fatal(err)
		}
		mustPut(t, k, ours)
		mustPut(t, k, theirs)
		wantCollection(t, ours.Key.Digest(), "login")
		wantCollection(t, theirs.Key.Digest(), "login")
		if err := cmp.Or(k.Delete(t.Context(), ours.Key), k.Delete(t.Context(), theirs.Key)); err != nil {
			t.Error(err)
		}
		for _, r := range []*Record{theirs, ours} {
			if _, err := keyring.Get("authctl", r.Key.Digest()); !errors.Is(err, keyring.ErrNotFound) {
				t.Errorf("after Delete their client gets %v", err)
			}
		}
	})
}

// Of two entries the newest is read, written and told of; both go.
func TestSecretServiceTwoEntries(t *testing.T) {
	testneed.Program(t, "secret-tool")
	inside(t, func(t *testing.T) []string { return otherDefault(t) }, func(t *testing.T) {
		k := newSystemKeyring(t)
		var told []string
		k.Explain = func(message string) { told = append(told, message) }
		if err := k.SetSecret(t.Context(), "a", secret.New("fake-ours")); err != nil {
			t.Fatal(err)
		}
		if len(told) > 0 {
			t.Errorf("one entry is told of: %q", told)
		}
		// The service knows the second in which an entry was changed: until the next one begins, nobody knows which is newer.
		for newer := false; !newer; newer = readsNewer(t, k) {
			secretTool(t, "fake-newer", "store", "--collection=login", "--label=x", "service", "authctl", "username", "a", "more", "x")
		}
		told = nil
		if got, err := k.Secret(t.Context(), "a"); err != nil || got.Reveal() != "fake-newer" {
			t.Errorf("Secret() = %q, %v, want the newer one", got.Reveal(), err)
		}
		if len(told) != 1 || !strings.Contains(told[0], "2 entries") || !strings.Contains(told[0], "/collection/login/") {
			t.Errorf("what is explained is %q", told)
		}
		for _, value := range []string{"fake-one", "fake-two"} {
			if err := k.SetSecret(t.Context(), "a", secret.New(value)); err != nil {
				t.Fatal(err)
			}
			if got, err := k.Secret(t.Context(), "a"); err != nil || got.Reveal() != value {
				t.Errorf("Secret() = %q, %v, want what was written", got.Reveal(), err)
			}
		}
		if err := k.DeleteSecret(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if _, err := k.Secret(t.Context(), "a"); !errors.Is(err, ErrNotFound) {
			t.Errorf("after DeleteSecret: %v", err)
		}
	})
}

func readsNewer(t *testing.T, k *Keyring) bool {
	t.Helper()
	got, err := k.Secret(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	return got.Reveal() == "fake-newer"
}

func TestSecretServiceNamedSecrets(t *testing.T) {
	inside(t, unlockedSession, func(t *testing.T) { testNamedSecrets(t, newSystemKeyring(t)) })
}

// A person may have stored the secret with another program.
func TestSecretTool(t *testing.T) {
	testneed.Program(t, "secret-tool")
	inside(t, unlockedSession, func(t *testing.T) {
		k := newSystemKeyring(t)
		secretTool(t, "fake-from-outside", "store", "--label=authctl", "service", "authctl", "username", "a")
		if got, err := k.Secret(t.Context(), "a"); err != nil || got.Reveal() != "fake-from-outside" {
			t.Errorf("Secret() = %q, %v", got.Reveal(), err)
		}
		if err := k.SetSecret(t.Context(), "a", secret.New("fake-ours")); err != nil {
			t.Errorf("SetSecret over another program's entry: %v", err)
		}
		if out := secretTool(t, "", "lookup", "service", "authctl", "username", "a"); out != "fake-ours" {
			t.Errorf("secret-tool finds %q", out)
		}
		if err := k.DeleteSecret(t.Context(), "a"); err != nil {
			t.Error(err)
		}
		if _, err := k.Secret(t.Context(), "a"); !errors.Is(err, ErrNotFound) {
			t.Errorf("after DeleteSecret: %v", err)
		}
	})
}

// The bus of the user is found without its address in the environment.
func TestBusBelowRuntimeDir(t *testing.T) {
	inside(t, func(t *testing.T) []string { return secretservicetest.Start(t).EnvWithoutAddress() }, func(t *testing.T) {
		k := newSystemKeyring(t)
		mustPut(t, k, testRecord(t))
		mustGet(t, k, testRecord(t).Key)
	})
}

// testUnusable expects the same answer from every call, and that `auto` carries on.
func testUnusable(t *testing.T, k *Keyring, want Problem, text string) {
	t.Helper()
	r := testRecord(t)
	_, getErr := k.Get(t.Context(), r.Key)
	_, secretErr := k.Secret(t.Context(), "a")
	for _, err := range []error{getErr, secretErr, k.Put(t.Context(), r), k.Delete(t.Context(), r.Key)} {
		if e := wantProblem(t, err, want); !strings.Contains(e.Error(), text) || e.Hint == "" {
			t.Errorf("the error is %q, its hint %q, want the words %q", e, e.Hint, text)
		}
	}
	var warnings []error
	a := &Auto{Stores: []Store{k, &Memory{}}, Passed: func(why error, _ Store) { warnings = append(warnings, why) }}
	mustPut(t, a, r)
	mustGet(t, a, r.Key)
	if len(warnings) != 1 {
		t.Errorf("%d warnings: %v", len(warnings), warnings)
	}
}

// Without a bus go-keyring would run dbus-launch: this one tells on it.
func TestNoBus(t *testing.T) {
	bus := filepath.Join("/run/user", strconv.Itoa(os.Geteuid()), "bus")
	if _, err := os.Stat(bus); err == nil {
		testneed.Need(t, "a user without a session bus", errors.New("the test must not talk to "+bus))
	}
	env := func(t *testing.T) []string {
		dir := t.TempDir()
		script := "#!/bin/sh\n: >" + filepath.Join(dir, "called") + "\n"
		if err := os.WriteFile(filepath.Join(dir, "dbus-launch"), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
		return []string{"HOME=" + dir, "PATH=" + dir + ":" + os.Getenv("PATH"), "XDG_RUNTIME_DIR=" + dir}
	}
	inside(t, env, func(t *testing.T) {
		called := filepath.Join(os.Getenv("HOME"), "called")
		if err := exec.CommandContext(t.Context(), "dbus-launch").Run(); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(called); err != nil {
			t.Fatalf("the trap does not work: %v", err)
		}
		for _, address := range []string{"", "autolaunch:", "autolaunch:scope=install-path"} {
			t.Setenv(secretservice.AddressEnv, address)
			testUnusable(t, newSystemKeyring(t), Unreachable, "no session bus")
		}
		if _, err := os.Stat(called); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("dbus-launch was run: %v", err)
		}
	})
}

func TestDeadBusSocket(t *testing.T) {
	env := func(t *testing.T) []string {
		s := secretservicetest.StartBus(t)
		s.StopBus()
		return s.Env()
	}
	inside(t, env, func(t *testing.T) { testUnusable(t, newSystemKeyring(t), Unreachable, "connection refused") })
}

func TestNoBusSocket(t *testing.T) {
	env := func(t *testing.T) []string {
		return []string{"HOME=" + t.TempDir(), "DBUS_SESSION_BUS_ADDRESS=unix:path=" + filepath.Join(t.TempDir(), "bus")}
	}
	inside(t, env, func(t *testing.T) { testUnusable(t, newSystemKeyring(t), Unreachable, "no such file") })
}

func TestSilentBus(t *testing.T) {
	env := func(t *testing.T) []string {
		dir, err := os.MkdirTemp("", "authctl")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		l, err := net.Listen("unix", filepath.Join(dir, "bus"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		go func() {
			var open []net.Conn
			for {
				conn, err := l.Accept()
				if err != nil {
					for _, conn := range open {
						_ = conn.Close()
					}
					return
				}
				open = append(open, conn)
			}
		}()
		return []string{"HOME=" + dir, "DBUS_SESSION_BUS_ADDRESS=unix:path=" + filepath.Join(dir, "bus")}
	}
	inside(t, env, func(t *testing.T) { testUnusable(t, impatientKeyring(t), Locked, "no answer within 200ms") })
}

func TestBusWithoutSecretService(t *testing.T) {
	env := func(t *testing.T) []string { return secretservicetest.StartBus(t).Env() }
	inside(t, env, func(t *testing.T) { testUnusable(t, newSystemKeyring(t), Unreachable, "ServiceUnknown") })
}

func TestLockedCollection(t *testing.T) {
	env := func(t *testing.T) []string { return secretservicetest.StartLocked(t).Env() }
	inside(t, env, func(t *testing.T) { testUnusable(t, newSystemKeyring(t), Locked, "") })
}

// TestEntriesThatVanish has readers of an entry that another removes and writes all the time: there is a record or there
// is none, and nothing is wrong with the keyring.
func TestEntriesThatVanish(t *testing.T) {
	inside(t, unlockedSession, func(t *testing.T) {
		r, k := testRecord(t), newSystemKeyring(t)
		var readers sync.WaitGroup
		for range 4 {
			readers.Go(func() {
				for range 150 {
					if _, err := k.Get(t.Context(), r.Key); err != nil && !errors.Is(err, ErrNotFound) {
						t.Errorf("reading: %v", err)
					}
				}
			})
		}
		done := make(chan struct{})
		go func() { readers.Wait(); close(done) }()
		for written := false; ; written = !written {
			select {
			case <-done:
				return
			default:
			}
			if !written {
				mustPut(t, k, r)
			} else if err := k.Delete(t.Context(), r.Key); err != nil {
				t.Errorf("removing: %v", err)
			}
		}
	})
}
