package main

import (
	"os"
	"strings"
	"testing"
)

// TestBrowserGetsNoSecret looks at the environment of the browser of a login: what it starts stays for days.
func TestBrowserGetsNoSecret(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fileStore()
	config, err := os.ReadFile(p.path("config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	more := "  more:\n    provider: pexip\n    account: acme\n    client_id: a\n    client_secret: >-\n      env:\n      MORE\n"
	if err := os.WriteFile(p.path("config.yaml"), append(config, more...), 0o600); err != nil {
		t.Fatal(err)
	}
	environments := p.mailbox("address")
	p.set("CI=", "NO_COLOR=1", "KEPT=kept", "MORE=fake-more", "AUTHCTL_API_KEY=fake-key", "AUTHCTL_PASSWORD=fake-password",
		"AUTHCTL_TOKEN=fake-token", "BROWSER="+p.script("browser", `{ env | tr '\n' ' '; echo; } >"${0%/*}/address"`))
	p.inTerminal("login", "talkdesk-login", "--timeout", "2s").end()
	seen := environments.next()
	if !strings.Contains(seen, "KEPT=kept ") || strings.Contains(seen, "fake-") || strings.Contains(seen, fakeStoreKey) {
		t.Errorf("the browser was started with %s", seen)
	}
}
