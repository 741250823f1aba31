//go:build !windows

package store

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
)

// runtimeDir derives the directory of the locks from the user's id. The
// environment has no say in it: a job without XDG_RUNTIME_DIR, or with another
// HOME, uses the same keyring and needs the same lock.
func runtimeDir() (string, error) {
	uid := strconv.Itoa(os.Geteuid())
	if runtime.GOOS == "linux" {
		run := filepath.Join("/run/user", uid)
		if info, err := os.Lstat(run); err == nil && info.IsDir() && ownedByUser(info) {
			return filepath.Join(run, "authctl"), nil
		}
	}
	return "/tmp/authctl-" + uid, nil
}

func ownedByUser(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

func permissions(info fs.FileInfo) fs.FileMode { return info.Mode().Perm() }

// replaceFile puts the file from in the place of the file to, at once.
func replaceFile(from, to string) error { return os.Rename(from, to) }
