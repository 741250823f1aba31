package files

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// NonBlock is nothing: there are no named pipes among files.
const NonBlock = 0

func openAtOnce(path string) (*os.File, error) { return os.Open(path) }

// Mode bits and owners say nothing on Windows, where a user's profile directory is
// closed to others: every file passes.

func foreignOwner(fs.FileInfo) (uid, name string, foreign bool) { return "", "", false }

func ownedByOther(fs.FileInfo) (uid, name string, foreign bool) { return "", "", false }

// Owner returns nothing.
func Owner(fs.FileInfo) string { return "" }

// Mine passes every file.
func Mine(fs.FileInfo) bool { return true }

// MineOrRoots passes every file.
func MineOrRoots(fs.FileInfo) bool { return true }

// Me returns the variable that holds this user's name.
func Me() string { return me() }

func me() string { return "%USERNAME%" }

// WritableByOthers passes every file.
func WritableByOthers(fs.FileInfo) bool { return false }

// ReadableByOthers passes every file.
func ReadableByOthers(fs.FileInfo) bool { return false }

// KeepOwner does nothing: a new file has the owner of its directory.
func KeepOwner(*os.File, fs.FileInfo) {}

// rename is refused while a reader has the old file open, which is a matter of
// milliseconds.
func rename(from, to string) error {
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

// Unmovable reports nothing: there are no mounts of single files.
func Unmovable(error) bool { return false }

// SyncDir does nothing: there is no such thing for a directory.
func SyncDir(string) error { return nil }
