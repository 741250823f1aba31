package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

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

// ownedByUser and permissions: access below the user's profile is governed by
// inherited lists that keep other users out; the mode bits Go reports say nothing.
func ownedByUser(fs.FileInfo) bool { return true }

func permissions(fs.FileInfo) fs.FileMode { return 0 }

// replaceFile puts the file from in the place of the file to. Windows refuses that
// while a reader has the old file open, which is a matter of milliseconds.
func replaceFile(from, to string) error {
	var err error
	for range 20 {
		err = os.Rename(from, to)
		if !errors.Is(err, windows.ERROR_ACCESS_DENIED) && !errors.Is(err, windows.ERROR_SHARING_VIOLATION) {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
	return err
}
