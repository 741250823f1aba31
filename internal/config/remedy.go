package config

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/providers"
)

// TakenVariable is what `authctl exec` leaves for an authctl inside: the names of the
// variables with secrets that it took out of the environment.
const TakenVariable = "AUTHCTL_EXEC_TOOK"

// has reports whether a variable is there, be it empty.
func (e environ) has(name string) bool {
	if e == nil {
		_, ok := os.LookupEnv(name)
		return ok
	}
	_, ok := e(name)
	return ok
}

// absent says why a variable has no value: empty when there is nothing to say but that it
// is not set.
func (e environ) absent(name string) (why, remedy string) {
	switch {
	case e.has(name):
		return "is set but empty", "give " + printable(name) + " its value: in a pipeline, see that the job may read it"
	case slices.Contains(strings.Fields(e.get(TakenVariable)), name):
		return "was taken out of the environment by the authctl exec that this runs under",
			"keep it there: authctl exec --keep-env " + printable(name) + " …"
	}
	return "", "set " + printable(name)
}

// absences says of the settings without a value why the environment gave none, where it
// was expected to.
func (f *File) absences(p *Profile, values map[string]providers.Value) map[string]providers.Absence {
	all := map[string]providers.Absence{}
	for _, d := range p.Service.Settings {
		if _, ok := values[d.Name]; ok {
			continue
		}
		if absence := f.absence(d, p.Name == EnvironmentProfile && p.Line == 0); absence != (providers.Absence{}) {
			all[d.Name] = absence
		}
	}
	return all
}

// absence is that of one setting; expected says that it comes from the environment or
// from nowhere.
func (f *File) absence(d providers.Setting, expected bool) providers.Absence {
	name := d.Env()
	names := []string{name}
	help := "set " + name + ": " + d.Help
	if d.Kind == providers.Secret {
		names = append(names, name+"_FILE")
		help = "set " + name + " to the secret itself, or " + name + "_FILE to a file that holds it"
	}
	for _, n := range names {
		if why, remedy := f.env.absent(n); why != "" {
			if d.Kind == providers.Secret && !f.env.has(n) {
				help = remedy + "; or " + help
			}
			return providers.Absence{Why: n + " " + why, Help: help}
		}
	}
	if !expected {
		return providers.Absence{}
	}
	return providers.Absence{Help: help}
}

// failed completes the error of a secret that could not be had: where it was looked for,
// and what to do.
func (r *resolver) failed(profile, setting string, ref reference, err error) *ReferenceError {
	e, ok := errors.AsType[*ReferenceError](err)
	if !ok {
		e = &ReferenceError{Problem: err.Error(), Err: err}
	}
	if text, ok := errors.AsType[*files.TextError](err); ok {
		e.Suggestion = text.Remedy
	}
	e.Profile, e.Setting, e.Reference = profile, setting, ref.String()
	if e.Suggestion == "" {
		e.Suggestion = ref.remedy(err)
	}
	return e
}

// errEmpty says that there is a place for the secret and nothing in it.
var errEmpty = errors.New("it is empty")

// remedy says what to do about a secret that could not be had, where the error itself
// does not know better. What helps with a keyring, the keyring's own error knows.
func (r reference) remedy(err error) string {
	switch r.kind {
	case "file":
		return r.fileRemedy(err)
	case "cmd":
		return commandRemedy(err)
	case "stdin":
		return "pipe the secret in, such as: printf %s SECRET | authctl …; or give another reference"
	}
	return ""
}

func (r reference) fileRemedy(err error) string {
	switch {
	case errors.Is(err, errEmpty):
		return "write the secret into the file"
	case errors.Is(err, fs.ErrNotExist):
		text := "make the file, or correct the path"
		if r.dir != "" && !strings.HasPrefix(r.arg, "~") {
			text += "; a relative one starts from " + printable(r.dir)
		}
		return text
	case errors.Is(err, fs.ErrPermission):
		return "make the file readable for you: chown it, and chmod 600"
	}
	return "name a file that holds the secret and nothing else"
}

func commandRemedy(err error) string {
	exit, exited := errors.AsType[*exec.ExitError](err)
	switch {
	case errors.Is(err, errEmpty):
		return "run the command by itself: it has to write the secret to its standard output"
	case exited && exit.ExitCode() == 127:
		return "install the program, or put its directory into PATH"
	case errors.Is(err, context.DeadlineExceeded):
		return "raise --timeout, or see whether the command waits for somebody to answer"
	}
	return "run the command by itself to see what is wrong"
}
