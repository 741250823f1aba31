package term

import (
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	getTermios = unix.TCGETS
	setTermios = unix.TCSETS
)

// stopHere stops this process as SIGTSTP does by itself, and returns when it is continued; at
// once where there is no shell to continue it, whose process groups the kernel never stops.
// Go keeps its handler once a signal was asked for, so the default action is set past it.
func stopHere() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// The kernel's struct sigaction, on any architecture: its zero value is SIG_DFL.
	const maskSize = 8
	var standard, ours [8]uint64
	//nolint:gosec // sigaction(2) takes pointers
	if _, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(syscall.SIGTSTP),
		uintptr(unsafe.Pointer(&standard)), uintptr(unsafe.Pointer(&ours)), maskSize, 0, 0); errno != 0 {
		return
	}
	// To this very thread: it has stopped before the call returns.
	_ = unix.Tgkill(unix.Getpid(), unix.Gettid(), syscall.SIGTSTP)
	//nolint:gosec // as above
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(syscall.SIGTSTP),
		uintptr(unsafe.Pointer(&ours)), 0, maskSize, 0, 0)
}

// discardInput throws away what has been typed and not read yet, and reports
// whether there was anything.
func discardInput(fd int) bool {
	waiting, err := unix.IoctlGetInt(fd, unix.TIOCINQ)
	if err != nil || waiting == 0 {
		return false
	}
	return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH) == nil
}
