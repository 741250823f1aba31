package edit

import (
	"bytes"
	"errors"
	"io/fs"

	"github.com/authctl/authctl/internal/config"
)

// Revision is a change of one file of a configuration that is not written yet.
type Revision struct {
	// Path is the file that changes.
	Path string

	of        *config.File
	old, text []byte
}

// revise changes a file of the configuration as it is by now.
func revise(f *config.File, path string, change func(*draft) error) (*Revision, error) {
	old, err := f.Raw(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	text, err := changed(old, change)
	if err != nil {
		return nil, located(path, err)
	}
	return &Revision{Path: path, of: f, old: old, text: text}, nil
}

// Set gives keys of a profile other values, where they stand, and takes others out; new ones come
// behind the last. The file that changes is the one that the profile is in, also an included one.
// Comments, order and layout stay. Errors are *setting.Error; one wraps config.ErrNoProfile when there is
// no such profile. What a merge or an alias brings in is not taken out, and what others refer to by an
// anchor is not changed: that has to be done by hand.
func Set(f *config.File, profile string, values []Setting, gone []string) (*Revision, error) {
	path, _, err := f.Where(profile)
	if err != nil {
		return nil, err
	}
	if path == "" {
		path = f.Path
	}
	return revise(f, path, func(d *draft) error { return d.set(profile, values, gone) })
}

// Rename gives a profile of the file itself another name, also where default_profile and the
// references of that file name it, as other says of each. Errors are as of Set; one wraps ErrExists when the
// name is taken.
func Rename(f *config.File, profile, name string, other Other) (*Revision, error) {
	return revise(f, f.Path, func(d *draft) error { return d.rename(profile, name, other) })
}

// Changes reports whether anything does.
func (r *Revision) Changes() bool { return !bytes.Equal(r.old, r.text) }

// File is the configuration as it will be. Errors are *setting.Error.
func (r *Revision) File() (*config.File, error) { return r.of.Revised(r.Path, r.text) }

// Write writes it, as Add writes; nothing where nothing changes. An error wraps ErrChanged when the file
// is not as it was any more.
func (r *Revision) Write() error {
	if !r.Changes() {
		return nil
	}
	return unwritten(r.Path, replace(r.of, r.Path, r.old, r.text))
}
