package main

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/redistest"
	"github.com/authctl/authctl/internal/sandbox"
)

// TestChaosOfTheEngine kills and restarts the engine each second under twenty machines: nobody fails, and nobody gets
// another's token. AUTHCTL_TEST_CHAOS=2m makes it last so long.
func TestChaosOfTheEngine(t *testing.T) {
	t.Parallel()
	lasting := 8 * time.Second
	if text := os.Getenv("AUTHCTL_TEST_CHAOS"); text != "" {
		var err error
		if lasting, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	binary(t) // The time to build it is none of the engine's.
	f := startFleet(t, redistest.Options{Persist: true})
	// Tokens end all the time, so that there is something to share.
	f.fault(sandbox.Fault{ExpiresIn: json.RawMessage("3")})
	over := make(chan struct{})
	var loops sync.WaitGroup
	var calls, warned atomic.Int32
	for n := range chaosLoops {
		// With the bounds that people have: an engine that is killed may leave a connection that says nothing.
		machine := f.machine("AUTHCTL_STORE=" + f.engine.URL())
		loops.Go(func() {
			for r := rand.New(rand.NewPCG(uint64(n), 9)); ; {
				select {
				case <-over:
					return
				default:
				}
				o := f.getSomething(machine, r.IntN(3))
				calls.Add(1)
				if o.stderr != "" {
					warned.Add(1)
				}
			}
		})
	}
	kills := restarting(t, f.engine, lasting)
	close(over)
	loops.Wait()
	t.Logf("%d calls, %d of them warned; the engine killed %d times; %d requests", calls.Load(), warned.Load(), kills, f.asked())
}

// getSomething gets one of three tokens and requires that it is that one.
func (f *fleet) getSomething(machine *place, which int) outcome {
	f.t.Helper()
	kind := []struct{ profile, client, scope string }{
		{"pexip", "sandbox-pexip", "engage:offices:readOnly"},
		{"pexip", "sandbox-pexip", "engage:subjects:readOnly"},
		{"talkdesk", "sandbox-talkdesk", "account:read"},
	}[which]
	o := machine.run("token", "get", kind.profile, "--scope", kind.scope)
	if o.code != 0 || strings.Count(o.stderr, "warning:") > 1 {
		f.t.Errorf("%s: exit code %d, stderr %q", kind.profile, o.code, o.stderr)
		return o
	}
	f.of(kind.client, kind.scope, strings.TrimSpace(o.stdout))
	return o
}

// restarting kills and restarts an engine each second for so long, once at least, and returns how often.
func restarting(t *testing.T, e *redistest.Engine, lasting time.Duration) (kills int) {
	end, each := time.After(lasting), time.NewTicker(time.Second)
	defer each.Stop()
	for {
		select {
		case <-each.C:
			kills++
			if err := e.Restart(); err != nil {
				t.Error(err)
				return kills
			}
		case <-end:
			return kills
		}
	}
}
