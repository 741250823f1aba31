//go:build unix

package edit

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/authctl/authctl/internal/setting"
)

func TestEditKeepsModeAndLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target, link := filepath.Join(dir, "dotfiles.yaml"), filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(target, []byte(two), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("dotfiles.yaml", link); err != nil {
		t.Fatal(err)
	}
	if err := SetDefault(at(t, link), "engage"); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v", err)
	}
	info, err := os.Stat(target)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".config-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := os.Remove(target); err != nil {
		t.Fatal(err)
	}
	err = Add(at(t, link), "p", []Setting{{Key: "provider", Text: "pexip"}})
	if e, ok := errors.AsType[*setting.Error](err); !ok || e.Problem != "is a link to a file that does not exist" {
		t.Errorf("a dangling link: %v", err)
	}
}

func TestEditMakesTheFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "authctl", "config.yaml")
	if err := Add(at(t, path), "p", []Setting{{Key: "provider", Text: "pexip"}}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || string(text) != "profiles:\n  p:\n    provider: pexip\n" {
		t.Errorf("%q, %v", text, err)
	}
	for name, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
}
