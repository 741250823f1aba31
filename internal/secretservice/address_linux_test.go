package secretservice

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/secretservicetest"
)

func TestFindBus(t *testing.T) {
	t.Parallel()
	s := secretservicetest.StartBus(t)
	plain := t.TempDir()
	if err := os.WriteFile(filepath.Join(plain, "bus"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	address, err := findBus("", "relative", plain, t.TempDir(), filepath.Join(s.Home(), "run"))
	if err != nil || address != s.Address() {
		t.Errorf("findBus() = %q, %v, want %q", address, err, s.Address())
	}
	if address, err := findBus("", plain); err == nil || !strings.Contains(err.Error(), plain) {
		t.Errorf("findBus() = %q, %v, want an error that names %s", address, err, plain)
	}
}
