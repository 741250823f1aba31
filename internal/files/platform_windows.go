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

// owner knows nothing.
func owner(fs.FileInfo) (uid, gid int, known bool) { return 0, 0, false }

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

// SyncDir does nothing: there is no such thing for a directory.
func SyncDir(string) error { return nil }
