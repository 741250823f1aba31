package store

import (
	"bytes"
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
// Errors are the file system's or an *unsafeDirError; reading also fails with an
// error that wraps ErrNotFound. Below the home of another user there is nothing.
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
	return files.Replace(d.file(digest), temporary, func(tmp *os.File) error { return seal(tmp, to, plain) })
}

func seal(w io.Writer, to age.Recipient, plain []byte) error {
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
	if d.isForeign() {
		return nil, ErrNotFound
	}
	if err := d.check(); err != nil {
		return nil, missing(err)
	}
	sealed, err := files.Read(context.Background(), d.file(digest), files.Rule{Limit: maxSealed, Anybodys: true})
	if unsafe, ok := errors.AsType[*files.UnsafeError](err); ok {
		return nil, notFound(unsafe.Error())
	}
	if errors.Is(err, files.ErrTooLong) {
		return nil, notFound(d.file(digest) + " is damaged: " + err.Error())
	}
	if err != nil {
		return nil, missing(err)
	}
	plain, err := age.Decrypt(bytes.NewReader(sealed), with)
	if _, ok := errors.AsType[*age.NoIdentityMatchError](err); ok {
		return nil, &UnopenedError{d.file(digest) + " is sealed with another key"}
	}
	if err != nil {
		return nil, &UnopenedError{d.file(digest) + " is damaged"}
	}
	data, err := io.ReadAll(io.LimitReader(plain, maxStored+1))
	if err != nil {
		return nil, &UnopenedError{d.file(digest) + " is damaged"}
	}
	return data, nil
}

// remove removes the file of digest; it is no error when there is none.
func (d sealedDir) remove(digest string) error {
	if d.isForeign() {
		return nil
	}
	if err := d.check(); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	return removeFile(d.file(digest))
}

// digests returns the digests of what is there.
func (d sealedDir) digests() ([]string, error) {
	if d.isForeign() {
		return nil, nil
	}
	if err := d.check(); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, err
	}
	return digestsIn(d.path, sealedSuffix)
}

func (d sealedDir) file(digest string) string { return filepath.Join(d.path, digest+sealedSuffix) }

// missing turns the file system's word for "no such file" into ours.
func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	return err
}
