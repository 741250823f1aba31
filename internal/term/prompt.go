package term

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/authctl/authctl/internal/files"
)

// ErrNoInput says that a person would have to be asked and cannot be. It is what a
// *NoInputError wraps.
var ErrNoInput = errors.New("input is needed")

// NoInputError is ErrNoInput with the one cause that holds.
type NoInputError struct {
	// Why completes "input is needed": "and the input ended".
	Why string
	// Hint says what to do; empty means to run it in a terminal.
	Hint string
}

// Error says that input is needed, and why there is none.
func (e *NoInputError) Error() string { return ErrNoInput.Error() + " " + e.Why }

// Unwrap returns ErrNoInput.
func (e *NoInputError) Unwrap() error { return ErrNoInput }

// ended says that the end of the input came instead of an answer.
func ended() error {
	return &NoInputError{"and the input ended before there was an answer", "answer the question"}
}

// TypedError says that what was typed unseen is not what would be stored. Its text
// holds nothing of it.
type TypedError struct{ Problem string }

// Error returns the problem.
func (e *TypedError) Error() string { return e.Problem }

// maxLine is how many bytes a terminal's line holds (termios(3), canonical mode).
const maxLine = 4095

// Prompter asks a person: the question on stderr, the answer from stdin or, where that is
// another thing, from the terminal that controls this process. So `echo x | authctl …` can
// still ask.
type Prompter struct {
	Streams Streams
	// Off makes every question fail with a *NoInputError; OffBy is what did that:
	// "--no-input", "the variable CI".
	Off   bool
	OffBy string
	// Width returns how many columns the terminal has, 0 when that is not known; nil means
	// that it never is.
	Width func() int
	// Watch returns a context that ends when a signal comes; nil means that signals
	// are nobody's.
	Watch func(context.Context) context.Context

	// in is the terminal that answers come from, nil before the first question.
	in    io.Reader
	lines *bufio.Reader
}

// CanAsk reports whether there is somebody to ask.
func (p *Prompter) CanAsk() bool { return p.cannot() == nil }

// cannot returns a *NoInputError where nobody can be asked, else nil.
func (p *Prompter) cannot() error {
	switch {
	case p.Off:
		return &NoInputError{
			"and nobody can be asked: " + p.OffBy + " forbids it",
			"run it without " + p.OffBy + " in a terminal",
		}
	case p.Streams.ErrTerminal && p.terminal() != nil:
		return nil
	case !p.Streams.InTerminal:
		return &NoInputError{Why: "and nobody can be asked: stdin is not a terminal"}
	}
	return &NoInputError{Why: "and nobody can be asked: stderr is not a terminal"}
}

// terminal returns where answers come from, nil for nowhere.
func (p *Prompter) terminal() io.Reader {
	switch {
	case p.in != nil:
	case p.Streams.InTerminal:
		p.in = p.Streams.In
	default:
		if terminal := controllingTerminal(); terminal != nil {
			p.in = terminal
		}
	}
	return p.in
}

// question returns a label with its colon, broken as a message is; the answer follows it.
func (p *Prompter) question(label string) string {
	width := 0
	if p.Width != nil {
		width = p.Width()
	}
	return Message(label+":", width) + " "
}

// Hidden asks for a value that is not shown while it is typed. It returns when
// ctx ends or a signal comes, with the terminal as it was.
func (p *Prompter) Hidden(ctx context.Context, label string) (string, error) {
	if err := p.cannot(); err != nil {
		return "", err
	}
	in, ok := p.terminal().(*os.File)
	if !ok {
		return "", &NoInputError{Why: "and nobody can be asked: stdin is not a terminal"}
	}
	fd := int(in.Fd())
	ask := func() { _, _ = io.WriteString(p.Streams.Err, p.question(label)) }
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
		return "", ended()
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
	if err := p.cannot(); err != nil {
		return "", err
	}
	shown := label
	if standard != "" {
		shown = fmt.Sprintf("%s [%s]", label, standard)
	}
	signalled := p.watched(ctx)
	if _, err := io.WriteString(p.Streams.Err, p.question(shown)); err != nil {
		return "", err
	}
	if p.lines == nil {
		p.lines = bufio.NewReader(p.terminal())
	}
	answer, err := awaitEither(ctx, signalled, func() (string, error) { return p.lines.ReadString('\n') })
	if err != nil {
		// What is said next begins a line.
		_, _ = fmt.Fprintln(p.Streams.Err)
	}
	if errors.Is(err, io.EOF) {
		return "", ended()
	}
	if err != nil {
		return "", err
	}
	if answer = strings.TrimSpace(answer); answer == "" {
		return standard, nil
	}
	return answer, nil
}

// awaitEither is files.Await that ends also when a signal has ended the other context.
func awaitEither[T any](ctx, signalled context.Context, read func() (T, error)) (T, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(signalled, func() { cancel(context.Cause(signalled)) })()
	return files.Await(ctx, read)
}
