package providers

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
)

// What a Provider may be able to do beside issuing tokens: one method each. An
// adapter states what it has with `var _ providers.UserInfoer = (*Provider)(nil)`,
// and everything that wants to know asks As.

// LoginStarter is a Provider whose tokens a person gets in the browser, with the
// authorization code grant (RFC 6749 §4.1).
type LoginStarter interface {
	// StartLogin returns the address to open and what has to be kept until the
	// answer comes to redirectURI. It sends nothing.
	StartLogin(redirectURI string) (*Login, error)
	// FinishLogin checks the answer and trades its code for a token. An answer
	// that is not this login's is an *oauth.CallbackError.
	FinishLogin(ctx context.Context, login *Login, answer url.Values) (oauth.Token, error)
}

// Login is a login under way.
type Login struct {
	// URL is what the browser opens.
	URL *url.URL
	// RedirectURI is where the answer comes.
	RedirectURI string
	// State comes back with the answer (RFC 6749 §10.12).
	State secret.Secret
	// Verifier proves that it was us who asked (RFC 7636); zero without PKCE.
	Verifier secret.Secret
	// Nonce comes back in the ID token; zero when none is asked for.
	Nonce secret.Secret
}

// UserInfoer is a Provider that tells who a token speaks for.
type UserInfoer interface {
	// UserInfo asks with one of the service's UserInfoViews, the first when view is
	// empty.
	UserInfo(ctx context.Context, s Session, view string) (UserInfo, error)
}

// UserInfo is what a service says of a token's user.
type UserInfo struct {
	// Claims is one JSON object, as the service gave it.
	Claims json.RawMessage
	// Unverified says that the claims come from a JWT whose signature nobody checked.
	Unverified bool
}

// Session are the tokens that end together. Either may be zero.
type Session struct {
	AccessToken  secret.Secret
	RefreshToken secret.Secret
	// Scope is what the access token was granted, nil when the service did not say.
	Scope []string
}

// SignOuter is a Provider that can end a session at the service.
type SignOuter interface {
	SignOut(ctx context.Context, s Session, o SignOutOptions) (SignedOut, error)
}

// SignOutOptions are what a person may want of a sign-out.
type SignOutOptions struct {
	// Global ends all sessions of the user.
	Global bool
	// RedirectURI is where a browser would go afterwards, empty for none.
	RedirectURI string
}

// SignedOut is how a sign-out ended.
type SignedOut struct {
	// Did says what was done, for people: "revoked the token".
	Did string
	// RedirectURI is where the service would send a browser, empty when nowhere.
	RedirectURI string
	// Lacking says what of the options the service does not have; the rest was done.
	// Empty when nothing.
	Lacking string
}

// PasswordChanger is a Provider that can change the user's password.
type PasswordChanger interface {
	ChangePassword(ctx context.Context, token secret.Secret, change PasswordChange) error
}

// PasswordChange is what the service is told.
type PasswordChange struct {
	Old, New secret.Secret
	// User and OperationID are sent when they are not empty.
	User, OperationID string
}

// Pinger is a Provider that can be asked whether it is there.
type Pinger interface {
	// Ping asks with a token, which may be zero. A service that is there and does
	// not accept the token is a Failure of ReasonCredentials.
	Ping(ctx context.Context, token secret.Secret) (Pong, error)
}

// Pong is the answer of a service that is there.
type Pong struct {
	// Endpoint is what answered.
	Endpoint string
	// TokenAccepted says that the answer stands for the token too.
	TokenAccepted bool
}

// Revoker is a Provider with RFC 7009. The hint is "access_token" or
// "refresh_token".
type Revoker interface {
	Revoke(ctx context.Context, token secret.Secret, hint string) error
}

// Introspector is a Provider with RFC 7662. The reply is one JSON object as the
// service gave it.
type Introspector interface {
	Introspect(ctx context.Context, token secret.Secret) (json.RawMessage, error)
}

// Verifier is a Provider that publishes the keys its tokens are signed with.
type Verifier interface {
	// Verify checks signature and issuer of a JWT, and not its times.
	Verify(ctx context.Context, token secret.Secret) error
}

// APILocator is a Provider whose tokens are meant for an API that is not on the token
// endpoint's host.
type APILocator interface {
	// APIURL is scheme, host and port of the API, nil where it is not known.
	APIURL() *url.URL
}

// Endpointer is a Provider that asks more than the token endpoint.
type Endpointer interface {
	// Endpoints are the other addresses that this client asks or sends a person to, as
	// far as its settings tell them.
	Endpoints() []Endpoint
}

// Endpoint is an address at a service.
type Endpoint struct {
	// Name is what is there, for people: "authorization endpoint".
	Name string
	URL  *url.URL
}

// APIHeaderer is a Provider whose API wants further secret headers beside the token.
type APIHeaderer interface {
	// APIHeaders returns what fetches their values, by name.
	APIHeaders() map[string]secret.Func
}

// UnsupportedError says that a service has no such operation. Exit code 6.
type UnsupportedError struct {
	// Service is the service's title, Operation the verb on the command line.
	Service, Operation string
	// Why says more where there is more to say; may be empty.
	Why string
	// Others are the titles of the services that have it.
	Others []string
}

// Error names the service, the operation and who has it.
func (e *UnsupportedError) Error() string {
	text := fmt.Sprintf("%s has no %s", e.Service, e.Operation)
	if e.Why != "" {
		text += ": " + e.Why
	}
	if len(e.Others) > 0 {
		text += "; it is there for " + strings.Join(e.Others, ", ")
	}
	return text
}

// As returns p as the capability T, or an *UnsupportedError that names the services
// that have it. It is the one place that asks.
func As[T any](p Provider, operation string, services []Service) (T, error) {
	if capable, ok := p.(T); ok {
		return capable, nil
	}
	var none T
	e := &UnsupportedError{Service: p.Name(), Operation: operation}
	for _, s := range services {
		if s.Name == p.Name() {
			e.Service = s.Title
		}
		if _, ok := s.Prototype.(T); ok {
			e.Others = append(e.Others, s.Title)
		}
	}
	return none, e
}
