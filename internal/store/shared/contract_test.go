package shared

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"os"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/authctl/authctl/internal/redistest"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/store/address"
	"github.com/authctl/authctl/internal/store/storetest"
)

// newKey makes a store key: stores with different ones share nothing, on the same engine.
func newKey(t testing.TB) *age.X25519Identity {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// newOptions are those of a store whose figures no load on this machine decides on.
func newOptions(t testing.TB, url string) Options {
	t.Helper()
	a, err := address.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	a.Connect, a.Timeout = time.Minute, time.Minute
	return Options{
		Address: a, Key: secret.Known(secret.New(newKey(t).String())), Now: storetest.Clock(), Explain: func(text string) { t.Log(text) },
	}
}

// newStore returns a store that is closed with the test, and whose clocks agree however long it takes.
func newStore(t testing.TB, o Options) *Store {
	t.Helper()
	s := New(o)
	s.pace.skew = time.Minute
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// secure trusts an engine's authority and shows it a client's certificate.
func secure(e *redistest.Engine) func(context.Context) (*tls.Config, error) {
	return func(context.Context) (*tls.Config, error) {
		authority, err := os.ReadFile(e.Authority)
		if err != nil {
			return nil, err
		}
		pair, err := tls.LoadX509KeyPair(e.Certificate, e.Key)
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(authority)
		return &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, err
	}
}

// acl is the line of an aclfile for a user who may only what is documented for an address.
func acl(a address.Address) string {
	return "user default off\nuser ci on >fake-password " + strings.Join(Rules(a), " ")
}

// TestContract holds the store to its contract on each kind of engine.
func TestContract(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(t *testing.T) Options{
		"plain": func(t *testing.T) Options { return newOptions(t, redistest.Start(t, redistest.Options{}).URL()) },
		"TLS with a client's certificate": func(t *testing.T) Options {
			e := redistest.Start(t, redistest.Options{TLS: true, ClientCertificates: true})
			o := newOptions(t, e.URL())
			o.TLS = secure(e)
			return o
		},
		"the documented rights": func(t *testing.T) Options {
			return asUser(newOptions(t, redistest.Start(t, redistest.Options{ACL: acl(address.Address{})}).URL()))
		},
		"RESP2": func(t *testing.T) Options {
			e := redistest.Start(t, redistest.Options{Lines: []string{`rename-command HELLO ""`}, Password: "fake-password"})
			o := newOptions(t, e.URL())
			o.Password = secret.Known(secret.New("fake-password"))
			return o
		},
		"another database": func(t *testing.T) Options {
			o := asUser(newOptions(t, redistest.Start(t, redistest.Options{ACL: acl(address.Address{DB: 3})}).URL()))
			o.Address.DB = 3
			return o
		},
		"cluster": func(t *testing.T) Options {
			nodes := redistest.Cluster(t, redistest.Options{ACL: acl(address.Address{Cluster: true})})
			o := asUser(newOptions(t, nodes[0].URL()))
			o.Address.Hosts, o.Address.Cluster = append(o.Address.Hosts, nodes[1].Host), true
			return o
		},
		"sentinel": func(t *testing.T) Options {
			w := redistest.Sentinel(t, redistest.Options{})
			o := newOptions(t, w.Sentinel.URL())
			o.Address.Master = redistest.SentinelMaster
			return o
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := start(t)
			storetest.Contract{AccessOnly: true, New: func(t *testing.T) store.Store {
				t.Helper()
				o.Key = secret.Known(secret.New(newKey(t).String()))
				o.Explain = func(text string) { t.Log(text) }
				return newStore(t, o)
			}}.Run(t)
		})
	}
}

func asUser(o Options) Options {
	o.Address.User, o.Password = "ci", secret.Known(secret.New("fake-password"))
	return o
}
