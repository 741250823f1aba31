package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/tokenkey"
	"github.com/google/go-cmp/cmp"
)

// The stored form is read by later versions: it changes with its version only.
func TestRecordForm(t *testing.T) {
	t.Parallel()
	r := testRecord(t)
	const want = `{"v":1,"key":{"provider":"pexip","token_url":"https://auth.example.com/realms/acme/token",` +
		`"account":"acme","client_id":"TestRecordForm","grant":"client_credentials","user":"acme\\jane",` +
		`"audience":"api","auth_method":"client_secret_basic","scopes":["b:read","a:write"]},"profile":"engage",` +
		`"access_token":"fake-access<&>token","token_type":"bearer","refresh_token":"fake refresh token",` +
		`"scope":["a:write"],"requested_ms":1772600767008,"lifetime_ms":300000}`
	plain, err := EncodeRecord(r)
	if diff := cmp.Diff(want, string(plain)); err != nil || diff != "" {
		t.Errorf("EncodeRecord: %v (-want +got):\n%s", err, diff)
	}
	got, err := decodeRecord([]byte(want), r.Key.Digest())
	if diff := cmp.Diff(r, got, sameSecrets()); err != nil || diff != "" {
		t.Errorf("decodeRecord: %v (-want +got):\n%s", err, diff)
	}
}

func TestDamagedRecords(t *testing.T) {
	t.Parallel()
	good, err := EncodeRecord(testRecord(t))
	if err != nil {
		t.Fatal(err)
	}
	digest := testRecord(t).Key.Digest()
	with := func(pairs ...any) []byte {
		var fields map[string]any
		if err := json.Unmarshal(good, &fields); err != nil {
			t.Fatal(err)
		}
		for pair := range slices.Chunk(pairs, 2) {
			fields[pair[0].(string)] = pair[1]
		}
		text, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for name, text := range map[string][]byte{
		"nothing":           nil,
		"not JSON":          []byte("fake"),
		"null":              []byte("null"),
		"list":              []byte("[]"),
		"cut":               good[:len(good)-1],
		"two":               append(bytes.Clone(good), good...),
		"too big":           append(bytes.Clone(good), bytes.Repeat([]byte(" "), 1<<20)...),
		"no version":        with("v", nil),
		"next version":      with("v", 2),
		"another key":       with("key", map[string]any{"provider": "pexip"}),
		"no token":          with("access_token", ""),
		"token with break":  with("access_token", "fake\r\nX: 1"),
		"token not ASCII":   with("access_token", "fäke"),
		"refresh not ASCII": with("refresh_token", "fäke"),
		"of no use":         with("lifetime_ms", 0, "refresh_token", ""),
		"negative lifetime": with("lifetime_ms", -1),
		"absurd lifetime":   with("lifetime_ms", 1e15),
		"lifetime overflow": with("lifetime_ms", 1e30),
		"no time":           with("requested_ms", 0),
		"absurd time":       with("requested_ms", 1e18),
		"wrong type":        with("scope", "a b"),
	} {
		r, err := decodeRecord(text, digest)
		if r != nil || !errors.Is(err, ErrNotFound) || strings.Contains(err.Error(), "fake") {
			t.Errorf("%s: decodeRecord() = %v, %v, want ErrNotFound that shows nothing", name, r, err)
		}
	}
	if _, err := decodeRecord(with("later", true), digest); err != nil {
		t.Errorf("a field that we do not know: %v", err)
	}
}

func FuzzDecodeRecord(f *testing.F) {
	key := tokenkey.Key{Provider: "pexip", ClientID: "a"}
	f.Add([]byte(`{"v":1,"key":{"provider":"pexip","client_id":"a"},"access_token":"fake","requested_ms":1,"lifetime_ms":1}`))
	f.Add([]byte(`{"v":1,"key":{"provider":"pexip","client_id":"a"},"access_token":"fake","scope":[],"requested_ms":9,` +
		`"lifetime_ms":5,"refresh_token":"x","token_type":"Bearer","profile":"\u0000"}`))
	f.Add([]byte(`{"v":1,"key":{"provider":"pexip","client_id":"a"},"access_token":"fake","refresh_token":"x","requested_ms":1}`))
	f.Add([]byte(`{"v":1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := decodeRecord(text, key.Digest())
		if err != nil {
			if r != nil || !errors.Is(err, ErrNotFound) {
				t.Fatalf("decodeRecord() = %v, %v", r, err)
			}
			return
		}
		useless := !r.Token.Expiry().After(r.Token.RequestedAt) && r.Token.RefreshToken.IsZero()
		if !r.Key.Equal(key) || r.Token.AccessToken.IsZero() || r.Token.Lifetime < 0 || useless {
			t.Fatalf("a useless record was accepted: %+v", r)
		}
		again, err := EncodeRecord(r)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		back, err := decodeRecord(again, key.Digest())
		if diff := cmp.Diff(r, back, sameSecrets()); err != nil || diff != "" {
			t.Fatalf("what was written reads differently: %v\n%s", err, diff)
		}
	})
}

func FuzzParseSealedEntry(f *testing.F) {
	f.Add(`{"v":1,"sealed":"AGE-SECRET-KEY-1FAKE"}`)
	f.Add(`{"v":1,"sealed":""}`)
	f.Fuzz(func(t *testing.T, entry string) {
		if id, ok := parseSealedEntry(entry); ok && id == nil {
			t.Fatal("an identity was reported and is not there")
		}
	})
}
