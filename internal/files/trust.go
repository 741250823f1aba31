package files

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/authctl/authctl/internal/secret"
)

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

// Error says why a file is not used: others could have written what is in it, it is no file
// at all, or what it holds is no text. It quotes none of that.
type Error struct {
	// Path is empty for a text of which it is not known where it is from.
	Path string
	// Problem completes "it …": "can be written by others (mode 0666)", "is in UTF-16".
	Problem string
	// Remedy says what to do, may be empty.
	Remedy string
}

// Error names the file and what is wrong with it.
func (e *Error) Error() string { return cmp.Or(secret.Printable(e.Path), "it") + " " + e.Problem }

// maxShown is how many characters Short shows.
const maxShown = 200

// Short is secret.Printable for a text that a person wrote, cut at 200 characters.
func Short(text string) string {
	if utf8.RuneCountInString(text) > maxShown {
		text = string([]rune(text)[:maxShown]) + "…"
	}
	return secret.Printable(text)
}

// Check returns an *Error unless a file may be read by the rule. It opens nothing.
func (r Rule) Check(path string, info fs.FileInfo) error {
	switch mode := info.Mode(); {
	case mode.IsDir():
		return &Error{path, "is a directory", ""}
	case mode.IsRegular():
	case mode.Type() == fs.ModeNamedPipe && r.Pipe:
	case mode&fs.ModeDevice != 0 && r.Device:
		return nil
	default:
		return notRegular(path)
	}
	switch {
	case r.Anybodys:
	case !MineOrRoots(info) && !inherited(path, info):
		return &Error{
			path, "belongs to another user (" + Owner(info) + ")",
			"run authctl as " + cmp.Or(ownerName(info), "that user") + ", or make it yours: chown " + Me() + " " +
				secret.Printable(path),
		}
	case !r.Lenient && writableByOthers(info):
		return &Error{
			path, fmt.Sprintf("can be written by others (mode %04o)", info.Mode().Perm()),
			"make it yours alone: chmod 600 " + secret.Printable(path),
		}
	}
	return nil
}

func notRegular(path string) error { return &Error{path, "is not a regular file", ""} }

// tell warns of what is let pass.
func (r Rule) tell(path string, info fs.FileInfo) {
	mode := info.Mode()
	switch {
	case r.Warn == nil, r.Anybodys, !mode.IsRegular():
	case writableByOthers(info):
		r.Warn(fmt.Sprintf("%s can be written by others (mode %04o), which is let pass because CI is set: chmod 600 it",
			secret.Printable(path), mode.Perm()))
	case r.Secret && ReadableByOthers(info):
		r.Warn(fmt.Sprintf("other users can read the secret in %s (mode %04o): chmod 600 it",
			secret.Printable(path), mode.Perm()))
	}
}

// inherited reports whether a pipe was handed to this process by whoever started it: then
// it does not matter whose it is.
func inherited(path string, info fs.FileInfo) bool {
	return info.Mode().Type() == fs.ModeNamedPipe &&
		(strings.HasPrefix(path, "/dev/") || strings.HasPrefix(path, "/proc/"))
}

// CheckHome returns an *Error when path is below the user's home directory and that
// belongs to somebody else, as under a sudo that keeps HOME: what would be made there
// could not be used by the one whose home it is.
func (t Trust) CheckHome(path string) error {
	// Who has no home is given /, by containers above all: that is nobody's.
	if t.Home == "" || filepath.Dir(t.Home) == t.Home || !below(t.Home, path) {
		return nil
	}
	info, err := os.Stat(t.Home)
	if err != nil || Mine(info) {
		return nil //nolint:nilerr // a home that is not there is nobody's
	}
	return &Error{
		path, "is below a home directory of another user (" + Owner(info) + "), so nothing is written there",
		"run authctl as " + cmp.Or(ownerName(info), "that user") + ", or set HOME to your own home (sudo -H); " +
			"what was made there before: chown -R " + cmp.Or(ownerName(info), ownerNumber(info)) + " " +
			secret.Printable(path),
	}
}

// MakeDir makes the directory at path and its parents with mode 0700, but nothing below
// another user's home; see CheckHome. It is no error when it is there.
func (t Trust) MakeDir(path string) error {
	if err := t.CheckHome(path); err != nil {
		return err
	}
	return os.MkdirAll(path, 0o700)
}
