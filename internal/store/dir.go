package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/secret"
)

// The permissions that a directory must not give to others.
const (
	writableByOthers fs.FileMode = 0o022
	usableByOthers   fs.FileMode = 0o077
)

// privateDir is a directory of this user's that gives others none of the forbidden
// permissions. Where the trust is lenient, and it is this user's or root's, its mode costs a
// warning only.
type privateDir struct {
	path      string
	forbidden fs.FileMode
	trust     files.Trust
}

// make creates the directory with mode 0700 where it is missing, its parents too, and
// checks it.
func (d privateDir) make() error {
	if err := d.foreign(); err != nil {
		return err
	}
	err := d.check()
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(d.path), 0o700); err != nil {
		return err
	}
	if err := os.Mkdir(d.path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return d.check()
}

// foreign returns an error when the directory is below another user's home.
func (d privateDir) foreign() error {
	unsafe, ok := errors.AsType[*files.Error](d.trust.CheckHome(d.path))
	if !ok {
		return nil
	}
	return d.unsafe("it %s: %s", unsafe.Problem, unsafe.Remedy)
}

// none reports whether the directory holds nothing of this user's, because it has no path
// or is below another user's home, where nothing is stored: that is no error.
func (d privateDir) none() bool { return d.path == "" || d.foreign() != nil }

// look is none for a directory whose files are read: it is checked, and may be missing.
func (d privateDir) look() (none bool, err error) {
	if d.none() {
		return true, nil
	}
	err = d.check()
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return err != nil, err
}

// unsafe is the error of a directory that is not used: someone else could put files of
// their own in it.
func (d privateDir) unsafe(why string, args ...any) error {
	return fmt.Errorf("unsafe directory %s: %s", d.path, fmt.Sprintf(why, args...))
}

// check reports whether the directory is a real one and private. Lstat, because in a
// directory that all may write to, a symbolic link may be someone else's.
func (d privateDir) check() error {
	info, err := os.Lstat(d.path)
	if err != nil {
		return err
	}
	loose := permissions(info)&d.forbidden != 0
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return d.unsafe("it is a symbolic link")
	case !info.IsDir():
		return d.unsafe("it is not a directory")
	case !files.Mine(info) && (!d.trust.Lenient || !files.MineOrRoots(info)):
		return d.unsafe("it belongs to another user (%s): make it yours (chown -R %s %s), or run authctl as its owner",
			files.Owner(info), files.Me(), secret.Printable(d.path))
	case loose && !d.trust.Lenient:
		return d.unsafe("its mode %04o lets other users in: chmod 700 it", permissions(info))
	case loose && d.trust.Warn != nil:
		d.trust.Warn(fmt.Sprintf("the mode %04o of %s lets other users in, which is let pass because CI is set: chmod 700 it",
			permissions(info), secret.Printable(d.path)))
	}
	return nil
}

// CheckDir returns why a store would not keep its files in a directory; nil for one
// that is in order, and for one that is not there yet, which the store makes.
func CheckDir(path string, trust files.Trust) error {
	d := privateDir{path, writableByOthers, trust}
	if err := d.foreign(); err != nil {
		return err
	}
	return unlessMissing(d.check())
}
