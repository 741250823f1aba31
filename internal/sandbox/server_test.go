package sandbox_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/sandboxtest"
)

func TestStartRefusesOtherAddresses(t *testing.T) {
	t.Parallel()
	for _, listen := range []string{
		":0", "0.0.0.0:0", "[::]:0", "192.0.2.1:0", "127.0.0.1", "[::ffff:192.0.2.1]:0",
	} {
		s := sandbox.New(sandbox.Options{})
		if err := s.Start(listen); err == nil {
			s.Close()
			t.Errorf("Start(%q) listens at %s", listen, s.URL())
		}
	}
}

func TestHostHeader(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	for host, want := range map[string]int{
		"localhost": 200, "LOCALHOST:80": 200, "127.0.0.1:1": 200, "127.9.9.9": 200, "[::1]": 200, "[::1]:99": 200,
		"example.com": 403, "127.0.0.1.example.com": 403, "localhost.": 403, "10.0.0.1:80": 403, "[::]": 403,
	} {
		c := sandboxtest.Call{Method: http.MethodGet, Path: "/_sandbox/requests", Header: map[string]string{"Host": host}}
		if got := sandboxtest.Do(t, s, c); got.Status != want {
			t.Errorf("Host %s: status %d, want %d", host, got.Status, want)
		}
		if got := sandboxtest.Do(t, s, sandboxtest.Good("talkdesk").WithHeader("Host", host)); got.Status != want {
			t.Errorf("token with Host %s: status %d, want %d", host, got.Status, want)
		}
	}
}

func TestControlRefusesWebPages(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	requests := sandboxtest.Call{Method: http.MethodGet, Path: "/_sandbox/requests"}
	faults := sandboxtest.Call{Method: http.MethodPost, Path: "/_sandbox/faults", Body: `{"drop":true}`}
	for _, c := range []sandboxtest.Call{
		requests.WithHeader("Origin", "https://example.com"),
		requests.WithHeader("Origin", "null"),
		requests.WithHeader("Sec-Fetch-Site", "cross-site"),
		faults.WithHeader("Origin", "http://localhost"),
	} {
		if got := sandboxtest.Do(t, s, c); got.Status != http.StatusForbidden {
			t.Errorf("%s %s %v: status %d", c.Method, c.Path, c.Header, got.Status)
		}
	}
	if got := sandboxtest.Do(t, s, sandboxtest.Good("pexip")); got.Status != http.StatusOK {
		t.Errorf("the refused fault applies: status %d", got.Status)
	}
	for path, want := range map[string]int{"/_sandbox/nothing": 404, "/_sandbox/": 404} {
		if got := sandboxtest.Do(t, s, sandboxtest.Call{Method: http.MethodGet, Path: path}); got.Status != want {
			t.Errorf("%s: status %d", path, got.Status)
		}
	}
	for _, path := range []string{"/_sandbox/requests", "/_sandbox/faults"} {
		got := sandboxtest.Do(t, s, sandboxtest.Call{Method: http.MethodPut, Path: path})
		if got.Status != 405 || got.Header.Get("Allow") == "" {
			t.Errorf("PUT %s: status %d, Allow %q", path, got.Status, got.Header.Get("Allow"))
		}
	}
}

func TestIssuedSecrets(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	for _, service := range sandboxtest.AllServices() {
		token := sandboxtest.Text(t, sandboxtest.WantToken(t, sandboxtest.Do(t, s, sandboxtest.Good(service)))["access_token"])
		if !slices.Contains(s.IssuedSecrets(), token) {
			t.Errorf("%s: the access token is not listed", service)
		}
		if opaque := service == "qmatic" || service == "genesys"; opaque != strings.Contains(token, sandbox.Marker) {
			t.Errorf("%s: marker in the token: %t", service, !opaque)
		}
	}
	for _, p := range s.Profiles() {
		for name, secret := range p.Secrets {
			listed := slices.Contains(s.IssuedSecrets(), secret)
			// A key, a certificate or a JWT cannot show the marker.
			showing := !slices.Contains([]string{"private_key", "tls_certificate", "tls_key", "client_assertion"}, name)
			if showing && (!strings.Contains(secret, sandbox.Marker) || !listed) {
				t.Errorf("%s: %s is not marked or not listed", p.Name, name)
			}
		}
	}
	basic := strings.TrimPrefix(sandboxtest.Good("pexip").Header["Authorization"], "Basic ")
	if !slices.Contains(s.IssuedSecrets(), basic) {
		t.Error("the encoded credentials are not listed")
	}
}
