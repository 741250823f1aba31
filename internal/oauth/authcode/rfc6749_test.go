package authcode

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
	"github.com/google/go-cmp/cmp"
)

// TestS256Challenge has the example of RFC 7636 appendix B.
func TestS256Challenge(t *testing.T) {
	t.Parallel()
	const verifier, want = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	if got := S256Challenge(secret.New(verifier)); got != want {
		t.Errorf("got %s", got)
	}
	one, two := NewVerifier(), NewVerifier()
	if one.Equal(two) || len(one.Reveal()) != 43 || strings.Trim(one.Reveal(), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") != "" {
		t.Errorf("verifiers %q and %q", one.Reveal(), two.Reveal())
	}
	if a, b := NewState(), NewState(); a.Equal(b) || len(a.Reveal()) < 22 {
		t.Errorf("states %q and %q", a.Reveal(), b.Reveal())
	}
}

func TestAuthorizationURL(t *testing.T) {
	t.Parallel()
	full := Request{
		Endpoint: mustURL(t, "https://id.example/oauth/authorize?tenant=a"), ClientID: "demo client&x",
		RedirectURI: "http://127.0.0.1:8080/callback", Scope: []string{"openid", "a:read"}, State: secret.New("fake-state"),
		Nonce: secret.New("fake-nonce"), Challenge: "fake-challenge", Extra: url.Values{"hideTenant": {"true"}},
	}
	u, err := full.URL()
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{
		"tenant": {"a"}, "hideTenant": {"true"}, "response_type": {"code"}, "client_id": {"demo client&x"},
		"redirect_uri": {"http://127.0.0.1:8080/callback"}, "scope": {"openid a:read"}, "state": {"fake-state"},
		"nonce": {"fake-nonce"}, "code_challenge": {"fake-challenge"}, "code_challenge_method": {"S256"},
	}
	if diff := cmp.Diff(want, u.Query()); diff != "" || u.Scheme+"://"+u.Host+u.Path != "https://id.example/oauth/authorize" {
		t.Errorf("%s (-want +got):\n%s", u, diff)
	}
	if full.Endpoint.RawQuery != "tenant=a" {
		t.Error("the endpoint was changed")
	}
	least := Request{Endpoint: mustURL(t, "https://id.example/a"), ClientID: "c", RedirectURI: "http://127.0.0.1:1/", State: secret.New("s")}
	if u, err := least.URL(); err != nil || u.RawQuery != "client_id=c&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2F&response_type=code&state=s" {
		t.Errorf("%v, %v", u, err)
	}
	for name, change := range map[string]func(*Request){
		"no endpoint":     func(r *Request) { r.Endpoint = nil },
		"plain http":      func(r *Request) { r.Endpoint = mustURL(t, "http://id.example/a") },
		"bad query":       func(r *Request) { r.Endpoint = mustURL(t, "https://id.example/a?b=%zz") },
		"no client":       func(r *Request) { r.ClientID = "" },
		"no redirect":     func(r *Request) { r.RedirectURI = "" },
		"no state":        func(r *Request) { r.State = secret.Secret{} },
		"another state":   func(r *Request) { r.Extra = url.Values{"state": {"x"}} },
		"another type":    func(r *Request) { r.Endpoint = mustURL(t, "https://id.example/a?response_type=token") },
		"twice the extra": func(r *Request) { r.Extra = url.Values{"tenant": {"b"}} },
	} {
		r := full
		change(&r)
		u, err := r.URL()
		if _, ok := errors.AsType[*oauth.RequestError](err); !ok || u != nil {
			t.Errorf("%s: %v, %T %v", name, u, err, err)
		}
	}
}

func TestCallback(t *testing.T) {
	t.Parallel()
	plain := Callback{State: secret.New("fake-state")}
	optional := Callback{State: secret.New("fake-state"), Optional: true}
	for _, c := range []struct {
		name   string
		want   Callback
		query  string
		reason CallbackReason // empty means that the code is taken
		text   string
	}{
		{"code", plain, "code=fake-code&state=fake-state&session_state=x", "", ""},
		{"issuer", plain, "code=fake-code&state=fake-state&iss=https://id.example", "", ""},
		{"empty error", plain, "code=fake-code&state=fake-state&error=", "", ""},
		{"no state", plain, "code=fake-code", CallbackForeign, "it has no state"},
		{"nothing", plain, "", CallbackForeign, "it has no state"},
		{"wrong state", plain, "code=fake-code&state=fake-statf", CallbackForeign, "state is not the one"},
		{"state and more", plain, "code=fake-code&state=fake-state2", CallbackForeign, "state is not the one"},
		{"two states", plain, "code=fake-code&state=fake-state&state=fake-state", CallbackForeign, "state is repeated"},
		{"none was sent", Callback{}, "code=fake-code&state=x", CallbackForeign, "state is not the one"},
		{"empty state", plain, "code=fake-code&state=", CallbackForeign, "it has no state"},
		{"no state, which is allowed", optional, "code=fake-code", "", ""},
		{"empty state, which is allowed", optional, "code=fake-code&state=", "", ""},
		{"refusal without state, which is allowed", optional, "error=access_denied", CallbackRefused, "access_denied"},
		{"nothing, where no state is allowed", optional, "", CallbackForeign, "it has no state"},
		{"wrong state, where none is allowed", optional, "code=fake-code&state=fake-statf", CallbackForeign, "state is not the one"},
		{"two states, where none is allowed", optional, "code=fake-code&state=&state=fake-state", CallbackForeign, "state is repeated"},
		{"none allowed and none sent", Callback{Optional: true}, "code=fake-code", CallbackForeign, "it has no state"},
		{"refusal without state", plain, "error=access_denied", CallbackForeign, "it has no state"},
		{"refusal", plain, "error=access_denied&state=fake-state", CallbackRefused, "the service refused the login: access_denied"},
		{
			"hostile refusal", plain, "state=fake-state&error=access_denied&error_description=%1b%5b2Jno%0d%0aauthctl: ok%e2%80%ae" + strings.Repeat("x", 300),
			CallbackRefused, `the service refused the login: access_denied "[2Jno authctl: okxxx`,
		},
		{"hostile code", plain, "state=fake-state&error=%1b%5b2J", CallbackRefused, "the service refused the login: [2J"},
		{"invisible code", plain, "state=fake-state&error=%e2%80%8b", CallbackRefused, "the service refused the login"},
		{"echo", plain, "state=fake-state&error=x&error_description=you+sent+fake-state", CallbackRefused, `x "[redacted]"`},
		{"refusal beside a code", plain, "state=fake-state&error=x&code=fake-code", CallbackRefused, "login: x"},
		{"no code", plain, "state=fake-state", CallbackInvalid, "neither code nor error"},
		{"empty code", plain, "state=fake-state&code=", CallbackInvalid, "neither code nor error"},
		{"two codes", plain, "state=fake-state&code=a&code=b", CallbackInvalid, "parameter code is repeated"},
		{"two errors", plain, "state=fake-state&error=a&error=b", CallbackInvalid, "parameter error is repeated"},
		{"hostile bytes", plain, "state=fake-state&code=a%0d%0ab", CallbackInvalid, "outside printable ASCII"},
		{"two issuers", plain, "state=fake-state&code=a&iss=https://id.example&iss=https://x", CallbackInvalid, "iss is repeated"},
	} {
		query, err := url.ParseQuery(c.query)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.want.Parse(query)
		if c.reason == "" {
			if err != nil || !got.Equal(secret.New("fake-code")) {
				t.Errorf("%s: %+v, %v", c.name, got, err)
			}
			continue
		}
		e, ok := errors.AsType[*CallbackError](err)
		if !ok || e.Reason != c.reason || e.Foreign() != (c.reason == CallbackForeign) || !got.IsZero() {
			t.Errorf("%s: %+v, %T %v", c.name, got, err, err)
			continue
		}
		if text := err.Error(); !strings.Contains(text, c.text) || strings.Contains(text, "fake-") || secret.Printable(text) != text || len(text) > 400 {
			t.Errorf("%s: %s", c.name, text)
		}
	}
}

func FuzzCallback(f *testing.F) {
	for _, seed := range []string{
		"code=a&state=fake-state", "error=x&error_description=%1b&state=fake-state", "state=fake-state&state=b", "state=fake-state&iss=x", ";&%",
	} {
		f.Add(seed)
	}
	want := Callback{State: secret.New("fake-state")}
	f.Fuzz(func(t *testing.T, text string) {
		query, _ := url.ParseQuery(text) // what could be read, as a careless caller would pass it
		got, err := want.Parse(query)
		if err == nil {
			if query.Get("state") != "fake-state" || got.Reveal() != query.Get("code") || got.IsZero() {
				t.Errorf("%q is taken", text)
			}
			return
		}
		e, ok := errors.AsType[*CallbackError](err)
		if !ok || secret.Printable(e.Error()) != e.Error() || !got.IsZero() {
			t.Errorf("%q: %q", text, err)
		}
		if e.Foreign() == (len(query["state"]) == 1 && query.Get("state") == "fake-state") {
			t.Errorf("%q: reason %s", text, e.Reason)
		}
	})
}

func mustURL(t testing.TB, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
