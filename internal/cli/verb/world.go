package verb

import (
	"context"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/process"
	"github.com/authctl/authctl/internal/term"
	"github.com/spf13/cobra"
)

// World is what the program takes from the world.
type World struct {
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
	// Signals returns a context that a signal ends with process.Interrupted as its cause.
	// It is called by commands that leave something to tidy up; without it, as
	// for those that do not, a signal ends the process. Nil means never.
	Signals func(context.Context) context.Context
	// EndBy ends the process as a signal does that was received, or with an exit code
	// where it cannot; typed says that there is a terminal, at which it may have been
	// typed. Nil means that nothing but the exit code tells of a signal.
	EndBy func(i process.Interrupted, typed bool)
}

// Completing reports whether it is a shell that asks what could be typed.
func (w World) Completing() bool {
	for _, arg := range w.Args {
		if arg == "--" {
			return false
		}
		if arg == cobra.ShellCompRequestCmd || arg == cobra.ShellCompNoDescRequestCmd {
			return true
		}
	}
	return false
}

// IsTrue reports whether a runner or a person has set a variable to true.
func (w World) IsTrue(name string) bool {
	value, _ := w.LookupEnv(name)
	return strings.EqualFold(value, "true")
}

// FindProgram returns the path of a program that the user named; see process.Find.
func (w World) FindProgram(name string) (string, error) {
	path, _ := w.LookupEnv("PATH")
	return process.Find(path, name)
}

// FindOwnProgram returns the path of a program that authctl chooses; see process.FindOwn.
func (w World) FindOwnProgram(name string) (string, error) {
	path, _ := w.LookupEnv("PATH")
	return process.FindOwn(path, name)
}
