//go:build unix

package main

import (
	"os"
	"testing"

	"github.com/authctl/authctl/internal/sandbox"
)

// TestManyProcessesInARotation: the new secret is refused to one of them, who asks with the old one for all.
func TestManyProcessesInARotation(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, p *place) {
		right, err := os.ReadFile(p.path("config.secrets/pexip.client_secret"))
		if err != nil {
			t.Fatal(err)
		}
		p.wrongSecret("pexip")
		p.set("AUTHCTL_CLIENT_SECRET_OLD=" + string(right))
		p.fault(sandbox.Fault{Service: "pexip", DelayMS: 300})
		wantTokens(t, p.atOnce(manyProcesses, "token", "get", "pexip", "--quiet"))
		p.wantRequests(2, 2)
	})
}

// TestManyProcessesWithTwoWrongSecrets: the refusal that they share is that of both.
func TestManyProcessesWithTwoWrongSecrets(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, p *place) {
		p.wrongSecret("pexip")
		p.set("AUTHCTL_CLIENT_SECRET_OLD=fake-and-wrong-too")
		p.fault(sandbox.Fault{Service: "pexip", DelayMS: 1500})
		wantFailures(t, 4, p.atOnce(manyProcesses, "token", "get", "pexip"))
		p.wantRequests(2, 6)
	})
}
