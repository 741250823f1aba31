// Package proxy is a reverse proxy on loopback that shows a token to one upstream. Who asks it has to
// know the secret of its address, and never sees the token. It knows no command line and prints
// nothing.
package proxy

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"
)

// Options say what a proxy is for. All but Log, Words and Now are needed.
type Options struct {
	// To is where requests go: scheme, host and a path that all of them begin with.
	To *url.URL
	// Source has the tokens, and First is the one at hand.
	Source Source
	First  Token
	// Upstream does the requests.
	Upstream http.RoundTripper
	// Log is told of each request in one line: method, path, status and the milliseconds until the
	// reply's head. The path is without the secret and the query. It may be called by many goroutines
	// at once; nil means nobody is told.
	Log func(line string)
	// Words returns what is said to who asks as it may be shown; nil means as it is.
	Words func(Unavailable) Unavailable
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Proxy is one run of it. New makes one, Listen opens it and Close ends it.
type Proxy struct {
	Options

	secret string
	// host is the address's own authority, and url the address with the secret.
	host, url string

	tokens  *tokens
	reverse httputil.ReverseProxy
	server  http.Server
	serving sync.WaitGroup
	// end ends what is under way.
	end context.CancelFunc
}

const (
	// headerTimeout bounds how long a client may take for the header of a request, and idleTimeout how
	// long its connection may stay without one.
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	// latestFlush is when at the latest a part of a reply goes on whose length is known. Where it
	// is not, and for events, each part goes on at once.
	latestFlush = 20 * time.Millisecond
	// closing is how long replies may take that are under way when the proxy ends.
	closing = 300 * time.Millisecond
)

// New makes a proxy with a secret of its own, of 130 bits. It listens nowhere until Listen.
func New(o Options) *Proxy {
	life, end := context.WithCancel(context.Background())
	if o.Now == nil {
		o.Now = time.Now
	}
	p := &Proxy{Options: o, secret: rand.Text(), end: end}
	p.tokens = &tokens{source: o.Source, now: o.Now, life: life}
	p.tokens.keep(o.First)
	// What is worth to be known is told by Log.
	quiet := log.New(io.Discard, "", 0)
	p.reverse = httputil.ReverseProxy{
		Rewrite: p.rewrite, ModifyResponse: p.outward, ErrorHandler: p.failed,
		Transport:     &carrier{tokens: p.tokens, upstream: o.Upstream},
		FlushInterval: latestFlush, BufferPool: &buffers{}, ErrorLog: quiet,
	}
	p.server = http.Server{
		Handler: p, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, ErrorLog: quiet,
		// Without the secret there is nothing, not even what the server can do.
		DisableGeneralOptionsHandler: true,
		BaseContext:                  func(net.Listener) context.Context { return life },
	}
	return p
}

// Loopback reads an address to listen on, host:port. A name is looked up: it is the address it stands for
// that counts. One that other machines could reach is an error.
func Loopback(text string) (*net.TCPAddr, error) {
	address, err := net.ResolveTCPAddr("tcp", text)
	if err != nil {
		return nil, errors.New("it is not HOST:PORT")
	}
	if !address.IP.IsLoopback() {
		return nil, errors.New("it is not a loopback address")
	}
	return address, nil
}

// Listen opens the proxy on an address that Loopback takes, and serves until Close.
func (p *Proxy) Listen(address *net.TCPAddr) error {
	listener, err := net.ListenTCP("tcp", address)
	if err != nil {
		return err
	}
	p.host = listener.Addr().String()
	p.url = "http://" + p.host + "/" + p.secret
	p.serving.Go(func() { _ = p.server.Serve(listener) })
	return nil
}

// URL is the address with the secret, without a slash behind it; empty before Listen.
func (p *Proxy) URL() string { return p.url }

// Host is the address's host, as a URL has it; empty before Listen.
func (p *Proxy) Host() string {
	host, _, _ := net.SplitHostPort(p.host)
	return host
}

// Close ends the proxy: it lets short replies come to their end, and no others.
func (p *Proxy) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), closing)
	defer cancel()
	_ = p.server.Shutdown(ctx)
	p.end()
	_ = p.server.Close()
	p.serving.Wait()
	p.tokens.close()
	if idle, ok := p.Upstream.(interface{ CloseIdleConnections() }); ok {
		idle.CloseIdleConnections()
	}
}

// ServeHTTP answers one request; see http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rest, ok := p.below(rawPath(r))
	if p.Log != nil {
		shown := "-"
		if ok {
			shown = cmp.Or(rest, "/")
		}
		noted := p.noting(w, r, shown)
		defer noted.ended()
		w = noted
	}
	if !ok {
		say(w, http.StatusNotFound, "text/plain; charset=utf-8", "not found\n")
		return
	}
	if refusal := p.judge(r, rest); refusal != nil {
		p.tell(w, r, *refusal)
		return
	}
	p.reverse.ServeHTTP(w, r)
}

// failed tells who asked that there is no answer of the upstream.
func (p *Proxy) failed(w http.ResponseWriter, r *http.Request, err error) {
	if isGone(r.Context()) {
		// There is nobody to be told, or nothing more to be said.
		panic(http.ErrAbortHandler)
	}
	unavailable, ok := errors.AsType[*Unavailable](err)
	if !ok {
		unavailable = p.unanswered(err)
	}
	p.tell(w, r, *unavailable)
}

func (p *Proxy) tell(w http.ResponseWriter, r *http.Request, u Unavailable) {
	if p.Words != nil {
		u = p.Words(u)
	}
	u.answer(w, r, p.Now())
}

// buffers are what replies are copied through.
type buffers struct{ pool sync.Pool }

const bufferSize = 32 << 10

// Get returns one; see httputil.BufferPool.
func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return p[:]
	}
	return make([]byte, bufferSize)
}

// Put takes it back; see httputil.BufferPool.
func (b *buffers) Put(p []byte) { b.pool.Put((*[bufferSize]byte)(p)) }
