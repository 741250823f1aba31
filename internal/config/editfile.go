package config

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// AddProfile writes a new profile behind the others in the file at path, which
// is made (mode 0600, its directory 0700) when it is not there. Nothing else in
// the file changes: comments, order, blank lines and line ends stay. Errors are
// *Error; one wraps ErrExists when the name is taken. When the file is written
// in a way that cannot be edited safely, the error's suggestion is the text to
// add by hand.
//
// There is no lock: the file is read again right before it is replaced, and a
// change by somebody else in between is an error.
func AddProfile(path, name string, values []KeyValue) error {
	if !validName(name) {
		e := notAName(name)
		e.Path = path
		return e
	}
	return edit(path, func(d *draft) error { return d.add(name, values) })
}

// RemoveProfile takes a profile out of the file at path, together with the
// comments right above it, and default_profile when it names this profile.
// Errors are as of AddProfile; one wraps ErrNoProfile when there is no such
// profile.
func RemoveProfile(path, name string) error {
	return edit(path, func(d *draft) error { return d.remove(name) })
}

// SetDefault makes a profile of the file at path the default. Errors are as of
// RemoveProfile.
func SetDefault(path, name string) error {
	return edit(path, func(d *draft) error { return d.setDefault(name) })
}

func edit(path string, change func(*draft) error) error {
	old, err := readConfig(path)
	if errors.Is(err, fs.ErrNotExist) {
		old, err = nil, nil
	}
	if err != nil {
		return err
	}
	text, err := changed(old, change)
	if err != nil {
		if e, ok := errors.AsType[*Error](err); ok {
			e.Path = path
		}
		return err
	}
	if bytes.Equal(old, text) {
		return nil
	}
	if err := replace(path, old, text); err != nil {
		if _, ok := errors.AsType[*Error](err); ok {
			return err
		}
		return &Error{Path: path, Problem: "cannot be written: " + err.Error(), Err: err}
	}
	return nil
}

// changed returns the text after the change.
func changed(old []byte, change func(*draft) error) ([]byte, error) {
	d, err := newDraft(old)
	if err != nil {
		return nil, err
	}
	if err := change(d); err != nil {
		return nil, err
	}
	return d.text(), nil
}

// replace writes text beside the file and renames it over the file, or over what
// it links to, keeping mode and owner.
func replace(path string, old, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	target, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		target, err = path, danglingLink(path)
	}
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(target), ".config-*.yaml")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }() // gone already when all went well
	if err := write(temp, target, text); err != nil {
		return err
	}
	now, err := os.ReadFile(target)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if !bytes.Equal(now, old) {
		return &Error{Path: path, Problem: "was changed by somebody else meanwhile", Suggestion: "try again"}
	}
	return os.Rename(temp.Name(), target)
}

func danglingLink(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return &Error{Path: path, Problem: "is a link to a file that does not exist"}
	}
	return nil
}

// write fills the temporary file, closes it and gives it the mode and owner of
// the file it will replace. A new one keeps the 0600 it was made with.
func write(temp *os.File, target string, text []byte) error {
	defer temp.Close()
	if info, err := os.Stat(target); err == nil {
		if !info.Mode().IsRegular() {
			return &Error{Path: target, Problem: "is not a regular file"}
		}
		keepOwner(temp, info)
		if err := temp.Chmod(info.Mode().Perm()); err != nil {
			return err
		}
	}
	if _, err := temp.Write(text); err != nil {
		return err
	}
	if err := temp.Sync(); err != nil {
		return err
	}
	return temp.Close()
}
