//go:build unix

package process

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// endingSignals are those that end a command in order.
func endingSignals() []os.Signal {
	return []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT}
}

// EndBy ends the process by the signal that it received, as if it had not been caught,
// where that may have been typed at a terminal: a shell ends its loop only where its child
// died of SIGINT, and shows the same exit code, 128 and the signal's number. A program
// that runs this one without a terminal is told SIGINT and SIGTERM by the exit code alone.
func EndBy(i Interrupted, typed bool) {
	pid := os.Getpid()
	switch {
	case pid == 1:
		// The kernel keeps the first process of a container from dying so.
	case !typed && (i.Signal == syscall.SIGINT || i.Signal == syscall.SIGTERM):
	case i.Signal == syscall.SIGQUIT:
		// A shell in this one's place: of this one a core file could be left, with secrets in
		// it, and Go ends by SIGQUIT with a listing of its own.
		_ = syscall.Exec(shell, []string{shell, "-c", "ulimit -c 0; kill -s QUIT $$"}, nil)
	default:
		signal.Reset(i.Signal)
		if syscall.Kill(pid, i.Signal) == nil {
			// It need not be this thread that gets it.
			time.Sleep(Grace) //nolint:forbidigo // what is waited for is this process's end
		}
	}
	os.Exit(128 + int(i.Signal)) //nolint:forbidigo // main hands EndBy in, to end the process with
}

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
