// Package pipeline gets the identity token of a pipeline's job: what a service takes for a client
// assertion (RFC 7523 §2.2) or exchanges (RFC 8693), so that no secret is stored anywhere.
package pipeline

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/authctl/authctl/internal/files"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/secret/source"
	"github.com/authctl/authctl/internal/setting"
)

// System is a kind of pipelines whose jobs can ask for a token of their own.
type System struct {
	// Name is what people call it.
	Name string
	// address and token are the variables with where to ask, and with what.
	address, token string
	// marker is the variable that a job has anyway.
	marker string
	// unable and remedy say what a job lacks that has not got those, and what to write into its
	// definition.
	unable, remedy string
	// request is what is sent for an audience or a connection.
	request func(at *url.URL, of string) oauth.CallRequest
	// member holds the token in the reply.
	member string
}

// GitHub is GitHub Actions, and what does the same, such as Forgejo:
// https://docs.github.com/en/actions/reference/security/oidc#methods-for-requesting-the-oidc-token
func GitHub() System {
	return System{
		Name: "GitHub Actions", address: "ACTIONS_ID_TOKEN_REQUEST_URL", token: "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
		marker: "GITHUB_ACTIONS", member: "value",
		unable: "the job lacks the permission id-token: write",
		remedy: "write into the workflow, or the job: permissions: {id-token: write, contents: read}; " +
			"a pull request from a fork never gets it",
		request: func(at *url.URL, audience string) oauth.CallRequest {
			return oauth.CallRequest{Method: http.MethodGet, URL: with(at, "audience", audience), Scheme: "bearer"}
		},
	}
}

// AzurePipelines is Azure Pipelines:
// https://learn.microsoft.com/azure/devops/pipelines/release/configure-workload-identity and
// https://learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken/create
func AzurePipelines() System {
	return System{
		Name: "Azure Pipelines", address: "SYSTEM_OIDCREQUESTURI", token: "SYSTEM_ACCESSTOKEN", marker: "TF_BUILD",
		member: "oidcToken",
		unable: "the step does not have SYSTEM_ACCESSTOKEN",
		remedy: "map it in the step: env: {SYSTEM_ACCESSTOKEN: $(System.AccessToken)}",
		request: func(at *url.URL, connection string) oauth.CallRequest {
			return oauth.CallRequest{
				Method: http.MethodPost, URL: with(with(at, "api-version", "7.1"), "serviceConnectionId", connection),
				// Without it a token that is refused is answered with the page to sign in at.
				JSON: map[string]any{}, Header: http.Header{"X-Tfs-Fedauthredirect": {"Suppress"}},
			}
		},
	}
}

// with returns an address with one parameter more.
func with(u *url.URL, name, value string) *url.URL {
	other := *u
	query := other.Query()
	query.Set(name, value)
	other.RawQuery = query.Encode()
	return &other
}

// Look tells without asking whether the job may have a token. The error is a *setting.Error, and
// wraps source.ErrElsewhere where there is no job.
func (s System) Look(env files.Environ) (note string, err error) {
	_, _, err = s.access(env)
	switch {
	case errors.Is(err, source.ErrElsewhere):
		return "only in a job of " + s.Name, err
	case err != nil:
		return "", err
	}
	return s.Name + " is asked when it is needed", nil
}

// Secret is what the token is asked for with: the job's own, which nothing may show.
func (s System) Secret(env files.Environ) secret.Secret { return secret.New(env.Get(s.token)) }

// Token asks for the job's identity token. What it is for is an audience or a service connection.
// Errors are a *setting.Error when the job cannot ask, and those of oauth.Client.Call.
func (s System) Token(ctx context.Context, env files.Environ, c *oauth.Client, of string) (secret.Secret, error) {
	at, token, err := s.access(env)
	if err != nil {
		return secret.Secret{}, err
	}
	r := s.request(at, of)
	r.Bearer, r.Success, r.Idempotent = secret.Known(token), oauth.Success{Members: []string{s.member}}, true
	reply, err := c.Call(ctx, r)
	if err != nil {
		return secret.Secret{}, err
	}
	text, ok := reply.Text(s.member)
	if !ok || strings.TrimSpace(text) == "" {
		return secret.Secret{}, reply.Unusable("its " + s.member + " is no token")
	}
	return secret.New(text), nil
}

// access is where to ask and with what.
func (s System) access(env files.Environ) (at *url.URL, token secret.Secret, err error) {
	address, token := env.Get(s.address), s.Secret(env)
	for _, name := range []string{s.token, s.address} {
		why, remedy := source.Absent(env, name)
		switch {
		case env.Get(name) != "":
		case why != "":
			return nil, token, setting.Wrong("", name+" "+why, remedy)
		case env.Get(s.marker) == "":
			return nil, token, &setting.Error{
				Problem: "this is no job of " + s.Name, Help: "run it in one, or give another reference", Err: source.ErrElsewhere,
			}
		default:
			return nil, token, setting.Wrong("", s.unable, s.remedy)
		}
	}
	if at, err = url.Parse(address); err != nil || at.Host == "" {
		return nil, token, setting.Wrong("", s.address+" is no address", "leave it as the job has it")
	}
	return at, token, nil
}
