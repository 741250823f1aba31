// Package config reads what a person or a pipeline has set: the profiles of the
// YAML file, the environment, and the references under which secrets are found.
// Package edit below it changes the file in place.
//
// Each profile names a service and gives its settings. A value comes from the
// first of: flag, environment variable, profile, the service's default. Profile
// names are lower case, [a-z0-9][a-z0-9._-]*, because keys are folded to lower
// case when the file is read.
package config

import (
	"io/fs"
	"path/filepath"
	"time"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/setting"
)

// Options say where configuration is looked for. The zero value reads the user's
// own file and knows no service.
type Options struct {
	// New says that the file may be missing although it was named, because it is
	// about to be made.
	New bool
	// Path is the file as named by a flag. Empty means $AUTHCTL_CONFIG, else
	// authctl/config.yaml in files.Environ's ConfigDir.
	Path string
	// Services are the services a profile may name.
	Services providers.Services
	// Fetcher is what secret references are fetched with. Its environment is that of
	// the profiles and its Trust that of the file too; nil is one without anything.
	Fetcher *source.Fetcher
	// Timeout is how long reading the file may take, which may be a pipe; 0 means 30
	// seconds.
	Timeout time.Duration
	// NoPipe refuses a pipe unread, for what only looks: it can be read once.
	NoPipe bool

	// revised are texts that stand for those of files, by path.
	revised map[string][]byte
}

func (o Options) env() files.Environ {
	if o.Fetcher == nil {
		return nil
	}
	return o.Fetcher.Env
}

// Locate returns the path of the configuration file and whether it was named by
// flag or environment. The path is empty when there is no home directory. The error is
// an *setting.Error.
func (o Options) Locate() (path string, named bool, err error) {
	env := o.env()
	if o.Path != "" {
		path, err := Path(env, "--config", o.Path)
		return path, true, err
	}
	if path, err := Path(env, "AUTHCTL_CONFIG", env.Get("AUTHCTL_CONFIG")); path != "" || err != nil {
		return path, true, err
	}
	dir := env.ConfigDir()
	if dir == "" {
		return "", false, nil
	}
	return filepath.Join(dir, "authctl", "config.yaml"), false, nil
}

// Path reads a path that a flag or a variable named name gives: a leading ~/ is the home
// directory. The error is an *setting.Error.
func Path(env files.Environ, name, text string) (string, error) {
	path, err := files.Place(text, env.Home(), "")
	if err != nil {
		return "", &setting.Error{Name: name, Problem: err.Error(), Err: err}
	}
	return path, nil
}

// File is a configuration that has been read. It is for one goroutine; the
// secrets of the profiles it gives are for any number.
type File struct {
	// Path is where the file is, or would be; empty when there is no place.
	Path string

	options Options
	env     files.Environ
	stack
}

// Load reads the configuration file, and what it includes. It is no error when the default file is
// missing, but one that was named must be there. Only the outline is checked
// here: a mistake in one profile does not disturb the others. Errors are *setting.Error.
func Load(o Options) (*File, error) {
	path, named, err := o.Locate()
	if err != nil {
		return nil, err
	}
	if o.Fetcher == nil {
		o.Fetcher = &source.Fetcher{}
	}
	f := &File{Path: path, options: o, env: o.env()}
	if path == "" {
		return f, nil
	}
	r := reader{options: o}
	if err := r.readAll(path, named); err != nil {
		return nil, err
	}
	f.stack = stack{layers: r.layers}
	f.parseOdd()
	return f, nil
}

// Raw reads the bytes of the file, or of what it links to, as they are by now. A pipe is
// refused: it cannot be written. Errors are *setting.Error.
func (f *File) Raw(path string) ([]byte, error) {
	r := reader{options: f.options}
	return r.raw(path, false)
}

// Revised returns the configuration as it is with another text of one of its files. Errors are those
// of Load.
func (f *File) Revised(path string, text []byte) (*File, error) {
	o := f.options
	o.Path, o.New, o.NoPipe, o.revised = f.Path, true, true, map[string][]byte{path: text}
	return Load(o)
}

// Trust says whose files are believed.
func (f *File) Trust() files.Trust { return f.options.Fetcher.Trust }

// Part is one file of a configuration.
type Part struct {
	Path string
	// Mode are the permissions, and Readable whether other users may read it.
	Mode     fs.FileMode
	Readable bool
}

// Parts are the files of the configuration, the one that was named first; none when it is not
// there.
func (f *File) Parts() []Part {
	var parts []Part
	for _, l := range f.layers {
		if l.info != nil {
			parts = append(parts, Part{l.path, l.info.Mode().Perm(), files.ReadableByOthers(l.info)})
		}
	}
	return parts
}
