package oauth

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/secret"
)

// fakeSecret is the client secret of these tests.
const fakeSecret = "fake-secret-0123456789"

// noon is the clock of these tests.
var noon = time.Date(2031, 4, 5, 12, 0, 0, 0, time.UTC)

func atNoon() time.Time { return noon }

func secretOf(s string) secret.Func {
	return func(context.Context) (secret.Secret, error) { return secret.New(s), nil }
}

// tokenServer answers token requests and keeps what it was asked.
type tokenServer struct {
	*httptest.Server
	mu    sync.Mutex
	asked []askedRequest
}

type askedRequest struct {
	Header http.Header
	Form   url.Values
	Path   string
}

// serve starts a server that answers the nth request (from 0) with answer.
func serve(t *testing.T, answer func(n int, w http.ResponseWriter)) *tokenServer {
	t.Helper()
	s := &tokenServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, err := url.ParseQuery(string(body))
		if err != nil || r.Method != http.MethodPost {
			t.Errorf("got %s with body %q", r.Method, body)
		}
		s.mu.Lock()
		n := len(s.asked)
		s.asked = append(s.asked, askedRequest{r.Header, form, r.URL.Path})
		s.mu.Unlock()
		answer(n, w)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *tokenServer) requests() []askedRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// answerWith writes the same reply each time.
func answerWith(status int, contentType, body string) func(int, http.ResponseWriter) {
	return func(_ int, w http.ResponseWriter) {
		w.Header()["Content-Type"] = nil
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

const goodReply = `{"access_token":"fake-token","token_type":"Bearer","expires_in":600}`

func endpointOf(t *testing.T, base string) *url.URL {
	t.Helper()
	u, err := url.Parse(base + "/oauth/token")
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// machineRequest is a client_credentials request with raw Basic credentials.
func machineRequest(u *url.URL) TokenRequest {
	return TokenRequest{
		Endpoint:   u,
		Auth:       Basic{ClientID: "demo-client", Secret: secretOf(fakeSecret)},
		Params:     url.Values{"grant_type": {"client_credentials"}, "scope": {"a:read b:write"}},
		Repeatable: true,
	}
}

// newClient has a transport of its own, a fixed clock, and counts its pauses.
func newClient(t *testing.T) (*Client, *[]time.Duration) {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	var slept []time.Duration
	return &Client{
		HTTP: &http.Client{Transport: transport},
		Now:  atNoon,
		Sleep: func(ctx context.Context, d time.Duration) error {
			slept = append(slept, d)
			return ctx.Err()
		},
	}, &slept
}
