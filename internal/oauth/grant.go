package oauth

// Grant is a way to a token (RFC 6749 §1.3), by its name in a profile and in a store's key.
type Grant string

// The grants that are asked with. RefreshToken continues any of them.
const (
	// AuthorizationCode is RFC 6749 §4.1.
	AuthorizationCode Grant = "authorization_code"
	// Password is RFC 6749 §4.3.
	Password Grant = "password"
	// ClientCredentials is RFC 6749 §4.4.
	ClientCredentials Grant = "client_credentials"
	// RefreshToken is RFC 6749 §6.
	RefreshToken Grant = "refresh_token"
	// DeviceCode is RFC 8628 §3.4.
	DeviceCode Grant = "device_code"
	// JWTBearer is RFC 7523 §2.1.
	JWTBearer Grant = "jwt_bearer"
	// TokenExchange is RFC 8693 §2.1.
	TokenExchange Grant = "token_exchange"
)

// Type is the grant_type that is sent: the URN of an extension grant (RFC 6749 §4.5), else the
// grant's name.
func (g Grant) Type() string {
	switch g {
	case DeviceCode:
		return "urn:ietf:params:oauth:grant-type:device_code"
	case JWTBearer:
		return "urn:ietf:params:oauth:grant-type:jwt-bearer"
	case TokenExchange:
		return "urn:ietf:params:oauth:grant-type:token-exchange"
	}
	return string(g)
}

// NeedsPerson reports whether only a person who logs in gets a new token with it.
func (g Grant) NeedsPerson() bool { return g == AuthorizationCode || g == DeviceCode }
