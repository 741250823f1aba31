package oauth2

import (
	"time"

	"github.com/authctl/authctl/internal/sandbox/service"
)

// reports is the API that a token is exchanged for.
const reports = "https://reports.sandbox.example"

// fileLife is how long the identity token is good that a profile has as a file: nobody renews it, as a kubelet would.
const fileLife = 30 * 24 * time.Hour

// text are settings with plain values.
type text = map[string]string

// profiles are one of each grant, then one of each client authentication that the first have not.
func profiles() []service.Profile {
	read, user := []string{"orders:read"}, []string{"openid", "profile", "email", "orders:read"}
	method := func(name, client, method string) service.Profile {
		return service.Profile{Name: name, Client: client, Scopes: read, Text: text{"client_auth": method}}
	}
	return []service.Profile{
		{Name: "oauth2", Client: "sandbox-oauth2", Scopes: read},
		{Name: "oauth2-login", Client: "sandbox-oauth2", Scopes: user, Text: text{"grant": "authorization_code"}},
		{
			Name: "oauth2-public", Client: "sandbox-oauth2-public", Scopes: user,
			Text: text{"grant": "authorization_code", "client_auth": "none"},
		},
		{
			Name: "oauth2-device", Client: "sandbox-oauth2-public", Scopes: user,
			Text: text{"grant": "device_code", "client_auth": "none"},
		},
		{
			Name: "oauth2-password", Client: "sandbox-oauth2", Scopes: user, Text: text{"grant": "password", "username": User},
			Secrets: map[string]string{"password": Password},
		},
		{Name: "oauth2-jwt", Client: asserter, Scopes: read, Text: text{"grant": "jwt_bearer"}},
		{
			Name: "oauth2-exchange", Client: "sandbox-oauth2", Scopes: read,
			Text: text{"grant": "token_exchange", "subject_token": "profile:oauth2", "audience": reports},
		},
		method("oauth2-post", "sandbox-oauth2-post", "client_secret_post"),
		method("oauth2-secret-jwt", "sandbox-oauth2-secret-jwt", "client_secret_jwt"),
		{Name: "oauth2-key", Client: "sandbox-oauth2-key", Scopes: read},
		{Name: "oauth2-mtls", Client: "sandbox-oauth2-mtls", Scopes: read},
		method("oauth2-mtls-self", "sandbox-oauth2-mtls-self", "self_signed_tls_client_auth"),
		{Name: "oauth2-federated", Client: "sandbox-oauth2-federated", Scopes: read},
		{Name: "oauth2-easy", Client: "sandbox-oauth2-easy"},
	}
}

// jobProfiles are for who runs as a job of a pipeline. Each has a scope of its own, else one would be served the token
// of the other.
func jobProfiles() []service.Profile {
	return []service.Profile{
		{
			Name: "oauth2-github", Client: "sandbox-oauth2-federated", Scopes: []string{"orders:write"},
			Text: text{"client_assertion": "github:" + FederatedAudience},
		},
		{
			Name: "oauth2-azure", Client: "sandbox-oauth2-federated", Scopes: []string{"reports:read"},
			Text: text{"client_assertion": "azure-pipelines:" + Connection},
		},
	}
}

// place fills in what a profile has of the address, once that is known.
func (i *issuer) place(origin string, now time.Time, p *service.Profile) {
	p.Text["issuer"] = origin + path
	if p.Name == "oauth2-federated" {
		p.Secrets["client_assertion"] = i.identify(origin+jobsPath, FederatedAudience, now, fileLife)
	}
}
