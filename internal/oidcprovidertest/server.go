// Package oidcprovidertest starts an OpenID provider that this project did not write: the certified npm package
// oidc-provider, its issuer and routes laid out as Keycloak's, so that a test meets a stranger's reading of
// RFC 6749, RFC 7523, RFC 7009 and RFC 7662. The server itself is test/oidc-provider/server.mjs.
package oidcprovidertest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/testneed"
)

// Config is what a server is started with. The zero value is a realm "acme" without clients.
type Config struct {
	// Account is the realm in the issuer's path; empty means "acme".
	Account string
	// Clients are the registered clients.
	Clients []Client
	// Scopes are those a client may ask for, beside openid and offline_access. Others are left out of the token
	// without an error, as RFC 6749 §3.3 allows.
	Scopes []string
	// Opaque makes access tokens opaque. They are JWTs otherwise, which this server neither introspects nor revokes.
	Opaque bool
	// Lifetime of access tokens, in whole seconds; 0 means 300 s.
	Lifetime time.Duration
}

// Client is one registered client, in the names of OpenID Connect Dynamic Client Registration 1.0 §2. A nil
// GrantTypes means client_credentials only.
type Client struct {
	ID            string   `json:"client_id"`
	Secret        string   `json:"client_secret,omitempty"`
	AuthMethod    string   `json:"token_endpoint_auth_method"`
	Scope         string   `json:"scope,omitempty"`
	JWKS          *JWKS    `json:"jwks,omitempty"`
	GrantTypes    []string `json:"grant_types,omitempty"`
	ResponseTypes []string `json:"response_types,omitempty"`
	RedirectURIs  []string `json:"redirect_uris,omitempty"`
	// ApplicationType "native" allows any port in a loopback redirect URI (RFC 8252 §7.3).
	ApplicationType string `json:"application_type,omitempty"`
}

// JWKS is a key set (RFC 7517 §5) of public keys, each as it is marshalled, such as a jose.JSONWebKey.
type JWKS struct {
	Keys []any `json:"keys"`
}

// Fault makes the server answer amiss.
type Fault struct {
	// Path is the endpoint below …/protocol/openid-connect/, "token".
	Path string `json:"path"`
	// Times is how many requests it meets; 0 means one.
	Times int `json:"times,omitempty"`
	// Delay comes before the answer, in whole milliseconds.
	Delay time.Duration `json:"-"`
	// Status is the answer's, 0 to answer as usual (after Delay).
	Status  int               `json:"status,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    string            `json:"body,omitempty"`
}

// Request is what the server remembers of a request: no secret.
type Request struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	// Auth is how the client authenticated: "basic", "private_key_jwt", or empty.
	Auth      string `json:"auth"`
	GrantType string `json:"grant_type"`
	Status    int    `json:"status"`
}

// Server is a running server.
type Server struct {
	// URL is scheme, host and port: a profile's base_url.
	URL string `json:"url"`
	// Issuer is URL and the realm's path.
	Issuer string `json:"issuer"`
	// TokenURL is the token endpoint in full.
	TokenURL string `json:"token_url"`

	t testing.TB
}

// Start runs a server until the test ends. The test is skipped, or fails, as [testneed.Need] says, when Node.js or
// the npm packages are not there.
func Start(t testing.TB, config Config) *Server {
	t.Helper()
	dir := filepath.Join(testneed.Root(t), "test", "oidc-provider")
	_, err := os.Stat(filepath.Join(dir, "node_modules", "oidc-provider", "package.json"))
	testneed.Need(t, "the npm package oidc-provider", err)

	cmd := exec.Command(node(t, dir), "server.mjs") //nolint:noctx // it ends with its stdin, see stop
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "OIDC_PROVIDER_CONFIG="+config.encode(t))
	var log lockedBuffer
	cmd.Stderr = &log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatalf("starting oidc-provider: %v", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatalf("starting oidc-provider: %v", err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting oidc-provider: %v", err)
	}
	t.Cleanup(func() { stop(t, cmd, stdin, &log) })
	s := &Server{t: t}
	if err := readReady(stdout, s); err != nil {
		t.Fatalf("waiting for oidc-provider: %v\n%s", err, log.String())
	}
	return s
}

// node prefers the one that scripts/install-test-deps put beside the server where the machine's is too old.
func node(t testing.TB, dir string) string {
	t.Helper()
	own := filepath.Join(dir, ".node", "node_modules", ".bin", "node")
	if _, err := os.Stat(own); err == nil {
		return own
	}
	return testneed.Program(t, "node")
}

// startLimit is generous: a busy machine takes seconds to load the modules.
const startLimit = 60 * time.Second

func readReady(stdout io.Reader, s *Server) error {
	line := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(stdout).ReadString('\n')
		line <- text
	}()
	select {
	case text := <-line:
		if text == "" {
			return errors.New("it ended before it was ready")
		}
		return json.Unmarshal([]byte(text), s)
	case <-time.After(startLimit):
		return fmt.Errorf("not ready after %v", startLimit)
	}
}

func stop(t testing.TB, cmd *exec.Cmd, stdin io.Closer, log *lockedBuffer) {
	t.Helper()
	_ = stdin.Close()
	kill := time.AfterFunc(startLimit, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	if err := cmd.Wait(); err != nil {
		t.Errorf("oidc-provider ended badly: %v\n%s", err, log.String())
	}
}

func (c Config) encode(t testing.TB) string {
	t.Helper()
	out := map[string]any{"clients": c.Clients, "scopes": c.Scopes}
	if c.Clients == nil {
		out["clients"] = []Client{}
	}
	if c.Scopes == nil {
		out["scopes"] = []string{}
	}
	if c.Account != "" {
		out["account"] = c.Account
	}
	if c.Opaque {
		out["token_format"] = "opaque"
	}
	if c.Lifetime > 0 {
		out["lifetime"] = int64(c.Lifetime / time.Second)
	}
	text, err := json.Marshal(out)
	if err != nil {
		t.Fatalf("encoding the configuration of oidc-provider: %v", err)
	}
	return string(text)
}

// TokenRequests returns how many requests met the token endpoint so far, refused ones included.
func (s *Server) TokenRequests() int {
	s.t.Helper()
	var count struct {
		Token int `json:"token"`
	}
	s.get("/_count", &count)
	return count.Token
}

// Requests returns what was asked so far, oldest first.
func (s *Server) Requests() []Request {
	s.t.Helper()
	var list struct {
		Requests []Request `json:"requests"`
	}
	s.get("/_requests", &list)
	return list.Requests
}

// Inject adds a fault behind those that wait.
func (s *Server) Inject(f Fault) {
	s.t.Helper()
	text, err := json.Marshal(struct {
		Fault
		DelayMS int64 `json:"delay_ms,omitempty"`
	}{f, f.Delay.Milliseconds()})
	if err != nil {
		s.t.Fatalf("encoding a fault: %v", err)
	}
	s.do(http.MethodPost, "/_faults", bytes.NewReader(text), nil)
}

func (s *Server) get(path string, into any) {
	s.t.Helper()
	s.do(http.MethodGet, path, http.NoBody, into)
}

func (s *Server) do(method, path string, body io.Reader, into any) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, body)
	if err != nil {
		s.t.Fatalf("asking oidc-provider: %v", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatalf("asking oidc-provider: %v", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("asking oidc-provider for %s: status %d", path, resp.StatusCode)
	}
	if into == nil {
		return
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		s.t.Fatalf("reading oidc-provider's answer to %s: %v", path, err)
	}
}

// lockedBuffer is written by the copying goroutine of os/exec while a failing test reads it.
type lockedBuffer struct {
	mu  sync.Mutex
	buf strings.Builder
}

// Write appends p; see io.Writer.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// String returns what was written so far.
func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
