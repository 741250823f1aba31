// Package issuertest starts authorization servers that this project did not write, so that a test meets a stranger's
// reading of the RFCs: npm's oidc-provider and oauth2-mock-server, the example of zitadel/oidc and one on ory/fosite.
// What they are is in test; scripts/install-test-deps installs and builds them.
package issuertest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/testneed"
)

// Fault makes a server on Node.js answer amiss.
type Fault struct {
	// Path is the endpoint beside the token endpoint, "token".
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
	Auth string `json:"auth"`
	// Client is the client's id, empty where the request does not say it.
	Client    string `json:"client"`
	GrantType string `json:"grant_type"`
	Status    int    `json:"status"`
}

// Server is a running server.
type Server struct {
	// URL is scheme, host and port: a profile's base_url.
	URL string `json:"url"`
	// Issuer is URL and, where there is one, a path.
	Issuer string `json:"issuer"`
	// TokenURL is the token endpoint in full, for the servers on Node.js.
	TokenURL string `json:"token_url"`

	t testing.TB
}

// startNode starts test/DIR/server.mjs.
func startNode(t testing.TB, dir string, config any) *Server {
	t.Helper()
	where := filepath.Join(testneed.Root(t), "test", dir)
	_, err := os.Stat(filepath.Join(where, "node_modules", dir, "package.json"))
	testneed.Need(t, "the npm package "+dir, err)
	cmd := exec.Command(node(t, where), "server.mjs") //nolint:noctx // it ends with its stdin, see stop
	cmd.Dir = where
	return start(t, cmd, config)
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

// startBuilt starts a server that was built into .bin.
func startBuilt(t testing.TB, name string, config any) *Server {
	t.Helper()
	path := filepath.Join(testneed.Root(t), ".bin", name)
	_, err := os.Stat(path)
	testneed.Need(t, "the program "+name, err)
	return start(t, exec.Command(path), config) //nolint:noctx // it ends with its stdin, see stop
}

// start runs a server until the test ends.
func start(t testing.TB, cmd *exec.Cmd, config any) *Server {
	t.Helper()
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatalf("encoding the configuration of %s: %v", cmd.Path, err)
	}
	cmd.Env = append(os.Environ(), "SERVER_CONFIG="+string(text))
	var log lockedBuffer
	cmd.Stderr = &log
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatalf("starting %s: %v", cmd.Path, err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatalf("starting %s: %v", cmd.Path, err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", cmd.Path, err)
	}
	t.Cleanup(func() { stop(t, cmd, stdin, &log) })
	s := &Server{t: t}
	if err := readReady(stdout, s); err != nil {
		t.Fatalf("waiting for %s: %v\n%s", cmd.Path, err, log.String())
	}
	return s
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
		t.Errorf("%s ended badly: %v\n%s", cmd.Path, err, log.String())
	}
}

// TokenRequests returns how many requests met the token endpoint so far, refused ones included: of these clients, or of
// all where none is named.
func (s *Server) TokenRequests(clients ...string) int {
	s.t.Helper()
	n := 0
	for _, r := range s.Requests() {
		if path.Base(r.Path) == "token" && (len(clients) == 0 || slices.Contains(clients, r.Client)) {
			n++
		}
	}
	return n
}

// Requests returns what was asked so far, oldest first.
func (s *Server) Requests() []Request {
	s.t.Helper()
	var list struct {
		Requests []Request `json:"requests"`
	}
	s.do(http.MethodGet, "/_requests", http.NoBody, &list)
	return list.Requests
}

// Inject adds a fault behind those that wait.
func (s *Server) Inject(f Fault) {
	s.t.Helper()
	token, err := url.Parse(s.TokenURL)
	if err != nil {
		s.t.Fatalf("reading the token URL: %v", err)
	}
	f.Path = path.Join(path.Dir(token.Path), f.Path)
	text, err := json.Marshal(struct {
		Fault
		DelayMS int64 `json:"delay_ms,omitempty"`
	}{f, f.Delay.Milliseconds()})
	if err != nil {
		s.t.Fatalf("encoding a fault: %v", err)
	}
	s.do(http.MethodPost, "/_faults", bytes.NewReader(text), nil)
}

func (s *Server) do(method, path string, body io.Reader, into any) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, body)
	if err != nil {
		s.t.Fatalf("asking %s: %v", s.URL, err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatalf("asking %s: %v", s.URL, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("asking %s for %s: status %d", s.URL, path, resp.StatusCode)
	}
	if into == nil {
		return
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		s.t.Fatalf("reading the answer of %s to %s: %v", s.URL, path, err)
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
