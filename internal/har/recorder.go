package har

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/authctl/authctl/internal/network"
	"github.com/authctl/authctl/internal/secret"
)

// Recorder writes exchanges into a file, which is a whole archive at every moment. It may be used by
// many goroutines at once; a nil Recorder records nothing.
type Recorder struct {
	// Warn gets a line, once, where something could not be written.
	Warn func(text string)

	eraser *eraser
	turn   sync.Mutex
	file   *os.File
	// made is the file as it was made.
	made os.FileInfo
	// end is where the next entry goes.
	end     int64
	entries int
	// known is how many secrets were known when the first entry was written.
	known int
	// broken says that nothing is written any more.
	broken bool
}

// PathError says why a file cannot be the one to record into.
type PathError struct {
	// Problem is a clause without a subject: "is there already".
	Problem string
	// Help is what to do.
	Help string
	Err  error
}

// Error returns the problem.
func (e *PathError) Error() string { return e.Problem }

// Unwrap returns the cause.
func (e *PathError) Unwrap() error { return e.Err }

// tail ends an archive.
const tail = "\n]}}\n"

// comment is for who opens the file.
const comment = "Secrets, tokens, codes and cookies are replaced: secret:1a2b3c4d is a fingerprint, equal for equal " +
	"values in this file and in no other. JWTs show header and claims and have no signature."

// Create makes the file, which must not be there yet, also not as a link, with mode 0600 and no
// entries. Errors are *PathError.
func Create(path, version string) (*Recorder, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil, &PathError{"is there already, and is not overwritten", "name another file, or remove that one", err}
	case err != nil:
		return nil, &PathError{"cannot be made: " + reason(err), "name a file in a directory of yours", err}
	}
	r := &Recorder{eraser: newEraser(), file: f}
	empty := archive{log{
		Version: "1.2", Creator: creator{"authctl", version}, Pages: []string{}, Comment: comment, Entries: []*entry{},
	}}
	text, err := head(empty)
	if err == nil {
		r.end, err = int64(len(text)), write(f, 0, text, tail)
	}
	if err == nil {
		r.made, err = f.Stat()
	}
	if err != nil {
		_ = f.Close()
		return nil, &PathError{"cannot be written: " + reason(err), "see that there is room", err}
	}
	return r, nil
}

// head is the text of an archive up to its first entry.
func head(of archive) (string, error) {
	text, err := secret.JSON(of)
	return string(bytes.TrimSuffix([]byte(text), []byte("]}}"))), err
}

// reason is an error without the path, which the message has already.
func reason(err error) string {
	if outer, ok := errors.AsType[*fs.PathError](err); ok {
		err = outer.Err
	}
	return err.Error()
}

// write puts text and the tail at a place in one call, so that what is there is whole before and
// after it.
func write(f *os.File, at int64, text, tail string) error {
	_, err := f.WriteAt([]byte(text+tail), at)
	return err
}

// Withhold has secrets of the process be replaced wherever they stand.
func (r *Recorder) Withhold(secrets ...secret.Secret) {
	if r == nil {
		return
	}
	for _, s := range secrets {
		r.eraser.hold(s.Reveal())
	}
}

// Add records an exchange.
func (r *Recorder) Add(x *network.Exchange) {
	if r == nil {
		return
	}
	r.eraser.hold(x.Secrets...)
	// The first time finds what stands where secrets are, to look for it everywhere the second time.
	r.eraser.entry(x)
	text, err := secret.JSON(r.eraser.entry(x))
	r.turn.Lock()
	defer r.turn.Unlock()
	if r.broken {
		return
	}
	if err == nil {
		err = r.append(text)
	}
	if err != nil {
		r.fail(err)
	}
}

func (r *Recorder) append(text string) error {
	separator := "\n"
	if r.entries > 0 {
		separator = ",\n"
	} else {
		r.known = r.eraser.number()
	}
	if err := write(r.file, r.end, separator+text, tail); err != nil {
		// What is there stays whole.
		_ = write(r.file, r.end, "", tail)
		_ = r.file.Truncate(r.end + int64(len(tail)))
		return err
	}
	r.end += int64(len(separator) + len(text))
	r.entries++
	return nil
}

func (r *Recorder) fail(err error) {
	r.broken = true
	if r.Warn != nil {
		r.Warn("the trace cannot be written any more: " + reason(err))
	}
}

// Close looks once more for secrets that came to be known after something was written, and closes the
// file, or removes it where nothing was asked. It returns how many requests were recorded.
func (r *Recorder) Close() int {
	if r == nil {
		return 0
	}
	r.turn.Lock()
	defer r.turn.Unlock()
	if !r.broken && r.entries > 0 && r.eraser.number() > r.known {
		if err := r.again(); err != nil {
			r.fail(err)
		}
	}
	if err := r.file.Close(); err != nil && !r.broken {
		r.fail(err)
	}
	if r.entries == 0 && !r.broken {
		r.remove()
	}
	r.broken = true // what comes later has no file
	return r.entries
}

// remove removes the file, unless another one is in its place by now.
func (r *Recorder) remove() {
	here, err := os.Lstat(r.file.Name())
	if err == nil && os.SameFile(here, r.made) {
		_ = os.Remove(r.file.Name())
	}
}

// again writes the entries without what is known by now.
func (r *Recorder) again() error {
	text, err := io.ReadAll(io.NewSectionReader(r.file, 0, r.end+int64(len(tail))))
	if err != nil {
		return err
	}
	var all archive
	if err := json.Unmarshal(text, &all); err != nil {
		return fmt.Errorf("it was changed by somebody else: %w", err)
	}
	entries := all.Log.Entries
	all.Log.Entries = []*entry{}
	next, err := head(all)
	if err != nil {
		return err
	}
	for i, one := range entries {
		one.mask(r.eraser.masked)
		line, err := secret.JSON(one)
		if err != nil {
			return err
		}
		next += map[bool]string{true: ",\n", false: "\n"}[i > 0] + line
	}
	if next += tail; next == string(text) {
		return nil
	}
	if err := write(r.file, 0, next, ""); err != nil {
		return err
	}
	return r.file.Truncate(int64(len(next)))
}
