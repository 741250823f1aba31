package oauth

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
)

// announcementKey is the context key of an announcement.
type announcementKey struct{}

// WithAnnouncement returns a context under which announce is called right before a
// refresh token is written to a connection: the credentials are fetched, the connection
// stands, and the request's head is on its way. When announce fails, the token is not
// sent, and its error is returned as it is. It may be called again for a second try.
func WithAnnouncement(ctx context.Context, announce func() error) context.Context {
	return context.WithValue(ctx, announcementKey{}, announce)
}

// Announce is for those who send a refresh token by themselves and not with a Client:
// it calls what WithAnnouncement was given, if it was.
func Announce(ctx context.Context) error {
	if announce, ok := ctx.Value(announcementKey{}).(func() error); ok {
		return announce()
	}
	return nil
}

// announced is a request's body that is announced before it is read. The transport reads
// it when it is about to write it, on a goroutine of its own.
type announced struct {
	io.ReadCloser
	announce func() error

	mu    sync.Mutex
	asked bool
	// refusal is why nothing may be read any more.
	refusal error
}

// errOver ends a body whose request has been answered, or has failed, before it was read.
var errOver = errors.New("the request is over")

// announceBody puts an announced body into a request that spends a refresh token, nil
// for any other. The transport must not read it twice, so it gets no way to.
func announceBody(req *http.Request, d *draft) *announced {
	ctx := req.Context()
	if !d.form.Has("refresh_token") || ctx.Value(announcementKey{}) == nil {
		return nil
	}
	b := &announced{ReadCloser: req.Body, announce: func() error { return Announce(ctx) }}
	req.Body, req.GetBody = b, nil
	return b
}

// Read announces first; see io.Reader.
func (b *announced) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.asked && b.refusal == nil {
		b.asked, b.refusal = true, b.announce()
	}
	if b.refusal != nil {
		return 0, b.refusal
	}
	return b.ReadCloser.Read(p)
}

// end is called when the request is over, whatever became of it: from then on nothing is
// announced. It returns why the announcement was refused, nil when it was not.
func (b *announced) end() error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	refused := b.refusal
	b.refusal = errOver
	return refused
}
