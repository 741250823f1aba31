package providers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/oauth/authcode"
	"github.com/authctl/authctl/internal/oauth/devicecode"
	"github.com/authctl/authctl/internal/secret"
)

// Interaction is how a login deals with the person.
type Interaction struct {
	// RedirectURI is where the browser comes back to.
	RedirectURI string
	// OpenURL has the person open an address. It holds no secret: what it holds is worth
	// nothing without this process. An error of it ends the login.
	OpenURL func(ctx context.Context, address *url.URL) error
	// AwaitRedirect waits for the browser and has redeem trade what it brings for a token,
	// which may take a while, so that its page can say what really happened. After an
	// *authcode.CallbackError that is Foreign the wait goes on; any other error ends the login.
	AwaitRedirect func(ctx context.Context, redeem func(context.Context, url.Values) (oauth.Token, error)) error
	// ShowUserCode has the person open an address and type a code there (RFC 8628 §3.3). An
	// error of it ends the login.
	ShowUserCode func(context.Context, devicecode.Authorization) error
}

// login is a login under way: what has to be kept until the answer comes. The verifier proves
// that it was us who asked (RFC 7636); it is zero without PKCE.
type login struct {
	authcode.Request
	verifier secret.Secret
}

// Login gets a token from a person: in the browser with the authorization code grant (RFC 6749
// §4.1), or on any device (RFC 8628) where that is the profile's grant. The errors are those of
// the interaction too.
func (p *Provider) Login(ctx context.Context, i Interaction) (token oauth.Token, err error) {
	if p.grant() == oauth.DeviceCode {
		return p.loginOnDevice(ctx, i)
	}
	endpoint, err := p.endpoint(ctx, Login, authorizeEndpoint)
	if err != nil {
		return token, err
	}
	l := p.newLogin(endpoint, i.RedirectURI)
	address, err := l.URL()
	if err != nil {
		return token, fmt.Errorf("building the address to log in at: %w", err)
	}
	if err := i.OpenURL(ctx, address); err != nil {
		return token, err
	}
	err = i.AwaitRedirect(ctx, func(ctx context.Context, answer url.Values) (oauth.Token, error) {
		var err error
		token, err = p.redeem(ctx, l, answer)
		return token, err
	})
	return token, err
}

func (p *Provider) newLogin(endpoint *url.URL, redirectURI string) login {
	l := login{Request: authcode.Request{
		Endpoint: endpoint, ClientID: p.settings.Text("client_id"), RedirectURI: redirectURI,
		Scope: p.settings.List("scopes"), State: authcode.NewState(), Extra: p.params(p.spec.Login),
	}}
	if len(l.Scope) == 0 && p.spec.OnlyScope != "" {
		l.Scope = []string{p.spec.OnlyScope}
	}
	if p.settings.Bool("pkce") {
		l.verifier = authcode.NewVerifier()
		l.Challenge = authcode.S256Challenge(l.verifier)
	}
	if p.spec.Nonce {
		l.Nonce = authcode.NewState()
	}
	return l
}

// redeem checks the answer and trades its code for a token. An answer that is not this login's
// is an *authcode.CallbackError.
func (p *Provider) redeem(ctx context.Context, l login, answer url.Values) (oauth.Token, error) {
	code, err := authcode.Callback{State: l.State, Optional: p.stateless}.Parse(answer)
	if callback, ok := errors.AsType[*authcode.CallbackError](err); ok && callback.Foreign() {
		return oauth.Token{}, err
	}
	// An error is believed no more than a code when another server sent it.
	if other := p.checkIssuer(ctx, l, answer); other != nil {
		return oauth.Token{}, other
	}
	if err != nil {
		return oauth.Token{}, p.refusedLogin(err)
	}
	token, err := p.trade(ctx, l, code)
	if err != nil {
		return oauth.Token{}, err
	}
	if err := p.checkIDToken(ctx, token, l.Nonce); err != nil {
		return oauth.Token{}, err
	}
	return p.kept(token), nil
}

// trade asks with the code, once: it is good once (RFC 6749 §4.1.2).
func (p *Provider) trade(ctx context.Context, l login, code secret.Secret) (oauth.Token, error) {
	r := oauth.TokenRequest{Params: url.Values{}, Secrets: map[string]secret.Func{"code": secret.Known(code)}}
	if send, ok := p.settings.Lookup("send_redirect_uri"); !ok || send.Text != "false" {
		r.Params.Set("redirect_uri", l.RedirectURI)
	}
	if !l.verifier.IsZero() {
		r.Secrets["code_verifier"] = secret.Known(l.verifier)
	}
	return p.ask(ctx, oauth.AuthorizationCode, r)
}

// checkIssuer looks whose answer to a login it is (RFC 9207 §2.4): one that lacks the issuer may be
// another server's too, where the document says that none does.
func (p *discovered) checkIssuer(ctx context.Context, l login, answer url.Values) error {
	issuer := answer.Get("iss")
	if issuer != "" && !p.isOurs(l, issuer) {
		return protocol(nil, "the answer to the login at %s names another issuer (RFC 9207): %q",
			p.spec.short(), secret.CleanText(issuer))
	}
	if issuer != "" || p.spec.Given == nil || p.endpoints[authorizeEndpoint] != nil {
		return nil
	}
	metadata, err := p.discover(ctx)
	if err == nil && metadata.NamesIssuer {
		return protocol(nil, "the answer to the login at %s names no issuer, and its document says that each does (RFC 9207)",
			p.spec.short())
	}
	return err
}

// isOurs reports whether an issuer (RFC 9207 §2.4) can be the one that was asked. Where the
// service documents none, its host is what is left to compare: the authorization endpoint's,
// or one beside it below the same domain.
func (p *addresses) isOurs(l login, issuer string) bool {
	if p.issuer != nil {
		return issuer == p.issuer.String()
	}
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" {
		return false
	}
	_, domain, _ := strings.Cut(l.Endpoint.Hostname(), ".")
	beside := strings.Contains(domain, ".") && u.Scheme == "https" && strings.HasSuffix(u.Hostname(), "."+domain) &&
		net.ParseIP(l.Endpoint.Hostname()) == nil
	return u.Host == l.Endpoint.Host || beside
}

// refusedLogin gives an answer that ends the login its reason.
func (p *configured) refusedLogin(err error) error {
	callback, ok := errors.AsType[*authcode.CallbackError](err)
	if !ok {
		return err
	}
	failure := &Failure{Reason: ReasonProtocol, Hint: "log in again"}
	if callback.Reason == authcode.CallbackRefused {
		failure = p.judge(&oauth.Error{Code: callback.Code, Description: callback.Description}, wanted{}, refusedLogin())
	}
	failure.Message, failure.Err = fmt.Sprintf("%s did not log you in: %v", p.spec.short(), callback), err
	failure.Hint = p.names().In(failure.Hint)
	return failure
}
