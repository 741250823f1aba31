package loopback

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// foreignError is what a caller returns for a redirect of no login of its own.
type foreignError struct{}

func (foreignError) Error() string { return "foreign" }
func (foreignError) Foreign() bool { return true }

var errRefused = errors.New("refused: fake-description")

// judge takes state=good for this login, and error for the service's refusal.
func judge(query url.Values) error {
	switch {
	case query.Get("state") != "good":
		return fmt.Errorf("judging: %w", foreignError{})
	case query.Has("error"):
		return errRefused
	}
	return nil
}

// waiting is a receiver whose Wait runs.
type waiting struct {
	*Receiver
	client *http.Client
	ended  chan error
	cancel context.CancelCauseFunc
}

func start(t *testing.T, port int, accept func(url.Values) error, change ...func(*Receiver)) *waiting {
	t.Helper()
	r, err := Listen(port)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(r)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	transport := &http.Transport{}
	w := &waiting{Receiver: r, client: &http.Client{Transport: transport}, ended: make(chan error, 1), cancel: cancel}
	go func() { w.ended <- r.Wait(ctx, accept) }()
	t.Cleanup(func() { cancel(nil); transport.CloseIdleConnections() })
	return w
}

// ask sends one request and returns status and page.
func (w *waiting) ask(t *testing.T, method, address, host, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	resp, err := w.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(page)
}

// raw sends bytes on a connection of its own and returns the status line.
func (w *waiting) raw(t *testing.T, text string) string {
	t.Helper()
	conn := w.dial(t)
	go func() { _, _ = io.WriteString(conn, text) }() // the server may stop reading before all is sent
	line, _ := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimSpace(line)
}

func (w *waiting) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", w.host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// listens reports whether somebody answers at the receiver's address.
func (w *waiting) listens(t *testing.T) bool {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", w.host)
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

func TestLogin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, query, title string
		want               error
	}{
		{"logged in", "state=good&code=fake-code", "<h1>Logged in</h1>", nil},
		{"refused", "state=good&error=access_denied&error_description=fake%1b%5b2J", "<h1>Login did not work</h1>", errRefused},
	} {
		w := start(t, 0, judge)
		resp, page := w.ask(t, "GET", w.RedirectURI()+"?"+c.query, "", "")
		if resp.StatusCode != 200 || !strings.Contains(page, c.title) || strings.Contains(page, "fake") {
			t.Errorf("%s: %d\n%s", c.name, resp.StatusCode, page)
		}
		checkPage(t, resp, page)
		if err := <-w.ended; !errors.Is(err, c.want) {
			t.Errorf("%s: Wait returns %v", c.name, err)
		}
		if w.listens(t) {
			t.Errorf("%s: it still listens", c.name)
		}
		if err := w.Close(); err != nil {
			t.Errorf("%s: closing again: %v", c.name, err)
		}
	}
}

// checkPage looks at what every page must have.
func checkPage(t *testing.T, resp *http.Response, page string) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	policy := resp.Header.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'; style-src 'unsafe-inline'") || strings.Contains(policy, "script") {
		t.Errorf("Content-Security-Policy is %q", policy)
	}
	if !strings.HasPrefix(page, "<!doctype html>") || strings.Contains(page, "<script") || strings.Contains(page, "http") {
		t.Errorf("the page is\n%s", page)
	}
}

// TestUnderFire sends all that is no answer to the login, then the answer.
func TestUnderFire(t *testing.T) {
	t.Parallel()
	w := start(t, 0, judge, func(r *Receiver) { r.slow = 250 * time.Millisecond })
	base := "http://" + w.host
	good := "?state=good&code=fake-code"
	silent := w.dial(t) // connects and says nothing
	slow := w.dial(t)   // says half a request
	if _, err := io.WriteString(slow, "GET /callback"+good+" HTTP/1.1\r\nHost: "); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, method, address, host, body string
		status                            int
	}{
		{"wrong state", "GET", base + "/callback?state=fake-evil&code=fake-code", "", "", 400},
		{"no state", "GET", base + "/callback?code=fake-code", "", "", 400},
		{"no query", "GET", base + "/callback", "", "", 400},
		{"foreign refusal", "GET", base + "/callback?error=access_denied&error_description=fake%1b%5b2J", "", "", 400},
		{"bad escape", "GET", base + "/callback?state=good&code=%zz", "", "", 400},
		{"semicolon", "GET", base + "/callback?state=good;code=fake-code", "", "", 400},
		{"favicon", "GET", base + "/favicon.ico", "", "", 404},
		{"root", "GET", base + "/", "", "", 404},
		{"path below", "GET", base + "/callback/" + good, "", "", 404},
		{"two slashes", "GET", base + "//callback" + good, "", "", 404},
		{"POST", "POST", base + "/callback" + good, "", "state=good&code=fake-code", 405},
		{"HEAD", "HEAD", base + "/callback" + good, "", "", 405},
		{"OPTIONS", "OPTIONS", base + "/callback" + good, "", "", 405},
		{"GET with a body", "GET", base + "/callback" + good, "", "fake-body", 400},
		{"foreign host", "GET", base + "/callback" + good, "evil.example", "", 421},
		{"foreign host, right port", "GET", base + "/callback" + good, strings.Replace(w.host, "127.0.0.1", "evil.example", 1), "", 421},
		{"other name", "GET", base + "/callback" + good, strings.Replace(w.host, "127.0.0.1", "localhost", 1), "", 421},
		{"other port", "GET", base + "/callback" + good, "127.0.0.1:1", "", 421},
		{"no port", "GET", base + "/callback" + good, "127.0.0.1", "", 421},
		{"long query", "GET", base + "/callback" + good + strings.Repeat("a", maxQuery), "", "", 414},
	} {
		resp, page := w.ask(t, c.method, c.address, c.host, c.body)
		if resp.StatusCode != c.status || strings.Contains(page, "fake") || strings.Contains(page, "\x1b") {
			t.Errorf("%s: %d, want %d\n%s", c.name, resp.StatusCode, c.status, page)
		}
		if c.method != "HEAD" {
			checkPage(t, resp, page)
		}
		if allow := resp.Header.Get("Allow"); (c.status == 405) != (allow == "GET") {
			t.Errorf("%s: Allow is %q", c.name, allow)
		}
	}
	for name, c := range map[string]struct{ text, status string }{
		"1 MiB query":     {"GET /callback" + good + strings.Repeat("a", 1<<20) + " HTTP/1.1\r\nHost: " + w.host + "\r\n\r\n", "431"},
		"no host":         {"GET /callback" + good + " HTTP/1.0\r\n\r\n", "421"},
		"absolute":        {"GET http://evil.example/callback" + good + " HTTP/1.1\r\nHost: " + w.host + "\r\n\r\n", "421"},
		"chunked":         {"GET /callback" + good + " HTTP/1.1\r\nHost: " + w.host + "\r\nTransfer-Encoding: chunked\r\n\r\n", "400"},
		"not HTTP at all": {"\x16\x03\x01\x1b[2J\r\n\r\n", "400"},
	} {
		if line := w.raw(t, c.text); !strings.Contains(line, " "+c.status+" ") {
			t.Errorf("%s: %q, want %s", name, line, c.status)
		}
	}
	// Both slow clients are let go while the wait goes on.
	for _, conn := range []net.Conn{silent, slow} {
		if text, err := io.ReadAll(conn); err != nil || strings.Contains(string(text), "Logged in") {
			t.Errorf("slow client: %q, %v", text, err)
		}
	}
	select {
	case err := <-w.ended:
		t.Fatalf("the wait ended: %v", err)
	default:
	}
	if resp, page := w.ask(t, "GET", w.RedirectURI()+good, "", ""); resp.StatusCode != 200 || !strings.Contains(page, "Logged in") {
		t.Errorf("the answer: %d\n%s", resp.StatusCode, page)
	}
	if err := <-w.ended; err != nil {
		t.Errorf("Wait returns %v", err)
	}
}

// TestSecondSuccess sends the same redirect again while the first is being
// judged: it is told so, and accept is not asked again.
func TestSecondSuccess(t *testing.T) {
	t.Parallel()
	entered, release := make(chan struct{}, 8), make(chan struct{})
	w := start(t, 0, func(url.Values) error {
		entered <- struct{}{}
		<-release
		return nil
	})
	const requests = 4
	statuses := make(chan string, requests)
	send := func(conn net.Conn) {
		_, _ = io.WriteString(conn, "GET /callback?state=good&code=fake-code HTTP/1.1\r\nHost: "+w.host+"\r\n\r\n")
		text, _ := io.ReadAll(conn)
		line, _, _ := strings.Cut(string(text), "\r\n")
		statuses <- line
	}
	go send(w.dial(t))
	<-entered
	for range requests - 1 {
		go send(w.dial(t))
	}
	w.waitForOpen(t, requests)
	close(release)
	count := map[string]int{}
	for range requests {
		count[<-statuses]++
	}
	if count["HTTP/1.1 200 OK"] != 1 || count["HTTP/1.1 410 Gone"] != requests-1 || len(entered) != 0 {
		t.Errorf("%v, accept was asked %d times more", count, len(entered))
	}
	if err := <-w.ended; err != nil {
		t.Error(err)
	}
}

// waitForOpen returns when n requests are being answered.
func (w *waiting) waitForOpen(t *testing.T, n int) {
	t.Helper()
	for t.Context().Err() == nil {
		w.mu.Lock()
		open := w.open
		w.mu.Unlock()
		if open == n {
			return
		}
		select { // nothing tells of a request that waits for its turn
		case <-t.Context().Done():
		case <-time.After(time.Millisecond):
		}
	}
}

func TestContextEnds(t *testing.T) {
	t.Parallel()
	reason := errors.New("enough")
	w := start(t, 0, judge)
	w.cancel(reason)
	if err := <-w.ended; !errors.Is(err, reason) || err.Error() != "waiting for the browser: enough" {
		t.Errorf("Wait returns %v", err)
	}
	if w.listens(t) {
		t.Error("it still listens")
	}
}

// TestContextEndsWhileAccepting has accept succeed all the same: the code is
// spent, so that its result must not be lost.
func TestContextEndsWhileAccepting(t *testing.T) {
	t.Parallel()
	var w *waiting
	ready := make(chan struct{})
	w = start(t, 0, func(url.Values) error {
		<-ready
		w.cancel(errors.New("enough"))
		select {
		case err := <-w.ended:
			t.Errorf("Wait returned %v while accept was running", err)
			w.ended <- nil
		case <-time.After(20 * time.Millisecond): // long enough for it to go wrong
		}
		return nil
	}, func(r *Receiver) { r.linger = 0 })
	close(ready)
	if resp, page := w.ask(t, "GET", w.RedirectURI()+"?state=good", "", ""); resp.StatusCode != 200 || !strings.Contains(page, "Logged in") {
		t.Errorf("%d\n%s", resp.StatusCode, page)
	}
	if err := <-w.ended; err != nil {
		t.Errorf("Wait returns %v", err)
	}
}

func TestListen(t *testing.T) {
	t.Parallel()
	first, err := Listen(0)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	u, err := url.Parse(first.RedirectURI())
	if err != nil || u.Hostname() != "127.0.0.1" || u.Port() == "0" || u.Path != "/callback" || u.Scheme != "http" {
		t.Errorf("redirect URI %s, %v", first.RedirectURI(), err)
	}
	_, err = Listen(first.listener.Addr().(*net.TCPAddr).Port)
	e, ok := errors.AsType[*ListenError](err)
	if !ok || e.Address != u.Host || !strings.HasPrefix(err.Error(), "cannot listen on "+u.Host+" for the redirect: ") || errors.Unwrap(err) == nil {
		t.Errorf("port taken: %T %v", err, err)
	}
	for _, port := range []int{-1, 65536} {
		if r, err := Listen(port); err == nil {
			_ = r.Close()
			t.Errorf("%d is taken", port)
		}
	}
}

// TestPort80 has the Host header that browsers send when the port is http's own.
func TestPort80(t *testing.T) {
	t.Parallel()
	r := &Receiver{host: "127.0.0.1:80"}
	for host, want := range map[string]bool{"127.0.0.1": false, "127.0.0.1:80": false, "127.0.0.1:81": true, "localhost": true, "": true} {
		req := &http.Request{Method: "GET", Host: host, URL: &url.URL{Path: "/callback"}}
		if kind, refused := r.refusal(req); refused != want || refused && kind != pageWrongHost {
			t.Errorf("host %q: refused %v, page %v", host, refused, kind)
		}
	}
}
