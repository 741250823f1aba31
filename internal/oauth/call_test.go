package oauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/secret"
	"github.com/google/go-cmp/cmp"
)

// apiServer answers any request and keeps what it was asked.
type apiServer struct {
	*httptest.Server
	mu    sync.Mutex
	asked []apiRequest
}

type apiRequest struct {
	Method, URI, Body string
	Header            http.Header
}

func serveAPI(t *testing.T, answer func(n int, w http.ResponseWriter)) *apiServer {
	t.Helper()
	s := &apiServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		n := len(s.asked)
		s.asked = append(s.asked, apiRequest{r.Method, r.RequestURI, string(body), r.Header})
		s.mu.Unlock()
		answer(n, w)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *apiServer) requests() []apiRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

func mustURL(t testing.TB, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestCallRequests has every way a request is put together, as the server sees it.
func TestCallRequests(t *testing.T) {
	t.Parallel()
	basic := Basic{ClientID: "demo-client", Secret: secretOf(fakeSecret)}
	for _, c := range []struct {
		name   string
		ask    CallRequest
		want   apiRequest
		absent string
	}{
		{
			"GET with a token",
			CallRequest{Bearer: secretOf("fake-token")},
			apiRequest{"GET", "/x?global=false", "", http.Header{"Authorization": {"Bearer fake-token"}, "Accept": {"application/json"}}},
			"Content-Type",
		},
		{
			"lower case scheme, a key",
			CallRequest{
				Method: "POST", Bearer: secretOf("fake-token"), Scheme: "bearer", Accept: "*/*",
				SecretHeader: map[string]secret.Func{"x-api-key": secretOf("fake-key"), "x-none": nil},
			},
			apiRequest{"POST", "/x?global=false", "", http.Header{
				"Authorization": {"bearer fake-token"}, "Accept": {"*/*"}, "X-Api-Key": {"fake-key"}, "Content-Length": {"0"},
			}},
			"Content-Type",
		},
		{
			"form with credentials",
			CallRequest{
				Method: "POST", Auth: basic, Params: url.Values{"a": {"b c"}, "empty": {""}},
				Secrets: map[string]secret.Func{"token": secretOf("fake&token")},
				Header:  http.Header{"Content-Type": {"text/evil"}, "X-Account": {"acme"}},
			},
			apiRequest{"POST", "/x?global=false", "a=b+c&token=fake%26token", http.Header{
				"Authorization": {"Basic ZGVtby1jbGllbnQ6ZmFrZS1zZWNyZXQtMDEyMzQ1Njc4OQ=="},
				"Content-Type":  {"application/x-www-form-urlencoded"}, "X-Account": {"acme"},
			}},
			"Cookie",
		},
		{
			"JSON",
			CallRequest{
				Method: "POST", Bearer: secretOf("fake-token"),
				JSON: map[string]any{
					"data": map[string]any{
						"oldPassword": secretOf(`fake"old<>`), "newPassword": secret.New("fake-é"), "left": secret.Func(nil),
						"userName": `acme\jane`,
					},
					"n": 1, "b": true, "z": nil,
				},
			},
			apiRequest{
				"POST", "/x?global=false",
				`{"b":true,"data":{"newPassword":"fake-é","oldPassword":"fake\"old<>","userName":"acme\\jane"},"n":1,"z":null}`,
				http.Header{"Content-Type": {"application/json"}},
			},
			"Cookie",
		},
		{"nothing at all", CallRequest{Header: http.Header{"Content-Type": {"text/evil"}}}, apiRequest{"GET", "/x?global=false", "", nil}, "Content-Type"},
	} {
		s := serveAPI(t, answerWith(200, "", "{}"))
		client, _ := newClient(t)
		c.ask.URL = mustURL(t, s.URL+"/x?global=false")
		if _, err := client.Call(t.Context(), c.ask); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got := s.requests()[0]
		if got.Method != c.want.Method || got.URI != c.want.URI || got.Body != c.want.Body {
			t.Errorf("%s: got %s %s %s", c.name, got.Method, got.URI, got.Body)
		}
		for name, want := range c.want.Header {
			if diff := cmp.Diff(want, got.Header[name]); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", c.name, name, diff)
			}
		}
		if v, ok := got.Header[c.absent]; ok {
			t.Errorf("%s: %s is %q", c.name, c.absent, v)
		}
	}
}

func TestCallRefusesToSend(t *testing.T) {
	t.Parallel()
	failed := errors.New("vault is shut")
	for name, c := range map[string]struct {
		ask  CallRequest
		want string
	}{
		"plain http":        {CallRequest{URL: mustURL(t, "http://id.example/x")}, "plain http is for loopback only"},
		"no URL":            {CallRequest{}, "the endpoint is missing"},
		"fragment":          {CallRequest{URL: mustURL(t, "https://id.example/x?a=b#c")}, "the endpoint has a fragment"},
		"user information":  {CallRequest{URL: mustURL(t, "https://a:fake-pw@id.example/x")}, "user name or password in it"},
		"token and Basic":   {CallRequest{Bearer: secretOf("fake-a"), Auth: Basic{ClientID: "a", Secret: secretOf("fake-b")}}, "Authorization is set beside"},
		"token and header":  {CallRequest{Bearer: secretOf("fake-a"), Header: http.Header{"Authorization": {"x"}}}, "set beside the access token"},
		"empty token":       {CallRequest{Bearer: secretOf("")}, "the access token is empty"},
		"token with a word": {CallRequest{Bearer: secretOf("Bearer fake-a")}, "has blanks"},
		"token with a line": {CallRequest{Bearer: secretOf("fake-a\r\nX: y")}, "has blanks"},
		"bad scheme":        {CallRequest{Bearer: secretOf("fake-a"), Scheme: "b\r\nX:"}, "control character"},
		"form in GET":       {CallRequest{Params: url.Values{"a": {"b"}}}, "a GET request has no room"},
		"JSON in GET":       {CallRequest{JSON: map[string]any{}}, "a GET request has no room"},
		"Post in GET":       {CallRequest{Auth: Post{ClientID: "a", Secret: secretOf("fake-b")}}, "a GET request has no room"},
		"form and JSON":     {CallRequest{Method: "POST", JSON: map[string]any{}, Params: url.Values{"a": {"b"}}}, "beside a JSON body"},
		"JSON of a struct":  {CallRequest{Method: "POST", JSON: map[string]any{"a": struct{ P secret.Secret }{secret.New("fake-a")}}}, "the a is of a kind"},
		"JSON of a list":    {CallRequest{Method: "POST", JSON: map[string]any{"a": map[string]any{"b": []secret.Secret{secret.New("fake-a")}}}}, "the a.b is of a kind"},
		"JSON of NaN":       {CallRequest{Method: "POST", JSON: map[string]any{"a": math.NaN()}}, "the a is of a kind"},
		"not UTF-8":         {CallRequest{Method: "POST", JSON: map[string]any{"a": secret.New("fake\xff")}}, "the a is not UTF-8"},
		"empty password":    {CallRequest{Method: "POST", JSON: map[string]any{"a": secret.Secret{}}}, "the a is empty"},
	} {
		if c.ask.URL == nil && name != "no URL" {
			c.ask.URL = mustURL(t, "https://id.example/x")
		}
		client, _ := newClient(t)
		client.HTTP.Transport = failing{errors.New("something was sent")}
		_, err := client.Call(t.Context(), c.ask)
		if _, ok := errors.AsType[*RequestError](err); !ok || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "fake-") {
			t.Errorf("%s: %T %v, want %q", name, err, err, c.want)
		}
	}
	client, _ := newClient(t)
	_, err := client.Call(t.Context(), CallRequest{
		Method: "POST", URL: mustURL(t, "https://id.example/x"),
		JSON: map[string]any{"data": map[string]any{"p": func(context.Context) (secret.Secret, error) { return secret.Secret{}, failed }}},
	})
	if !errors.Is(err, failed) || err.Error() != "reading data.p: vault is shut" {
		t.Errorf("failed reference: %v", err)
	}
}

func TestCallReplies(t *testing.T) {
	t.Parallel()
	const js = "application/json"
	for _, c := range []struct {
		name        string
		status      int
		ctype, body string
		allow       bool
		wantErr     string // empty means success
	}{
		{"object", 200, "Application/JSON; charset=UTF-8", `{"sub":"x"}`, false, ""},
		{"status 0", 200, js, `{"status":{"code":0},"errors":[]}`, false, ""},
		{"empty 204", 204, "", "", false, ""},
		{"text", 200, "text/plain", "pong", false, ""},
		{"status 603", 200, js, `{"status":{"code":603,"message":"Unauthorized"}}`, false, `answered 200 with an error inside 603 "Unauthorized"`},
		{"errors", 200, js, `{"errors":[{"status":{"code":7}}]}`, false, "with an error inside 7"},
		{"error", 200, js, `{"error":"invalid_token","error_description":"Invalid token"}`, false, `inside invalid_token "Invalid token"`},
		{"401", 401, js, `{"error":"invalid_token"}`, false, "answered 401 invalid_token"},
		{"503 without body", 503, "", "", false, "answered 503 without a usable error text"},
		{"redirect", 302, "", "", false, "it is a redirect, which is never followed"},
		{"redirect allowed", 302, "text/html", "<a>", true, ""},
		{"error allowed to redirect", 401, "", "", true, "answered 401"},
		{"304 is no redirect", 304, "", "", true, "status 304"},
		{"huge", 200, js, strings.Repeat(" ", maxReply+1), false, "larger than 1 MiB"},
	} {
		s := serveAPI(t, func(n int, w http.ResponseWriter) {
			w.Header().Set("Location", "/back?state=x")
			answerWith(c.status, c.ctype, c.body)(n, w)
		})
		client, _ := newClient(t)
		ask := CallRequest{URL: mustURL(t, s.URL+"/sign-out?global=true"), Success: Success{Status: []int{200, 204}, Body: BodyAnything}}
		if c.allow {
			ask.RedirectTo = s.URL + "/back"
		}
		got, err := client.Call(t.Context(), ask)
		if c.wantErr != "" {
			if err == nil || got != nil || !strings.Contains(err.Error(), c.wantErr) || strings.Contains(err.Error(), "global") {
				t.Errorf("%s: %+v, %v", c.name, got, err)
			}
			continue
		}
		if err != nil || got.StatusCode != c.status || string(got.Body) != c.body || got.media() != strings.ToLower(strings.Split(c.ctype, ";")[0]) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
			continue
		}
		if location := fmt.Sprint(got.Location); c.allow && location != s.URL+"/back?state=x" || !c.allow && got.Location != nil {
			t.Errorf("%s: location %s", c.name, location)
		}
	}
}

// TestCallChallenge has the reason of a refusal in WWW-Authenticate alone.
func TestCallChallenge(t *testing.T) {
	t.Parallel()
	s := serveAPI(t, func(_ int, w http.ResponseWriter) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="acme", error="insufficient_scope", error_description="Missing openid scope"`)
		w.WriteHeader(http.StatusForbidden)
	})
	client, _ := newClient(t)
	_, err := client.Call(t.Context(), CallRequest{URL: mustURL(t, s.URL), Bearer: secretOf("fake-token")})
	e, ok := errors.AsType[*Error](err)
	if !ok || e.StatusCode != 403 || e.Code != "insufficient_scope" || e.Description != "Missing openid scope" || e.Challenge.Realm != "acme" {
		t.Errorf("%T %+v", err, err)
	}
}

func TestCallEchoIsRedacted(t *testing.T) {
	t.Parallel()
	for _, echo := range []string{"fake-token", "fake-old", "fake-key", "fake-code"} {
		s := serveAPI(t, answerWith(403, "application/json", `{"status":{"code":"`+echo+`","message":"you sent `+echo+`"}}`))
		client, _ := newClient(t)
		_, err := client.Call(t.Context(), CallRequest{
			Method: "POST", URL: mustURL(t, s.URL), Bearer: secretOf("fake-token"),
			JSON:         map[string]any{"p": secretOf("fake-old"), "c": map[string]any{"d": secretOf("fake-code")}},
			SecretHeader: map[string]secret.Func{"x-api-key": secretOf("fake-key")},
		})
		if e, ok := errors.AsType[*Error](err); !ok || strings.Contains(fmt.Sprintf("%+v", *e), "fake-") || e.Description != secret.Redacted {
			t.Errorf("%s: %+v", echo, err)
		}
	}
}

func TestCallRepeats(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		idempotent bool
		status     int
		want       int
	}{{true, 503, 2}, {true, 429, 2}, {false, 503, 1}, {false, 429, 1}, {true, 401, 1}, {true, 500, 1}, {true, 200, 1}} {
		s := serveAPI(t, answerWith(c.status, "", ""))
		client, _ := newClient(t)
		_, err := client.Call(t.Context(), CallRequest{URL: mustURL(t, s.URL), Idempotent: c.idempotent, Success: Success{Body: BodyNothing}})
		if n := len(s.requests()); n != c.want || (err == nil) != (c.status == 200) {
			t.Errorf("%+v: %d requests, %v", c, n, err)
		}
	}
	// A connection that was never made is tried again whatever the request is.
	s := serveAPI(t, answerWith(200, "", ""))
	client, slept := newClient(t)
	var dials atomic.Int32
	client.HTTP.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if dials.Add(1) == 1 {
			return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("connection refused")}
		}
		return new(net.Dialer).DialContext(ctx, network, addr)
	}
	if _, err := client.Call(t.Context(), CallRequest{Method: "POST", URL: mustURL(t, s.URL), Success: Success{Body: BodyNothing}}); err != nil || len(*slept) != 1 || dials.Load() != 2 {
		t.Errorf("%v, slept %v, %d dials", err, *slept, dials.Load())
	}
	client.Sleep = func(context.Context, time.Duration) error { return context.Canceled }
	dials.Store(0)
	client.HTTP.Transport.(*http.Transport).CloseIdleConnections()
	if got, err := client.Call(t.Context(), CallRequest{URL: mustURL(t, s.URL)}); !errors.Is(err, context.Canceled) || got != nil {
		t.Errorf("interrupted: %+v, %v", got, err)
	}
}

func TestCallDryRun(t *testing.T) {
	t.Parallel()
	var dry DryRun
	c := &Client{DryRun: &dry, Now: atNoon}
	for _, tc := range []struct {
		ask  CallRequest
		want string
	}{
		{
			CallRequest{URL: mustURL(t, "https://id.example/sign-out?global=true"), Method: "POST", Bearer: secretOf("fake-token"), Scheme: "bearer"},
			"POST https://id.example/sign-out?global=true\nAccept: application/json\nAuthorization: bearer [secret 10]\n",
		},
		{
			CallRequest{
				URL: mustURL(t, "https://id.example/change-password"), Method: "POST",
				JSON: map[string]any{
					"data":        map[string]any{"old": secretOf("fake-old"), "newPassword": secret.New("fake-by-name"), "userName": "acme<jane"},
					"operationId": "x\u202e", "n": 9007199254740993,
				},
			},
			"POST https://id.example/change-password\nAccept: application/json\nContent-Type: application/json\n\n" +
				`"{\"data\":{\"newPassword\":\"[password]\",\"old\":\"[secret 8]\",\"userName\":\"acme<jane\"},\"n\":9007199254740993,\"operationId\":\"x\u202e\"}"` + "\n",
		},
	} {
		if _, err := c.Call(t.Context(), tc.ask); !errors.Is(err, ErrDryRun) {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tc.want, dry.kept[len(dry.kept)-1].text(wordsWith(length))); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestReplyObject(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"\xEF\xBB\xBF {\"b\":1,\"a\":2}\n": `{"b":1,"a":2}`, "": "it is empty", "[1]": "not a JSON object", "<html>": "not a JSON object",
		`{"a":`: "ends early", `{}{}`: "not valid JSON",
	} {
		r := &Reply{StatusCode: 200, Body: []byte(body), endpoint: "https://id.example/x"}
		got, err := r.Object()
		if string(got) == want && err == nil {
			continue
		}
		if _, ok := errors.AsType[*ReplyError](err); !ok || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %s, %v", body, got, err)
		}
	}
}
