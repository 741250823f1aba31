package store

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// wantSaid compares what a process said of its steps, a line each, with the patterns of want, where * is any text.
func wantSaid(t *testing.T, got string, want ...string) {
	t.Helper()
	lines := strings.Split(got, "\n")
	if len(lines) != len(want) {
		t.Errorf("the process said\n%s\nwant %q", got, want)
		return
	}
	for i, pattern := range want {
		before, after, _ := strings.Cut(pattern, "*")
		if !strings.HasPrefix(lines[i], before) || !strings.HasSuffix(lines[i], after) {
			t.Errorf("the process said %q, want %q", lines[i], pattern)
		}
	}
}

// A user without a session, a home or any other process has the store too, in each of his sessions.
func TestKernelOfAnyUser(t *testing.T) {
	t.Parallel()
	u := newKernelUser(t, 200_001)
	wantSaid(t, u.does("state get put state"),
		fmt.Sprintf("state: the persistent keyring of uid %d in %s/state, false, 0", u.uid, u.dir),
		"get: error: no such entry", "put: done", "state: * true, 1")
	wantSaid(t, u.does("session get list delete get"),
		"session: done", "get: fake-one", "list: 1", "delete: done", "get: error: no such entry")
	// Where the home is another's or not there, the files are beside the locks.
	for _, dir := range []string{"", "/root/.local/state/authctl/kernel", "/usr/lib/authctl/kernel"} {
		wantSaid(t, u.does("put state", childDirEnv+"="+dir), "put: done",
			fmt.Sprintf("state: * in %s/run/kernel, true, 1", u.dir))
	}
}

// Nobody else reads the key, not even who knows its number.
func TestKernelKeyIsTheUsersOwn(t *testing.T) {
	t.Parallel()
	u, other := newKernelUser(t, 200_002), newKernelUser(t, 200_003)
	said := u.does("put serial")
	_, serial, ok := strings.Cut(said, "serial: ")
	if !ok || strings.Contains(said, "error") {
		t.Fatalf("there is no key: %s", said)
	}
	wantSaid(t, u.does("peek", childKeyEnv+"="+serial), "peek: 74 bytes")
	wantSaid(t, other.does("peek get", childKeyEnv+"="+serial),
		"peek: error: permission denied", "get: error: no such entry")
}

// Of many who store their first token at once one makes the key, and all can be opened with it. Each process of a user
// has keyrings of its own for that, and together they have more than a user may have.
func TestKernelManyAtOnce(t *testing.T) {
	t.Parallel()
	const many = 200
	u := newKernelUser(t, 200_004)
	var all []*exec.Cmd
	for i := range many {
		cmd := u.command("put", fmt.Sprintf("%s=profile-%d", childProfileEnv, i))
		cmd.Stdout = &strings.Builder{}
		all = append(all, cmd)
	}
	for _, cmd := range all {
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
	}
	for _, cmd := range all {
		if err := cmd.Wait(); err != nil || fmt.Sprint(cmd.Stdout) != "put: done\n" {
			t.Errorf("a process said %q (%v)", cmd.Stdout, err)
		}
	}
	wantSaid(t, u.does("list"), fmt.Sprintf("list: %d", many))
}

// A user who may have no more keys is told so, and nothing is left that nobody can open. A key that is there goes on
// serving.
func TestKernelQuota(t *testing.T) {
	t.Parallel()
	u := newKernelUser(t, 200_005)
	wantSaid(t, u.does("fill put get"), "fill: done",
		"put: error: storing the token in the kernel store: refused: the kernel keeps no more keys for uid 200005: *",
		"get: error: no such entry")
	if left, _ := os.ReadDir(filepath.Join(u.dir, "state")); len(left) > 0 {
		t.Errorf("there is %v, which nobody can open", left)
	}
	wantSaid(t, u.does("clear put fill get put list"),
		"clear: done", "put: done", "fill: done", "get: fake-one", "put: done", "list: 1")
	wantSaid(t, u.does("session get"), "session: done", "get: fake-one")
}

// In a user namespace the keys are its own, and go with it.
func TestKernelInAUserNamespace(t *testing.T) {
	t.Parallel()
	u := newKernelUser(t, 200_006)
	u.as = &syscall.SysProcAttr{
		Credential:  &syscall.Credential{},
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: u.uid, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: u.uid, Size: 1}},
	}
	wantSaid(t, u.does("put get state"), "put: done", "get: fake-one", "state: the persistent keyring of uid 0 in * true, 1")
	wantSaid(t, u.does("get list put get"), "get: error: no such entry", "list: 0", "put: done", "get: fake-one")
	// One whom it does not know has no persistent keyring, and the key is in the user's.
	u.as.Credential = nil
	dir := t.TempDir()
	wantSaid(t, u.does("put get state", childDirEnv+"="+dir, childRunEnv+"="+dir), "put: done", "get: fake-one",
		fmt.Sprintf("state: the user keyring of uid 65534 in %s-*, true, 1", dir))
}

// Every use of a kernel that refuses its keyrings, or has none, says which.
func TestKernelRefused(t *testing.T) {
	t.Parallel()
	u := newKernelUser(t, 200_007)
	wantSaid(t, u.does("put"), "put: done")
	for answer, words := range map[string]string{
		"EPERM":  "the kernel's keyrings are refused, as in containers: operation not permitted",
		"ENOSYS": "this kernel has no keyrings",
	} {
		refused := "error: * in the kernel store: unreachable: " + words
		wantSaid(t, u.refused(answer, "get put delete list state"),
			"get: "+refused, "put: "+refused, "delete: "+refused, "list: "+refused, "state: "+refused)
	}
	wantSaid(t, u.does("get"), "get: fake-one")
}
