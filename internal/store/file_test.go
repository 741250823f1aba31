package store

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/authctl/authctl/internal/secret"
)

// fileKey returns a new identity.
func fileKey(t testing.TB) secret.Func {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return givenKey(id.String())
}

func givenKey(text string) secret.Func {
	return func(context.Context) (secret.Secret, error) { return secret.New(text), nil }
}

func newFile(t *testing.T) *File {
	t.Helper()
	dir := t.TempDir()
	return &File{FileLocks: FileLocks{Dir: filepath.Join(dir, "run")}, Dir: filepath.Join(dir, "a", "store"), Key: fileKey(t)}
}

func TestFile(t *testing.T) {
	t.Parallel()
	contract(t, func(t *testing.T) Store { return newFile(t) })
}

func TestFileNeverPlain(t *testing.T) {
	t.Parallel()
	s := newFile(t)
	r := testRecord(t)
	mustPut(t, s, r)
	var files int
	err := filepath.WalkDir(s.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
			t.Errorf("%s has mode %04o", path, info.Mode().Perm())
		}
		if d.IsDir() {
			return nil
		}
		files++
		text, err := os.ReadFile(path)
		for _, secret := range []string{r.Token.AccessToken.Reveal(), r.Token.RefreshToken.Reveal(), r.Key.User} {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("%s holds %q", path, secret)
			}
		}
		return err
	})
	if err != nil || files != 1 {
		t.Errorf("%d files, want 1 (%v)", files, err)
	}
}

func TestFileWithoutKey(t *testing.T) {
	t.Parallel()
	errReference := errors.New("no such variable")
	for name, key := range map[string]secret.Func{
		"none":       nil,
		"empty":      givenKey(""),
		"not a key":  givenKey("a-secret-of-another-kind"),
		"public key": givenKey("age1fakefakefake"),
		"two keys":   givenKey("AGE-SECRET-KEY-1FAKE\nAGE-SECRET-KEY-1FAKE"),
		"error":      func(context.Context) (secret.Secret, error) { return secret.Secret{}, errReference },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newFile(t)
			s.Key = key
			_, getErr := s.Get(t.Context(), testRecord(t).Key)
			_, listErr := s.List(t.Context())
			for _, err := range []error{getErr, listErr, s.Put(t.Context(), testRecord(t))} {
				e := wantProblem(t, err, Unconfigured)
				if e.Hint == "" || strings.Contains(e.Error(), "of-another-kind") {
					t.Errorf("the error is %q, its hint %q", e, e.Hint)
				}
				if name == "error" && !errors.Is(err, errReference) {
					t.Errorf("the cause is lost: %v", err)
				}
			}
			if _, err := os.Stat(s.Dir); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("something was written: %v", err)
			}
		})
	}
}

func TestFileKeyIsFetchedOnce(t *testing.T) {
	t.Parallel()
	s := newFile(t)
	fetch, fetched := s.Key, 0
	s.Key = func(ctx context.Context) (secret.Secret, error) {
		fetched++
		key, err := fetch(ctx)
		return secret.New("# created: 2026-01-01T00:00:00Z\n# public key: age1fake\n" + key.Reveal() + "\n"), err
	}
	mustPut(t, s, testRecord(t))
	mustGet(t, s, testRecord(t).Key)
	if fetched != 1 {
		t.Errorf("the key was fetched %d times", fetched)
	}
}

func TestFileOtherKey(t *testing.T) {
	t.Parallel()
	s := newFile(t)
	r := testRecord(t)
	mustPut(t, s, r)
	other := &File{FileLocks: s.FileLocks, Dir: s.Dir, Key: fileKey(t)}
	_, err := other.Get(t.Context(), r.Key)
	if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "another key") {
		t.Errorf("Get() = %v, want ErrNotFound with the reason", err)
	}
	if list, err := other.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("List() = %v, %v, want nothing", list, err)
	}
	mustGet(t, s, r.Key)
	mustPut(t, other, r)
	mustGet(t, other, r.Key)
	wantNone(t, s, r.Key)
}

func TestFileDamaged(t *testing.T) {
	t.Parallel()
	s := newFile(t)
	r := testRecord(t)
	mustPut(t, s, r)
	path := filepath.Join(s.Dir, r.Key.Digest()+".age")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(good)
	flipped[len(flipped)-1] ^= 1
	for name, text := range map[string][]byte{
		"empty": nil, "cut": good[:len(good)-5], "flipped": flipped, "header only": good[:60], "plain": []byte("{}"),
	} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(t.Context(), r.Key); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: Get() = %v, want ErrNotFound", name, err)
		}
	}
	// A good record under another key's name is not that key's.
	other := r.Key
	other.User = "someone else"
	if err := os.WriteFile(filepath.Join(s.Dir, other.Digest()+".age"), good, 0o600); err != nil {
		t.Fatal(err)
	}
	wantNone(t, s, other)
}

// TestFileInTheWay: what stands where a record belongs is none, and is replaced where that loses nothing.
func TestFileInTheWay(t *testing.T) {
	t.Parallel()
	s, r := newFile(t), testRecord(t)
	mustPut(t, s, r)
	path := s.store().dir.file(r.Key.Digest())
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(path, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	wantNone(t, s, r.Key)
	unusable, ok := errors.AsType[*UnusableError](s.Put(t.Context(), r))
	if !ok || unusable.Hint != "remove it" || unusable.Err.Error() != path+" is a directory" {
		t.Errorf("Put() = %v, want what is in the way and what to do", unusable)
	}
	if err := os.Remove(filepath.Join(path, "full")); err != nil {
		t.Fatal(err)
	}
	mustPut(t, s, r)
	mustGet(t, s, r.Key)
}
