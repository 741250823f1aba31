package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/secret"
	"github.com/google/go-cmp/cmp"
)

// ask sends r to a server that issues a token and returns what the server saw.
func ask(t *testing.T, change func(*TokenRequest)) (askedRequest, error) {
	t.Helper()
	s := serve(t, answerWith(200, "application/json", goodReply))
	r := machineRequest(endpointOf(t, s.URL))
	change(&r)
	c, _ := newClient(t)
	_, err := c.Token(t.Context(), r)
	asked := s.requests()
	if err != nil {
		if len(asked) != 0 {
			t.Errorf("%v, and yet a request was sent", err)
		}
		return askedRequest{}, err
	}
	if len(asked) != 1 {
		t.Fatalf("%d requests, want 1", len(asked))
	}
	return asked[0], nil
}

func TestBasic(t *testing.T) {
	t.Parallel()
	const odd = "p+q/r=%&:é s"
	for _, c := range []struct {
		id, secret string
		encoding   Encoding
		want       string
	}{
		{"demo-client", odd, Raw, "Basic ZGVtby1jbGllbnQ6cCtxL3I9JSY6w6kgcw=="},
		{"demo-client", odd, FormEncoded, "Basic ZGVtby1jbGllbnQ6cCUyQnElMkZyJTNEJTI1JTI2JTNBJUMzJUE5K3M="},
		{"demo:client", "s3cret", FormEncoded, "Basic ZGVtbyUzQWNsaWVudDpzM2NyZXQ="},
	} {
		got, err := ask(t, func(r *TokenRequest) {
			r.Auth = Basic{ClientID: c.id, Secret: secretOf(c.secret), Encoding: c.encoding}
		})
		if err != nil {
			t.Errorf("%s: %v", c.want, err)
			continue
		}
		if auth := got.Header["Authorization"]; len(auth) != 1 || auth[0] != c.want {
			t.Errorf("Authorization is %q, want %q", auth, c.want)
		}
		if got.Form.Has("client_id") || got.Form.Has("client_secret") {
			t.Errorf("credentials in the form too: %v", got.Form)
		}
	}
}

func TestCheckClientID(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		encoding Encoding
		id       string
		ok       bool
	}{
		{Raw, "demo-client", true},
		{Raw, "demo:client", false},
		{Raw, "demo\nclient", false},
		{Raw, "", false},
		{FormEncoded, "demo:client", true},
		{FormEncoded, "", false},
	} {
		err := c.encoding.CheckClientID(c.id)
		if _, typed := errors.AsType[*RequestError](err); typed == c.ok {
			t.Errorf("%d, %q: %v", c.encoding, c.id, err)
		}
	}
}

func TestOtherMethods(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		auth   ClientAuth
		method string
		form   url.Values
	}{
		{
			Post{ClientID: "demo:client", Secret: secretOf("p+q %")},
			"client_secret_post",
			url.Values{"client_id": {"demo:client"}, "client_secret": {"p+q %"}},
		},
		{None{ClientID: "demo-client"}, "none", url.Values{"client_id": {"demo-client"}}},
	} {
		got, err := ask(t, func(r *TokenRequest) {
			r.Auth = c.auth
			r.Params = url.Values{"client_id": c.form["client_id"]}
		})
		if err != nil {
			t.Fatal(err)
		}
		if c.auth.Method() != c.method || got.Header["Authorization"] != nil {
			t.Errorf("%s: method %q, Authorization %q", c.method, c.auth.Method(), got.Header["Authorization"])
		}
		if diff := cmp.Diff(c.form, got.Form); diff != "" {
			t.Errorf("%s: form (-want +got):\n%s", c.method, diff)
		}
	}
}

func TestRequestOnTheWire(t *testing.T) {
	t.Parallel()
	got, err := ask(t, func(r *TokenRequest) {
		r.Params.Set("empty", "")
		r.Header = http.Header{"X-Account": {"mybankab"}}
		r.SecretHeader = map[string]secret.Func{"x-api-key": secretOf("fake-key"), "x-unset": nil}
		r.Secrets = map[string]secret.Func{"password": secretOf("päss word"), "code": nil}
	})
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{
		"grant_type": {"client_credentials"}, "scope": {"a:read b:write"}, "password": {"päss word"},
	}
	if diff := cmp.Diff(want, got.Form); diff != "" {
		t.Errorf("form (-want +got):\n%s", diff)
	}
	for name, value := range map[string]string{
		"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded",
		"X-Account": "mybankab", "X-Api-Key": "fake-key", "Cookie": "",
	} {
		if got.Header.Get(name) != value {
			t.Errorf("%s is %q, want %q", name, got.Header.Get(name), value)
		}
	}
}

func TestRequestRefused(t *testing.T) {
	t.Parallel()
	refused := errors.New("file:/nowhere: no such file")
	for name, change := range map[string]func(*TokenRequest){
		"no auth":             func(r *TokenRequest) { r.Auth = nil },
		"no endpoint":         func(r *TokenRequest) { r.Endpoint = nil },
		"raw id with a colon": func(r *TokenRequest) { r.Auth = Basic{ClientID: "a:b", Secret: secretOf("fake-secret")} },
		"no secret":           func(r *TokenRequest) { r.Auth = Basic{ClientID: "a"} },
		"empty secret":        func(r *TokenRequest) { r.Auth = Basic{ClientID: "a", Secret: secretOf("")} },
		"secret with a break": func(r *TokenRequest) { r.Auth = Basic{ClientID: "a", Secret: secretOf("fake-secret\n")} },
		"post without id":     func(r *TokenRequest) { r.Auth = Post{Secret: secretOf("fake-secret")} },
		"public without id":   func(r *TokenRequest) { r.Auth = None{} },
		"another client id":   func(r *TokenRequest) { r.Auth = None{ClientID: "a"}; r.Params.Set("client_id", "b") },
		"header and Basic":    func(r *TokenRequest) { r.Header = http.Header{"Authorization": {"Bearer fake-secret"}} },
		"form and Basic":      func(r *TokenRequest) { r.Params.Set("client_secret", "fake-secret") },
		"assertion and post": func(r *TokenRequest) {
			r.Auth = Post{ClientID: "a", Secret: secretOf("fake-secret")}
			r.Secrets = map[string]secret.Func{"client_assertion": secretOf("fake-secret")}
		},
		"parameter twice": func(r *TokenRequest) {
			r.Params.Set("password", "x")
			r.Secrets = map[string]secret.Func{"password": secretOf("fake-secret")}
		},
		"header twice": func(r *TokenRequest) {
			r.Header = http.Header{"X-Api-Key": {"x"}}
			r.SecretHeader = map[string]secret.Func{"x-api-key": secretOf("fake-secret")}
		},
		"header with a break":        func(r *TokenRequest) { r.Header = http.Header{"X-Account": {"a\r\nb: c"}} },
		"secret header with a break": func(r *TokenRequest) { r.SecretHeader = map[string]secret.Func{"x": secretOf("fake-secret\n")} },
	} {
		_, err := ask(t, change)
		if _, typed := errors.AsType[*RequestError](err); !typed || strings.Contains(err.Error(), "fake-secret") {
			t.Errorf("%s: %T %v", name, err, err)
		}
	}
	_, err := ask(t, func(r *TokenRequest) {
		r.Secrets = map[string]secret.Func{"password": func(context.Context) (secret.Secret, error) { return secret.Secret{}, refused }}
	})
	if !errors.Is(err, refused) {
		t.Errorf("the reference's own error is lost: %v", err)
	}
}
