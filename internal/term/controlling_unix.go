//go:build unix

package term

import (
	"os"

	"golang.org/x/sys/unix"
)

// controllingTerminal opens the terminal that controls this process (XBD §11.1.3), nil where
// there is none, or where it belongs to another job: the system would stop this process for
// reading from it.
func controllingTerminal() *os.File {
	terminal, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil
	}
	if group, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPGRP); err != nil || group != unix.Getpgrp() {
		_ = terminal.Close()
		return nil
	}
	return terminal
}
