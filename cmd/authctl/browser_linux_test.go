package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/testneed"
)

// landing is what test/browser/login.mjs says of the last page.
type landing struct {
	Fields                        []string
	Title, Heading, Text, Address string
}

// TestRealBrowserLogsIn has a headless Chromium as the browser and a real keyring as the store.
// AUTHCTL_TEST_SCREENSHOTS names a directory that keeps pictures of both pages.
func TestRealBrowserLogsIn(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, profile, setting string
		fields                 []string
	}{
		{"genesys", "genesys-login", "", []string{"tenant", "username", "password"}},
		{"genesys without tenant", "genesys-login", "hide_tenant: true", []string{"username", "password"}},
		{"talkdesk", "talkdesk-login", "", []string{"username", "password"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			p.keyringStore()
			if tt.setting != "" {
				p.setting(tt.profile, tt.setting)
			}
			p.realBrowser(tt.profile)
			answers := p.mailbox("answer")
			o := p.inTerminal("login", tt.profile).end()
			var last landing
			if err := json.Unmarshal([]byte(answers.next()), &last); err != nil {
				t.Fatal(err)
			}
			if o.code != 0 || last.Heading != "Logged in" || !slices.Equal(last.Fields, tt.fields) {
				t.Errorf("exit code %d, terminal %q, browser %+v", o.code, o.stderr, last)
			}
			if !strings.HasPrefix(last.Address, "http://127.0.0.1:") || !strings.HasSuffix(last.Address, "/callback") {
				t.Errorf("the browser ended at %s", last.Address)
			}
			p.wantNothingSecret(o.stderr + last.Text + last.Title)
			p.wantSource("cache", tt.profile)
			list := p.run("token", "list", "-o", "json")
			if !strings.Contains(list.stdout, `"store":"keyring"`) || !strings.Contains(list.stdout, tt.profile) {
				t.Errorf("token list: %s", list.stdout)
			}
		})
	}
}

// realBrowser makes a Chromium the processes' browser, with somebody at it who is a user of the profile's service.
func (p *place) realBrowser(profile string) {
	p.t.Helper()
	chromium := testneed.Program(p.t, "chromium")
	node := testneed.Program(p.t, "node")
	dir := filepath.Join(testneed.Root(p.t), "test", "browser")
	_, err := os.Stat(filepath.Join(dir, "node_modules", "playwright-core", "package.json"))
	testneed.Need(p.t, "the npm package playwright-core", err)
	screenshots := os.Getenv("AUTHCTL_TEST_SCREENSHOTS")
	if screenshots != "" {
		screenshots = filepath.Join(screenshots, strings.ReplaceAll(p.t.Name(), "/", "-"))
		if err := os.MkdirAll(screenshots, 0o700); err != nil {
			p.t.Fatal(err)
		}
	}
	who := jane(signInPath(profile))
	person, err := json.Marshal(map[string]string{
		"executable": chromium, "profile": p.path("chromium"), "screenshots": screenshots,
		"tenant": who.Tenant, "username": who.Username, "password": who.Password,
	})
	if err != nil {
		p.t.Fatal(err)
	}
	// The browser's home is not the program's; it must not keep the terminal either.
	script := `cd "` + dir + `" && HOME="${0%/*}" exec "` + node + `" login.mjs "$1" </dev/null >"${0%/*}/answer" 2>"${0%/*}/browser.log"`
	p.set("CI=", "NO_COLOR=1", "BROWSER_PERSON="+string(person), "BROWSER="+p.script("browser", script))
}
