package process

import (
	"os"
	"syscall"
)

// endingSignals are those that end a command in order.
func endingSignals() []os.Signal { return []os.Signal{os.Interrupt, syscall.SIGTERM} }

// EndBy ends the process after a signal, with its exit code.
func EndBy(i Interrupted, _ bool) {
	os.Exit(128 + int(i.Signal)) //nolint:forbidigo // main hands EndBy in, to end the process with
}
