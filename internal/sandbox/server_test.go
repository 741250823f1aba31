package sandbox

import (
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestStartRefusesOtherAddresses(t *testing.T) {
	t.Parallel()
	for _, listen := range []string{
		":0", "0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.com:0", "127.0.0.1",
		"localhost.example.com:0", "[::ffff:192.0.2.1]:0",
	} {
		s := New(Options{})
		if err := s.Start(listen); err == nil {
			s.Close()
			t.Errorf("Start(%q) listens at %s", listen, s.URL())
		}
	}
}

func TestStartAndClose(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	s.Close() // before Start: nothing to do
	if s.URL() != "" {
		t.Errorf("URL %q before Start", s.URL())
	}
	if err := s.Start("localhost:0"); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(""); err == nil {
		t.Error("a second Start succeeds")
	}
	addr := strings.TrimPrefix(s.URL(), "http://")
	s.Close()
	s.Close()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatalf("the port is still taken: %v", err)
	}
	_ = ln.Close()
}

func TestHostHeader(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	for host, want := range map[string]int{
		"localhost": 200, "LOCALHOST:80": 200, "127.0.0.1:1": 200, "127.9.9.9": 200, "[::1]": 200, "[::1]:99": 200,
		"example.com": 403, "127.0.0.1.example.com": 403, "localhost.": 403, "10.0.0.1:80": 403, "[::]": 403,
	} {
		c := call{method: http.MethodGet, path: "/_sandbox/requests", header: map[string]string{"Host": host}}
		if got := do(t, s, c); got.status != want {
			t.Errorf("Host %s: status %d, want %d", host, got.status, want)
		}
		if got := do(t, s, good("talkdesk").withHeader("Host", host)); got.status != want {
			t.Errorf("token with Host %s: status %d, want %d", host, got.status, want)
		}
	}
}

func TestControlRefusesWebPages(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	requests := call{method: http.MethodGet, path: "/_sandbox/requests"}
	faults := call{method: http.MethodPost, path: "/_sandbox/faults", body: `{"drop":true}`}
	for _, c := range []call{
		requests.withHeader("Origin", "https://example.com"),
		requests.withHeader("Origin", "null"),
		requests.withHeader("Sec-Fetch-Site", "cross-site"),
		faults.withHeader("Origin", "http://localhost"),
	} {
		if got := do(t, s, c); got.status != http.StatusForbidden {
			t.Errorf("%s %s %v: status %d", c.method, c.path, c.header, got.status)
		}
	}
	if got := do(t, s, good("pexip")); got.status != http.StatusOK {
		t.Errorf("the refused fault applies: status %d", got.status)
	}
	for path, want := range map[string]int{"/_sandbox/nothing": 404, "/_sandbox/": 404} {
		if got := do(t, s, call{method: http.MethodGet, path: path}); got.status != want {
			t.Errorf("%s: status %d", path, got.status)
		}
	}
	for _, path := range []string{"/_sandbox/requests", "/_sandbox/faults"} {
		got := do(t, s, call{method: http.MethodPut, path: path})
		if got.status != 405 || got.header.Get("Allow") == "" {
			t.Errorf("PUT %s: status %d, Allow %q", path, got.status, got.header.Get("Allow"))
		}
	}
}

func TestUnknownPath(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	got := do(t, s, call{method: http.MethodGet, path: "/nowhere"})
	if got.status != http.StatusNotFound {
		t.Errorf("status %d", got.status)
	}
	if r := s.Requests(); len(r) != 1 || r[0].Service != "" || r[0].Status != 404 || r[0].Path != "/nowhere" {
		t.Errorf("log %+v", r)
	}
}

func TestIssuedSecrets(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	for _, service := range allServices() {
		token := text(t, wantToken(t, do(t, s, good(service)))["access_token"])
		if !slices.Contains(s.IssuedSecrets(), token) {
			t.Errorf("%s: the access token is not listed", service)
		}
		if opaque := service == "qmatic" || service == "genesys"; opaque != strings.Contains(token, Marker) {
			t.Errorf("%s: marker in the token: %t", service, !opaque)
		}
	}
	for _, p := range s.Profiles() {
		for name, secret := range p.Secrets {
			listed := slices.Contains(s.IssuedSecrets(), secret)
			if name != "private_key" && (!strings.Contains(secret, Marker) || !listed) {
				t.Errorf("%s: %s is not marked or not listed", p.Name, name)
			}
		}
	}
	basic := strings.TrimPrefix(good("pexip").header["Authorization"], "Basic ")
	if !slices.Contains(s.IssuedSecrets(), basic) {
		t.Error("the encoded credentials are not listed")
	}
}

func TestLifetimeOptions(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{
		Lifetime: 2 * time.Second, Lifetimes: map[string]time.Duration{"qmatic": 1500 * time.Millisecond},
	})
	for _, service := range allServices() {
		want := 2.0
		if service == "qmatic" {
			want = 1
		}
		if got := wantToken(t, do(t, s, good(service)))["expires_in"]; got != want {
			t.Errorf("%s: expires_in %v, want %v", service, got, want)
		}
	}
}

func TestBodyRules(t *testing.T) {
	t.Parallel()
	s, c := start(t, Options{})
	unsupported := map[string]int{"pexip": 415, "talkdesk": 400, "qmatic": 400, "genesys": 415}
	tooLarge := map[string]int{"pexip": 413, "talkdesk": 400, "qmatic": 400, "genesys": 413}
	for _, service := range allServices() {
		broken := good(service)
		broken.body += "&x=%zz"
		semicolon := good(service)
		semicolon.body += ";x=1"
		twice := good(service)
		twice.body += "&grant_type=client_credentials"
		large := good(service)
		large.body += "&x=" + strings.Repeat("x", maxForm)
		for name, row := range map[string]struct {
			call   call
			status int
		}{
			"duplicate":       {twice, 400},
			"bad percent":     {broken, 400},
			"semicolon":       {semicolon, 400},
			"too large":       {large, tooLarge[service]},
			"json":            {good(service).withHeader("Content-Type", "application/json"), unsupported[service]},
			"no content type": {good(service).without("Content-Type"), unsupported[service]},
			"charset":         {good(service).withHeader("Content-Type", formType+"; charset=UTF-8"), 200},
		} {
			c.advance(time.Second)
			if got := do(t, s, row.call); got.status != row.status {
				t.Errorf("%s, %s: status %d, want %d; %s", service, name, got.status, row.status, got.body)
			}
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{QmaticInterval: -1})
	const each = 25
	var wg sync.WaitGroup
	for _, service := range allServices() {
		req := good(service).request(t, s)
		for range each {
			wg.Go(func() {
				r := req.Clone(t.Context())
				r.Body, _ = req.GetBody()
				resp, err := newHTTPClient(t).Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				_ = resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					t.Errorf("%s: status %d", service, resp.StatusCode)
				}
			})
		}
	}
	wg.Wait()
	if n := len(s.Requests()); n != 4*each {
		t.Errorf("%d requests logged", n)
	}
}
