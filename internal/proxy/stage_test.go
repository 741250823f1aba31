package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/secret"
)

// counted is a source that numbers its tokens: token-1, token-2, ….
type counted struct {
	calls atomic.Int32
	// fails is what it returns instead, nil for a token; life bounds its tokens, 0 for ever.
	mu    sync.Mutex
	fails error
	life  time.Duration
	// hold, when it is not nil, holds calls back until it is closed.
	hold chan struct{}
}

func (s *counted) Token(ctx context.Context, _ *Token) (Token, error) {
	n := s.calls.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hold != nil {
		select {
		case <-s.hold:
		case <-ctx.Done():
			return Token{}, ctx.Err()
		}
	}
	if s.fails != nil {
		return Token{}, s.fails
	}
	return numbered(int(n)+1, s.life), nil
}

func (s *counted) failing(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails = err
}

func numbered(n int, life time.Duration) Token {
	token := Token{
		Access:  secret.New("token-" + strconv.Itoa(n)),
		Headers: map[string]secret.Secret{"x-api-key": secret.New("fake-key")},
	}
	if life > 0 {
		token.RenewAt, token.GoodUntil = time.Now().Add(life/2), time.Now().Add(life)
	}
	return token
}

// stage is a proxy before an upstream.
type stage struct {
	*Proxy
	t        *testing.T
	source   *counted
	upstream *httptest.Server
	client   *http.Client
	logged   chan string
}

// newStage begins with token-1. Change may alter the options before the proxy is made.
func newStage(t *testing.T, upstream http.HandlerFunc, change ...func(*Options)) *stage {
	t.Helper()
	server := httptest.NewServer(upstream)
	t.Cleanup(server.Close)
	return newStageTo(t, server, change...)
}

func newStageTo(t *testing.T, server *httptest.Server, change ...func(*Options)) *stage {
	t.Helper()
	s := &stage{t: t, source: &counted{}, upstream: server, logged: make(chan string, 10_000)}
	to, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 1000, ExpectContinueTimeout: time.Minute}
	if server.TLS != nil {
		inner, ok := server.Client().Transport.(*http.Transport)
		if !ok {
			t.Fatal("no transport")
		}
		transport.TLSClientConfig, transport.ForceAttemptHTTP2 = inner.TLSClientConfig, true
	}
	o := Options{
		To: to, Source: s.source, First: numbered(1, 0), Upstream: transport, Log: func(line string) { s.logged <- line },
	}
	for _, f := range change {
		f(&o)
	}
	s.Proxy = New(o)
	address, err := Loopback("127.0.0.1:0")
	if err == nil {
		err = s.Listen(address)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.client = &http.Client{
		Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 1000, ExpectContinueTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(s.client.CloseIdleConnections)
	return s
}

// reply is an answer that was read to its end.
type reply struct {
	*http.Response
	body string
}

// ask asks below the secret address; path may be the rest of it, query included.
func (s *stage) ask(method, path, body string, headers ...string) reply {
	s.t.Helper()
	var from io.Reader
	if body != "" {
		from = strings.NewReader(body)
	}
	return s.do(s.request(method, s.URL()+path, from, headers...))
}

func (s *stage) request(method, address string, body io.Reader, headers ...string) *http.Request {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, address, body)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		req.Header.Add(name, value)
	}
	return req
}

func (s *stage) do(req *http.Request) reply {
	s.t.Helper()
	resp, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return reply{resp, string(text)}
}

// raw sends bytes as they are and returns the first line of the answer.
func (s *stage) raw(text string) string {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.host) //nolint:noctx // loopback
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, strings.NewReplacer("SECRET", s.secret, "HOST", s.host).Replace(text)); err != nil {
		s.t.Fatal(err)
	}
	all, err := io.ReadAll(conn)
	if err != nil {
		s.t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(all), "\r\n")
	return first
}

// asked is what an upstream saw of a request.
func asked(r *http.Request) string {
	return r.Method + " " + r.RequestURI + " " + strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

var errDown = errors.New("the service is down")
