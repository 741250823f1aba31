//go:build !windows

package store

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/authctl/authctl/internal/files"
)

// runtimeDir derives the directory of the locks from the user's id. The
// environment has no say in it: a job without XDG_RUNTIME_DIR, or with another
// HOME, uses the same keyring and needs the same lock.
func runtimeDir() (string, error) {
	uid := strconv.Itoa(os.Geteuid())
	if runtime.GOOS == "linux" {
		run := filepath.Join("/run/user", uid)
		if info, err := os.Lstat(run); err == nil && info.IsDir() && files.Mine(info) {
			return filepath.Join(run, "authctl"), nil
		}
	}
	return "/tmp/authctl-" + uid, nil
}

func permissions(info fs.FileInfo) fs.FileMode { return info.Mode().Perm() }
