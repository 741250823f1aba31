package oauth2

import (
	"crypto/rand"
	"net/http"
	"time"

	"github.com/authctl/authctl/internal/sandbox/service"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// What the pipelines of the sandbox are: an issuer of their own that says which job it is.
const (
	jobsPath   = "/openid/jobs"
	jobSubject = "repo:acme/widgets:ref:refs/heads/main"
	// Connection is the service connection of Azure Pipelines that there is.
	Connection = "7c5d0a3e-0000-4000-8000-5a6dbc0a0001"
	// RequestToken is the right of a job to ask for its identity.
	RequestToken = service.Marker + "-job-request-token"
	// FederatedAudience is whom an identity token has to be for, to be a client's assertion.
	FederatedAudience = "authctl-sandbox"
	// GitHubPath and AzurePath are where a job asks.
	GitHubPath = jobsPath + "/github?api-version=2.0"
	AzurePath  = jobsPath + "/azure"

	jobLife = 5 * time.Minute
)

func jobIssuer(x *service.Exchange) string { return x.Origin() + jobsPath }

// jobEndpoints are what a pipeline asks: GitHub's
// (https://docs.github.com/en/actions/reference/security/oidc#methods-for-requesting-the-oidc-token) and Azure's
// (https://learn.microsoft.com/en-us/rest/api/azure/devops/distributedtask/oidctoken/create).
func (i *issuer) jobEndpoints() map[string]service.Endpoint {
	return map[string]service.Endpoint{
		"GET " + jobsPath + "/.well-known/openid-configuration": func(x *service.Exchange) service.Reply {
			return service.OK(map[string]any{
				"issuer": jobIssuer(x), "jwks_uri": jobIssuer(x) + "/jwks", "response_types_supported": []string{"id_token"},
				"subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"ES256"},
			})
		},
		"GET " + jobsPath + "/jwks": func(*service.Exchange) service.Reply {
			return service.OK(map[string]any{"keys": []jose.JSONWebKey{i.jobs.Public()}})
		},
		"GET " + jobsPath + "/github": i.github,
		"POST " + AzurePath:           i.azure,
	}
}

// github is GET $ACTIONS_ID_TOKEN_REQUEST_URL&audience=AUDIENCE. Without an audience the token is for the repository's
// owner.
func (i *issuer) github(x *service.Exchange) service.Reply {
	query := x.Request.URL.Query()
	switch {
	case service.Bearer(x.Request.Header) != RequestToken:
		return failure(http.StatusUnauthorized, "", "the job's request token is missing or wrong")
	case query.Get("api-version") == "":
		return failure(http.StatusBadRequest, "", "api-version is missing")
	}
	audience := query.Get("audience")
	if audience == "" {
		audience = "https://github.com/acme"
	}
	return service.OK(map[string]any{"value": i.current(x, audience)})
}

// azure is POST $SYSTEM_OIDCREQUESTURI?api-version=7.1&serviceConnectionId=ID. Whom its tokens are for is fixed at
// Azure; here it is whom the federated client is for.
func (i *issuer) azure(x *service.Exchange) service.Reply {
	query := x.Request.URL.Query()
	switch {
	case service.Bearer(x.Request.Header) != RequestToken:
		return failure(http.StatusUnauthorized, "", "the job's access token is missing or wrong")
	case query.Get("api-version") == "":
		return failure(http.StatusBadRequest, "", "api-version is missing")
	case query.Get("serviceConnectionId") != Connection:
		return failure(http.StatusNotFound, "", "there is no such service connection")
	}
	return service.OK(map[string]any{"oidcToken": i.current(x, FederatedAudience)})
}

// current makes one of the moment.
func (i *issuer) current(x *service.Exchange, audience string) string {
	token := i.identify(jobIssuer(x), audience, x.Now, jobLife)
	x.Secrets.Add(token)
	return token
}

// identify makes an identity token of the job.
func (i *issuer) identify(issuer, audience string, now time.Time, life time.Duration) string {
	return i.jobs.Sign(map[string]any{
		"iss": issuer, "sub": jobSubject, "aud": audience, "jti": rand.Text(), "repository": "acme/widgets",
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(life).Unix(),
	})
}

// job checks an identity token and says whose it is, or why it is no job's. The same may come again until it expires,
// as one that lies in a file does.
func (i *issuer) job(x *service.Exchange, token string) (subject, problem string) {
	var claims jwt.Claims
	signed, err := service.ParseJWT(token, &claims)
	switch {
	case err != nil || claims.Issuer != jobIssuer(x) || signed.Claims(i.jobs.Key.Public()) != nil:
		return "", "the assertion is not from an issuer that is trusted"
	case len(claims.Audience) != 1 || claims.Audience[0] != FederatedAudience && claims.Audience[0] != name(x):
		return "", "the assertion is for somebody else"
	}
	return claims.Subject, timely(x, claims, fileLife)
}

// vouched says why a federated client's assertion is not good (RFC 7523 §2.2, §3).
func (i *issuer) vouched(x *service.Exchange, c *service.Client) (problem string) {
	subject, problem := i.job(x, x.Form.Get("client_assertion"))
	switch {
	case x.Form.Get("client_assertion_type") != service.AssertionType:
		return "client_assertion_type has an unexpected value"
	case problem != "":
		return problem
	case c == nil || c.Method != federated || c.Subject != subject:
		return "the assertion vouches for no such client"
	}
	return ""
}
