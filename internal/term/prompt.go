package term

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// ErrNoInput says that a person would have to be asked and may not be:
// --no-input, CI=true, or no terminal.
var ErrNoInput = errors.New("input is needed and there is no terminal to ask on")

// Prompter asks a person: the question on stderr, the answer from stdin.
type Prompter struct {
	Streams Streams
	// Off makes every question fail with ErrNoInput.
	Off bool

	lines *bufio.Reader
}

// Hidden asks for a value that is not shown while it is typed. It returns when
// ctx ends, with the terminal as it was.
func (p *Prompter) Hidden(ctx context.Context, label string) (string, error) {
	in, ok := p.Streams.In.(*os.File)
	if p.Off || !ok || !p.Streams.Interactive() {
		return "", ErrNoInput
	}
	fd := int(in.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("asking on the terminal: %w", err)
	}
	if _, err := fmt.Fprintf(p.Streams.Err, "%s: ", label); err != nil {
		return "", err
	}
	answer, err := await(ctx, func() (string, error) {
		b, err := term.ReadPassword(fd)
		return string(b), err
	})
	if ctx.Err() != nil {
		_ = term.Restore(fd, before)
	}
	_, _ = fmt.Fprintln(p.Streams.Err)
	if errors.Is(err, io.EOF) {
		err = ErrNoInput
	}
	return answer, err
}

// Line asks for a line of text; an empty answer gives standard.
func (p *Prompter) Line(ctx context.Context, label, standard string) (string, error) {
	if p.Off || !p.Streams.Interactive() {
		return "", ErrNoInput
	}
	shown := label
	if standard != "" {
		shown = fmt.Sprintf("%s [%s]", label, standard)
	}
	if _, err := fmt.Fprintf(p.Streams.Err, "%s: ", shown); err != nil {
		return "", err
	}
	if p.lines == nil {
		p.lines = bufio.NewReader(p.Streams.In)
	}
	answer, err := await(ctx, func() (string, error) { return p.lines.ReadString('\n') })
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

// await runs read, which cannot be interrupted, and returns early when ctx ends.
func await(ctx context.Context, read func() (string, error)) (string, error) {
	type result struct {
		answer string
		err    error
	}
	done := make(chan result, 1)
	go func() {
		answer, err := read()
		done <- result{answer, err}
	}()
	select {
	case r := <-done:
		return r.answer, r.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
