package files

import (
	"cmp"
	"os"
	"path/filepath"
	"runtime"
)

// Environ reads a variable of the environment; nil reads those of this process. One that
// is set to nothing counts as unset, but for Has.
type Environ func(name string) (value string, found bool)

// Has reports whether a variable is there, be it empty.
func (e Environ) Has(name string) bool {
	_, ok := e.lookup(name)
	return ok
}

// Raw returns a variable as it is: that of a secret.
func (e Environ) Raw(name string) string {
	value, _ := e.lookup(name)
	return value
}

// Get returns what a variable says, without what a paste has left around it.
func (e Environ) Get(name string) string { return Tidy(e.Raw(name)) }

func (e Environ) lookup(name string) (string, bool) {
	if e == nil {
		return os.LookupEnv(name)
	}
	return e(name)
}

// dir returns the directory that a variable names. A relative one is ignored, as the XDG
// Base Directory Specification has it: it would be another one in each directory.
func (e Environ) dir(name string) string {
	if dir := e.Get(name); filepath.IsAbs(dir) {
		return dir
	}
	return ""
}

// Home returns the user's home directory, empty when there is none.
func (e Environ) Home() string {
	if runtime.GOOS == "windows" {
		return e.dir("USERPROFILE")
	}
	return e.dir("HOME")
}

// RuntimeDir returns $XDG_RUNTIME_DIR, which is private and in memory; empty where there
// is none.
func (e Environ) RuntimeDir() string { return e.dir("XDG_RUNTIME_DIR") }

// TempDir is where temporary files go: $TMPDIR, else the system's directory.
func (e Environ) TempDir() string {
	if runtime.GOOS == "windows" {
		return os.TempDir()
	}
	return cmp.Or(e.dir("TMPDIR"), "/tmp")
}

// ConfigDir is where programs keep configuration: $XDG_CONFIG_HOME, else the platform's
// own place: ~/.config, ~/Library/Application Support, or %APPDATA%. It is empty when
// there is no home directory.
func (e Environ) ConfigDir() string {
	return e.base("XDG_CONFIG_HOME", "APPDATA", ".config")
}

// StateDir is where authctl keeps what is not secret, or is sealed: below
// $XDG_STATE_HOME, else in the platform's own place. It is empty when there is no home
// directory: nothing is put below the working directory.
func (e Environ) StateDir() string {
	base := e.base("XDG_STATE_HOME", "LOCALAPPDATA", filepath.Join(".local", "state"))
	if base == "" {
		return ""
	}
	if e.dir("XDG_STATE_HOME") == "" && (runtime.GOOS == "windows" || runtime.GOOS == "darwin") {
		return filepath.Join(base, "authctl", "state")
	}
	return filepath.Join(base, "authctl")
}

// base is a directory of the XDG Base Directory Specification, or what the platform has
// in its place.
func (e Environ) base(xdg, windows, unix string) string {
	dir, home := e.dir(xdg), e.Home()
	switch {
	case dir != "":
		return dir
	case runtime.GOOS == "windows":
		return e.dir(windows)
	case home == "":
		return ""
	case runtime.GOOS == "darwin":
		return filepath.Join(home, "Library", "Application Support")
	}
	return filepath.Join(home, unix)
}
