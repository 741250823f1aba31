package term

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// ErrNoInput says that a person would have to be asked and may not be:
// --no-input, CI=true, or no terminal.
var ErrNoInput = errors.New("input is needed and nobody can be asked: " +
	"there is no terminal, or --no-input or CI=true forbids it")

// TypedError says that what was typed unseen is not what would be stored. Its text
// holds nothing of it.
type TypedError struct{ Problem string }

// Error returns the problem.
func (e *TypedError) Error() string { return e.Problem }

// maxLine is how many bytes a terminal's line holds (termios(3), canonical mode).
const maxLine = 4095

// Prompter asks a person: the question on stderr, the answer from stdin.
type Prompter struct {
	Streams Streams
	// Off makes every question fail with ErrNoInput.
	Off bool
	// Watch returns a context that ends when a signal comes; nil means that signals
	// are nobody's.
	Watch func(context.Context) context.Context

	lines *bufio.Reader
}

// CanAsk reports whether there is somebody to ask.
func (p *Prompter) CanAsk() bool { return !p.Off && p.Streams.Interactive() }

// Hidden asks for a value that is not shown while it is typed. It returns when
// ctx ends or a signal comes, with the terminal as it was.
func (p *Prompter) Hidden(ctx context.Context, label string) (string, error) {
	in, ok := p.Streams.In.(*os.File)
	if !ok || !p.CanAsk() {
		return "", ErrNoInput
	}
	fd := int(in.Fd())
	ask := func() { _, _ = fmt.Fprintf(p.Streams.Err, "%s: ", label) }
	// Before the terminal is silent, so that no signal leaves it so.
	signalled := p.watched(ctx)
	show, err := hide(fd, ask)
	if err != nil {
		return "", fmt.Errorf("asking on the terminal: %w", err)
	}
	defer show()
	ask()
	answer, err := awaitEither(ctx, signalled, func() (string, error) { return readLine(fd) })
	show()
	_, _ = fmt.Fprintln(p.Streams.Err)
	switch {
	case errors.Is(err, io.EOF):
		return "", ErrNoInput
	case err != nil:
		return "", err
	case answer != "" && discardInput(fd):
		// The rest of a pasted secret must not become the next answer, or the
		// shell's next command.
		return "", &TypedError{"more than one line was given, and a secret that is typed has one"}
	case len(answer) >= maxLine:
		return "", &TypedError{"it is too long to be typed: the terminal cuts a line"}
	}
	return answer, nil
}

func (p *Prompter) watched(ctx context.Context) context.Context {
	if p.Watch == nil {
		return ctx
	}
	return p.Watch(ctx)
}

// Line asks for a line of text; an empty answer gives standard.
func (p *Prompter) Line(ctx context.Context, label, standard string) (string, error) {
	if !p.CanAsk() {
		return "", ErrNoInput
	}
	shown := label
	if standard != "" {
		shown = fmt.Sprintf("%s [%s]", label, standard)
	}
	signalled := p.watched(ctx)
	if _, err := fmt.Fprintf(p.Streams.Err, "%s: ", shown); err != nil {
		return "", err
	}
	if p.lines == nil {
		p.lines = bufio.NewReader(p.Streams.In)
	}
	answer, err := awaitEither(ctx, signalled, func() (string, error) { return p.lines.ReadString('\n') })
	if errors.Is(err, io.EOF) {
		return "", ErrNoInput
	}
	if err != nil {
		return "", err
	}
	if answer = strings.TrimSpace(answer); answer == "" {
		return standard, nil
	}
	return answer, nil
}

// awaitEither runs read, which cannot be interrupted, and returns early, with the cause,
// when ctx ends or a signal has ended the other context.
func awaitEither[T any](ctx, signalled context.Context, read func() (T, error)) (T, error) {
	type result struct {
		answer T
		err    error
	}
	var none T
	done := make(chan result, 1)
	go func() {
		answer, err := read()
		done <- result{answer, err}
	}()
	select {
	case r := <-done:
		return r.answer, r.err
	case <-ctx.Done():
		return none, context.Cause(ctx)
	case <-signalled.Done():
		return none, context.Cause(signalled)
	}
}
