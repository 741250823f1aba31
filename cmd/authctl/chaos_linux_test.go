package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// chaosLoops is how many processes run at the same time.
const chaosLoops = 20

// chaos is a place where processes get, renew, list, sign out and add profiles all at once, and some are killed.
type chaos struct {
	*place
	t *testing.T
	// end is when no more is begun; zero where rounds says how often each loop goes round.
	end    time.Time
	rounds int

	calls, kills, logins, added atomic.Int32
	mu                          sync.Mutex
	// profiles are those whose process said that they were added.
	profiles []string
}

// TestChaos: nothing fails but what was killed, no login has to be repeated whose refresh token was not sent, and no
// profile is lost. AUTHCTL_TEST_CHAOS=2m makes it last so long.
func TestChaos(t *testing.T) {
	t.Parallel()
	eachStoreAndEngine(t, func(t *testing.T, p *place) {
		c := &chaos{place: p, t: t, rounds: 8}
		if text := os.Getenv("AUTHCTL_TEST_CHAOS"); text != "" {
			d, err := time.ParseDuration(text)
			if err != nil {
				t.Fatal(err)
			}
			c.end = time.Now().Add(d)
		}
		var loops sync.WaitGroup
		for n := range chaosLoops - 1 {
			loops.Go(func() { c.loop(n, rand.New(rand.NewPCG(uint64(n), 9))) })
		}
		c.login(rand.New(rand.NewPCG(99, 9)))
		loops.Wait()
		c.wantProfiles()
		t.Logf("%d calls, %d of them killed; %d logins, %d profiles, %d requests",
			c.calls.Load(), c.kills.Load(), c.logins.Load(), c.added.Load(), p.asked())
	})
}

// goesOn reports whether a loop goes round once more.
func (c *chaos) goesOn(round int) bool {
	if c.t.Failed() {
		return false
	}
	if c.end.IsZero() {
		return round < c.rounds
	}
	return time.Now().Before(c.end)
}

// call runs a process and kills it after a while where within is not 0. killed says that it did not end by itself.
func (c *chaos) call(at *place, r *rand.Rand, within time.Duration, args ...string) (o outcome, killed bool) {
	c.calls.Add(1)
	p := at.prepare(args...)
	if err := p.Start(); err != nil {
		c.t.Error(err)
		return outcome{}, true
	}
	if within > 0 {
		timer := time.AfterFunc(time.Duration(r.Int64N(int64(within))), func() { _ = p.Process.Signal(syscall.SIGKILL) })
		defer timer.Stop()
	}
	o = p.end()
	if killed = o.code == 128+int(syscall.SIGKILL); killed {
		c.kills.Add(1)
		if within == 0 {
			c.t.Errorf("%v was killed, and not by us: %s", args, o.stderr)
		}
	}
	return o, killed
}

// sometimes is the time within which one of four calls is killed.
func sometimes(r *rand.Rand) time.Duration {
	if r.IntN(4) == 0 {
		return 60 * time.Millisecond
	}
	return 0
}

// loop does what needs no person.
func (c *chaos) loop(n int, r *rand.Rand) {
	for round := 0; c.goesOn(round); round++ {
		args := slices.Clone([][]string{
			{"token", "get", "pexip"},
			{"token", "get", "pexip", "--force-refresh"},
			{"token", "get", "talkdesk"},
			{"token", "list"},
			{"signout", "pexip"},
			{"profile", "add", "", "--provider", "talkdesk", "--set", "account=acme", "--set", "client_id=a", "--set", "client_secret=env:X"},
		}[r.IntN(6)])
		name := fmt.Sprintf("chaos-%d-%d", n, round)
		if args[0] == "profile" {
			args[2] = name
		}
		o, killed := c.call(c.place, r, sometimes(r), args...)
		switch {
		case killed:
		case o.code != 0 || strings.Contains(o.stderr, "warning"):
			c.t.Errorf("%v: exit code %d, %s", args, o.code, o.stderr)
		case args[0] == "profile":
			c.added.Add(1)
			c.mu.Lock()
			c.profiles = append(c.profiles, name)
			c.mu.Unlock()
		}
	}
}

// login keeps a login alive whose processes are killed, and logs in again where a refresh token was under way.
func (c *chaos) login(r *rand.Rand) {
	const profile = "genesys-login"
	q := *c.place // its environment is this loop's own
	q.env = slices.Clone(q.env)
	if q.engine != nil {
		q.fileStore() // No refresh token is kept where others have it too.
	}
	// The log is bounded: its last entry tells more than its length.
	sent := func() (last time.Time) {
		for _, request := range c.server.Requests() {
			if request.Path == tokenPath(profile) {
				last = request.Time
			}
		}
		return last
	}
	var before time.Time // the last request that was answered
	again := func() {
		c.logins.Add(1)
		q.login(profile)
		before = sent()
	}
	again()
	for round := 0; c.goesOn(round / 3); round++ {
		o, killed := c.call(&q, r, sometimes(r), "token", "get", profile, "--force-refresh")
		switch {
		case killed:
		case o.code == 4 && strings.Contains(o.stderr, "broken off"):
			until(c.t, "the refresh token of the killed process was sent", func() bool { return sent().After(before) })
			again()
		case o.code != 0 || o.stderr != "":
			c.t.Errorf("%s: exit code %d, %s", profile, o.code, o.stderr)
		default:
			before = sent()
		}
	}
}

// wantProfiles requires that every profile is there whose process said so.
func (c *chaos) wantProfiles() {
	o := c.run("profile", "list")
	for _, name := range c.profiles {
		if o.code != 0 || !strings.Contains(o.stdout, name) {
			c.t.Errorf("exit code %d, profile %s is not there", o.code, name)
		}
	}
}
