package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestFlagsOfEachCommand is the list of what each command has: a flag that means nothing to
// a command is not there.
func TestFlagsOfEachCommand(t *testing.T) {
	t.Parallel()
	const (
		asks   = "ca-file dry-run explain profile scope timeout trace"
		tokens = asks + " force-refresh min-ttl no-cache store"
	)
	want := map[string]string{
		"authctl": "color config no-input quiet verbose",

		"authctl store":            "",
		"authctl store init":       "key-file output",
		"authctl store show":       "ca-file output store",
		"authctl token":            "",
		"authctl token get":        tokens + " github-output output require-scope var",
		"authctl token inspect":    tokens + " output stdin",
		"authctl token introspect": tokens + " output",
		"authctl token list":       "ca-file output store",
		// What is stored is revoked, however old it is; nothing is got.
		"authctl token revoke": asks + " output store",
		"authctl signout":      asks + " all global output redirect-uri require-remote store",
		// A person gets a new token, which is kept.
		"authctl login":    asks + " no-browser output store",
		"authctl userinfo": tokens + " output view",
		"authctl ping":     tokens + " output",
		"authctl passwd":   tokens + " no-verify operation-id output stdin user",
		"authctl exec":     tokens + " keep-env token-file var",
		"authctl curl":     tokens + " allow-host",
		"authctl proxy":    tokens + " allow-host keep-env listen to",

		"authctl scopes":         "",
		"authctl scopes check":   tokens + " output require-scope",
		"authctl scopes explain": "output",
		// Only --live asks, and without a token.
		"authctl scopes list": asks + " access api live output search",
		// Neither reads nor writes the cache.
		"authctl scopes probe": asks + " output",
		// Never reads the cache.
		"authctl scopes wait": asks + " no-cache output store",

		"authctl profile":        "",
		"authctl profile add":    "ca-file extends provider set trace",
		"authctl profile list":   "output",
		"authctl profile rename": "",
		"authctl profile set":    "ca-file explain no-verify stdin store timeout trace",
		"authctl profile remove": "",
		"authctl profile show":   "output profile",
		"authctl profile use":    "",
		"authctl providers":      "",
		"authctl providers list": "output",
		"authctl providers show": "output",

		"authctl sandbox":       "",
		"authctl sandbox run":   "lenient",
		"authctl sandbox serve": "config-out lenient listen",
		"authctl sandbox tour":  "",

		"authctl completion":            "",
		"authctl completion bash":       "no-descriptions",
		"authctl completion fish":       "no-descriptions",
		"authctl completion powershell": "no-descriptions",
		"authctl completion zsh":        "no-descriptions",
		"authctl doctor":                "ca-file online output profile store timeout trace",
		"authctl exit-codes":            "",
		"authctl help":                  "",
		"authctl version":               "output",
	}
	got := map[string]string{}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		names := []string{}
		c.LocalFlags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		got[c.CommandPath()] = strings.Join(names, " ")
		for _, below := range c.Commands() {
			walk(below)
		}
	}
	walk(Documentation())
	for name, flags := range want {
		sorted := slices.Sorted(slices.Values(strings.Fields(flags)))
		want[name] = strings.Join(sorted, " ")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("flags of the commands (-want +got):\n%s", diff)
	}
}
