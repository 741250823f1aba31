// Package cli is the command line as a whole: the list of commands in root.go, the one table
// from errors to exit codes in exit.go, completion, version. A command is in the package of
// its noun, what commands share in verb.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/cli/verb/formats"
	"github.com/authctl/authctl/internal/process"
	"github.com/authctl/authctl/internal/providers/builtin"
	"github.com/authctl/authctl/internal/term"
)

// Main runs one command and returns the exit code of the table in
// exit.go. stdout carries the answer and nothing else; on failure it is empty.
func Main(ctx context.Context, w verb.World) (code int) {
	a := newApp(ctx, w)
	if formats.MasksFirst(w.Args) {
		a.UI.Hold()
	}
	defer a.UI.Release()
	defer func() {
		if broken := recover(); broken != nil {
			code = a.fail(nil, whereBroken(broken))
			a.failWords()
		}
	}()
	root := a.root()
	root.SetArgs(w.Args)
	help := &checked{Writer: a.UI.Streams.Out}
	root.SetOut(help)
	command, err := root.ExecuteContextC(ctx)
	a.Close()
	if err == nil && help.err != nil {
		err = term.Unwritten(help.err)
	}
	if err == nil {
		a.UI.TellPending()
		return 0
	}
	// How a child took the signal is its own affair, and its exit code says it.
	_, child := errors.AsType[*process.Error](err)
	if cause := context.Cause(a.Context()); cause != nil && !child {
		err = cause
	}
	code = a.fail(command, err)
	a.failWords()
	if interrupted, ok := errors.AsType[process.Interrupted](err); ok && a.EndBy != nil {
		a.EndBy(interrupted, a.UI.Terminal())
	}
	return code
}

// failWords writes what is still to be written when a command has failed.
func (a *app) failWords() {
	_, _ = io.WriteString(a.UI.Streams.Out, formats.Unset(a.Args))
	a.UI.Release()
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

// Write writes on, and remembers the last error.
func (c *checked) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	if err != nil {
		c.err = err
	}
	return n, err
}

// app is one run of the program, from its arguments to its exit code.
type app struct{ *verb.Deps }

// newApp returns one run of the program.
func newApp(ctx context.Context, w verb.World) *app {
	a := &app{verb.New(ctx, w, builtin.Services(), version)}
	a.BeforeEnd, a.Again = a.failWords, Main
	return a
}
