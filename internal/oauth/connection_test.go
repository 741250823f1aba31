package oauth

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// dialled returns both ends of an orderly connection.
func dialled(t *testing.T) (here net.Conn, there *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	here, err = Orderly((&net.Dialer{}).DialContext)(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = here.Close() })
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return here, conn.(*net.TCPConn)
}

func TestOrderlySpeaksFirst(t *testing.T) {
	t.Parallel()
	here, there := dialled(t)
	if _, err := io.WriteString(there, "unasked"); err != nil {
		t.Fatal(err)
	}
	var spoken atomic.Bool
	read := make(chan string, 1)
	go func() {
		b := make([]byte, 100)
		n, _ := here.Read(b)
		if !spoken.Load() {
			t.Error("something was read before anything was written")
		}
		read <- string(b[:n])
	}()
	spoken.Store(true)
	if _, err := io.WriteString(here, "hello"); err != nil {
		t.Fatal(err)
	}
	if got := <-read; got != "unasked" {
		t.Errorf("read %q", got)
	}
}

func TestOrderlyClose(t *testing.T) {
	t.Parallel()
	here, _ := dialled(t)
	read := make(chan error, 1)
	go func() {
		_, err := here.Read(make([]byte, 1))
		read <- err
	}()
	_ = here.Close()
	if err := <-read; !errors.Is(err, net.ErrClosed) {
		t.Errorf("error %v", err)
	}
	if _, err := here.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("writing: %v", err)
	}
}

// TestOrderlyLastWord has another side that says something and is gone, without having read.
func TestOrderlyLastWord(t *testing.T) {
	t.Parallel()
	here, there := dialled(t)
	_, _ = io.WriteString(there, "the last word")
	_ = there.SetLinger(0)
	_ = there.Close()
	for range 3 {
		if n, err := here.Write([]byte("request")); n != 7 || err != nil {
			t.Errorf("writing: %d, %v", n, err)
		}
	}
	ended := make(chan error, 1)
	go func() {
		_, err := io.ReadAll(here)
		ended <- err
	}()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Error("the read waits")
	}
}

// TestClientCertificateWanted: with TLS 1.3 the refusal comes when the request is on its way, and is the same each time.
func TestClientCertificateWanted(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	trusted := s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	for range 100 {
		transport := &http.Transport{
			DialContext: Orderly((&net.Dialer{}).DialContext), DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: trusted},
		}
		client := &Client{HTTP: &http.Client{Transport: transport}}
		_, err := client.Token(t.Context(), machineRequest(endpointOf(t, s.URL)))
		e, ok := errors.AsType[*NetworkError](err)
		if !ok || e.Obstacle == nil || e.Sent {
			t.Fatalf("%T %v", err, err)
		}
	}
}
