// Package files is the one place for what lies on the disk and was written by others or
// by us: where a path leads, whether a file may be believed, how much of it is read and
// for how long, what a paste or an editor has added to its text, and how a file is
// replaced so that it stays.
//
// Errors are the file system's, an *UnsafeError, a *TextError, or the cause of the
// context's end. None holds anything of what was read.
package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// ErrTooLong says that a file has more than was to be read of it.
var ErrTooLong = errors.New("it is too long")

// Trust says how strictly the owner and the mode of files are looked at. The zero value
// is strict and tells nobody.
type Trust struct {
	// Lenient lets the loose mode of a file pass that is this user's or root's, with a
	// warning: the runners of some pipelines work with umask 0, and nobody else is there.
	Lenient bool
	// Home is the user's home directory. Nothing is made below one of another user's;
	// see CheckHome. Empty means that there is none.
	Home string
	// Warn is told, in one line, what is let pass; nil means nobody is.
	Warn func(message string)
}

func (t Trust) warn(format string, args ...any) {
	if t.Warn != nil {
		t.Warn(fmt.Sprintf(format, args...))
	}
}

// UnsafeError says why a file is not used: others could have written what is in it, or
// it is no file at all.
type UnsafeError struct {
	Path string
	// Problem completes "it …": "can be written by others (mode 0666)".
	Problem string
	// Remedy says what to do, may be empty.
	Remedy string
}

// Error names the file and what is wrong with it.
func (e *UnsafeError) Error() string { return Shown(e.Path) + " " + e.Problem }

// Shown returns a path as it can be shown: quoted where it holds what cannot be seen.
func Shown(path string) string {
	if strings.ContainsFunc(path, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return strconv.Quote(path)
	}
	return path
}

// Rule is what is asked of one file.
type Rule struct {
	Trust
	// Limit is the most that is read, in bytes; 0 reads nothing.
	Limit int64
	// Pipe says that a pipe may stand for the file, such as a shell's <(…). Reading it
	// ends with the context.
	Pipe bool
	// Device says that a device may, such as /dev/null for no configuration.
	Device bool
	// Secret says that what others can read is worth a warning.
	Secret bool
	// Anybodys says that owner and mode do not matter, because what is in the file is
	// checked by itself or its directory is private.
	Anybodys bool
}

// Read returns what is in the file at path. A file that is neither regular nor what the
// rule lets stand for one is not opened, and nothing is waited for longer than ctx lasts.
func Read(ctx context.Context, path string, r Rule) ([]byte, error) {
	if ctx.Done() == nil {
		return r.look(path)
	}
	return Await(ctx, func() ([]byte, error) { return r.look(path) })
}

// look reads a file that it has looked at. A pipe is opened as it is, because it waits for
// its writer; everything else must not wait, whatever stands there by then.
func (r Rule) look(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := r.check(path, info); err != nil {
		return nil, err
	}
	if info.Mode().Type() == fs.ModeNamedPipe {
		return r.read(path, os.Open)
	}
	return r.read(path, openAtOnce)
}

// read opens the file and looks once more, at what was opened.
func (r Rule) read(path string, open func(string) (*os.File, error)) ([]byte, error) {
	file, err := open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if err := r.check(path, info); err != nil {
		return nil, err
	}
	r.tell(path, info)
	return ReadLimited(file, info.Size(), r.Limit)
}

// ReadLimited reads all of in, at most limit bytes; size is how much is expected.
func ReadLimited(in io.Reader, size, limit int64) ([]byte, error) {
	text := bytes.NewBuffer(make([]byte, 0, min(size, limit)+bytes.MinRead))
	n, err := text.ReadFrom(io.LimitReader(in, limit+1))
	if err == nil && n > limit {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrTooLong, limit)
	}
	return text.Bytes(), err
}

// Await runs read, which may block for ever (a pipe nobody writes to), and leaves it
// behind when ctx ends first; the error is the cause then.
func Await[T any](ctx context.Context, read func() (T, error)) (T, error) {
	type answer struct {
		got T
		err error
	}
	answers := make(chan answer, 1)
	go func() {
		got, err := read()
		answers <- answer{got, err}
	}()
	select {
	case a := <-answers:
		return a.got, a.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

// Check returns an *UnsafeError unless a file may be read by the rule. It opens nothing.
func (r Rule) Check(path string, info fs.FileInfo) error { return r.check(path, info) }

func (r Rule) check(path string, info fs.FileInfo) error {
	switch mode := info.Mode(); {
	case mode.IsDir():
		return &UnsafeError{path, "is a directory", ""}
	case mode.IsRegular():
	case mode.Type() == fs.ModeNamedPipe && r.Pipe:
	case mode&fs.ModeDevice != 0 && r.Device:
		return nil
	default:
		return &UnsafeError{path, "is not a regular file", ""}
	}
	if r.Anybodys {
		return nil
	}
	if uid, name, foreign := foreignOwner(info); foreign && !inherited(path, info) {
		return &UnsafeError{
			path, "belongs to another user (" + known(name, "uid "+uid) + ")",
			"run authctl as " + known(name, "that user") + ", or make it yours: chown " + me() + " " + Shown(path),
		}
	}
	if WritableByOthers(info) && !r.Lenient {
		return &UnsafeError{
			path, fmt.Sprintf("can be written by others (mode %04o)", info.Mode().Perm()),
			"make it yours alone: chmod 600 " + Shown(path),
		}
	}
	return nil
}

// tell warns of what is let pass.
func (r Rule) tell(path string, info fs.FileInfo) {
	if !info.Mode().IsRegular() || r.Anybodys {
		return
	}
	mode := info.Mode().Perm()
	switch {
	case WritableByOthers(info):
		r.warn("%s can be written by others (mode %04o), which is let pass because CI is set: chmod 600 it",
			Shown(path), mode)
	case r.Secret && ReadableByOthers(info):
		r.warn("other users can read the secret in %s (mode %04o): chmod 600 it", Shown(path), mode)
	}
}

// inherited reports whether a pipe was handed to this process by whoever started it: then
// it does not matter whose it is.
func inherited(path string, info fs.FileInfo) bool {
	return info.Mode().Type() == fs.ModeNamedPipe &&
		(strings.HasPrefix(path, "/dev/") || strings.HasPrefix(path, "/proc/"))
}

func known(name, number string) string {
	switch {
	case name == "":
		return number
	case strings.HasPrefix(number, "uid "):
		return name + ", " + number
	}
	return name
}

// CheckHome returns an *UnsafeError when path is below the user's home directory and that
// belongs to somebody else, as under a sudo that keeps HOME: what would be made there
// could not be used by the one whose home it is.
func (t Trust) CheckHome(path string) error {
	if t.Home == "" || !below(t.Home, path) {
		return nil
	}
	info, err := os.Stat(t.Home)
	if err != nil {
		return nil //nolint:nilerr // a home that is not there is nobody's
	}
	uid, name, foreign := ownedByOther(info)
	if !foreign {
		return nil
	}
	return &UnsafeError{
		path, "is below a home directory of another user (" + known(name, "uid "+uid) + "), so nothing is written there",
		"run authctl as " + known(name, "that user") + ", or set HOME to your own home (sudo -H); " +
			"what was made there before: chown -R " + known(name, uid) + " " + Shown(path),
	}
}
