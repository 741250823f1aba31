package main

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// TestRefusedCertificate: a service that ends TLS for the client's certificate has refused the credentials, and one that
// never asked for it has another address for clients like this one.
func TestRefusedCertificate(t *testing.T) {
	t.Parallel()
	now := time.Now()
	server, serverText := certificate(t, "", now.Add(-time.Hour), now.Add(time.Hour))
	own, ownText := certificate(t, "", now.Add(-time.Hour), now.Add(time.Hour))
	der, err := x509.MarshalPKCS8PrivateKey(own.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	for name, c := range map[string]struct {
		auth    tls.ClientAuthType
		version uint16
		said    string
		hint    string
	}{
		"TLS 1.3":   {tls.RequireAndVerifyClientCert, tls.VersionTLS13, "the certificate was not accepted (TLS alert", "check tls_certificate in the profile"},
		"TLS 1.2":   {tls.RequireAndVerifyClientCert, tls.VersionTLS12, "the certificate was not accepted (TLS alert", "check tls_certificate in the profile"},
		"not asked": {tls.NoClientCert, tls.VersionTLS13, "refused the credentials", "the service did not ask for the certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusUnauthorized)
				_, _ = io.WriteString(w, `{"error":"invalid_client"}`)
			}))
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			s.TLS = &tls.Config{
				Certificates: []tls.Certificate{server}, ClientAuth: c.auth, MaxVersion: c.version, ClientCAs: x509.NewCertPool(),
			}
			s.StartTLS()
			t.Cleanup(s.Close)
			config := "profiles: {m: {provider: oauth2, token_url: " + s.URL + "/token, client_id: abc, tls_certificate: file:both.pem}}\n"
			for file, text := range map[string]string{
				"ca.pem": string(serverText), "both.pem": string(ownText) + string(key), "c.yaml": config,
			} {
				if err := os.WriteFile(p.path(file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			o := p.run("token", "get", "m", "-o", "json", "--config", p.path("c.yaml"), "--ca-file", p.path("ca.pem"))
			text := strings.ReplaceAll(o.stderr, `\"`, `"`)
			if o.code != 4 || !strings.Contains(text, c.said) || !strings.Contains(text, c.hint) || !strings.Contains(text, `"retryable":false`) {
				t.Errorf("exit code %d, stderr %q", o.code, o.stderr)
			}
		})
	}
}
