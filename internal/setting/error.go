package setting

import (
	"errors"
	"strconv"
	"strings"

	"github.com/authctl/authctl/internal/files"
)

// Error says that what somebody has set cannot be used: a key of the configuration file, a
// variable, a flag, or the secret that a reference stands for. No field holds a secret, what
// a command wrote, or more of a command than its first word. Exit code 3.
type Error struct {
	// Path is the configuration file, empty when it is not to blame.
	Path string
	// Line is the line in Path, from 1; 0 when unknown.
	Line int
	// Profile is the profile concerned, empty when it is none in particular.
	Profile string
	// Name is the setting, the key of the file, the variable or the flag; may be empty.
	Name string
	// Reference is where a secret was looked for: "env:NAME", "cmd:op …"; empty for
	// everything else.
	Reference string
	// Problem completes Name, or "NAME from REFERENCE: …", or stands alone: "is missing",
	// `"a/b" is not a host label`.
	Problem string
	// Origin says where the value was given; may be empty.
	Origin string
	// Help says what to do; it may be empty and may have several lines. It is the hint and
	// not part of the message.
	Help string
	// Err is the cause, may be nil.
	Err error
}

// Wrong is the error for a key of the file or a variable, or for neither, before it is known where
// that is.
func Wrong(key, problem, help string) *Error { return &Error{Name: key, Problem: problem, Help: help} }

// Error returns "PATH:LINE: profile P: NAME from REFERENCE: PROBLEM (from ORIGIN)" with what
// is known.
func (e *Error) Error() string {
	var b strings.Builder
	say := func(known bool, parts ...string) {
		if known {
			b.WriteString(strings.Join(parts, ""))
		}
	}
	say(e.Path != "", e.Path)
	say(e.Path != "" && e.Line > 0, ":", strconv.Itoa(e.Line))
	say(e.Path != "", ": ")
	say(e.Profile != "", "profile ", e.Profile, ": ")
	say(e.Name != "", files.Short(e.Name), " ")
	say(e.Reference != "", "from ", e.Reference, ": ")
	say(true, e.Problem)
	say(e.Origin != "", " (from ", e.Origin, ")")
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Place is a line of a file, as it is shown.
func Place(path string, line int) string { return path + ":" + strconv.Itoa(line) }

// At completes an error with a file and a line of it, where it is an *Error and has none.
func At(path string, line int, err error) error {
	if e, ok := errors.AsType[*Error](err); ok && e.Path == "" {
		e.Path = path
		if e.Line == 0 {
			e.Line = line
		}
	}
	return err
}
