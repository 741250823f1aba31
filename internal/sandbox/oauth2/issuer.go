// Package oauth2 emulates a plain issuer of OpenID Connect and OAuth 2.0, with every grant and client authentication of
// the standards and nothing of any vendor. Where a standard leaves a choice it is the strict one.
package oauth2

import (
	"net/http"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/sandbox/service"
)

const (
	// path is that of the issuer: one with a path, so that both well-known addresses have to be made right.
	path = "/openid/main"
	// API is whom access tokens are for when nobody says it.
	API = "https://api.sandbox.example"
)

// issuer is the service with what only it remembers.
type issuer struct {
	authority *service.Authority
	jobs      service.Signer // signs the identity tokens of pipelines
	devices   devices
	asking    confirmations
}

// New makes the service. The authority issues the certificate of the client that has one from it. With job there are
// the profiles that ask for a job's identity.
func New(authority *service.Authority, job bool) *service.Service {
	ready := profiles()
	if job {
		ready = append(ready, jobProfiles()...)
	}
	i := &issuer{authority: authority, jobs: service.NewSigner("sandbox-jobs-key")}
	return service.New(service.Service{
		Name: "oauth2", Realm: "main", FormBasic: true, FormSecret: true, Several: []string{"resource", "audience"},
		Scopes:  []string{"orders:read", "orders:write", "reports:read"},
		Clients: clients(authority), Profiles: ready, Place: i.place,
		Assertions: service.AssertionRules{
			Life: 10 * time.Minute, Also: algorithms(),
			Audience: func(x *service.Exchange) []string {
				return []string{name(x), name(x) + "/token", x.Secure + path + "/token"}
			},
		},
		Hosts: []service.Host{
			{Prefix: path + "/", Error: failure, Endpoints: i.endpoints()},
			{Prefix: jobsPath + "/", Error: failure, Endpoints: i.jobEndpoints()},
			{Prefix: "/.well-known/", Error: failure, Endpoints: map[string]service.Endpoint{
				"GET /.well-known/oauth-authorization-server" + path: i.discovery,
			}},
		},
	})
}

// clients are one of each way to authenticate. Every one may use every grant, but that a public client has nothing of
// its own.
func clients(authority *service.Authority) []service.Client {
	return []service.Client{
		{ID: "sandbox-oauth2", Method: "client_secret_basic", Secret: service.Marker + "+oauth2/100%:é secret"},
		{ID: "sandbox-oauth2-easy", Method: "client_secret_basic", Secret: service.Marker + "-oauth2-easy", RSA: true},
		{ID: "sandbox-oauth2-post", Method: "client_secret_post", Secret: service.Marker + "+oauth2-post&=%"},
		{
			ID: "sandbox-oauth2-secret-jwt", Method: "client_secret_jwt",
			Secret: service.Marker + "-oauth2-of-more-than-32-bytes", // RFC 7518 §3.2
		},
		{ID: "sandbox-oauth2-key", Method: "private_key_jwt", Keyed: true},
		{ID: asserter, Method: "none", Public: true, Keyed: true},
		{ID: "sandbox-oauth2-public", Method: "none", Public: true},
		{ID: "sandbox-oauth2-mtls", Method: "tls_client_auth", Certificate: authority.Client("sandbox-oauth2-mtls")},
		{
			ID: "sandbox-oauth2-mtls-self", Method: "self_signed_tls_client_auth",
			Certificate: service.SelfSigned("sandbox-oauth2-mtls-self"),
		},
		{ID: "sandbox-oauth2-federated", Method: "client_assertion", Subject: jobSubject},
	}
}

func (i *issuer) endpoints() map[string]service.Endpoint {
	in := signIn()
	return map[string]service.Endpoint{
		"GET " + path + "/.well-known/openid-configuration": i.discovery,

		"GET " + path + "/jwks":        service.KeySet,
		"GET " + path + "/authorize":   in.Authorize,
		"GET " + in.Path:               in.Show,
		"POST " + in.Path:              in.Submit,
		"POST " + path + "/token":      i.tokens().Answer,
		"POST " + path + "/device":     i.begin,
		"GET " + devicePath:            i.show,
		"POST " + devicePath:           i.decide,
		"GET " + path + "/userinfo":    userInfo,
		"POST " + path + "/userinfo":   userInfo,
		"POST " + path + "/introspect": i.introspect,
		"POST " + path + "/revoke":     i.revoke,
		"GET " + path + "/logout":      i.endSession,
		"POST " + path + "/logout":     i.endSession,
	}
}

// name is the issuer as seen from where the request came in.
func name(x *service.Exchange) string { return x.Origin() + path }

// failure is an error in the form of RFC 6749 §5.2, for a path, a method or the server too.
func failure(status int, code, text string) service.Reply {
	switch {
	case code != "":
	case status == http.StatusServiceUnavailable:
		code = "temporarily_unavailable"
	case status >= http.StatusInternalServerError:
		code = "server_error"
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed:
		code = strings.ReplaceAll(strings.ToLower(http.StatusText(status)), " ", "_")
	default:
		code = "invalid_request"
	}
	return service.OAuthError(status, code, text)
}
