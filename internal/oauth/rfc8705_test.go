package oauth

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/network"
	"github.com/authctl/authctl/internal/secret"
)

// issued makes a certificate from an hour before noon on, by an issuer or by itself.
func issued(t *testing.T, name string, life time.Duration, by *tls.Certificate) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(life), IsCA: by == nil, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	parent, signer := c, any(key)
	if by != nil {
		parent, signer = by.Leaf, by.PrivateKey
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

func pool(of ...*tls.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	for _, c := range of {
		p.AddCert(c.Leaf)
	}
	return p
}

// secureServer serves token requests over TLS at noon, and tells who asked.
type secureServer struct {
	*httptest.Server
	peers, ids []string
}

func serveTLS(t *testing.T, own *tls.Certificate, config *tls.Config, status int, body string) *secureServer {
	t.Helper()
	s := &secureServer{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer := ""
		if len(r.TLS.PeerCertificates) > 0 {
			peer = r.TLS.PeerCertificates[0].Subject.CommonName
		}
		s.peers, s.ids = append(s.peers, peer), append(s.ids, r.PostFormValue("client_id"))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	config.Certificates, config.Time = []tls.Certificate{*own}, atNoon
	s.TLS = config
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// tlsClient trusts an authority, and shows certificates on connections of their own.
func tlsClient(authority *tls.Certificate) *Client {
	transport := func(present Presenter) http.RoundTripper {
		return &http.Transport{
			DialContext: network.Orderly((&net.Dialer{}).DialContext), DisableKeepAlives: true,
			TLSClientConfig: &tls.Config{RootCAs: pool(authority), Time: atNoon, GetClientCertificate: present},
		}
	}
	return &Client{HTTP: &http.Client{Transport: transport(nil)}, Now: atNoon, WithCertificate: transport}
}

func showing(c *tls.Certificate) TLS {
	return TLS{ClientID: "demo-client", Certificate: func(context.Context) (*tls.Certificate, error) { return c, nil }}
}

func TestTLSClientAuth(t *testing.T) {
	t.Parallel()
	ours, theirs := issued(t, "ours", time.Hour, nil), issued(t, "theirs", time.Hour, nil)
	server := issued(t, "server", time.Hour, ours)
	client, alone := issued(t, "client", time.Hour, ours), issued(t, "alone", time.Hour, nil)
	const unknown = `{"error":"invalid_client"}`
	for name, c := range map[string]struct {
		config  *tls.Config
		shown   *tls.Certificate
		status  int
		peer    string
		refused bool // by an alert
		unasked bool
	}{
		"of the authority":             {&tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool(ours)}, client, 200, "client", false, false},
		"self-signed":                  {&tls.Config{ClientAuth: tls.RequireAnyClientCert}, alone, 200, "alone", false, false},
		"self-signed, others named":    {&tls.Config{ClientAuth: tls.RequireAnyClientCert, ClientCAs: pool(theirs)}, alone, 200, "alone", false, false},
		"only asked for":               {&tls.Config{ClientAuth: tls.RequestClientCert}, alone, 401, "alone", false, false},
		"not asked for":                {&tls.Config{}, client, 401, "", false, true},
		"of another authority":         {&tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool(theirs)}, client, 200, "", true, false},
		"of another authority, TLS1.2": {&tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool(theirs), MaxVersion: tls.VersionTLS12}, client, 200, "", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := unknown
			if c.status == 200 {
				body = goodReply
			}
			s := serveTLS(t, server, c.config, c.status, body)
			r := machineRequest(endpointOf(t, s.URL))
			r.Auth = showing(c.shown)
			_, err := tlsClient(ours).Token(t.Context(), r)
			if c.refused {
				e, ok := errors.AsType[*NetworkError](err)
				if !ok || !e.Certificate || e.Sent || !strings.Contains(err.Error(), "the certificate was not accepted") || len(s.peers) != 0 {
					t.Fatalf("%T %v, %d requests", err, err, len(s.peers))
				}
				return
			}
			e, answered := errors.AsType[*Error](err)
			if answered != (c.status != 200) || answered && e.CertificateUnasked != c.unasked || !answered && err != nil {
				t.Fatalf("%T %+v", err, err)
			}
			if len(s.peers) != 1 || s.peers[0] != c.peer || s.ids[0] != "demo-client" {
				t.Errorf("%q asked as %q, want %q", s.peers, s.ids, c.peer)
			}
		})
	}
}

// A certificate is the client's word to the endpoints that authenticate clients. What is asked with the token, or as
// nobody, is asked without it.
func TestCertificateIsForTheClientAlone(t *testing.T) {
	t.Parallel()
	ours := issued(t, "ours", time.Hour, nil)
	client := issued(t, "client", time.Hour, ours)
	s := serveTLS(t, issued(t, "server", time.Hour, ours), &tls.Config{ClientAuth: tls.RequestClientCert}, 200, `{"active":true}`)
	c := tlsClient(ours)
	for _, r := range []CallRequest{
		{Method: http.MethodPost, Auth: showing(client)},
		{Bearer: secretOf("fake-token")},
		{},
		{Method: http.MethodPost, Auth: None{ClientID: "demo-client"}},
	} {
		r.URL = endpointOf(t, s.URL)
		if _, err := c.Call(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(s.peers, ","); got != "client,,," {
		t.Errorf("certificates: %q", got)
	}
}

func TestCertificateNotSent(t *testing.T) {
	t.Parallel()
	good := issued(t, "client", time.Hour, nil)
	refusal := errors.New("tls_certificate from file:none: there is no such file")
	expired := issued(t, "client", -time.Minute, nil)
	early := issued(t, "client", time.Hour, nil)
	early.Leaf.NotBefore = noon.Add(time.Minute)
	for name, c := range map[string]struct {
		endpoint string
		auth     TLS
		no       bool // no way to show it
		want     string
	}{
		"plain http":      {"http://127.0.0.1:1", showing(good), false, "plain http"},
		"no way":          {"https://127.0.0.1:1", showing(good), true, "no way here"},
		"expired":         {"https://127.0.0.1:1", showing(expired), false, "has expired, on "},
		"not yet valid":   {"https://127.0.0.1:1", showing(early), false, "is not valid yet, but from "},
		"without an id":   {"https://127.0.0.1:1", TLS{Certificate: showing(good).Certificate}, false, "the client id is empty"},
		"not to be had":   {"https://127.0.0.1:1", TLS{ClientID: "a", Certificate: func(context.Context) (*tls.Certificate, error) { return nil, refusal }}, false, refusal.Error()},
		"self-signed too": {"http://127.0.0.1:1", TLS{ClientID: "a", SelfSigned: true, Certificate: showing(good).Certificate}, false, "plain http"},
	} {
		client := tlsClient(good)
		if c.no {
			client.WithCertificate = nil
		}
		r := machineRequest(endpointOf(t, c.endpoint))
		r.Auth = c.auth
		_, err := client.Token(t.Context(), r)
		if _, network := errors.AsType[*NetworkError](err); err == nil || network || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %T %v", name, err, err)
		}
	}
	if showing(good).Method() != "tls_client_auth" || (TLS{SelfSigned: true}).Method() != "self_signed_tls_client_auth" {
		t.Error("the names of RFC 8705")
	}
}

func TestDryRunOfCertificate(t *testing.T) {
	t.Parallel()
	c := issued(t, "scripts\x1b[2J", time.Hour, nil)
	r := machineRequest(endpointOf(t, "https://id.example"))
	r.Auth = showing(c)
	sum := sha256.Sum256(c.Certificate[0])
	text := dryRun(t, r, length)
	if !strings.Contains(text, "\n[certificate ") || !strings.Contains(text, "x5t#S256 "+base64.RawURLEncoding.EncodeToString(sum[:])+"]\n\nclient_id=demo-client\n") ||
		strings.Contains(text, "\x1b") {
		t.Errorf("%q", text)
	}
	r.Auth = TLS{ClientID: "a", Certificate: func(context.Context) (*tls.Certificate, error) {
		return nil, errors.New("cmd:op … is left alone in a dry run")
	}}
	if text := dryRun(t, r, length); !strings.Contains(text, "\n[certificate not fetched: cmd:op … is left alone in a dry run]\n") {
		t.Errorf("%q", text)
	}
}

// The words of a refusal repeat no secret that was sent beside the certificate.
func TestRefusedCertificateTellsNothing(t *testing.T) {
	t.Parallel()
	ours, theirs := issued(t, "ours", time.Hour, nil), issued(t, "theirs", time.Hour, nil)
	s := serveTLS(t, issued(t, "server", time.Hour, ours),
		&tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool(theirs)}, 200, goodReply)
	r := machineRequest(endpointOf(t, s.URL))
	r.Auth = showing(issued(t, "client", time.Hour, ours))
	r.Secrets = map[string]secret.Func{"refresh_token": secretOf(fakeSecret)}
	_, err := tlsClient(ours).Token(t.Context(), r)
	if err == nil || strings.Contains(err.Error(), fakeSecret) {
		t.Error(err)
	}
}
