// Package config reads what a person or a pipeline has set: the profiles of the
// YAML file, the environment, and the references under which secrets are found.
// It also changes the file in place, leaving everything else in it as it was.
//
// Each profile names a service and gives its settings. A value comes from the
// first of: flag, environment variable, profile, the service's default. Profile
// names are lower case, [a-z0-9][a-z0-9._-]*, because keys are folded to lower
// case when the file is read.
package config

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
)

// Options say where configuration is looked for. The zero value reads the user's
// own file and knows no service.
type Options struct {
	// New says that the file may be missing although it was named, because it is
	// about to be made.
	New bool
	// Path is the file as named by a flag. Empty means $AUTHCTL_CONFIG, else
	// $XDG_CONFIG_HOME/authctl/config.yaml, else the platform's own place:
	// ~/.config, ~/Library/Application Support, or %APPDATA%.
	Path string
	// LookupEnv reads the environment; nil means os.LookupEnv.
	LookupEnv func(string) (string, bool)
	// Services are the services a profile may name.
	Services []providers.Spec
	// Resolver is what secret references are fetched with; its Trust is that of the file
	// too.
	Resolver Resolver
	// Timeout is how long reading the file may take, which may be a pipe; 0 means 30
	// seconds.
	Timeout time.Duration
	// NoPipe refuses a pipe unread, for what only looks: it can be read once.
	NoPipe bool
}

// Locate returns the path of the configuration file and whether it was named by
// flag or environment. The path is empty when there is no home directory. The error is
// an *Error.
func (o Options) Locate() (path string, named bool, err error) {
	env := environ(o.LookupEnv)
	if o.Path != "" {
		path, err := env.place("--config", o.Path)
		return path, true, err
	}
	if path, err := env.path("AUTHCTL_CONFIG"); path != "" || err != nil {
		return path, true, err
	}
	dir := env.configDir()
	if dir == "" {
		return "", false, nil
	}
	return filepath.Join(dir, "authctl", "config.yaml"), false, nil
}

// environ reads variables; one that is set to nothing counts as unset.
type environ func(string) (string, bool)

// get returns what a variable says, without what a paste has left around it.
func (e environ) get(name string) string { return files.Tidy(e.raw(name)) }

// raw returns a variable as it is: that of a secret.
func (e environ) raw(name string) string {
	if e == nil {
		return os.Getenv(name)
	}
	value, _ := e(name)
	return value
}

// path returns the path that a variable gives; the error is an *Error.
func (e environ) path(name string) (string, error) { return e.place(name, e.get(name)) }

// place reads the path that a flag or a variable gives.
func (e environ) place(name, text string) (string, error) {
	path, err := files.Place(text, e.home(), "")
	if err != nil {
		return "", &Error{Key: name, Problem: err.Error(), Err: err}
	}
	return path, nil
}

// Path reads a path that a flag or a variable named name gives: a leading ~/ is the home
// directory. A nil lookup means os.LookupEnv. The error is an *Error.
func Path(lookup func(string) (string, bool), name, text string) (string, error) {
	return environ(lookup).place(name, text)
}

// configDir follows the XDG Base Directory Specification, which has relative
// paths ignored, and then the platform.
func (e environ) configDir() string {
	if dir := e.get("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return dir
	}
	home := e.home()
	switch {
	case runtime.GOOS == "windows":
		return absolute(e.get("APPDATA"))
	case home == "":
		return ""
	case runtime.GOOS == "darwin":
		return filepath.Join(home, "Library", "Application Support")
	}
	return filepath.Join(home, ".config")
}

// StateDir is where authctl keeps what is not secret, or is sealed: by the XDG Base
// Directory Specification, else the platform's own place. It is empty when there
// is no home directory: nothing is put below the working directory. A nil lookup
// means os.LookupEnv.
func StateDir(lookup func(string) (string, bool)) string {
	env := environ(lookup)
	if dir := env.get("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "authctl")
	}
	base := []string{env.home(), ".local", "state", "authctl"}
	switch runtime.GOOS {
	case "windows":
		base = []string{env.get("LOCALAPPDATA"), "authctl", "state"}
	case "darwin":
		base = []string{env.home(), "Library", "Application Support", "authctl", "state"}
	}
	if !filepath.IsAbs(base[0]) {
		return ""
	}
	return filepath.Join(base...)
}

func (e environ) home() string {
	if runtime.GOOS == "windows" {
		return absolute(e.get("USERPROFILE"))
	}
	return absolute(e.get("HOME"))
}

// absolute ignores a directory that would be another one in each directory.
func absolute(dir string) string {
	if !filepath.IsAbs(dir) {
		return ""
	}
	return dir
}

// Home returns the user's home directory, empty when there is none. A nil lookup means
// os.LookupEnv.
func Home(lookup func(string) (string, bool)) string { return environ(lookup).home() }

// RuntimeDir returns $XDG_RUNTIME_DIR, which is private and in memory; empty where there
// is none. A nil lookup means os.LookupEnv.
func RuntimeDir(lookup func(string) (string, bool)) string {
	return absolute(environ(lookup).get("XDG_RUNTIME_DIR"))
}

// File is a configuration that has been read. It is for one goroutine; the
// secrets of the profiles it gives are for any number.
type File struct {
	// Path is where the file is, or would be; empty when there is no place.
	Path string

	env      environ
	source   reader
	services []providers.Spec
	refs     *resolver
	text     []byte
	// layout is where each profile stands, known only when simple is true.
	layout layout
	simple bool
	// whole is the whole file, parsed when something asked for it.
	whole *document
}

// Load reads the configuration file. It is no error when the default file is
// missing, but one that was named must be there. Only the outline is checked
// here: a mistake in one profile does not disturb the others. Errors are *Error.
func Load(o Options) (*File, error) {
	path, named, err := o.Locate()
	if err != nil {
		return nil, err
	}
	f := &File{Path: path, env: environ(o.LookupEnv), source: o.source(), services: o.Services}
	f.refs = newResolver(o.Resolver, f.env)
	if path == "" {
		f.simple = true
		return f, nil
	}
	text, err := f.source.read(path)
	if errors.Is(err, fs.ErrNotExist) && (!named || o.New) {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	f.text = text
	f.layout, f.simple = scan(text)
	return f, nil
}

// maxConfig bounds a configuration file: some 20,000 profiles.
const maxConfig = 4 << 20

// reader is how a configuration file is read.
type reader struct {
	trust   files.Trust
	timeout time.Duration
	noPipe  bool
}

func (o Options) source() reader { return reader{o.Resolver.Trust, o.Timeout, o.NoPipe} }

// read reads the text of the file at path. Without a byte order mark it is what its
// author sees. UTF-16 with a mark stays as it is: YAML has it (YAML 1.2 §5.2).
func (r reader) read(path string) ([]byte, error) {
	raw, err := r.raw(path)
	if err != nil {
		return nil, err
	}
	text, err := files.Text(raw)
	if err != nil && files.IsMarkedUTF16(raw) {
		return raw, nil
	}
	if err != nil {
		return nil, unreadable(path, err)
	}
	return text, nil
}

// raw reads the file at path and refuses one that others can change, because its
// references run commands.
func (r reader) raw(path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), cmp.Or(r.timeout, 30*time.Second))
	defer cancel()
	text, err := files.Read(ctx, path, files.Rule{Trust: r.trust, Limit: maxConfig, Pipe: !r.noPipe, Device: true})
	if err != nil {
		return nil, unreadable(path, err)
	}
	return text, nil
}

func unreadable(path string, err error) error {
	cause := err
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		cause = pathErr.Err
	}
	e := &Error{Path: path, Problem: "cannot be read: " + cause.Error(), Err: err}
	unsafe, isUnsafe := errors.AsType[*files.UnsafeError](err)
	text, isText := errors.AsType[*files.TextError](err)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Problem = "does not exist"
		e.Suggestion = "create it with: authctl profile add NAME"
	case isUnsafe:
		e.Problem = unsafe.Problem
		if e.Suggestion = unsafe.Remedy; e.Suggestion != "" {
			e.Suggestion = "the file can name commands to run; " + e.Suggestion
		}
	case isText:
		e.Problem, e.Suggestion = text.Problem, text.Remedy
	case errors.Is(err, context.DeadlineExceeded):
		e.Problem, e.Suggestion = "is a pipe, and nobody wrote to it in time", "raise --timeout, or name a file"
	}
	return e
}

// service returns the service of that name.
func (f *File) service(name string) (providers.Spec, bool) {
	for _, s := range f.services {
		if s.Name == name {
			return s, true
		}
	}
	return providers.Spec{}, false
}

func (f *File) serviceNames() []string {
	names := make([]string, len(f.services))
	for i, s := range f.services {
		names[i] = s.Name
	}
	return names
}

// MayBeShown reports whether what was given as a profile's name can be repeated: what
// cannot be one, or looks like a token, may be a secret in the wrong place.
func MayBeShown(name string) bool { return validName(name) && !secret.MayBeToken(name) }

// notAName is the error for what cannot be the name of a new profile.
func notAName(name string) *Error {
	return &Error{Problem: "what was given is not a name for a profile", Suggestion: nameHint(name, nil)}
}

// nameHint says what to do about what was given as a name and cannot be one.
func nameHint(name string, names []string) string {
	switch best := providers.Nearest(name, names); {
	case best != "":
		return "did you mean " + best + "?"
	case secret.MayBeToken(name):
		return "that looks like a token: give it with --stdin, to authctl token inspect"
	}
	return "profile names are lower case letters, digits, dot, underscore and hyphen"
}

// validName reports whether name follows the rule for profile names.
func validName(name string) bool {
	for i := range len(name) {
		c := name[i]
		alphanumeric := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if !alphanumeric && (i == 0 || !strings.ContainsRune("._-", rune(c))) {
			return false
		}
	}
	return name != "" && len(name) <= 100
}
