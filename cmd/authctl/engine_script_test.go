package main

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/redistest"
	"github.com/authctl/authctl/internal/testneed"
	"github.com/rogpeppe/go-internal/testscript"
)

// enginePassword is what the servers of scripts ask for, where they do.
const enginePassword = "fake-engine-password"

// redis gives the rest of the script a real Redis: redis [NAME] [tls] [certificate] [password] [acl]. Its address is in
// $REDIS, or in another variable whose name is in upper case. Beside it are $REDIS_CA; with certificate also
// $REDIS_CERTIFICATE and $REDIS_KEY; and with password or acl, whose user "ci" may do nothing but on our keys,
// $REDIS_PASSWORD. redis stop [NAME] kills it, redis restart [NAME] starts it anew at the same address, empty.
func redis(ts *testscript.TestScript, neg bool, args []string) {
	name, words := "REDIS", args
	if i := slices.IndexFunc(args, func(word string) bool { return word == strings.ToUpper(word) }); i >= 0 {
		name, words = args[i], slices.Delete(slices.Clone(args), i, i+1)
	}
	engines := here(ts).engines
	if len(words) == 1 && (words[0] == "stop" || words[0] == "restart") && !neg && engines[name] != nil {
		engines[name].Kill()
		if words[0] == "restart" {
			ts.Check(engines[name].Restart())
		}
		return
	}
	var o redistest.Options
	for _, word := range words {
		switch word {
		case "tls":
			o.TLS = true
		case "certificate":
			o.TLS, o.ClientCertificates = true, true
		case "password":
			o.Password = enginePassword
		case "acl":
			o.ACL = "user default off\nuser ci on >" + enginePassword + " ~authctl:* &authctl:* +@all -@admin -@dangerous"
		default:
			ts.Fatalf("usage: redis [NAME] [tls] [certificate] [password] [acl], or redis stop|restart [NAME]")
		}
	}
	engines[name] = newEngine(ts, o)
	export(ts, name, engines[name], o)
}

// newEngine starts one, or ends the script where there is none.
func newEngine(ts *testscript.TestScript, o redistest.Options) *redistest.Engine {
	dir, err := os.MkdirTemp("", "authctl-redis")
	ts.Check(err)
	ts.Defer(func() { _ = os.RemoveAll(dir) })
	e, err := redistest.New(dir, o)
	if errors.Is(err, exec.ErrNotFound) && os.Getenv(testneed.Switch) != "all" {
		ts.Logf("no Redis for tests: %v", err)
		ts.Fatalf("skip: redis-server is missing; scripts/install-test-deps installs it")
	}
	ts.Check(err)
	ts.Defer(e.Kill)
	return e
}

// export tells the script how to reach an engine.
func export(ts *testscript.TestScript, name string, e *redistest.Engine, o redistest.Options) {
	ts.Setenv(name, e.URL())
	if o.ACL != "" {
		ts.Setenv(name, strings.Replace(e.URL(), "://", "://ci@", 1))
	}
	if o.TLS {
		ts.Setenv(name+"_CA", e.Authority)
	}
	if o.ClientCertificates {
		ts.Setenv(name+"_CERTIFICATE", e.Certificate)
		ts.Setenv(name+"_KEY", e.Key)
	}
	if o.Password != "" || o.ACL != "" {
		ts.Setenv(name+"_PASSWORD", enginePassword)
	}
}
