package source

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
)

// Kept says whether the secret of a reference is where this program may put another one: an entry of
// the keyring, or a regular file of this user's. Else the *setting.Error says where to change it.
func (f *Fetcher) Kept(n Need) error {
	switch n.Kind {
	case "keyring":
		return nil
	case "file":
		return f.ownFile(n)
	case "env":
		return n.elsewhere("is the variable "+n.String(), "give the variable its new value where it is set; then see "+
			"that it works: authctl token get "+n.Profile+" --force-refresh")
	case "cmd":
		return n.elsewhere("is what "+n.String()+" prints", "change it where the command has it from; then see that it "+
			"works: authctl token get "+n.Profile+" --force-refresh")
	}
	return n.elsewhere("is asked for each time ("+n.String()+") and kept nowhere", "give the new one when it is asked for")
}

// elsewhere is the error of a secret that is not changed here.
func (n Need) elsewhere(problem, help string) error {
	return &setting.Error{Profile: n.Profile, Name: n.Setting, Origin: n.Origin, Problem: problem, Help: help}
}

// ownFile returns an error for a file that is not this user's.
func (f *Fetcher) ownFile(n Need) error {
	path, err := f.path(n.Reference)
	if err != nil {
		return n.Failed(err)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return n.Failed(ofFile(err))
	case !info.Mode().IsRegular() || !files.Mine(info):
		return n.elsewhere("is in "+n.String()+", which is no file of yours", "change it where that file comes from")
	}
	return nil
}

// PutFile puts a secret into the file of a reference, in the place of the one there and at once: who
// reads has the one or the other. Mode, owner and whether a line end follows stay. Errors are
// *setting.Error.
func (f *Fetcher) PutFile(ctx context.Context, n Need, value secret.Secret) error {
	path, err := f.path(n.Reference)
	if err == nil {
		path, err = linked(path)
	}
	if err != nil {
		return n.Failed(ofFile(err))
	}
	old, err := files.Read(ctx, path, files.Rule{Trust: f.Trust, Limit: maxSecret})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return n.Failed(ofFile(err))
	}
	text := []byte(value.Reveal())
	if bytes.HasSuffix(old, []byte("\n")) {
		text = append(text, '\n')
	}
	err = files.Replace(path, ".authctl-secret-*", func(temp *os.File) error {
		if info, err := os.Stat(path); err == nil {
			files.KeepOwner(temp, info)
			if err := temp.Chmod(info.Mode().Perm()); err != nil {
				return err
			}
		}
		_, err := temp.Write(text)
		return err
	})
	if err != nil {
		return n.elsewhere("cannot be written to "+n.String()+": "+ofFile(err).Error(),
			"change it where that file comes from")
	}
	return nil
}

// linked is where a file really is, itself where it is not there yet.
func linked(path string) (string, error) {
	target, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return path, nil
	}
	return target, err
}
