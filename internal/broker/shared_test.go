package broker_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/broker"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/tokenkey"
)

// engine is a shared store that tells what it is asked, and fails from its fails-th command on.
type engine struct {
	store.Store
	asked []string
	fails int
	err   *store.UnusableError
}

func (e *engine) Shared() bool { return true }

func (e *engine) Name() string { return "redis" }

// ask notes a command, and fails when it is time.
func (e *engine) ask(command string) error {
	e.asked = append(e.asked, command)
	if e.err != nil && len(e.asked) >= e.fails {
		return e.err
	}
	return nil
}

func (e *engine) Get(ctx context.Context, key tokenkey.Key) (*store.Record, error) {
	if err := e.ask("get"); err != nil {
		return nil, err
	}
	return e.Store.Get(ctx, key)
}

func (e *engine) Put(ctx context.Context, r *store.Record) error {
	if err := e.ask("put"); err != nil {
		return err
	}
	return e.Store.Put(ctx, r)
}

func (e *engine) TryLock(ctx context.Context, key tokenkey.Key) (store.Lock, error) {
	if err := e.ask("lock"); err != nil {
		return nil, &store.LockError{Path: "lease", Err: err}
	}
	return e.Store.TryLock(ctx, key)
}

func (e *engine) Lock(ctx context.Context, key tokenkey.Key) (store.Lock, error) {
	if err := e.ask("pace"); err != nil {
		return nil, &store.LockError{Path: "lease", Err: err}
	}
	return e.Store.Lock(ctx, key)
}

func (e *engine) commands() string {
	all := strings.Join(e.asked, " ")
	e.asked = nil
	return all
}

// A token that is there costs one question; only what needs it takes the lease.
func TestASharedStoreIsAskedLittle(t *testing.T) {
	w := newWorld(t)
	e := &engine{Store: w.Store}
	w.Store = e
	wantCommands := func(want string) {
		t.Helper()
		if got := e.commands(); got != want {
			t.Errorf("the engine was asked %q, want %q", got, want)
		}
	}
	w.want(t, "issued-1 issued")
	wantCommands("get lock get put")
	w.want(t, "issued-1 cache")
	wantCommands("get")
	w.advance(400 * time.Second)
	w.want(t, "issued-2 issued")
	wantCommands("get lock get put")
	w.advance(400 * time.Second)
	e.Store = heldStore{e.Store}
	w.want(t, "issued-2 cache")
	wantCommands("get lock")
}

// Whatever the engine fails at costs one request and one warning, never the token.
func TestASharedStoreIsAHelpAndNoCondition(t *testing.T) {
	for fails := 1; fails <= 4; fails++ {
		for _, problem := range []store.Problem{store.Unreachable, store.Locked, store.Refused} {
			t.Run(fmt.Sprint(problem, " at ", fails), func(t *testing.T) {
				w := newWorld(t)
				down := &store.UnusableError{
					Store: "redis", Problem: problem, Doing: "reading the token", Hint: "see to it", Err: errors.New("gone"),
				}
				told := map[string]bool{}
				w.WarnOnce = func(m string) {
					if !told[m] {
						w.warnings = append(w.warnings, m)
					}
					told[m] = true
				}
				w.Store = &engine{Store: w.Store, fails: fails, err: down}
				w.want(t, "issued-1 issued")
				w.want(t, "issued-2 issued")
				want := "tokens are not shared by this call: reading the token in the redis store: " +
					string(problem) + ": gone: see to it"
				if len(w.warnings) != 1 || w.warnings[0] != want {
					t.Errorf("warnings: %q", w.warnings)
				}
			})
		}
	}
}

// A mistake of the user's is one, whoever shares the store.
func TestASharedStoreWithoutItsKeyIsAMistake(t *testing.T) {
	w := newWorld(t)
	w.Store = &engine{Store: w.Store, fails: 1, err: &store.UnusableError{
		Store: "redis", Problem: store.Unconfigured, Doing: "reading the token", Err: errors.New("no key is given"),
	}}
	if got := w.get(t); got != "error: reading the token in the redis store: unconfigured: no key is given" {
		t.Errorf("got %q", got)
	}
}

// Where the engine is gone, a machine keeps the service's pace by itself.
func TestThePaceIsKeptWithoutTheEngine(t *testing.T) {
	w := newWorld(t)
	near := &store.Memory{}
	w.Near = near
	w.Store = &engine{Store: w.Store, fails: 1, err: &store.UnusableError{Store: "redis", Problem: store.Unreachable, Err: errors.New("gone")}}
	r := broker.Request{Label: store.Label{Profile: "p"}, Provider: pacedService{w.service}}
	if _, err := w.Token(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	lock, err := near.TryLock(t.Context(), tokenkey.Key{Provider: "fake", TokenURL: "https://fake.example/token"})
	if err != nil || lock.Note().Reason != "paced" {
		t.Errorf("no turn was taken on this machine: %v", err)
	}
}
