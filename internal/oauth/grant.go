package oauth

// Grant is a grant_type, the way to a token (RFC 6749 §1.3).
type Grant string

// The grants that are asked with. A refresh token (RFC 6749 §6) continues any of them.
const (
	// AuthorizationCode is RFC 6749 §4.1.
	AuthorizationCode Grant = "authorization_code"
	// Password is RFC 6749 §4.3.
	Password Grant = "password"
	// ClientCredentials is RFC 6749 §4.4.
	ClientCredentials Grant = "client_credentials"
	// DeviceCode is RFC 8628 §3.4.
	DeviceCode Grant = "urn:ietf:params:oauth:grant-type:device_code"
)

// NeedsPerson reports whether only a person who logs in gets a new token with it.
func (g Grant) NeedsPerson() bool { return g == AuthorizationCode || g == DeviceCode }
