package cli

import (
	"context"
	"io"
	"syscall"
	"testing"

	"github.com/authctl/authctl/internal/term"
)

// TestSignalEndsWhatNothingElseEnds: a command that does not return after a signal is ended all the same, but for one
// whose signals are its child's.
func TestSignalEndsWhatNothingElseEnds(t *testing.T) {
	t.Parallel()
	for name, child := range map[string]bool{"alone": false, "with a child": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ended := make(chan Interrupted, 1)
			a := newApp(Dependencies{
				Streams: term.Streams{Out: io.Discard, Err: io.Discard},
				Signals: func(ctx context.Context) context.Context {
					ctx, cancel := context.WithCancelCause(ctx)
					cancel(Interrupted{Signal: syscall.SIGTERM})
					return ctx
				},
				EndBy: func(i Interrupted, _ bool) { ended <- i },
			})
			a.hasChild.Store(child)
			a.watched(t.Context())
			if child {
				a.endNow(Interrupted{Signal: syscall.SIGTERM})
				if len(ended) > 0 {
					t.Error("the child's parent was ended")
				}
				return
			}
			if got := <-ended; got.Signal != syscall.SIGTERM {
				t.Errorf("ended by %v", got.Signal)
			}
		})
	}
}
