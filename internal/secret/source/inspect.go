package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/files"
)

// Inspection is what can be told of a secret without asking a person and without
// running a command. It never holds the secret.
type Inspection struct {
	// Setting is the setting, or the variable, that needs the secret.
	Setting string
	// Reference is where the secret is: "env:NAME", "cmd:op …"; empty for one
	// that a variable holds by value.
	Reference string
	// Origin says where the reference was given.
	Origin string
	// Note completes "found": "mode 0600", "op is there and was not run"; may be
	// empty.
	Note string
	// Risk says what is unsafe about a secret that can be had; empty when nothing.
	Risk string
	// Remedy says what to do about Risk.
	Remedy string
	// Command says that the secret is the output of a command, which was not run.
	Command bool
	// Err says why the secret cannot be had, an *Error; nil when it can as far as was
	// looked.
	Err error
}

// Inspect looks for a secret. One in the keyring is looked up.
func (f *Fetcher) Inspect(ctx context.Context, n Need) Inspection {
	found := Inspection{Setting: n.Setting, Reference: n.String(), Origin: n.Origin}
	var err error
	switch n.Kind {
	case "file":
		err = f.inspectFile(ctx, n.Reference, &found)
	case "cmd":
		found.Command = true
		found.Note, err = inspectCommand(n.Arg)
	case "prompt", "stdin":
		found.Note = "asked for when it is needed"
	default:
		_, err = f.fetch(ctx, n)
	}
	if err != nil {
		found.Err = n.failed(err)
	}
	return found
}

// inspectFile looks at a file and opens it. A pipe is not opened: its writer would
// take that for the one who reads the secret.
func (f *Fetcher) inspectFile(ctx context.Context, r Reference, found *Inspection) error {
	path, err := f.path(r)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return ofFile(err)
	}
	if err := f.rule().Check(path, info); err != nil {
		return ofFile(err)
	}
	found.Note = fmt.Sprintf("mode %04o", info.Mode().Perm())
	if files.ReadableByOthers(info) {
		found.Risk = "other users can read the file"
		found.Remedy = "chmod 600 " + files.Short(path)
	}
	if info.Mode().Type() == fs.ModeNamedPipe {
		return nil
	}
	text, err := files.Read(ctx, path, files.Rule{Trust: files.Trust{Lenient: f.Trust.Lenient}, Limit: maxSecret})
	value, err := secretOf(text, ofFile(err))
	if err == nil && value.IsZero() {
		err = errEmpty
	}
	return err
}

// inspectCommand looks for the program of a command line. What only a shell can
// tell is left open.
func inspectCommand(line string) (note string, err error) {
	word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	if strings.ContainsAny(word, "='\"`$\\&|;<>(){}!%*?#~\t\n") || shellKnows(word) {
		return "not run", nil
	}
	// The shell runs it from a relative directory of PATH too.
	if _, err := exec.LookPath(word); err != nil && !errors.Is(err, exec.ErrDot) {
		cause := err
		if looked, ok := errors.AsType[*exec.Error](err); ok {
			cause = looked.Err
		}
		return "", &Error{
			Problem: "the program cannot be found: " + cause.Error(), Err: err,
			Suggestion: "install it, or put its directory into PATH",
		}
	}
	return filepath.Base(word) + " is there and was not run", nil
}

// shellKnows reports whether a word is one that a shell needs no program for
// (POSIX.1-2024, Shell Command Language, 2.4 and 2.15, and cmd.exe's like).
func shellKnows(word string) bool {
	known := []string{
		".", ":", "break", "case", "cd", "command", "echo", "eval", "exec", "export", "for", "if", "printf", "read",
		"set", "test", "trap", "type", "ulimit", "umask", "until", "while", "call", "[",
	}
	return slices.Contains(known, strings.ToLower(word))
}
