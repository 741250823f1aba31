//go:build unix

package main

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/sandbox"
)

// manyProcesses is how many the program promises to combine in its documentation's example.
const manyProcesses = 50

// aWhile is a delay that no test sees the end of: what waits for it is killed or gives up before.
const aWhile = 10 * 60 * 1000

func TestManyProcessesAskOnce(t *testing.T) {
	t.Parallel()
	eachStoreAndEngine(t, func(t *testing.T, p *place) {
		p.fault(sandbox.Fault{Service: "pexip", DelayMS: 300})
		wantTokens(t, p.atOnce(manyProcesses, "token", "get", "pexip"))
		p.wantRequests(1, 1)
	})
}

// TestManyProcessesDiscoverOnce has them begin with neither a token nor the issuer's document: the document is asked for
// once for all, and each token once.
func TestManyProcessesDiscoverOnce(t *testing.T) {
	t.Parallel()
	eachStoreAndEngine(t, func(t *testing.T, p *place) {
		profile := "profiles: {robot: {provider: oauth2, issuer: " + p.server.URL() + "/openid/main, " +
			"client_id: sandbox-oauth2-easy, client_secret: env:EASY}}"
		if err := os.WriteFile(p.path("config.yaml"), []byte(profile), 0o600); err != nil {
			t.Fatal(err)
		}
		p.set("EASY="+sandbox.Marker+"-oauth2-easy", "XDG_STATE_HOME="+p.path("state"))
		p.fault(sandbox.Fault{Service: "oauth2", DelayMS: 300})
		read := p.startMany(manyProcesses/2, "token", "get", "robot", "--scope", "orders:read")
		write := p.startMany(manyProcesses/2, "token", "get", "robot", "--scope", "orders:write")
		wantTokens(t, ends(read))
		wantTokens(t, ends(write))
		p.wantAsked("GET /openid/main/.well-known/openid-configuration", "POST /openid/main/token", "POST /openid/main/token")
		wantTokens(t, p.atOnce(10, "token", "get", "robot", "--scope", "orders:read"))
		p.wantRequests(3, 3)
	})
}

// wantAsked requires requests in this order.
func (p *place) wantAsked(want ...string) {
	p.t.Helper()
	var got []string
	for _, r := range p.server.Requests() {
		got = append(got, r.Method+" "+r.Path)
	}
	if !slices.Equal(got, want) {
		p.t.Errorf("the sandbox has seen %q, want %q", got, want)
	}
}

func TestManyProcessesShareARefusal(t *testing.T) {
	t.Parallel()
	eachStoreAndEngine(t, func(t *testing.T, p *place) {
		p.wrongSecret("pexip")
		// Those who begin while the first is being refused share its answer, however slow the machine is.
		p.fault(sandbox.Fault{Service: "pexip", DelayMS: 1500})
		wantFailures(t, 4, p.atOnce(manyProcesses, "token", "get", "pexip"))
		p.wantRequests(1, 3)
	})
}

func TestManyProcessesShareARetryAfter(t *testing.T) {
	t.Parallel()
	t.Run("too long to wait for", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t)
		p.fileStore()
		p.fault(sandbox.Fault{Service: "pexip", Status: 429, RetryAfter: "60"})
		wantFailures(t, 8, p.atOnce(20, "token", "get", "pexip"))
		// Nor does one who comes later ask before the time.
		wantFailures(t, 8, []outcome{p.run("token", "get", "pexip", "--force-refresh")})
		p.wantRequests(1, 1)
		// Another client has not been told to wait.
		if o := p.run("token", "get", "talkdesk"); o.code != 0 {
			t.Errorf("another service: exit code %d, stderr %q; want 0", o.code, o.stderr)
		}
	})
	t.Run("waited for by one", func(t *testing.T) {
		t.Parallel()
		p := newPlace(t)
		p.fileStore()
		p.fault(sandbox.Fault{Service: "pexip", Status: 429, RetryAfter: "1", Times: 1})
		wantTokens(t, p.atOnce(20, "token", "get", "pexip"))
		p.wantRequests(2, 2)
	})
}

func TestKilledHolderReleasesTheLock(t *testing.T) {
	t.Parallel()
	eachStoreAndEngine(t, func(t *testing.T, p *place) {
		p.fault(sandbox.Fault{Service: "pexip", DelayMS: aWhile, Times: 1})
		holder := p.start("token", "get", "pexip")
		p.awaitRequests(1)
		waiting := p.startMany(10, "token", "get", "pexip")
		// The lock is held: who waits no longer than this gets nothing, and does not ask.
		wantFailures(t, 8, []outcome{p.run("token", "get", "pexip", "--timeout", "1500ms")})
		p.wantRequests(1, 1)
		if err := holder.Process.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		wantTokens(t, ends(waiting))
		p.wantRequests(2, 2)
		if o := holder.end(); o.code != 137 || o.stdout != "" {
			t.Errorf("the killed process: exit code %d, %d bytes on stdout; want a signal and none", o.code, len(o.stdout))
		}
	})
}

func TestExpiredTokenIsRefreshedOnce(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, p *place) {
		p.fault(sandbox.Fault{Service: "genesys", ExpiresIn: json.RawMessage("1"), Times: 1})
		p.fault(sandbox.Fault{Service: "genesys", DelayMS: 300, Times: 1})
		first := wantTokens(t, []outcome{p.run("token", "get", "genesys-password")})
		<-time.After(time.Second) // the token's life
		second := wantTokens(t, p.atOnce(20, "token", "get", "genesys-password"))
		if second == first {
			t.Error("the expired token was printed")
		}
		// The sandbox takes each refresh token once: this needs the one that replaced the first.
		if o := p.run("token", "get", "genesys-password", "-o", "json", "--force-refresh"); o.code != 0 ||
			!strings.Contains(o.stdout, `"source":"refreshed"`) {
			t.Errorf("forced: exit code %d, stderr %q; want a refreshed token", o.code, o.stderr)
		}
		if got, want := p.grants(), "password refresh_token refresh_token"; got != want {
			t.Errorf("the service was asked for %s, want %s", got, want)
		}
	})
}

// grants returns the grant types that were asked for, in their order.
func (p *place) grants() string {
	var list []string
	for _, r := range p.server.Requests() {
		list = append(list, r.GrantType)
	}
	return strings.Join(list, " ")
}

func TestSignalEndsARequest(t *testing.T) {
	t.Parallel()
	for signal, code := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			eachStoreAndEngine(t, func(t *testing.T, p *place) {
				p.fault(sandbox.Fault{Service: "pexip", DelayMS: aWhile, Times: 1})
				holder := p.start("token", "get", "pexip")
				p.awaitRequests(1)
				waiting := p.startMany(3, "token", "get", "pexip")
				wantFailures(t, 8, []outcome{p.run("token", "get", "pexip", "--timeout", "1500ms")})
				if err := holder.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
				if o := holder.end(); o.code != code || o.stdout != "" {
					t.Errorf("exit code %d, %d bytes on stdout, stderr %q; want %d and none",
						o.code, len(o.stdout), o.stderr, code)
				}
				// Nobody else meant to stop.
				wantTokens(t, ends(waiting))
				p.wantRequests(2, 2)
			})
		})
	}
}

// A process whose own time is up has not been told anything by the service that the others should hear.
func TestTimeoutIsNotShared(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fileStore()
	p.fault(sandbox.Fault{Service: "pexip", DelayMS: aWhile, Times: 1})
	hasty := p.start("token", "get", "pexip", "--timeout", "2s")
	p.awaitRequests(1)
	waiting := p.startMany(3, "token", "get", "pexip")
	wantFailures(t, 8, []outcome{hasty.end()})
	wantTokens(t, ends(waiting))
	p.wantRequests(2, 2)
}

// TestStdoutThatCannotBeWritten: a token that nobody got is a failure, and is kept for the next call.
func TestStdoutThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	broken, full := brokenPipe(t), fullDisk(t)
	tests := []struct {
		name   string
		stdout *os.File
		// codes are those that may be, as a shell tells them.
		codes []int
	}{
		{"reader gone", broken, []int{128 + int(syscall.SIGPIPE), 1}},
		{"disk full", full, []int{1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.stdout == nil {
				t.Skip("there is no /dev/full on this system")
			}
			p := newPlace(t)
			p.fileStore()
			r := p.prepare("token", "get", "pexip")
			r.Cmd.Stdout = tt.stdout
			if err := r.Start(); err != nil {
				t.Fatal(err)
			}
			o := r.end()
			if !slices.Contains(tt.codes, o.code) {
				t.Errorf("exit code %d, stderr %q; want one of %v", o.code, o.stderr, tt.codes)
			}
			p.wantSilent(o.stderr)
			wantTokens(t, []outcome{p.run("token", "get", "pexip")})
			p.wantRequests(1, 1)
		})
	}
}

// brokenPipe returns a pipe that nobody reads.
func brokenPipe(t *testing.T) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	t.Cleanup(func() { _ = w.Close() })
	return w
}

// fullDisk returns a file that takes nothing, nil where there is none.
func fullDisk(t *testing.T) *os.File {
	t.Helper()
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		return nil
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}
