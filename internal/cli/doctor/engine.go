package doctor

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/config/stores"
	"github.com/authctl/authctl/internal/store/address"
	"github.com/authctl/authctl/internal/store/shared"
)

// checkEngine checks a shared store: what it is opened with, the engine and, unless that would run
// a command of the configuration, reading and writing.
func (d *storeChecks) checkEngine(ctx context.Context, s *shared.Store) {
	chosen, err := d.local.Chosen(d.store.Name)
	var at address.Address
	if err == nil {
		at, err = address.Parse(chosen.Text)
	}
	if err != nil {
		d.fail(check{Name: s.Name()}, err)
		return
	}
	ready, command := d.checkOpeners(ctx, at)
	d.checkLink(at)
	where := chosen.Shown() + namedByFile(d.local, d.store.Name)
	switch {
	case !ready:
	case command != "":
		d.ok(check{Name: s.Name(), Message: where + ": not tried, because that would run the command of " + command})
	default:
		d.tryEngine(ctx, s, at, where)
	}
}

// checkOpeners checks what the store is opened with. It is not ready where something cannot be had;
// command names a setting that only a command gives.
func (d *storeChecks) checkOpeners(ctx context.Context, at address.Address) (ready bool, command string) {
	keys := []string{stores.Key, stores.Password}
	if at.Master != "" {
		keys = append(keys, stores.SentinelPassword)
	}
	if at.TLS {
		keys = append(keys, stores.TLSCertificate, stores.TLSKey, stores.TLSPassword)
	}
	ready = true
	for _, key := range keys {
		name := strings.ReplaceAll(strings.TrimPrefix(key, "store_"), "_", " ")
		said, err := d.local.StoreSecret(key)
		if err != nil {
			d.fail(check{Name: name}, err)
			ready = false
			continue
		}
		found, given := said.Inspect(ctx, d.local.Fetcher())
		if !given {
			continue
		}
		d.secret(check{Name: name}, found)
		ready = ready && found.Err == nil
		if found.Kind == "cmd" {
			command = found.Setting
		}
	}
	return ready, command
}

// checkLink tells whether what goes to the engine can be read on the way there.
func (d *storeChecks) checkLink(at address.Address) {
	password, err := d.local.StoreSecret(stores.Password)
	c := check{Name: "encryption", Message: "nothing leaves this machine"}
	switch {
	case at.TLS:
		c.Message = "the connection is encrypted and the engine's certificate checked"
	case slices.ContainsFunc(at.Hosts, func(host string) bool { return !isLoopback(host) }):
		c.Message = "the connection is not encrypted; tokens are sealed, and no password goes over it"
		if err == nil && password.From != "" {
			c.Message = "the connection is not encrypted: the engine's password can be read on the way"
			c.Hint = "use rediss:// where the engine has TLS"
			d.warn(c)
			return
		}
	}
	d.ok(c)
}

// isLoopback reports whether a HOST:PORT is this machine by its name or number alone.
func isLoopback(at string) bool {
	host, _, err := net.SplitHostPort(at)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// tryEngine asks the engine what it is, and keeps a record there for a moment.
func (d *storeChecks) tryEngine(ctx context.Context, s *shared.Store, at address.Address, where string) {
	recipient, err := s.Recipient(ctx)
	if err != nil {
		d.fail(check{Name: "key"}, err)
		return
	}
	d.ok(check{Name: "recipient", Message: recipient + ": machines with the same one share tokens"})
	found, err := s.Probe(ctx)
	if err != nil {
		d.fail(check{Name: s.Name(), kind: "store"}, err)
		return
	}
	d.tellMemory(found)
	if len(found.Denied) > 0 {
		d.note(stateFailed, check{
			Name: "rights", kind: "store",
			Message: "the engine does not let this user use, on keys that begin with authctl:, " +
				strings.Join(found.Denied, ", "),
			Hint: "give the user these rights: ACL SETUSER NAME " + strings.Join(shared.Rules(at), " "),
		})
		return
	}
	text, err := d.probe(ctx, s)
	if err != nil {
		d.fail(check{Name: s.Name()}, err)
		return
	}
	if found.Version != "" {
		where += ", " + found.Version
	}
	d.ok(check{Name: s.Name(), Message: where + ": " + text})
}

// tellMemory tells what has the engine drop a token before its time.
func (d *storeChecks) tellMemory(found shared.Probe) {
	if found.Eviction != "" {
		text := "when its memory is full the engine drops other keys (" + found.Eviction + ")"
		if found.Eviction == "noeviction" {
			text = "when its memory is full the engine takes no more (noeviction)"
		}
		d.tell("eviction", text+": that costs a request each")
	}
	if found.Persistence != "" {
		d.tell("persistence", found.Persistence)
	}
}

// checkKept checks that the store is one for the tokens of a profile.
func (d *doctor) checkKept(u usable) {
	err := d.local.CheckProfile(u.profile, client.Options{Store: d.store.Name})
	if errors.Is(err, client.ErrLogin) {
		d.fail(check{Name: "store", Profile: u.profile.Name}, err)
	}
}
