package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"syscall"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/tokenkey"
	"github.com/gofrs/flock"
)

// FileLocks are locks between the processes of one user: one file per key, which
// the kernel locks and releases when the holder dies. The files are never
// removed, because a lock on a removed file excludes nobody.
type FileLocks struct {
	// Dir is where the files are; empty means a directory that is derived from the user's id
	// (Linux: /run/user/UID/authctl where that exists, else /tmp/authctl-UID; macOS:
	// /tmp/authctl-UID; Windows: authctl\run in the local application data). It is created
	// with mode 0700. A directory that others may enter is refused: they could hold the
	// lock for ever.
	Dir string
	// Fallback is used in place of the derived one where that is another user's, who came
	// first in /tmp. Empty means nothing is.
	Fallback string
	// Trust says how strictly owner and mode of directories are looked at.
	Trust files.Trust
}

// dir returns the directory of the locks. It creates nothing.
func (l FileLocks) dir() (string, error) {
	if l.Dir != "" {
		return l.Dir, nil
	}
	dir, err := runtimeDir()
	return l.unlessTaken(dir), err
}

// unlessTaken returns the directory, or Fallback where it is not this user's.
func (l FileLocks) unlessTaken(dir string) string {
	info, err := os.Lstat(dir)
	if l.Fallback != "" && err == nil && (!info.IsDir() || !files.Mine(info)) {
		return l.Fallback
	}
	return dir
}

// maxNote is the most that is read as a note, in bytes.
const maxNote = 64 << 10

// Shared reports false: the locks are this machine's.
func (FileLocks) Shared() bool { return false }

// TryLock takes the lock of key if it is free; see Store.
func (l FileLocks) TryLock(_ context.Context, key tokenkey.Key) (Lock, error) {
	return l.free(key.Digest())
}

// Lock takes the lock of key, waiting until ctx ends; see Store.
func (l FileLocks) Lock(ctx context.Context, key tokenkey.Key) (Lock, error) {
	return l.named(ctx, key.Digest())
}

// Wait waits until nobody holds the lock of key; see Store. For that the lock is taken and
// given back.
func (l FileLocks) Wait(ctx context.Context, key tokenkey.Key) (Note, error) {
	lock, err := l.Lock(ctx, key)
	if err != nil {
		return Note{}, err
	}
	return lock.Note(), lock.Unlock()
}

// free takes the lock of a name if nobody has it.
func (l FileLocks) free(name string) (Lock, error) {
	ended, end := context.WithCancel(context.Background())
	end()
	return l.named(ended, name)
}

// LockFile takes the lock under which the file at path is changed, by whatever links it
// is reached; as Lock does.
func (l FileLocks) LockFile(ctx context.Context, path string) (Lock, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, &LockError{Guards: path, Path: path, Err: err}
	}
	sum := sha256.Sum256([]byte(files.Followed(full)))
	lock, err := l.named(ctx, "file-"+hex.EncodeToString(sum[:]))
	if unusable, ok := errors.AsType[*LockError](err); ok {
		unusable.Guards = path
	}
	return lock, err
}

// named takes the lock of a name that can be a file's.
func (l FileLocks) named(ctx context.Context, name string) (Lock, error) {
	dir, err := l.dir()
	if err != nil {
		return nil, &LockError{Path: name, Err: err}
	}
	stem := filepath.Join(dir, name)
	if err := (privateDir{dir, usableByOthers, l.Trust}).make(); err != nil {
		return nil, &LockError{Path: stem + ".lock", Err: err}
	}
	f, err := acquire(ctx, stem+".lock")
	if err != nil {
		busy := ctx.Err() != nil && errors.Is(err, context.Cause(ctx))
		return nil, &LockError{Busy: busy, Path: stem + ".lock", Err: err}
	}
	return &fileLock{flock: f, note: stem + ".note"}, nil
}

// acquire locks the file at path. Should a cleaner of temporary files have removed the file
// meanwhile, it locks the new one.
func acquire(ctx context.Context, path string) (*flock.Flock, error) {
	for {
		// Without waiting, should a pipe stand there.
		f := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDONLY|files.NonBlock))
		ok, err := f.TryLock()
		if err == nil && !ok {
			err = wait(ctx, f)
		}
		if err != nil {
			return nil, err
		}
		held, err := f.Stat()
		if err == nil && !held.Mode().IsRegular() {
			err = &files.Error{Path: path, Problem: "is not a regular file", Remedy: "remove it"}
		}
		if err != nil {
			_ = f.Unlock()
			return nil, err
		}
		if now, err := os.Stat(path); err == nil && os.SameFile(held, now) {
			return f, nil
		}
		_ = f.Unlock()
	}
}

// wait sleeps in the kernel until the lock is free or ctx ends. Asking again and
// again instead would cost fifty waiting processes their processor time, and each
// of them a late awakening.
func wait(ctx context.Context, f *flock.Flock) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	got := make(chan error, 1)
	go func() {
		err := f.Lock()
		for errors.Is(err, syscall.EINTR) {
			err = f.Lock()
		}
		got <- err
	}()
	select {
	case err := <-got:
		return err
	case <-ctx.Done():
		// The wait in the kernel cannot be called off; a lock that comes too late
		// is given back at once.
		go func() {
			if <-got == nil {
				_ = f.Unlock()
			}
		}()
		return context.Cause(ctx)
	}
}

// fileLock is a held lock. The note has a file of its own, because on Windows a
// locked file can be read through the locking handle only.
type fileLock struct {
	flock *flock.Flock
	note  string
}

// Note returns what the last holder left. A holder that died while writing left
// nothing.
func (l *fileLock) Note() Note {
	var n Note
	text, err := files.Read(context.Background(), l.note, files.Rule{Limit: maxNote, Anybodys: true})
	if err != nil || json.Unmarshal(text, &n) != nil {
		return Note{}
	}
	return n
}

// Leave replaces the note, so that it stays; the zero Note removes it.
func (l *fileLock) Leave(n Note) error {
	if err := l.leave(n); err != nil {
		return &LockError{Path: l.note, Err: err}
	}
	return nil
}

func (l *fileLock) leave(n Note) error {
	if n == (Note{}) {
		err := os.Remove(l.note)
		if err == nil {
			return files.SyncDir(filepath.Dir(l.note))
		}
		return unlessMissing(err)
	}
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return files.Replace(l.note, temporary, func(tmp *os.File) error {
		_, err := tmp.Write(text)
		return err
	})
}

// Unlock releases the lock.
func (l *fileLock) Unlock() error {
	if err := l.flock.Unlock(); err != nil {
		return &LockError{Path: l.flock.Path(), Err: err}
	}
	return nil
}
