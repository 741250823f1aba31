package files

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// stale is the age from which a temporary file is what a killed process left.
const stale = time.Hour

// Replace puts a file in the place of the one at path, at once and so that it stays: a
// reader sees the old one or the new one, and so does who comes after a power cut. The
// new one is made beside it by the pattern of os.CreateTemp, with mode 0600, and filled
// and given another mode by fill. What earlier writers that were killed left under the pattern is swept.
func Replace(path, pattern string, fill func(*os.File) error) error {
	dir := filepath.Dir(path)
	sweep(dir, pattern)
	temp, err := os.CreateTemp(dir, pattern)
	if err != nil {
		return err
	}
	err = fill(temp)
	if err == nil {
		err = temp.Sync()
	}
	if err = cmp.Or(err, temp.Close()); err == nil {
		err = rename(temp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temp.Name())
		return err
	}
	return SyncDir(dir)
}

// sweep removes from dir what killed writers left: regular files of this user's under
// the pattern that are older than an hour. What cannot be removed stays.
func sweep(dir, pattern string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if match, err := filepath.Match(pattern, entry.Name()); err != nil || !match || !entry.Type().IsRegular() {
			continue
		}
		if info, err := entry.Info(); err == nil && time.Since(info.ModTime()) >= stale && Mine(info) {
			_ = os.Remove(filepath.Join(dir, entry.Name()))
		}
	}
}

// Overwrite writes text into the file at path, which stays the same file. It is for one
// that cannot be replaced; who reads meanwhile may see half of it.
func Overwrite(path string, text []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|NonBlock, 0)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = notRegular(path)
	}
	if err == nil {
		_, err = file.Write(text)
	}
	if err == nil {
		err = file.Truncate(int64(len(text)))
	}
	if err == nil {
		err = file.Sync()
	}
	return cmp.Or(err, file.Close())
}

// KeepOwner gives file the owner of the one it replaces, where that is allowed.
func KeepOwner(file *os.File, info fs.FileInfo) {
	if uid, gid, ok := owner(info); ok {
		_ = file.Chown(uid, gid)
	}
}

// Unmovable reports whether an error means that a file can be written and not replaced:
// it is a mount of its own, or its directory takes no new files.
func Unmovable(err error) bool {
	reasons := []error{syscall.EBUSY, syscall.EXDEV, syscall.EROFS, syscall.EACCES, syscall.EPERM}
	return slices.ContainsFunc(reasons, func(reason error) bool { return errors.Is(err, reason) })
}
