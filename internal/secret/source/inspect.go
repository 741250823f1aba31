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
	// Need is what the secret is for and where it is. Its Reference is empty for one that a
	// variable holds by value; what a command gives is not known, because it was not run.
	Need
	// Note completes "found": "mode 0600", "op is there and was not run"; may be
	// empty.
	Note string
	// Risk says what is unsafe about a secret that can be had; empty when nothing.
	Risk string
	// Remedy says what to do about Risk.
	Remedy string
	// Err says why the secret cannot be had, an *setting.Error; nil when it can as far as was
	// looked.
	Err error
}

// Inspect looks for a secret. One in the keyring is looked up.
func (f *Fetcher) Inspect(ctx context.Context, n Need) Inspection {
	found := Inspection{Need: n}
	var err error
	switch n.Kind {
	case "file":
		err = f.inspectFile(ctx, &found)
	case "cmd":
		found.Note, err = inspectCommand(n.Arg)
	case "prompt", "stdin":
		found.Note = "asked for when it is needed"
	case Profile, GitHub, AzurePipelines:
		if tokens, ok := f.Tokens[n.Kind]; ok {
			found.Note, err = tokens.Look(n)
		}
	default:
		_, err = f.fetch(ctx, n)
	}
	if err != nil {
		found.Err = n.Failed(err)
	}
	return found
}

// inspectFile looks at a file and opens it. A pipe is not opened: its writer would
// take that for the one who reads the secret.
func (f *Fetcher) inspectFile(ctx context.Context, found *Inspection) error {
	path, err := f.path(found.Reference)
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
		return "", wrong("the program cannot be found: "+cause.Error(), "install it, or put its directory into PATH", err)
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
