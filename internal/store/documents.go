package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/authctl/authctl/internal/files"
)

// maxDocument is the most that is read as one document, in bytes.
const maxDocument = 1 << 20

// Documents keep what is public, by name: what issuers say of themselves. It is not secret; but
// whoever could write it would decide where secrets are sent, so that the files must be this
// user's, and writable by nobody else.
type Documents struct {
	// FileLocks are the locks under which a document is asked for.
	FileLocks
	// Dir holds a file of mode 0600 for each name. It is created with mode 0700.
	Dir string
	// Apart are what else tells documents apart: what one is told in one way says nothing of
	// what one is told in another.
	Apart []string
	// Warn is told of what is there and not safe to be read; nil means nobody is.
	Warn func(text string)
}

// Get returns what is kept under a name, nil when nothing is. The error says why what is there
// is not read: the directory or the file is not safe, or the file system's.
func (d *Documents) Get(ctx context.Context, name string) ([]byte, error) {
	none, err := d.dir().look()
	if none && err == nil {
		return nil, nil
	}
	var text []byte
	if err == nil {
		text, err = files.Read(ctx, d.file(name), files.Rule{Trust: d.Trust, Limit: maxDocument})
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil && d.Warn != nil {
		d.Warn("what the issuer said is not believed, and it is asked again: " + err.Error())
	}
	return text, err
}

// Put keeps a text, in the place of what was there. Errors are as Get's.
func (d *Documents) Put(_ context.Context, name string, text []byte) error {
	if err := d.dir().make(); err != nil {
		return err
	}
	return files.Replace(d.file(name), temporary, func(file *os.File) error {
		_, err := file.Write(text)
		return err
	})
}

// Lock waits for the right to ask for a document. A lock that cannot be had at all costs that but
// one asks; the error is a *LockError that is Busy.
func (d *Documents) Lock(ctx context.Context, name string) (unlock func(), err error) {
	lock, err := d.named(ctx, d.digest(name))
	if unusable, ok := errors.AsType[*LockError](err); ok && unusable.Busy {
		return nil, unusable
	}
	if err != nil {
		return func() {}, nil //nolint:nilerr // as said above
	}
	return func() { _ = lock.Unlock() }, nil
}

func (d *Documents) dir() privateDir { return privateDir{d.Dir, writableByOthers, d.Trust} }

func (d *Documents) file(name string) string { return filepath.Join(d.Dir, d.digest(name)+".json") }

// digest is what a document's files are named by.
func (d *Documents) digest(name string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", append([]string{name}, d.Apart...)))
	return hex.EncodeToString(sum[:])
}
