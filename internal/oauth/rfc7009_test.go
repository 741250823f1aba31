package oauth

import (
	"errors"
	"net/url"
	"strings"
	"testing"
)

func TestRevoke(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status     int
		body, want string
	}{
		{200, "", ""},
		{204, "", ""},
		{200, `{"error":"invalid_token","error_description":"Invalid token"}`, "answered 200 with an error inside invalid_token"},
		{400, `{"error":"unsupported_token_type"}`, "answered 400 unsupported_token_type"},
		{404, "", "answered 404"},
	} {
		s := serve(t, answerWith(c.status, "application/json", c.body))
		client, _ := newClient(t)
		err := client.Revoke(t.Context(), RevocationRequest{
			Endpoint: endpointOf(t, s.URL), Auth: Post{ClientID: "demo-client", Secret: secretOf(fakeSecret)},
			Token: secretOf("fake-token"), Hint: "refresh_token",
		})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d %s: %v", c.status, c.body, err)
		}
		want := url.Values{"client_id": {"demo-client"}, "client_secret": {fakeSecret}, "token": {"fake-token"}, "token_type_hint": {"refresh_token"}}
		if got := s.requests()[0].Form; got.Encode() != want.Encode() {
			t.Errorf("sent %v", got)
		}
	}
}

func TestIntrospect(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body string
		active     bool
		want       string
	}{
		{"active", `{"scope":"a","active":true}`, true, ""},
		{"inactive", `{"active":false}`, false, ""},
		{"a word", `{"active":"true"}`, false, "does not say if the token is active"},
		{"missing", `{"scope":"a"}`, false, "does not say if the token is active"},
		{"signed", "a.b.c", false, "not a JSON object"},
		{"empty", "", false, "it is empty"},
		{"error inside", `{"error":"invalid_request","error_description":"Authentication failed."}`, false, "invalid_request"},
	} {
		s := serve(t, answerWith(200, "application/json", c.body))
		client, _ := newClient(t)
		body, active, err := client.Introspect(t.Context(), IntrospectionRequest{
			Endpoint: endpointOf(t, s.URL), Auth: Basic{ClientID: "demo-client", Secret: secretOf(fakeSecret)}, Token: secretOf("fake-token"),
		})
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) || body != nil || active {
				t.Errorf("%s: %s, %v, %v", c.name, body, active, err)
			}
			continue
		}
		if err != nil || active != c.active || string(body) != c.body {
			t.Errorf("%s: %s, %v, %v", c.name, body, active, err)
		}
		if form := s.requests()[0].Form; form.Has("token_type_hint") || form.Get("token") != "fake-token" {
			t.Errorf("%s: sent %v", c.name, form)
		}
	}
}

func TestTokenCallsNeedTheirParts(t *testing.T) {
	t.Parallel()
	good := RevocationRequest{Endpoint: endpointOf(t, "https://id.example"), Auth: None{ClientID: "a"}, Token: secretOf("fake-token")}
	for name, change := range map[string]func(*RevocationRequest){
		"no endpoint": func(r *RevocationRequest) { r.Endpoint = nil },
		"a query":     func(r *RevocationRequest) { r.Endpoint = mustURL(t, "https://id.example/x?a=b") },
		"no auth":     func(r *RevocationRequest) { r.Auth = nil },
		"no token":    func(r *RevocationRequest) { r.Token = nil },
		"empty token": func(r *RevocationRequest) { r.Token = secretOf("") },
	} {
		r := good
		change(&r)
		client, _ := newClient(t)
		client.HTTP.Transport = failing{errors.New("something was sent")}
		err := client.Revoke(t.Context(), r)
		if _, ok := errors.AsType[*RequestError](err); !ok {
			t.Errorf("%s: %T %v", name, err, err)
		}
		if _, _, err := client.Introspect(t.Context(), IntrospectionRequest(r)); err == nil {
			t.Errorf("%s: introspection was sent", name)
		}
	}
}
