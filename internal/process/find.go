package process

import (
	"cmp"
	"errors"
	"io/fs"
	"os/exec"
	"path/filepath"
)

// Find returns the path of a program that the user named, as execvp(3) finds it: in
// relative directories of PATH too. The error is a *Error: 127 when there is none, 126
// when it cannot be executed.
func Find(path, name string) (string, error) {
	return lookUp(path, name, func(string) bool { return true })
}

// FindOwn is Find for what authctl chooses to run: who does not name a program
// does not mean one that lies in the directory they happen to be in.
func FindOwn(path, name string) (string, error) { return lookUp(path, name, filepath.IsAbs) }

func lookUp(list, name string, allowed func(dir string) bool) (string, error) {
	if name == "" || filepath.Base(name) != name {
		path, err := exec.LookPath(name)
		return path, exited(err)
	}
	missing := exec.ErrNotFound
	for _, dir := range filepath.SplitList(list) {
		if !allowed(dir) {
			continue
		}
		// With a separator nothing else is looked into.
		path, err := exec.LookPath(cmp.Or(dir, ".") + string(filepath.Separator) + name)
		if err == nil {
			return path, nil
		}
		if errors.Is(err, fs.ErrPermission) {
			missing = fs.ErrPermission
		}
	}
	return "", exited(&exec.Error{Name: name, Err: missing})
}
