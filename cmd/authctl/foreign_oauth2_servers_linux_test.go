package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/issuertest"
	"github.com/authctl/authctl/internal/sandbox/oauth2"
)

// serverAbroad is a server not written here and all who meet it.
type serverAbroad struct {
	// name is what the table of docs/oauth2-tested.md calls it; what has its version is a line of a file of test.
	name     string
	version  [2]string
	start    func(t *testing.T) stand
	meetings []meeting
}

const (
	longSecret   = "fake-secret-of-more-than-256-bits-as-HS256-wants-it" // RFC 7518 §3.2
	secretAbroad = "client_secret: env:ABROAD_SECRET"
	wrongSecret  = "ABROAD_SECRET=fake-and-wrong"
)

func serversAbroad() []serverAbroad {
	return []serverAbroad{
		{"oidc-provider", [2]string{"oidc-provider/package.json", `"oidc-provider": "`}, providerAbroad, providerMeetings()},
		{"oauth2-mock-server", [2]string{"oauth2-mock-server/package.json", `"oauth2-mock-server": "`}, mockAbroad, mockMeetings()},
		{"zitadel", [2]string{"zitadel/go.mod", "github.com/zitadel/oidc/v3 v"}, zitadelAbroad, zitadelMeetings()},
		{"fosite", [2]string{"fosite/go.mod", "github.com/ory/fosite v"}, fositeAbroad, fositeMeetings()},
		{"sandbox", [2]string{}, sandboxStand, sandboxMeetings()},
	}
}

// providerAbroad is oidc-provider with a client for each row of providerMeetings, and a second port for certificates.
func providerAbroad(t *testing.T) stand {
	env, public := keysAbroad(t)
	certificates := newCertificates(t)
	config := issuertest.Config{Plain: true, Scopes: []string{"read", "write"}, TLS: certificates.server}
	for _, m := range providerMeetings() {
		c := issuertest.Client{
			ID: m.client, AuthMethod: m.auth, Scope: "openid offline_access profile email read", ApplicationType: "native",
			GrantTypes:    []string{"client_credentials", "refresh_token", "authorization_code", "urn:ietf:params:oauth:grant-type:device_code"},
			ResponseTypes: []string{"code"}, RedirectURIs: []string{"http://127.0.0.1/callback"},
		}
		switch m.auth {
		case "client_secret_basic", "client_secret_post", "client_secret_jwt":
			c.Secret = longSecret
		case "private_key_jwt":
			c.JWKS = &issuertest.JWKS{Keys: []any{public}}
		case "client_assertion":
			c.AuthMethod, c.JWKS = "private_key_jwt", &issuertest.JWKS{Keys: []any{public}}
		case "tls_client_auth":
			c.CertificateName = certificates.name
		case "self_signed_tls_client_auth":
			c.JWKS = &issuertest.JWKS{Keys: []any{certificates.selfSigned}}
		}
		config.Clients = append(config.Clients, c)
	}
	server := issuertest.StartOIDCProvider(t, config)
	env = append(env, "ABROAD_SECRET="+longSecret)
	return stand{Server: server, env: append(env, certificates.env...), person: janeAbroad()}
}

// providerMeetings: an access token without a resource is opaque, and good for userinfo, introspection and revocation; one
// for a resource is a JWT.
func providerMeetings() []meeting {
	opaque := []operation{
		{"token introspect {} -o json", 0, `"active":true`},
		{"token revoke {}", 0, ""},
		{"signout {}", 0, ""},
	}
	login := append([]operation{{"userinfo {} -o json", 0, `"sub":"jane"`}}, opaque...)
	var all []meeting
	for _, c := range []struct {
		auth, wrong string
		lines       []string
	}{
		{"client_secret_basic", wrongSecret, []string{secretAbroad}},
		{"client_secret_post", wrongSecret, []string{secretAbroad}},
		{"client_secret_jwt", "ABROAD_SECRET=fake-and-wrong-but-of-a-length-that-does", []string{secretAbroad}},
		{"private_key_jwt", "ABROAD_KEY=@ABROAD_OTHER_KEY", []string{"private_key: env:ABROAD_KEY", "key_id: k1"}},
		{"tls_client_auth", "ABROAD_CERTIFICATE=@ABROAD_SELF_SIGNED;ABROAD_TLS_KEY=@ABROAD_SELF_SIGNED_KEY", []string{"tls_certificate: env:ABROAD_CERTIFICATE", "tls_key: env:ABROAD_TLS_KEY"}},
		{"self_signed_tls_client_auth", "ABROAD_SELF_SIGNED=@ABROAD_CERTIFICATE;ABROAD_SELF_SIGNED_KEY=@ABROAD_TLS_KEY", []string{"tls_certificate: env:ABROAD_SELF_SIGNED", "tls_key: env:ABROAD_SELF_SIGNED_KEY"}},
		{"none", "", nil},
	} {
		id := strings.ReplaceAll(c.auth, "_", "-")
		if c.auth != "none" {
			all = append(all, meeting{
				grant: "client_credentials", auth: c.auth, client: id + "-service", lines: c.lines,
				scopes: "read", unknown: "write", wrong: c.wrong, operations: opaque,
			})
		}
		all = append(all, meeting{
			grant: "authorization_code", auth: c.auth, client: id + "-browser",
			lines:  append([]string{"authorize_params: {prompt: consent}"}, c.lines...), // OpenID Connect Core §11
			scopes: "openid, read, offline_access", refreshes: true, wrong: c.wrong, operations: login,
		}, meeting{
			grant: "device_code", auth: c.auth, client: id + "-device", lines: c.lines,
			scopes: "openid, read", refreshes: true, wrong: c.wrong, operations: login,
		})
	}
	return append(all, meeting{
		grant: "client_credentials", auth: "client_secret_basic", client: "resource",
		lines:  []string{secretAbroad, "resource: [https://api.example.com/]"},
		scopes: "read", operations: []operation{{"token inspect {} -o json", 0, `"verified":true`}},
	})
}

func mockAbroad(t *testing.T) stand {
	return stand{Server: issuertest.StartMock(t), env: []string{"ABROAD_SECRET=fake-secret"}}
}

// mockMeetings: what the server gives a person, and by a refresh token, has the scope "dummy" where none is asked for.
func mockMeetings() []meeting {
	operations := []operation{
		{"token introspect {} -o json", 0, `"active":true`},
		{"token inspect {} -o json", 0, `"verified":true`},
		{"token revoke {}", 0, ""},
	}
	login := append([]operation{{"userinfo {} -o json", 0, `"sub":"johndoe"`}}, operations...)
	return []meeting{
		{
			grant: "client_credentials", auth: "client_secret_basic", client: "mock-basic", lines: []string{secretAbroad},
			scopes: "read", wrong: wrongSecret, unknown: "forbidden", operations: operations,
		},
		{
			grant: "client_credentials", auth: "client_secret_post", client: "mock-post", lines: []string{secretAbroad},
			scopes: "read", wrong: wrongSecret, unknown: "forbidden", operations: operations,
		},
		{
			grant: "password", auth: "none", client: "mock-password",
			lines:  []string{"username: jane", "password: env:ABROAD_SECRET", "userinfo_url: ISSUER/userinfo"},
			scopes: "dummy", unknown: "forbidden", refreshes: true, operations: login,
		},
		{
			grant: "authorization_code", auth: "none", client: "mock-public", lines: []string{"userinfo_url: ISSUER/userinfo"},
			scopes: "dummy", refreshes: true, operations: login,
		},
	}
}

func keysAbroad(t *testing.T) (env []string, public any) {
	key, jwk := signingKey(t)
	other, _ := signingKey(t)
	return []string{"ABROAD_SECRET=fake-secret", "ABROAD_PASSWORD=fake", "ABROAD_SERVICE=verysecret", "ABROAD_KEY=" + key, "ABROAD_OTHER_KEY=" + other}, jwk
}

func zitadelAbroad(t *testing.T) stand {
	env, public := keysAbroad(t)
	return stand{
		Server: issuertest.StartZitadel(t, public), env: env,
		person: stranger{"username": "test-user@127.0.0.1", "password": "verysecure"},
	}
}

func zitadelMeetings() []meeting {
	user := []operation{
		{"userinfo {} -o json", 0, `"sub":"id1"`},
		{"token inspect {} -o json", 0, `"verified":true`},
	}
	// It introspects for clients with a secret in the header, and with a key; and it does not know whom a device's token was
	// issued to when it is to revoke it.
	revoked := append(slices.Clone(user), operation{"token revoke {}", 0, ""}, operation{"signout {}", 0, ""})
	introspected := append([]operation{{"token introspect {} -o json", 0, `"active":true`}}, revoked...)
	return []meeting{
		{
			grant: "client_credentials", auth: "client_secret_basic", client: "sid1", lines: []string{"client_secret: env:ABROAD_SERVICE"},
			scopes: "custom_scope", wrong: "ABROAD_SERVICE=fake-and-wrong",
		},
		{
			grant: "authorization_code", auth: "client_secret_basic", client: "web", lines: []string{secretAbroad},
			scopes: "openid, profile, offline_access", refreshes: true, wrong: wrongSecret, operations: introspected,
		},
		{
			grant: "authorization_code", auth: "client_secret_post", client: "post", lines: []string{secretAbroad},
			scopes: "openid, profile, offline_access", refreshes: true, wrong: wrongSecret, operations: revoked,
		},
		{
			grant: "authorization_code", auth: "none", client: "native",
			scopes: "openid, profile, offline_access", refreshes: true, operations: revoked,
		},
		{
			grant: "authorization_code", auth: "private_key_jwt", client: "service",
			lines:  []string{"private_key: env:ABROAD_KEY", "key_id: k1", "assertion_audience: ISSUER"},
			scopes: "openid, profile, offline_access", refreshes: true, operations: introspected,
			wrong: "ABROAD_KEY=@ABROAD_OTHER_KEY", loses: true, // it calls that invalid_grant
		},
		{
			grant: "device_code", auth: "client_secret_basic", client: "device", lines: []string{secretAbroad},
			// It calls a wrong secret unauthorized_client there (RFC 6749 §5.2 has invalid_client).
			scopes: "openid, profile", wrong: wrongSecret, code: 3, operations: user,
		},
		{
			grant: "jwt_bearer", auth: "none", client: "robot",
			lines: []string{
				"private_key: env:ABROAD_KEY", "key_id: k1", "assertion_audience: ISSUER", "assertion_issuer: service", "subject: service",
			},
			scopes: "openid", wrong: "ABROAD_KEY=@ABROAD_OTHER_KEY",
		},
		{
			grant: "token_exchange", auth: "client_secret_basic", client: "exchange",
			lines:  []string{secretAbroad, "subject_token: profile:person", "requested_token_type: access_token"},
			also:   []string{"person: {provider: oauth2, issuer: 'ISSUER', client_id: person, client_auth: none, grant: authorization_code, scopes: [openid]}"},
			scopes: "openid", wrong: wrongSecret,
		},
	}
}

func fositeAbroad(t *testing.T) stand {
	env, public := keysAbroad(t)
	return stand{Server: issuertest.StartFosite(t, public), env: env, person: janeAbroad()}
}

func fositeMeetings() []meeting {
	introspected := operation{"token introspect {} -o json", 0, `"active":true`}
	return []meeting{
		{
			grant: "client_credentials", auth: "client_secret_basic", client: "basic", lines: []string{secretAbroad},
			scopes: "read", wrong: wrongSecret, unknown: "forbidden",
			operations: []operation{introspected, {"userinfo {}", 6, "userinfo"}, {"token revoke {}", 0, ""}},
		},
		{
			grant: "client_credentials", auth: "client_secret_post", client: "post", lines: []string{secretAbroad},
			scopes: "read", wrong: wrongSecret, unknown: "forbidden",
		},
		{
			grant: "client_credentials", auth: "private_key_jwt", client: "signer", lines: []string{"private_key: env:ABROAD_KEY", "key_id: k1"},
			scopes: "read", unknown: "forbidden", wrong: "ABROAD_KEY=@ABROAD_OTHER_KEY",
		},
		{
			grant: "password", auth: "client_secret_basic", client: "user",
			lines:  []string{secretAbroad, "username: jane", "password: env:ABROAD_PASSWORD"},
			scopes: "read, offline_access", unknown: "forbidden", refreshes: true, wrong: wrongSecret,
		},
		{
			grant: "authorization_code", auth: "client_secret_basic", client: "browser", lines: []string{secretAbroad},
			scopes: "openid, read, offline_access", refreshes: true, wrong: wrongSecret, operations: []operation{introspected},
		},
		{
			grant: "authorization_code", auth: "none", client: "public",
			scopes: "openid, read, offline_access", refreshes: true,
		},
		{
			grant: "jwt_bearer", auth: "client_secret_basic", client: "bearer",
			lines: []string{
				secretAbroad, "private_key: env:ABROAD_KEY", "key_id: k1", "assertion_issuer: https://issuer.example", "subject: jane",
			},
			scopes: "read", unknown: "forbidden", wrong: wrongSecret,
		},
	}
}

// sandboxStand is for comparison: each place has the sandbox, whose user signs in.
func sandboxStand(*testing.T) stand {
	return stand{person: stranger{"username": oauth2.User, "password": oauth2.Password}}
}

// sandboxMeetings are by the sandbox's ready profiles; its own tests have its refusals.
func sandboxMeetings() []meeting {
	user := []operation{
		{"userinfo {} -o json", 0, `"preferred_username":"jane"`},
		{"token inspect {} -o json", 0, `"verified":true`},
		{"token introspect {} -o json", 0, `"active":true`},
		{"token revoke {}", 0, ""},
	}
	own := []operation{
		{"token inspect {} -o json", 0, `"verified":true`},
		{"token introspect {} -o json", 0, `"active":true`},
		{"token revoke {}", 0, ""},
		{"signout {}", 0, ""},
	}
	return []meeting{
		{grant: "client_credentials", auth: "client_secret_basic", ready: "oauth2", unknown: "forbidden", operations: own},
		{grant: "client_credentials", auth: "client_secret_post", ready: "oauth2-post", unknown: "forbidden", operations: own},
		{grant: "client_credentials", auth: "client_secret_jwt", ready: "oauth2-secret-jwt", unknown: "forbidden", operations: own},
		{grant: "client_credentials", auth: "private_key_jwt", ready: "oauth2-key", unknown: "forbidden", operations: own},
		{grant: "client_credentials", auth: "tls_client_auth", ready: "oauth2-mtls", unknown: "forbidden", operations: own},
		{grant: "client_credentials", auth: "self_signed_tls_client_auth", ready: "oauth2-mtls-self", unknown: "forbidden", operations: own},
		{grant: "client_credentials", auth: "client_assertion", ready: "oauth2-federated", unknown: "forbidden", operations: own},
		{grant: "authorization_code", auth: "client_secret_basic", ready: "oauth2-login", refreshes: true, operations: user},
		{grant: "authorization_code", auth: "none", ready: "oauth2-public", refreshes: true, operations: user[:2]},
		{grant: "device_code", auth: "none", ready: "oauth2-device", refreshes: true, operations: user[:2]},
		{grant: "password", auth: "client_secret_basic", ready: "oauth2-password", refreshes: true, unknown: "forbidden", operations: user},
		{grant: "jwt_bearer", auth: "none", ready: "oauth2-jwt", unknown: "forbidden"},
		{grant: "token_exchange", auth: "client_secret_basic", ready: "oauth2-exchange"},
	}
}
