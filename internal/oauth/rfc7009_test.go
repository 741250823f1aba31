package oauth

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/secret"
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
		r := TokenForm(Post{ClientID: "demo-client", Secret: secretOf(fakeSecret)}, secret.New("fake-token"), "refresh_token")
		r.URL, r.Success = endpointOf(t, s.URL), Revoked()
		_, err := client.Call(t.Context(), r)
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
		want       string // what the error says
	}{
		{"active", `{"scope":"a","active":true}`, ""},
		{"inactive", `{"active":false}`, ""},
		{"a word", `{"active":"true"}`, "its active is not true or false"},
		{"missing", `{"scope":"a"}`, "it has no active"},
		{"signed", "a.b.c", "not a JSON object"},
		{"empty", "", "it is empty"},
	} {
		s := serve(t, answerWith(200, "application/json", c.body))
		client, _ := newClient(t)
		r := TokenForm(Basic{ClientID: "demo-client", Secret: secretOf(fakeSecret)}, secret.New("fake-token"), "")
		r.URL = endpointOf(t, s.URL)
		r.Success = Introspected()
		var said []byte
		reply, err := client.Call(t.Context(), r)
		if err == nil {
			said = reply.Body
		}
		if c.want == "" && (err != nil || string(said) != c.body) {
			t.Errorf("%s: %s, %v", c.name, said, err)
		}
		if _, ok := errors.AsType[*ReplyError](err); c.want != "" && (!ok || !strings.Contains(err.Error(), c.want) || said != nil) {
			t.Errorf("%s: %s, %T %v", c.name, said, err, err)
		}
		if form := s.requests()[0].Form; form.Has("token_type_hint") || form.Get("token") != "fake-token" {
			t.Errorf("%s: sent %v", c.name, form)
		}
	}
}

func TestTokenFormNeedsAToken(t *testing.T) {
	t.Parallel()
	client, _ := newClient(t)
	client.HTTP.Transport = failing{errors.New("something was sent")}
	r := TokenForm(None{ClientID: "a"}, secret.Secret{}, "")
	r.URL = endpointOf(t, "https://id.example")
	_, err := client.Call(t.Context(), r)
	if _, ok := errors.AsType[*RequestError](err); !ok {
		t.Errorf("%T %v", err, err)
	}
}
