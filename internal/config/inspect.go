package config

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
	// Err says why the secret cannot be had, a *ReferenceError; nil when it can as
	// far as was looked.
	Err error
}

// bound is a reference with the setting it was given for.
type bound struct {
	setting string
	ref     reference
	origin  string
}

// Inspect looks for every secret that the profile will use, in the service's
// order of settings. "keyring:NAME" is looked up with the Resolver's Keyring.
func (p *Profile) Inspect(ctx context.Context) []Inspection {
	var list []Inspection
	for _, d := range p.Service.Settings {
		v, ok := p.Settings.Lookup(d.Name)
		if !ok || v.Secret == nil {
			continue
		}
		i := slices.IndexFunc(p.bound, func(b bound) bool { return b.setting == d.Name && b.origin == v.Origin })
		if i < 0 {
			list = append(list, Inspection{Setting: d.Name, Origin: v.Origin})
			continue
		}
		list = append(list, p.refs.inspect(ctx, p.Name, p.bound[i]))
	}
	return list
}

// InspectStoreKey looks for the key of the file store, which AUTHCTL_STORE_KEY or
// one of its twins gives; false when none of them is set. A nil lookup means
// os.LookupEnv.
func InspectStoreKey(
	ctx context.Context, lookup func(string) (string, bool), trust files.Trust,
) (Inspection, bool) {
	const name = "AUTHCTL_STORE_KEY"
	env := environ(lookup)
	refs := newResolver(Resolver{Trust: trust}, env)
	for _, twin := range []struct{ suffix, kind string }{{"_FILE", "file"}, {"_CMD", "cmd"}} {
		if arg := env.get(name + twin.suffix); arg != "" {
			variable := name + twin.suffix
			return refs.inspect(ctx, "", bound{variable, reference{kind: twin.kind, arg: arg}, "environment " + variable}), true
		}
	}
	return Inspection{Setting: name, Origin: "environment " + name}, env.raw(name) != ""
}

// inspect looks for one secret.
func (r *resolver) inspect(ctx context.Context, profile string, b bound) Inspection {
	found := Inspection{Setting: b.setting, Reference: b.ref.String(), Origin: b.origin}
	var err error
	switch b.ref.kind {
	case "env":
		_, err = r.variable(b.ref.arg)
	case "file":
		err = r.inspectFile(ctx, b.ref, &found)
	case "cmd":
		found.Command = true
		found.Note, err = inspectCommand(b.ref.arg)
	case "prompt", "stdin":
		found.Note = "asked for when it is needed"
	default:
		_, err = r.fetch(ctx, b.ref, "")
	}
	if err == nil {
		return found
	}
	found.Err = r.failed(profile, b.setting, b.ref, err)
	return found
}

// inspectFile looks at a file and opens it. A pipe is not opened: its writer would
// take that for the one who reads the secret.
func (r *resolver) inspectFile(ctx context.Context, ref reference, found *Inspection) error {
	path, err := r.path(ref)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return ofFile(err)
	}
	if err := r.secretRule().Check(path, info); err != nil {
		return ofFile(err)
	}
	found.Note = fmt.Sprintf("mode %04o", info.Mode().Perm())
	if files.ReadableByOthers(info) {
		found.Risk = "other users can read the file"
		found.Remedy = "chmod 600 " + printable(path)
	}
	if info.Mode().Type() == fs.ModeNamedPipe {
		return nil
	}
	text, err := files.Read(ctx, path, files.Rule{Trust: files.Trust{Lenient: r.Trust.Lenient}, Limit: maxSecret})
	if err != nil {
		return ofFile(err)
	}
	secret, err := secretOf(text)
	if err == nil && secret.IsZero() {
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
		return "", &ReferenceError{
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

// Exposed says how the file lies there: its mode, and whether other users may read
// it. It is not found when the default file is missing.
func (f *File) Exposed() (mode fs.FileMode, readable, found bool) {
	info, err := os.Stat(f.Path)
	if f.Path == "" || err != nil {
		return 0, false, false
	}
	return info.Mode().Perm(), files.ReadableByOthers(info), true
}
