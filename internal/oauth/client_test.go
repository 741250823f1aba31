package oauth

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/secret"
	"github.com/google/go-cmp/cmp"
)

func TestTokenIssued(t *testing.T) {
	t.Parallel()
	s := serve(t, answerWith(200, "application/json;charset=UTF-8", `{"access_token":"fake-token","expires_in":"600",
		"token_type":"bearer","refresh_token":"fake-refresh","id_token":"fake-id","scope":"a:read b:write",
		"not-before-policy":0,"sid":"s1","refresh_expires_in":0,"extra":{"x":[1]}}`))
	c, _ := newClient(t)
	c.UserAgent = "authctl/test"
	got, err := c.Token(t.Context(), machineRequest(endpointOf(t, s.URL)))
	if err != nil {
		t.Fatal(err)
	}
	want := Token{
		AccessToken: secret.New("fake-token"), RefreshToken: secret.New("fake-refresh"), IDToken: secret.New("fake-id"),
		TokenType: "bearer", SessionID: "s1", Scope: []string{"a:read", "b:write"}, RequestedAt: noon, Lifetime: 10 * time.Minute,
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(secret.Secret.Equal)); diff != "" {
		t.Errorf("token (-want +got):\n%s", diff)
	}
	if !got.Expiry().Equal(noon.Add(10 * time.Minute)) {
		t.Errorf("expiry is %v", got.Expiry())
	}
	if agent := s.requests()[0].Header.Get("User-Agent"); agent != "authctl/test" {
		t.Errorf("User-Agent is %q", agent)
	}
}

func TestZeroClient(t *testing.T) {
	t.Parallel()
	s := serve(t, answerWith(200, "", goodReply))
	before := time.Now()
	got, err := new(Client).Token(t.Context(), machineRequest(endpointOf(t, s.URL)))
	if err != nil || got.RequestedAt.Before(before) || got.TokenType != "Bearer" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var second atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		second.Add(1)
		_, _ = io.WriteString(w, goodReply)
	}))
	t.Cleanup(elsewhere.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, location := range []string{elsewhere.URL + "/steal?x=y", "/relative", "", "http://[broken", "//evil.example/\x7f"} {
			s := serve(t, func(_ int, w http.ResponseWriter) {
				w.Header().Set("Location", location)
				w.WriteHeader(status)
			})
			c, _ := newClient(t)
			_, err := c.Token(t.Context(), machineRequest(endpointOf(t, s.URL)))
			e, ok := errors.AsType[*ReplyError](err)
			if ok && strings.HasSuffix(location, "\x7f") {
				// The transport refuses such a header before we see it.
				if e.StatusCode != 0 || e.Problem != notHTTP {
					t.Errorf("%d to %q: %v", status, location, err)
				}
				continue
			}
			if !ok || e.StatusCode != status || Ambiguous(err) {
				t.Errorf("%d to %q: %T %v", status, location, err, err)
			}
			if strings.Contains(err.Error(), "steal") || location == elsewhere.URL+"/steal?x=y" && !strings.Contains(err.Error(), `"127.0.0.1"`) {
				t.Errorf("%d to %q: %v", status, location, err)
			}
			if n := len(s.requests()); n != 1 {
				t.Errorf("%d to %q: %d requests", status, location, n)
			}
		}
	}
	if n := second.Load(); n != 0 {
		t.Errorf("the second server saw %d requests", n)
	}
}

// TestErrorReplies has every shape that a service or a gateway answers with.
func TestErrorReplies(t *testing.T) {
	t.Parallel()
	const js = "application/json"
	for _, c := range []struct {
		name        string
		status      int
		ctype, body string
		challenge   string
		code, text  string
		messageEnd  string
		ambiguous   bool
	}{
		{"RFC 6749", 401, js, `{"error":"invalid_client","error_description":"no such client"}`, "", "invalid_client", "no such client", `answered 401 invalid_client "no such client"`, false},
		{"error alone", 400, js, `{"error":"invalid_scope"}`, "", "invalid_scope", "", "answered 400 invalid_scope", false},
		{"no content type", 400, "", `{"error":"invalid_scope"}`, "", "invalid_scope", "", "", false},
		{"form", 400, "application/x-www-form-urlencoded", `error=invalid_grant&error_description=used+up`, "", "invalid_grant", "used up", "", false},
		{"code and message", 400, js, `{"code":"0410011","message":"Bad request","description":"no user context","fields":[{"name":"a","description":"b"}]}`, "", "0410011", "Bad request: no user context", "", false},
		{"status", 403, js, `{"status":{"code":603,"message":"Unauthorized","detail":{}},"errors":[],"path":"/x","data":null}`, "", "603", "Unauthorized", `answered 403 603 "Unauthorized"`, false},
		{"status with detail", 400, js, `{"status":{"code":7,"message":"Bad","detail":"more"}}`, "", "7", "Bad: more", "", false},
		{"errors list of status", 400, js, `{"errors":[{"status":{"code":7,"message":"Bad"}}],"path":"/x"}`, "", "7", "Bad", "", false},
		{"errors list of text", 400, js, `{"errors":["went wrong","x"]}`, "", "", "went wrong", "", false},
		{"error object", 400, js, `{"error":{"code":40,"message":"nested"}}`, "", "40", "nested", "", false},
		{"message", 429, js, `{"message":"Too Many Requests"}`, "", "", "Too Many Requests", `answered 429 "Too Many Requests"`, false},
		{"HTML", 504, "text/html", "<html><h1>504 Gateway &amp; Time-out</h1>", "", "", "", "answered 504 with a page (text/html)", true},
		{"text", 502, "text/plain", "upstream failed", "", "", "", "without a usable error text", true},
		{"text like a form", 502, "text/plain", "a=b&c=d", "", "", "", "without a usable error text", true},
		{"empty", 503, "", "", "", "", "", "answered 503 without a usable error text", false},
		{"not an object", 500, js, `["x"]`, "", "", "", "without a usable error text", true},
		{"broken JSON", 500, js, `{"error":"inv`, "", "", "", "without a usable error text", true},
		{"challenge only", 401, "", "", `Bearer error="invalid_token", error_description="expired"`, "invalid_token", "expired", `401 invalid_token "expired"`, false},
		{"Basic challenge", 401, "", "", `Basic realm=`, "", "", "answered 401 without a usable error text", false},
		{"error inside 200", 200, js, `{"error":"invalid_token","error_description":"Invalid token"}`, "", "invalid_token", "Invalid token", `answered 200 with an error inside invalid_token "Invalid token"`, false},
		{"error beside a token", 200, js, `{"access_token":"fake-token","error":"x y"}`, "", "x y", "", `with an error inside "x y"`, false},
		{"status inside 200", 200, js, `{"access_token":"fake-token","status":{"code":603,"message":"Unauthorized"}}`, "", "603", "Unauthorized", "", false},
		{"errors inside 200", 200, js, `{"errors":[{"code":5,"message":"m"}]}`, "", "5", "m", "", false},
		{"hostile", 400, js, `{"error":"a\u001b[2Jb","error_description":"x\r\nauthctl: ok\u202e \"q\""}`, "", "a [2Jb", `x authctl: ok "q"`, `400 "a [2Jb" "x authctl: ok \"q\""`, false},
		{"wrong types", 400, js, `{"error":["x"],"error_description":{"a":1},"message":false,"status":"x"}`, "", "", "", "without a usable error text", false},
	} {
		s := serve(t, func(n int, w http.ResponseWriter) {
			if c.challenge != "" {
				w.Header().Set("WWW-Authenticate", c.challenge)
			}
			answerWith(c.status, c.ctype, c.body)(n, w)
		})
		client, _ := newClient(t)
		r := machineRequest(endpointOf(t, s.URL))
		r.Repeatable = false
		_, err := client.Token(t.Context(), r)
		e, ok := errors.AsType[*Error](err)
		if !ok {
			t.Errorf("%s: %T %v", c.name, err, err)
			continue
		}
		if e.StatusCode != c.status || e.Code != c.code || e.Description != c.text || e.Endpoint != s.URL+"/oauth/token" {
			t.Errorf("%s: %+v", c.name, e)
		}
		if !strings.HasSuffix(err.Error(), c.messageEnd) || Ambiguous(err) != c.ambiguous {
			t.Errorf("%s: %v, ambiguous %v", c.name, err, Ambiguous(err))
		}
		if scheme, _, _ := strings.Cut(c.challenge, " "); e.Challenge.Scheme != scheme {
			t.Errorf("%s: challenge %+v", c.name, e.Challenge)
		}
	}
}

// TestEchoIsRedacted has a service repeat what it was sent.
func TestEchoIsRedacted(t *testing.T) {
	t.Parallel()
	basic := base64.StdEncoding.EncodeToString([]byte("demo-client:" + fakeSecret))
	for _, echo := range []string{fakeSecret, "fake-password", "fake-key", basic, strings.Repeat("x", 190) + fakeSecret} {
		for _, c := range []struct {
			status int
			body   string
		}{
			{401, `{"error":"invalid_client","error_description":"you sent %s!"}`},
			{401, `{"error":"%s"}`},
			{403, `{"status":{"code":"%s","message":"%s"}}`},
			{500, `{"message":"%s"}`},
			{200, `{"access_token":"fake-token","token_type":"%s"}`},
			{200, `{"access_token":"fake-token","expires_in":"%s"}`},
		} {
			s := serve(t, func(n int, w http.ResponseWriter) {
				w.Header().Set("WWW-Authenticate", `Bearer error="x", error_description="`+echo+`"`)
				answerWith(c.status, "application/json", strings.ReplaceAll(c.body, "%s", echo))(n, w)
			})
			client, _ := newClient(t)
			r := machineRequest(endpointOf(t, s.URL))
			r.Secrets = map[string]secret.Func{"password": secretOf("fake-password")}
			r.SecretHeader = map[string]secret.Func{"x-api-key": secretOf("fake-key")}
			token, err := client.Token(t.Context(), r)
			shown := fmt.Sprintf("%v %+v %s", err, err, token.LifetimeProblem)
			if e, ok := errors.AsType[*Error](err); ok {
				shown += fmt.Sprintf("%+v", *e)
			}
			if strings.Contains(shown, "fake-secret") || strings.Contains(shown, echo) || err == nil && token.LifetimeProblem == "" {
				t.Errorf("%q in %s is shown: %s", echo, c.body, shown)
			}
		}
	}
}

// TestKnownCodeStays has a secret that is a part of a standard error code.
func TestKnownCodeStays(t *testing.T) {
	t.Parallel()
	s := serve(t, answerWith(401, "application/json", `{"error":"invalid_client","error_description":"bad client"}`))
	client, _ := newClient(t)
	r := machineRequest(endpointOf(t, s.URL))
	r.Auth = Basic{ClientID: "a", Secret: secretOf("client")}
	_, err := client.Token(t.Context(), r)
	if e, ok := errors.AsType[*Error](err); !ok || e.Code != "invalid_client" || e.Description != secret.Redacted {
		t.Errorf("%T %+v", err, err)
	}
}

func TestUnusableReplies(t *testing.T) {
	t.Parallel()
	const js, form = "application/json", "application/x-www-form-urlencoded"
	for _, c := range []struct{ name, ctype, body, want string }{
		{"empty", js, "", "it is empty"},
		{"HTML", "text/html", "<html>fake-body</html>", "not a JSON object"},
		{"text", "text/plain", "fake-body", "not a JSON object"},
		{"list", js, `["fake-body"]`, "not a JSON object"},
		{"cut short", js, `{"access_token":"fake-tok`, "ends early"},
		{"two objects", js, goodReply + goodReply, "not valid JSON"},
		{"bad form", form, "access_token=%zz", "not form-encoded"},
		{"no token", js, `{"token_type":"Bearer"}`, "no access_token"},
		{"null token", js, `{"access_token":null}`, "no access_token"},
		{"empty token", js, `{"access_token":""}`, "no access_token"},
		{"token is a number", js, `{"access_token":5}`, "access_token is not a string"},
		{"token with a break", js, `{"access_token":"fake\r\nX: y"}`, "access_token has blanks"},
		{"token with a blank", js, `{"access_token":"fake body"}`, "access_token has blanks"},
		{"token beyond ASCII", js, `{"access_token":"fake\u00e9"}`, "access_token has blanks"},
		{"huge token", js, `{"access_token":"` + strings.Repeat("a", maxTokenSize+1) + `"}`, "larger than 64 KiB"},
		{"bad refresh token", js, `{"access_token":"a","refresh_token":"b\n"}`, "refresh_token has blanks"},
		{"bad ID token", js, `{"access_token":"a","id_token":"\u0000"}`, "id_token has blanks"},
		{"another type", js, `{"access_token":"fake-token","token_type":"mac\u001b"}`, `token_type is "mac", only bearer`},
		{"type is a number", js, `{"access_token":"a","token_type":1}`, "token_type is not a string"},
		{"huge", js, `{"access_token":"a","x":"` + strings.Repeat("a", maxReply) + `"}`, "larger than 1 MiB"},
	} {
		s := serve(t, answerWith(200, c.ctype, c.body))
		client, _ := newClient(t)
		_, err := client.Token(t.Context(), machineRequest(endpointOf(t, s.URL)))
		e, ok := errors.AsType[*ReplyError](err)
		if !ok || !strings.Contains(e.Problem, c.want) || !Ambiguous(err) || strings.Contains(err.Error(), "fake-") {
			t.Errorf("%s: %T %v", c.name, err, err)
		}
		if n := len(s.requests()); n != 1 {
			t.Errorf("%s: %d requests", c.name, n)
		}
	}
}

// TestEndlessReply has a service that never stops sending.
func TestEndlessReply(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 504} {
		s := serve(t, func(_ int, w http.ResponseWriter) {
			w.WriteHeader(status)
			for {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		})
		client, _ := newClient(t)
		_, err := client.Token(t.Context(), machineRequest(endpointOf(t, s.URL)))
		_, unusable := errors.AsType[*ReplyError](err)
		e, failed := errors.AsType[*Error](err)
		if status == 200 && !unusable || status == 504 && (!failed || e.StatusCode != 504) {
			t.Errorf("%d: %T %v", status, err, err)
		}
	}
}

func TestTruncatedReply(t *testing.T) {
	t.Parallel()
	cut := func(status int) func(int, http.ResponseWriter) {
		return func(_ int, w http.ResponseWriter) {
			w.Header().Set("Content-Length", "500")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"access_token":"fake-tok`)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
	}
	client, _ := newClient(t)
	_, err := client.Token(t.Context(), machineRequest(endpointOf(t, serve(t, cut(200)).URL)))
	if e, ok := errors.AsType[*NetworkError](err); !ok || !e.Sent || !Ambiguous(err) || !strings.Contains(err.Error(), "closed early") {
		t.Errorf("200: %T %v", err, err)
	}
	_, err = client.Token(t.Context(), machineRequest(endpointOf(t, serve(t, cut(401)).URL)))
	if e, ok := errors.AsType[*Error](err); !ok || e.StatusCode != 401 {
		t.Errorf("401: %T %v", err, err)
	}
}

func TestSlowReply(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}, 2), make(chan struct{})
	s := serve(t, func(int, http.ResponseWriter) {
		arrived <- struct{}{}
		<-release
	})
	t.Cleanup(func() { close(release) })
	client, _ := newClient(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	_, err := client.Token(ctx, machineRequest(endpointOf(t, s.URL)))
	if e, ok := errors.AsType[*NetworkError](err); !ok || !e.Sent || e.Timeout || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %T %v", err, err)
	}
	client.HTTP.Timeout = 500 * time.Millisecond
	_, err = client.Token(t.Context(), machineRequest(endpointOf(t, s.URL)))
	if e, ok := errors.AsType[*NetworkError](err); !ok || !e.Sent || !e.Timeout || !strings.HasSuffix(err.Error(), ": timed out") {
		t.Errorf("timed out: %T %v", err, err)
	}
}

// TestBrokenHTTP has a service that speaks something else, and our secret with it: it will next time, too.
func TestBrokenHTTP(t *testing.T) {
	t.Parallel()
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	const chunked = head + "Transfer-Encoding: chunked\r\n"
	chunk := fmt.Sprintf("%x\r\n%s\r\n", len(goodReply), goodReply)
	for _, raw := range []string{
		fakeSecret + " \x1b[2J\r\n\r\n", "HTTP/1.1 " + fakeSecret + "\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "HTTP/x 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\n" + fakeSecret + "\x1b\r\n\r\n", "\x15\x03\x01\x1b[2J\n\n",
		head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}" + fakeSecret, head + "Content-Length: " + fakeSecret + "\r\n\r\n{}",
		head + "Transfer-Encoding: " + fakeSecret + "\r\n\r\n{}",
		chunked + "\r\n" + fakeSecret + "\r\n", chunked + "\r\nzz\r\n", chunked + "\r\n2\r\n{}" + fakeSecret,
		chunked + "Trailer: X\r\n\r\n" + chunk + "0\r\n" + fakeSecret + "\x1b\r\n\r\n",
		head + "Content-Encoding: gzip\r\nContent-Length: 20\r\n\r\n" + fakeSecret[:20],
	} {
		client, _ := newClient(t)
		_, err := client.Token(t.Context(), machineRequest(endpointOf(t, rawServer(t, raw))))
		e, ok := errors.AsType[*ReplyError](err)
		if !ok || !Ambiguous(err) || e.Problem != notHTTP || strings.Contains(err.Error(), "(status 0)") {
			t.Errorf("%q: %T %v", raw, err, err)
		}
	}
}

func TestNothingWasSent(t *testing.T) {
	t.Parallel()
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	hang := func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
	unknown := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "x", IsNotFound: true}}
	}
	for name, c := range map[string]struct {
		base string
		dial func(context.Context, string, string) (net.Conn, error)
		late bool
	}{
		"untrusted certificate": {untrusted.URL, nil, false},
		"http behind https":     {strings.Replace(plain.URL, "http:", "https:", 1), nil, false},
		"unknown host":          {"https://nowhere.invalid", unknown, false},
		"silent host":           {"https://nowhere.invalid", hang, true},
	} {
		client, slept := newClient(t)
		client.HTTP.Transport.(*http.Transport).DialContext = c.dial
		if c.late {
			client.HTTP.Timeout = 20 * time.Millisecond
		}
		_, err := client.Token(t.Context(), machineRequest(endpointOf(t, c.base)))
		e, ok := errors.AsType[*NetworkError](err)
		if !ok || e.Sent || Ambiguous(err) || e.Timeout != c.late || len(*slept) != 0 {
			t.Errorf("%s: %T %+v, slept %v", name, err, err, *slept)
		}
	}
}

// failing is a transport that reports no connections.
type failing struct{ err error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

func TestUnknownTransport(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		sent bool
	}{
		{io.ErrUnexpectedEOF, true},
		{errors.New("odd: " + fakeSecret + rand.Text()), true},
		{&net.OpError{Op: "read", Err: errors.New("reset")}, true},
		{&net.OpError{Op: "proxyconnect", Err: errors.New("refused")}, false},
	} {
		client, _ := newClient(t)
		client.HTTP.Transport = failing{c.err}
		_, err := client.Token(t.Context(), machineRequest(endpointOf(t, "https://id.example")))
		if e, ok := errors.AsType[*NetworkError](err); !ok || e.Sent != c.sent || strings.Contains(fmt.Sprint(err, e.Err), "fake-") {
			t.Errorf("%v: %T %v", c.err, err, err)
		}
	}
	client, _ := newClient(t)
	client.HTTP.Transport = failing{errors.New(`invalid proxy address "http://u:fake-pw@x:y": bad port`)}
	_, err := client.Token(t.Context(), machineRequest(endpointOf(t, "https://id.example")))
	if _, ok := errors.AsType[*RequestError](err); !ok || strings.Contains(err.Error(), "fake-pw") {
		t.Errorf("proxy: %T %v", err, err)
	}
}
