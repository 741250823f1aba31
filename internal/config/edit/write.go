// Package edit changes the configuration file in place, leaving everything else in it as
// it was. What is not certain to come out right is an error that says what to do by hand.
package edit

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/setting"
)

// ErrExists is wrapped by the error of Add when the name is taken, and by that of SetTop when
// a key has another value.
var ErrExists = errors.New("it exists")

// ErrChanged is wrapped by the error of a change to a file that somebody else changed at
// the same time. Exit code 8.
var ErrChanged = errors.New("the file was changed meanwhile")

func exists(name string) *setting.Error {
	return &setting.Error{
		Profile: name, Problem: "exists already", Err: ErrExists,
		Help: "choose another name; or change the one there: authctl profile set " + name + " KEY=VALUE, or client_secret",
	}
}

func notAName(name string) *setting.Error {
	return &setting.Error{Problem: "what was given is not a name for a profile", Help: config.NameHint(name, nil)}
}

// Check returns a *setting.Error unless a profile of that name can be added.
func Check(f *config.File, name string) error {
	switch {
	case !config.IsName(name):
		return notAName(name)
	case name == config.EnvironmentProfile:
		return &setting.Error{
			Profile: name, Problem: "is the name of what AUTHCTL_PROVIDER and its companions make",
			Help: "choose another name",
		}
	}
	if err := CheckPlace(f); err != nil {
		return err
	}
	path, line, err := f.Where(name)
	if err != nil || line == 0 {
		return err
	}
	e := exists(name)
	if e.Line = line; path != f.Path {
		e.Help = "choose another name; one of your own under this name goes before it, and has to be written by hand"
	}
	return located(path, e)
}

// CheckPlace returns a *setting.Error where there is no place for a configuration.
func CheckPlace(f *config.File) error {
	if f.Path != "" {
		return nil
	}
	return &setting.Error{
		Problem: "there is no home directory (HOME is not set), and so no place for a configuration file",
		Help:    "name the configuration file with --config or AUTHCTL_CONFIG",
	}
}

// Add writes a new profile behind the others in the file, which is made (mode
// 0600, its directory 0700) when it is not there. Nothing else in the file changes:
// comments, order, blank lines and line ends stay. Errors are *setting.Error; one wraps
// ErrExists when the name is taken. When the file is written in a way that cannot be edited
// safely, the error's suggestion is the text to add by hand.
//
// There is no lock here: callers take one around it. What does not know of that is
// noticed where it can be: the file is read again right before it is replaced, and a
// change in between is an error that wraps ErrChanged.
func Add(f *config.File, name string, values []Setting) error {
	if !config.IsName(name) {
		return located(f.Path, notAName(name))
	}
	return apply(f, func(d *draft) error { return d.add(name, values) })
}

// Remove takes a profile out of the file, together with the comments right above
// it, and default_profile when it names this profile. Errors are as of Add; one
// wraps config.ErrNoProfile when there is no such profile. A profile of an included file is
// not touched: others may own that.
func Remove(f *config.File, name string) error {
	return apply(f, func(d *draft) error {
		if path, line, _ := f.Where(name); path != "" && path != f.Path && !slices.Contains(d.was.Names, name) {
			return &setting.Error{
				Path: path, Line: line, Profile: name, Problem: "is in a file that is included, and only " + f.Path + " is changed",
				Help: "change it there",
			}
		}
		return d.remove(name)
	})
}

// SetDefault makes a profile the default, in the file itself, also one of an included file.
// Errors are as of Remove.
func SetDefault(f *config.File, name string) error {
	names, _ := f.Names() // what cannot be parsed is not changed either
	if bases, _ := f.Bases(); slices.Contains(bases, name) && !slices.Contains(names, name) {
		return located(f.Path, config.OnlyBase(name))
	}
	return apply(f, func(d *draft) error { return d.setDefault(name, names) })
}

// SetTop writes keys at the margin of the file: store, store_key, store_password. What is
// there already with another value is not replaced: the error wraps ErrExists. Other errors
// and the rest are as of Add.
func SetTop(f *config.File, values ...Setting) error {
	return apply(f, func(d *draft) error { return d.setTop(values) })
}

// apply changes the file as it is by now; f itself stays as it was read.
func apply(f *config.File, change func(*draft) error) error {
	r, err := revise(f, f.Path, change)
	if err != nil {
		return err
	}
	return r.Write()
}

// located completes an error with the file's path.
func located(path string, err error) error {
	if e, ok := errors.AsType[*setting.Error](err); ok && e.Path == "" {
		e.Path = path
	}
	return err
}

// unwritten is the error of a file that cannot be written.
func unwritten(path string, err error) error {
	if _, ok := errors.AsType[*setting.Error](err); ok || err == nil {
		return err
	}
	e := &setting.Error{Path: path, Problem: "cannot be written: " + err.Error(), Err: err}
	if unsafe, ok := errors.AsType[*files.Error](err); ok {
		e.Problem, e.Help = unsafe.Problem, unsafe.Remedy
	}
	return e
}

// changed returns the text after the change. A byte order mark stays where it was.
func changed(old []byte, change func(*draft) error) ([]byte, error) {
	text, err := files.Text(old)
	if problem, ok := errors.AsType[*files.Error](err); ok {
		return nil, &setting.Error{Problem: problem.Problem, Help: problem.Remedy, Err: err}
	}
	mark := old[:len(old)-len(text)]
	d, err := newDraft(text)
	if err == nil {
		err = change(d)
	}
	if err != nil {
		return nil, err
	}
	return slices.Concat(mark, d.text()), nil
}

// replace writes text beside the file and renames it over the file, or over what
// it links to, keeping mode and owner. A file that cannot be replaced, such as one that is
// mounted by itself into a container, is written in place.
func replace(f *config.File, path string, old, text []byte) error {
	if err := f.Trust().MakeDir(filepath.Dir(path)); err != nil {
		return err
	}
	target, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		target, err = path, danglingLink(path)
	}
	if err != nil {
		return err
	}
	err = files.Replace(target, ".config-*.yaml", func(temp *os.File) error {
		if err := fill(temp, target, text); err != nil {
			return err
		}
		return unchanged(f, path, target, old)
	})
	if err == nil || !files.Unmovable(err) {
		return err
	}
	if _, missing := os.Stat(target); missing != nil {
		return err
	}
	if err := unchanged(f, path, target, old); err != nil {
		return err
	}
	if again := files.Overwrite(target, text); again != nil {
		return &setting.Error{
			Path: path, Problem: "cannot be written: " + err.Error() + ", nor in place: " + again.Error(), Err: again,
			Help: "a file that is mounted by itself cannot be replaced: " +
				"mount its directory, writable, or change the file outside",
		}
	}
	return nil
}

// unchanged returns an error when the file is not any more what was read.
func unchanged(f *config.File, path, target string, old []byte) error {
	now, err := f.Raw(target)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !bytes.Equal(now, old) {
		return &setting.Error{
			Path: path, Problem: "was changed by somebody else meanwhile", Help: "try again", Err: ErrChanged,
		}
	}
	return nil
}

func danglingLink(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return &setting.Error{Path: path, Problem: "is a link to a file that does not exist"}
	}
	return nil
}

// fill writes the temporary file and gives it the mode and owner of the file it will
// replace. A new one keeps the 0600 it was made with.
func fill(temp *os.File, target string, text []byte) error {
	if info, err := os.Stat(target); err == nil {
		if !info.Mode().IsRegular() {
			return &setting.Error{Path: target, Problem: "is not a regular file"}
		}
		files.KeepOwner(temp, info)
		if err := temp.Chmod(info.Mode().Perm()); err != nil {
			return err
		}
	}
	_, err := temp.Write(text)
	return err
}
