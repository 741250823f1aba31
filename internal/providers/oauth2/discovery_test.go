package oauth2

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers/providertest"
	"github.com/authctl/authctl/internal/secret"
)

// shelf keeps documents for one test.
type shelf map[string][]byte

func (s shelf) Get(_ context.Context, name string) ([]byte, error) { return s[name], nil }

func (s shelf) Put(_ context.Context, name string, text []byte) error {
	s[name] = text
	return nil
}

func (s shelf) Lock(context.Context, string) (func(), error) { return func() {}, nil }

// TestWhoHasACertificateAsksElsewhere: a client that authenticates with one asks the aliases of the
// endpoints where it is shown, and no other client does (RFC 8705 §5). What the dry run shows is
// where it really asks, as far as a document is at hand.
func TestWhoHasACertificateAsksElsewhere(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	i.document["userinfo_endpoint"] = i.URL + "/u"
	i.document["revocation_endpoint"] = i.URL + "/r"
	i.document["mtls_endpoint_aliases"] = map[string]string{
		"token_endpoint": "https://mtls.example/t", "userinfo_endpoint": "https://mtls.example/u", "revocation_endpoint": "https://mtls.example/r",
	}
	documents := shelf{}
	for method, prefix := range map[string]string{
		"client_secret_post": "", "tls_client_auth": "https://mtls.example", "self_signed_tls_client_auth": "https://mtls.example",
	} {
		settings := map[string]string{"issuer": i.URL, "client_id": "demo", "client_auth": method}
		if prefix == "" {
			settings["client_secret"] = "fake-secret"
		} else {
			settings["tls_certificate"] = "fake-certificate"
		}
		values := providertest.Settings(Spec(), settings)
		warm, err := Spec().New(values, &oauth.Client{})
		if err != nil {
			t.Fatal(err)
		}
		warm.KeepDocuments(documents, time.Time{}, nil)
		if _, err := warm.Scopes(t.Context()); err == nil { // which the document does not have
			t.Error("scopes from nowhere")
		}
		client := &oauth.Client{DryRun: &oauth.DryRun{}}
		p, err := Spec().New(values, client)
		if err != nil {
			t.Fatal(err)
		}
		p.KeepDocuments(documents, time.Time{}, nil)
		_, err = p.Issue(t.Context())
		_, userinfo := p.Ask(t.Context(), "userinfo", secret.New("fake-token"), nil, oauth.CallRequest{})
		err = errors.Join(err, userinfo, p.Revoke(t.Context(), secret.New("fake-token"), "access_token"))
		var shown []string
		for _, r := range client.DryRun.Requests(oauth.Fingerprints{}) {
			shown = append(shown, strings.TrimPrefix(r.URL.String(), i.URL))
		}
		if got, want := strings.Join(shown, " "), prefix+"/t /u "+prefix+"/r"; got != want {
			t.Errorf("%s: would ask %s, want %s: %v", method, got, want, err)
		}
	}
	if len(documents) != 1 {
		t.Errorf("%d documents are kept", len(documents))
	}
}
