package oauth2

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/providers/providertest"
	"github.com/authctl/authctl/internal/secret"
)

// ending is an issuer whose endpoints for the end of a session answer as a test says: "revoke" and
// "logout", each with a status and a body, or a place to go to. What is not there it does not name.
type ending struct {
	*httptest.Server
	// asked are the requests, as "/revoke refresh_token fake-refresh".
	asked []string
}

func newEnding(t *testing.T, answers map[string]http.HandlerFunc) *ending {
	t.Helper()
	mux := http.NewServeMux()
	e := &ending{Server: httptest.NewServer(mux)}
	t.Cleanup(e.Close)
	document := map[string]string{"issuer": e.URL, "token_endpoint": e.URL + "/token"}
	named := map[string]string{"revoke": "revocation_endpoint", "logout": "end_session_endpoint"}
	for name, answer := range answers {
		document[named[name]] = e.URL + "/" + name
		mux.HandleFunc("/"+name, func(w http.ResponseWriter, r *http.Request) {
			of := r.FormValue("token_type_hint") + " " + r.FormValue("token")
			if name == "logout" {
				of = strings.TrimSpace(r.FormValue("id_token_hint") + " " + r.FormValue("post_logout_redirect_uri"))
			}
			e.asked = append(e.asked, "/"+name+" "+of)
			answer(w, r)
		})
	}
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(document)
	})
	return e
}

// says answers with a status, a content type and a body.
func says(status int, media, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", media)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// TestSignOut: what the issuer has is asked in order, and what became of it is told.
func TestSignOut(t *testing.T) {
	t.Parallel()
	done := says(http.StatusOK, "text/plain", "")
	page := says(http.StatusOK, "text/html", "<html>Do you want to sign out?")
	gone := says(http.StatusBadRequest, "application/json", `{"error":"invalid_token"}`)
	refused := says(http.StatusConflict, "application/json", `{"error":"conflict"}`)
	onward := http.RedirectHandler("https://app.example/bye", http.StatusFound).ServeHTTP
	whole := providers.Session{
		AccessToken: secret.New("fake-access"), RefreshToken: secret.New("fake-refresh"), IDToken: secret.New("fake-id"),
	}
	short := providers.Session{AccessToken: whole.AccessToken}
	both, revokes := "/revoke refresh_token fake-refresh, /revoke access_token fake-access", "/revoke access_token fake-access"
	for name, c := range map[string]struct {
		answers map[string]http.HandlerFunc
		session providers.Session
		options providers.SignOutOptions
		asked   string
		did     string
		// lacking and failed are parts of what is said; empty means nothing is.
		lacking, failed string
	}{
		"all of it": {
			map[string]http.HandlerFunc{"revoke": done, "logout": done},
			whole,
			providers.SignOutOptions{},
			both + ", /logout fake-id", "revoked the refresh token and revoked the token and ended the session", "", "",
		},
		"no ID token kept": {
			map[string]http.HandlerFunc{"revoke": done, "logout": done},
			short,
			providers.SignOutOptions{},
			revokes, "revoked the token", "", "",
		},
		"on to a page of one's own": {
			map[string]http.HandlerFunc{"revoke": done, "logout": onward},
			whole,
			providers.SignOutOptions{RedirectURI: "https://app.example/bye"},
			both + ", /logout fake-id https://app.example/bye",
			"revoked the refresh token and revoked the token and ended the session", "", "",
		},
		"on, without an ID token": {
			map[string]http.HandlerFunc{"revoke": done},
			short,
			providers.SignOutOptions{RedirectURI: "https://app.example/bye"},
			revokes, "revoked the token", "keep: [id_token]", "",
		},
		"a page that asks": {
			map[string]http.HandlerFunc{"revoke": done, "logout": page},
			whole,
			providers.SignOutOptions{},
			both + ", /logout fake-id", "revoked the refresh token and revoked the token", "confirm in a browser", "",
		},
		"another page's address": {
			map[string]http.HandlerFunc{"revoke": done, "logout": onward},
			whole,
			providers.SignOutOptions{},
			both + ", /logout fake-id", "revoked the refresh token and revoked the token", "confirm in a browser", "",
		},
		"everywhere": {
			map[string]http.HandlerFunc{"revoke": done},
			short,
			providers.SignOutOptions{Global: true},
			revokes, "revoked the token", "--global", "",
		},
		"tokens that are not valid any more": {
			map[string]http.HandlerFunc{"revoke": gone},
			whole,
			providers.SignOutOptions{},
			both, "revoked the refresh token and revoked the token", "", "",
		},
		"logout alone": {
			map[string]http.HandlerFunc{"logout": done},
			whole,
			providers.SignOutOptions{},
			"/logout fake-id", "ended the session", "", "",
		},
		"logout refused": {
			map[string]http.HandlerFunc{"revoke": done, "logout": refused},
			whole,
			providers.SignOutOptions{},
			both + ", /logout fake-id", "", "", "/logout answered 409",
		},
		"revocation refused": {
			map[string]http.HandlerFunc{"revoke": refused, "logout": done},
			whole,
			providers.SignOutOptions{},
			both + ", /logout fake-id", "", "", "/revoke answered 409",
		},
		"neither": {nil, whole, providers.SignOutOptions{}, "", "", "", "has no token revoke"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnding(t, c.answers)
			p, err := Spec().New(providertest.Settings(Spec(), map[string]string{
				"issuer": e.URL, "client_id": "demo", "client_secret": "fake-secret",
			}), &oauth.Client{})
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.SignOut(t.Context(), c.session, c.options)
			if asked := strings.Join(e.asked, ", "); asked != c.asked {
				t.Errorf("asked %s, want %s", asked, c.asked)
			}
			if (err != nil) != (c.failed != "") || err != nil && !strings.Contains(err.Error(), c.failed) {
				t.Fatalf("error %v, want %q", err, c.failed)
			}
			if _, lacks := errors.AsType[*providers.UnsupportedError](err); lacks != (name == "neither") {
				t.Errorf("%T", err)
			}
			if err != nil {
				return
			}
			if got.Did != c.did || (got.Lacking != "") != (c.lacking != "") || !strings.Contains(got.Lacking, c.lacking) {
				t.Errorf("did %q, lacking %q", got.Did, got.Lacking)
			}
			onward := ""
			if name == "on to a page of one's own" {
				onward = c.options.RedirectURI
			}
			if got.RedirectURI != onward {
				t.Errorf("a browser goes to %q, want %q", got.RedirectURI, onward)
			}
		})
	}
}
