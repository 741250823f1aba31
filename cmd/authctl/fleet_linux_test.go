package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/redistest"
	"github.com/authctl/authctl/internal/sandbox"
)

// fleet are machines that share their tokens on one engine, and a sandbox that they all ask.
type fleet struct {
	*place
	machines int
}

// newFleet makes one whose store is at an address.
func newFleet(t testing.TB, address string) *fleet {
	t.Helper()
	p := newPlace(t)
	p.set("AUTHCTL_STORE="+address, "AUTHCTL_STORE_KEY="+fakeStoreKey)
	return &fleet{place: p}
}

// startFleet makes one with an engine of its own.
func startFleet(t testing.TB, o redistest.Options) *fleet {
	t.Helper()
	p := newPlace(t)
	p.engineStore(o)
	return &fleet{place: p}
}

// machine is a new one: nothing of what processes leave behind is there, and nothing is shared but the engine.
func (f *fleet) machine(more ...string) *place {
	f.t.Helper()
	f.machines++
	root := f.path(fmt.Sprintf("machine-%d", f.machines))
	q := *f.place
	q.env = slices.Clone(f.env)
	for _, name := range []string{"HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"} {
		dir := filepath.Join(root, strings.ToLower(name))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			f.t.Fatal(err)
		}
		q.set(name + "=" + dir)
	}
	q.set("AUTHCTL_RUNTIME_DIR="+filepath.Join(root, "run"), "AUTHCTL_STORE_DIR="+filepath.Join(root, "store"))
	q.set(more...)
	return &q
}

// startOnEach starts the same on n new machines.
func (f *fleet) startOnEach(n int, args ...string) []*running {
	f.t.Helper()
	var all []*running
	for range n {
		all = append(all, f.machine().start(args...))
	}
	return all
}

// of requires that a token is one that the sandbox gave to a client, for a scope where there is one.
func (f *fleet) of(client, scope, token string) {
	f.t.Helper()
	if !slices.Contains(f.server.IssuedSecrets(), token) {
		f.t.Errorf("a token of %d bytes was printed that nobody issued", len(token))
		return
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token+"..", ".")[1])
	if err != nil {
		f.t.Errorf("the token of %s: %v", client, err)
	}
	var claims struct {
		Client string `json:"client_id"`
		// Scope is a text or a list.
		Scope any `json:"scope"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil || claims.Client != client {
		f.t.Errorf("the token is for %q, want %s: %v", claims.Client, client, err)
	}
	if granted := fmt.Sprint(claims.Scope); scope != "" && !slices.Contains(strings.Fields(strings.Trim(granted, "[]")), scope) {
		f.t.Errorf("the token has the scopes %q, want %s", granted, scope)
	}
}

// manyMachines is how many the documentation promises to combine in its example.
const manyMachines = 200

// TestFleetAsksOnce has the service take its time, so that most of them wait for the first.
func TestFleetAsksOnce(t *testing.T) {
	t.Parallel()
	f := startFleet(t, redistest.Options{})
	f.fault(sandbox.Fault{Service: "pexip", DelayMS: 4000})
	f.of("sandbox-pexip", "", wantTokens(t, ends(f.startOnEach(manyMachines, "token", "get", "pexip", "--timeout", "80s"))))
	f.wantRequests(1, 1)
}

func TestFleetSharesARefusal(t *testing.T) {
	t.Parallel()
	f := startFleet(t, redistest.Options{})
	f.wrongSecret("pexip")
	// Those who begin while the first is being refused share its answer, however slow the machine is.
	f.fault(sandbox.Fault{Service: "pexip", DelayMS: 4000})
	wantFailures(t, 4, ends(f.startOnEach(manyMachines, "token", "get", "pexip", "--timeout", "80s")))
	f.wantRequests(1, 3)
}

func TestFleetSharesARetryAfter(t *testing.T) {
	t.Parallel()
	f := startFleet(t, redistest.Options{})
	f.fault(sandbox.Fault{Service: "pexip", Status: 429, RetryAfter: "60"})
	wantFailures(t, 8, ends(f.startOnEach(20, "token", "get", "pexip")))
	wantFailures(t, 8, []outcome{f.machine().run("token", "get", "pexip", "--force-refresh")})
	f.wantRequests(1, 1)
	wantTokens(t, []outcome{f.machine().run("token", "get", "talkdesk")})
}

// TestFleetKeepsTokensApart: what differs in profile or scope is asked for apart, once each.
func TestFleetKeepsTokensApart(t *testing.T) {
	t.Parallel()
	f := startFleet(t, redistest.Options{})
	f.fault(sandbox.Fault{DelayMS: 1000})
	kinds := []struct{ profile, client, scope string }{
		{"pexip", "sandbox-pexip", "engage:offices:readOnly"},
		{"pexip", "sandbox-pexip", "engage:subjects:readOnly"},
		{"talkdesk", "sandbox-talkdesk", "account:read"},
	}
	started := make([][]*running, len(kinds))
	for range 15 {
		for i, k := range kinds {
			started[i] = append(started[i], f.startOnEach(1, "token", "get", k.profile, "--scope", k.scope, "--timeout", "80s")...)
		}
	}
	for i, k := range kinds {
		f.of(k.client, k.scope, wantTokens(t, ends(started[i])))
	}
	f.wantRequests(len(kinds), len(kinds))
}

// TestFleetKeepsThePace: Qmatic lets one token request of an account through each second, from wherever it comes.
func TestFleetKeepsThePace(t *testing.T) {
	t.Parallel()
	f := startFleet(t, redistest.Options{})
	var all []*running
	const prefix = "com.qmatic.saas.appointments/external.appointment."
	for _, scope := range []string{prefix + "book", prefix + "reschedule", prefix + "cancel", prefix + "book," + prefix + "cancel"} {
		all = append(all, f.startOnEach(3, "token", "get", "qmatic", "--scope", scope, "--timeout", "80s")...)
	}
	for _, o := range ends(all) {
		wantTokens(t, []outcome{o})
	}
	for _, r := range f.server.Requests() {
		if r.Status != 200 {
			t.Errorf("a request was answered %d, want the pace kept", r.Status)
		}
	}
	f.wantRequests(4, 4)
}
