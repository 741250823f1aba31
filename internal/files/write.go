package files

import (
	"os"
	"path/filepath"
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
	Sweep(dir, pattern)
	temp, err := os.CreateTemp(dir, pattern)
	if err != nil {
		return err
	}
	err = fill(temp)
	if err == nil {
		err = temp.Sync()
	}
	if closed := temp.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = rename(temp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temp.Name())
		return err
	}
	return SyncDir(dir)
}

// Sweep removes from dir what killed writers left: regular files of this user's under
// the pattern that are older than an hour. What cannot be removed stays.
func Sweep(dir, pattern string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if match, err := filepath.Match(pattern, entry.Name()); err != nil || !match || !entry.Type().IsRegular() {
			continue
		}
		info, err := entry.Info()
		if err != nil || time.Since(info.ModTime()) < stale {
			continue
		}
		if _, _, foreign := ownedByOther(info); !foreign {
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
		err = &UnsafeError{path, "is not a regular file", ""}
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
	if closed := file.Close(); err == nil {
		err = closed
	}
	return err
}

// MakeDir makes the directory at path and its parents with mode 0700, but nothing below
// another user's home; see CheckHome. It is no error when it is there.
func (t Trust) MakeDir(path string) error {
	if err := t.CheckHome(path); err != nil {
		return err
	}
	return os.MkdirAll(path, 0o700)
}
