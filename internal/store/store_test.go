package store

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/tokenkey"
	"github.com/google/go-cmp/cmp"
)

// kernelChildEnv makes the test binary do what kernelChild can.
const kernelChildEnv = "AUTHCTL_TEST_KERNEL"

// Child does what a child process of the tests is for, where this is one, and returns its exit code; else -1.
func Child() int {
	if dir := os.Getenv(holdLockEnv); dir != "" {
		return holdLock(dir)
	}
	if does := os.Getenv(kernelChildEnv); does != "" {
		return kernelChild(does)
	}
	return -1
}

// testRecord is a record with every field set, for a key that belongs to the test.
func testRecord(t *testing.T) *Record {
	t.Helper()
	return &Record{
		Key: tokenkey.Key{
			Provider: "pexip", TokenURL: "https://auth.example.com/realms/acme/token", Account: "acme",
			ClientID: t.Name(), Grant: "client_credentials", User: `acme\jane`, Audience: "api",
			AuthMethod: "client_secret_basic", Scopes: []string{"b:read", "a:write"},
		},
		Label: Label{Profile: "engage"},
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

// contract is storetest's, which imports this package.
var contract func(t *testing.T, newStore func(t *testing.T) Store)

// SetContract is for TestMain.
func SetContract(run func(t *testing.T, newStore func(t *testing.T) Store)) { contract = run }

func mustPut(t *testing.T, s Store, r *Record) {
	t.Helper()
	if err := s.Put(t.Context(), r); err != nil {
		t.Fatalf("Put: %v", err)
	}
}

func mustGet(t *testing.T, s Store, key tokenkey.Key) *Record {
	t.Helper()
	r, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatalf("Get: %v", err)
	}
	return r
}

func wantNone(t *testing.T, s Store, key tokenkey.Key) {
	t.Helper()
	if r, err := s.Get(t.Context(), key); !errors.Is(err, ErrNotFound) || r != nil {
		t.Errorf("Get() = %v, %v, want ErrNotFound", r, err)
	}
}

func mustLock(t *testing.T, s Store, key tokenkey.Key) Lock {
	t.Helper()
	l, err := s.Lock(t.Context(), key)
	if err != nil {
		t.Fatalf("Lock: %v", err)
	}
	return l
}

func mustUnlock(t *testing.T, l Lock) {
	t.Helper()
	if err := l.Unlock(); err != nil {
		t.Fatalf("Unlock: %v", err)
	}
}

// wantProblem checks that err is an *UnusableError of this problem, and returns it.
func wantProblem(t *testing.T, err error, want Problem) *UnusableError {
	t.Helper()
	e, ok := errors.AsType[*UnusableError](err)
	if !ok || e.Problem != want {
		t.Fatalf("error is %v, want the problem %q", err, want)
	}
	return e
}

func TestMemory(t *testing.T) {
	t.Parallel()
	contract(t, func(*testing.T) Store { return &Memory{} })
}
