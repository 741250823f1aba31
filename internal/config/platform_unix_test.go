//go:build unix

package config

import (
	"errors"
	"os"
	"testing"

	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/setting"
)

func TestUnsafeConfig(t *testing.T) {
	t.Parallel()
	path := writeFile(t, two)
	modes := map[os.FileMode]string{0o600: "", 0o664: "", 0o444: "", 0o666: "can be written by others (mode 0666)", 0o602: "can be written by others (mode 0602)"}
	for mode, want := range modes {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := Load(Options{Path: path, Fetcher: &source.Fetcher{Env: environment()}})
		e, _ := errors.AsType[*setting.Error](err)
		if want == "" && err != nil || want != "" && (e == nil || e.Problem != want) {
			t.Errorf("mode %o: %v, want %q", mode, err, want)
		}
	}
}

func TestConfigOfAnotherUser(t *testing.T) {
	t.Parallel()
	path := writeFile(t, two)
	if err := os.Chown(path, 4242, -1); err != nil {
		t.Skip("only root can give files away")
	}
	_, err := Load(Options{Path: path, Fetcher: &source.Fetcher{Env: environment()}})
	if e, ok := errors.AsType[*setting.Error](err); !ok || e.Problem != "belongs to another user (uid 4242)" {
		t.Errorf("error %v", err)
	}
}

func TestNoConfigDevice(t *testing.T) {
	t.Parallel()
	f, err := Load(Options{Path: os.DevNull, Fetcher: &source.Fetcher{Env: environment()}})
	if err != nil {
		t.Fatal(err)
	}
	if names, err := f.Names(); len(names) != 0 || err != nil {
		t.Errorf("%v %v", names, err)
	}
}
