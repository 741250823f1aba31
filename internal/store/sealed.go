package store

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"filippo.io/age"
	"github.com/authctl/authctl/internal/files"
)

// sealedSuffix ends the names of sealed files.
const sealedSuffix = ".age"

// sealedDir is a directory of files sealed with age (https://age-encryption.org/v1),
// one per record, named by the key's digest. Plain text never reaches the disk.
// Errors are the file system's or say why the directory is unsafe; reading also fails with
// one that wraps ErrNotFound.
type sealedDir struct{ privateDir }

// temporary is the pattern of the names that files have until they are whole.
const temporary = "*.tmp"

// maxSealed is the most that is read as one sealed record: age adds some 200 bytes, and 16
// to each 64 KiB.
const maxSealed = maxStored + 64<<10

// write seals plain to a file of mode 0600. Readers see the old file or the new one.
func (d sealedDir) write(digest string, to age.Recipient, plain []byte) error {
	if err := d.make(); err != nil {
		return err
	}
	path := d.file(digest)
	// A file of whatever kind is replaced; a directory only when it is empty.
	if info, err := os.Lstat(path); err == nil && info.IsDir() && os.Remove(path) != nil {
		return &UnusableError{Problem: Refused, Hint: "remove it", Err: errors.New(path + " is a directory")}
	}
	return files.Replace(path, temporary, func(tmp *os.File) error { return Seal(tmp, to, plain) })
}

// Seal writes plain, sealed with age, to w.
func Seal(w io.Writer, to age.Recipient, plain []byte) error {
	sealing, err := age.Encrypt(w, to)
	if err != nil {
		return err
	}
	if _, err := sealing.Write(plain); err != nil {
		return err
	}
	return sealing.Close()
}

// read opens the file of digest.
func (d sealedDir) read(digest string, with age.Identity) ([]byte, error) {
	if none, err := d.look(); none {
		return nil, cmp.Or(err, ErrNotFound)
	}
	path := d.file(digest)
	sealed, err := files.Read(context.Background(), path, files.Rule{Limit: maxSealed, Anybodys: true})
	unfit, isUnfit := errors.AsType[*files.Error](err)
	switch {
	case err == nil:
		return Open(path, sealed, with)
	case isUnfit:
		return nil, notFound(unfit.Error())
	case errors.Is(err, files.ErrTooLong):
		return nil, notFound(path + " is damaged: " + err.Error())
	case errors.Is(err, fs.ErrPermission):
		// Another user's, in a directory of ours: it can be replaced.
		return nil, notFound(path + " cannot be read: permission denied")
	case errors.Is(err, fs.ErrNotExist):
		return nil, ErrNotFound
	}
	return nil, err
}

// Open opens what Seal has sealed. Errors are an *UnopenedError, and name it by its place.
func Open(place string, sealed []byte, with age.Identity) ([]byte, error) {
	plain, err := age.Decrypt(bytes.NewReader(sealed), with)
	if _, ok := errors.AsType[*age.NoIdentityMatchError](err); ok {
		return nil, &UnopenedError{place + " is sealed with another key"}
	}
	var text []byte
	if err == nil {
		text, err = io.ReadAll(io.LimitReader(plain, maxStored+1))
	}
	if err != nil {
		return nil, &UnopenedError{place + " is damaged"}
	}
	return text, nil
}

// remove removes the file of digest; it is no error when there is none.
func (d sealedDir) remove(digest string) error {
	if none, err := d.look(); none {
		return err
	}
	return removeFile(d.file(digest))
}

// digests returns the digests of what is there.
func (d sealedDir) digests() ([]string, error) {
	if none, err := d.look(); none {
		return nil, err
	}
	return digestsIn(d.path, sealedSuffix)
}

func (d sealedDir) file(digest string) string { return filepath.Join(d.path, digest+sealedSuffix) }
