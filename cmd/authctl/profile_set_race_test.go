//go:build unix

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// changed is a configuration whose profiles many change.
func (p *place) writeConfig(text string) {
	p.t.Helper()
	if err := os.WriteFile(p.path("config.yaml"), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) config() string {
	p.t.Helper()
	text, err := os.ReadFile(p.path("config.yaml"))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

// TestProfilesSetAtOnce: twelve processes change keys of one profile, and others rename, add and choose: nothing is
// lost, whoever comes last.
func TestProfilesSetAtOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	const one = "provider: talkdesk, account: acme, client_id: a, client_secret: env:X"
	p.writeConfig("profiles: # mine\n  p: # p\n    provider: talkdesk\n    account: acme\n    client_id: a\n    client_secret: env:X\n" +
		"  r: {" + one + "}\n  s: {" + one + "}\n")
	all := []*running{
		p.start("profile", "rename", "r", "renamed"), p.start("profile", "use", "s"),
		p.start("profile", "set", "s", "client_id=b"),
	}
	pairs := []string{
		"region=eu", "pkce=false", "redirect_port=8123", "scopes=contacts:read", "allow_hosts=a.example", "keep=sid",
		"api_url=https://api.example", "basic_encoding=form", "client_secret_old=env:OLD", "account=other", "client_id=c",
		"client_auth=client_secret_basic",
	}
	for _, pair := range pairs {
		all = append(all, p.start("profile", "set", "p", pair))
	}
	for n := range 4 {
		all = append(all, p.start("profile", "add", fmt.Sprintf("n%d", n), "--provider", "talkdesk", "--set", "account=acme",
			"--set", "client_id=a", "--set", "client_secret=env:X"))
	}
	for _, r := range all {
		if o := r.end(); o.code != 0 {
			t.Errorf("%v: exit code %d, %s", r.Args[1:], o.code, o.stderr)
		}
	}
	text := strings.NewReplacer("'", "", `"`, "", "[", "", "]", "").Replace(p.config())
	for _, pair := range pairs {
		key, value, _ := strings.Cut(pair, "=")
		if !strings.Contains(text, "\n    "+key+": "+value+"\n") {
			t.Errorf("%s is lost", pair)
		}
	}
	for _, part := range []string{"profiles: # mine\n  p: # p\n", "\n  renamed: {", "client_id: b", "default_profile: s\n", "  n0:", "  n3:"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not there:\n%s", part, text)
		}
	}
}

// killed starts a process and kills it within a while, or lets it end. The while is a guess at how long it takes: what
// has to hold does so whenever it is killed.
func (p *place) killed(stdin string, within time.Duration, args ...string) {
	p.t.Helper()
	r := p.prepare(args...)
	r.Stdin = strings.NewReader(stdin)
	if err := r.Start(); err != nil {
		p.t.Fatal(err)
	}
	timer := time.AfterFunc(time.Duration(rand.Int64N(int64(within))), func() { _ = r.Process.Signal(syscall.SIGKILL) })
	defer timer.Stop()
	r.end()
}

// TestKilledWhileASecretIsChanged: at every moment the file holds the one secret or the other, whole.
func TestKilledWhileASecretIsChanged(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.writeConfig("profiles: {p: {provider: talkdesk, account: acme, client_id: a, client_secret: 'file:secret'}}\n")
	secrets := []string{strings.Repeat("fake-one-", 100), strings.Repeat("fake-two-", 200)}
	if err := os.WriteFile(p.path("secret"), []byte(secrets[1]), 0o600); err != nil {
		t.Fatal(err)
	}
	for n := range 40 {
		p.killed(secrets[n%2], 60*time.Millisecond, "profile", "set", "p", "client_secret", "--stdin", "--no-verify")
		text, err := os.ReadFile(p.path("secret"))
		if err != nil || string(text) != secrets[0] && string(text) != secrets[1] {
			t.Fatalf("round %d: the file holds %d bytes, %v", n, len(text), err)
		}
	}
	if o := p.run("profile", "set", "p", "client_secret=file:secret"); o.code != 0 {
		t.Errorf("afterwards: exit code %d, %s", o.code, o.stderr)
	}
}

// TestKilledWhileAProfileIsRenamed: at every moment there is one name, and its secret is in the keyring.
func TestKilledWhileAProfileIsRenamed(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.keyringStore()
	right, err := os.ReadFile(p.path("config.secrets/talkdesk.client_secret"))
	if err != nil {
		t.Fatal(err)
	}
	p.writeConfig("profiles:\n  one: {provider: talkdesk, account: acme, base_url: '" + p.server.URL() + "', client_id: sandbox-talkdesk}\n")
	set := p.prepare("profile", "set", "one", "client_secret", "--stdin")
	set.Stdin = strings.NewReader(string(right))
	if err := set.Start(); err != nil {
		t.Fatal(err)
	}
	if o := set.end(); o.code != 0 {
		t.Fatalf("the secret is not kept: exit code %d, %s", o.code, o.stderr)
	}
	name := regexp.MustCompile(`(?m)^  (one|two): `)
	for n := range 15 {
		is := name.FindAllStringSubmatch(p.config(), -1)
		if len(is) != 1 {
			t.Fatalf("round %d: %d names in %s", n, len(is), p.config())
		}
		from, to := is[0][1], map[string]string{"one": "two", "two": "one"}[is[0][1]]
		p.killed("", 150*time.Millisecond, "profile", "rename", from, to)
		now := name.FindAllStringSubmatch(p.config(), -1)
		if o := p.run("token", "get", now[0][1], "--no-cache"); o.code != 0 {
			t.Fatalf("round %d: %s has no secret: exit code %d, %s", n, now[0][1], o.code, o.stderr)
		}
	}
}
