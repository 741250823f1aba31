package source

import (
	"context"
	"errors"
	"io/fs"
	"os/exec"
	"strings"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/setting"
)

// wrong is an Error before it is known what needs the secret.
func wrong(problem, help string, err error) *setting.Error {
	return &setting.Error{Problem: problem, Help: help, Err: err}
}

// ErrElsewhere is wrapped by what Tokens.Look returns where a token can be had, but not here: out of
// a pipeline's job.
var ErrElsewhere = errors.New("it can be had elsewhere")

// errEmpty says that there is a place for the secret and nothing in it.
var errEmpty = errors.New("it is empty")

// Failed completes the error of a secret that could not be had: where it was looked for,
// and what to do.
func (n Need) Failed(err error) *setting.Error {
	e, ok := errors.AsType[*setting.Error](err)
	if !ok {
		e = wrong(err.Error(), "", err)
	}
	if unfit, ok := errors.AsType[*files.Error](err); ok {
		e.Problem, e.Help = "it "+unfit.Problem, unfit.Remedy
	}
	e.Profile, e.Name, e.Reference = n.Profile, n.Setting, n.String()
	if e.Help == "" {
		e.Help = n.remedy(err)
	}
	return e
}

// remedy says what to do about a secret that could not be had, where the error itself
// does not know better. What helps with a keyring, the keyring's own error knows.
func (r Reference) remedy(err error) string {
	exit, exited := errors.AsType[*exec.ExitError](err)
	empty := errors.Is(err, errEmpty)
	switch {
	case r.Kind == "stdin":
		return "pipe the secret in, such as: printf %s SECRET | authctl …; or give another reference"
	case r.Kind == "file" && empty:
		return "write the secret into the file"
	case r.Kind == "file" && errors.Is(err, fs.ErrNotExist):
		text := "make the file, or correct the path"
		if r.Dir != "" && !strings.HasPrefix(r.Arg, "~") {
			text += "; a relative one starts from " + files.Short(r.Dir)
		}
		return text
	case r.Kind == "file" && errors.Is(err, fs.ErrPermission):
		return "make the file readable for you: chown it, and chmod 600"
	case r.Kind == "file":
		return "name a file that holds the secret and nothing else"
	case r.Kind == "cmd" && empty:
		return "run the command by itself: it has to write the secret to its standard output"
	case r.Kind == "cmd" && exited && exit.ExitCode() == 127:
		return "install the program, or put its directory into PATH"
	case r.Kind == "cmd" && errors.Is(err, context.DeadlineExceeded):
		return "raise --timeout, or see whether the command waits for somebody to answer"
	case r.Kind == "cmd":
		return "run the command by itself to see what is wrong"
	}
	return ""
}

// ofFile keeps of a file's error what happened and not the path, which the reference
// names.
func ofFile(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return wrong(pathErr.Op+": "+pathErr.Err.Error(), "", err)
	}
	return err
}
