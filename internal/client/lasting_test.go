package client

import (
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestLasting: the way for many requests trusts whom the other one does, keeps its connection and speaks HTTP/2.
func TestLasting(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, r.Proto, " ", r.RemoteAddr, " ", r.Header.Get("Accept-Encoding"))
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	ask := func(way *http.Transport) (string, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := way.RoundTrip(req)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		return string(text), err
	}
	way := (&Transport{roots: roots}).Lasting()
	t.Cleanup(way.CloseIdleConnections)
	first, err := ask(way)
	if second, _ := ask(way); err != nil || second != first || first[:9] != "HTTP/2.0 " || first[len(first)-1] != ' ' {
		t.Errorf("%q and then %q, %v; want HTTP/2, one connection and nothing unpacked", first, second, err)
	}
	if text, err := ask((&Transport{}).Lasting()); err == nil {
		t.Errorf("a certificate that is not trusted is taken: %q", text)
	}
}
