package network

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/secret"
)

// ticking is a clock that is a millisecond later each time.
func ticking() func() time.Time {
	var turn sync.Mutex
	at := time.Date(2031, 4, 5, 12, 0, 0, 0, time.UTC)
	return func() time.Time {
		turn.Lock()
		defer turn.Unlock()
		at = at.Add(time.Millisecond)
		return at
	}
}

// observed returns a client that is observed, and what is told.
func observed(keep int) (*http.Client, *[]*Exchange) {
	var told []*Exchange
	transport := http.DefaultTransport.(*http.Transport).Clone()
	return &http.Client{Transport: &Observer{
		Base: transport, Keep: keep, Now: ticking(), Tell: func(e *Exchange) { told = append(told, e) },
	}}, &told
}

func served(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return s.URL
}

func TestObserver(t *testing.T) {
	t.Parallel()
	address := served(t, func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Request-Id", "r1")
		_, _ = io.WriteString(w, "got "+string(text))
	})
	client, told := observed(8)
	ctx := WithSecrets(t.Context(), secret.Redactor{"fake"})
	req, _ := http.NewRequestWithContext(ctx, http.MethodPost, address+"/a?b=c", strings.NewReader("0123456789"))
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if len(*told) != 0 {
		t.Error("it is told before the body was read")
	}
	text, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if string(text) != "got 0123456789" || len(*told) != 1 {
		t.Fatalf("%q, told %d times", text, len(*told))
	}
	e := (*told)[0]
	if string(e.Sent.Text) != "01234567" || e.Sent.Size != 10 || !e.Sent.Cut() || string(e.Received.Text) != "got 0123" {
		t.Errorf("kept %+v and %+v", e.Sent, e.Received)
	}
	if e.Header.Get("Content-Length") != "10" || e.Header.Get("Host") == "" || e.Response.Header.Get("X-Request-Id") != "r1" {
		t.Errorf("heads %v and %v", e.Header, e.Response.Header)
	}
	if !strings.HasPrefix(e.Remote, "127.0.0.1:") || len(e.Secrets) != 1 || e.Err != nil {
		t.Errorf("remote %s, %d secrets, error %v", e.Remote, len(e.Secrets), e.Err)
	}
	at := e.Times
	for i, moment := range []time.Time{at.Start, at.ConnectStart, at.ConnectDone, at.Connection, at.FirstIn, at.Head, at.End} {
		if moment.IsZero() || moment.Before(at.Start) || moment.After(at.End) {
			t.Errorf("moment %d is %v of %v to %v", i, moment, at.Start, at.End)
		}
	}
	if line := e.Line(); !strings.HasPrefix(line, "POST "+address+"/a 200 ") || strings.Contains(line, "b=c") {
		t.Error(line)
	}
}

// TestObserverOfFailures tells of what had no reply, or a part of one.
func TestObserverOfFailures(t *testing.T) {
	t.Parallel()
	address := served(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
	})
	client, told := observed(100)
	get := func(ctx context.Context, address string) error {
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		_, err = io.ReadAll(resp.Body)
		return err
	}
	if err := get(t.Context(), address); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := get(ended, address); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if len(*told) != 2 {
		t.Fatalf("told %d times", len(*told))
	}
	half, none := (*told)[0], (*told)[1]
	if string(half.Received.Text) != "half" || !errors.Is(half.Err, io.ErrUnexpectedEOF) || half.Response == nil {
		t.Errorf("half a reply is %+v", half)
	}
	if none.Response != nil || !errors.Is(none.Err, context.Canceled) || !strings.Contains(none.Line(), " no reply ") {
		t.Errorf("no reply is %+v", none)
	}
}

// TestObserverOfUnread tells of a reply whose body nobody reads, once it is closed.
func TestObserverOfUnread(t *testing.T) {
	t.Parallel()
	client, told := observed(100)
	address := served(t, func(http.ResponseWriter, *http.Request) {})
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodHead, address, nil)
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	_ = resp.Body.Close()
	if len(*told) != 1 {
		t.Errorf("told %d times", len(*told))
	}
}

// TestObserverOfStreams lets pieces through as they come, and a connection that is taken over be written to.
func TestObserverOfStreams(t *testing.T) {
	t.Parallel()
	more := make(chan struct{})
	address := served(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stream" {
			_, _ = io.WriteString(w, "one\n")
			w.(http.Flusher).Flush()
			<-more
			_, _ = io.WriteString(w, "two\n")
			return
		}
		conn, buffered, _ := http.NewResponseController(w).Hijack()
		defer func() { _ = conn.Close() }()
		_, _ = buffered.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_ = buffered.Flush()
		line, _ := buffered.ReadString('\n')
		_, _ = buffered.WriteString("echo " + line)
		_ = buffered.Flush()
	})
	client, told := observed(100)
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/stream", nil)
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(resp.Body)
	if line, _ := lines.ReadString('\n'); line != "one\n" {
		t.Errorf("read %q", line)
	}
	close(more)
	if line, _ := lines.ReadString('\n'); line != "two\n" {
		t.Errorf("read %q", line)
	}
	_ = resp.Body.Close()

	req, _ = http.NewRequestWithContext(t.Context(), http.MethodGet, address+"/upgrade", nil)
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", "echo")
	resp, err = client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	conn, ok := resp.Body.(io.ReadWriteCloser)
	if !ok {
		t.Fatal("the connection cannot be written to")
	}
	_, _ = io.WriteString(conn, "hello\n")
	if line, _ := bufio.NewReader(conn).ReadString('\n'); line != "echo hello\n" {
		t.Errorf("read %q", line)
	}
	_ = conn.Close()
	if len(*told) != 2 || (*told)[1].Response.StatusCode != http.StatusSwitchingProtocols || (*told)[1].Received.Size != 0 {
		t.Errorf("told %d times", len(*told))
	}
}
