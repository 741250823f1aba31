package config

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/authctl/authctl/internal/oauth"
)

// maxSecret bounds a secret in bytes; a private key has some 3,000.
const maxSecret = 1 << 20

// errTooLong says that there was more than was asked for.
var errTooLong = errors.New("it is too long")

// readLimited reads all of r, at most limit bytes; size is how much is expected.
func readLimited(r io.Reader, size, limit int64) ([]byte, error) {
	text := bytes.NewBuffer(make([]byte, 0, min(size, limit)+bytes.MinRead))
	n, err := text.ReadFrom(io.LimitReader(r, limit+1))
	if err == nil && n > limit {
		return nil, fmt.Errorf("%w: more than %d bytes", errTooLong, limit)
	}
	return text.Bytes(), err
}

// chomp removes one line break from the end, as a shell's $(…) would.
func chomp(text string) string {
	text, _ = strings.CutSuffix(text, "\n")
	text, _ = strings.CutSuffix(text, "\r")
	return text
}

func secretOf(text []byte) oauth.Secret { return oauth.NewSecret(chomp(string(text))) }

func (r *resolver) variable(name string) (oauth.Secret, error) {
	value := r.env.get(name)
	if value == "" {
		return oauth.Secret{}, &ReferenceError{Problem: "the variable is not set", Suggestion: "set " + printable(name)}
	}
	return oauth.NewSecret(chomp(value)), nil
}

// stdin reads all of it, for one reference in the life of the process.
func (r *resolver) stdin(ctx context.Context) (oauth.Secret, error) {
	switch {
	case r.Stdin == nil:
		return oauth.Secret{}, &ReferenceError{Problem: "there is no standard input"}
	case r.StdinIsTerminal:
		return oauth.Secret{}, &ReferenceError{
			Problem: "standard input is a terminal", Suggestion: "use prompt, which hides what is typed",
		}
	case !r.stdinSpent.CompareAndSwap(false, true):
		return oauth.Secret{}, &ReferenceError{
			Problem: "standard input has been read already", Suggestion: "only one secret can come from stdin",
		}
	}
	return waitFor(ctx, "reading standard input", func() (oauth.Secret, error) {
		text, err := readLimited(r.Stdin, 0, maxSecret)
		return secretOf(text), err
	})
}

// waitFor runs read, which may block for ever (a pipe nobody writes to), and
// leaves it behind when ctx ends first.
func waitFor(ctx context.Context, doing string, read func() (oauth.Secret, error)) (oauth.Secret, error) {
	type answer struct {
		secret oauth.Secret
		err    error
	}
	answers := make(chan answer, 1)
	go func() {
		secret, err := read()
		answers <- answer{secret, err}
	}()
	select {
	case a := <-answers:
		return a.secret, a.err
	case <-ctx.Done():
		cause := context.Cause(ctx)
		return oauth.Secret{}, &ReferenceError{Problem: doing + ": " + cause.Error(), Err: cause}
	}
}

func (r *resolver) file(ctx context.Context, ref reference) (oauth.Secret, error) {
	path, err := r.path(ref)
	if err != nil {
		return oauth.Secret{}, err
	}
	secret, err := waitFor(ctx, "reading the file", func() (oauth.Secret, error) { return readSecret(path) })
	return secret, ofFile(err)
}

// path returns where the file of a reference is.
func (r *resolver) path(ref reference) (string, error) {
	path := ref.arg
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		home := r.env.home()
		if home == "" {
			return "", &ReferenceError{Problem: "there is no home directory"}
		}
		path = filepath.Join(home, rest)
	}
	if ref.dir != "" && !filepath.IsAbs(path) {
		path = filepath.Join(ref.dir, path)
	}
	return path, nil
}

// ofFile keeps of a file system's error what happened and not the path, which the
// reference names.
func ofFile(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return &ReferenceError{Problem: pathErr.Op + ": " + pathErr.Err.Error(), Err: err}
	}
	return err
}

// readSecret reads a regular file or a pipe. One that others may write is
// refused: they could have the token issued to a client of theirs.
func readSecret(path string) (oauth.Secret, error) {
	info, err := os.Stat(path)
	if err != nil {
		return oauth.Secret{}, err
	}
	if err := checkSecretFile(info); err != nil {
		return oauth.Secret{}, err
	}
	file, err := os.Open(path)
	if err != nil {
		return oauth.Secret{}, err
	}
	defer file.Close()
	if info, err = file.Stat(); err != nil {
		return oauth.Secret{}, err
	}
	if err := checkSecretFile(info); err != nil {
		return oauth.Secret{}, err
	}
	text, err := readLimited(file, info.Size(), maxSecret)
	return secretOf(text), err
}

func checkSecretFile(info fs.FileInfo) error {
	if kind := info.Mode().Type(); kind != 0 && kind != fs.ModeNamedPipe {
		return &ReferenceError{Problem: "it is neither a file nor a pipe"}
	}
	if writableByOthers(info) {
		return &ReferenceError{Problem: "others can write it", Suggestion: "chmod o-w the file"}
	}
	return nil
}

// dir is the directory that relative paths in the file start from.
func (f *File) dir() string { return filepath.Dir(f.Path) }
