package sandbox_test

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

	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/sandboxtest"
)

// TestParameterWithoutValueIsOmitted: RFC 6749 §3.1 and §3.2, at every token endpoint and
// both authorization endpoints.
func TestParameterWithoutValueIsOmitted(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{QmaticInterval: -1})
	for _, service := range sandboxtest.AllServices() {
		for _, name := range []string{"scope", "client_id", "client_secret", "client_assertion", "code", "unheard_of"} {
			if got := sandboxtest.Do(t, s, sandboxtest.Good(service).Set(name, "")); got.Status != 200 {
				t.Errorf("%s, empty %s: status %d, %s", service, name, got.Status, got.Body)
			}
		}
		if got := sandboxtest.Do(t, s, sandboxtest.Good(service).Set("grant_type", "")); got.Status != 400 {
			t.Errorf("%s, empty grant_type: status %d, want that of a missing one", service, got.Status)
		}
		twice := sandboxtest.Good(service)
		twice.Body += "&scope=&scope="
		if got := sandboxtest.Do(t, s, twice); got.Status != 400 {
			t.Errorf("%s, twice an empty scope: status %d, want 400", service, got.Status)
		}
	}
	for _, service := range sandboxtest.LoginServices() {
		got := sandboxtest.SignInFor(t, s, service, url.Values{
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
	s, _ := sandboxtest.Start(t, sandbox.Options{QmaticInterval: -1})
	for _, service := range sandboxtest.AllServices() {
		i := slices.IndexFunc(s.Profiles(), func(p sandbox.Profile) bool { return p.Name == service+"-easy" })
		if i < 0 {
			t.Fatalf("there is no %s-easy", service)
		}
		p := s.Profiles()[i]
		id, secret := p.Text["client_id"], p.Secrets["client_secret"]
		if url.QueryEscape(id+secret) != id+secret || !strings.Contains(secret, sandbox.Marker) {
			t.Errorf("%s: %q is not easy", service, secret)
		}
		for _, header := range []string{sandboxtest.RawBasic(id, secret), sandboxtest.FormBasic(id, secret)} {
			sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.Good(service).WithHeader("Authorization", header)))
		}
	}
	easy := sandboxtest.Good("pexip").WithHeader("Authorization", sandboxtest.RawBasic("sandbox-pexip-easy", sandbox.Marker+"-pexip-easy")).Set("scope", "openid")
	fields := sandboxtest.WantToken(t, sandboxtest.Do(t, s, easy))
	for _, name := range []string{"access_token", "id_token"} {
		verifyRS256(t, s, sandboxtest.Text(t, fields[name]))
	}
}

// verifyRS256 checks a token with the realm's published keys (RFC 7518 §3.3).
func verifyRS256(t *testing.T, s *sandbox.Server, token string) {
	t.Helper()
	var set struct {
		Keys []struct{ Kty, Kid, Alg, N, E string }
	}
	got := sandboxtest.Do(t, s, sandboxtest.Get("/realms/acme/protocol/openid-connect/certs"))
	if err := json.Unmarshal([]byte(got.Body), &set); err != nil {
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
		s, _ := sandboxtest.Start(t, sandbox.Options{Lenient: lenient})
		want := func(what string, c sandboxtest.Call, status, strictly int) {
			t.Helper()
			if !lenient {
				status = strictly
			}
			if got := sandboxtest.Do(t, s, c); got.Status != status {
				t.Errorf("lenient %v, %s: status %d, want %d: %s", lenient, what, got.Status, status, got.Body)
			}
		}
		inQuery := sandboxtest.Good("talkdesk")
		inQuery.Path, inQuery.Body = "/oauth/token?"+inQuery.Body+"&scope=account:read", ""
		want("parameters in the query", inQuery, 200, 400)
		want("without a Content-Type", inQuery.Without("Content-Type"), 200, 400)
		both := sandboxtest.Good("talkdesk")
		both.Path += "?grant_type=password"
		want("the body goes first", both, 200, 400)
		twice := inQuery
		twice.Path += "&scope=account:read"
		want("twice in the query", twice, 400, 400)
		wrong := inQuery.WithHeader("Authorization", sandboxtest.RawBasic("sandbox-talkdesk", "wrong"))
		want("a wrong secret", wrong, 401, 400)

		_, action, session := sandboxtest.OpenPage(t, s, "genesys", nil)
		back := sandboxtest.Do(t, s, sandboxtest.Post(action, url.Values{
			"session": {session}, "tenant": {sandbox.GenesysTenant}, "username": {sandbox.GenesysUser}, "password": {sandbox.GenesysPassword},
		}, nil))
		cookie, _, _ := strings.Cut(back.Header.Get("Set-Cookie"), ";")
		code := sandboxtest.CallbackQuery(t, back.Header.Get("Location")).Get("code")
		fields := sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.CodeCall(t, "genesys", code)))
		ping := sandboxtest.GenesysCall("GET", "/ping", "").WithHeader("Cookie", cookie)
		want("ping by cookie", ping, 200, 403)
		want("another cookie", ping.WithHeader("Cookie", "GENESYS_SESSION"+"=x"), 403, 403)
		want("no key", ping.Without("X-Api-Key"), 403, 403)
		sandboxtest.Do(t, s, sandboxtest.GenesysCall("POST", "/sign-out?global=false", sandboxtest.Text(t, fields["access_token"])))
		want("after sign-out", ping, 403, 403)
	}
}
