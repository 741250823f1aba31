package store

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"golang.org/x/sys/unix"
)

// kernelKey is a key of type user, named by its description, in the persistent keyring of
// the user, else in his user keyring (keyrings(7), persistent-keyring(7)).
//
// The persistent keyring belongs to nobody's session, and only who possesses a keyring may
// search it. So it is linked into the user keyring, which every process of the user possesses
// by its special name, also one in a session of its own such as a systemd unit. A keyring of
// the thread would do as well, but it counts against the 200 keys that a user may have: of
// 200 processes at once the last ones would find no room.
type kernelKey struct{ description string }

const (
	kernelKeyType = "user"
	// kernelKeyMode lets the user do all without possession, and nobody else anything.
	kernelKeyMode = 0x3f3f0000
	// maxKernelKey is the most that is read as an identity, which has 74 bytes.
	maxKernelKey = 256
	// kernelTries bounds how often the key is made again; between two of them others, who make it
	// at the same time and have used up the user's quota by that, get on.
	kernelTries = 8
	kernelPause = 20 * time.Millisecond
	// maxRing is the most that is read of a keyring, in bytes: serial numbers of 4 bytes each.
	maxRing, serialSize = 4096, 4
)

// find returns the payload of the key, which the kernel then keeps for another three days.
// The error wraps ErrNotFound or is an *UnusableError.
func (k kernelKey) find() (string, error) {
	id, _, err := k.search()
	if err != nil {
		return "", kernelProblem(err)
	}
	text := make([]byte, maxKernelKey)
	n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, id, text, 0)
	if err == nil {
		err = keepFor(id, kernelLifetime)
	}
	return string(text[:min(max(n, 0), maxKernelKey)]), kernelProblem(err)
}

// search returns the key and the keyring that new ones belong in.
func (k kernelKey) search() (id, ring int, err error) {
	ring, err = kernelRing(unix.KEY_SPEC_USER_KEYRING)
	if err == nil {
		id, err = unix.KeyctlSearch(unix.KEY_SPEC_USER_KEYRING, kernelKeyType, k.description, 0)
	}
	return id, ring, err
}

// kernelRing returns the persistent keyring, linked into a keyring that this thread possesses;
// the user keyring where there is none.
func kernelRing(into int) (int, error) {
	ring, err := unix.KeyctlInt(unix.KEYCTL_GET_PERSISTENT, os.Geteuid(), into, 0, 0)
	switch {
	case err == nil:
		return ring, nil
	case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOSYS),
		errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES),
		errors.Is(err, unix.EINVAL): // a user whose number the user namespace does not map
		return unix.KEY_SPEC_USER_KEYRING, nil
	}
	return 0, err
}

// have returns the payload of the key, and makes it where there is none: of many who do
// that at once, one's becomes the key of all.
func (k kernelKey) have(ctx context.Context) (text string, made bool, err error) {
	var own string
	for range kernelTries {
		if text, err = k.find(); !errors.Is(err, ErrNotFound) {
			return text, text == own, err
		}
		var identity *age.X25519Identity
		if identity, err = age.GenerateX25519Identity(); err != nil {
			return "", false, err
		}
		own = identity.String()
		err = onOwnThread(func() error { return k.add(own) })
		if errors.Is(err, unix.EDQUOT) {
			pause(ctx, kernelPause)
		} else if err != nil && !errors.Is(err, unix.EEXIST) {
			return "", false, kernelProblem(err)
		}
	}
	return "", false, kernelProblem(err)
}

// pause waits up to limit, each caller for another time, or until ctx ends.
func pause(ctx context.Context, limit time.Duration) {
	n, err := rand.Int(rand.Reader, big.NewInt(int64(limit)))
	if err != nil {
		return
	}
	over := time.NewTimer(time.Duration(n.Int64()))
	defer over.Stop()
	select {
	case <-over.C:
	case <-ctx.Done():
	}
}

// onOwnThread runs f on a thread that ends with it, and its keyring too.
func onOwnThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- f()
	}()
	return <-done
}

// add makes the key whole in the thread's own keyring, and then moves it to where it belongs,
// unless another is there: adding it there would change another's key. EEXIST says so.
func (k kernelKey) add(text string) error {
	ring, err := kernelRing(unix.KEY_SPEC_THREAD_KEYRING)
	if err != nil {
		return err
	}
	id, err := unix.AddKey(kernelKeyType, k.description, []byte(text), unix.KEY_SPEC_THREAD_KEYRING)
	if err == nil {
		err = unix.KeyctlSetperm(id, kernelKeyMode)
	}
	if err == nil {
		err = keepFor(id, kernelLifetime)
	}
	if err != nil {
		return err
	}
	_, err = unix.KeyctlInt(unix.KEYCTL_MOVE, id, unix.KEY_SPEC_THREAD_KEYRING, ring, unix.KEYCTL_MOVE_EXCL)
	switch {
	case errors.Is(err, unix.EEXIST):
		unlinkDead(ring)
	case errors.Is(err, unix.EOPNOTSUPP):
		// Before Linux 5.3. Should two come here at once, the last one's key stays.
		_, err = unix.KeyctlInt(unix.KEYCTL_LINK, id, ring, 0, 0)
	}
	return err
}

// unlinkDead takes the keys out of a keyring that have expired, are revoked or invalidated, and
// are still in the way.
func unlinkDead(ring int) {
	ids := make([]byte, maxRing)
	n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, ring, ids, 0)
	if err != nil {
		return
	}
	for id := range slices.Chunk(ids[:min(n, maxRing)], serialSize) {
		id := int(int32(binary.NativeEndian.Uint32(id))) //nolint:gosec // a key_serial_t
		_, err := unix.KeyctlInt(unix.KEYCTL_DESCRIBE, id, 0, 0, 0)
		if err != nil && errors.Is(kernelProblem(err), ErrNotFound) {
			_, _ = unix.KeyctlInt(unix.KEYCTL_UNLINK, id, ring, 0, 0)
		}
	}
}

// keepFor has the kernel keep a key for a time from now on.
func keepFor(id int, life time.Duration) error {
	_, err := unix.KeyctlInt(unix.KEYCTL_SET_TIMEOUT, id, int(life/time.Second), 0, 0)
	return err
}

// inspect looks for the key without using it.
func (k kernelKey) inspect(state *KernelState) error {
	id, ring, err := k.search()
	state.Keyring = fmt.Sprintf("the persistent keyring of uid %d", os.Geteuid())
	if ring == unix.KEY_SPEC_USER_KEYRING {
		state.Keyring = fmt.Sprintf("the user keyring of uid %d", os.Geteuid())
	}
	if err == nil {
		state.Key, state.Left = true, keyLeft(id)
	}
	return kernelProblem(err)
}

// keyLeft returns how long the kernel keeps a key, as /proc/keys says (proc_keys(5)): there is
// no call that tells it.
func keyLeft(id int) time.Duration {
	list, _ := os.ReadFile("/proc/keys")
	for line := range strings.Lines(string(list)) {
		columns := strings.Fields(line)
		if len(columns) < 4 || columns[0] != fmt.Sprintf("%08x", id) {
			continue
		}
		var n int
		var unit rune
		_, _ = fmt.Sscanf(columns[3], "%d%c", &n, &unit)
		day := 24 * time.Hour
		units := map[rune]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': day, 'w': 7 * day}
		return time.Duration(n) * units[unit]
	}
	return 0
}

// kernelProblem sorts an answer of the kernel (keyctl(2), add_key(2)).
func kernelProblem(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.ENOKEY), errors.Is(err, unix.EKEYEXPIRED), errors.Is(err, unix.EKEYREVOKED):
		return ErrNotFound
	case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EOPNOTSUPP):
		return &UnusableError{Problem: Unreachable, Hint: kernelHint, Err: errors.New("this kernel has no keyrings")}
	case errors.Is(err, unix.EACCES):
		return &UnusableError{
			Problem: Unreachable, Hint: removeKeyHint,
			Err: fmt.Errorf("the kernel lets nobody use the key authctl: %w", err),
		}
	case errors.Is(err, unix.EPERM):
		return &UnusableError{
			Problem: Unreachable, Hint: kernelHint,
			Err: fmt.Errorf("the kernel's keyrings are refused, as in containers: %w", err),
		}
	case errors.Is(err, unix.EDQUOT):
		return &UnusableError{
			Problem: Refused, Err: fmt.Errorf("the kernel keeps no more keys for uid %d: %w", os.Geteuid(), err),
			Hint: QuotaHint,
		}
	}
	return fmt.Errorf("the kernel's keyring: %w", err)
}
