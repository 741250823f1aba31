package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// serveAll answers every request alike, on loopback, and returns its address.
func serveAll(t *testing.T, answer func(http.ResponseWriter)) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		answer(w)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// certificate makes a self-signed certificate for 127.0.0.1, or for a name.
func certificate(t *testing.T, name string, from, until time.Time) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "fake"}, NotBefore: from, NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	if name == "" {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	} else {
		template.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// TestWhatTimeDoesNotMend: a lasting obstacle is exit 3, not retryable, with cause and remedy, and doctor says the same.
func TestWhatTimeDoesNotMend(t *testing.T) {
	t.Parallel()
	now := time.Now()
	good, goodText := certificate(t, "", now.Add(-time.Hour), now.Add(time.Hour))
	old, oldText := certificate(t, "", now.Add(-48*time.Hour), now.Add(-24*time.Hour))
	early, earlyText := certificate(t, "", now.Add(24*time.Hour), now.Add(48*time.Hour))
	other, otherText := certificate(t, "elsewhere.example", now.Add(-time.Hour), now.Add(time.Hour))
	for _, c := range []struct {
		name   string
		config *tls.Config // nil for a server of plain http
		ca     []byte
		said   string
		hint   string
		// doctor is false where the service tells only who has written a request.
		doctor bool
	}{
		{"untrusted", &tls.Config{Certificates: []tls.Certificate{good}}, nil, "certificate is not trusted", "--ca-file", true},
		{"expired", &tls.Config{Certificates: []tls.Certificate{old}}, oldText, "certificate has expired", "clock", true},
		{"early", &tls.Config{Certificates: []tls.Certificate{early}}, earlyText, "certificate is not valid yet", "clock", true},
		{"other name", &tls.Config{Certificates: []tls.Certificate{other}}, otherText, "certificate is for another name", "AUTHCTL_BASE_URL", true},
		{"plain http", nil, nil, "does not speak TLS", "AUTHCTL_BASE_URL", true},
		{"client certificate, TLS 1.3", &tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAnyClientCert}, goodText, "ended TLS with the alert", "client certificate", false},
		{"client certificate", &tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}, goodText, "ended TLS with the alert", "client certificate", true},
		{"old TLS", &tls.Config{Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, goodText, "TLS", "TLS 1.2", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			server := httptest.NewUnstartedServer(http.NotFoundHandler())
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			if server.TLS = c.config; c.config != nil {
				server.StartTLS()
			} else {
				server.Start()
			}
			t.Cleanup(server.Close)
			p.set("AUTHCTL_BASE_URL=https://" + strings.TrimPrefix(strings.TrimPrefix(server.URL, "https://"), "http://"))
			args := []string{"token", "get", "pexip", "-o", "json"}
			doctor := []string{"doctor", "pexip", "--online"}
			if c.ca != nil {
				if err := os.WriteFile(p.path("ca.pem"), c.ca, 0o600); err != nil {
					t.Fatal(err)
				}
				args, doctor = append(args, "--ca-file", p.path("ca.pem")), append(doctor, "--ca-file", p.path("ca.pem"))
			}
			o := p.run(args...)
			if o.code != 3 || !strings.Contains(o.stderr, `"retryable":false`) || !strings.Contains(o.stderr, c.said) || !strings.Contains(o.stderr, c.hint) {
				t.Errorf("exit code %d, stderr %q", o.code, o.stderr)
			}
			if o := p.run(doctor...); c.doctor && (o.code != 3 || !strings.Contains(strings.Join(strings.Fields(o.stdout), " "), c.said)) {
				t.Errorf("doctor: exit code %d, stdout %q", o.code, o.stdout)
			}
		})
	}
}

// TestDeadProxy: it is the proxy that is named, by no piece of its password.
func TestDeadProxy(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"http://fake-user:fake-password@127.0.0.1:1": "the proxy http://127.0.0.1:1 (HTTPS_PROXY) cannot be reached",
		"http://fake-user:1/fake-password@p:1":       "a proxy that is not shown (HTTPS_PROXY) cannot be reached",
	} {
		p := newPlace(t)
		p.set("AUTHCTL_BASE_URL=https://id.example", "https_proxy=", "NO_PROXY=", "no_proxy=", "HTTPS_PROXY="+value)
		o := p.run("token", "get", "pexip")
		if o.code != 8 || !strings.Contains(o.stderr, want) || !strings.Contains(o.stderr, "check HTTPS_PROXY") || strings.Contains(o.stderr, "fake-") {
			t.Errorf("%s: exit code %d, stderr %q", value, o.code, o.stderr)
		}
	}
}

// TestUnusableProxy: what is no proxy's address stays so, and is not repeated.
func TestUnusableProxy(t *testing.T) {
	t.Parallel()
	for _, value := range []string{
		"ftp://fake-user:fake-password@127.0.0.1:1", "socks4://fake-user@127.0.0.1:1", "tcp://fake:1", "fake://fake",
	} {
		p := newPlace(t)
		p.set("AUTHCTL_BASE_URL=https://id.example", "https_proxy=", "NO_PROXY=", "no_proxy=", "HTTPS_PROXY="+value)
		o := p.run("token", "get", "pexip")
		const want = "HTTPS_PROXY holds no address of a proxy for HTTP, HTTPS or SOCKS5"
		if o.code != 3 || !strings.Contains(o.stderr, want) || strings.Contains(o.stderr, "fake") {
			t.Errorf("%s: exit code %d, stderr %q", value, o.code, o.stderr)
		}
	}
}

// TestServiceThatSpeaksNoHTTP: doctor says the same as a call.
func TestServiceThatSpeaksNoHTTP(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{
		"SSH-2.0-fake-words\r\n\r\n", "HTTP/1.1 fake-words\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}fake-words",
	} {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		go answerRaw(l, answer, false)
		p := newPlace(t)
		p.set("AUTHCTL_BASE_URL=http://" + l.Addr().String())
		for _, args := range [][]string{{"token", "get", "pexip", "--no-cache"}, {"doctor", "pexip", "--online"}} {
			o := p.run(args...)
			said := strings.Join(strings.Fields(o.stdout+o.stderr), " ")
			if o.code != 9 || !strings.Contains(said, "not valid HTTP") || strings.Contains(said, "fake-words") {
				t.Errorf("%q: %v: exit code %d, said %q", answer, args, o.code, said)
			}
		}
	}
}

// TestProxyThatSpeaksNoHTTP: its words are not repeated, and it does not get better.
func TestProxyThatSpeaksNoHTTP(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{"SSH-2.0-fake-words\r\n\r\n", "HTTP/1.1 fake-words\r\n\r\n", "HTTP/1.1 200 OK\r\nfake-words\r\n\r\n"} {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		go answerRaw(l, answer, false)
		p := newPlace(t)
		p.set("AUTHCTL_BASE_URL=https://id.example", "https_proxy=", "NO_PROXY=", "no_proxy=", "HTTPS_PROXY=http://"+l.Addr().String())
		for _, args := range [][]string{{"token", "get", "pexip"}, {"doctor", "pexip", "--online"}} {
			o := p.run(args...)
			said := strings.Join(strings.Fields(o.stdout+o.stderr), " ")
			if o.code != 3 || !strings.Contains(said, "does not speak HTTP") || !strings.Contains(said, "is that a proxy?") || strings.Contains(said, "fake-words") {
				t.Errorf("%q: %v: exit code %d, said %q", answer, args, o.code, said)
			}
		}
	}
}

// TestProxyThatLetsNobodyThrough: its account may be locked by a second try, and its password is not shown.
func TestProxyThatLetsNobodyThrough(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status, code int
		hint         string
	}{
		{407, 3, "user name and password"},
		{403, 3, "NO_PROXY"},
		{404, 3, "is that a proxy?"},
		{405, 3, "is that a proxy?"},
		{502, 8, ""},
		{503, 8, ""},
		{429, 8, ""},
	} {
		p := newPlace(t)
		var seen atomic.Int32
		proxy := serveAll(t, func(w http.ResponseWriter) {
			seen.Add(1)
			w.WriteHeader(c.status)
		})
		host := strings.TrimPrefix(proxy, "http://")
		for _, variable := range []string{"HTTPS_PROXY", "https_proxy"} {
			seen.Store(0)
			p.set("AUTHCTL_BASE_URL=https://id.example", "HTTPS_PROXY=", "https_proxy=", "NO_PROXY=", "no_proxy=",
				variable+"=http://fake-user:fake-password@"+host)
			o := p.run("token", "get", "pexip")
			if o.code != c.code || !strings.Contains(o.stderr, "the proxy http://"+host+" ("+variable+") answered ") || !strings.Contains(o.stderr, c.hint) ||
				strings.Contains(o.stderr, "fake-password") {
				t.Errorf("%d: exit code %d, stderr %q", c.status, o.code, o.stderr)
			}
			if n := seen.Load(); n != 1 {
				t.Errorf("%d: the proxy was asked %d times", c.status, n)
			}
			o = p.run("doctor", "pexip", "--online")
			if o.code != c.code || strings.Contains(o.stdout, "fake-password") || c.code == 3 && !strings.Contains(o.stdout, http.StatusText(c.status)) {
				t.Errorf("%d: doctor: exit code %d, stdout %q", c.status, o.code, o.stdout)
			}
		}
	}
}
