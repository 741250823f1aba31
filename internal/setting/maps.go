package setting

import (
	"net/textproto"
	"slices"
	"strings"
)

// Params is params: what a service wants in a token request beside the standards' parameters.
func Params() Setting {
	return Setting{
		Name: "params", Kind: Map, Refuse: ofProtocol(tokenParams()),
		Help: "further parameters of the token request, none of them secret", Example: "{tenant: acme}",
	}
}

// AuthorizeParams is authorize_params: as Params, for the address that a login begins at.
func AuthorizeParams() Setting {
	return Setting{
		Name: "authorize_params", Kind: Map, Refuse: ofProtocol(authorizeParams()),
		Help: "further parameters of the authorization request, none of them secret", Example: "{prompt: login}",
	}
}

// Headers is headers: what a service wants in the header of every request.
func Headers() Setting {
	return Setting{
		Name: "headers", Kind: Map, References: true, AnyCase: true, Refuse: refuseHeader,
		Help: "further headers of every request; a value may be a reference", Example: "{x-api-key: env:API_KEY}",
	}
}

// Claims is claims: what an assertion says beside the claims of RFC 7523 §3.
func Claims() Setting {
	return Setting{
		Name: "claims", Kind: Map, JSON: true, Refuse: ofProtocol(assertionClaims()),
		Help: "further claims of the assertion, none of them secret", Example: "{target: sandbox}",
	}
}

// itself stands for a setting where authctl alone knows what to send.
const itself = ""

// ofProtocol refuses the names that stand for settings, or for what authctl makes itself.
func ofProtocol(settings map[string]string) func(string) (problem, help string) {
	return func(name string) (problem, help string) {
		instead, ours := settings[name]
		switch {
		case !ours:
			return "", ""
		case instead == itself:
			return "is authctl's own to send", "take it out"
		}
		return "has a setting of its own", "give it as " + instead
	}
}

// tokenParams are the parameters of token requests, and the settings that give them: those of RFC
// 6749 §4 to §6, RFC 7521 §4, RFC 7636 §4.5, RFC 8628 §3.4, RFC 8693 §2.1 and RFC 8707 §2.
func tokenParams() map[string]string {
	return map[string]string{
		"grant_type": "grant", "client_id": "client_id", "client_secret": "client_secret", "scope": "scopes",
		"client_assertion": "client_assertion", "client_assertion_type": "client_auth",
		"username": "username", "password": "password",
		"subject_token": "subject_token", "subject_token_type": "subject_token_type",
		"actor_token": "actor_token", "actor_token_type": "actor_token_type",
		"requested_token_type": "requested_token_type", "audience": "audience", "resource": "resource",
		"assertion": "private_key, with grant: jwt_bearer", "redirect_uri": "redirect_port",
		"code": itself, "code_verifier": itself, "device_code": itself, "refresh_token": itself,
	}
}

// authorizeParams are those of authorization requests: RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 8707
// §2, OpenID Connect Core §3.1.2.1 and, since it would go before all others, RFC 9101 §5. Where the
// answer comes to and in which form is part of them.
func authorizeParams() map[string]string {
	return map[string]string{
		"client_id": "client_id", "redirect_uri": "redirect_port", "scope": "scopes",
		"audience": "audience", "resource": "resource",
		"response_type": itself, "response_mode": itself, "state": itself, "nonce": itself,
		"code_challenge": itself, "code_challenge_method": itself, "request": itself, "request_uri": itself,
		"id_token_hint": itself,
	}
}

// assertionClaims are those of RFC 7519 §4.1 that an assertion has anyway (RFC 7523 §3).
func assertionClaims() map[string]string {
	return map[string]string{
		"iss": "assertion_issuer", "sub": "subject", "aud": "assertion_audience",
		"exp": itself, "iat": itself, "nbf": itself, "jti": itself,
	}
}

// refuseHeader refuses what is no field name (RFC 9110 §5.1), and the headers that belong to the
// protocols: what they say is decided elsewhere, or would be another message than was meant.
func refuseHeader(name string) (problem, help string) {
	if strings.ContainsFunc(name, func(r rune) bool { return !fieldNameRune(r) }) {
		return "is not the name of a header", "letters, digits and hyphens only, such as X-Api-Key"
	}
	canonical := textproto.CanonicalMIMEHeaderKey(name)
	switch {
	case canonical == "Authorization":
		return "is authctl's own to send", "client_auth says how the client authenticates"
	case slices.Contains(protocolHeaders(), canonical), strings.HasPrefix(canonical, "Proxy-"),
		strings.HasPrefix(canonical, "Sec-"):
		return "is authctl's own to send", "take it out"
	}
	return "", ""
}

// fieldNameRune reports whether r is a tchar (RFC 9110 §5.6.2).
func fieldNameRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
		strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

// protocolHeaders are those that frame a message, say what is in it or who sends it, or keep state.
func protocolHeaders() []string {
	return []string{
		"Accept", "Accept-Encoding", "Connection", "Content-Encoding", "Content-Length", "Content-Type", "Cookie",
		"Dpop", "Expect", "Host", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
		"User-Agent",
	}
}

// SoundsSecret reports whether the name of a parameter or a header promises a secret: what its last
// word says it is, as in x-api-key. A token_format is none.
func SoundsSecret(name string) bool {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune("-_. ", r) })
	if len(words) == 0 {
		return false
	}
	last := words[len(words)-1]
	for _, ending := range []string{
		"secret", "password", "passwd", "passphrase", "token", "apikey", "credential", "credentials", "assertion", "jwt",
	} {
		if strings.HasSuffix(last, ending) {
			return true
		}
	}
	return slices.Contains([]string{"key", "auth", "authorization", "cookie", "pwd", "otp", "totp", "pin"}, last)
}
