package process

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// TestSignalBeforeTheChild: a signal that came while a token was got starts no child.
func TestSignalBeforeTheChild(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(Interrupted{Signal: syscall.SIGTERM})
	missing := filepath.Join(t.TempDir(), "missing")
	for name, err := range map[string]error{
		"in its place": Become(ctx, missing, []string{missing}, nil),
		"beside it":    Run(ctx, exec.CommandContext(t.Context(), missing), nil),
	} {
		if got, ok := errors.AsType[Interrupted](err); !ok || got.Signal != syscall.SIGTERM {
			t.Errorf("%s: %v, want an interruption", name, err)
		}
	}
}
