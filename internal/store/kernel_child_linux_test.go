package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/seccomptest"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/tokenkey"
	"golang.org/x/sys/unix"
)

// The environment of kernelChild: the store's directory and that of its locks, the name of its key, and the profile
// whose record it is about.
const (
	childDirEnv     = "AUTHCTL_TEST_KERNEL_DIR"
	childRunEnv     = "AUTHCTL_TEST_KERNEL_RUN"
	childKeyEnv     = "AUTHCTL_TEST_KERNEL_KEY"
	childProfileEnv = "AUTHCTL_TEST_KERNEL_PROFILE"
)

// kernelChild does the steps that words name, and says what came of each on a line. With an argument it does so where
// the kernel refuses its keyrings.
func kernelChild(words string) int {
	if len(os.Args) > 1 {
		seccomptest.Main()
	}
	k := &Kernel{
		FileLocks: FileLocks{Dir: os.Getenv(childRunEnv)}, Dir: os.Getenv(childDirEnv), description: os.Getenv(childKeyEnv),
	}
	for step := range strings.FieldsSeq(words) {
		said, err := kernelStep(k, step)
		if err != nil {
			said = "error: " + err.Error()
		}
		fmt.Println(step + ": " + said)
	}
	return 0
}

func kernelStep(k *Kernel, step string) (string, error) {
	ctx := context.Background()
	r := childRecord(os.Getenv(childProfileEnv))
	switch step {
	case "put":
		return "done", k.Put(ctx, r)
	case "get":
		got, err := k.Get(ctx, r.Key)
		if err != nil {
			return "", err
		}
		return got.Token.AccessToken.Reveal(), nil
	case "delete":
		return "done", k.Delete(ctx, r.Key)
	case "list":
		list, err := k.List(ctx)
		return fmt.Sprint(len(list)), err
	case "state":
		state, err := k.Inspect(ctx)
		list, unlisted := k.Entries(ctx)
		return fmt.Sprintf("%s in %s, %t, %d", state.Keyring, state.Dir, state.Key, len(list)), cmp.Or(err, unlisted)
	case "session": // as systemd's KeyringMode=private: the user's keyring is not linked into the new one
		_, err := unix.KeyctlInt(unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0)
		return "done", err
	case "fill": // with keys, until the user may have no more
		for i := 0; ; i++ {
			_, err := unix.AddKey(kernelKeyType, fmt.Sprint("fill ", i), []byte("x"), unix.KEY_SPEC_USER_KEYRING)
			if err != nil {
				return "done", unlessQuota(err)
			}
		}
	case "clear": // what a test leaves in the keyrings of a user of its own
		return "done", onOwnThread(func() error {
			ring, err := kernelRing(unix.KEY_SPEC_THREAD_KEYRING)
			if err == nil {
				_, err = unix.KeyctlInt(unix.KEYCTL_CLEAR, ring, 0, 0, 0)
			}
			if err == nil {
				_, err = unix.KeyctlInt(unix.KEYCTL_CLEAR, unix.KEY_SPEC_USER_KEYRING, 0, 0, 0)
			}
			return err
		})
	case "serial":
		id, _, err := k.key().search()
		return fmt.Sprint(id), err
	case "peek": // at a key that another user has
		var id int
		if _, err := fmt.Sscan(os.Getenv(childKeyEnv), &id); err != nil {
			return "", err
		}
		n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, id, make([]byte, maxKernelKey), 0)
		return fmt.Sprint(n, " bytes"), err
	}
	return "", errors.New("there is no such step")
}

func unlessQuota(err error) error {
	if errors.Is(err, unix.EDQUOT) {
		return nil
	}
	return err
}

func childRecord(profile string) *Record {
	return &Record{
		Key: tokenkey.Key{Provider: "test", ClientID: profile}, Label: Label{Profile: profile},
		Token: oauth.Token{AccessToken: secret.New("fake-" + profile), RequestedAt: time.Now(), Lifetime: time.Hour},
	}
}

// kernelUser is a user whom nobody else on this machine is, and a directory of his.
type kernelUser struct {
	t   *testing.T
	uid int
	dir string
	env []string
	as  *syscall.SysProcAttr
}

// newKernelUser makes a user of a test's own: a number is all it takes, and the right to become it.
func newKernelUser(t *testing.T, uid int) *kernelUser {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root may be another user")
	}
	needKernel(t)
	dir, err := os.MkdirTemp("/tmp", "authctl-kernel-")
	if err != nil {
		t.Fatal(err)
	}
	u := &kernelUser{t: t, uid: uid, dir: dir, as: &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)},
	}}
	u.env = []string{
		childDirEnv + "=" + filepath.Join(dir, "state"), childRunEnv + "=" + filepath.Join(dir, "run"),
		childKeyEnv + "=authctl-test", childProfileEnv + "=one",
	}
	t.Cleanup(func() {
		u.does("clear")
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chown(dir, uid, uid); err != nil {
		t.Fatal(err)
	}
	return u
}

// does runs the steps in one process of the user's, and returns what it says of each.
func (u *kernelUser) does(steps string, env ...string) string {
	u.t.Helper()
	return u.runs(u.command(steps, env...))
}

func (u *kernelUser) runs(cmd *exec.Cmd) string {
	u.t.Helper()
	said, err := cmd.CombinedOutput()
	if err != nil {
		u.t.Errorf("%v: %v: %s", cmd.Args, err, said)
	}
	return strings.TrimSpace(string(said))
}

func (u *kernelUser) refused(answer, steps string) string {
	u.t.Helper()
	cmd := u.command(steps)
	cmd.Args = []string{cmd.Path, answer, cmd.Path}
	return u.runs(cmd)
}

func (u *kernelUser) command(steps string, env ...string) *exec.Cmd {
	// The directory of the test's binary is root's alone; the link leads past it.
	cmd := exec.Command("/proc/self/exe") //nolint:noctx // it also cleans up, when the test's context has ended
	cmd.Env = append(append([]string{kernelChildEnv + "=" + steps}, u.env...), env...)
	cmd.SysProcAttr = u.as
	cmd.Dir = "/"
	return cmd
}
