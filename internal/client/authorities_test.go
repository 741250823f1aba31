package client

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestAuthoritiesCountByWhatIsInThem: what a service said to one machine is its answer to another that has the same
// certificates at another place, and to none that trusts others.
func TestAuthoritiesCountByWhatIsInThem(t *testing.T) {
	t.Parallel()
	ours := newAuthority(t)
	write := func(name string, of authority) string {
		path := filepath.Join(t.TempDir(), name)
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: of.Certificate.Certificate[0]})
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	way := func(path string) []string {
		l := &Local{World: World{LookupEnv: func(string) (string, bool) { return "", false }}}
		if roots, err := l.certificates(t.Context(), Options{CAFile: path}); roots == nil || err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		// It is read once: it may be a pipe.
		if roots, err := l.certificates(t.Context(), Options{CAFile: path}); roots == nil || err != nil {
			t.Errorf("asked a second time: %v", err)
		}
		return l.route(path)
	}
	one, other := way(write("ca.pem", ours)), way(write("elsewhere.pem", ours))
	if !slices.Equal(one, other) {
		t.Errorf("the same certificates are not the same: %q and %q", one, other)
	}
	if slices.Equal(one, way(write("ca.pem", newAuthority(t)))) {
		t.Error("other certificates are the same")
	}
}
