package proxy

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// TestStreamsFlushAtOnce: each part of a reply is there before the next one is made.
func TestStreamsFlushAtOnce(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"text/event-stream", "application/octet-stream"} {
		next := make(chan struct{})
		s := newStage(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			for i := range 3 {
				_ = http.NewResponseController(w).Flush()
				<-next
				_, _ = fmt.Fprintf(w, "data: %d\n", i)
			}
		})
		resp, err := s.client.Do(s.request(http.MethodGet, s.URL()+"/events", nil))
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(resp.Body)
		for i := range 3 {
			next <- struct{}{}
			if line, err := lines.ReadString('\n'); line != fmt.Sprintf("data: %d\n", i) || err != nil {
				t.Errorf("%s: %q, %v", kind, line, err)
			}
		}
		_ = resp.Body.Close()
	}
}

// TestUpgrade: after 101 both sides say what they like, and the end of one is the other's.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") == "Bearer token-1" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			conn, buffered, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Errorf("hijacking: %v", err)
				return
			}
			defer conn.Close()
			_, _ = fmt.Fprintf(buffered, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Asked: %s\r\n\r\n", asked(r))
			_ = buffered.Flush()
			line, _ := buffered.ReadString('\n')
			_, _ = io.WriteString(conn, "you said "+line)
		})
		server := httptest.NewUnstartedServer(handler)
		if server.EnableHTTP2 = secure; secure {
			server.StartTLS()
		} else {
			server.Start()
		}
		t.Cleanup(server.Close)
		s := newStageTo(t, server)
		conn, err := net.Dial("tcp", s.host) //nolint:noctx // loopback
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, _ = fmt.Fprintf(conn, "GET /%s/ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", s.secret, s.host)
		in := bufio.NewReader(conn)
		resp, err := http.ReadResponse(in, nil)
		if err != nil || resp.StatusCode != http.StatusSwitchingProtocols || resp.Header.Get("X-Asked") != "GET /ws token-2" {
			t.Fatalf("TLS %t: %v, %v", secure, resp, err)
		}
		_, _ = io.WriteString(conn, "hello\n")
		if text, err := io.ReadAll(in); string(text) != "you said hello\n" || err != nil {
			t.Errorf("TLS %t: %q, %v", secure, text, err)
		}
		if line := <-s.logged; !strings.HasPrefix(line, "GET /ws 101 ") {
			t.Errorf("logged as %q", line)
		}
	}
}

// TestHTTP2Upstream: requests with bodies that may be repeated go over HTTP/2 where the upstream speaks it.
func TestHTTP2Upstream(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(asked(r), "token-1") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		body, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%s %s %d", r.Proto, asked(r), len(body))
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	s := newStageTo(t, server)
	if r := s.ask(http.MethodPost, "/a%2Fb?c", strings.Repeat("x", 300_000)); r.body != "HTTP/2.0 POST /a%2Fb?c token-2 300000" {
		t.Errorf("the upstream was asked %q, status %d", r.body, r.StatusCode)
	}
}

// TestHangUpEndsTheRequest: of who has gone the upstream is told at once.
func TestHangUpEndsTheRequest(t *testing.T) {
	t.Parallel()
	begun, ended := make(chan struct{}), make(chan struct{})
	s := newStage(t, func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
		close(ended)
	})
	ctx, hangUp := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() {
		resp, err := s.client.Do(s.request(http.MethodGet, s.URL()+"/x", nil).WithContext(ctx))
		if err == nil {
			_ = resp.Body.Close()
			t.Error("there is an answer")
		}
	})
	<-begun
	hangUp()
	<-ended
	all.Wait()
	if line := <-s.logged; !strings.HasPrefix(line, "GET /x no reply ") {
		t.Errorf("logged as %q", line)
	}
}

// TestContinueIsTheUpstreams: a body is sent when the upstream wants it, and not when it does not.
func TestContinueIsTheUpstreams(t *testing.T) {
	t.Parallel()
	s := newStage(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/no" {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		body, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%s %d", r.Header.Get("Expect"), len(body))
	})
	if r := s.do(s.request(http.MethodPut, s.URL()+"/yes", strings.NewReader("body"), "Expect: 100-continue")); r.body != "100-continue 4" {
		t.Errorf("%d %q", r.StatusCode, r.body)
	}
	unread := strings.NewReader("body")
	r := s.do(s.request(http.MethodPut, s.URL()+"/no", unread, "Expect: 100-continue"))
	if r.StatusCode != http.StatusRequestEntityTooLarge || unread.Len() != 4 {
		t.Errorf("status %d, and %d bytes of the body were not sent", r.StatusCode, unread.Len())
	}
}

// TestThousandConnections are open at the same time, each with a request under way.
func TestThousandConnections(t *testing.T) {
	const many = 1000
	var arrived sync.WaitGroup
	arrived.Add(many)
	s := newStage(t, func(w http.ResponseWriter, r *http.Request) {
		arrived.Done()
		arrived.Wait()
		_, _ = io.WriteString(w, asked(r))
	})
	var all sync.WaitGroup
	for range many {
		all.Go(func() { s.wantToken("token-1") })
	}
	all.Wait()
}

// TestCloseLeavesNothing: streams and upgraded connections end with the proxy.
func TestCloseLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("run", func(t *testing.T) {
		begun := make(chan struct{}, 2)
		s := newStage(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Upgrade") != "" {
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
				_, _ = io.Copy(io.Discard, conn)
				return
			}
			_ = http.NewResponseController(w).Flush()
			begun <- struct{}{}
			<-r.Context().Done()
		})
		stream, err := s.client.Do(s.request(http.MethodGet, s.URL()+"/stream", nil))
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Body.Close()
		<-begun
		conn, err := net.Dial("tcp", s.host) //nolint:noctx // loopback
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, _ = fmt.Fprintf(conn, "GET /%s/ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", s.secret, s.host)
		upgraded := bufio.NewReader(conn)
		if _, err := http.ReadResponse(upgraded, nil); err != nil {
			t.Fatal(err)
		}
		s.Close()
		if _, err := io.ReadAll(stream.Body); err == nil {
			t.Error("a stream that was cut seems to be whole")
		}
		if _, err := upgraded.ReadByte(); err == nil {
			t.Error("an upgraded connection goes on")
		}
		if _, err := net.Dial("tcp", s.host); err == nil { //nolint:noctx // loopback
			t.Error("it still listens")
		}
	})
	until(t, func() bool { return runtime.NumGoroutine() <= before })
}
