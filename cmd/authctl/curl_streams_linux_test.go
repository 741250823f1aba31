package main

import (
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/authctl/authctl/internal/testneed"
)

// standIn puts a script in the place of curl. It finds its configuration at the descriptor 3 and, where a refusal is to
// be told, has to write the reply's headers to the descriptor 4.
func (p *place) standIn(script string) {
	p.t.Helper()
	p.set("PATH=" + p.path("bin") + string(os.PathListSeparator) + os.Getenv("PATH"))
	if err := os.MkdirAll(p.path("bin"), 0o700); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(p.path("bin/curl"), []byte("#!/bin/sh\ncat <&3 >/dev/null\n"+script), 0o700); err != nil {
		p.t.Fatal(err)
	}
}

func TestCurlHasNoSecretInItsEnvironment(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fileStore()
	p.set("AUTHCTL_PASSWORD=fake")
	p.standIn(`echo "${AUTHCTL_STORE_KEY-gone} ${AUTHCTL_PASSWORD-gone} ${AUTHCTL_CONFIG:+there}"`)
	for _, url := range []string{p.server.URL(), "https://api.example/"} {
		if o := p.run("curl", "pexip", "--allow-host", "api.example", "--", url); o.stdout != "gone gone there\n" {
			t.Errorf("%s: exit code %d, the environment has %q, %s", url, o.code, o.stdout, o.stderr)
		}
	}
}

// TestSignalWhileOutputIsPassedOn ends authctl after curl has ended, while nobody reads what its -v wrote.
func TestSignalWhileOutputIsPassedOn(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fileStore()
	p.standIn(`head -c 100000 /dev/zero >&2; echo gone >` + p.path("gone"))
	r := p.prepare("curl", "pexip", "--", "-v", p.server.URL())
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	r.Stderr = writer
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	_ = writer.Close()
	until(t, "curl has ended", func() bool {
		_, err := os.Stat(p.path("gone"))
		return err == nil && !strings.Contains(strings.Join(commandLines(t, r.Process.Pid), "\n"), "/bin/curl")
	})
	ended := make(chan outcome, 1)
	go func() { ended <- r.end() }()
	var o outcome
	until(t, "authctl has ended", func() bool {
		// The first may come before it knows that curl is no more.
		_ = r.Process.Signal(syscall.SIGTERM)
		select {
		case o = <-ended:
			return true
		default:
			return false
		}
	})
	if o.code != 143 {
		t.Errorf("exit code %d, want 143", o.code)
	}
}

// TestSignalDuringARefusal: a signal is curl's, and it runs once.
func TestSignalDuringARefusal(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fileStore()
	p.standIn(`printf 'HTTP/1.1 401 Unauthorized\r\n\r\n' >&4; exec 4>&-; echo run >>` + p.path("runs") + `; echo ready >&2; exec sleep 100`)
	if o := p.run("token", "get", "pexip"); o.code != 0 {
		t.Fatal(o.stderr)
	}
	x := p.alive("curl", "pexip", "--", "-v", p.server.URL())
	until(t, "the refusal has come", func() bool { return strings.Contains(x.said(), "ready") })
	if err := x.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	x.ends(143)
	if runs, err := os.ReadFile(p.path("runs")); err != nil || string(runs) != "run\n" {
		t.Errorf("curl ran so often: %q, %v", runs, err)
	}
	p.wantRequests(1, 1)
}

// TestCurlWhoseOutputNobodyTakes ends with curl's own code.
func TestCurlWhoseOutputNobodyTakes(t *testing.T) {
	t.Parallel()
	p, s := newPlace(t), newAPI(t)
	p.fileStore()
	s.refuses(1000)
	for _, how := range []string{"a new token", "a cached token", "a small answer"} {
		args := []string{"curl", "pexip", "--allow-host", strings.TrimPrefix(s.URL, "http://"), "--", "-sS", s.URL}
		if how == "a cached token" {
			s.refuses(0)
			args = append(args[:len(args)-1], s.URL+"/slow")
		}
		r := p.prepare(args...)
		r.Stdout = brokenPipe(t)
		if how == "a cached token" {
			close(s.wait)
		}
		if how == "a small answer" {
			s.refuses(0)
			if r.Stdout = fullDisk(t); r.Stdout == nil {
				continue
			}
		}
		if err := r.Start(); err != nil {
			t.Fatal(err)
		}
		if o := r.end(); o.code != 23 {
			t.Errorf("%s: exit code %d, want 23: %s", how, o.code, o.stderr)
		}
	}
}

// secureAPI answers over HTTP/2 and TLS.
func secureAPI(t *testing.T, p *place, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	testneed.Program(t, "curl")
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(p.path("ca.pem"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	return server
}

// TestCurlShowsNoPartOfALongToken: over HTTP/2 curl's -v shows the header twice, once cut.
func TestCurlShowsNoPartOfALongToken(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fileStore()
	s := secureAPI(t, p, func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, r.Proto, " ", len(r.Header.Get("Authorization")))
	})
	token := "fake-" + strings.Repeat("0123456789abcdef", 187)
	p.issues(token)
	for range 2 {
		o := p.run("curl", "pexip", "--allow-host", strings.TrimPrefix(s.URL, "https://"), "--",
			"--noproxy", "*", "--cacert", p.path("ca.pem"), "-v", s.URL)
		if o.code != 0 || o.stdout != fmt.Sprint("HTTP/2.0 ", len("Bearer ")+len(token)) {
			t.Errorf("exit code %d, stdout %q, stderr %q", o.code, o.stdout, o.stderr)
		}
		if at := strings.Index(o.stderr, token[:16]); at >= 0 || !strings.Contains(o.stderr, "[redacted]") {
			t.Errorf("stderr shows the token: %.200q", o.stderr[max(0, at-60):])
		}
	}
}

// TestCurlThroughAProxy: the proxy's answer to CONNECT is not the service's.
func TestCurlThroughAProxy(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.fileStore()
	s := secureAPI(t, p, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	proxy := httptest.NewServer(http.HandlerFunc(connect))
	t.Cleanup(proxy.Close)
	if o := p.run("token", "get", "pexip"); o.code != 0 {
		t.Fatal(o.stderr)
	}
	o := p.run("curl", "pexip", "--allow-host", strings.TrimPrefix(s.URL, "https://"), "--",
		"--noproxy", "", "-x", proxy.URL, "--http1.1", "--cacert", p.path("ca.pem"), "-sSi", s.URL)
	if o.code != 0 || !strings.HasPrefix(o.stdout, "HTTP/1.1 200 Connection established") || o.stderr != renewal+"pexip\n" {
		t.Errorf("exit code %d, stdout %q, stderr %q", o.code, o.stdout, o.stderr)
	}
}

// connect is a proxy that knows CONNECT only (RFC 9110 §9.3.6).
func connect(w http.ResponseWriter, r *http.Request) {
	there, err := (&net.Dialer{}).DialContext(r.Context(), "tcp", r.Host)
	if err != nil || r.Method != http.MethodConnect {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer there.Close()
	here, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer here.Close()
	_, _ = io.WriteString(here, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() { _, _ = io.Copy(there, buffered) }()
	_, _ = io.Copy(here, there)
}
