package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/sandbox"
)

// expiredLogin logs in and returns when the token has ended. The sandbox takes each refresh token once, and a second
// use ends the session (RFC 9700 §4.14.2).
func (p *place) expiredLogin(profile string) {
	p.t.Helper()
	p.fault(sandbox.Fault{Path: tokenPath(profile), ExpiresIn: json.RawMessage("1"), Times: 1})
	p.login(profile)
	<-time.After(time.Second) // the token's life
}

func TestManyProcessesRefreshALoginOnce(t *testing.T) {
	t.Parallel()
	for _, profile := range []string{"genesys-login", "talkdesk-login"} {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			eachStore(t, func(t *testing.T, p *place) {
				p.expiredLogin(profile)
				p.fault(sandbox.Fault{Path: tokenPath(profile), DelayMS: 300, Times: 1})
				wantTokens(t, p.atOnce(20, "token", "get", profile))
				// The session is alive: this needs the refresh token that replaced the first.
				p.wantSource("refreshed", profile, "--force-refresh")
				if got := p.tokenGrants(); got != "authorization_code refresh_token refresh_token" {
					t.Errorf("the service was asked for %s, want one refresh, then the forced one", got)
				}
			})
		})
	}
}

// TestKilledBetweenReplyAndWrite has a process that dies when the service has replaced the refresh token and the store
// has the old one.
func TestKilledBetweenReplyAndWrite(t *testing.T) {
	t.Parallel()
	for _, profile := range []string{"genesys-login", "talkdesk-login"} {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			eachStore(t, func(t *testing.T, p *place) {
				p.expiredLogin(profile)
				p.fault(sandbox.Fault{Path: tokenPath(profile), DelayMS: aWhile, Times: 1})
				holder := p.start("token", "get", profile)
				p.awaitTokenRequests(2)
				if err := holder.Process.Signal(syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
				if o := holder.end(); o.code != 137 || o.stdout != "" {
					t.Errorf("the killed process: exit code %d, %d bytes on stdout", o.code, len(o.stdout))
				}
				first := p.run("token", "get", profile)
				hint := "authctl: hint: log in: authctl login " + profile + "\n"
				if first.code != 4 || first.stdout != "" || !strings.Contains(first.stderr, "broken off") ||
					!strings.HasSuffix(first.stderr, hint) {
					t.Errorf("exit code %d, stderr %q; want 4, the reason and %q", first.code, first.stderr, hint)
				}
				p.wantLoginAgain(profile)
				if got := p.tokenGrants(); got != "authorization_code refresh_token" {
					t.Errorf("the service was asked for %s, want no second refresh", got)
				}
				p.login(profile)
				p.wantSource("cache", profile)
			})
		})
	}
}

// TestKilledBeforeTheRefreshTokenIsSent has a process that dies while the client secret is fetched: nothing was sent,
// and the login is there still.
func TestKilledBeforeTheRefreshTokenIsSent(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, p *place) {
		const profile = "genesys-login"
		p.expiredLogin(profile)
		config, err := os.ReadFile(p.path("config.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		slow := "cmd:echo x >>" + p.path("fetching") + "; exec sleep 100"
		p.secretOf(profile, slow, config)
		for range 3 {
			holder := p.start("token", "get", profile)
			until(t, "the secret is fetched", func() bool {
				_, err := os.Stat(p.path("fetching"))
				return err == nil
			})
			if err := holder.Process.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			holder.end()
			_ = os.Remove(p.path("fetching"))
		}
		p.secretOf(profile, "", config)
		p.wantSource("refreshed", profile)
		if got := p.tokenGrants(); got != "authorization_code refresh_token" {
			t.Errorf("the service was asked for %s", got)
		}
	})
}

// TestCommandOfTheStoreKeyEndsWithItsCaller: before any token is looked for the key is fetched, and a signal ends that too.
func TestCommandOfTheStoreKeyEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"token", "get", "pexip"}, {"token", "list"}, {"store", "show"}, {"signout", "--all"}} {
		for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
			t.Run(strings.Join(args, " ")+" "+s.String(), func(t *testing.T) {
				t.Parallel()
				p := newPlace(t)
				pid := p.path("pid")
				p.set("AUTHCTL_STORE=file", "AUTHCTL_STORE_KEY=", "AUTHCTL_STORE_KEY_FILE=",
					"AUTHCTL_STORE_KEY_CMD=echo $$ >"+pid+".new; mv "+pid+".new "+pid+"; exec sleep 100")
				x := p.start(args...)
				var text []byte
				until(t, "the key is fetched", func() (there bool) {
					var err error
					text, err = os.ReadFile(pid)
					return err == nil
				})
				if err := x.Process.Signal(s); err != nil {
					t.Fatal(err)
				}
				if o := x.end(); o.code != 128+int(s) {
					t.Errorf("exit code %d: %s", o.code, o.stderr)
				}
				until(t, "the command has ended", func() bool {
					_, err := os.Stat("/proc/" + strings.TrimSpace(string(text)))
					return errors.Is(err, fs.ErrNotExist)
				})
			})
		}
	}
}

// TestARefreshThatCannotBeAnnounced: a refresh token is not sent where whoever comes next would not know of it.
func TestARefreshThatCannotBeAnnounced(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, p *place) {
		const profile = "genesys-login"
		p.expiredLogin(profile)
		locks, err := filepath.Glob(p.path("run/*.lock"))
		if err != nil || len(locks) == 0 {
			t.Fatalf("there are no locks: %v", err)
		}
		var notes []string
		for _, lock := range locks {
			note := strings.TrimSuffix(lock, ".lock") + ".note"
			_ = os.Remove(note)
			if err := os.MkdirAll(note+"/in the way", 0o700); err != nil {
				t.Fatal(err)
			}
			notes = append(notes, note)
		}
		wantFailures(t, 7, []outcome{p.run("token", "get", profile)})
		for _, note := range notes {
			_ = os.RemoveAll(note)
		}
		p.wantSource("refreshed", profile)
		// No more than the head of the first request was sent.
		if got := p.tokenGrants(); strings.Count(got, "refresh_token") != 1 {
			t.Errorf("the service was asked for %q", got)
		}
	})
}

// secretOf gives a profile of a configuration another reference to its client secret, or the old one when it is empty.
func (p *place) secretOf(profile, reference string, config []byte) {
	p.t.Helper()
	before, after, ok := strings.Cut(string(config), "\n  "+profile+":\n")
	at := strings.Index(after, "client_secret: ")
	if !ok || at < 0 {
		p.t.Fatalf("the configuration has no client_secret of %s", profile)
	}
	if reference != "" {
		_, rest, _ := strings.Cut(after[at:], "\n")
		after = after[:at] + "client_secret: '" + reference + "'\n" + rest
	}
	text := before + "\n  " + profile + ":\n" + after
	if err := os.WriteFile(p.path("config.yaml"), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// TestLoginWithoutLifetime has a service that never says how long its tokens live (RFC 6749 §5.1 only recommends it).
func TestLoginWithoutLifetime(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fileStore()
	p.fault(sandbox.Fault{Path: genesysTokenPath, ExpiresIn: json.RawMessage(`"missing"`), Times: 3})
	p.login("genesys-login")
	p.wantSource("refreshed", "genesys-login")
	p.wantSource("refreshed", "genesys-login")
	p.wantSource("refreshed", "genesys-login") // with a lifetime
	p.wantSource("cache", "genesys-login")
}
