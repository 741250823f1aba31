package oauth

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"

	"github.com/authctl/authctl/internal/network"
)

// late writes a request in pieces, when the other side has gone.
type late struct {
	net.Conn
	gone <-chan struct{}
}

func (l late) Write(p []byte) (int, error) {
	const applicationData, handshake = 23, 200
	if p[0] != applicationData || len(p) < handshake {
		return l.Conn.Write(p)
	}
	<-l.gone
	for i := range p {
		if n, err := l.Conn.Write(p[i : i+1]); err != nil {
			return i + n, err
		}
	}
	return len(p), nil
}

// TestClientCertificateWanted: with TLS 1.3 the refusal comes when the request is on its way, and is the same each time.
func TestClientCertificateWanted(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("what was not read is dropped when the connection is reset")
	}
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	gone := make(chan struct{}, 10)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			gone <- struct{}{}
		}
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	trusted := s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	for range 20 {
		dial := func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
			return late{conn, gone}, err
		}
		transport := &http.Transport{DialContext: network.Orderly(dial), DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: trusted}}
		client := &Client{HTTP: &http.Client{Transport: transport}}
		_, err := client.Token(t.Context(), machineRequest(endpointOf(t, s.URL)))
		e, ok := errors.AsType[*NetworkError](err)
		if !ok || e.Obstacle == nil || e.Sent {
			t.Fatalf("%T %v", err, err)
		}
	}
}
