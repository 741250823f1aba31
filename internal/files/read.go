// Package files is the one place for what lies on the disk and was written by others or
// by us: where a path leads, whether a file may be believed, how much of it is read and
// for how long, what a paste or an editor has added to its text, and how a file is
// replaced so that it stays.
//
// Errors are the file system's, an *Error, or the cause of the context's end. None holds anything of what was read.
package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// ErrTooLong says that a file has more than was to be read of it.
var ErrTooLong = errors.New("it is too long")

// Rule is what is asked of one file.
type Rule struct {
	Trust
	// Limit is the most that is read, in bytes; 0 reads nothing.
	Limit int64
	// Pipe says that a pipe may stand for the file, such as a shell's <(…). Reading it
	// ends with the context.
	Pipe bool
	// Device says that a device may, such as /dev/null for no configuration.
	Device bool
	// Secret says that what others can read is worth a warning.
	Secret bool
	// Anybodys says that owner and mode do not matter, because what is in the file is
	// checked by itself or its directory is private.
	Anybodys bool
}

// Read returns what is in the file at path. A file that is neither regular nor what the
// rule lets stand for one is not opened, and nothing is waited for longer than ctx lasts.
func Read(ctx context.Context, path string, r Rule) ([]byte, error) {
	return Await(ctx, func() ([]byte, error) { return r.read(path) })
}

// read looks at a file before it opens it, and once more at what was opened. A pipe is
// opened as it is, because it waits for its writer; everything else must not wait, whatever
// stands there by then.
func (r Rule) read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil {
		err = r.Check(path, info)
	}
	if err != nil {
		return nil, err
	}
	flag := os.O_RDONLY | NonBlock
	if info.Mode().Type() == fs.ModeNamedPipe {
		flag = os.O_RDONLY
	}
	file, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err = file.Stat(); err == nil {
		err = r.Check(path, info)
	}
	if err != nil {
		return nil, err
	}
	r.tell(path, info)
	return ReadLimited(file, info.Size(), r.Limit)
}

// ReadLimited reads all of in, at most limit bytes; size is how much is expected.
func ReadLimited(in io.Reader, size, limit int64) ([]byte, error) {
	text := bytes.NewBuffer(make([]byte, 0, min(size, limit)+bytes.MinRead))
	n, err := text.ReadFrom(io.LimitReader(in, limit+1))
	if err == nil && n > limit {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrTooLong, limit)
	}
	return text.Bytes(), err
}

// Await runs read, which may block for ever (a pipe nobody writes to), and leaves it
// behind when ctx ends first; the error is the cause then.
func Await[T any](ctx context.Context, read func() (T, error)) (T, error) {
	type answer struct {
		got T
		err error
	}
	answers := make(chan answer, 1)
	go func() {
		got, err := read()
		answers <- answer{got, err}
	}()
	select {
	case a := <-answers:
		return a.got, a.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}
