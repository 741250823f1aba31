package main

import (
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/authctl/authctl/internal/redistest"
	"github.com/authctl/authctl/internal/sandbox"
)

// touches reports whether a command is about a kind of what we keep: token, lease, note or free.
func touches(c redistest.Command, kind string) bool {
	return slices.ContainsFunc(c.Args, func(word string) bool { return strings.HasSuffix(word, ":"+kind) })
}

// silence has a proxy pass nothing on from the first command of which so is true, and closes what it returns then.
func silence(proxy *redistest.Proxy, so func(redistest.Command) bool) <-chan struct{} {
	reached := make(chan struct{})
	once := sync.OnceFunc(func() { close(reached) })
	proxy.Decide(func(c redistest.Command) redistest.Fault {
		select {
		case <-reached:
			return redistest.Fault{Silent: true}
		default:
		}
		if !so(c) {
			return redistest.Fault{}
		}
		once()
		return redistest.Fault{Silent: true}
	})
	return reached
}

// TestKilledHolderOfALease: the machine that asks for all dies, and the rest get a token before their time is up.
func TestKilledHolderOfALease(t *testing.T) {
	t.Parallel()
	for _, phase := range []struct {
		name string
		// at says at which command the holder is killed; nil is in its request.
		at func(f *fleet, written *bool, c redistest.Command) bool
		// requests are the holder's and the others'.
		requests int
	}{
		{"before the lease", func(_ *fleet, _ *bool, c redistest.Command) bool { return touches(c, "lease") }, 1},
		{"in the request", nil, 2},
		{"after the request, before the write", func(f *fleet, _ *bool, c redistest.Command) bool {
			return touches(c, "token") && f.asked() > 0
		}, 2},
		{"after the write, before the release", func(f *fleet, written *bool, c redistest.Command) bool {
			before := *written
			*written = before || touches(c, "token") && f.asked() > 0
			return before && touches(c, "lease")
		}, 1},
	} {
		t.Run(phase.name, func(t *testing.T) {
			t.Parallel()
			f := startFleet(t, redistest.Options{})
			proxy := redistest.StartProxy(t, f.engine)
			machine := f.machine("AUTHCTL_STORE=" + proxy.URL() + "?" + unhurried)
			if phase.at == nil {
				f.fault(sandbox.Fault{Service: "pexip", DelayMS: aWhile, Times: 1})
			}
			var mu sync.Mutex
			var written bool
			reached := silence(proxy, func(c redistest.Command) bool {
				mu.Lock()
				defer mu.Unlock()
				return phase.at != nil && phase.at(f, &written, c)
			})
			holder := machine.start("token", "get", "pexip", "--timeout", "80s")
			if phase.at == nil {
				f.awaitRequests(1)
			} else {
				<-reached
			}
			rest := f.startOnEach(10, "token", "get", "pexip", "--timeout", "80s")
			if err := holder.Process.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			if o := holder.end(); o.code != 137 || o.stdout != "" {
				t.Errorf("the killed process: exit code %d, %d bytes on stdout; want a signal and none", o.code, len(o.stdout))
			}
			f.of("sandbox-pexip", "", wantTokens(t, ends(rest)))
			f.wantRequests(phase.requests, phase.requests)
		})
	}
}
