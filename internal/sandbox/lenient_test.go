package sandbox

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// TestParameterWithoutValueIsOmitted: RFC 6749 §3.1 and §3.2, at every token endpoint and
// both authorization endpoints.
func TestParameterWithoutValueIsOmitted(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{QmaticInterval: -1})
	for _, service := range allServices() {
		for _, name := range []string{"scope", "client_id", "client_secret", "client_assertion", "code", "unheard_of"} {
			if got := do(t, s, good(service).set(name, "")); got.status != 200 {
				t.Errorf("%s, empty %s: status %d, %s", service, name, got.status, got.body)
			}
		}
		if got := do(t, s, good(service).set("grant_type", "")); got.status != 400 {
			t.Errorf("%s, empty grant_type: status %d, want that of a missing one", service, got.status)
		}
		twice := good(service)
		twice.body += "&scope=&scope="
		if got := do(t, s, twice); got.status != 400 {
			t.Errorf("%s, twice an empty scope: status %d, want 400", service, got.status)
		}
	}
	for _, service := range loginServices() {
		got := signInFor(t, s, service, url.Values{
			"scope": {""}, "state": {""}, "nonce": {""}, "code_challenge": {""}, "code_challenge_method": {""},
		})
		if got.Get("code") == "" || got.Has("state") {
			t.Errorf("%s: the callback has %v", service, got)
		}
	}
}

// TestEasyClients: secrets that are the same in every encoding, and tokens of Pexip that a
// library for RS256 can check.
func TestEasyClients(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{QmaticInterval: -1})
	for _, service := range allServices() {
		i := slices.IndexFunc(s.Profiles(), func(p Profile) bool { return p.Name == service+"-easy" })
		if i < 0 {
			t.Fatalf("there is no %s-easy", service)
		}
		p := s.Profiles()[i]
		id, secret := p.Text["client_id"], p.Secrets["client_secret"]
		if url.QueryEscape(id+secret) != id+secret || !strings.Contains(secret, Marker) {
			t.Errorf("%s: %q is not easy", service, secret)
		}
		for _, header := range []string{rawBasic(id, secret), formBasic(id, secret)} {
			wantToken(t, do(t, s, good(service).withHeader("Authorization", header)))
		}
	}
	easy := good("pexip").withHeader("Authorization", rawBasic("sandbox-pexip-easy", Marker+"-pexip-easy")).set("scope", "openid")
	fields := wantToken(t, do(t, s, easy))
	for _, name := range []string{"access_token", "id_token"} {
		verifyRS256(t, s, text(t, fields[name]))
	}
}

// verifyRS256 checks a token with the realm's published keys (RFC 7518 §3.3).
func verifyRS256(t *testing.T, s *Server, token string) {
	t.Helper()
	var set struct {
		Keys []struct{ Kty, Kid, Alg, N, E string }
	}
	got := do(t, s, get("/realms/acme/protocol/openid-connect/certs"))
	if err := json.Unmarshal([]byte(got.body), &set); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	decode := func(part string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var header struct{ Alg, Kid string }
	if err := json.Unmarshal(decode(parts[0]), &header); err != nil {
		t.Fatal(err)
	}
	for _, k := range set.Keys {
		if k.Kid != header.Kid || k.Kty != "RSA" || k.Alg != "RS256" || header.Alg != "RS256" {
			continue
		}
		key := &rsa.PublicKey{N: new(big.Int).SetBytes(decode(k.N)), E: int(new(big.Int).SetBytes(decode(k.E)).Int64())}
		sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
		if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], decode(parts[2])); err != nil {
			t.Error(err)
		}
		return
	}
	t.Errorf("no key of %+v is that of %+v", set.Keys, header)
}

func TestLenient(t *testing.T) {
	t.Parallel()
	for _, lenient := range []bool{false, true} {
		s, _ := start(t, Options{Lenient: lenient})
		want := func(what string, c call, status, strictly int) {
			t.Helper()
			if !lenient {
				status = strictly
			}
			if got := do(t, s, c); got.status != status {
				t.Errorf("lenient %v, %s: status %d, want %d: %s", lenient, what, got.status, status, got.body)
			}
		}
		inQuery := good("talkdesk")
		inQuery.path, inQuery.body = "/oauth/token?"+inQuery.body+"&scope=account:read", ""
		want("parameters in the query", inQuery, 200, 400)
		want("without a Content-Type", inQuery.without("Content-Type"), 200, 400)
		both := good("talkdesk")
		both.path += "?grant_type=password"
		want("the body goes first", both, 200, 400)
		twice := inQuery
		twice.path += "&scope=account:read"
		want("twice in the query", twice, 400, 400)
		wrong := inQuery.withHeader("Authorization", rawBasic("sandbox-talkdesk", "wrong"))
		want("a wrong secret", wrong, 401, 400)

		_, action, session := openPage(t, s, "genesys", nil)
		back := do(t, s, post(action, url.Values{
			"session": {session}, "tenant": {GenesysTenant}, "username": {GenesysUser}, "password": {GenesysPassword},
		}, nil))
		cookie, _, _ := strings.Cut(back.header.Get("Set-Cookie"), ";")
		code := callbackQuery(t, back.header.Get("Location")).Get("code")
		fields := wantToken(t, do(t, s, codeCall(t, "genesys", code)))
		ping := genesysCall("GET", "/ping", "").withHeader("Cookie", cookie)
		want("ping by cookie", ping, 200, 403)
		want("another cookie", ping.withHeader("Cookie", "GENESYS_SESSION"+"=x"), 403, 403)
		want("no key", ping.without("X-Api-Key"), 403, 403)
		do(t, s, genesysCall("POST", "/sign-out?global=false", text(t, fields["access_token"])))
		want("after sign-out", ping, 403, 403)
	}
}
