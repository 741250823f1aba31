// Package process is what this program is to the operating system: the signals it gets, the
// programs it finds and the children it runs.
package process

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Grace is what a command has to tidy up after a signal.
const Grace = time.Second

// Interrupted says that a signal ended the command. Exit code 128 and its number.
type Interrupted struct{ Signal syscall.Signal }

// Error names the signal.
func (e Interrupted) Error() string { return fmt.Sprintf("ended by a signal: %v", e.Signal) }

// Signals returns a context that a signal to end ends, with Interrupted as its
// cause. A second signal ends the process at once. It is for the life of the
// process: taking a handler back costs a millisecond, a third of a start.
func Signals(parent context.Context) context.Context {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	notify(signals, endingSignals())
	go func() {
		received, ok := (<-signals).(syscall.Signal)
		signal.Stop(signals)
		if ok {
			cancel(Interrupted{Signal: received})
		}
	}()
	return ctx
}

// notify has those of some signals sent to a channel that this process does not ignore.
// What its parent had it ignore stays ignored: nohup's SIGHUP, and for what a script runs in
// the background SIGINT and SIGQUIT (POSIX.1-2024, Shell Command Language, 2.11).
func notify(to chan<- os.Signal, signals []os.Signal) {
	quiet := ignoresQuit()
	for _, s := range signals {
		if !signal.Ignored(s) && (!quiet || s != syscall.SIGQUIT) {
			signal.Notify(to, s)
		}
	}
}

// ignoresQuit reports whether SIGQUIT is to be ignored, and sees to it. Go takes it over
// without looking; but shells have it ignored together with SIGINT.
func ignoresQuit() bool {
	if !signal.Ignored(syscall.SIGINT) {
		return false
	}
	signal.Ignore(syscall.SIGQUIT)
	return true
}
