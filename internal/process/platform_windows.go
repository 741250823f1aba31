package process

import (
	"context"
	"os"
	"os/exec"
	"syscall"
)

// endingSignals are those that end a command in order.
func endingSignals() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM} }

// EndBy ends the process after a signal, with its exit code.
func EndBy(i Interrupted, _ bool) {
	os.Exit(128 + int(i.Signal)) //nolint:forbidigo // main hands EndBy in, to end the process with
}

// passedSignals are those that must not end this process before its child.
func passedSignals() []os.Signal { return []os.Signal{os.Interrupt} }

// sentByTerminal is always so: the console tells every process that is attached to it.
func sentByTerminal(os.Signal) bool { return true }

// Become runs a program in this one's place. Windows cannot replace a process, so its
// exit code is passed on.
func Become(ctx context.Context, path string, args, environment []string) error {
	child := exec.Command(path) //nolint:noctx // it ends when it likes
	child.Args, child.Env = args, environment
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	return Run(ctx, child, nil)
}
