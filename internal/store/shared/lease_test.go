package shared

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/redistest"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/store/address"
	"github.com/authctl/authctl/internal/tokenkey"
	"github.com/google/go-cmp/cmp"
)

// childEnv has the test binary be another machine: what it does, the engine, the store key and a directory.
const childEnv = "AUTHCTL_TEST_SHARED"

func TestMain(m *testing.M) {
	if words := strings.Fields(os.Getenv(childEnv)); len(words) == 4 {
		if err := child(words[0], words[1], words[2], words[3]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// ours is the key that the machines share.
func ours() tokenkey.Key { return tokenkey.Key{Provider: "pexip", ClientID: "shared"} }

// child holds the lease until its standard input ends, or takes it again and again, alone.
func child(does, url, key, dir string) error {
	a, err := address.Parse(url)
	if err != nil {
		return err
	}
	a.Connect, a.Timeout = time.Minute, time.Minute
	s := New(Options{Address: a, Key: secret.Known(secret.New(key))})
	s.pace.renew = 10 * time.Millisecond
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if does == "alone" {
		return alone(ctx, s, filepath.Join(dir, "inside"))
	}
	l, err := s.Lock(ctx, ours())
	if err != nil {
		return err
	}
	fmt.Println("held")
	_, _ = os.Stdin.Read(make([]byte, 1))
	lapsed := l.Leave(store.Note{Reason: "late"})
	return errors.Join(lapsed, l.Unlock())
}

// alone fails when another is inside at the same time.
func alone(ctx context.Context, s *Store, inside string) error {
	for range 20 {
		l, err := s.Lock(ctx, ours())
		if err != nil {
			return err
		}
		f, err := os.OpenFile(inside, os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return fmt.Errorf("another holds it: %w", err)
		}
		if err := errors.Join(f.Close(), os.Remove(inside), l.Unlock()); err != nil {
			return err
		}
	}
	return nil
}

func startChild(t *testing.T, does, url string, o Options, dir string) *exec.Cmd {
	t.Helper()
	key, err := o.Key(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+strings.Join([]string{does, url, key.Reveal(), dir}, " "))
	return cmd
}

func lock(t *testing.T, s *Store) store.Lock {
	t.Helper()
	l, err := s.Lock(t.Context(), ours())
	if err != nil {
		t.Fatalf("Lock: %v", err)
	}
	return l
}

func TestLeaseExcludesProcesses(t *testing.T) {
	t.Parallel()
	e := redistest.Start(t, redistest.Options{})
	o, dir := newOptions(t, e.URL()), t.TempDir()
	failed := make(chan error)
	for range 4 {
		cmd := startChild(t, "alone", e.URL(), o, dir)
		go func() {
			out, err := cmd.CombinedOutput()
			if err != nil {
				err = fmt.Errorf("%w: %s", err, out)
			}
			failed <- err
		}()
	}
	for range 4 {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
}

// TestHolderDies: who is killed or stopped loses the lease a while later, and does no harm when he comes back.
func TestHolderDies(t *testing.T) {
	t.Parallel()
	e := redistest.Start(t, redistest.Options{})
	for _, how := range []string{"KILL", "STOP"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			o := newOptions(t, e.URL())
			cmd := startChild(t, "hold", e.URL(), o, "-")
			to, err := cmd.StdinPipe()
			from, err2 := cmd.StdoutPipe()
			if err = errors.Join(err, err2, cmd.Start()); err != nil {
				t.Fatal(err)
			}
			said := make([]byte, 5)
			if _, err := from.Read(said); err != nil || string(said) != "held\n" {
				t.Fatalf("the child said %q, %v", said, err)
			}
			if out, err := exec.CommandContext(t.Context(), "kill", "-"+how, fmt.Sprint(cmd.Process.Pid)).CombinedOutput(); err != nil {
				t.Fatalf("kill: %v: %s", err, out)
			}
			s := newStore(t, o)
			s.pace.stale, s.pace.poll, s.pace.listening = 100*time.Millisecond, 5*time.Millisecond, 5*time.Millisecond
			if _, err := s.Wait(t.Context(), ours()); err != nil {
				t.Errorf("Wait for one who is dead: %v", err)
			}
			l := lock(t, s)
			if how == "STOP" {
				_ = exec.CommandContext(t.Context(), "kill", "-CONT", fmt.Sprint(cmd.Process.Pid)).Run()
				_ = to.Close()
			}
			if err := cmd.Wait(); err == nil {
				t.Error("who had lost the lease left word as its holder")
			}
			if _, err := s.TryLock(t.Context(), ours()); !isBusy(err) {
				t.Errorf("TryLock = %v, want busy: the lease was given back by one who had lost it", err)
			}
			if l.Note() != (store.Note{}) {
				t.Errorf("the note is %+v", l.Note())
			}
			if err := l.Unlock(); err != nil {
				t.Error(err)
			}
		})
	}
}

func isBusy(err error) bool {
	e, ok := errors.AsType[*store.LockError](err)
	return ok && e.Busy
}

// TestStaleLease: five seconds after its last renewing a lease can be taken, and not before.
func TestStaleLease(t *testing.T) {
	t.Parallel()
	e := redistest.Start(t, redistest.Options{})
	for name, test := range map[string]struct {
		value, left string
		busy        bool
	}{
		// With what this machine may take meanwhile: a minute.
		"renewed":        {"OWNER:120000", "119000", true},
		"not renewed":    {"OWNER:120000", "115000", false},
		"for ever":       {"OWNER:120000", "", false},
		"garbage":        {"garbage", "120000", false},
		"without length": {"OWNER:", "120000", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t, newOptions(t, e.URL()))
			if test.busy {
				s.pace.stale = time.Minute
			}
			_, n, err := s.named(t.Context(), ours())
			if err != nil {
				t.Fatal(err)
			}
			command := []string{"SET", n.lease, test.value}
			if test.left != "" {
				command = append(command, "PX", test.left)
			}
			do(t, e, command...)
			l, err := s.TryLock(t.Context(), ours())
			if isBusy(err) != test.busy || !test.busy && err != nil {
				t.Fatalf("TryLock = %v, want busy: %v", err, test.busy)
			}
			if !test.busy {
				if err := l.Unlock(); err != nil {
					t.Error(err)
				}
				l, err := s.TryLock(t.Context(), ours())
				if err != nil {
					t.Fatalf("TryLock of a lease given back: %v", err)
				}
				_ = l.Unlock()
			}
		})
	}
}

func TestDeadHolder(t *testing.T) {
	t.Parallel()
	const length = 35 * time.Second
	for left, want := range map[time.Duration]bool{
		length: false, 30*time.Second + time.Millisecond: false, 30 * time.Second: true, time.Second: true, -1: true,
	} {
		h := heldAs(value{text: "OWNER:35000", there: true, left: left})
		if h.dead(usualPace().stale) != want {
			t.Errorf("with %s left of %s a holder counts as dead: %v", left, length, !want)
		}
	}
	if heldAs(value{}).dead(0) {
		t.Error("nobody counts as dead")
	}
}

// TestLeaseLength: it is longer than the time that its holder has, and comes back to that again and again.
func TestLeaseLength(t *testing.T) {
	t.Parallel()
	e := redistest.Start(t, redistest.Options{})
	s := newStore(t, newOptions(t, e.URL()))
	s.pace.renew = 5 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	l, err := s.Lock(ctx, ours())
	if err != nil {
		t.Fatal(err)
	}
	_, n, _ := s.named(ctx, ours())
	long := func() bool {
		left, _ := do(t, e, "PTTL", n.lease).(int64)
		return left > 9*time.Minute.Milliseconds()
	}
	if !long() {
		t.Error("the lease is shorter than its holder's time")
	}
	do(t, e, "PEXPIRE", n.lease, "60000")
	await(t, long)
	// One that is another's is neither renewed nor given back, and nothing is left there.
	do(t, e, "SET", n.lease, "ANOTHER:60000", "PX", "60000")
	if err := l.Leave(store.Note{Reason: "late"}); err == nil {
		t.Error("who has lost the lease left a note")
	}
	if err := l.Unlock(); err != nil {
		t.Errorf("Unlock of a lease that has lapsed: %v", err)
	}
	if got := do(t, e, "GET", n.lease); got != "ANOTHER:60000" {
		t.Errorf("the lease of another is %v", got)
	}
	if got := do(t, e, "EXISTS", n.note); got != int64(0) {
		t.Error("there is a note")
	}
}

// TestWakened: who waits is told, and does not look again and again.
func TestWakened(t *testing.T) {
	t.Parallel()
	e := redistest.Start(t, redistest.Options{})
	o := newOptions(t, e.URL())
	l := lock(t, newStore(t, o))
	want := store.Note{At: o.Now(), Reason: "credentials", Message: "no"}
	if err := l.Leave(want); err != nil {
		t.Fatal(err)
	}
	const waiters = 20
	before := stats(t, e)
	heard := make(chan store.Note)
	for range waiters {
		s := newStore(t, o)
		s.pace.poll, s.pace.listening = time.Hour, time.Hour
		go func() {
			note, err := s.Wait(t.Context(), ours())
			if err != nil {
				t.Errorf("Wait: %v", err)
			}
			heard <- note
		}()
	}
	// Some listen by now, or none: what they miss they find when they begin to listen.
	await(t, func() bool { return stats(t, e).Calls["subscribe"] >= waiters/2 })
	if err := l.Unlock(); err != nil {
		t.Fatal(err)
	}
	for range waiters {
		if diff := cmp.Diff(want, <-heard); diff != "" {
			t.Errorf("what a waiter is told (-left +heard):\n%s", diff)
		}
	}
	// Each looks when it comes, when it listens and when it is woken: at lease and note.
	if got := stats(t, e).Calls["get"] - before.Calls["get"]; got > 3*2*waiters+1 {
		t.Errorf("%d GET for %d waiters", got, waiters)
	}
}

// await looks again and again until something is so.
func await(t *testing.T, so func() bool) {
	t.Helper()
	for again := time.NewTicker(time.Millisecond); !so(); {
		select {
		case <-again.C:
		case <-t.Context().Done():
			t.Fatal("it was never so")
		}
	}
}

func stats(t *testing.T, e *redistest.Engine) redistest.Stats {
	t.Helper()
	s, err := e.Stats()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestWaitWithoutBeingTold: where nothing can be heard, who waits looks now and then.
func TestWaitWithoutBeingTold(t *testing.T) {
	t.Parallel()
	rights := strings.Replace(acl(address.Address{}), " +subscribe", "", 1)
	e := redistest.Start(t, redistest.Options{ACL: rights})
	o := asUser(newOptions(t, e.URL()))
	l := lock(t, newStore(t, o))
	s := newStore(t, o)
	s.pace.poll = time.Millisecond
	got := make(chan error)
	go func() {
		_, err := s.Wait(t.Context(), ours())
		got <- err
	}()
	// It may not subscribe, and looks again.
	before := stats(t, e).Calls["get"]
	await(t, func() bool { return stats(t, e).Calls["get"] >= before+20 })
	if err := l.Unlock(); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Errorf("Wait: %v", err)
	}
}

// TestWaitWhenCutOff: the connection on which a waiter listens ends while it waits.
func TestWaitWhenCutOff(t *testing.T) {
	t.Parallel()
	e := redistest.Start(t, redistest.Options{})
	o := newOptions(t, e.URL())
	l := lock(t, newStore(t, o))
	s := newStore(t, o)
	s.pace.poll, s.pace.listening = time.Millisecond, time.Millisecond
	got := make(chan error)
	go func() {
		second, err := s.Lock(t.Context(), ours())
		if err == nil {
			err = second.Unlock()
		}
		got <- err
	}()
	await(t, func() bool { return do(t, e, "CLIENT", "KILL", "TYPE", "pubsub") != int64(0) })
	if err := l.Unlock(); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Errorf("Lock: %v", err)
	}
}

// TestNotesOfOtherClocks: the times of a note are ours, whoever's clock it was written by.
func TestNotesOfOtherClocks(t *testing.T) {
	t.Parallel()
	e := redistest.Start(t, redistest.Options{})
	for _, differs := range []time.Duration{10 * time.Minute, -10 * time.Minute} {
		o := newOptions(t, e.URL())
		right := newStore(t, o)
		right.pace.skew = usualPace().skew
		o.Now = func() time.Time { return right.options.Now().Add(differs) }
		at := o.Now()
		l := lock(t, newStore(t, o))
		if err := l.Leave(store.Note{At: at, NotBefore: at.Add(time.Minute), Renew: at.Add(time.Hour), Reason: "temporary"}); err != nil {
			t.Fatal(err)
		}
		if err := l.Unlock(); err != nil {
			t.Fatal(err)
		}
		note, err := right.Wait(t.Context(), ours())
		if err != nil {
			t.Fatal(err)
		}
		// What it may differ by is what this took, at the most.
		if now := right.options.Now(); note.At.Sub(now) > time.Second || now.Sub(note.At) > 5*time.Minute || note.NotBefore.Sub(note.At) != time.Minute ||
			note.Renew.Sub(note.At) != time.Hour {
			t.Errorf("with a clock %s off: %s, not before %s, and it is %s", differs, note.At, note.NotBefore, now)
		}
	}
}
