package config

import (
	"context"
	"io"
	"strings"
	"sync/atomic"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/secret"
)

// Resolver is what secret references are fetched with. The zero value knows
// env:, file: and cmd: only.
type Resolver struct {
	// Stdin is what "stdin" reads; nil means that there is none.
	Stdin io.Reader
	// StdinIsTerminal makes "stdin" an error: typed secrets are for "prompt",
	// which hides them.
	StdinIsTerminal bool
	// Stderr receives what commands say beside their answer; nil drops it.
	Stderr io.Writer
	// Interactive says that a person is there. Commands then stay in the
	// terminal's foreground process group, so that they can ask for a password;
	// otherwise each gets a group of its own and is ended with all its children.
	Interactive bool
	// Environment returns the environment of commands, in which secrets are left out
	// but for the variables to keep; nil gives them all that this process has.
	Environment func(keep []string) []string
	// Keyring reads "keyring:NAME", nil when there is none.
	Keyring Keyring
	// Prompter asks for "prompt", nil when nobody can be asked.
	Prompter Prompter
	// Trust says which files are believed, and hears what is odd about a secret.
	Trust files.Trust
}

// Keyring gives the secrets that a person has put into the OS keyring.
type Keyring interface {
	// Secret returns the secret stored under name.
	Secret(ctx context.Context, name string) (secret.Secret, error)
}

// Prompter asks a person for a secret and hides what is typed.
type Prompter interface {
	// Secret asks for what label says ("client_secret of profile calls").
	Secret(ctx context.Context, label string) (secret.Secret, error)
}

// ReferenceError says that a secret could not be had. It never holds the secret,
// what a command wrote, or more of a command than its first word. Exit code 3.
type ReferenceError struct {
	// Profile is empty for AUTHCTL_STORE_KEY and its twins.
	Profile string
	// Setting is the setting or variable that needs the secret.
	Setting string
	// Reference is where it was looked for: "env:NAME", "cmd:op …".
	Reference string
	// Problem completes "SETTING from REFERENCE: …".
	Problem string
	// Suggestion says what to do, may be empty.
	Suggestion string
	// Err is the cause, may be nil.
	Err error
}

// Error names profile, setting, reference and problem.
func (e *ReferenceError) Error() string {
	text := e.Setting + " from " + e.Reference + ": " + e.Problem
	if e.Profile != "" {
		text = "profile " + e.Profile + ": " + text
	}
	return text
}

// Unwrap returns the cause.
func (e *ReferenceError) Unwrap() error { return e.Err }

// reference is where a secret is found.
type reference struct {
	// kind is env, file, cmd, keyring, stdin or prompt.
	kind string
	// arg is what follows the colon, empty for stdin and prompt.
	arg string
	// dir is what a relative file path starts from; empty is the working
	// directory.
	dir string
	// owner is the profile that the reference is of, nil for the store's key.
	owner *Profile
}

// parseReference reads a reference as written; false when it is none.
func parseReference(text string) (reference, bool) {
	text = files.Tidy(text)
	if text == "stdin" || text == "prompt" {
		return reference{kind: text}, true
	}
	kind, arg, ok := strings.Cut(text, ":")
	switch kind {
	case "env", "file", "cmd", "keyring":
		arg = files.Tidy(arg)
		return reference{kind: kind, arg: arg}, ok && arg != "" && !strings.Contains(arg, "\x00")
	}
	return reference{}, false
}

// String returns the reference without what may be secret in it: of a command
// its first word, and not even that when it sets a variable.
func (r reference) String() string {
	switch {
	case r.arg == "":
		return r.kind
	case r.kind != "cmd":
		return r.kind + ":" + printable(r.arg)
	}
	all := strings.Fields(r.arg)
	first := printable(all[0])
	switch {
	case strings.ContainsAny(first, `='"`+"`$"):
		return "cmd:…"
	case len(all) > 1:
		return "cmd:" + first + " …"
	}
	return "cmd:" + first
}

// resolver fetches references and remembers that stdin is spent.
type resolver struct {
	Resolver
	env        environ
	stdinSpent atomic.Bool
}

func newResolver(r Resolver, env environ) *resolver { return &resolver{Resolver: r, env: env} }

// bind returns what fetches ref, once, with errors that name profile and setting.
func (r *resolver) bind(profile, setting string, ref reference) secret.Func {
	label := setting
	if profile != "" {
		label += " of profile " + profile
	}
	return once(func(ctx context.Context) (secret.Secret, error) {
		value, err := r.fetch(ctx, ref, label)
		if err == nil {
			value = r.tidy(label+" from "+ref.String(), value)
		}
		if err == nil && isBlank(value) {
			err = errEmpty
		}
		if err == nil {
			return value, nil
		}
		return secret.Secret{}, r.failed(profile, setting, ref, err)
	})
}

func (r *resolver) fetch(ctx context.Context, ref reference, label string) (secret.Secret, error) {
	switch {
	case ref.kind == "env":
		return r.variable(ref.arg)
	case ref.kind == "file":
		return r.file(ctx, ref)
	case ref.kind == "cmd":
		return r.command(ctx, ref)
	case ref.kind == "stdin":
		return r.stdin(ctx)
	case ref.kind == "keyring" && r.Keyring != nil:
		return r.Keyring.Secret(ctx, ref.arg)
	case ref.kind == "prompt" && r.Prompter != nil:
		return r.Prompter.Secret(ctx, label)
	case ref.kind == "prompt":
		return secret.Secret{}, &ReferenceError{Problem: "nobody can be asked here"}
	}
	return secret.Secret{}, &ReferenceError{Problem: "there is no keyring here"}
}

// once makes fetch run one time, for any number of callers. An end of the
// caller's context is not remembered.
func once(fetch secret.Func) secret.Func {
	turn := make(chan struct{}, 1)
	var (
		done  bool
		value secret.Secret
		err   error
	)
	return func(ctx context.Context) (secret.Secret, error) {
		select {
		case turn <- struct{}{}:
		case <-ctx.Done():
			return secret.Secret{}, context.Cause(ctx)
		}
		defer func() { <-turn }()
		if done {
			return value, err
		}
		s, e := fetch(ctx)
		if e != nil && ctx.Err() != nil {
			return s, e
		}
		value, err, done = s, e, true
		return value, err
	}
}
