package service

import (
	"slices"
	"strings"
	"sync"
)

// Marker is part of every secret the sandbox knows and of every opaque token it issues, so that a test can search
// output and disks for leaks. JWTs are Base64url text and cannot show it: see Ledger.
const Marker = "SANDBOX-CANARY"

const (
	// Redacted stands for a secret in the log.
	Redacted = "[redacted]"
	// maxKept bounds every list that grows with the requests.
	maxKept = 10_000
)

// Ledger knows every secret there is, to find leaks and to keep the log clean.
type Ledger struct {
	mu     sync.Mutex
	fixed  []string
	tokens []string
}

// Learn adds secrets for good.
func (l *Ledger) Learn(secrets ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, secret := range secrets {
		if !slices.Contains(l.fixed, secret) {
			l.fixed = append(l.fixed, secret)
		}
	}
}

// Add adds a token that was issued.
func (l *Ledger) Add(token string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tokens = KeepLast(append(l.tokens, token))
}

// List returns what was learnt and the tokens issued last.
func (l *Ledger) List() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Concat(l.fixed, l.tokens)
}

// Redact replaces a text that holds a fixed secret, the marker, or what may be a JWT, as a whole.
func (l *Ledger) Redact(text string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	jwt := strings.Contains(text, "eyJ") && strings.Count(text, ".") >= 2
	if jwt || strings.Contains(text, Marker) ||
		slices.ContainsFunc(l.fixed, func(secret string) bool { return strings.Contains(text, secret) }) {
		return Redacted
	}
	return text
}

// KeepLast drops the oldest when there are more than 10,000.
func KeepLast[T any](list []T) []T { return list[max(0, len(list)-maxKept):] }
