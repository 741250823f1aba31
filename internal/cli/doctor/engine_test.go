package doctor

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/redistest"
	"github.com/authctl/authctl/internal/store/address"
)

// fakeStoreKey seals nothing but what these tests keep for a moment.
const fakeStoreKey = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"

// onEngine is a service's doctor whose store is on an engine.
func onEngine(t *testing.T, address string) *service {
	t.Helper()
	c := newService(t)
	c.env["AUTHCTL_STORE"], c.env["AUTHCTL_STORE_KEY"] = address, fakeStoreKey
	return c
}

func named(found []check, name string) check {
	at := slices.IndexFunc(found, func(c check) bool { return c.Name == name })
	if at < 0 {
		return check{}
	}
	return found[at]
}

// TestDoctorOfAnEngine: what is wrong with a shared store is told with what to do, and nothing is wrong with one that works.
func TestDoctorOfAnEngine(t *testing.T) {
	t.Parallel()
	const password = "obviously-fake-secret-of-the-engine"
	user := func(rights string) string { return "user default off\nuser ci on >" + password + " " + rights }
	acl := func(t *testing.T, rights string) string {
		e := redistest.Start(t, redistest.Options{ACL: user(rights)})
		return strings.Replace(e.URL(), "://", "://ci@", 1)
	}
	for name, row := range map[string]struct {
		at                       func(*testing.T) string
		password                 string
		check, state, says, hint string
	}{
		"works": {
			func(t *testing.T) string { return redistest.Start(t, redistest.Options{}).URL() }, "",
			"redis", stateOK, ": can be read and written, answers in ", "",
		},
		"evicts": {
			func(t *testing.T) string {
				return redistest.Start(t, redistest.Options{MaxMemory: "50mb", Policy: "volatile-ttl"}).URL()
			}, "",
			"eviction", stateOK, "drops other keys (volatile-ttl)", "",
		},
		"lacks a right": {
			func(t *testing.T) string { return acl(t, "~authctl:* &authctl:* +@all -publish -scan") }, password,
			"rights", stateFailed, "use, on keys that begin with authctl:, publish, scan", "ACL SETUSER NAME resetkeys ~authctl:*",
		},
		"lacks a right, in another database": {
			func(t *testing.T) string {
				return strings.TrimSuffix(acl(t, "~authctl:* &authctl:* +@all -scan"), "/0") + "/3"
			}, password,
			"rights", stateFailed, "use, on keys that begin with authctl:, scan", " +scan +select",
		},
		"lacks a right of a cluster": {
			func(t *testing.T) string {
				nodes := redistest.Cluster(t, redistest.Options{ACL: user("~authctl:* &authctl:* +@all -scan")})
				return strings.Replace(nodes[0].URL(), "://", "://ci@", 1) + "?cluster=true"
			}, password,
			"rights", stateFailed, "use, on keys that begin with authctl:, scan", " +scan +cluster|slots +asking",
		},
		"wants another password": {
			func(t *testing.T) string { return acl(t, "~authctl:* &authctl:* +@all") }, "obviously-other",
			"redis", stateFailed, "it does not know this user with this password", "store_password",
		},
		"replica": {
			func(t *testing.T) string {
				return redistest.Start(t, redistest.Options{ReplicaOf: redistest.Start(t, redistest.Options{})}).URL()
			}, "",
			"redis", stateFailed, "it is a replica, which takes no writes", "master",
		},
		"gone": {
			func(t *testing.T) string {
				e := redistest.Start(t, redistest.Options{})
				e.Kill()
				return e.URL()
			}, "",
			"redis", stateFailed, "nothing listens there", "see that it runs",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := onEngine(t, row.at(t))
			c.env["AUTHCTL_STORE_PASSWORD"] = row.password
			_, found := c.doctor(t, "store")
			got := named(found, row.check)
			if got.State != row.state || !strings.Contains(got.Message, row.says) || !strings.Contains(got.Hint, row.hint) {
				t.Errorf("%+v\nin %+v", got, found)
			}
			works := row.state == stateOK
			if last := named(found, "redis"); works != strings.Contains(last.Message, "can be read and written") {
				t.Errorf("works %t, and %+v", works, last)
			}
			if recipient := named(found, "recipient"); !strings.HasPrefix(recipient.Message, "age1") {
				t.Errorf("the public half of the key: %+v", recipient)
			}
		})
	}
}

// TestDoctorRunsNoCommandForAnEngine: nor does it ask the engine without what only a command gives.
func TestDoctorRunsNoCommandForAnEngine(t *testing.T) {
	t.Parallel()
	c := onEngine(t, "redis://127.0.0.1:1")
	c.env["AUTHCTL_STORE_PASSWORD_CMD"] = "echo ran >" + c.dir + "/ran"
	_, found := c.doctor(t, "store")
	want := "redis://127.0.0.1:1/0: not tried, because that would run the command of AUTHCTL_STORE_PASSWORD_CMD"
	if got := named(found, "redis"); got.State != stateOK || got.Message != want {
		t.Errorf("%+v", got)
	}
}

// TestDoctorWarnsOfAPasswordThatCanBeRead: on the way to another machine, without TLS.
func TestDoctorWarnsOfAPasswordThatCanBeRead(t *testing.T) {
	t.Parallel()
	for text, states := range map[string][2]string{ // without a password, and with one
		"redis://127.0.0.1":                 {stateOK, stateOK},
		"redis://[::1]":                     {stateOK, stateOK},
		"redis://localhost:7000":            {stateOK, stateOK},
		"redis://cache.example.com":         {stateOK, stateWarning},
		"redis://127.0.0.1?addr=10.0.0.1:7": {stateOK, stateWarning},
		"rediss://cache.example.com":        {stateOK, stateOK},
	} {
		for i, password := range []string{"", "obviously-fake-secret"} {
			c := onEngine(t, text)
			c.env["AUTHCTL_STORE_PASSWORD"] = password
			d := &storeChecks{doctor: &doctor{Deps: c.deps(t, io.Discard, io.Discard)}}
			at, err := address.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if d.local, err = d.Local(); err != nil {
				t.Fatal(err)
			}
			d.checkLink(at)
			if len(d.checks) != 1 || d.checks[0].State != states[i] {
				t.Errorf("%s, password %t: %+v", text, i == 1, d.checks)
			}
		}
	}
}
