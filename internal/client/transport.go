package client

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/authctl/authctl/internal/config"
	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/har"
	"github.com/authctl/authctl/internal/network"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
)

// Transport is what requests go through: the proxy of the environment, and for whoever wants
// to be told of each request an observer.
type Transport struct {
	http.RoundTripper
	// roots are whom to trust, nil for the system's.
	roots *x509.CertPool
	// observed tells of what goes through it.
	observed func(http.RoundTripper) http.RoundTripper
}

// Transport returns the way to services that the options and the environment describe.
func (l *Local) Transport(ctx context.Context, o Options) (*Transport, error) {
	roots, err := l.certificates(ctx, o)
	if err != nil {
		return nil, err
	}
	t := &Transport{roots: roots, observed: func(base http.RoundTripper) http.RoundTripper { return observed(l, base, o) }}
	t.RoundTripper = t.observed(direct(t.config()))
	return t, nil
}

// observed returns base with those who want to be told of each request told, base itself where
// nobody does.
func observed(l *Local, base http.RoundTripper, o Options) http.RoundTripper {
	switch {
	case o.Recorder != nil:
		return &network.Observer{Base: base, Now: l.Now, Keep: har.MaxBody, Tell: func(e *network.Exchange) {
			if o.Trace != nil {
				o.Trace(e.Line())
			}
			o.Recorder.Add(e)
		}}
	case o.Trace != nil:
		return &network.Observer{Base: base, Now: l.Now, Tell: func(e *network.Exchange) { o.Trace(e.Line()) }}
	}
	return base
}

// WithCertificate returns the same way, on which the client shows a certificate.
func (t *Transport) WithCertificate(present oauth.Presenter) http.RoundTripper {
	return t.observed(&certified{config: t.config(), present: present, direct: direct})
}

// Lasting returns the same way for many requests at once, whose replies are streams that may take as
// long as they like: it keeps connections, and speaks HTTP/2 where the other side does. It decodes no
// body. Of a reply that nobody has asked for net/http tells its own logger.
func (t *Transport) Lasting() *http.Transport {
	transport := direct(t.config())
	transport.DialContext = (&net.Dialer{Timeout: dialTimeout}).DialContext
	transport.DisableKeepAlives, transport.DisableCompression = false, true
	transport.ForceAttemptHTTP2 = true
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost, transport.IdleConnTimeout = mostIdle, mostIdle, idleTimeout
	transport.ExpectContinueTimeout = time.Second
	// A machine that was asleep, or in another network, has connections that only seem to be there.
	transport.HTTP2 = &http.HTTP2Config{SendPingTimeout: pingTimeout, PingTimeout: pingTimeout}
	return transport
}

const (
	// mostIdle is how many connections are kept that nothing is asked on, for idleTimeout.
	mostIdle    = 1000
	idleTimeout = 90 * time.Second
	// pingTimeout is after which silence HTTP/2 asks whether the other side is there, and how long that may take.
	pingTimeout = 15 * time.Second
)

func (t *Transport) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: t.roots}
}

// direct makes the connections, for one request each: what comes behind an answer would be
// printed by net/http.
func direct(config *tls.Config) *http.Transport {
	return &http.Transport{
		Proxy:                  network.Proxy,
		OnProxyConnectResponse: network.RefusedByProxy,
		DialContext:            network.Orderly((&net.Dialer{Timeout: dialTimeout}).DialContext),
		TLSHandshakeTimeout:    handshakeTimeout,
		DisableKeepAlives:      true,
		TLSClientConfig:        config,
	}
}

const (
	dialTimeout      = 10 * time.Second
	handshakeTimeout = 10 * time.Second
)

// certified shows the client's certificate to the host that a request is for, and to nobody else:
// net/http has one configuration for the host and for a proxy that speaks TLS.
type certified struct {
	config  *tls.Config
	present oauth.Presenter
	// direct makes the connections.
	direct func(*tls.Config) *http.Transport
}

// RoundTrip does the request on a connection of its own; see http.RoundTripper.
func (c *certified) RoundTrip(req *http.Request) (*http.Response, error) {
	config := c.config.Clone()
	config.GetClientCertificate = c.present
	transport := c.direct(config)
	proxy, err := transport.Proxy(req)
	if err != nil {
		return nil, err
	}
	if proxy != nil && proxy.Scheme == "https" {
		// The dialer of net/http for TLS is asked for the proxy alone then: the way on goes
		// through it.
		transport.DialTLSContext = c.dialProxy(transport.DialContext, proxy.Hostname())
	}
	return transport.RoundTrip(req)
}

// dialProxy speaks TLS with a proxy, as net/http does, without the certificate.
func (c *certified) dialProxy(dial network.Dialer, host string) network.Dialer {
	return func(ctx context.Context, via, address string) (net.Conn, error) {
		plain, err := dial(ctx, via, address)
		if err != nil {
			return nil, err
		}
		config := c.config.Clone()
		config.ServerName = host
		conn := tls.Client(plain, config)
		ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
		defer cancel()
		if err := conn.HandshakeContext(ctx); err != nil {
			_ = plain.Close()
			return nil, err
		}
		return conn, nil
	}
}

// route is what decides on the way to a service and whom to trust there, beside the
// profile: a refusal by one proxy is not the answer of another.
func (l *Local) route(caFile string) []string {
	words := l.authorities.trusted(l.LookupEnv, caFile)
	for _, name := range []string{"HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"} {
		words = append(words, l.LookupEnv.Raw(name), l.LookupEnv.Raw(strings.ToLower(name)))
	}
	return words
}

// authorities are the files of --ca-file that were read, by their paths, each once: it may be a pipe,
// and a service and the engine of a store want the same.
type authorities struct {
	turn sync.Mutex
	read map[string]trust
}

// trust is the system's roots and those of a file, and a digest of the file.
type trust struct {
	roots  *x509.CertPool
	digest string
}

// trusted is what decides whom to trust: who is believed with one certificate is not without it.
// The file of --ca-file counts by what is in it, because another machine has it elsewhere.
func (a *authorities) trusted(env files.Environ, caFile string) []string {
	a.turn.Lock()
	words := []string{cmp.Or(a.read[caFile].digest, caFile)}
	a.turn.Unlock()
	for _, name := range []string{"SSL_CERT_FILE", "SSL_CERT_DIR"} {
		words = append(words, env.Raw(name), env.Raw(strings.ToLower(name)))
	}
	return words
}

// maxCertificates bounds the file of --ca-file; all that a system trusts has some 250 KB.
const maxCertificates = 16 << 20

// certificates returns the system's roots and those of a PEM file; nil, which means the
// system's, without a file.
func (l *Local) certificates(ctx context.Context, o Options) (*x509.CertPool, error) {
	if o.CAFile == "" {
		return nil, nil
	}
	path, err := config.Path(l.LookupEnv, "--ca-file", o.CAFile)
	if err != nil {
		return nil, err
	}
	l.authorities.turn.Lock()
	defer l.authorities.turn.Unlock()
	if known, ok := l.authorities.read[path]; ok {
		return known.roots, nil
	}
	ctx, cancel := context.WithTimeout(ctx, l.Timeout(o.Timeout))
	defer cancel()
	text, err := files.Read(ctx, path, files.Rule{Trust: l.Trust(), Limit: maxCertificates, Pipe: true})
	if err == nil {
		text, err = files.Text(text)
	}
	if err != nil {
		return nil, badCAFile(path, err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(text) {
		return nil, &setting.Error{Name: "--ca-file", Problem: path + " holds no PEM certificate"}
	}
	if l.authorities.read == nil {
		l.authorities.read = map[string]trust{}
	}
	sum := sha256.Sum256(text)
	l.authorities.read[path] = trust{roots, hex.EncodeToString(sum[:])}
	return roots, nil
}

// badCAFile says what is wrong with the file of --ca-file: who can change it decides whom
// the secret is sent to.
func badCAFile(path string, err error) error {
	e := &setting.Error{Name: "--ca-file", Problem: fmt.Sprintf("cannot be read: %v", err), Err: err}
	if unfit, ok := errors.AsType[*files.Error](err); ok {
		e.Problem, e.Help = secret.Printable(path)+" "+unfit.Problem, unfit.Remedy
	}
	if errors.Is(err, context.DeadlineExceeded) {
		e.Problem = secret.Printable(path) + " is a pipe, and nobody wrote to it in time"
	}
	return e
}
