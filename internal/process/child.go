package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// Error carries the exit code of a child; Err says why it could not be
// started, nil when it ran.
type Error struct {
	Code int
	Err  error
}

// Error says why it could not be started, or how it ended.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Err.Error()
	}
	return fmt.Sprintf("the command ended with exit code %d", e.Code)
}

// exited returns the exit code of a child as a shell would report it.
func exited(err error) error {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit):
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return &Error{Code: 128 + int(status.Signal())}
		}
		return &Error{Code: exit.ExitCode()}
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return &Error{Code: 127, Err: err}
	}
	return &Error{Code: 126, Err: err}
}

// Run runs a command to its end and returns its exit code as a *Error, nil
// when that is 0. Signals to this process are the child's from the beginning; one that
// came before ends ctx, and then there is no child. What started returns, when it is
// not nil, is called once the child has ended, with the signals that come from then on;
// its error comes first.
func Run(
	ctx context.Context, child *exec.Cmd, started func() (after func(<-chan os.Signal) error),
) error {
	signals := make(chan os.Signal, 8)
	// What the user has a process ignore, as nohup does, its children ignore too.
	notify(signals, passedSignals())
	defer signal.Stop(signals)
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	// The thread must stay: it is with its end that dieWithParent's signal comes.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	child, err := start(child)
	if err != nil {
		return exited(err)
	}
	after := func(<-chan os.Signal) error { return nil }
	if started != nil {
		after = started()
	}
	ended := make(chan struct{})
	var passing sync.WaitGroup
	passing.Go(func() { passOn(child.Process, signals, ended) })
	err = child.Wait()
	close(ended)
	passing.Wait()
	if err := after(signals); err != nil {
		return err
	}
	return exited(err)
}

// start starts a child, by the shell when it is a script that does not name its
// interpreter: execvp(3) does so.
func start(child *exec.Cmd) (*exec.Cmd, error) {
	dieWithParent(child)
	err := child.Start()
	if !isBareScript(child.Path, err) {
		return child, err
	}
	again := exec.Command(shell) //nolint:noctx // it ends when it likes
	again.Args, again.Env, again.ExtraFiles = shellArgs(child.Path, child.Args), child.Env, child.ExtraFiles
	again.Stdin, again.Stdout, again.Stderr = child.Stdin, child.Stdout, child.Stderr
	dieWithParent(again)
	return again, again.Start()
}

// shell runs scripts that do not name their interpreter.
const shell = "/bin/sh"

func shellArgs(path string, args []string) []string {
	return append([]string{shell, path}, args[1:]...)
}

// isBareScript reports whether a program could not be executed because it is text. A
// NUL in its first line means that it is a program for another machine, see
// https://pubs.opengroup.org/onlinepubs/9799919799/utilities/sh.html.
func isBareScript(path string, err error) bool {
	if !errors.Is(err, syscall.ENOEXEC) {
		return false
	}
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	line, _ := bufio.NewReaderSize(file, 4096).ReadSlice('\n')
	return !slices.Contains(line, 0)
}

// passOn tells a child the signals that come, until it has ended.
func passOn(child *os.Process, signals <-chan os.Signal, ended <-chan struct{}) {
	for {
		select {
		case s := <-signals:
			if !sentByTerminal(s) {
				_ = child.Signal(s)
			}
		case <-ended:
			return
		}
	}
}

// InterruptedBy is how a command ends that a signal ends.
func InterruptedBy(s os.Signal) error {
	if number, ok := s.(syscall.Signal); ok {
		return Interrupted{Signal: number}
	}
	return Interrupted{Signal: syscall.SIGINT}
}

// Without returns this process's environment without some variables.
func Without(names []string) []string {
	drop := Named(names)
	return slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return drop(name)
	})
}

// Named returns what reports whether a name is one of names.
func Named(names []string) func(name string) bool {
	return func(name string) bool {
		return slices.ContainsFunc(names, func(s string) bool {
			return s == name || runtime.GOOS == "windows" && strings.EqualFold(s, name)
		})
	}
}
