package shared

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"filippo.io/age"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/tokenkey"
)

// vault is what the store key gives: names that tell nobody anything, and values that only who has the key can
// read or make. Two machines with the same key find each other's records, two with different keys share nothing.
type vault struct {
	identity *age.X25519Identity
	// naming makes names of keys. Without it nobody can guess an account and look whether it is there.
	naming []byte
	// marking makes the mark of a value: sealed for the public half it could be by anybody who knows that.
	marking []byte
	// print stands for the key in names: 16 hex digits.
	print string
}

// prefix begins the names of all that is ours.
const prefix = "authctl:"

func newVault(id *age.X25519Identity) (*vault, error) {
	v := &vault{identity: id}
	var short []byte
	for _, derived := range []struct {
		into *[]byte
		what string
		size int
	}{
		{&v.naming, "names", sha256.Size}, {&v.marking, "marks", sha256.Size}, {&short, "fingerprint", 8},
	} {
		key, err := hkdf.Key(sha256.New, []byte(id.String()), nil, "authctl shared store v1: "+derived.what, derived.size)
		if err != nil {
			return nil, fmt.Errorf("deriving the %s of the store key: %w", derived.what, err)
		}
		*derived.into = key
	}
	v.print = hex.EncodeToString(short)
	return v, nil
}

// names are those of all that belongs to one key. What is in braces puts them on one node of a cluster.
type names struct{ token, lease, note, freed string }

func (v *vault) names(key tokenkey.Key) names {
	mac := hmac.New(sha256.New, v.naming)
	mac.Write([]byte(key.Digest()))
	stem := prefix + v.print + ":{" + hex.EncodeToString(mac.Sum(nil)[:16]) + "}:"
	return names{token: stem + "token", lease: stem + "lease", note: stem + "note", freed: stem + "free"}
}

// tokens is the pattern of the names of all records of this key (SCAN MATCH).
func (v *vault) tokens() string { return prefix + v.print + ":{*}:token" }

// seal returns a value to be kept under a name.
func (v *vault) seal(name string, plain []byte) (string, error) {
	var sealed bytes.Buffer
	marked := append(v.mark(name, plain), plain...)
	if err := store.Seal(&sealed, v.identity.Recipient(), marked); err != nil {
		return "", err
	}
	return sealed.String(), nil
}

// unseal opens the value under a name. Errors are an *store.UnopenedError.
func (v *vault) unseal(name, value string) ([]byte, error) {
	marked, err := store.Open(place(name), []byte(value), v.identity)
	if err != nil {
		return nil, err
	}
	if len(marked) < sha256.Size || !hmac.Equal(marked[:sha256.Size], v.mark(name, marked[sha256.Size:])) {
		return nil, &store.UnopenedError{Problem: place(name) + " was not put there with this key"}
	}
	return marked[sha256.Size:], nil
}

// mark proves that whoever sealed a value knows the key, and for which name it was.
func (v *vault) mark(name string, plain []byte) []byte {
	mac := hmac.New(sha256.New, v.marking)
	mac.Write([]byte(name + "\x00"))
	mac.Write(plain)
	return mac.Sum(nil)
}

// place names a value for people: the engine's tools find it by that.
func place(name string) string {
	_, stem, _ := strings.Cut(name, "{")
	digest, kind, _ := strings.Cut(stem, "}:")
	return "the " + kind + " " + digest[:min(8, len(digest))] + "…"
}

// record opens the record under a name. Errors wrap store.ErrNotFound.
func (v *vault) record(name, value string) (*store.Record, error) {
	plain, err := v.unseal(name, value)
	if err != nil {
		return nil, err
	}
	return store.DecodeRecord(plain, func(key tokenkey.Key) bool { return v.names(key).token == name })
}

var (
	errNothingLeft = errors.New("it has expired")
	errNoLifetime  = errors.New("the service has not said how long it lives, and what renews it is not kept on an engine")
)
