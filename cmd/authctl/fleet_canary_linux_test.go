package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/redistest"
	"github.com/authctl/authctl/internal/sandbox"
)

// names are accounts, clients, users, scopes and hosts of the sandbox's profiles, which whoever can look into the
// engine is not told either.
func (f *fleet) names() []string {
	return []string{
		"acme", "sandbox-pexip", "sandbox-talkdesk", "sandbox-genesys", "My Bank AB", "mybankab", "jane", "engage:",
		"account:read", "external.appointment", strings.TrimPrefix(f.server.URL(), "http://"),
	}
}

// TestEngineLearnsNothing: what the engine holds, is asked and writes of itself has no secret, no token and no name.
func TestEngineLearnsNothing(t *testing.T) {
	t.Parallel()
	f := startFleet(t, redistest.Options{Lines: []string{"slowlog-log-slower-than 0"}})
	monitor, err := f.engine.Monitor()
	if err != nil {
		t.Fatal(err)
	}
	defer monitor.Stop()
	f.set("AUTHCTL_PASSWORD=" + sandbox.Marker + "+jane's %pass:word")
	given := len(f.server.IssuedSecrets())
	for _, c := range sharedCommands() {
		f.speak(c)
	}
	f.wrongSecret("pexip")
	f.speak(spoken{args: "token get pexip --force-refresh", code: 4})
	if len(f.server.IssuedSecrets()) == given {
		t.Fatal("no token was issued: nothing has been tested")
	}
	shown, err := monitor.Text()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(shown, `"authctl:`) {
		t.Error("the engine was asked nothing: nothing has been tested")
	}
	held := map[string][]byte{"MONITOR": []byte(shown), "its log": []byte(f.engine.Log())}
	for name, look := range map[string]func() ([]byte, error){"its dump": f.engine.Dump, "its memory": f.engine.Memory} {
		if held[name], err = look(); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Contains(held["its dump"], []byte("authctl:")) || !bytes.Contains(held["its memory"], []byte("authctl:")) {
		t.Error("the engine holds nothing: nothing has been tested")
	}
	for name, text := range held {
		for _, hidden := range append(f.secrets(), f.names()...) {
			if at := bytes.Index(text, []byte(hidden)); at >= 0 {
				t.Errorf("%s has %q after %q", name, hidden, text[max(0, at-80):at])
			}
		}
	}
	f.wantCleanDisk(f.dir)
}

// sharedCommands are those that have to do with the store.
func sharedCommands() []spoken {
	var list []spoken
	for _, profile := range ofServices("talkdesk-jwt", "pexip-jwt") {
		get := "token get " + profile
		list = append(list,
			spoken{args: get + " --dry-run"},
			spoken{args: get, prints: true},
			spoken{args: get + " -o json", prints: true},
			spoken{args: get + " --force-refresh", prints: true},
			spoken{args: "token inspect " + profile},
		)
	}
	return append(list,
		spoken{args: "token list"},
		spoken{args: "token list -o json"},
		spoken{args: "store show"},
		spoken{args: "doctor pexip"},
		spoken{args: "doctor pexip -o json"},
		spoken{args: "userinfo pexip-openid"},
		spoken{args: "signout genesys"},
	)
}
