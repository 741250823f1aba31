package storetest

import (
	"testing"
	"time"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/store"
	"github.com/authctl/authctl/internal/tokenkey"
	"github.com/google/go-cmp/cmp"
)

// Clock returns a clock of a time at which a Record lives, that runs.
func Clock() func() time.Time {
	began := time.Now()
	return func() time.Time { return time.Date(2026, 3, 4, 5, 7, 0, 0, time.UTC).Add(time.Since(began)) }
}

// Record is a record with every field set, for a key that belongs to the test.
func Record(t testing.TB) *store.Record {
	t.Helper()
	return &store.Record{
		Key: tokenkey.Key{
			Provider: "pexip", TokenURL: "https://auth.example.com/realms/acme/token", Account: "acme",
			ClientID: t.Name(), Grant: "client_credentials", User: `acme\jane`, Audience: "api",
			AuthMethod: "client_secret_basic", Scopes: []string{"b:read", "a:write"},
		},
		Label: store.Label{Profile: "engage"},
		Token: oauth.Token{
			AccessToken:  secret.New("fake-access<&>token"),
			TokenType:    "bearer",
			RefreshToken: secret.New("fake refresh token"),
			Scope:        []string{"a:write"},
			RequestedAt:  time.Date(2026, 3, 4, 5, 6, 7, 8_000_000, time.UTC),
			Lifetime:     5 * time.Minute,
		},
	}
}

// sameSecrets compares secrets by value and shows none.
func sameSecrets() cmp.Option {
	return cmp.Comparer(func(a, b secret.Secret) bool { return a.Equal(b) })
}
