// Package cli is the command line: one file a verb, the flags, the output
// formats and, in exit.go, the one table from errors to exit codes.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
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
	// EndBy ends the process as a signal does that was received, or with an exit code
	// where it cannot; typed says that there is a terminal, at which it may have been
	// typed. Nil means that nothing but the exit code tells of a signal.
	EndBy func(i Interrupted, typed bool)
}

// Main runs one command and returns the exit code of the table in
// exit.go. stdout carries the answer and nothing else; on failure it is empty.
func Main(ctx context.Context, d Dependencies) (code int) {
	a := newApp(d)
	a.ctx = ctx
	if masksFirst(d.Args) {
		a.hold()
	}
	defer a.release()
	defer func() {
		if broken := recover(); broken != nil {
			code = a.fail(nil, whereBroken(broken))
			a.failWords()
		}
	}()
	root := a.root()
	root.SetArgs(d.Args)
	help := &checked{Writer: a.Streams.Out}
	root.SetOut(help)
	command, err := root.ExecuteContextC(ctx)
	if err == nil && help.err != nil {
		err = unwritten(help.err)
	}
	if err == nil {
		a.tellPending()
		return 0
	}
	// How a child took the signal is its own affair, and its exit code says it.
	_, child := errors.AsType[*childError](err)
	if cause := context.Cause(a.ctx); cause != nil && !child {
		err = cause
	}
	code = a.fail(command, err)
	a.failWords()
	if interrupted, ok := errors.AsType[Interrupted](err); ok && a.EndBy != nil {
		a.EndBy(interrupted, a.Streams.Terminal())
	}
	return code
}

// failWords writes what is still to be written when a command has failed.
func (a *app) failWords() {
	_, _ = io.WriteString(a.Streams.Out, withoutToken(a.Args))
	a.release()
}

// whereBroken says where a panic was, and not with what value unless that is the runtime's
// own: it may hold anything. It is called by what recovers.
func whereBroken(value any) error {
	callers := make([]uintptr, 64)
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers)])
	frame, more := frames.Next()
	for more && strings.HasPrefix(frame.Function, "runtime.") {
		frame, more = frames.Next()
	}
	text := fmt.Sprintf("authctl is broken in %s, line %d of %s", frame.Function, frame.Line, filepath.Base(frame.File))
	if err, ok := value.(runtime.Error); ok {
		text += ": " + err.Error()
	}
	return errors.New(text + "; please report it")
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

// app is one run of the program.
type app struct {
	Dependencies
	// raw are the streams without a guard: for children, and for a token in its format.
	raw                term.Streams
	guardOut, guardErr *guard
	// held keeps what goes to stderr until a runner has been told to hide the token; nil
	// where there is no such need.
	held     *holder
	services []providers.Spec
	flags    globalFlags
	out, err term.Palette
	prompter *term.Prompter
	// ctx is what the command runs under, to tell afterwards why it ended.
	ctx      context.Context //nolint:containedctx // one run of the program is one context
	watching bool
	// loaded is the configuration, nil until something needs it.
	loaded *config.File
	// warned are the warnings that are given once.
	warned sync.Map
	// hasChild says that signals are a child's, at whose end this process ends.
	hasChild atomic.Bool
	// holding says that warnings wait for the end of the command, because its error is to be
	// all there is on stderr; pending are those that wait.
	holding bool
	pending []string
	// warnedOf are the scopes that a warning was given for.
	warnedOf []string
	// toldOfScopes is the warning that was last given of scopes a token lacks.
	toldOfScopes string
	// warnedOfVariables says that misspelled variables were looked for.
	warnedOfVariables bool
	// profile and provider name what was being worked on, for error messages.
	profile, provider string
	// loginCommand is what a person runs when a login is needed.
	loginCommand string
	// names are the settings of the profile, for hints.
	names providers.Names
	// pipelineGrant is what a pipeline does instead of a login, empty where it cannot or
	// this is none.
	pipelineGrant string
}

// watched returns the context of a command that signals are to end in order.
func (a *app) watched(ctx context.Context) context.Context {
	switch {
	case a.Signals == nil:
		return ctx
	case !a.watching:
		a.ctx, a.watching = a.Signals(ctx), true
		context.AfterFunc(a.ctx, a.endSoon)
	}
	return a.ctx
}

// endSoon ends the process a second after a signal when nothing else does: what is
// waited for may be a file system or a library that nobody can interrupt.
func (a *app) endSoon() {
	if interrupted, ok := errors.AsType[Interrupted](context.Cause(a.ctx)); ok && a.EndBy != nil {
		time.AfterFunc(grace, func() { a.endNow(interrupted) })
	}
}

func (a *app) endNow(i Interrupted) {
	if !a.hasChild.Load() {
		a.failWords()
		a.EndBy(i, a.Streams.Terminal())
	}
}

func newApp(d Dependencies) *app {
	if d.Now == nil {
		d.Now = time.Now
	}
	a := &app{raw: d.Streams, services: builtin.Services()}
	d.Streams, a.guardOut, a.guardErr = guarded(d.Streams)
	a.Dependencies, a.prompter = d, &term.Prompter{
		Streams: d.Streams, Watch: a.watched,
		Width: func() int { return d.Streams.ErrWidth(d.LookupEnv) },
	}
	return a
}
