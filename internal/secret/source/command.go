package source

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/secret"
)

// grace is how long a command's open output is waited for after its end.
const grace = 2 * time.Second

// command runs a reference's line with the platform's shell, in the working directory,
// with nothing on stdin, and takes what it writes to stdout. Of the secrets in the
// environment it gets those that its own profile or the line itself names.
func (f *Fetcher) command(ctx context.Context, n Need) (secret.Secret, error) {
	ctx, done := f.watched(ctx)
	defer done()
	var out limitedBuffer
	cmd := shell(ctx, n.Arg, !f.Interactive)
	if f.Environment != nil {
		cmd.Env = f.Environment(n.keeps())
	}
	cmd.Stdout, cmd.Stderr = &out, f.Stderr
	cmd.WaitDelay = grace
	err := cmd.Run()
	exit, exited := errors.AsType[*exec.ExitError](err)
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
		err = wrong("the command was stopped: "+err.Error(), "", err)
	case out.full:
		err = wrong(fmt.Sprintf("it wrote more than %d bytes", maxSecret), "", nil)
	case exited:
		err = wrong("the command ended with "+exit.Error(), "", err)
	case errors.Is(err, exec.ErrWaitDelay):
		err = wrong("a process that the command left behind keeps its output open", "", nil)
	case err != nil:
		err = wrong("the shell cannot be started", "", err)
	}
	return secretOf(out.text, err)
}

// watched returns a context that a signal ends too: a command has a process group of its own, and
// would go on when this process is gone.
func (f *Fetcher) watched(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := func() bool { return true }
	if f.Watch != nil {
		// What is watched lasts as long as the run, and not only as long as this call may take.
		signalled := f.Watch(context.WithoutCancel(ctx))
		stop = context.AfterFunc(signalled, func() { cancel(context.Cause(signalled)) })
	}
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// keeps are the variables that a command is given although they hold secrets.
func (n Need) keeps() []string {
	names := n.words()
	if n.Keep != nil {
		names = append(names, n.Keep()...)
	}
	return names
}

// limitedBuffer keeps up to maxSecret bytes and fails on more, which ends the
// writer by a broken pipe.
type limitedBuffer struct {
	text []byte
	full bool
}

// Write keeps p, or fails with files.ErrTooLong.
func (b *limitedBuffer) Write(p []byte) (int, error) {
	if len(b.text)+len(p) > maxSecret {
		b.full = true
		return 0, files.ErrTooLong
	}
	b.text = append(b.text, p...)
	return len(p), nil
}
