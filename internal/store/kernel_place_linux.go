package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// The magic numbers of file systems that other machines may have too (statfs(2)).
const (
	magicCIFS   = 0xff534d42
	magicSMB2   = 0xfe534d42
	magicCeph   = 0x00c36400
	magicLustre = 0x0bd00bd0
	magicGPFS   = 0x47504653
)

// localAndWritable reports whether the files of this machine's key can be in a directory,
// which may be missing yet. Another machine has another key: in one directory the two would
// remove each other's files.
func localAndWritable(d privateDir) bool {
	if d.none() {
		return false
	}
	err := d.check()
	path := d.path
	for errors.Is(err, fs.ErrNotExist) && path != filepath.Dir(path) {
		path = filepath.Dir(path)
		_, err = os.Stat(path)
	}
	var system unix.Statfs_t
	if err != nil || unix.Access(path, unix.W_OK|unix.X_OK) != nil || unix.Statfs(path, &system) != nil {
		return false
	}
	switch uint32(system.Type) { //nolint:gosec // the numbers have 32 bits
	case unix.NFS_SUPER_MAGIC, unix.SMB_SUPER_MAGIC, unix.AFS_SUPER_MAGIC, magicCIFS, magicSMB2,
		magicCeph, magicLustre, magicGPFS:
		return false
	}
	return true
}

// firstNamespace is the user namespace of the system itself, the same number on each.
const firstNamespace = "user:[4026531837]"

// keySpace ends the name of the directory in a user namespace, which has keyrings of its own: a
// container that shares a home with its host would remove the host's files, and the host the container's.
func keySpace() string {
	name, err := os.Readlink("/proc/self/ns/user")
	if err != nil || name == firstNamespace {
		return ""
	}
	return "-" + strings.Trim(name, "user:[]")
}
