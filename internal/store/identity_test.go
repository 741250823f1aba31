package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/secret"
)

// fromFile gives what is in a file as a key.
func fromFile(path string) secret.Func {
	return func(context.Context) (secret.Secret, error) {
		text, err := os.ReadFile(path)
		return secret.New(string(text)), err
	}
}

func TestMakeIdentity(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "made", "deep", "store.key")
	now := time.Date(2026, 11, 30, 4, 5, 6, 0, time.UTC)
	if err := MakeIdentity(path, files.Trust{}, now); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(text), "# created: 2026-11-30T04:05:06Z ") ||
		!strings.Contains(string(text), "\n# public key: age1") || strings.Count(string(text), "AGE-SECRET-KEY-1") != 1 {
		t.Errorf("the file is not as age-keygen writes it: %v", err)
	}
	if err := (&File{Key: fromFile(path)}).CheckKey(t.Context()); err != nil {
		t.Errorf("the key does not open: %v", err)
	}
	if err := MakeIdentity(path, files.Trust{}, now); !errors.Is(err, fs.ErrExist) {
		t.Errorf("once more: %v", err)
	}
	if again, err := os.ReadFile(path); err != nil || string(again) != string(text) {
		t.Errorf("the key was overwritten: %v", err)
	}
}

func TestCheckKey(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store.key")
	if err := os.WriteFile(path, []byte("obviously-fake-key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]secret.Func{"none": nil, "no identity": fromFile(path), "no file": fromFile(path + "x")} {
		err := (&File{Key: key}).CheckKey(t.Context())
		unusable, ok := errors.AsType[*UnusableError](err)
		if !ok || unusable.Problem != Unconfigured || unusable.Store != "file" || strings.Contains(err.Error(), "obviously-fake") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
