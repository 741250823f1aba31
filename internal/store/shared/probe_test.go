package shared

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/redistest"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/store/address"
	"github.com/authctl/authctl/internal/store/storetest"
)

// exercise uses the store as a broker does, and as a listing.
func exercise(ctx context.Context, s *Store, r *store.Record) error {
	l, err := s.TryLock(ctx, r.Key)
	if err != nil {
		return err
	}
	left, cleared := l.Leave(store.Note{Reason: "temporary"}), l.Leave(store.Note{})
	err = errors.Join(left, cleared, s.Put(ctx, r), l.Unlock())
	_, waited := s.Wait(ctx, r.Key)
	_, got := s.Get(ctx, r.Key)
	list, listed := s.List(ctx)
	if listed == nil && len(list) != 1 {
		listed = fmt.Errorf("%d are listed", len(list))
	}
	return errors.Join(err, waited, got, listed, s.Delete(ctx, r.Key))
}

// TestRights: each command of the documented line is needed, and doctor finds the one that is not allowed.
func TestRights(t *testing.T) {
	t.Parallel()
	users := []string{"user default off"}
	line := func(user string, rules []string) {
		users = append(users, "user "+user+" on >fake-password "+strings.Join(rules, " "))
	}
	line("all", Rules(address.Address{}))
	for _, command := range Commands() {
		line(command, slices.DeleteFunc(Rules(address.Address{}), func(rule string) bool { return rule == "+"+command }))
	}
	line("no-keys", slices.DeleteFunc(Rules(address.Address{}), func(rule string) bool { return strings.HasPrefix(rule, "~") }))
	e := redistest.Start(t, redistest.Options{ACL: strings.Join(users, "\n")})
	for user, denied := range map[string][]string{
		"all": nil, "get": {"get"}, "pttl": {"pttl"}, "set": {"set"}, "del": {"del"}, "eval": {"eval"},
		"publish": {"publish"}, "subscribe": {"subscribe"}, "scan": {"scan"}, "no-keys": {"get", "pttl", "set", "del", "eval"},
	} {
		t.Run(user, func(t *testing.T) {
			t.Parallel()
			o := asUser(newOptions(t, e.URL()))
			o.Address.User = user
			s := newStore(t, o)
			p, err := s.Probe(t.Context())
			if err != nil || !slices.Equal(p.Denied, denied) {
				t.Errorf("Probe() = %v, %v, want %v to be denied", p.Denied, err, denied)
			}
			err = exercise(t.Context(), s, storetest.Record(t))
			// Who cannot be woken looks now and then.
			if failed := denied != nil && user != "subscribe"; (err != nil) != failed {
				t.Errorf("used by somebody who may not %v: %v", denied, err)
			}
		})
	}
}

// TestCommandsAreAll: the engine is asked nothing that is not documented, nor a cluster.
func TestCommandsAreAll(t *testing.T) {
	t.Parallel()
	type asked struct {
		engines []*redistest.Engine
		rules   []string
	}
	for name, start := range map[string]func(t *testing.T, o *Options) asked{
		"engine": func(t *testing.T, o *Options) asked {
			e := redistest.Start(t, redistest.Options{})
			o.Address.Hosts = []string{e.Host}
			return asked{[]*redistest.Engine{e}, Rules(o.Address)}
		},
		"cluster": func(t *testing.T, o *Options) asked {
			nodes := redistest.Cluster(t, redistest.Options{})
			o.Address.Hosts, o.Address.Cluster = []string{nodes[0].Host}, true
			return asked{nodes, Rules(o.Address)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOptions(t, "redis://127.0.0.1")
			of := start(t, &o)
			before := map[*redistest.Engine]map[string]int{}
			for _, e := range of.engines {
				before[e] = stats(t, e).Calls
			}
			if err := exercise(t.Context(), newStore(t, o), storetest.Record(t)); err != nil {
				t.Fatal(err)
			}
			// HELLO every user may, and the tests' own is INFO, and the members of a cluster ask each other.
			known := append(of.rules, "+hello", "+info", "+ping", "+publish")
			all := 0
			for _, e := range of.engines {
				for command, calls := range stats(t, e).Calls {
					if calls -= before[e][command]; calls > 0 && !slices.Contains(known, "+"+command) {
						t.Errorf("it is asked %s, %d times", command, calls)
					}
					all += calls
				}
			}
			if all == 0 {
				t.Error("it is asked nothing")
			}
		})
	}
}

// TestSentinelRights: sentinels refuse nothing to a user who has the documented rights, and each but one is needed.
func TestSentinelRights(t *testing.T) {
	t.Parallel()
	// PING keeps a subscription alive, seconds later.
	for _, without := range []string{"", "+sentinel|get-master-addr-by-name", "+sentinel|sentinels", "+subscribe", "&+switch-master"} {
		t.Run(without, func(t *testing.T) {
			t.Parallel()
			w := redistest.Sentinel(t, redistest.Options{})
			rules := slices.DeleteFunc(SentinelRules(), func(rule string) bool { return rule == without })
			do(t, w.Sentinel, append(append([]string{"ACL", "SETUSER", "default"}, rules...), "+acl|log")...)
			o := newOptions(t, w.Sentinel.URL())
			o.Address.Master = redistest.SentinelMaster
			err := exercise(t.Context(), newStore(t, o), storetest.Record(t))
			if without == "" && err != nil {
				t.Fatal(err)
			}
			refused := func() bool { log, _ := do(t, w.Sentinel, "ACL", "LOG").([]any); return len(log) > 0 }
			if without != "" {
				await(t, refused)
			} else if refused() {
				t.Errorf("refused: %v", do(t, w.Sentinel, "ACL", "LOG"))
			}
		})
	}
}

// TestProbe reads what an engine says of itself.
func TestProbe(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options                     redistest.Options
		role, eviction, persistence string
	}{
		"plain":    {redistest.Options{}, "master", "noeviction", "none"},
		"evicting": {redistest.Options{Policy: "allkeys-lru", MaxMemory: "100mb"}, "master", "allkeys-lru", "none"},
		"durable":  {redistest.Options{Persist: true}, "master", "noeviction", "append-only file"},
		"TLS":      {redistest.Options{TLS: true}, "master", "noeviction", "none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := redistest.Start(t, test.options)
			o := newOptions(t, e.URL())
			o.TLS = secure(e)
			p, err := newStore(t, o).Probe(t.Context())
			if err != nil || p.Role != test.role || p.Eviction != test.eviction || p.Persistence != test.persistence ||
				p.TLS != test.options.TLS || !strings.HasPrefix(p.Version, "Redis ") || p.Latency <= 0 || p.Denied != nil {
				t.Errorf("Probe() = %+v, %v", p, err)
			}
			if left := do(t, e, "DBSIZE"); left != int64(0) {
				t.Errorf("the probe leaves %v keys", left)
			}
		})
	}
}

func TestValkeyIsNamed(t *testing.T) {
	t.Parallel()
	var p Probe
	p.take(facts("# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1\x1b[31m\r\n"))
	if p.Version != "Valkey 8.0.1 [31m" {
		t.Errorf("got %q", p.Version)
	}
	if p.Persistence != "" || p.Role != "" {
		t.Errorf("what is not said is not empty: %+v", p)
	}
}

// TestRecipient: two machines with the same key see that by its public half.
func TestRecipient(t *testing.T) {
	t.Parallel()
	id := newKey(t)
	s := New(Options{Key: secret.Known(secret.New(id.String()))})
	if got, err := s.Recipient(t.Context()); err != nil || got != id.Recipient().String() {
		t.Errorf("Recipient() = %q, %v", got, err)
	}
}
