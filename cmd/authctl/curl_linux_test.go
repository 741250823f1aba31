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

	p.wantRequests(1, 1)
}

// renewal is what is said after a 401 to a cached token.
const renewal = "authctl: hint: the service answered 401 to a token from the cache; for a new one: " +
	"authctl token get --force-refresh "

// TestCurlShowsARefusal: a 401 is shown as curl shows it, whatever its size, and nothing is repeated. That the token was
// from the cache is told where it can be known.
func TestCurlShowsARefusal(t *testing.T) {
	t.Parallel()
	p, s := newPlace(t), newAPI(t)
	p.fileStore()
	url := s.URL + "/a"
	host := strings.TrimPrefix(s.URL, "http://")
	s.refuses(1)
	o := p.curl(s, "", "-sS", url)
	s.wants(t, o, 0, "refused ", "GET /a token 1 ")
	if o.stderr != "" {
		t.Errorf("a token that was just issued: stderr %q", o.stderr)
	}
	for _, tt := range []struct {
		args   []string
		stdin  string
		code   int
		stdout string
		seen   string
		told   bool
	}{
		{args: []string{"-sS", url}, stdout: "refused ", seen: "GET /a token 1 ", told: true},
		{args: []string{"-fsS", url}, code: 22, seen: "GET /a token 1 ", told: true},
		{args: []string{"-sS", "-d", "@-", url}, stdin: "body", stdout: "refused ", seen: "POST /a token 1 body", told: true},
		{args: []string{"-sSi", url}, stdout: "HTTP/1.1 401", seen: "GET /a token 1 ", told: true},
		{args: []string{"-sSI", url}, stdout: "HTTP/1.1 401", seen: "HEAD /a token 1 ", told: true},
		{args: []string{"-sS", "-o", p.path("out"), "-w", "%{http_code}", url}, stdout: "401", seen: "GET /a token 1 ", told: true},
		{args: []string{"-sS", "-D", "-", url}, stdout: "HTTP/1.1 401", seen: "GET /a token 1 "},
		{args: []string{"-sS", "-D", p.path("headers"), url}, stdout: "refused ", seen: "GET /a token 1 "},
	} {
		s.refuses(1)
		o := p.curl(s, tt.stdin, tt.args...)
		if strings.HasPrefix(o.stdout, "HTTP/1.1 401") {
			o.stdout = "HTTP/1.1 401" // its headers have blanks
			tt.stdout = o.stdout
		}
		s.wants(t, o, tt.code, tt.stdout, tt.seen)
		if told := strings.HasSuffix(o.stderr, renewal+"pexip\n"); told != tt.told || strings.Count(o.stderr, renewal) > 1 {
			t.Errorf("curl %s: stderr %q; told: %t", tt.args, o.stderr, told)
		}
	}
	if text, err := os.ReadFile(p.path("headers")); err != nil || !strings.HasPrefix(string(text), "HTTP/1.1 401") {
		t.Errorf("the user's own --dump-header has %q, %v", text, err)
	}
	s.refuses(1)
	o = p.run("curl", "pexip", "-q", "--allow-host", host, "--", "-sS", url)
	s.wants(t, o, 0, "refused ", "GET /a token 1 ")
	if o.stderr != "" {
		t.Errorf("--quiet: stderr %q", o.stderr)
	}
	s.refuses(2)
	o = p.curl(s, "", "-fsS", url, url)
	s.wants(t, o, 22, "", "GET /a token 1 ", "GET /a token 1 ")
	if strings.Contains(o.stderr, renewal) {
		t.Errorf("two URLs: stderr %q", o.stderr)
	}
	p.wantRequests(1, 1)
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
	if o.stderr != "" {
		t.Errorf("another host's refusal: stderr %q", o.stderr)
	}
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
