package config

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/secret"
)

// maxSecret bounds a secret in bytes; a private key has some 3,000.
const maxSecret = 1 << 20

// secretOf takes what a file, a command or a pipe holds for a secret.
func secretOf(raw []byte) (secret.Secret, error) {
	text, err := files.Text(raw)
	if err != nil {
		return secret.Secret{}, err
	}
	return secret.New(string(text)), nil
}

// tidy drops what a paste or an editor has put around a secret and nobody means, and
// warns of what may be meant and hardly is. What names the secret for people.
func (r *resolver) tidy(what string, value secret.Secret) secret.Secret {
	text := files.TidySecret(value.Reveal())
	if odd := files.OddSecret(text); odd != "" && r.Trust.Warn != nil {
		r.Trust.Warn(what + " " + odd + ", which is taken for a part of it; remove that where it is not meant")
	}
	return secret.New(text)
}

// isBlank reports whether a secret is nothing but blanks, which nobody means.
func isBlank(secret secret.Secret) bool { return strings.TrimSpace(secret.Reveal()) == "" }

// given fetches a secret that a variable holds by value.
func (r *resolver) given(what, value string) secret.Func {
	return once(func(context.Context) (secret.Secret, error) { return r.tidy(what, secret.New(value)), nil })
}

func (r *resolver) variable(name string) (secret.Secret, error) {
	value := r.env.raw(name)
	if value == "" {
		why, remedy := r.env.absent(name)
		return secret.Secret{}, &ReferenceError{Problem: "the variable " + cmp.Or(why, "is not set"), Suggestion: remedy}
	}
	return secret.New(value), nil
}

// stdin reads all of it, for one reference in the life of the process.
func (r *resolver) stdin(ctx context.Context) (secret.Secret, error) {
	switch {
	case r.Stdin == nil:
		return secret.Secret{}, &ReferenceError{Problem: "there is no standard input"}
	case r.StdinIsTerminal:
		return secret.Secret{}, &ReferenceError{
			Problem: "standard input is a terminal", Suggestion: "use prompt, which hides what is typed",
		}
	case !r.stdinSpent.CompareAndSwap(false, true):
		return secret.Secret{}, &ReferenceError{
			Problem: "standard input has been read already", Suggestion: "only one secret can come from stdin",
		}
	}
	secret, err := files.Await(ctx, func() (secret.Secret, error) {
		text, err := files.ReadLimited(r.Stdin, 0, maxSecret)
		if err != nil {
			return secret.Secret{}, err
		}
		return secretOf(text)
	})
	return secret, unread(ctx, "standard input", err)
}

// unread is the error of what was read until ctx ended, another one as it is.
func unread(ctx context.Context, what string, err error) error {
	cause := context.Cause(ctx)
	if cause == nil || !errors.Is(err, cause) {
		return err
	}
	e := &ReferenceError{Problem: "reading " + what + ": " + cause.Error(), Err: cause}
	if errors.Is(cause, context.DeadlineExceeded) {
		e.Problem = "reading " + what + ": it did not end in time"
		e.Suggestion = "see who writes to it, and that it ends; or raise --timeout"
	}
	return e
}

func (r *resolver) file(ctx context.Context, ref reference) (secret.Secret, error) {
	path, err := r.path(ref)
	if err != nil {
		return secret.Secret{}, err
	}
	text, err := files.Read(ctx, path, r.secretRule())
	if err = unread(ctx, "the file", err); err != nil {
		return secret.Secret{}, ofFile(err)
	}
	return secretOf(text)
}

// secretRule is the rule for a file with a secret: a regular file or a pipe. One that
// others may write is refused: they could have the token issued to a client of theirs.
func (r *resolver) secretRule() files.Rule {
	return files.Rule{Trust: r.Trust, Limit: maxSecret, Pipe: true, Secret: true}
}

// path returns where the file of a reference is.
func (r *resolver) path(ref reference) (string, error) {
	path, err := files.Place(ref.arg, r.env.home(), ref.dir)
	if err != nil {
		return "", &ReferenceError{Problem: "the path " + err.Error(), Err: err}
	}
	return path, nil
}

// ofFile keeps of a file's error what happened and not the path, which the reference
// names.
func ofFile(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return &ReferenceError{Problem: pathErr.Op + ": " + pathErr.Err.Error(), Err: err}
	}
	if unsafe, ok := errors.AsType[*files.UnsafeError](err); ok {
		return &ReferenceError{Problem: "it " + unsafe.Problem, Suggestion: unsafe.Remedy, Err: err}
	}
	return err
}

// dir is the directory that relative paths in the file start from.
func (f *File) dir() string { return filepath.Dir(f.Path) }
