package main

import (
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/redistest"
)

// wantDegraded requires that a process printed its token, though the engine was no help, and warned once: of this engine,
// of what is wrong, and of what to do.
func (f *fleet) wantDegraded(o outcome, address, problem, remedy string) {
	f.t.Helper()
	f.of("sandbox-pexip", "", strings.TrimSpace(o.stdout))
	parsed, err := url.Parse(address)
	if err != nil {
		f.t.Fatal(err)
	}
	warnings := strings.Count(o.stderr, "warning:")
	if o.code != 0 || warnings != 1 || strings.Contains(o.stderr, "error:") ||
		!strings.Contains(o.stderr, parsed.Host) || !strings.Contains(o.stderr, problem) || !strings.Contains(o.stderr, remedy) {
		f.t.Errorf("exit code %d, stderr %q; want 0 and one warning that names %s, %q and %q",
			o.code, o.stderr, parsed.Host, problem, remedy)
	}
	f.wantSilent(o.stderr)
}

// TestEngineIsNoCondition: whatever is wrong with the engine costs one request and one warning.
func TestEngineIsNoCondition(t *testing.T) {
	t.Parallel()
	through := func(fault redistest.Fault) func(testing.TB) string {
		return func(t testing.TB) string {
			proxy := redistest.StartProxy(t, redistest.Start(t, redistest.Options{}))
			proxy.Decide(func(redistest.Command) redistest.Fault { return fault })
			return proxy.URL()
		}
	}
	// answering leaves what sets a connection up as it is.
	answering := func(answer string) func(testing.TB) string {
		return func(t testing.TB) string {
			proxy := redistest.StartProxy(t, redistest.Start(t, redistest.Options{}))
			proxy.Each(redistest.Fault{Answer: answer + "\r\n"})
			return proxy.URL()
		}
	}
	started := func(o redistest.Options) func(testing.TB) string {
		return func(t testing.TB) string { return redistest.Start(t, o).URL() }
	}
	for _, c := range []struct {
		name            string
		address         func(testing.TB) string
		problem, remedy string
	}{
		{"unreachable", func(t testing.TB) string {
			e := redistest.Start(t, redistest.Options{})
			e.Kill()
			return e.URL()
		}, "nothing listens there", "see that it runs"},
		{"slow", through(redistest.Fault{Delay: time.Hour}), "too long", "timeout in the address"},
		{"slow behind the greeting", func(t testing.TB) string {
			proxy := redistest.StartProxy(t, redistest.Start(t, redistest.Options{}))
			proxy.Each(redistest.Fault{Delay: time.Hour})
			return proxy.URL()
		}, "too long", "timeout in the address"},
		{"half-open", through(redistest.Fault{Silent: true}), "too long", "timeout in the address"},
		{"no Redis", through(redistest.Fault{Answer: "HTTP/1.1 400 Bad Request\r\n\r\n"}), "not what Redis", "host and port"},
		{"garbage behind the greeting", answering("\x00\xff\x07garbage"), "not what Redis", "host and port"},
		{"replica", func(t testing.TB) string {
			return redistest.Start(t, redistest.Options{ReplicaOf: redistest.Start(t, redistest.Options{})}).URL()
		}, "is a replica", "master's address"},
		{"loading", answering("-LOADING Redis is loading the dataset in memory"), "loading", "when it has started"},
		{"moved", answering("-MOVED 3999 192.0.2.1:6379"), "node of a cluster", "cluster=true"},
		{"full", started(redistest.Options{MaxMemory: "1", Policy: "noeviction"}), "memory is full", "maxmemory"},
		{"password missing", started(redistest.Options{Password: enginePassword}), "wants a password", "store_password"},
		{"unknown user", func(t testing.TB) string {
			e := redistest.Start(t, redistest.Options{})
			return strings.Replace(e.URL(), "://", "://nobody@", 1)
		}, "does not know this user", "store_password"},
		{"command forbidden", started(redistest.Options{ACL: "user default on nopass ~* &* +@all -set -eval -evalsha"}), "may not do this", "docs/fleets.md"},
		{"keys forbidden", started(redistest.Options{ACL: "user default on nopass ~other:* &* +@all"}), "may not do this", "docs/fleets.md"},
		{"TLS expected", started(redistest.Options{TLS: true}), "ended the connection", "rediss:"},
		{"down", answering("-CLUSTERDOWN The cluster is down"), "cluster is down", "slots"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			address := c.address(t)
			if c.name == "TLS expected" {
				address = strings.Replace(address, "rediss:", "redis:", 1)
			}
			f := newFleet(t, address+"?connect_timeout=1s&timeout=1s")
			for i := range 2 {
				f.wantDegraded(f.machine().run("token", "get", "pexip", "--timeout", "80s"), address, c.problem, c.remedy)
				f.wantRequests(i+1, i+1)
			}
		})
	}
}

// TestEngineIsSlowerThanTheCall: an engine that hangs and may take longer than the whole call is slow, and no call of
// another: the service is asked all the same.
func TestEngineIsSlowerThanTheCall(t *testing.T) {
	t.Parallel()
	proxy := redistest.StartProxy(t, redistest.Start(t, redistest.Options{}))
	proxy.Each(redistest.Fault{Silent: true})
	f := newFleet(t, proxy.URL()+"?connect_timeout=20s&timeout=40s")
	// A twentieth of 40 s is quick.
	f.wantDegraded(f.machine().run("token", "get", "pexip", "--timeout", "4s"), proxy.URL(), "too long", "timeout in the address")
	f.wantRequests(1, 1)
}

// TestDeadEngineIsExplained: once, and for how long.
func TestDeadEngineIsExplained(t *testing.T) {
	t.Parallel()
	f := newFleet(t, "redis://127.0.0.1:1")
	o := f.machine().run("token", "get", "pexip", "--explain")
	const begin, end = "explain: store: reading the token in the redis store: ", "; the engine is not asked again for 1m\n"
	if o.code != 0 || strings.Count(o.stderr, begin) != 1 || strings.Count(o.stderr, end) != 1 {
		t.Errorf("exit code %d, stderr %q; want once %q and %q", o.code, o.stderr, begin, end)
	}
}

// TestInterruptIsNoFailureOfTheEngine: who interrupts while the engine hangs is told nothing of it.
func TestInterruptIsNoFailureOfTheEngine(t *testing.T) {
	t.Parallel()
	proxy := redistest.StartProxy(t, redistest.Start(t, redistest.Options{}))
	f := newFleet(t, proxy.URL()+"?connect_timeout=20s&timeout=2s")
	reached := silence(proxy, func(c redistest.Command) bool { return touches(c, "token") })
	r := f.machine().start("token", "get", "pexip")
	<-reached
	if err := r.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	o := r.end()
	if o.code != 130 || strings.Contains(o.stderr, "warning") || o.stdout != "" {
		t.Errorf("exit code %d, stdout %q, stderr %q; want 130 and no word of the engine", o.code, o.stdout, o.stderr)
	}
	f.wantRequests(0, 0)
}

// TestEngineBreaksAtEachCommand: from the n-th command on nothing goes well, for each n that a cold process comes to.
func TestEngineBreaksAtEachCommand(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]redistest.Fault{
		"refused":  {Refuse: true},
		"lost":     {Lose: true},
		"cut":      {Lose: true, Bytes: 1},
		"silent":   {Silent: true},
		"error":    {Answer: "-ERR unknown\r\n"},
		"garbage":  {Answer: "\x00\xff\x07\r\n"},
		"nonsense": {Answer: "*3\r\n:1\r\n$2\r\nab\r\n+x\r\n"},
		"full":     {Answer: "-OOM command not allowed when used memory > 'maxmemory'.\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := redistest.Start(t, redistest.Options{})
			n := 1
			for breaksAt(t, e, n, fault) {
				n++
			}
			if n < 4 {
				t.Errorf("a cold process came to %d commands", n-1)
			}
		})
	}
}

// breaksAt has a fault meet all from the n-th command of a cold process on, and reports whether there was one.
func breaksAt(t *testing.T, e *redistest.Engine, n int, fault redistest.Fault) bool {
	t.Helper()
	proxy := redistest.StartProxy(t, e)
	f := newFleet(t, proxy.URL()+"?connect_timeout=1s&timeout=1s")
	var met atomic.Bool
	proxy.Decide(func(c redistest.Command) redistest.Fault {
		if c.Prepares() || c.Number < n {
			return redistest.Fault{}
		}
		met.Store(true)
		return fault
	})
	o := f.machine().run("token", "get", "pexip", "--timeout", "80s")
	f.of("sandbox-pexip", "", strings.TrimSpace(o.stdout))
	f.wantRequests(1, 1)
	warnings := strings.Count(o.stderr, "warning:")
	if o.code != 0 || warnings > 1 || !met.Load() && o.stderr != "" {
		t.Errorf("from command %d on: exit code %d, stderr %q; want 0 and one warning at most", n, o.code, o.stderr)
	}
	if _, err := e.Do("FLUSHALL"); err != nil {
		t.Fatal(err)
	}
	return met.Load()
}

// TestEngineIsFlushedAtEachCommand loses tokens, leases and scripts in the middle of a process: that costs a request of
// whoever comes next, no more.
func TestEngineIsFlushedAtEachCommand(t *testing.T) {
	t.Parallel()
	e := redistest.Start(t, redistest.Options{})
	for n, more := 1, true; more; n++ {
		proxy := redistest.StartProxy(t, e)
		more = false
		proxy.Decide(func(c redistest.Command) redistest.Fault {
			if c.Prepares() || c.Number != n {
				return redistest.Fault{}
			}
			more = true
			for _, flush := range [][]string{{"FLUSHALL"}, {"SCRIPT", "FLUSH"}} {
				if _, err := e.Do(flush...); err != nil {
					t.Error(err)
				}
			}
			return redistest.Fault{}
		})
		f := newFleet(t, proxy.URL()+"?"+unhurried)
		wantTokens(t, []outcome{f.machine().run("token", "get", "pexip", "--timeout", "80s")})
		f.wantRequests(1, 1)
		wantTokens(t, []outcome{f.machine("AUTHCTL_STORE="+e.URL()+"?"+unhurried).run("token", "get", "pexip", "--timeout", "80s")})
		f.wantRequests(1, 2)
	}
}
