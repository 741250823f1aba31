package shared

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/redistest"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/store/address"
	"github.com/authctl/authctl/internal/store/storetest"
)

// failing is a store whose engine fails, and how often it was asked something, where that can be counted.
type failing struct {
	store *Store
	asked func() int
}

// uses are all that a store is asked for.
func uses(ctx context.Context, t *testing.T, s *Store) map[string]error {
	t.Helper()
	r := storetest.Record(t)
	_, got := s.Get(ctx, r.Key)
	_, listed := s.List(ctx)
	_, tried := s.TryLock(ctx, r.Key)
	_, locked := s.Lock(ctx, r.Key)
	_, waited := s.Wait(ctx, r.Key)
	_, probed := s.Probe(ctx)
	return map[string]error{
		"Get": got, "Put": s.Put(ctx, r), "Delete": s.Delete(ctx, r.Key), "List": listed,
		"TryLock": tried, "Lock": locked, "Wait": waited, "Probe": probed,
	}
}

// answering is a store before whose engine each command is given an answer.
func answering(f redistest.Fault) func(t *testing.T) failing {
	return func(t *testing.T) failing {
		t.Helper()
		p := redistest.StartProxy(t, redistest.Start(t, redistest.Options{}))
		asked := counting(p, func(c redistest.Command) redistest.Fault {
			if c.Prepares() {
				return redistest.Fault{}
			}
			return f
		})
		return failing{newStore(t, newOptions(t, p.URL())), asked}
	}
}

// counting counts commands, but for PTTL, which follows another in the same round trip.
func counting(p *redistest.Proxy, decide func(redistest.Command) redistest.Fault) func() int {
	var asked atomic.Int32
	p.Decide(func(c redistest.Command) redistest.Fault {
		if c.Name != "PTTL" {
			asked.Add(1)
		}
		return decide(c)
	})
	return func() int { return int(asked.Load()) }
}

// on is a store on an engine that was started otherwise, with options to be changed.
func on(o redistest.Options, change func(e *redistest.Engine, o *Options)) func(t *testing.T) failing {
	return func(t *testing.T) failing {
		t.Helper()
		e := redistest.Start(t, o)
		options := newOptions(t, e.URL())
		change(e, &options)
		return failing{newStore(t, options), func() int { return stats(t, e).Calls["get"] }}
	}
}

// TestEngineFails: each way in which an engine fails is named with its remedy, costs one command, and is every later
// answer of the process.
func TestEngineFails(t *testing.T) {
	t.Parallel()
	same := func(*redistest.Engine, *Options) {}
	for name, test := range map[string]struct {
		start   func(t *testing.T) failing
		problem store.Problem
		means   string
		hint    string
	}{
		"loading": {
			answering(redistest.Fault{Answer: "-LOADING Redis is loading the dataset in memory\r\n"}),
			store.Unreachable, "it is loading what it keeps", "try again",
		},
		"a node of a cluster": {
			answering(redistest.Fault{Answer: "-MOVED 3999 127.0.0.1:6381\r\n"}),
			store.Refused, "it is a node of a cluster", "cluster=true",
		},
		"a cluster that is down": {
			answering(redistest.Fault{Answer: "-CLUSTERDOWN The cluster is down\r\n"}),
			store.Unreachable, "its cluster is down", "slots",
		},
		"out of memory": {
			answering(redistest.Fault{Answer: "-OOM command not allowed when used memory > 'maxmemory'.\r\n"}),
			store.Refused, "its memory is full", "maxmemory-policy",
		},
		"a script of another": {
			answering(redistest.Fault{Answer: "-BUSY Redis is busy running a script.\r\n"}),
			store.Locked, "it is busy with somebody's script", "try again",
		},
		"an unknown refusal": {
			answering(redistest.Fault{Answer: "-ERR hunter2 is not what I like\r\n"}),
			store.Refused, "it refuses the command", "log",
		},
		"Redis 6, in a script": {
			answering(redistest.Fault{Answer: "-ERR Error running script (call to f_0): @user_script:1: READONLY You can't write\r\n"}),
			store.Refused, "it is a replica, which takes no writes", "master",
		},
		"Redis 6, in a script, with its minus": {
			answering(redistest.Fault{Answer: "-ERR Error running script (call to f_0): @user_script: 3: -OOM command not allowed\r\n"}),
			store.Refused, "its memory is full", "maxmemory-policy",
		},
		"an answer with the command in it": {
			answering(redistest.Fault{Answer: "-ERR unknown command `GET`, with args beginning with: `hunter2`\r\n"}),
			store.Refused, "it lacks a command that is needed", "newer",
		},
		"cut":              {answering(redistest.Fault{Refuse: true}), store.Unreachable, "it has ended the connection", "rediss://"},
		"cut in an answer": {answering(redistest.Fault{Lose: true, Bytes: 2}), store.Unreachable, "it has ended the connection", "rediss://"},
		"another protocol": {
			answering(redistest.Fault{Answer: "HTTP/1.1 400 Bad Request hunter2\r\n\r\n"}),
			store.Unreachable, "what it answers is not what Redis or Valkey answers", "port",
		},
		"garbage": {
			answering(redistest.Fault{Answer: "\x00\x01hunter2\r\n"}),
			store.Unreachable, "what it answers is not what Redis or Valkey answers", "port",
		},
		"silent": {silent(func(c redistest.Command) bool { return !c.Prepares() }), store.Locked, "it has taken too long", "timeout"},
		"silent from the start": {
			silent(func(redistest.Command) bool { return true }), store.Locked, "it has taken too long", "timeout",
		},
		"not there": {
			on(redistest.Options{}, func(_ *redistest.Engine, o *Options) { o.Address.Hosts[0] = closed() }),
			store.Unreachable, "nothing listens there", "see that it runs",
		},
		"no such host": {
			on(redistest.Options{}, func(_ *redistest.Engine, o *Options) { o.Address.Hosts[0] = "nowhere.invalid:6379" }),
			store.Unreachable, "its host has no address", "name is right",
		},
		"wants a password": {
			on(redistest.Options{Password: "fake-password"}, same), store.Refused, "it wants a password", "store_password: env:NAME",
		},
		"a wrong password": {
			on(redistest.Options{Password: "fake-password"}, func(_ *redistest.Engine, o *Options) {
				o.Password = secret.Known(secret.New("hunter2"))
			}), store.Refused, "it does not know this user with this password", "store_password",
		},
		"wants a password of a user": {
			on(redistest.Options{ACL: "user ci on >fake-password ~* &* +@all"}, func(_ *redistest.Engine, o *Options) {
				o.Address.User = "ci"
			}), store.Refused, "it does not know this user without a password", "store_password: env:NAME",
		},
		"a user it has not": {
			on(redistest.Options{}, func(_ *redistest.Engine, o *Options) { *o = asUser(*o) }),
			store.Refused, "it does not know this user with this password", "store_password",
		},
		"a user without rights": {
			on(redistest.Options{ACL: "user default off\nuser ci on >fake-password ~* &* -@all"},
				func(_ *redistest.Engine, o *Options) { *o = asUser(*o) }),
			store.Refused, "its user may not do this", "docs/fleets.md",
		},
		"no such database": {
			on(redistest.Options{}, func(_ *redistest.Engine, o *Options) { o.Address.DB = 99 }),
			store.Refused, "it has no such database", "number",
		},
		"no cluster": {
			on(redistest.Options{}, func(_ *redistest.Engine, o *Options) { o.Address.Cluster = true }),
			store.Refused, "it is no cluster", "cluster=true",
		},
		"TLS where none is spoken": {
			on(redistest.Options{}, func(_ *redistest.Engine, o *Options) {
				o.Address.TLS, o.Address.Connect = true, 50*time.Millisecond
			}), store.Unreachable, "it does not answer", "speaks TLS",
		},
		"no TLS where it is spoken": {
			on(redistest.Options{TLS: true}, func(_ *redistest.Engine, o *Options) { o.Address.TLS = false }),
			store.Unreachable, "it has ended the connection", "rediss://",
		},
		"TLS to what answers otherwise": {
			func(t *testing.T) failing {
				t.Helper()
				o := newOptions(t, "rediss://"+refusing(t))
				return failing{newStore(t, o), func() int { return 0 }}
			}, store.Refused, "it does not speak TLS", "redis://",
		},
		"an unknown authority": {on(redistest.Options{TLS: true}, same), store.Refused, "its certificate is not trusted", "--ca-file"},
		"without a client's certificate": {
			on(redistest.Options{TLS: true, ClientCertificates: true}, func(e *redistest.Engine, o *Options) {
				o.TLS = func(ctx context.Context) (*tls.Config, error) {
					c, err := secure(e)(ctx)
					c.Certificates = nil
					return c, err
				}
			}), store.Refused, "it refuses the connection in TLS", "store_tls_certificate",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := test.start(t)
			_, first := f.store.Get(t.Context(), storetest.Record(t).Key)
			asked := f.asked()
			down, ok := errors.AsType[*store.UnusableError](first)
			if !ok {
				t.Fatalf("Get: %v, want a failure", first)
			}
			if down.Problem != test.problem || down.Err.Error() != test.means || !strings.Contains(down.Hint, test.hint) ||
				!strings.Contains(down.Hint, "AUTHCTL_STORE") {
				t.Fatalf("got %v and the hint %q, want %s: %s", first, down.Hint, test.problem, test.means)
			}
			for use, err := range uses(t.Context(), t, f.store) {
				again, ok := errors.AsType[*store.UnusableError](err)
				if !ok || again != down {
					t.Errorf("%s afterwards: %v, want the same answer", use, err)
				}
				if lock, isLock := errors.AsType[*store.LockError](err); isLock && lock.Busy {
					t.Errorf("%s: the lock counts as busy", use)
				}
			}
			if f.asked() != asked {
				t.Errorf("it was asked %d times after it had failed", f.asked()-asked)
			}
			if text := first.Error() + down.Hint; strings.Contains(text, "hunter2") {
				t.Errorf("the error repeats what it should not: %s", text)
			}
		})
	}
}

// closed is an address where nothing listens.
func closed() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// refusing is the address of a server that greets whoever comes, as an old mail server does.
func refusing(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = connection.Write([]byte("-ERR Protocol error\r\n"))
			_, _ = connection.Read(make([]byte, 1<<16))
		}
	}()
	return listener.Addr().String()
}

// silent is a store whose engine answers nothing from some command on, with a short time.
func silent(from func(redistest.Command) bool) func(t *testing.T) failing {
	return func(t *testing.T) failing {
		t.Helper()
		p := redistest.StartProxy(t, redistest.Start(t, redistest.Options{}))
		asked := counting(p, func(c redistest.Command) redistest.Fault { return redistest.Fault{Silent: from(c)} })
		o := newOptions(t, p.URL())
		o.Address.Timeout = 50 * time.Millisecond
		return failing{newStore(t, o), asked}
	}
}

// TestReplica: what a replica knows can be read, and the first write ends its use.
func TestReplica(t *testing.T) {
	t.Parallel()
	w := redistest.Sentinel(t, redistest.Options{})
	s := newStore(t, newOptions(t, w.Replica.URL()))
	if _, err := s.Get(t.Context(), ours()); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Get: %v", err)
	}
	err := s.Put(t.Context(), storetest.Record(t))
	if down, ok := errors.AsType[*store.UnusableError](err); !ok || !strings.Contains(down.Hint, "master_name") {
		t.Errorf("Put: %v", err)
	}
}

// TestFailover: a new process finds the engine where the sentinels have it now.
func TestFailover(t *testing.T) {
	t.Parallel()
	w := redistest.Sentinel(t, redistest.Options{})
	o := newOptions(t, w.Sentinel.URL())
	o.Address.Master = redistest.SentinelMaster
	put(t, newStore(t, o), storetest.Record(t))
	if err := w.Failover(); err != nil {
		t.Fatal(err)
	}
	put(t, newStore(t, o), storetest.Record(t))
	wantToken(t, newStore(t, o), storetest.Record(t))
	if got := do(t, w.Replica, "DBSIZE"); got != int64(1) {
		t.Errorf("the new master has %v keys, want 1", got)
	}
}

// TestFullMemory: an engine that may not evict and is full refuses a token, and takes back a lease.
func TestFullMemory(t *testing.T) {
	t.Parallel()
	e := redistest.Start(t, redistest.Options{})
	s := newStore(t, newOptions(t, e.URL()))
	l := lock(t, s)
	do(t, e, "CONFIG", "SET", "maxmemory", "1")
	if err := l.Unlock(); err != nil {
		t.Errorf("Unlock: %v", err)
	}
	err := s.Put(t.Context(), storetest.Record(t))
	if down, ok := errors.AsType[*store.UnusableError](err); !ok || down.Err.Error() != "its memory is full" {
		t.Errorf("Put: %v", err)
	}
}

// TestMissingReferences: what this machine lacks is the configuration's fault, and no failure of the engine.
func TestMissingReferences(t *testing.T) {
	t.Parallel()
	e := redistest.Start(t, redistest.Options{})
	missing := func(context.Context) (secret.Secret, error) { return secret.Secret{}, errors.New("not set") }
	for name, change := range map[string]func(o *Options){
		"store key":                func(o *Options) { o.Key = nil },
		"a store key that is none": func(o *Options) { o.Key = secret.Known(secret.New("hunter2")) },
		"password":                 func(o *Options) { o.Password = missing },
		"sentinel password":        func(o *Options) { o.SentinelPassword = missing },
		"certificate": func(o *Options) {
			o.Address.TLS, o.TLS = true, func(context.Context) (*tls.Config, error) { return nil, errors.New("not set") }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOptions(t, e.URL())
			change(&o)
			s := newStore(t, o)
			for use, err := range uses(t.Context(), t, s) {
				down, ok := errors.AsType[*store.UnusableError](err)
				if !ok || down.Problem != store.Unconfigured || strings.Contains(err.Error()+down.Hint, "hunter2") {
					t.Errorf("%s: %v, want unconfigured", use, err)
				}
			}
			if s.dead.Load() != nil {
				t.Error("the engine counts as dead")
			}
		})
	}
}

// TestCallerEnds: a caller who gives up is no failure of the engine.
func TestCallerEnds(t *testing.T) {
	t.Parallel()
	s := newStore(t, newOptions(t, redistest.Start(t, redistest.Options{}).URL()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Get(ctx, ours()); !errors.Is(err, context.Canceled) {
		t.Errorf("Get: %v", err)
	}
	if _, err := s.Lock(ctx, ours()); !isBusy(err) || !errors.Is(err, context.Canceled) {
		t.Errorf("Lock: %v", err)
	}
	for use, err := range uses(ctx, t, s) {
		if _, dead := errors.AsType[*store.UnusableError](err); dead || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want that it was canceled", use, err)
		}
	}
	if _, err := s.TryLock(ctx, ours()); isBusy(err) {
		t.Errorf("TryLock: %v, and nobody was seen to hold it", err)
	}
	_ = lock(t, s).Unlock()
}

// TestBudget: what an engine may take in all is bounded, and comes back with time.
func TestBudget(t *testing.T) {
	t.Parallel()
	now := time.Now()
	b := budget{all: time.Second, clock: func() time.Time { return now }}
	for _, step := range []struct {
		pause, took, left time.Duration
	}{
		{0, 0, time.Second},
		{0, 300 * time.Millisecond, 700 * time.Millisecond},
		// What is quick takes nothing.
		{0, 50 * time.Millisecond, 700 * time.Millisecond},
		{0, 51 * time.Millisecond, 649 * time.Millisecond},
		{6 * time.Second, 0, 749 * time.Millisecond},
		{0, 749 * time.Millisecond, 0},
		{time.Hour, 0, time.Second},
	} {
		now = now.Add(step.pause)
		b.took(step.took)
		if left := b.left(); left != step.left {
			t.Errorf("after %s and a command of %s there are %s left, want %s", step.pause, step.took, left, step.left)
		}
	}
}

// TestBudgetIsKept: an engine that has taken its time is not asked any more.
func TestBudgetIsKept(t *testing.T) {
	t.Parallel()
	e := redistest.Start(t, redistest.Options{})
	s := newStore(t, newOptions(t, e.URL()))
	now := time.Now()
	s.budget.clock = func() time.Time {
		// Each look at the clock, and so each command, takes 25 of the 60 seconds; some of it comes back.
		now = now.Add(25 * time.Second)
		return now
	}
	asked := 0
	for s.dead.Load() == nil {
		_, err := s.Get(t.Context(), ours())
		if down, ok := errors.AsType[*store.UnusableError](err); ok && down.Problem != store.Locked {
			t.Errorf("got %v, want locked", err)
		}
		asked++
	}
	if got := stats(t, e).Calls["get"]; got >= asked || got > 4 {
		t.Errorf("it was asked %d times in %d", got, asked)
	}
}

// TestTimeIsUp: an engine that uses up the caller's time is slow, and holds no lease; one that had no time is neither.
func TestTimeIsUp(t *testing.T) {
	t.Parallel()
	p := redistest.StartProxy(t, redistest.Start(t, redistest.Options{}))
	p.Each(redistest.Fault{Silent: true})
	for use, do := range map[string]func(ctx context.Context, s *Store) error{
		"Get":     func(ctx context.Context, s *Store) error { _, err := s.Get(ctx, ours()); return err },
		"Put":     func(ctx context.Context, s *Store) error { return s.Put(ctx, storetest.Record(t)) },
		"TryLock": func(ctx context.Context, s *Store) error { _, err := s.TryLock(ctx, ours()); return err },
		"Lock":    func(ctx context.Context, s *Store) error { _, err := s.Lock(ctx, ours()); return err },
		"Wait":    func(ctx context.Context, s *Store) error { _, err := s.Wait(ctx, ours()); return err },
	} {
		for all, dead := range map[time.Duration]bool{time.Second: true, time.Minute: false} {
			t.Run(use+" of "+all.String(), func(t *testing.T) {
				t.Parallel()
				s := newStore(t, newOptions(t, p.URL()))
				// A twentieth of it is quick.
				s.budget.all = all
				ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
				defer cancel()
				err := do(ctx, s)
				down, unusable := errors.AsType[*store.UnusableError](err)
				if unusable != dead || isBusy(err) || dead && down.Hint == "" || !dead && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v; the engine counts as dead: %v, want %v", err, unusable, dead)
				}
			})
		}
	}
}

// TestLooksAgain: a process that lives on finds an engine that is back, after a minute and not before.
func TestLooksAgain(t *testing.T) {
	t.Parallel()
	e := redistest.Start(t, redistest.Options{})
	s := newStore(t, newOptions(t, e.URL()))
	s.pace.again = time.Minute
	now := time.Now()
	s.budget.clock = func() time.Time { return now }
	for range 2 {
		e.Kill()
		_, first := s.Get(t.Context(), ours())
		if _, dead := errors.AsType[*store.UnusableError](first); !dead {
			t.Fatalf("Get from an engine that is gone: %v", first)
		}
		if err := e.Restart(); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Minute - 1)
		if _, err := s.Get(t.Context(), ours()); !errors.Is(err, first) {
			t.Errorf("Get within the minute: %v, want the first answer", err)
		}
		now = now.Add(1)
		put(t, s, storetest.Record(t))
		_ = lock(t, s).Unlock()
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour)
	if _, err := s.Get(t.Context(), ours()); err == nil {
		t.Error("what is closed is used again")
	}
}

// TestIdleConnection: one that was idle for long may be dead without a word, and is not used again.
func TestIdleConnection(t *testing.T) {
	t.Parallel()
	p := redistest.StartProxy(t, redistest.Start(t, redistest.Options{}))
	var connections, asked atomic.Int32
	p.Decide(func(c redistest.Command) redistest.Fault {
		switch c.Name {
		case "HELLO":
			connections.Add(1)
		case "GET":
			// Of each connection the first is answered.
			return redistest.Fault{Silent: asked.Add(1) > connections.Load()}
		}
		return redistest.Fault{}
	})
	s := newStore(t, newOptions(t, p.URL()))
	s.pace.idle = time.Nanosecond
	for range 3 {
		if _, err := s.Get(t.Context(), ours()); !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("Get: %v", err)
		}
	}
}

// TestListingCostsNothing: who lists, or has the engine examined, has all the time that the engine takes, each command
// that of one.
func TestListingCostsNothing(t *testing.T) {
	t.Parallel()
	e := redistest.Start(t, redistest.Options{})
	o := newOptions(t, e.URL())
	filling := newStore(t, o)
	for i := range 10 {
		r := storetest.Record(t)
		r.Key.ClientID += string(rune('a' + i))
		put(t, filling, r)
	}
	for use, do := range map[string]func(s *Store) error{
		"List":  func(s *Store) error { _, err := s.List(t.Context()); return err },
		"Probe": func(s *Store) error { _, err := s.Probe(t.Context()); return err },
	} {
		s := newStore(t, o)
		now := time.Now()
		// Each command takes 25 of the 60 seconds.
		s.budget.clock = func() time.Time { now = now.Add(25 * time.Second); return now }
		if err := do(s); err != nil {
			t.Errorf("%s: %v", use, err)
		}
		if _, err := s.List(t.Context()); err != nil {
			t.Errorf("List after %s: %v", use, err)
		}
	}
}

// TestLeaseIsGivenBack: who takes the lease and can do nothing with it leaves it to the others at once.
func TestLeaseIsGivenBack(t *testing.T) {
	t.Parallel()
	e := redistest.Start(t, redistest.Options{
		ACL: "user ci on >fake-password " + strings.Replace(strings.Join(Rules(address.Address{}), " "), " +pttl", "", 1),
	})
	o := newOptions(t, e.URL())
	s := newStore(t, asUser(o))
	if _, err := s.TryLock(t.Context(), ours()); err == nil {
		t.Fatal("there is a lease without PTTL")
	}
	l, err := newStore(t, o).TryLock(t.Context(), ours())
	if err != nil {
		t.Fatalf("another's TryLock: %v", err)
	}
	// Nothing is left of the budget.
	l.(*lease).store.budget.took(time.Hour)
	if err := l.Unlock(); err != nil {
		t.Errorf("Unlock: %v", err)
	}
	_ = lock(t, newStore(t, o)).Unlock()
}

// TestLeaseIsGivenBackLate: the answer to SET comes too late for the caller, and the lease is given back before Close
// returns.
func TestLeaseIsGivenBackLate(t *testing.T) {
	t.Parallel()
	e := redistest.Start(t, redistest.Options{})
	p := redistest.StartProxy(t, e)
	var late atomic.Bool
	late.Store(true)
	p.Decide(func(c redistest.Command) redistest.Fault {
		// SET gets there, and its answer does not.
		return redistest.Fault{Silent: c.Name == "PTTL" && late.Swap(false)}
	})
	s := newStore(t, newOptions(t, p.URL()))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.TryLock(ctx, ours()); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("TryLock: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := stats(t, e).Calls["set"]; got != 1 {
		t.Fatalf("%d SET have come to the engine, want 1", got)
	}
	_, n, _ := s.named(t.Context(), ours())
	if got := do(t, e, "EXISTS", n.lease); got != int64(0) {
		t.Error("the lease stays")
	}
}
