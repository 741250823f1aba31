// Package cli is the command line: one file a verb, the flags, the output
// formats and, in exit.go, the one table from errors to exit codes.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/providers/builtin"
	"github.com/authctl/authctl/internal/term"
)

// Dependencies are what the program takes from the world.
type Dependencies struct {
	// Args are the arguments without the program's name.
	Args []string
	// Streams are stdin, stdout and stderr.
	Streams term.Streams
	// LookupEnv reads the environment.
	LookupEnv func(string) (string, bool)
	// Environ returns the whole environment, as os.Environ does; nil means that nobody
	// looks for misspelled names in it.
	Environ func() []string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Signals returns a context that a signal ends with Interrupted as its cause.
	// It is called by commands that leave something to tidy up; without it, as
	// for those that do not, a signal ends the process. Nil means never.
	Signals func(context.Context) context.Context
}

// Main runs one command and returns the exit code of the table in
// exit.go. stdout carries the answer and nothing else; on failure it is empty.
func Main(ctx context.Context, d Dependencies) int {
	a := newApp(d)
	a.ctx = ctx
	if masksFirst(d.Args) {
		a.hold()
	}
	defer a.release()
	root := a.root()
	root.SetArgs(d.Args)
	help := &checked{Writer: a.Streams.Out}
	root.SetOut(help)
	command, err := root.ExecuteContextC(ctx)
	if err == nil && help.err != nil {
		err = unwritten(help.err)
	}
	if err == nil {
		return 0
	}
	// How a child took the signal is its own affair, and its exit code says it.
	_, child := errors.AsType[*childError](err)
	if cause := context.Cause(a.ctx); cause != nil && !child {
		err = cause
	}
	code := a.fail(command, err)
	_, _ = io.WriteString(a.Streams.Out, withoutToken(d.Args))
	return code
}

// checked remembers that something could not be written: cobra does not look when
// it prints help.
type checked struct {
	io.Writer
	err error
}

func (c *checked) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	if err != nil {
		c.err = err
	}
	return n, err
}

// Interrupted says that a signal ended the command. Exit code 128 and its number.
type Interrupted struct{ Signal syscall.Signal }

// Error names the signal.
func (e Interrupted) Error() string { return fmt.Sprintf("ended by a signal: %v", e.Signal) }

// Signals returns a context that SIGINT and SIGTERM end with Interrupted as its
// cause. A second signal ends the process at once. It is for the life of the
// process: taking a handler back costs a millisecond, a third of a start.
func Signals(parent context.Context) context.Context {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		received, ok := (<-signals).(syscall.Signal)
		signal.Stop(signals)
		if ok {
			cancel(Interrupted{Signal: received})
		}
	}()
	return ctx
}

// app is one run of the program.
type app struct {
	Dependencies
	// raw are the streams without a guard: for children, and for a token in its format.
	raw                term.Streams
	guardOut, guardErr *guard
	// held keeps what goes to stderr until a runner has been told to hide the token; nil
	// where there is no such need.
	held     *holder
	services []providers.Service
	flags    globalFlags
	out, err term.Palette
	prompter *term.Prompter
	// ctx is what the command runs under, to tell afterwards why it ended.
	ctx      context.Context //nolint:containedctx // one run of the program is one context
	watching bool
	// loaded is the configuration, nil until something needs it.
	loaded *config.File
	// warned are the warnings that are given once.
	warned []string
	// complained are the scopes that a warning was given for.
	complained []string
	// toldOfScopes is the warning that was last given of scopes a token lacks.
	toldOfScopes string
	// warnedOfVariables says that misspelled variables were looked for.
	warnedOfVariables bool
	// profile and provider name what was being worked on, for error messages.
	profile, provider string
	// loginCommand is what a person runs when a login is needed.
	loginCommand string
}

// watched returns the context of a command that signals are to end in order.
func (a *app) watched(ctx context.Context) context.Context {
	switch {
	case a.Signals == nil:
		return ctx
	case !a.watching:
		a.ctx, a.watching = a.Signals(ctx), true
	}
	return a.ctx
}

func newApp(d Dependencies) *app {
	if d.Now == nil {
		d.Now = time.Now
	}
	a := &app{raw: d.Streams, services: builtin.Services()}
	d.Streams, a.guardOut, a.guardErr = guarded(d.Streams)
	a.Dependencies, a.prompter = d, &term.Prompter{Streams: d.Streams}
	return a
}
