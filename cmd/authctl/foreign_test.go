package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/issuertest"
	"github.com/go-jose/go-jose/v4"
)

const (
	foreignScope = "engage:appointments:readOnly"
	// foreignSecret has what RFC 6749 §2.3.1 and RFC 7617 encode in two ways.
	foreignSecret = "fake+sec/ret%25:with space"
)

// TestServerNotWrittenHere gets tokens from the npm package oidc-provider, laid out as a Keycloak, through the
// adapter of Pexip Engage.
func TestServerNotWrittenHere(t *testing.T) {
	t.Parallel()
	key, public := signingKey(t)
	server := issuertest.StartOIDCProvider(t, issuertest.Config{
		Scopes: []string{foreignScope},
		Clients: []issuertest.Client{
			{ID: "odd client", Secret: foreignSecret, AuthMethod: "client_secret_basic", Scope: foreignScope},
			{ID: "poster", Secret: foreignSecret, AuthMethod: "client_secret_post", Scope: foreignScope},
			{
				ID: "signer", AuthMethod: "private_key_jwt", Scope: foreignScope,
				JWKS: &issuertest.JWKS{Keys: []any{public}},
			},
		},
	})
	p := newPlace(t)
	p.fileStore()
	p.set("FOREIGN_SECRET="+foreignSecret, "FOREIGN_WRONG=fake-and-wrong", "FOREIGN_KEY="+key)
	p.configure(foreignProfiles(server.URL))

	asked := 0
	for _, profile := range []string{"basic", "post", "jwt"} {
		wantTokens(t, []outcome{p.run("token", "get", profile), p.run("token", "get", profile)})
		if asked++; server.TokenRequests() != asked {
			t.Errorf("%s: the server has seen %d token requests, want %d", profile, server.TokenRequests(), asked)
		}
		o := p.run("token", "get", profile, "-o", "json")
		if !strings.Contains(o.stdout, `"scope":"`+foreignScope+`"`) || !strings.Contains(o.stdout, `"source":"cache"`) {
			t.Errorf("%s: exit code %d, want the granted scope from the cache", profile, o.code)
		}
	}
	// Every assertion is a new one: the server refuses one that it has seen.
	for range 2 {
		wantTokens(t, []outcome{p.run("token", "get", "jwt", "--force-refresh")})
	}
	for _, profile := range []string{"wrong-basic", "wrong-post", "wrong-jwt"} {
		// Forced: a secret is no part of what a cached token is kept under.
		o := p.run("token", "get", profile, "--force-refresh")
		wantFailures(t, 4, []outcome{o})
		if strings.Contains(o.stderr, foreignSecret) || strings.Contains(o.stderr, "fake-and-wrong") {
			t.Errorf("%s: stderr shows the secret", profile)
		}
	}
}

// foreignProfiles is a configuration with three clients, and three whose credentials are wrong.
func foreignProfiles(base string) string {
	var b strings.Builder
	b.WriteString("profiles:\n")
	for _, client := range []struct{ name, id, credentials string }{
		{"basic", "odd client", "client_secret: env:FOREIGN_SECRET"},
		{"post", "poster", "client_secret: env:FOREIGN_SECRET\n    client_auth: client_secret_post"},
		{"jwt", "signer", "private_key: env:FOREIGN_KEY\n    key_id: k1"},
		{"wrong-basic", "odd client", "client_secret: env:FOREIGN_WRONG"},
		{"wrong-post", "poster", "client_secret: env:FOREIGN_WRONG\n    client_auth: client_secret_post"},
		{"wrong-jwt", "odd client", "private_key: env:FOREIGN_KEY\n    key_id: k1"},
	} {
		fmt.Fprintf(&b, "  %s:\n    provider: pexip\n    account: acme\n    base_url: %s\n    client_id: %s\n    %s\n"+
			"    scopes: [%s]\n", client.name, base, client.id, client.credentials, foreignScope)
	}
	return b.String()
}

// configure replaces the sandbox's configuration.
func (p *place) configure(text string) {
	p.t.Helper()
	if err := os.WriteFile(p.path("config.yaml"), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// signingKey returns a new ES256 key as PEM, and its public half as the server wants it.
func signingKey(t *testing.T) (string, jose.JSONWebKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	return string(text), jose.JSONWebKey{Key: key.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}
}
