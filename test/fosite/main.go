// An authorization server for tests on github.com/ory/fosite, the library of Ory Hydra: client credentials,
// authorization code with PKCE, refresh with rotation, password, JWT bearer (RFC 7523), introspection, revocation.
//
// It describes itself as RFC 8414 says and not as OpenID Connect does, and its issuer has a path.
package main

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/authctl/authctl/test/serve"
	"github.com/go-jose/go-jose/v3"
	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/storage"
	"github.com/ory/fosite/token/jwt"
	"golang.org/x/crypto/bcrypt"
)

const (
	path      = "/oauth"
	keyID     = "fosite-1"
	secret    = "fake-secret"
	jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer"
)

func main() { serve.Serve(build) }

// build makes the server. Its configuration is {"key": JWK}, the public key of those who sign assertions.
func build(base string, config []byte) (string, http.Handler, error) {
	var settings struct {
		Key jose.JSONWebKey `json:"key"`
	}
	if err := json.Unmarshal(config, &settings); err != nil {
		return "", nil, fmt.Errorf("reading SERVER_CONFIG: %w", err)
	}
	signer, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", nil, err
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(secret), bcrypt.MinCost)
	if err != nil {
		return "", nil, err
	}
	issuer := base + path
	s := &server{issuer: issuer, key: signer}
	s.OAuth2Provider = compose.ComposeAllEnabled(&fosite.Config{
		AccessTokenIssuer: issuer, IDTokenIssuer: issuer, TokenURL: issuer + "/token",
		AccessTokenLifespan: 5 * time.Minute, HashCost: bcrypt.MinCost, EnforcePKCE: true,
		GlobalSecret: []byte(rand.Text() + rand.Text()), RefreshTokenScopes: []string{"offline_access"},
	}, store(hash, settings.Key), signer)
	return issuer, s.routes(), nil
}

// store knows a client for each way to authenticate and, with a secret, for each grant; one user, and one key.
func store(hash []byte, key jose.JSONWebKey) *storage.MemoryStore {
	known := storage.NewMemoryStore()
	for id, method := range map[string]string{
		"basic": "client_secret_basic", "user": "client_secret_basic", "browser": "client_secret_basic",
		"bearer": "client_secret_basic", "post": "client_secret_post", "public": "none", "signer": "private_key_jwt",
	} {
		known.Clients[id] = &fosite.DefaultOpenIDConnectClient{
			DefaultClient: &fosite.DefaultClient{
				ID: id, Secret: hash, Public: method == "none", RedirectURIs: []string{"http://127.0.0.1/callback"},
				ResponseTypes: []string{"code"},
				GrantTypes:    []string{"client_credentials", "authorization_code", "refresh_token", "password", jwtBearer},
				Scopes:        []string{"openid", "offline_access", "read", "write"},
			},
			TokenEndpointAuthMethod: method, TokenEndpointAuthSigningAlgorithm: key.Algorithm,
			JSONWebKeys: &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key}},
		}
	}
	known.Users["jane"] = storage.MemoryUserRelation{Username: "jane", Password: "fake"}
	known.IssuerPublicKeys["https://issuer.example"] = storage.IssuerPublicKeys{
		Issuer: "https://issuer.example",
		KeysBySub: map[string]storage.SubjectPublicKeys{"jane": {
			Subject: "jane",
			Keys:    map[string]storage.PublicKeyScopes{key.KeyID: {Key: &key, Scopes: []string{"read", "write"}}},
		}},
	}
	return known
}

type server struct {
	fosite.OAuth2Provider
	issuer string
	key    *rsa.PrivateKey
}

func (s *server) routes() http.Handler {
	routes := http.NewServeMux()
	// RFC 8414 §3.1: the path of the issuer comes last.
	routes.HandleFunc("GET /.well-known/oauth-authorization-server"+path, s.metadata)
	routes.HandleFunc("GET "+path+"/keys", s.keys)
	routes.HandleFunc(path+"/authorize", s.authorize)
	routes.HandleFunc("POST "+path+"/token", s.token)
	routes.HandleFunc("POST "+path+"/introspect", s.introspect)
	routes.HandleFunc("POST "+path+"/revoke", func(w http.ResponseWriter, r *http.Request) {
		s.WriteRevocationResponse(r.Context(), w, s.NewRevocationRequest(r.Context(), r))
	})
	return routes
}

func (s *server) metadata(w http.ResponseWriter, _ *http.Request) {
	write(w, map[string]any{
		"issuer": s.issuer, "authorization_endpoint": s.issuer + "/authorize", "token_endpoint": s.issuer + "/token",
		"introspection_endpoint": s.issuer + "/introspect", "revocation_endpoint": s.issuer + "/revoke",
		"jwks_uri": s.issuer + "/keys", "response_types_supported": []string{"code"},
		"grant_types_supported":                 []string{"client_credentials", "authorization_code", "refresh_token", "password", jwtBearer},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post", "private_key_jwt", "none"},
		"code_challenge_methods_supported":      []string{"S256"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"scopes_supported":                      []string{"openid", "offline_access", "read", "write"},
	})
}

func (s *server) keys(w http.ResponseWriter, _ *http.Request) {
	write(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: s.key.Public(), KeyID: keyID, Algorithm: "RS256", Use: "sig"}}})
}

// authorize shows a page to sign in with, and believes whoever fills it in.
func (s *server) authorize(w http.ResponseWriter, r *http.Request) {
	request, err := s.NewAuthorizeRequest(r.Context(), r)
	if err != nil {
		s.WriteAuthorizeError(r.Context(), w, request, err)
		return
	}
	user := r.PostFormValue("username")
	if user == "" {
		_, _ = fmt.Fprint(w, `<form method="post"><input name="username"><button>Sign in</button></form>`)
		return
	}
	for _, scope := range request.GetRequestedScopes() {
		request.GrantScope(scope)
	}
	response, err := s.NewAuthorizeResponse(r.Context(), request, s.session(user))
	if err != nil {
		s.WriteAuthorizeError(r.Context(), w, request, err)
		return
	}
	s.WriteAuthorizeResponse(r.Context(), w, request, response)
}

func (s *server) token(w http.ResponseWriter, r *http.Request) {
	request, err := s.NewAccessRequest(r.Context(), r, s.session(""))
	if err != nil {
		s.WriteAccessError(r.Context(), w, request, err)
		return
	}
	if request.GetGrantTypes().ExactOne("client_credentials") || request.GetGrantTypes().ExactOne("password") {
		for _, scope := range request.GetRequestedScopes() {
			request.GrantScope(scope)
		}
	}
	response, err := s.NewAccessResponse(r.Context(), request)
	if err != nil {
		s.WriteAccessError(r.Context(), w, request, err)
		return
	}
	s.WriteAccessResponse(r.Context(), w, request, response)
}

func (s *server) introspect(w http.ResponseWriter, r *http.Request) {
	response, err := s.NewIntrospectionRequest(r.Context(), r, s.session(""))
	if err != nil {
		s.WriteIntrospectionError(r.Context(), w, err)
		return
	}
	s.WriteIntrospectionResponse(r.Context(), w, response)
}

func (s *server) session(user string) *openid.DefaultSession {
	return &openid.DefaultSession{
		Subject: user, Username: user,
		Claims:  &jwt.IDTokenClaims{Issuer: s.issuer, Subject: user, RequestedAt: time.Now(), AuthTime: time.Now()},
		Headers: &jwt.Headers{Extra: map[string]any{"kid": keyID}},
	}
}

func write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}
