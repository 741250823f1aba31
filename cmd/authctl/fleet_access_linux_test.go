package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/redistest"
)

// says adds lines at the margin of the configuration.
func (f *fleet) says(lines ...string) {
	f.t.Helper()
	path := f.path("config.yaml")
	text, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, append(text, strings.Join(lines, "\n")+"\n"...), 0o600)
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// wantShared requires that two machines have one token from one request, and nothing to warn of.
func (f *fleet) wantShared(args ...string) {
	f.t.Helper()
	get := append([]string{"token", "get", "pexip", "--timeout", "80s"}, args...)
	before := f.asked()
	wantTokens(f.t, []outcome{f.machine().run(get...), f.machine().run(get...)})
	f.wantRequests(before+1, before+1)
}

func TestEngineWithTLS(t *testing.T) {
	t.Parallel()
	f := startFleet(t, redistest.Options{TLS: true})
	f.wantShared("--ca-file", f.engine.Authority)
	f.wantDegraded(f.machine().run("token", "get", "pexip"), f.engine.URL(), "certificate is not trusted", "--ca-file")
	f.set("SSL_CERT_FILE=" + f.engine.Authority)
	wantTokens(t, []outcome{f.machine().run("token", "get", "pexip")})
	f.wantRequests(2, 2)
}

func TestEngineWithClientCertificates(t *testing.T) {
	t.Parallel()
	f := startFleet(t, redistest.Options{TLS: true, ClientCertificates: true})
	f.wantDegraded(f.machine().run("token", "get", "pexip", "--ca-file", f.engine.Authority), f.engine.URL(), "certificate", "store_tls_certificate")
	f.says("store_tls_certificate: file:"+f.engine.Certificate, "store_tls_key: file:"+f.engine.Key)
	f.wantShared("--ca-file", f.engine.Authority)
}

func TestEngineWithPassword(t *testing.T) {
	t.Parallel()
	f := startFleet(t, redistest.Options{Password: enginePassword})
	f.says("store_password: env:ENGINE_PASSWORD")
	f.set("ENGINE_PASSWORD=" + enginePassword)
	f.wantShared()
	f.set("AUTHCTL_STORE_PASSWORD=fake-and-wrong")
	f.wantDegraded(f.machine().run("token", "get", "pexip"), f.engine.URL(), "password", "store_password")
}

// TestEngineWithTheDocumentedRights: who may do only what the page says does all that there is to do.
func TestEngineWithTheDocumentedRights(t *testing.T) {
	t.Parallel()
	rights, _ := documentedRights(t)
	e := redistest.Start(t, redistest.Options{ACL: "user default off\nuser ci on >" + enginePassword + " " + rights})
	f := newFleet(t, strings.Replace(e.URL(), "://", "://ci@", 1)+"?"+unhurried)
	f.set("AUTHCTL_STORE_PASSWORD=" + enginePassword)
	f.wantShared()
	wantTokens(t, ends(f.startOnEach(20, "token", "get", "pexip", "--force-refresh", "--timeout", "80s"))[:1])
	for _, args := range []string{"token list", "store show", "doctor pexip", "signout pexip", "signout --all"} {
		if o := f.machine().run(strings.Fields(args)...); o.code != 0 || strings.Contains(o.stderr, "warning:") {
			t.Errorf("%s: exit code %d, stderr %q", args, o.code, o.stderr)
		}
	}
	refused, err := e.Do("ACL", "LOG")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range refused.([]any) {
		// What the engine is, doctor and store show ask where they may.
		if !strings.Contains(fmt.Sprint(entry), " object info ") {
			t.Errorf("the engine refused %v, want that nothing was forbidden", entry)
		}
	}
	if keys, err := e.Do("KEYS", "*:token"); err != nil || len(keys.([]any)) != 0 {
		t.Errorf("after signout --all there is %v, error %v", keys, err)
	}
}

func TestEngineInACluster(t *testing.T) {
	t.Parallel()
	members := redistest.Cluster(t, redistest.Options{})
	f := newFleet(t, members[0].URL()+"?cluster=true&"+unhurried)
	for _, profile := range []string{"pexip", "talkdesk", "genesys", "qmatic"} {
		before := f.asked()
		wantTokens(t, ends(f.startOnEach(5, "token", "get", profile, "--timeout", "80s")))
		f.wantRequests(before+1, before+1)
	}
	if o := f.machine().run("token", "list", "-o", "json"); o.code != 0 || strings.Count(o.stdout, `"profile"`) < 4 {
		t.Errorf("token list: exit code %d, %s %s; want the tokens of all members", o.code, o.stdout, o.stderr)
	}
	if o := f.machine().run("signout", "--all"); o.code != 0 {
		t.Errorf("signout --all: exit code %d, %s", o.code, o.stderr)
	}
	for _, member := range members {
		if keys, err := member.Do("KEYS", "*:token"); err != nil || len(keys.([]any)) != 0 {
			t.Errorf("after signout --all %s has %v, error %v", member.Host, keys, err)
		}
	}
}

func TestEngineUnderASentinel(t *testing.T) {
	t.Parallel()
	w := redistest.Sentinel(t, redistest.Options{})
	f := newFleet(t, w.Sentinel.URL()+"?master_name="+redistest.SentinelMaster+"&"+unhurried)
	f.wantShared()
	if err := w.Failover(); err != nil {
		t.Fatal(err)
	}
	w.Master.Kill()
	// The replica has what its master had, and is asked now.
	wantTokens(t, []outcome{f.machine().run("token", "get", "pexip")})
	f.wantRequests(1, 1)
	wantTokens(t, []outcome{f.machine().run("token", "get", "pexip", "--force-refresh")})
	f.wantRequests(2, 2)
}
