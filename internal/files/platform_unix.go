//go:build unix

package files

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// NonBlock is a flag for os.OpenFile that keeps it from waiting for the other end of a pipe that stands where a
// file should.
const NonBlock = syscall.O_NONBLOCK

// openAtOnce opens a file for reading without waiting for anything.
func openAtOnce(path string) (*os.File, error) { return os.OpenFile(path, os.O_RDONLY|NonBlock, 0) }

// foreignOwner returns the owner of a file when that is neither this user nor root.
func foreignOwner(info fs.FileInfo) (uid, name string, foreign bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Uid == 0 {
		return "", "", false
	}
	return ownedByOther(info)
}

// ownedByOther returns the owner of a file when that is not this user. The name is empty
// when nobody knows it.
func ownedByOther(info fs.FileInfo) (uid, name string, foreign bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(stat.Uid) == os.Geteuid() {
		return "", "", false
	}
	uid = strconv.FormatUint(uint64(stat.Uid), 10)
	if u, err := user.LookupId(uid); err == nil {
		name = u.Username
	}
	return uid, name, true
}

// Owner returns the name of a file's owner, or the number where it has none.
func Owner(info fs.FileInfo) string {
	if uid, name, foreign := ownedByOther(info); foreign {
		return known(name, "uid "+uid)
	}
	return me()
}

// Mine reports whether a file belongs to this user.
func Mine(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

// MineOrRoots reports whether a file belongs to this user or to root.
func MineOrRoots(info fs.FileInfo) bool {
	_, _, foreign := foreignOwner(info)
	return !foreign
}

// Me is how this user is called in a command such as chown.
func Me() string { return me() }

func me() string {
	uid := strconv.Itoa(os.Geteuid())
	if u, err := user.LookupId(uid); err == nil {
		return u.Username
	}
	return uid
}

// WritableByOthers reports whether another user may change a file: anybody, or a
// group that is not the user's own. Many systems give each user a group of their
// own and a umask that lets it write.
func WritableByOthers(info fs.FileInfo) bool { return othersMay(info, 0o022) }

// ReadableByOthers reports whether another user may read a file, by the rule of
// WritableByOthers.
func ReadableByOthers(info fs.FileInfo) bool { return othersMay(info, 0o044) }

func othersMay(info fs.FileInfo, mask fs.FileMode) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if ok && int(stat.Gid) == os.Getegid() {
		mask &= 0o007
	}
	return info.Mode().Perm()&mask != 0
}

// KeepOwner gives file the owner of the one it replaces, where that is allowed.
func KeepOwner(file *os.File, info fs.FileInfo) {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		_ = file.Chown(int(stat.Uid), int(stat.Gid))
	}
}

func rename(from, to string) error { return os.Rename(from, to) }

// Unmovable reports whether an error means that a file can be written and not replaced:
// it is a mount of its own, or its directory takes no new files.
func Unmovable(err error) bool {
	return errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.EXDEV) || errors.Is(err, syscall.EROFS) ||
		errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EPERM)
}

// SyncDir makes what was done in a directory stay. File systems that have no such thing
// say so with EINVAL.
func SyncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return err
	}
	return nil
}
