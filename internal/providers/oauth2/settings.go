package oauth2

import (
	"slices"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/setting"
)

// settings are in the order in which a person is asked for them: who the service is, who the
// client, which way to a token, and what for.
func settings() []setting.Setting {
	return slices.Concat(service(), client(), []setting.Setting{setting.Grant(grants()...)}, user(), assertion(),
		exchange(), request(), setting.Login())
}

func service() []setting.Setting {
	all := []setting.Setting{{
		Name: "issuer", Kind: setting.Text, Required: true, Unless: []setting.Condition{{Setting: "token_url"}},
		Help:    "who issues the tokens, exactly as its discovery document says; the endpoints follow from that",
		Example: "https://id.example.com",
	}}
	for _, e := range []struct{ name, what, path string }{
		{"token_url", "the token endpoint", "token"},
		{"authorize_url", "the authorization endpoint", "authorize"},
		{"device_url", "the device authorization endpoint (RFC 8628)", "device"},
		{"userinfo_url", "the userinfo endpoint", "userinfo"},
		{"revoke_url", "the revocation endpoint (RFC 7009)", "revoke"},
		{"introspect_url", "the introspection endpoint (RFC 7662)", "introspect"},
		{"end_session_url", "the logout endpoint (OpenID Connect RP-Initiated Logout)", "logout"},
		{"jwks_url", "the issuer's public keys (RFC 7517)", "keys"},
	} {
		all = append(all, setting.Setting{
			Name: e.name, Kind: setting.Text, Help: e.what + ", where the issuer does not say or there is none",
			Example: "https://id.example.com/" + e.path,
		})
	}
	base := setting.BaseURL()
	base.Help = "replaces scheme, host and port of the issuer and of all endpoints that the profile says; " +
		"plain http for loopback only"
	return append(all, base, setting.APIURL(), setting.AllowHosts())
}

// client is who asks. A client that a person logs in with, and one whose assertion is the grant,
// needs no secret (RFC 8252 §8.4, RFC 7521 §4.1).
func client() []setting.Setting {
	id := setting.ClientID()
	id.Unless = []setting.Condition{{Setting: "assertion_issuer"}, *of(oauth.TokenExchange)}
	return slices.Concat([]setting.Setting{id}, setting.ClientSecret(
		setting.IsPublic(), setting.HasPrivateKey(), setting.HasTLSCertificate(), setting.HasClientAssertion(),
		*of(oauth.AuthorizationCode), *of(oauth.DeviceCode), *of(oauth.JWTBearer),
	), setting.PrivateKey(false), []setting.Setting{setting.KeyAlgorithm()}, setting.TLSCertificate(), []setting.Setting{
		setting.ClientAssertion(),
		setting.ClientAuth(setting.Basic, setting.Post, setting.SecretJWT, setting.PrivateKeyJWT, setting.TLS,
			setting.SelfSignedTLS, setting.Assertion, setting.None),
		setting.BasicEncoding("form"), // RFC 6749 §2.3.1
	})
}

func user() []setting.Setting {
	return []setting.Setting{
		{Name: "username", Kind: setting.Text, Required: true, If: of(oauth.Password), Help: "the user", Example: "jane"},
		{
			Name: "password", Kind: setting.Secret, Required: true, If: of(oauth.Password),
			Help: "a reference to the user's password", Example: "prompt",
		},
		{
			Name: "refresh_token", Kind: setting.Secret, Required: true, If: of(oauth.RefreshToken),
			Help:    "a reference to a refresh token that was got elsewhere, from a service that gives the same one back",
			Example: "keyring:warehouse",
		},
	}
}

// assertion is what the assertion of RFC 7523 §2.1 says.
func assertion() []setting.Setting {
	return []setting.Setting{
		{
			Name: "assertion_issuer", Kind: setting.Text,
			Help:    "the iss of the assertion; by default the client_id",
			Example: "robot@project.example",
		},
		{
			Name: "subject", Kind: setting.Text, Help: "the sub of the assertion: the user it is for",
			Example: "jane@example.com",
		},
		{
			Name: "assertion_audience", Kind: setting.Text,
			Help:    "the aud of what is signed with private_key or client_secret; by default the token endpoint",
			Example: "https://id.example.com",
		},
		setting.Claims(),
	}
}

// exchange is what a token is exchanged for (RFC 8693 §2.1).
func exchange() []setting.Setting {
	return []setting.Setting{
		{
			Name: "subject_token", Kind: setting.Secret, Token: true, Required: true, If: of(oauth.TokenExchange),
			Help: "a reference to the token to exchange", Example: "profile:login",
		},
		setting.TokenType("subject_token_type",
			"what that is: access_token (the default), id_token, refresh_token, jwt, saml1, saml2, or a URN"),
		{
			Name: "actor_token", Kind: setting.Secret, Token: true,
			Help: "a reference to the token of who acts for the subject", Example: "file:/run/secrets/actor",
		},
		setting.TokenType("actor_token_type", "what that is, as subject_token_type"),
		setting.TokenType("requested_token_type", "what to ask for, as subject_token_type"),
	}
}

// request is what a token is asked for.
func request() []setting.Setting {
	return []setting.Setting{
		setting.Scopes("read"),
		{
			Name: "audience", Kind: setting.Text, Help: "the API that the token is for, as the service calls it",
			Example: "https://api.example.com",
		},
		setting.Resource(),
		setting.Params(), setting.AuthorizeParams(), setting.Headers(),
		setting.AssumedLifetime(),
		{
			Name: "keep", Kind: setting.List, Values: []string{"sid", "id_token"},
			Help: "what of a login's reply to keep beside the tokens", Example: "id_token",
		},
	}
}
