package providers_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/providers/providertest"
	"github.com/authctl/authctl/internal/setting"
)

// TestRefusedLogin: what the authorization endpoint says (RFC 6749 §4.1.2.1) is not always
// the person's to mend.
func TestRefusedLogin(t *testing.T) {
	t.Parallel()
	const again = "log in again, as a user who may"
	for code, want := range map[string]struct {
		reason providers.Reason
		hint   string
	}{
		"access_denied":             {providers.ReasonCredentials, again},
		"temporarily_unavailable":   {providers.ReasonTemporary, "in a while"},
		"server_error":              {providers.ReasonTemporary, "in a while"},
		"slow_down":                 {providers.ReasonTemporary, "in a while"},
		"invalid_scope":             {providers.ReasonScope, "scopes in the profile"},
		"unauthorized_client":       {providers.ReasonConfig, "grant authorization_code allowed"},
		"unsupported_response_type": {providers.ReasonConfig, "grant authorization_code allowed"},
		"invalid_request":           {providers.ReasonConfig, "redirect_port and pkce"},
		"invalid_client":            {providers.ReasonConfig, "client_id"},
		"login_required":            {providers.ReasonCredentials, "sign in"},
		"consent_required":          {providers.ReasonCredentials, "consent"},
		"some_other_thing":          {providers.ReasonCredentials, "what the service says"},
	} {
		_, err := loggingIn(t, "https://id.example/oauth/authorize", url.Values{"error": {code}})
		failure, ok := errors.AsType[*providers.Failure](err)
		if !ok || failure.Reason != want.reason || !strings.Contains(failure.Hint, want.hint) ||
			code != "access_denied" && strings.Contains(failure.Hint, again) {
			t.Errorf("%s: %+v", code, failure)
		}
	}
}

// TestIssuerOfTheAnswer: an answer that names its issuer (RFC 9207) is taken from the
// service that was asked only. Those that pass fail later, at the token endpoint.
func TestIssuerOfTheAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		authorize, issuer string
		foreign           bool
	}{
		{"https://acme.talkdeskid.com/oauth/authorize", "https://acme.talkdeskid.com", false},
		{"https://acme.talkdeskid.com/oauth/authorize", "https://www.talkdeskid.com", false},
		{"https://acme.talkdeskid.com/oauth/authorize", "http://www.talkdeskid.com", true},
		{"https://acme.talkdeskid.com/oauth/authorize", "https://www.talkdeskid.eu", true},
		{"https://acme.talkdeskid.com/oauth/authorize", "https://talkdeskid.com.evil.example", true},
		{"https://host.example/oauth/authorize", "https://other.example", true},
		{"http://127.0.0.1:1/oauth/authorize", "http://127.0.0.1:1", false},
		{"http://127.0.0.1:1/oauth/authorize", "https://9.0.0.1", true},
		{"https://acme.talkdeskid.com/oauth/authorize", "not a URL", true},
	} {
		_, err := loggingIn(t, c.authorize, url.Values{"code": {"fake-code"}, "iss": {c.issuer}})
		failure, ok := errors.AsType[*providers.Failure](err)
		if foreign := ok && failure.Reason == providers.ReasonProtocol; foreign != c.foreign {
			t.Errorf("%s, answered by %q: %v", c.authorize, c.issuer, err)
		}
	}
}

// loggingIn has a person whose browser comes back from an authorization endpoint with an answer.
func loggingIn(t *testing.T, authorize string, answer url.Values) (oauth.Token, error) {
	t.Helper()
	u, err := url.Parse(authorize)
	if err != nil {
		t.Fatal(err)
	}
	spec := providers.Spec{
		Title: "Fake", Token: "/oauth/token", Authorize: u.Path, Base: providers.Hosts{At: map[string]string{"": u.Scheme + "://" + u.Host}},
	}
	settings := setting.New("p", map[string]setting.Value{
		"client_id": {Text: "c"}, "client_auth": {Text: setting.None}, "grant": {Text: "authorization_code"},
	})
	p, err := spec.New(settings, &oauth.Client{HTTP: &http.Client{Transport: unreachable{}}})
	if err != nil {
		t.Fatal(err)
	}
	return p.Login(t.Context(), providertest.Answering("http://127.0.0.1:2/callback", answer))
}

// unreachable is a network without hosts.
type unreachable struct{}

func (unreachable) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("no network")
}
