//go:build unix

package process

import (
	"context"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// passedSignals are those that a child is told. Stopping and continuing is between
// the terminal and the whole process group.
func passedSignals() []os.Signal {
	return []os.Signal{
		syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2,
	}
}

// sentByTerminal reports whether a signal has most likely been typed: then the
// terminal has sent it to every process of its foreground group, the child's too, and
// a second one could mean something else to it.
func sentByTerminal(s os.Signal) bool {
	if s != syscall.SIGINT && s != syscall.SIGQUIT {
		return false
	}
	terminal, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	defer terminal.Close()
	group, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// Become replaces this process by a program, so that signals and the exit code need
// nobody to pass them on, unless a signal has ended ctx. What this process ignores the program
// ignores too. It returns only when it failed.
func Become(ctx context.Context, path string, args, environment []string) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	ignoresQuit()
	err := syscall.Exec(path, args, environment)
	if isBareScript(path, err) {
		err = syscall.Exec(shell, shellArgs(path, args), environment)
	}
	return exited(&os.PathError{Op: "exec", Path: path, Err: err})
}
