//go:build unix

package files

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// NonBlock is a flag for os.OpenFile that keeps it from waiting for the other end of a pipe that stands where a
// file should.
const NonBlock = syscall.O_NONBLOCK

// owner returns whose a file is, and whether that is known.
func owner(info fs.FileInfo) (uid, gid int, known bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int(stat.Uid), int(stat.Gid), true
}

func rename(from, to string) error { return os.Rename(from, to) }

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
