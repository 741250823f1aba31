package config

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/authctl/authctl/internal/files"
)

// AddProfile writes a new profile behind the others in the file, which is made (mode
// 0600, its directory 0700) when it is not there. Nothing else in the file changes:
// comments, order, blank lines and line ends stay. Errors are *Error; one wraps ErrExists
// when the name is taken. When the file is written in a way that cannot be edited safely,
// the error's suggestion is the text to add by hand.
//
// There is no lock here: callers take one around it. What does not know of that is
// noticed where it can be: the file is read again right before it is replaced, and a
// change in between is an error that wraps ErrChanged.
func (f *File) AddProfile(name string, values []KeyValue) error {
	if !validName(name) {
		e := notAName(name)
		e.Path = f.Path
		return e
	}
	return f.edit(func(d *draft) error { return d.add(name, values) })
}

// RemoveProfile takes a profile out of the file, together with the comments right above
// it, and default_profile when it names this profile. Errors are as of AddProfile; one
// wraps ErrNoProfile when there is no such profile.
func (f *File) RemoveProfile(name string) error {
	return f.edit(func(d *draft) error { return d.remove(name) })
}

// SetDefault makes a profile of the file the default. Errors are as of RemoveProfile.
func (f *File) SetDefault(name string) error {
	return f.edit(func(d *draft) error { return d.setDefault(name) })
}

// edit changes the file as it is by now; f itself stays as it was read.
func (f *File) edit(change func(*draft) error) error {
	source := f.source
	source.noPipe = true // it cannot be written
	old, err := source.raw(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		old, err = nil, nil
	}
	if err != nil {
		return err
	}
	text, err := changed(old, change)
	if err != nil {
		if e, ok := errors.AsType[*Error](err); ok {
			e.Path = f.Path
		}
		return err
	}
	if bytes.Equal(old, text) {
		return nil
	}
	return unwritten(f.Path, source.replace(f.Path, old, text))
}

// unwritten is the error of a file that cannot be written.
func unwritten(path string, err error) error {
	if _, ok := errors.AsType[*Error](err); ok || err == nil {
		return err
	}
	e := &Error{Path: path, Problem: "cannot be written: " + err.Error(), Err: err}
	if unsafe, ok := errors.AsType[*files.UnsafeError](err); ok {
		e.Problem, e.Suggestion = unsafe.Problem, unsafe.Remedy
	}
	return e
}

// changed returns the text after the change. A byte order mark stays where it was.
func changed(old []byte, change func(*draft) error) ([]byte, error) {
	text, err := files.Text(old)
	if problem, ok := errors.AsType[*files.TextError](err); ok {
		return nil, &Error{Problem: problem.Problem, Suggestion: problem.Remedy, Err: err}
	}
	mark := old[:len(old)-len(text)]
	d, err := newDraft(text)
	if err != nil {
		return nil, err
	}
	if err := change(d); err != nil {
		return nil, err
	}
	return slices.Concat(mark, d.text()), nil
}

// replace writes text beside the file and renames it over the file, or over what
// it links to, keeping mode and owner. A file that cannot be replaced, such as one that is
// mounted by itself into a container, is written in place.
func (r reader) replace(path string, old, text []byte) error {
	if err := r.trust.MakeDir(filepath.Dir(path)); err != nil {
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
		return r.unchanged(path, target, old)
	})
	if err == nil || !files.Unmovable(err) {
		return err
	}
	if _, missing := os.Stat(target); missing != nil {
		return err
	}
	if err := r.unchanged(path, target, old); err != nil {
		return err
	}
	if again := files.Overwrite(target, text); again != nil {
		return &Error{
			Path: path, Problem: "cannot be written: " + err.Error() + ", nor in place: " + again.Error(), Err: again,
			Suggestion: "a file that is mounted by itself cannot be replaced: " +
				"mount its directory, writable, or change the file outside",
		}
	}
	return nil
}

// unchanged returns an error when the file is not any more what was read.
func (r reader) unchanged(path, target string, old []byte) error {
	now, err := r.raw(target)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !bytes.Equal(now, old) {
		return &Error{Path: path, Problem: "was changed by somebody else meanwhile", Suggestion: "try again", Err: ErrChanged}
	}
	return nil
}

func danglingLink(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return &Error{Path: path, Problem: "is a link to a file that does not exist"}
	}
	return nil
}

// fill writes the temporary file and gives it the mode and owner of the file it will
// replace. A new one keeps the 0600 it was made with.
func fill(temp *os.File, target string, text []byte) error {
	if info, err := os.Stat(target); err == nil {
		if !info.Mode().IsRegular() {
			return &Error{Path: target, Problem: "is not a regular file"}
		}
		files.KeepOwner(temp, info)
		if err := temp.Chmod(info.Mode().Perm()); err != nil {
			return err
		}
	}
	_, err := temp.Write(text)
	return err
}
