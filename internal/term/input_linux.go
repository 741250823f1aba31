package term

import "golang.org/x/sys/unix"

// discardInput throws away what has been typed and not read yet, and reports
// whether there was anything.
func discardInput(fd int) bool {
	waiting, err := unix.IoctlGetInt(fd, unix.TIOCINQ)
	if err != nil || waiting == 0 {
		return false
	}
	return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH) == nil
}
