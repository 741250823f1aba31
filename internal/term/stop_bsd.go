//go:build unix && !linux

package term

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	getTermios = unix.TIOCGETA
	setTermios = unix.TIOCSETA
)

// stopHere stops this process, and returns when it is continued; at once where there is
// no shell to continue it.
func stopHere() {
	parent := os.Getppid()
	if session, err := unix.Getsid(parent); err != nil || parent == 1 || session != mustSession() {
		return
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	// Another thread may be the one that takes it.
	time.Sleep(100 * time.Millisecond)
}

// mustSession is this process's session, which every process has.
func mustSession() int {
	session, _ := unix.Getsid(0)
	return session
}

// discardInput cannot look at what has been typed here.
func discardInput(int) bool { return false }
