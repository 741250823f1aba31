package setting

import (
	"slices"

	"github.com/authctl/authctl/internal/oauth"
)

// The settings that several services have, so that one name means one thing.

// BaseURL is base_url, which every service takes.
func BaseURL() Setting {
	return Setting{
		Name: "base_url", Kind: Text,
		Help:    "replaces scheme, host and port; plain http for loopback only",
		Example: "https://identity.example",
	}
}

// AllowHosts is allow_hosts, which every service takes.
func AllowHosts() Setting {
	return Setting{
		Name: "allow_hosts", Kind: List, Fits: fitsHost,
		Help:    "hosts beside the service's own that authctl curl may send the token to: HOST, HOST:PORT or *.DOMAIN",
		Example: "api.example.com",
	}
}

// APIURL is api_url, for services whose tokens are for another host.
func APIURL() Setting {
	return Setting{
		Name: "api_url", Kind: Text, Help: "scheme, host and port of the API that the tokens are for",
		Example: "https://api.example.com",
	}
}

// ClientID is client_id (RFC 6749 §2.2).
func ClientID() Setting {
	return Setting{Name: "client_id", Kind: Text, Required: true, Help: "the OAuth client identifier", Example: "scripts"}
}

// ClientSecret is client_secret, which is not needed where one of the conditions holds, and
// client_secret_old, the one before it while it is being rotated.
func ClientSecret(unless ...Condition) []Setting {
	return []Setting{
		{
			Name: "client_secret", Kind: Secret, Required: true, Unless: unless,
			Help: "a reference to the client secret", Example: "env:CLIENT_SECRET",
		},
		{
			Name: OldSecret, Kind: Secret, If: &Condition{Setting: "client_secret"},
			Help:    "while it is rotated, a reference to the secret before, which is tried when client_secret is refused",
			Example: "env:CLIENT_SECRET_OLD",
		},
	}
}

// PrivateKey is private_key and key_id, for private_key_jwt; keyID says
// that the service needs the latter.
func PrivateKey(keyID bool) []Setting {
	return []Setting{
		{
			Name: "private_key", Kind: Secret,
			Help:    "a reference to the PKCS#8 key, PEM or bare Base64, that signs the client assertion",
			Example: "file:key.pem",
		},
		{
			Name: "key_id", Kind: Text, Required: keyID, If: &Condition{Setting: "private_key"},
			Help: "the key's identifier, the kid of the client assertion", Example: "k1",
		},
	}
}

// KeyAlgorithm is key_algorithm, where a service does not say itself what it wants.
func KeyAlgorithm() Setting {
	return Setting{
		Name: "key_algorithm", Kind: Text, If: &Condition{Setting: "private_key"},
		Values: []string{
			"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
		},
		Help: "the algorithm the private_key signs with; by default the key's own, RS256 for RSA",
	}
}

// TLSCertificate is tls_certificate, tls_key and tls_password, for tls_client_auth and
// self_signed_tls_client_auth.
func TLSCertificate() []Setting {
	with := &Condition{Setting: "tls_certificate"}
	return []Setting{
		{
			Name: "tls_certificate", Kind: Secret,
			Help:    "a reference to the client's certificate with its chain, as PEM, or PKCS#12 with the key",
			Example: "file:client.pem",
		},
		{
			Name: "tls_key", Kind: Secret, If: with,
			Help: "a reference to the certificate's private key, where it is not in the same file", Example: "file:client.key",
		},
		{
			Name: "tls_password", Kind: Secret, If: with,
			Help: "a reference to the password of a PKCS#12 file", Example: "env:P12_PASSWORD",
		},
	}
}

// ClientAssertion is client_assertion, for a client that has no secret of its own.
func ClientAssertion() Setting {
	return Setting{
		Name: "client_assertion", Kind: Secret, Token: true,
		Help: "a reference to a token of somebody else that authenticates the client (RFC 7523 §2.2): " +
			"github:AUDIENCE, azure-pipelines:CONNECTION, env:NAME, file:PATH",
		Example: "github:https://identity.example",
	}
}

// ClientAuth is client_auth with the methods a service takes.
func ClientAuth(methods ...string) Setting {
	credential := "private_key or client_secret"
	if slices.Contains(methods, Assertion) {
		credential = "one credential that is given"
	}
	return Setting{
		Name: "client_auth", Kind: Text, Values: methods,
		Help: "how the client authenticates; by default what the " + credential + " is for",
	}
}

// BasicEncoding is basic_encoding with the service's default.
func BasicEncoding(standard string) Setting {
	return Setting{
		Name: "basic_encoding", Kind: Text, Default: standard, Values: []string{"raw", "form"},
		Help: "how id and secret go into the Basic header: as they are, or form-encoded (RFC 6749 §2.3.1)",
	}
}

// Grant is grant; the first of the grants is the default.
func Grant(grants ...oauth.Grant) Setting {
	d := Setting{
		Name: "grant", Kind: Text, Asked: len(grants) > 1, Default: string(grants[0]),
		Help: "the grant type tokens are got with",
	}
	for _, g := range grants {
		d.Values = append(d.Values, string(g))
	}
	return d
}

// HasPrivateKey holds where a signed JWT replaces the client secret.
func HasPrivateKey() Condition { return Condition{Setting: "private_key"} }

// HasTLSCertificate holds where a certificate replaces the client secret.
func HasTLSCertificate() Condition { return Condition{Setting: "tls_certificate"} }

// HasClientAssertion holds where somebody else's token replaces the client secret.
func HasClientAssertion() Condition { return Condition{Setting: "client_assertion"} }

// IsPublic holds for a public client, which has no secret (RFC 6749 §2.1).
func IsPublic() Condition { return Condition{Setting: "client_auth", Is: None} }

// Login are what a login in the browser can be adjusted by.
func Login() []Setting {
	return []Setting{
		{
			Name: "redirect_port", Kind: Number, Default: "0", Login: true, Fits: fitsPort,
			Help: "the port of http://127.0.0.1:PORT/callback where redirect URIs have to be registered; 0 for a free one",
		},
		{Name: "pkce", Kind: Bool, Default: "true", Login: true, Help: "protects the code with PKCE S256 (RFC 7636)"},
		{
			Name: "require_state", Kind: Bool, Default: "true", Login: true,
			Help: "refuses an answer without state; false is for services that send none, and needs pkce",
		},
	}
}

// Resource is resource (RFC 8707).
func Resource() Setting {
	return Setting{
		Name: "resource", Kind: List, Fits: fitsResource,
		Help: "the addresses that the token is for (RFC 8707)", Example: "https://api.example.com",
	}
}

// TokenType is what kind of token another setting gives or asks for (RFC 8693 §3).
func TokenType(name, help string) Setting {
	return Setting{
		Name: name, Kind: Text, Known: oauth.TokenTypes(), Fits: fitsTokenType, Help: help, Example: "id_token",
	}
}

// Scopes is scopes; without any the service decides.
func Scopes(example string) Setting {
	return Setting{Name: "scopes", Kind: List, Asked: true, Help: "the scopes to ask for", Example: example}
}
