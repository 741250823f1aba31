package verb

import (
	"context"
	"io"
	"syscall"
	"testing"

	"github.com/authctl/authctl/internal/process"
	"github.com/authctl/authctl/internal/term"
)

// TestSignalEndsWhatNothingElseEnds: a command that does not return after a signal is ended all the same, but for one
// whose signals are its child's.
func TestSignalEndsWhatNothingElseEnds(t *testing.T) {
	t.Parallel()
	for name, child := range map[string]bool{"alone": false, "with a child": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ended := make(chan process.Interrupted, 1)
			a := New(t.Context(), World{
				Streams: term.Streams{Out: io.Discard, Err: io.Discard},
				Signals: func(ctx context.Context) context.Context {
					ctx, cancel := context.WithCancelCause(ctx)
					cancel(process.Interrupted{Signal: syscall.SIGTERM})
					return ctx
				},
				EndBy: func(i process.Interrupted, _ bool) { ended <- i },
			}, nil, "")
			a.HasChild.Store(child)
			a.Watched(t.Context())
			if child {
				a.endNow(process.Interrupted{Signal: syscall.SIGTERM})
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
