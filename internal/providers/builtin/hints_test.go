package builtin_test

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/providers/builtin"
	"github.com/authctl/authctl/internal/providers/providertest"
	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
)

// hinted are the profiles whose hints are looked at: those of the sandbox, which have
// every grant and client authentication.
func hinted(t *testing.T) map[string]map[string]string {
	t.Helper()
	all := map[string]map[string]string{}
	server := sandbox.New(sandbox.Options{Job: true})
	if err := server.Start(""); err != nil {
		t.Fatal(err)
	}
	server.Close()
	for _, p := range server.Profiles() {
		all[p.Name] = with(values(p), "base_url", "http://127.0.0.1:1")
		if p.Text["provider"] == "oauth2" { // without an issuer, which would be asked first
			const at = "https://127.0.0.1:1"
			all[p.Name] = with(with(with(all[p.Name], "base_url", at), "token_url", at+"/token"), "authorize_url", at+"/login")
			delete(all[p.Name], "issuer")
		}
	}
	return all
}

// strangers returns the words of a hint that are names of settings which this profile
// does not have, or which do nothing for its grant and authentication.
func strangers(s providers.Spec, settings setting.Values, hint string) []string {
	for _, plain := range []string{
		// Words of the language, not settings.
		"user name and password", "lock the account", "service accounts", "have the grant", "the grant authorization_code",
		"lack the grant", "the old password", "choose an account", "USER:PASSWORD", "the username is",
	} {
		hint = strings.ReplaceAll(hint, plain, "")
	}
	names := map[string]bool{}
	for _, service := range builtin.Services().All() {
		for _, d := range service.Settings() {
			names[d.Name] = true
		}
	}
	own := settings.Applying(s.Settings())
	var found []string
	for _, word := range strings.FieldsFunc(hint, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') }) {
		if names[word] && !own.Have(word) {
			found = append(found, word)
		}
	}
	if strings.ContainsAny(hint, "{}") {
		found = append(found, "a list that was not filled in")
	}
	return found
}

// TestHintsNameOwnSettings has every way to fail, of every profile: a hint names only
// settings that the profile has and that do something for it.
func TestHintsNameOwnSettings(t *testing.T) {
	t.Parallel()
	for name, values := range hinted(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service := service(t, values["provider"])
			said := map[string]bool{}
			check := func(how string, settings setting.Values, err error) {
				f := failure(t, err)
				said[f.Hint] = true
				if odd := strangers(service, settings, f.Hint); odd != nil {
					t.Errorf("%s: %v: the hint %q names %q", how, f, f.Hint, odd)
				}
			}
			for _, answer := range failingAnswers() {
				settings, client := answered(t, service, values, answer)
				_, err := client.Issue(t.Context())
				if oauth.Grant(values["grant"]).NeedsPerson() {
					_, err = client.Refresh(t.Context(), secret.New("fake"))
				}
				check(fmt.Sprintf("%d %s", answer.status, answer.body), settings, err)
			}
			for _, address := range []string{values["base_url"], ""} {
				changed := with(values, "base_url", address)
				if address == "" && service.Base.At == nil {
					continue
				}
				settings := providertest.Settings(service, changed)
				client, err := service.New(settings, offline(nowhere{}))
				if err != nil {
					t.Fatal(err)
				}
				if oauth.Grant(values["grant"]).NeedsPerson() {
					_, err = client.Refresh(t.Context(), secret.New("fake"))
				} else {
					_, err = client.Issue(t.Context())
				}
				check("no such host at "+address, settings, err)
			}
			refusedLogins(t, service, values, check)
			if len(said) < 3 {
				t.Errorf("there are only these hints: %q", slices.Collect(maps.Keys(said)))
			}
		})
	}
}

// refusedLogins has the answers of an authorization endpoint that are none.
func refusedLogins(
	t *testing.T, service providers.Spec, values map[string]string, check func(string, setting.Values, error),
) {
	t.Helper()
	if values["grant"] != string(oauth.AuthorizationCode) {
		return
	}
	settings := providertest.Settings(service, values)
	client, err := service.New(settings, &oauth.Client{})
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{
		"access_denied", "temporarily_unavailable", "server_error", "invalid_scope", "unauthorized_client",
		"unsupported_response_type", "invalid_request", "invalid_client", "invalid_redirect_uri", "login_required", "other",
	} {
		_, err := client.Login(t.Context(), providertest.Answering("http://127.0.0.1:1/callback", url.Values{"error": {code}}))
		check("a login: "+code, settings, err)
	}
}

// nowhere is a network on which no host exists.
type nowhere struct{}

func (nowhere) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "fake", IsNotFound: true}}
}

type answer struct {
	status      int
	contentType string
	body        string
}

// failingAnswers are all of the standard's errors under the statuses they come with, and
// what stands in front of services.
func failingAnswers() []answer {
	var all []answer
	for _, status := range []int{400, 401, 403, 404, 405, 407, 408, 429, 500, 503, 302} {
		for _, code := range []string{
			"invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope",
			"invalid_request", "access_denied", "server_error", "temporarily_unavailable", "unheard_of",
		} {
			all = append(all, answer{status, "application/json", `{"error":"` + code + `"}`})
		}
		all = append(all,
			answer{status, "text/html", "<html><title>no</title></html>"},
			answer{status, "application/json", `{"message":"Missing Authentication Token"}`},
			answer{status, "application/json", `{"status":{"code":603,"message":"Unauthorized"}}`},
			answer{status, "application/json", `{"error":"x","error_description":"Client not enabled to retrieve service account"}`},
			answer{status, "application/json", `{"error":"access_denied","error_description":"Realm not enabled"}`},
			answer{status, "", ""},
		)
	}
	return append(all, answer{200, "text/html", "<html></html>"}, answer{200, "application/json", "{}"})
}

// answered returns a client of a service that gives one answer.
func answered(t *testing.T, s providers.Spec, values map[string]string, a answer) (setting.Values, *providers.Provider) {
	t.Helper()
	settings := providertest.Settings(s, values)
	client, err := s.New(settings, offline(canned(a)))
	if err != nil {
		t.Fatal(err)
	}
	return settings, client
}

// offline asks nobody and waits for nothing.
func offline(way http.RoundTripper) *oauth.Client {
	return &oauth.Client{
		HTTP: &http.Client{Transport: way}, Sleep: func(context.Context, time.Duration) error { return nil },
		WithCertificate: func(oauth.Presenter) http.RoundTripper { return way },
	}
}

// canned answers without a network.
type canned answer

func (c canned) RoundTrip(req *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", c.contentType)
	w.WriteHeader(c.status)
	_, _ = w.WriteString(c.body)
	response := w.Result()
	response.Request = req
	return response, nil
}

// TestNamesOfProfiles states which settings of a profile count.
func TestNamesOfProfiles(t *testing.T) {
	t.Parallel()
	all := hinted(t)
	for _, row := range []struct {
		profile, name string
		change        [2]string
		want          string // for {address} and {credentials}
	}{
		{"pexip", "its own hosts", [2]string{"base_url", ""}, "account and environment; client_id and client_secret"},
		{"pexip", "a base_url", [2]string{}, "account and base_url; client_id and client_secret"},
		{"pexip-jwt", "a key", [2]string{}, "account and base_url; client_id, private_key and key_id"},
		{"talkdesk", "its own hosts", [2]string{"base_url", ""}, "account and region; client_id and client_secret"},
		{"talkdesk", "a base_url", [2]string{}, "base_url; client_id and client_secret"},
		{"talkdesk-jwt", "a key", [2]string{}, "base_url; client_id, private_key and key_id"},
		{"qmatic", "its own hosts", [2]string{"base_url", ""}, "account and region; client_id and client_secret"},
		{"genesys", "client credentials", [2]string{}, "base_url; client_id and client_secret"},
		{"genesys-password", "a password", [2]string{}, "base_url; username, password, client_id and client_secret"},
		{"genesys-public", "no secret", [2]string{}, "base_url; client_id"},
	} {
		values := all[row.profile]
		if row.change[0] != "" {
			values = with(values, row.change[0], row.change[1])
		}
		s := service(t, values["provider"])
		names := providertest.Settings(s, values).Applying(s.Settings())
		if got := names.In("{address}; {credentials}"); got != row.want {
			t.Errorf("%s, %s: got %q, want %q", row.profile, row.name, got, row.want)
		}
	}
}

// TestHintsSayWhereASettingIs has the places that a value comes from: the profile, a variable, a flag.
func TestHintsSayWhereASettingIs(t *testing.T) {
	t.Parallel()
	const file, standard = "profile p in /config.yaml:3", "default"
	of := func(origins ...string) setting.Names {
		s := service(t, "talkdesk")
		values := map[string]setting.Value{"grant": {Text: "client_credentials", Origin: standard}}
		for i := 0; i < len(origins); i += 2 {
			v := setting.Value{Text: "x", List: []string{"x"}, Origin: origins[i+1]}
			if origins[i] == "client_secret" {
				v.Secret = secret.Known(secret.New("fake"))
			}
			values[origins[i]] = v
		}
		return setting.New("p", values).Applying(s.Settings())
	}
	const variable = "environment AUTHCTL_"
	inFile := of("account", file, "client_id", file, "client_secret", file, "scopes", file)
	mixed := of("account", file, "client_id", file, "client_secret", variable+"CLIENT_SECRET_FILE", "scopes", "flag --scope")
	alone := of("account", variable+"ACCOUNT", "client_id", variable+"CLIENT_ID", "client_secret", variable+"CLIENT_SECRET")
	for _, row := range []struct {
		names      setting.Names
		hint, want string
	}{
		{inFile, "check {credentials} in the profile", "check client_id and client_secret in the profile"},
		{mixed, "check {credentials} in the profile; x", "check client_id in the profile and AUTHCTL_CLIENT_SECRET_FILE; x"},
		{
			mixed, "check {account,client_id,client_secret} in the profile",
			"check account and client_id in the profile, and AUTHCTL_CLIENT_SECRET_FILE",
		},
		{alone, "check {credentials} in the profile", "check AUTHCTL_CLIENT_ID and AUTHCTL_CLIENT_SECRET"},
		{inFile, "check {scopes} in the profile, a", "check scopes in the profile, a"},
		{mixed, "check {scopes} in the profile, a", "check --scope, a"},
		{alone, "check {scopes} in the profile", "check AUTHCTL_SCOPES"},
		{inFile, "set {grant=authorization_code} in the profile", "set grant: authorization_code in the profile"},
		{alone, "set {grant=authorization_code} in the profile", "set AUTHCTL_GRANT=authorization_code"},
		{of("account", file, "grant", variable+"GRANT"), "set {grant=authorization_code} in the profile", "set AUTHCTL_GRANT=authorization_code"},
		{inFile, "check {host} in the profile", "check account in the profile"},
		{of("account", file, "base_url", variable+"BASE_URL"), "check {host} in the profile", "check AUTHCTL_BASE_URL"},
		{setting.Names{}, "check {host} in the profile", "check base_url in the profile"},
	} {
		if got := row.names.In(row.hint); got != row.want {
			t.Errorf("%q: got %q, want %q", row.hint, got, row.want)
		}
	}
}
