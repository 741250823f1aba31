package setting_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
)

// profile makes settings of words: a secret is only there, everything else has a value, and NAME@PLACE=VALUE says where.
func profile(words ...string) setting.Values {
	values := map[string]setting.Value{"client_id": {Text: "demo-client"}}
	for _, word := range words {
		name, value, isText := strings.Cut(word, "=")
		name, origin, _ := strings.Cut(name, "@")
		v := setting.Value{Text: value, Origin: origin}
		if !isText {
			v.Secret = secret.Known(secret.New("fake-" + name))
		}
		values[name] = v
	}
	return setting.New("p", values)
}

// TestClientAuthMeans says which client authentication the settings describe.
func TestClientAuthMeans(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		words string
		want  string
	}{
		{"client_secret", "oauth.Basic"},
		{"client_secret client_auth=client_secret_post", "oauth.Post"},
		{"client_secret client_auth=client_secret_jwt", "oauth.SecretJWT"},
		{"private_key", "oauth.PrivateKeyJWT"},
		{"tls_certificate", "oauth.TLS tls_client_auth"},
		{"tls_certificate tls_key tls_password", "oauth.TLS tls_client_auth"},
		{"tls_certificate client_auth=self_signed_tls_client_auth", "oauth.TLS self_signed_tls_client_auth"},
		{"client_assertion", "oauth.ClientAssertion"},
		{"client_auth=none", "oauth.None"},
		{"client_secret client_auth=none", "oauth.None"},
		{"client_secret private_key client_auth=private_key_jwt", "oauth.PrivateKeyJWT"},
		{"client_secret private_key tls_certificate client_assertion client_auth=client_assertion", "oauth.ClientAssertion"},
		{"client_secret private_key tls_certificate client_assertion client_auth=tls_client_auth", "oauth.TLS tls_client_auth"},
		{"grant=device_code", "oauth.None"},
		{"grant=authorization_code", "oauth.None"},
		{"grant=authorization_code client_secret", "oauth.Basic"},
		{"grant=jwt_bearer private_key", "oauth.None"},
		{"grant=jwt_bearer private_key client_id=", "oauth.Anonymous"},
		{"grant=jwt_bearer private_key client_secret", "oauth.Basic"},
		{"grant=jwt_bearer private_key client_auth=private_key_jwt", "oauth.PrivateKeyJWT"},
		{"grant=jwt_bearer private_key tls_certificate", "oauth.TLS tls_client_auth"},
	} {
		got, err := profile(strings.Fields(c.words)...).ClientAuth(nil, "", "")
		name := fmt.Sprintf("%T", got)
		if strings.HasSuffix(c.want, "_auth") && got != nil {
			name += " " + got.Method()
		}
		if err != nil || name != c.want {
			t.Errorf("%s: %s, %v", c.words, name, err)
		}
	}
}

// TestClientAuthWrong asks what is told of credentials that are missing, or too many.
func TestClientAuthWrong(t *testing.T) {
	t.Parallel()
	const methods = "set client_auth: "
	for _, c := range []struct{ words, problem, help string }{
		{"", "client_secret is missing, and client_auth is client_secret_basic", "give a reference such as env:CLIENT_SECRET"},
		{"client_auth=client_secret_jwt private_key", "client_secret is missing, and client_auth is client_secret_jwt", "env:CLIENT_SECRET"},
		{"client_auth=private_key_jwt client_secret", "private_key is missing, and client_auth is private_key_jwt", "file:key.pem"},
		{"client_auth=tls_client_auth client_secret", "tls_certificate is missing, and client_auth is tls_client_auth", "file:client.pem"},
		{"client_auth=self_signed_tls_client_auth tls_key", "tls_certificate is missing, and client_auth is self_signed", "file:client.pem"},
		{"client_auth=client_assertion", "client_assertion is missing, and client_auth is client_assertion", "file:/var/run/"},
		{
			"client_secret private_key", "client_auth is needed, because there is a client_secret and a private_key",
			"remove one of the two, or " + methods + "private_key_jwt, client_secret_basic or client_secret_post",
		},
		{
			"tls_certificate client_assertion", "because there is a tls_certificate and a client_assertion",
			"remove one of the two, or " + methods + "client_assertion or tls_client_auth",
		},
		{
			"client_secret private_key tls_certificate client_assertion",
			"because there is a client_secret, a private_key, a tls_certificate and a client_assertion",
			"remove all but one of them, or " + methods +
				"client_assertion, tls_client_auth, private_key_jwt, client_secret_basic or client_secret_post",
		},
		{
			"private_key client_secret@environment_X", "client_auth is needed", "remove one of the two",
		},
		{
			"client_secret client_assertion grant=jwt_bearer private_key", "because there is a client_secret and a client_assertion",
			"client_assertion, client_secret_basic or client_secret_post",
		},
	} {
		_, err := profile(strings.Fields(c.words)...).ClientAuth(nil, "", "")
		e, ok := errors.AsType[*setting.Error](err)
		if !ok || !strings.Contains(e.Error(), c.problem) || !strings.Contains(e.Help, c.help) || strings.Contains(e.Error()+e.Help, "fake-") {
			t.Errorf("%s: %+v", c.words, err)
		}
	}
	placed := profile("private_key").With("client_assertion", setting.Value{
		Secret: secret.Known(secret.New("fake")), Origin: "environment AUTHCTL_CLIENT_ASSERTION",
	})
	_, err := placed.ClientAuth(nil, "", "")
	if e, ok := errors.AsType[*setting.Error](err); !ok ||
		e.Help != "unset AUTHCTL_CLIENT_ASSERTION, or set client_auth: client_assertion or private_key_jwt (AUTHCTL_CLIENT_AUTH)" {
		t.Errorf("%+v", err)
	}
}

// TestJWTOf looks at what a signed JWT is made of.
func TestJWTOf(t *testing.T) {
	t.Parallel()
	token := &url.URL{Scheme: "https", Host: "id.example", Path: "/token"}
	for _, c := range []struct {
		endpoint                         *url.URL
		audience, service, own           string
		wantAudience, wantAlgorithm, key string
	}{
		{token, "", "", "", "https://id.example/token", "", ""},
		{token, "https://id.example", "ES256", "", "https://id.example", "ES256", ""},
		{nil, "", "ES256", "PS256", "", "PS256", "k1"},
	} {
		words := []string{"private_key"}
		if c.own != "" {
			words = append(words, "key_algorithm="+c.own, "key_id="+c.key)
		}
		got, err := profile(words...).ClientAuth(c.endpoint, c.audience, c.service)
		p, ok := got.(oauth.PrivateKeyJWT)
		if err != nil || !ok || p.Audience != c.wantAudience || p.Algorithm != c.wantAlgorithm || p.KeyID != c.key {
			t.Errorf("%+v, %v", got, err)
		}
	}
	got, err := profile("client_secret", "client_auth=client_secret_jwt").ClientAuth(token, "", "ES256")
	if s, ok := got.(oauth.SecretJWT); err != nil || !ok || s.Audience != token.String() {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestCredentialsInHints names what this profile has alone.
func TestCredentialsInHints(t *testing.T) {
	t.Parallel()
	list := append(append([]setting.Setting{
		setting.ClientID(), setting.ClientSecret()[0], setting.KeyAlgorithm(), setting.ClientAssertion(),
	}, setting.PrivateKey(false)...), setting.TLSCertificate()...)
	for words, want := range map[string]string{
		"client_secret":                      "client_id and client_secret in the profile",
		"private_key":                        "client_id and private_key in the profile",
		"private_key key_id=k":               "client_id, private_key and key_id in the profile",
		"private_key key_algorithm=PS256":    "client_id, private_key and key_algorithm in the profile",
		"tls_certificate":                    "client_id and tls_certificate in the profile",
		"tls_certificate tls_key":            "client_id, tls_certificate and tls_key in the profile",
		"client_assertion":                   "client_id and client_assertion in the profile",
		"grant=jwt_bearer private_key":       "client_id and private_key in the profile",
		"client_secret grant=jwt_bearer":     "client_id and client_secret in the profile",
		"client_assertion client_auth=none":  "client_id in the profile",
		"tls_certificate client_secret":      "client_id in the profile", // which of them is not known
		"client_secret client_auth=tls_what": "client_id in the profile",
	} {
		got := profile(strings.Fields(words)...).Applying(list).In("{credentials} in the profile")
		if got != want {
			t.Errorf("%s: %q, want %q", words, got, want)
		}
	}
}

// TestCertificateErrors names the setting that is wrong, and quotes nothing.
func TestCertificateErrors(t *testing.T) {
	t.Parallel()
	refusal := errors.New("no such file")
	failing := setting.Value{Secret: func(context.Context) (secret.Secret, error) { return secret.Secret{}, refusal }}
	for name, c := range map[string]struct {
		settings setting.Values
		want     string
	}{
		"nonsense":      {profile("tls_certificate"), "profile p: tls_certificate is neither PEM nor PKCS#12"},
		"not to be had": {profile("tls_certificate").With("tls_key", failing), "reading tls_key: no such file"},
	} {
		auth, err := c.settings.ClientAuth(nil, "", "")
		if err != nil {
			t.Fatal(err)
		}
		_, err = auth.(oauth.TLS).Certificate(t.Context())
		if err == nil || strings.TrimPrefix(err.Error(), "profile p: ") != strings.TrimPrefix(c.want, "profile p: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
