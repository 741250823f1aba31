package client

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/oauth"
)

// authority issues certificates for loopback and for clients.
type authority struct{ *tls.Certificate }

func newAuthority(t *testing.T) authority {
	t.Helper()
	return authority{authority{}.issue(t, "authority")}
}

func (a authority) issue(t *testing.T, name string) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: a.Certificate == nil, BasicConstraintsValid: true, DNSNames: []string{"service.test", "proxy.test"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	parent, signer := c, any(key)
	if a.Certificate != nil {
		parent, signer = a.Leaf, a.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func (a authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.Leaf)
	return p
}

// who asked, by the names in their certificates; empty for nobody in particular.
type who struct {
	mu    sync.Mutex
	names []string
}

func (w *who) came(state *tls.ConnectionState) {
	name := ""
	if state != nil && len(state.PeerCertificates) > 0 {
		name = state.PeerCertificates[0].Subject.CommonName
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.names = append(w.names, name)
}

func (w *who) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.names, ",")
}

func listen(t *testing.T, config *tls.Config, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(handler)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	if config == nil {
		s.Start()
	} else {
		s.TLS = config
		s.StartTLS()
	}
	t.Cleanup(s.Close)
	return s
}

// tunnel is a proxy that leads every CONNECT to one address.
func tunnel(to string, asked *who) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		asked.came(r.TLS)
		there, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", to)
		if err != nil || r.Method != http.MethodConnect {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		here, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
		go func(from *bufio.ReadWriter) {
			_, _ = io.Copy(there, from)
			_ = there.(*net.TCPConn).CloseWrite()
		}(buffered)
		go func() {
			_, _ = io.Copy(here, there)
			_ = here.Close()
		}()
	}
}

// TestCertificateOnTheWay asks a service that wants a certificate: directly, and through proxies that would like one as
// well. Nobody but the service sees it, and its refusal is told as that whatever the way.
func TestCertificateOnTheWay(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	own := ours.issue(t, "client")
	for _, way := range []string{"direct", "http", "https"} {
		for _, accepted := range []bool{true, false} {
			name := way + ", accepted"
			if !accepted {
				name = way + ", refused"
			}
			t.Run(name, func(t *testing.T) {
				trusted := ours.pool()
				if !accepted {
					trusted = theirs.pool()
				}
				var asked, seen who
				service := listen(t, &tls.Config{
					Certificates: []tls.Certificate{*ours.issue(t, "service")}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: trusted,
				}, func(w http.ResponseWriter, r *http.Request) {
					seen.came(r.TLS)
					w.Header().Set("Content-Type", "application/json")
					_, _ = io.WriteString(w, `{"access_token":"fake-token","token_type":"Bearer","expires_in":600}`)
				})
				address := service.Listener.Addr().String()
				transport := &Transport{roots: ours.pool(), observed: func(base http.RoundTripper) http.RoundTripper { return base }}
				shown := through(transport, nil, address)
				if way != "direct" {
					var config *tls.Config
					if way == "https" {
						config = &tls.Config{Certificates: []tls.Certificate{*ours.issue(t, "proxy")}, ClientAuth: tls.RequestClientCert}
					}
					proxy := listen(t, config, tunnel(address, &asked))
					at := &url.URL{Scheme: way, Host: "proxy.test"}
					shown = through(transport, at, proxy.Listener.Addr().String())
				}
				c := &oauth.Client{HTTP: &http.Client{}, WithCertificate: shown}
				_, err := c.Token(t.Context(), oauth.TokenRequest{
					Endpoint: &url.URL{Scheme: "https", Host: "service.test", Path: "/token"},
					Auth: oauth.TLS{ClientID: "demo-client", Certificate: func(context.Context) (*tls.Certificate, error) {
						return own, nil
					}},
					Params: url.Values{"grant_type": {"client_credentials"}},
				})
				e, network := errors.AsType[*oauth.NetworkError](err)
				if accepted && err != nil || !accepted && (!network || !e.Certificate || e.Sent) {
					t.Fatalf("%T %v", err, err)
				}
				if want := map[bool]string{true: "client"}[accepted]; seen.String() != want || strings.Contains(asked.String(), "client") {
					t.Errorf("the service saw %q, the proxy %q", seen.String(), asked.String())
				}
				if way != "direct" && asked.names == nil {
					t.Error("the proxy was passed by")
				}
			})
		}
	}
}

// through has connections made to one address, by a proxy or without.
func through(t *Transport, proxy *url.URL, address string) func(oauth.Presenter) http.RoundTripper {
	return func(present oauth.Presenter) http.RoundTripper {
		c := t.WithCertificate(present).(*certified)
		c.direct = func(config *tls.Config) *http.Transport {
			way := direct(config)
			way.Proxy = func(*http.Request) (*url.URL, error) { return proxy, nil }
			dial := way.DialContext
			way.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) { return dial(ctx, network, address) }
			return way
		}
		return c
	}
}
