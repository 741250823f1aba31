package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestThousandProfiles: a file of many profiles is no obstacle, wherever the profile stands in it.
func TestThousandProfiles(t *testing.T) {
	t.Parallel()
	const count = 1000
	p := newPlace(t)
	p.fileStore()
	var b strings.Builder
	b.WriteString("default_profile: p0500\nprofiles:\n")
	for i := range count {
		fmt.Fprintf(&b, "  p%04d: # made for %d\n    provider: pexip\n    account: acme\n    base_url: %s\n"+
			"    client_id: sandbox-pexip\n    client_secret: file:config.secrets/pexip.client_secret\n", i, i, p.server.URL())
	}
	p.configure(b.String())
	for _, args := range [][]string{{"token", "get"}, {"token", "get", "p0000"}, {"token", "get", "p0999"}} {
		wantTokens(t, []outcome{p.run(args...)})
	}
	// They are one client, whatever they are called.
	p.wantRequests(1, 1)
	var listed struct {
		Profiles []struct {
			Name    string `json:"name"`
			Default bool   `json:"default"`
		} `json:"profiles"`
	}
	if err := json.Unmarshal([]byte(p.run("profile", "list", "-o", "json").stdout), &listed); err != nil {
		t.Fatal(err)
	}
	if n := len(listed.Profiles); n != count || !listed.Profiles[n/2].Default {
		t.Errorf("profile list has %d profiles, want %d, and p0500 the default", n, count)
	}
	if o := p.run("token", "get", "p1000"); o.code != 3 || o.stdout != "" {
		t.Errorf("a profile that is not there: exit code %d, want 3", o.code)
	}
}
