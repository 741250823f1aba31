//go:build unix

package store

import "testing"

func TestPortable(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/home/jane/.config/authctl/store.key": "~/.config/authctl/store.key",
		"/home/jane/a b":                       "~/a b",
		"/home/janet/store.key":                "/home/janet/store.key",
		"/etc/authctl/store.key":               "/etc/authctl/store.key",
		"/home/store.key":                      "/home/store.key",
	} {
		if got := portable(path, "/home/jane"); got != want {
			t.Errorf("%s is written %s, want %s", path, got, want)
		}
	}
	if got := portable("/etc/store.key", ""); got != "/etc/store.key" {
		t.Errorf("without a home: %s", got)
	}
}
