package store

import (
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// runtimeDir is below the user's local application data, as Windows itself names
// it: the environment has no say in it.
func runtimeDir() (string, error) {
	local, err := windows.KnownFolderPath(windows.FOLDERID_LocalAppData, windows.KF_FLAG_DEFAULT)
	if err != nil {
		return "", err
	}
	return filepath.Join(local, "authctl", "run"), nil
}

// permissions: access below the user's profile is governed by inherited lists that keep
// other users out; the mode bits Go reports say nothing.
func permissions(fs.FileInfo) fs.FileMode { return 0 }
