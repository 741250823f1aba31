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
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
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
	Services []providers.Service
	// Resolver is what secret references are fetched with.
	Resolver Resolver
}

// Locate returns the path of the configuration file and whether it was named by
// flag or environment. The path is empty when there is no home directory.
func (o Options) Locate() (path string, named bool) {
	if o.Path != "" {
		return o.Path, true
	}
	env := environ(o.LookupEnv)
	if path := env.get("AUTHCTL_CONFIG"); path != "" {
		return path, true
	}
	dir := env.configDir()
	if dir == "" {
		return "", false
	}
	return filepath.Join(dir, "authctl", "config.yaml"), false
}

// environ reads variables; one that is set to nothing counts as unset.
type environ func(string) (string, bool)

func (e environ) get(name string) string {
	if e == nil {
		return os.Getenv(name)
	}
	value, _ := e(name)
	return value
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
		return e.get("APPDATA")
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
		return e.get("USERPROFILE")
	}
	return e.get("HOME")
}

// File is a configuration that has been read. It is for one goroutine; the
// secrets of the profiles it gives are for any number.
type File struct {
	// Path is where the file is, or would be; empty when there is no place.
	Path string

	env      environ
	services []providers.Service
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
	path, named := o.Locate()
	f := &File{Path: path, env: environ(o.LookupEnv), services: o.Services}
	f.refs = newResolver(o.Resolver, f.env)
	if path == "" {
		f.simple = true
		return f, nil
	}
	text, err := readConfig(path)
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

// readConfig reads the file at path and refuses one that others can change,
// because its references run commands.
func readConfig(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, unreadable(path, err)
	}
	if problem := unsafeConfig(info); problem != "" {
		return nil, &Error{
			Path: path, Problem: problem,
			Suggestion: "the file can name commands to run; make it yours alone: chown it to your user and chmod 600",
		}
	}
	text, err := readLimited(file, info.Size(), maxConfig)
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
	if errors.Is(err, fs.ErrNotExist) {
		e.Problem = "does not exist"
		e.Suggestion = "create it with: authctl profile add NAME"
	}
	return e
}

// service returns the service of that name.
func (f *File) service(name string) (providers.Service, bool) {
	for _, s := range f.services {
		if s.Name == name {
			return s, true
		}
	}
	return providers.Service{}, false
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
func MayBeShown(name string) bool { return validName(name) && !oauth.MayBeToken(name) }

// notAName is the error for what cannot be the name of a new profile.
func notAName(name string) *Error {
	return &Error{Problem: "what was given is not a name for a profile", Suggestion: nameHint(name, nil)}
}

// nameHint says what to do about what was given as a name and cannot be one.
func nameHint(name string, names []string) string {
	switch best := providers.Nearest(name, names); {
	case best != "":
		return "did you mean " + best + "?"
	case oauth.MayBeToken(name):
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
