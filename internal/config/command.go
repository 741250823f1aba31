package config

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
func (r *resolver) command(ctx context.Context, ref reference) (secret.Secret, error) {
	var out limitedBuffer
	cmd := shell(ctx, ref.arg, !r.Interactive)
	if r.Environment != nil {
		cmd.Env = r.Environment(ref.keeps())
	}
	cmd.Stdout, cmd.Stderr = &out, r.Stderr
	cmd.WaitDelay = grace
	err := cmd.Run()
	exit, exited := errors.AsType[*exec.ExitError](err)
	switch {
	case ctx.Err() != nil:
		cause := context.Cause(ctx)
		return secret.Secret{}, &ReferenceError{Problem: "the command was stopped: " + cause.Error(), Err: cause}
	case out.full:
		return secret.Secret{}, &ReferenceError{Problem: fmt.Sprintf("it wrote more than %d bytes", maxSecret)}
	case exited:
		return secret.Secret{}, &ReferenceError{Problem: "the command ended with " + exit.Error(), Err: err}
	case errors.Is(err, exec.ErrWaitDelay):
		return secret.Secret{}, &ReferenceError{Problem: "a process that the command left behind keeps its output open"}
	case err != nil:
		return secret.Secret{}, &ReferenceError{Problem: "the shell cannot be started", Err: err}
	}
	return secretOf(out.text)
}

// keeps are the variables that a command is given although they hold secrets.
func (r reference) keeps() []string {
	names := wordsOf(r.arg)
	if r.owner != nil {
		names = append(names, r.owner.named...)
	}
	return names
}

// limitedBuffer keeps up to maxSecret bytes and fails on more, which ends the
// writer by a broken pipe.
type limitedBuffer struct {
	text []byte
	full bool
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if len(b.text)+len(p) > maxSecret {
		b.full = true
		return 0, files.ErrTooLong
	}
	b.text = append(b.text, p...)
	return len(p), nil
}
