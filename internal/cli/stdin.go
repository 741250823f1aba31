package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/authctl/authctl/internal/files"
)

// maxStdin is how many bytes of stdin are read where somebody pastes or pipes a text.
const maxStdin = 1 << 20

// readStdin reads stdin to its end.
func (a *app) readStdin(ctx context.Context, f *serviceFlags) (string, error) {
	return fromStdin(ctx, a, f, func() (string, error) {
		text, err := io.ReadAll(io.LimitReader(a.Streams.In, maxStdin))
		return string(text), err
	})
}

// fromStdin runs read, which reads from stdin, for no longer than --timeout and until a signal
// comes: a pipe may have nobody at its other end who ever writes. A person at a terminal has
// the time they need. Without flags, AUTHCTL_TIMEOUT says how long.
func fromStdin[T any](ctx context.Context, a *app, f *serviceFlags, read func() (T, error)) (T, error) {
	ctx = a.watched(ctx)
	limit := a.stdinTimeout(f)
	if !a.Streams.InTerminal {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, &stdinError{limit})
		defer cancel()
	}
	got, err := files.Await(ctx, read)
	if err != nil {
		return got, fmt.Errorf("reading stdin: %w", err)
	}
	return got, nil
}

func (a *app) stdinTimeout(f *serviceFlags) time.Duration {
	if f == nil {
		f = &serviceFlags{}
	}
	u, err := a.setup()
	if err != nil {
		// What is wrong with the environment is said where it matters.
		u = &setup{}
	}
	return u.timeout(f)
}

// stdinError says that stdin did not end in time.
type stdinError struct{ limit time.Duration }

// Error says how long it was waited for.
func (e *stdinError) Error() string {
	return fmt.Sprintf("nobody has ended it within %s", e.limit)
}
