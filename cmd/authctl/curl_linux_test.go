package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/authctl/authctl/internal/testneed"
)

// api is a service that takes tokens.
type api struct {
	*httptest.Server

	mu sync.Mutex
	// refuse is how many requests are answered 401.
	refuse int
	// seen is what was asked, with the token as a number: the first, the second, ….
	seen   []string
	tokens []string
	// wait holds the end of /slow back.
	wait chan struct{}
}

func newAPI(t *testing.T) *api {
	t.Helper()
	testneed.Program(t, "curl")
	s := &api{wait: make(chan struct{})}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Server.Close)
	return s
}

// ServeHTTP answers with what it got; see http.Handler.
func (s *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	refused := s.note(r, string(body))
	switch {
	case r.URL.Path == "/elsewhere":
		http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusFound)
	case refused:
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, "refused "+strings.Repeat("x", 100_000))
	case r.URL.Path == "/slow":
		_, _ = io.WriteString(w, "first\n")
		_ = http.NewResponseController(w).Flush()
		<-s.wait
		_, _ = io.WriteString(w, strings.Repeat("x", 10_000_000))
	default:
		_, _ = fmt.Fprintf(w, "hello %s\n", body)
	}
}

// refuses answers the next n requests with 401.
func (s *api) refuses(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = n
}

func (s *api) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = nil
}

func (s *api) note(r *http.Request, body string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	number := 0
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		for number < len(s.tokens) && s.tokens[number] != token {
			number++
		}
		if number == len(s.tokens) {
			s.tokens = append(s.tokens, token)
		}
		number++
	}
	s.seen = append(s.seen, fmt.Sprintf("%s %s token %d %s", r.Method, r.URL.Path, number, body))
	s.refuse--
	return s.refuse >= 0
}

// wants requires what was asked since the last time and how the process ended.
func (s *api) wants(t *testing.T, o outcome, code int, stdout string, seen ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.code != code || !strings.HasPrefix(o.stdout, stdout) || stdout == "" && o.stdout != "" || strings.Count(o.stdout, " ") > 1 {
		t.Errorf("exit code %d, stdout %.40q; want %d and %q; stderr %q", o.code, o.stdout, code, stdout, o.stderr)
	}
	if got, want := strings.Join(s.seen, "\n"), strings.Join(seen, "\n"); got != want {
		t.Errorf("the service was asked\n%s\nwant\n%s", got, want)
	}
	s.seen, s.refuse = nil, 0
}

// curl runs authctl curl for a profile of the sandbox, with the API's host allowed.
func (p *place) curl(s *api, stdin string, args ...string) outcome {
	p.t.Helper()
	host := strings.TrimPrefix(s.URL, "http://")
	r := p.prepare(append([]string{"curl", "pexip", "--allow-host", host, "--"}, args...)...)
	r.Stdin = strings.NewReader(stdin)
	if err := r.Start(); err != nil {
		p.t.Fatal(err)
	}
	o := r.end()
	p.wantSilent(o.stdout + o.stderr)
	return o
}

func TestCurl(t *testing.T) {
	t.Parallel()
	p, s := newPlace(t), newAPI(t)
	p.fileStore()
	url := s.URL + "/a"
	s.wants(t, p.curl(s, "", "-s", url), 0, "hello", "GET /a token 1 ")
	if o := p.curl(s, "", "-sSv", url); !strings.Contains(o.stderr, "Authorization: Bearer [redacted]") || o.code != 0 {
		t.Errorf("verbose: exit code %d, %s", o.code, o.stderr)
	}
	s.forget()
	s.wants(t, p.curl(s, "from-stdin", "-s", "-d", "@-", url), 0, "hello from-stdin\n", "POST /a token 1 from-stdin")
	// curl's own exit codes.
	if o := p.curl(s, "", "-sS", "-m", "1", "--connect-timeout", "x", url); o.code != 2 {
		t.Errorf("exit code %d, want curl's 2: %s", o.code, o.stderr)
	}
	s.wants(t, outcome{}, 0, "")

	// A cached token that is not accepted any more is renewed, once.
	p.wantRequests(1, 1)
	s.refuses(1)
	s.wants(t, p.curl(s, "", "-sS", url), 0, "hello", "GET /a token 1 ", "GET /a token 2 ")
	p.wantRequests(2, 2)
	s.refuses(1)
	s.wants(t, p.curl(s, "", "-fsS", "-d", "x=y", url), 0, "hello x=y\n", "POST /a token 2 x=y", "POST /a token 3 x=y")
	s.refuses(2)
	s.wants(t, p.curl(s, "", "-sS", url), 0, "refused ", "GET /a token 3 ", "GET /a token 4 ")
	s.refuses(2)
	o := p.curl(s, "", "-fsS", url)
	s.wants(t, o, 22, "", "GET /a token 4 ", "GET /a token 5 ")
	if n := strings.Count(o.stderr, "401"); n != 1 {
		t.Errorf("the refusal is told %d times: %q", n, o.stderr)
	}
	// So is the output to a file.
	s.refuses(1)
	s.wants(t, p.curl(s, "", "-sS", "-o", p.path("out"), url), 0, "", "GET /a token 5 ", "GET /a token 6 ")
	if text, err := os.ReadFile(p.path("out")); err != nil || string(text) != "hello \n" {
		t.Errorf("the file holds %.40q, %v", text, err)
	}
	p.wantRequests(6, 6)

	// What cannot be repeated is not, and neither is a token that was just issued.
	s.refuses(1)
	s.wants(t, p.curl(s, "body", "-sS", "-d", "@-", url), 0, "refused ", "POST /a token 6 body")
	p.wantRequests(6, 6)
	s.refuses(1)
	o = p.run("curl", "talkdesk", "--allow-host", strings.TrimPrefix(s.URL, "http://"), "--", "-sS", url)
	s.wants(t, o, 0, "refused ", "GET /a token 7 ")
}

func TestCurlRedirects(t *testing.T) {
	t.Parallel()
	p, s, other := newPlace(t), newAPI(t), newAPI(t)
	p.fileStore()
	to := func(where string) string { return s.URL + "/elsewhere?to=" + where }
	// curl keeps the token on the same host and drops it on another, be it only by the port.
	s.wants(t, p.curl(s, "", "-sL", to("/a")), 0, "hello", "GET /elsewhere token 1 ", "GET /a token 1 ")
	o := p.curl(s, "", "-sL", to(other.URL+"/a"))
	s.wants(t, o, 0, "hello", "GET /elsewhere token 1 ")
	other.wants(t, o, 0, "hello", "GET /a token 0 ")
	// The other host's refusal says nothing of the token, and the first request has been carried out.
	other.refuses(1)
	o = p.curl(s, "", "-sL", to(other.URL+"/a"))
	s.wants(t, o, 0, "refused ", "GET /elsewhere token 1 ")
	other.wants(t, o, 0, "refused ", "GET /a token 0 ")
	p.wantRequests(1, 1)
	// Nothing is sent to what is not allowed.
	for _, args := range [][]string{
		{other.URL},
		{s.URL, other.URL},
		{"--location-trusted", to(other.URL)},
		{"--url", other.URL, s.URL},
		{"--connect-to", "::" + strings.TrimPrefix(other.URL, "http://"), s.URL},
		{"-K", p.path("curlrc"), s.URL},
		{strings.Replace(other.URL, "http://", "http://"+strings.TrimPrefix(s.URL, "http://")+"@", 1)},
		{"--next", s.URL},
	} {
		s.wants(t, p.curl(s, "", args...), 2, "")
	}
	other.wants(t, outcome{}, 0, "")
}

// TestCurlIgnoresCurlrc: a curlrc, or a proxy, could send the token anywhere.
func TestCurlIgnoresCurlrc(t *testing.T) {
	t.Parallel()
	p, s, other := newPlace(t), newAPI(t), newAPI(t)
	p.fileStore()
	rc := "url = \"" + other.URL + "\"\nproxy = \"" + other.URL + "\"\nlocation-trusted\n"
	if err := os.WriteFile(filepath.Join(p.path("home"), ".curlrc"), []byte(rc), 0o600); err != nil {
		t.Fatal(err)
	}
	p.set("http_proxy="+other.URL, "ALL_PROXY="+other.URL, "all_proxy="+other.URL, "AUTHCTL_PASSWORD=x")
	s.wants(t, p.curl(s, "", "-s", s.URL), 0, "hello", "GET / token 1 ")
	other.wants(t, outcome{}, 0, "")
}

// TestCurlStreams holds a big answer open: what has come is shown before the rest is there, with a cached token too.
func TestCurlStreams(t *testing.T) {
	t.Parallel()
	p, s := newPlace(t), newAPI(t)
	p.fileStore()
	p.curl(s, "", "-s", s.URL)
	x := p.alive("curl", "pexip", "--allow-host", strings.TrimPrefix(s.URL, "http://"), "--", "-sN", s.URL+"/slow")
	stop := watchArguments(t, x.Process.Pid)
	if got := x.line(); got != "first" {
		t.Errorf("the first line is %q", got)
	}
	until(t, "curl is seen", func() bool {
		return strings.Contains(strings.Join(commandLines(t, x.Process.Pid), "\n"), "curl -q --config /dev/fd/3 -sN")
	})
	p.wantSilent(stop())
	close(s.wait)
	n, err := io.Copy(io.Discard, x.lines)
	if err != nil || n != 10_000_000 {
		t.Errorf("%d bytes came, %v", n, err)
	}
	x.lines = bufio.NewReader(strings.NewReader(""))
	x.ends(0)
}

func TestCurlIsMissing(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fileStore()
	p.set("PATH=" + p.path("home"))
	o := p.run("curl", "pexip", "--", p.server.URL())
	if o.code != 127 || !strings.Contains(o.stderr, "authctl: error: running curl: ") {
		t.Errorf("exit code %d, %q; want 127", o.code, o.stderr)
	}
	p.wantRequests(0, 0)
}
