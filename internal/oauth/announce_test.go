package oauth

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/secret"
)

// refreshRequest spends a refresh token.
func refreshRequest(u *url.URL) TokenRequest {
	return TokenRequest{
		Endpoint: u, Auth: Basic{ClientID: "demo-client", Secret: secretOf(fakeSecret)},
		Params:  url.Values{"grant_type": {"refresh_token"}},
		Secrets: map[string]secret.Func{"refresh_token": secretOf("fake-refresh")},
	}
}

// TestARefreshTokenIsAnnounced: when the connection stands and the secret is fetched, before the token is there, over
// HTTP/1.1 and HTTP/2; and it is not sent when that fails.
func TestARefreshTokenIsAnnounced(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		var connected, arrived atomic.Int32
		var head atomic.Bool
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			head.Store(r.Proto == version)
			body, _ := io.ReadAll(r.Body)
			if strings.Contains(string(body), "fake-refresh") {
				arrived.Add(1)
			}
			_, _ = io.WriteString(w, goodReply)
		}))
		server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				connected.Add(1)
			}
		}
		server.EnableHTTP2 = version == "HTTP/2.0"
		server.StartTLS()
		t.Cleanup(server.Close)
		c := &Client{HTTP: server.Client(), Now: atNoon}
		for _, refusal := range []error{nil, errors.New("no room for the announcement")} {
			calls, before := 0, arrived.Load()
			fetched := false
			request := refreshRequest(endpointOf(t, server.URL))
			request.Auth = Basic{ClientID: "demo-client", Secret: func(context.Context) (secret.Secret, error) {
				fetched = true
				return secret.New(fakeSecret), nil
			}}
			ctx := WithAnnouncement(t.Context(), func() error {
				calls++
				if !fetched || connected.Load() == 0 || arrived.Load() != before {
					t.Errorf("%s: announced with secret %t, %d connections, the token there: %t",
						version, fetched, connected.Load(), arrived.Load() != before)
				}
				return refusal
			})
			_, err := c.Token(ctx, request)
			want := before + 1
			if refusal != nil {
				want = before
			}
			if !errors.Is(err, refusal) || refusal != nil && err.Error() != refusal.Error() || calls != 1 || arrived.Load() != want {
				t.Errorf("%s, refused by %v: %v, %d announcements, the token arrived %d times, want %d",
					version, refusal, err, calls, arrived.Load(), want)
			}
		}
		if !head.Load() {
			t.Errorf("the server was not asked over %s", version)
		}
	}
}

// TestWhatIsNotSentIsNotAnnounced has requests that end before there is anything to announce.
func TestWhatIsNotSentIsNotAnnounced(t *testing.T) {
	t.Parallel()
	mute, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mute.Close() }) // it takes connections and never greets
	closed, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	fine := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(fine.Close)
	failing := func(context.Context) (secret.Secret, error) { return secret.Secret{}, errors.New("no secret") }
	for name, tt := range map[string]struct {
		url    string
		secret secret.Func
		grant  string
	}{
		"no secret":               {url: fine.URL, secret: failing},
		"nobody listens":          {url: "http://" + closed.Addr().String()},
		"no TLS handshake":        {url: "https://" + mute.Addr().String()},
		"a foreign certificate":   {url: untrusted.URL},
		"nothing is spent at all": {url: fine.URL, grant: "client_credentials"},
	} {
		request := refreshRequest(endpointOf(t, tt.url))
		if tt.secret != nil {
			request.Auth = Basic{ClientID: "demo-client", Secret: tt.secret}
		}
		if tt.grant != "" {
			request = machineRequest(endpointOf(t, tt.url))
		}
		client, _ := newClient(t)
		client.HTTP.Timeout = time.Second
		ctx := WithAnnouncement(t.Context(), func() error {
			t.Errorf("%s: announced", name)
			return nil
		})
		if _, err := client.Token(ctx, request); err == nil || Ambiguous(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAnAnswerBeforeTheBody: a service that refuses by the head alone leaves nothing to announce afterwards.
func TestAnAnswerBeforeTheBody(t *testing.T) {
	t.Parallel()
	b := &announced{ReadCloser: io.NopCloser(strings.NewReader("x")), announce: func() error {
		t.Error("announced when the request was over")
		return nil
	}}
	if err := b.end(); err != nil {
		t.Error(err)
	}
	if n, err := b.Read(make([]byte, 1)); n != 0 || !errors.Is(err, errOver) {
		t.Errorf("%d bytes were read, %v", n, err)
	}
}
