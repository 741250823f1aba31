//go:build unix

package cli

import (
	"os"
	"syscall"
)

// endingSignals are those that end a command in order.
func endingSignals() []os.Signal {
	return []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT}
}

// EndBy ends the process after a signal: by SIGHUP and SIGQUIT itself, as if it had not
// been caught, else with its exit code.
func EndBy(i Interrupted) {
	if i.Signal == syscall.SIGQUIT || i.Signal == syscall.SIGHUP {
		// A shell in this one's place: of this one a core file could be left, with secrets in
		// it, and Go ends by SIGQUIT with a listing of its own.
		_ = syscall.Exec(shell, []string{shell, "-c", "ulimit -c 0; kill -s " + shortName(i.Signal) + " $$"}, nil)
	}
	os.Exit(128 + int(i.Signal))
}

func shortName(s syscall.Signal) string {
	if s == syscall.SIGQUIT {
		return "QUIT"
	}
	return "HUP"
}
