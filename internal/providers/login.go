package providers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
)

// AuthorizationCodeGrant is the grant whose tokens a person gets in the browser.
const AuthorizationCodeGrant = "authorization_code"

// LoginNeeded is the failure of issuing a token that only a login gives.
func LoginNeeded(service string) *Failure {
	return &Failure{
		Reason:  ReasonLogin,
		Message: fmt.Sprintf("%s gives tokens of the grant %s only to a person who logs in", service, AuthorizationCodeGrant),
	}
}

// CodeFlow is the authorization code grant (RFC 6749 §4.1) of one configured
// client: one code for all services that have it.
type CodeFlow struct {
	Token *TokenEndpoint
	// Authorize is the authorization endpoint.
	Authorize *url.URL
	ClientID  string
	Scopes    []string
	// Extra are further parameters of the authorization request.
	Extra url.Values
	// PKCE sends an S256 challenge (RFC 7636).
	PKCE bool
	// Nonce sends a nonce and checks it where an ID token comes back (OpenID
	// Connect Core §3.1.3.7).
	Nonce bool
	// StateOptional takes an answer without state, which needs PKCE.
	StateOptional bool
	// NoRedirectURI leaves redirect_uri out of the token request, against RFC 6749
	// §4.1.3, for services that refuse it there.
	NoRedirectURI bool
}

// StateOptional reports whether the profile takes an answer without state. Then PKCE is
// what keeps a foreign code out, and must not be off.
func (s Settings) StateOptional() (bool, error) {
	if v, ok := s.Lookup("require_state"); !ok || v.Text != "false" {
		return false, nil
	}
	if !s.Bool("pkce") {
		return false, s.wrong("require_state", "is false, and pkce too",
			"without state, PKCE is what ties an answer to the login: set pkce: true")
	}
	return true, nil
}

// Start returns the address to open. It sends nothing.
func (f CodeFlow) Start(redirectURI string) (*Login, error) {
	login := &Login{RedirectURI: redirectURI, State: oauth.NewState()}
	request := oauth.AuthorizationRequest{
		Endpoint: f.Authorize, ClientID: f.ClientID, RedirectURI: redirectURI,
		Scope: f.Scopes, State: login.State, Extra: f.Extra,
	}
	if f.PKCE {
		login.Verifier = oauth.NewVerifier()
		request.Challenge = oauth.S256Challenge(login.Verifier)
	}
	if f.Nonce {
		login.Nonce = oauth.NewState()
		request.Nonce = login.Nonce
	}
	address, err := request.URL()
	if err != nil {
		return nil, fmt.Errorf("building the address to log in at: %w", err)
	}
	login.URL = address
	return login, nil
}

// Finish checks the answer and trades its code for a token.
func (f CodeFlow) Finish(ctx context.Context, login *Login, answer url.Values) (oauth.Token, error) {
	code, err := oauth.Callback{State: login.State, Optional: f.StateOptional && f.PKCE}.Parse(answer)
	if callback, ok := errors.AsType[*oauth.CallbackError](err); ok && callback.Foreign() {
		return oauth.Token{}, err
	}
	// An error is believed no more than a code when another server sent it.
	if issuer := answer.Get("iss"); issuer != "" && !f.isOurs(issuer) {
		return oauth.Token{}, &Failure{
			Reason: ReasonProtocol,
			Message: fmt.Sprintf("the answer to the login at %s names another issuer (RFC 9207): %q",
				f.Token.Service, secret.CleanText(issuer)),
		}
	}
	if err != nil {
		return oauth.Token{}, f.refused(err)
	}
	params := url.Values{}
	if !f.NoRedirectURI {
		params.Set("redirect_uri", login.RedirectURI)
	}
	token, err := f.Token.AuthorizationCode(ctx, params, code, login.Verifier)
	if err != nil {
		return oauth.Token{}, err
	}
	if !login.Nonce.IsZero() && !token.IDToken.IsZero() {
		if err := oauth.CheckNonce(token.IDToken, login.Nonce); err != nil {
			return oauth.Token{}, &Failure{
				Reason: ReasonProtocol, Err: err,
				Message: fmt.Sprintf("the ID token of %s is not of this login: %v", f.Token.Service, err),
			}
		}
	}
	return f.Token.kept(token), nil
}

// isOurs reports whether an issuer (RFC 9207 §2.4) can be the one that was asked. The
// services document no issuer, so that its host is what is left to compare: the
// authorization endpoint's, or one beside it below the same domain.
func (f CodeFlow) isOurs(issuer string) bool {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" {
		return false
	}
	_, domain, _ := strings.Cut(f.Authorize.Hostname(), ".")
	beside := strings.Contains(domain, ".") && u.Scheme == "https" && strings.HasSuffix(u.Hostname(), "."+domain) &&
		net.ParseIP(f.Authorize.Hostname()) == nil
	return u.Host == f.Authorize.Host || beside
}

// refused gives an answer that ends the login its reason.
func (f CodeFlow) refused(err error) error {
	callback, ok := errors.AsType[*oauth.CallbackError](err)
	if !ok {
		return err
	}
	failure := &Failure{Reason: ReasonProtocol, Hint: "log in again"}
	if callback.Reason == oauth.CallbackRefused {
		said := &oauth.Error{Code: callback.Code, Description: callback.Description}
		failure = judge(f.Token.Service, said, wanted{}, refusedLogin())
	}
	failure.Message, failure.Err = fmt.Sprintf("%s did not log you in: %v", f.Token.Service, callback), err
	failure.Hint = f.Token.Names.In(failure.Hint)
	return failure
}
