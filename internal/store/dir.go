package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The permissions that a directory must not give to others.
const (
	writableByOthers fs.FileMode = 0o022
	usableByOthers   fs.FileMode = 0o077
)

// unsafeDirError says why a directory is not used: someone else could put files
// of their own in it.
type unsafeDirError struct{ path, why string }

func (e *unsafeDirError) Error() string { return "unsafe directory " + e.path + ": " + e.why }

// makePrivateDir creates path with mode 0700 where it is missing, its parents too,
// and checks it as checkPrivateDir does.
func makePrivateDir(path string, forbidden fs.FileMode) error {
	err := checkPrivateDir(path, forbidden)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return checkPrivateDir(path, forbidden)
}

// checkPrivateDir reports whether path is a real directory of this user's that
// gives others none of the forbidden permissions. Lstat, because in a directory
// that all may write to, a symbolic link may be someone else's.
func checkPrivateDir(path string, forbidden fs.FileMode) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return &unsafeDirError{path, "it is a symbolic link"}
	case !info.IsDir():
		return &unsafeDirError{path, "it is not a directory"}
	case !ownedByUser(info):
		return &unsafeDirError{path, "it belongs to another user"}
	case permissions(info)&forbidden != 0:
		return &unsafeDirError{path, fmt.Sprintf("its mode %04o lets other users in: chmod 700 it", permissions(info))}
	}
	return nil
}
