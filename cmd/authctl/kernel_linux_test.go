package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/authctl/authctl/internal/secretservicetest"
	"github.com/authctl/authctl/internal/testneed"
	"golang.org/x/sys/unix"
)

// lonely moves the processes to a user who is nobody else on this machine, with nothing in the environment but the
// path of the configuration: no HOME, no bus, no variable that says where anything is kept.
func (p *place) lonely(uid int) {
	p.t.Helper()
	if os.Geteuid() != 0 {
		p.t.Skip("only root may be another user")
	}
	testneed.Need(p.t, "a kernel that keeps keys", kernelKeys())
	// The test's own directories are below one that only root may enter.
	dir, err := os.MkdirTemp("/tmp", "authctl-lonely-")
	if err != nil {
		p.t.Fatal(err)
	}
	program, err := os.ReadFile(binary(p.t))
	if err != nil {
		p.t.Fatal(err)
	}
	p.dir, p.copied = dir, filepath.Join(dir, "authctl")
	p.as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	p.env = []string{"AUTHCTL_CONFIG=" + p.path("config.yaml")}
	if err := os.WriteFile(p.copied, program, 0o700); err != nil {
		p.t.Fatal(err)
	}
	if err := p.server.WriteConfig(p.path("config.yaml")); err != nil {
		p.t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, uid)
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		asUser(p.t, uid, func(ring int) {
			if _, err := unix.KeyctlInt(unix.KEYCTL_CLEAR, ring, 0, 0, 0); err != nil {
				p.t.Error(err)
			}
		})
		if err := errors.Join(os.RemoveAll(dir), os.RemoveAll(p.runtimeDir(uid))); err != nil {
			p.t.Error(err)
		}
	})
}

// runtimeDir is where the program keeps locks, and what else has no home.
func (p *place) runtimeDir(uid int) string { return fmt.Sprintf("/tmp/authctl-%d", uid) }

// asUser runs f on a thread of the user's, which ends with it. ring is his persistent keyring, possessed.
func asUser(t testing.TB, uid int, f func(ring int)) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		id := uintptr(uid)
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, id, id, id); errno != 0 {
			done <- errno
			return
		}
		ring, err := unix.KeyctlInt(unix.KEYCTL_GET_PERSISTENT, uid, unix.KEY_SPEC_THREAD_KEYRING, 0, 0)
		if err == nil {
			f(ring)
		}
		done <- err
	}()
	if err := <-done; err != nil {
		t.Errorf("being user %d: %v", uid, err)
	}
}

// kernelKeyOf returns the payload of a user's key.
func kernelKeyOf(t *testing.T, uid int) string {
	t.Helper()
	payload := make([]byte, 256)
	n := 0
	asUser(t, uid, func(ring int) {
		id, err := unix.KeyctlSearch(ring, "user", "authctl", 0)
		if err == nil {
			n, err = unix.KeyctlBuffer(unix.KEYCTL_READ, id, payload, 0)
		}
		if err != nil {
			t.Errorf("reading the key of user %d: %v", uid, err)
		}
	})
	return string(payload[:n])
}

// TestWhereNothingIsSetUp is the promise for servers, cron and containers: one request, then milliseconds, without any
// set-up, warning or plain text. The 200 have more keyrings of threads than the user may have keys.
func TestWhereNothingIsSetUp(t *testing.T) {
	t.Parallel()
	withoutUserBus(t)
	const many = 200
	for name, calls := range map[string]func(*place) []outcome{
		"at once": func(p *place) []outcome { return p.atOnce(many, "token", "get", "pexip") },
		"in a loop": func(p *place) []outcome {
			var list []outcome
			for range many {
				list = append(list, p.run("token", "get", "pexip"))
			}
			return list
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			uid := 200_100 + len(name)
			p := newPlace(t)
			p.lonely(uid)
			list := calls(p)
			wantTokens(t, list)
			if at := slices.IndexFunc(list, func(o outcome) bool { return o.stderr != "" }); at >= 0 {
				t.Errorf("stderr %q, want nothing", list[at].stderr)
			}
			p.wantRequests(1, 1)
			key := kernelKeyOf(t, uid)
			if !strings.HasPrefix(key, "AGE-SECRET-KEY-1") {
				t.Fatalf("the kernel's key has %d bytes and is no identity", len(key))
			}
			p.hidden = append(p.hidden, key)
			p.wantCleanDisk(p.runtimeDir(uid))
			o := p.run("token", "get", "pexip", "--explain", "--verbose")
			if !strings.Contains(o.stderr, "cache: hit in the kernel store") {
				t.Errorf("stderr %q, want a hit in the kernel store", o.stderr)
			}
			p.wantSilent(o.stderr)
		})
	}
}

// TestLoginKeptByTheKernel: it says how long that is, once.
func TestLoginKeptByTheKernel(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.kernelStore()
	o := p.startLogin("genesys-login").finish()
	const words = "authctl: the kernel keeps the login until the machine is off, or nobody has used it for three days; " +
		"to keep it longer: authctl store init"
	if o.code != 0 || strings.Count(o.stderr, words) != 1 {
		t.Errorf("exit code %d, stderr %q; want one note", o.code, o.stderr)
	}
	if o := p.run("token", "get", "genesys-login"); o.code != 0 || o.stderr != "" {
		t.Errorf("exit code %d, stderr %q; want 0 and nothing", o.code, o.stderr)
	}
}

// TestLoginInALockedKeyring: what a person has fetched is looked for nowhere else, and nobody is asked to fetch it
// again; what authctl fetches by itself is.
func TestLoginInALockedKeyring(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.set(secretservicetest.StartLocked(t).Env()...)
	p.set("AUTHCTL_STORE=auto")
	for _, args := range []string{"token get genesys-login", "userinfo genesys-login", "token get genesys-login --min-ttl 1s"} {
		o := p.run(strings.Fields(args)...)
		if o.code != 7 || !strings.Contains(o.stderr, "in the keyring store: locked: ") || o.stdout != "" {
			t.Errorf("%s: exit code %d, stderr %q; want 7 because the keyring is locked", args, o.code, o.stderr)
		}
	}
	p.wantRequests(0, 0)
	testneed.Need(t, "a kernel that keeps keys", kernelKeys())
	if o := p.run("token", "get", "pexip"); o.code != 0 || o.stderr != "" {
		t.Errorf("exit code %d, stderr %q; want a token and no word", o.code, o.stderr)
	}
}
