package store

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/authctl/authctl/internal/testneed"
	"golang.org/x/sys/unix"
)

// needKernel is for tests that want a key kept: many a container refuses that.
func needKernel(t *testing.T) {
	t.Helper()
	if _, err := (kernelKey{"authctl-test"}).find(); !errors.Is(err, ErrNotFound) {
		testneed.Need(t, "a kernel that keeps keys", err)
	}
}

// newKernel is a store with a key of its own in the real keyring, which is gone after the test.
func newKernel(t *testing.T) *Kernel {
	t.Helper()
	needKernel(t)
	dir := t.TempDir()
	k := &Kernel{
		FileLocks: FileLocks{Dir: filepath.Join(dir, "run")}, Dir: filepath.Join(dir, "a", "kernel"),
		description: "authctl-test-" + rand.Text(),
	}
	t.Cleanup(func() { endKey(t, k, unix.KEYCTL_INVALIDATE) })
	return k
}

// sameKernel is another process's store over the same key and files.
func sameKernel(k *Kernel) *Kernel {
	return &Kernel{FileLocks: k.FileLocks, Dir: k.Dir, description: k.description}
}

// endKey ends the key of a store in one of the ways there are, if there is one.
func endKey(t *testing.T, k *Kernel, how int) {
	t.Helper()
	id, _, err := k.key().search()
	if err == nil {
		_, err = unix.KeyctlInt(how, id, 0, 0, 0)
	}
	if err != nil && !errors.Is(kernelProblem(err), ErrNotFound) {
		t.Errorf("ending the key: %v", err)
	}
}

func TestKernel(t *testing.T) {
	t.Parallel()
	contract(t, func(t *testing.T) Store { return newKernel(t) })
}

// Possession belongs to a thread, and goroutines change theirs.
func TestKernelFromManyThreads(t *testing.T) {
	t.Parallel()
	k := newKernel(t)
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			r := testRecord(t)
			r.Key.User = rand.Text()
			for range 10 {
				if err := sameKernel(k).Put(t.Context(), r); err != nil {
					t.Errorf("Put: %v", err)
				}
				if _, err := sameKernel(k).Get(t.Context(), r.Key); err != nil {
					t.Errorf("Get: %v", err)
				}
			}
		})
	}
	group.Wait()
	if list, err := k.List(t.Context()); err != nil || len(list) != 64 {
		t.Errorf("%d records open with the one key, want 64 (%v)", len(list), err)
	}
}

// Reading, listing and removing make no key.
func TestKernelMakesKeyWhenStoring(t *testing.T) {
	t.Parallel()
	k := newKernel(t)
	wantNone(t, k, testRecord(t).Key)
	list, err := k.List(t.Context())
	if err = errors.Join(err, k.Delete(t.Context(), testRecord(t).Key)); err != nil || len(list) != 0 {
		t.Errorf("listing %d, and deleting nothing: %v", len(list), err)
	}
	tooBig := testRecord(t)
	tooBig.Key.User = "\xff"
	if err := k.Put(t.Context(), tooBig); !errors.Is(err, ErrUncacheable) {
		t.Errorf("Put() = %v, want ErrUncacheable", err)
	}
	if state, err := k.Inspect(t.Context()); err != nil || state.Key || state.Left != 0 || entryCount(t, k) != 0 {
		t.Errorf("Inspect() = %+v, %v, want no key", state, err)
	}
	if _, err := os.Stat(k.Dir); err == nil {
		t.Error("a directory was made for nothing")
	}
	mustPut(t, k, testRecord(t))
	state, err := k.Inspect(t.Context())
	// The kernel says "2d" from a moment after the key was used.
	if days := state.Left.Hours() / 24; err != nil || !state.Key || entryCount(t, k) != 1 || days < 2 || days > 3 {
		t.Errorf("Inspect() = %+v, %v, want a key for three days and one token", state, err)
	}
	if state.Dir != k.Dir || !strings.Contains(state.Keyring, "persistent") {
		t.Errorf("Inspect() = %+v, want the directory %s and the persistent keyring", state, k.Dir)
	}
}

// Each use has the kernel keep the key for another three days.
func TestKernelTimeIsRenewed(t *testing.T) {
	t.Parallel()
	k := newKernel(t)
	r := testRecord(t)
	mustPut(t, k, r)
	none := r.Key
	none.User = "none"
	id, _, err := k.key().search()
	if err != nil {
		t.Fatal(err)
	}
	for name, use := range map[string]func(){
		"get":    func() { mustGet(t, k, r.Key) },
		"put":    func() { mustPut(t, k, r) },
		"delete": func() { _ = k.Delete(t.Context(), none) },
	} {
		if err := keepFor(id, kernelLifetime/12); err != nil {
			t.Fatal(err)
		}
		if state, err := k.Inspect(t.Context()); err != nil || state.Left.Hours() > 6 {
			t.Errorf("before %s the key lasts %v (%v), want 6 hours at most", name, state.Left, err)
		}
		use()
		if state, err := k.Inspect(t.Context()); err != nil || state.Left.Hours() < 48 {
			t.Errorf("after %s the key lasts %v (%v), want about three days", name, state.Left, err)
		}
	}
}

// A key that has ended is none, whatever way it ended, and storing makes a new one.
func TestKernelKeyEnds(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*testing.T, *Kernel){
		"revoked":     func(t *testing.T, k *Kernel) { endKey(t, k, unix.KEYCTL_REVOKE) },
		"invalidated": func(t *testing.T, k *Kernel) { endKey(t, k, unix.KEYCTL_INVALIDATE) },
		"expired": func(t *testing.T, k *Kernel) {
			id, _, err := k.key().search()
			if err == nil {
				err = keepFor(id, 1e9)
			}
			if err != nil {
				t.Fatal(err)
			}
			for err == nil {
				_, err = unix.KeyctlInt(unix.KEYCTL_DESCRIBE, id, 0, 0, 0)
			}
			if !errors.Is(err, unix.EKEYEXPIRED) && !errors.Is(err, unix.ENOKEY) {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKernel(t)
			old, kept := testRecord(t), testRecord(t)
			kept.Key.User = "another"
			mustPut(t, k, old)
			end(t, k)
			wantNone(t, k, old.Key)
			mustPut(t, k, kept)
			mustGet(t, sameKernel(k), kept.Key)
			wantFiles(t, k, kept)
		})
	}
}

// wantFiles checks that there are the files of these records and no others.
func wantFiles(t *testing.T, k *Kernel, records ...*Record) {
	t.Helper()
	digests, err := digestsIn(k.reading().dir.path, sealedSuffix)
	if err != nil || len(digests) != len(records) {
		t.Fatalf("there are %d files, want %d (%v)", len(digests), len(records), err)
	}
	for _, r := range records {
		mustGet(t, k, r.Key)
	}
}

// What another boot has left is removed by who makes the new key, and by a listing, but not
// where another process holds the record, and not what was written meanwhile.
func TestKernelLeftovers(t *testing.T) {
	t.Parallel()
	k := newKernel(t)
	held, gone, own := testRecord(t), testRecord(t), testRecord(t)
	gone.Key.User, own.Key.User = "gone", "own"
	for _, r := range []*Record{held, gone, own} {
		mustPut(t, k, r)
	}
	endKey(t, k, unix.KEYCTL_INVALIDATE)
	_, err := k.Get(t.Context(), gone.Key)
	if _, unopened := errors.AsType[*UnopenedError](err); unopened || !errors.Is(err, ErrNotFound) {
		t.Errorf("Get() of a leftover = %v, want none and nothing for people", err)
	}
	lock := mustLock(t, k, held.Key)
	mustPut(t, k, own)
	_, err = k.Get(t.Context(), held.Key)
	if _, unopened := errors.AsType[*UnopenedError](err); unopened || !strings.Contains(err.Error(), "another key") {
		t.Errorf("Get() of a leftover = %v, want none with the reason", err)
	}
	if digests, err := digestsIn(k.Dir, sealedSuffix); err != nil || len(digests) != 2 {
		t.Errorf("there are %d files, want the new one and the held one (%v)", len(digests), err)
	}
	mustUnlock(t, lock)
	if list, err := k.List(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("List() = %v, %v, want one", list, err)
	}
	wantFiles(t, k, own)

	// Looked at again under the lock, a file that opens by now stays.
	k.removeLeftover(t.Context(), own.Key.Digest())
	wantFiles(t, k, own)

	// Without a key nothing is left.
	endKey(t, k, unix.KEYCTL_INVALIDATE)
	if list, err := k.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("List() without a key = %v, %v, want nothing", list, err)
	}
	wantFiles(t, k)
}

// Where the directory cannot be used, the files are beside the locks.
func TestKernelDirectory(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]func(t *testing.T) string{
		"none": func(*testing.T) string { return "" },
		"a file": func(t *testing.T) string {
			path := filepath.Join(t.TempDir(), "kernel")
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		},
		"loose": func(t *testing.T) string {
			path := t.TempDir()
			if err := os.Chmod(path, 0o777); err != nil {
				t.Fatal(err)
			}
			return path
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKernel(t)
			k.Dir = dir(t)
			mustPut(t, k, testRecord(t))
			mustGet(t, sameKernel(k), testRecord(t).Key)
			state, err := k.Inspect(t.Context())
			if want := filepath.Join(k.FileLocks.Dir, "kernel"); err != nil || state.Dir != want || entryCount(t, k) != 1 {
				t.Errorf("Inspect() = %+v, %v, want one token in %s", state, err, want)
			}
			wantFiles(t, k, testRecord(t))
		})
	}
}

// A key of the same name that another program made is neither used nor replaced.
func TestKernelForeignKey(t *testing.T) {
	t.Parallel()
	k := newKernel(t)
	if err := onOwnThread(func() error { return k.key().add("not an identity") }); err != nil {
		t.Fatal(err)
	}
	_, getErr := k.Get(t.Context(), testRecord(t).Key)
	for _, err := range []error{getErr, k.Put(t.Context(), testRecord(t))} {
		if e := wantProblem(t, err, Refused); strings.Contains(e.Error(), "not an identity") || e.Hint == "" {
			t.Errorf("the error is %q, its hint %q", e, e.Hint)
		}
	}
	if text, err := k.key().find(); err != nil || text != "not an identity" {
		t.Errorf("the key was changed: %v", err)
	}
}

// entryCount is how many records can be opened.
func entryCount(t *testing.T, k *Kernel) int {
	t.Helper()
	list, err := k.Entries(t.Context())
	if err != nil {
		t.Error(err)
	}
	return len(list)
}

func TestKernelUntilLogout(t *testing.T) {
	t.Parallel()
	beside := &Kernel{FileLocks: FileLocks{Dir: "/run/user/200099/authctl"}}
	if !beside.UntilLogout() || newKernel(t).UntilLogout() {
		t.Error("files below /run/user go with the last session, and no others")
	}
}
