package proxy

import (
	"errors"
	"io"
	"sync"
)

// maxKept is the size up to which the body of a request is kept to be sent again.
const maxKept = 1 << 20

// errReplaced is what an attempt reads when another has begun.
var errReplaced = errors.New("the request is sent again")

// body is the body of a request that may have to be sent again. What was read of it is kept while
// it is small, so memory does not grow with it.
type body struct {
	from io.Reader
	// reading is held by who reads from it: an attempt that was given up may still wait there.
	reading sync.Mutex

	mu sync.Mutex // guards what follows
	// kept is what the live attempt, or the next, has still to read before from: all from the
	// beginning while whole is set.
	kept  []byte
	whole bool
	// ended is what from has returned last, nil before its end.
	ended error
	live  *attempt
}

// attempt reads a body from its beginning, for one try of the request.
type attempt struct {
	of *body
	// at is how much of what is kept was read.
	at int
}

func newBody(from io.Reader) *body { return &body{from: from, whole: true} }

// begin returns the body from its beginning, and ends the attempt before; false when what
// was read is not kept any more.
func (b *body) begin() (io.ReadCloser, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.whole {
		return nil, false
	}
	b.live = &attempt{of: b}
	return b.live, true
}

// Read reads what is kept and then on; see io.Reader.
func (a *attempt) Read(p []byte) (int, error) {
	if n, ok, err := a.readKept(p); ok {
		return n, err
	}
	a.of.reading.Lock()
	defer a.of.reading.Unlock()
	// The attempt before may have read on meanwhile.
	if n, ok, err := a.readKept(p); ok {
		return n, err
	}
	n, err := a.of.from.Read(p)
	return a.note(p[:n], err)
}

// readKept reads without waiting; false when there is nothing to be had so.
func (a *attempt) readKept(p []byte) (n int, ok bool, err error) {
	b := a.of
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.live != a:
		return 0, true, errReplaced
	case a.at < len(b.kept):
		n = copy(p, b.kept[a.at:])
		a.at += n
		return n, true, nil
	case b.ended != nil:
		return 0, true, b.ended
	}
	return 0, false, nil
}

// note keeps what was read, for the attempts to come and for one that has taken this one's place.
func (a *attempt) note(p []byte, err error) (int, error) {
	b := a.of
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = err
	if b.live != a {
		b.kept = append(b.kept, p...)
		return 0, errReplaced
	}
	if b.whole && len(b.kept)+len(p) > maxKept {
		b.whole, b.kept, a.at = false, nil, 0
	}
	if b.whole {
		b.kept = append(b.kept, p...)
		a.at += len(p)
	}
	return len(p), err
}

// Close does nothing: the body is the client's, and its server closes it. See io.Closer.
func (a *attempt) Close() error { return nil }
