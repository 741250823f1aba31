package providers

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
	"github.com/authctl/authctl/internal/tokenkey"
)

// Provider is one configured client of one service: it asks what the Spec says, in the way of
// the standards. Errors of what it does are a *Failure, an *UnsupportedError, a *setting.Error
// or what a secret reference returned.
type Provider struct {
	discovered
	client *oauth.Client
	header http.Header
	// apiHeader are those headers that the API wants too, beside the token.
	secretHeader, apiHeader map[string]secret.Func
	// stateless takes an answer to a login without state.
	stateless bool
	// lifetime is a token's where the service does not say, 0 for none.
	lifetime time.Duration
}

// configured is a service and what a profile says to it: enough to judge what it answers.
type configured struct {
	spec     Spec
	settings setting.Values
}

// names are the settings that a hint may name.
func (p *configured) names() setting.Names { return p.settings.Applying(p.spec.Settings()) }

// New returns the client that the settings describe. It sends nothing, and the errors are
// *setting.Error.
func (s Spec) New(settings setting.Values, client *oauth.Client) (*Provider, error) {
	known := configured{spec: s, settings: settings}
	at := addresses{configured: known, vars: map[string]string{}, endpoints: map[string]*url.URL{}}
	p := &Provider{
		discovered: discovered{addresses: at}, client: client,
		header: http.Header{}, secretHeader: map[string]secret.Func{}, apiHeader: map[string]secret.Func{},
	}
	err := settings.Fit(s.Settings())
	if err == nil {
		err = p.locate()
	}
	if err != nil {
		return nil, err
	}
	p.discovery = p.newIssuer(client)
	if p.auth, err = p.authFor(p.endpoints[tokenEndpoint]); err != nil {
		return nil, err
	}
	if p.grant() == oauth.JWTBearer && settings.Secret("private_key") == nil {
		return nil, settings.Wrong("private_key", "is missing, and grant is jwt_bearer",
			"give a reference such as file:key.pem")
	}
	if p.stateless, err = settings.StateOptional(); err != nil {
		return nil, err
	}
	if p.lifetime, err = settings.Lifetime(); err != nil {
		return nil, err
	}
	for name, values := range p.params(s.Header) {
		p.header.Set(name, values[0])
	}
	for name, from := range s.SecretHeader {
		if value := settings.Secret(from); value != nil {
			p.apiHeader[name] = value
		}
	}
	maps.Copy(p.secretHeader, p.apiHeader)
	for _, param := range s.Header {
		maps.Copy(p.secretHeader, settings.Secrets(param.Setting))
	}
	return p, nil
}

// authFor is the client authentication at a service with a token endpoint, for which a signed JWT
// is meant at whichever endpoint it is shown (OpenID Connect Core §9). Nil is for one that is not
// known yet.
func (p *discovered) authFor(token *url.URL) (oauth.ClientAuth, error) {
	if token == nil && p.spec.Given == nil {
		token = p.issuer
	}
	return p.settings.ClientAuth(token, p.settings.Text("assertion_audience"), p.spec.Algorithm)
}

// clientAuth is the client authentication of a request.
func (p *discovered) clientAuth(ctx context.Context, operation string) (oauth.ClientAuth, error) {
	token, err := p.endpoint(ctx, operation, tokenEndpoint)
	if err != nil {
		return nil, err
	}
	return p.authFor(token)
}

// params returns the values of parameters whose condition holds.
func (p *addresses) params(list []Param) url.Values {
	all := url.Values{}
	for _, param := range list {
		if param.If != nil && !param.If.Holds(p.settings) {
			continue
		}
		for name, value := range p.settings.Map(param.Setting) {
			all.Set(name, fmt.Sprint(value))
		}
		for _, value := range p.settings.List(param.Setting) {
			all.Add(param.Name, value)
		}
		if value := cmp.Or(p.vars[param.Setting], p.settings.Text(param.Setting)); value != "" {
			all.Set(param.Name, value)
		}
	}
	return all
}

// Name is the service's name in a profile.
func (p *configured) Name() string { return p.spec.Name }

func (p *configured) grant() oauth.Grant { return oauth.Grant(p.settings.Text("grant")) }

// Key states what a token of this client depends on. It needs no network, no secret and no
// person: where the issuer's document names the token endpoint, the issuer stands for it.
func (p *Provider) Key() tokenkey.Key {
	k := tokenkey.Key{
		Provider: p.spec.Name, ClientID: p.settings.Text("client_id"), Grant: p.grant(), AuthMethod: p.auth.Method(),
		Scopes: p.settings.List("scopes"),
	}
	if token := p.endpoints[tokenEndpoint]; token != nil {
		k.TokenURL = token.String()
	} else {
		k.Issuer = p.issuer.String()
	}
	if !p.spec.addressed("account") {
		k.Account = p.vars["account"]
	}
	if k.Grant == oauth.Password {
		k.User = p.settings.Text("username")
	}
	k.Audience, k.Params = p.settings.Text("audience"), p.selecting()
	return k
}

// selecting are the settings that decide which token is given and have no member of oauth.Key,
// as NAME=VALUE; of a secret its reference, or what stands for it.
func (p *configured) selecting() (all []string) {
	for _, name := range p.spec.Selects {
		v, _ := p.settings.Lookup(name)
		for member, value := range v.Map {
			text, _ := json.Marshal(value) // it was read from YAML
			all = append(all, name+"."+member+"="+string(text))
		}
		for _, value := range append(slices.Clone(v.List), cmp.Or(v.Identity, v.Text)) {
			if value != "" {
				all = append(all, name+"="+value)
			}
		}
	}
	slices.Sort(all)
	return all
}

// Subject tells apart for whom a token is where the key does not; see setting.Values.Digest.
func (p *configured) Subject(ctx context.Context) (string, error) {
	names := slices.Clone(p.spec.Subjects[p.grant()])
	for _, header := range p.spec.Header {
		names = append(names, header.Setting) // one that is secret may say whose the request is
	}
	return p.settings.Digest(ctx, names)
}

// Pace is the least time between two token requests of one account, whatever they ask for; 0
// for none.
func (p *Provider) Pace() time.Duration { return p.spec.Pace }

// Headers fetch the secret headers that the API wants beside the token, by name.
func (p *Provider) Headers() map[string]secret.Func { return p.apiHeader }

// Endpoint is an address at a service.
type Endpoint struct {
	// Name is what is there, for people: "authorization endpoint".
	Name string
	URL  *url.URL
	// Setting is where a profile says it, of a service that only its profile describes.
	Setting string
}

// Endpoints are the addresses that this client asks or sends a person to, as far as its
// settings tell them.
func (p *addresses) Endpoints() []Endpoint {
	authorize, api := p.endpoints[authorizeEndpoint], ""
	if p.spec.Given != nil {
		api = "api_url"
	}
	if !p.grant().NeedsPerson() {
		authorize = nil
	}
	return slices.DeleteFunc([]Endpoint{
		{"token endpoint", p.endpoints[tokenEndpoint], p.spec.Given[tokenEndpoint]},
		{"discovery document", p.issuer, p.spec.Given[issuer]},
		{"API", p.api, api},
		{"authorization endpoint", authorize, p.spec.Given[authorizeEndpoint]},
	}, func(e Endpoint) bool { return e.URL == nil })
}

// TokenHosts are the addresses of those hosts of the service that a token may be sent to. Who
// issues tokens for others is none of them.
func (p *addresses) TokenHosts() []*url.URL {
	if p.spec.Given != nil {
		return slices.DeleteFunc([]*url.URL{p.api}, func(u *url.URL) bool { return u == nil })
	}
	return slices.DeleteFunc([]*url.URL{p.base, p.api}, func(u *url.URL) bool { return u == nil })
}

// Issue asks for a new token with the configured grant. A grant that needs a person is a
// Failure of ReasonLogin.
func (p *Provider) Issue(ctx context.Context) (oauth.Token, error) {
	grant := p.grant()
	if grant.NeedsPerson() {
		return oauth.Token{}, &Failure{
			Reason:  ReasonLogin,
			Message: fmt.Sprintf("%s gives tokens of the grant %s only to a person who logs in", p.spec.short(), grant),
		}
	}
	// A wrong password is not sent again: it may lock the user out.
	r := oauth.TokenRequest{Params: url.Values{}, Repeatable: grant == oauth.ClientCredentials}
	if scopes := p.settings.List("scopes"); len(scopes) > 0 {
		r.Params.Set("scope", strings.Join(scopes, " "))
	}
	if err := p.present(&r, grant); err != nil {
		return oauth.Token{}, err
	}
	token, err := p.ask(ctx, grant, r)
	if err != nil {
		return oauth.Token{}, err
	}
	return p.unasked(ctx, token), p.checkKind(r, token)
}

// present puts into a request what a grant trades for a token.
func (p *configured) present(r *oauth.TokenRequest, grant oauth.Grant) error {
	names := p.spec.Subjects[grant]
	if grant == oauth.Password {
		names = []string{"password"}
	}
	r.Secrets = map[string]secret.Func{}
	for _, name := range names {
		if fetch := p.settings.Secret(name); fetch != nil {
			r.Secrets[name] = fetch
		}
	}
	switch grant {
	case oauth.Password:
		r.Params.Set("username", p.settings.Text("username"))
	case oauth.TokenExchange:
		for name := range r.Secrets {
			if err := p.setTokenType(r, name+"_type", "access_token"); err != nil {
				return err
			}
		}
		return p.setTokenType(r, "requested_token_type", "")
	case oauth.JWTBearer:
		r.Assertion = &oauth.Assertion{
			Issuer:  cmp.Or(p.settings.Text("assertion_issuer"), p.settings.Text("client_id")),
			Subject: p.settings.Text("subject"), Audience: p.settings.Text("assertion_audience"),
			KeyID: p.settings.Text("key_id"), Algorithm: p.settings.Text("key_algorithm"), Key: p.settings.Secret("private_key"),
			// Some services read the scope there (Google), the others as a parameter (RFC 7523 §2.1).
			Claims: p.settings.Map("claims"), Scope: r.Params.Get("scope"),
		}
	}
	return nil
}

// setTokenType sends what kind of token one is (RFC 8693 §3).
func (p *configured) setTokenType(r *oauth.TokenRequest, name, standard string) error {
	uri, err := oauth.TokenType(cmp.Or(p.settings.Text(name), standard))
	r.Params.Set(name, uri)
	return err
}

// Refresh trades a refresh token (RFC 6749 §6). The new token's RefreshToken is zero when the
// service sent none back; the old one then stays valid. A refused one is a Failure of
// ReasonLogin.
func (p *Provider) Refresh(ctx context.Context, refreshToken secret.Secret) (oauth.Token, error) {
	token, err := p.ask(ctx, oauth.RefreshToken, oauth.TokenRequest{
		Params: url.Values{}, Secrets: map[string]secret.Func{"refresh_token": secret.Known(refreshToken)},
	})
	if err != nil {
		return oauth.Token{}, refusedRefresh(err)
	}
	return p.unasked(ctx, token), nil
}

// unasked is kept for a token that nobody has logged in for just now. An ID token with it that cannot
// be believed is left out: the token beside it was issued, and a refresh token for it was spent.
func (p *Provider) unasked(ctx context.Context, token oauth.Token) oauth.Token {
	kept := p.kept(token)
	if kept.IDToken.IsZero() || !p.spec.IDTokens {
		return kept
	}
	if err := p.checkIDToken(ctx, token, secret.Secret{}); err != nil {
		kept.IDToken = secret.Secret{}
		p.warn("the ID token that came with the token is not kept: " + err.Error())
	}
	return kept
}

// checkKind refuses a token of another kind than an exchange was asked for (RFC 8693 §2.2.1). An
// access token may well be a JWT.
func (p *configured) checkKind(r oauth.TokenRequest, token oauth.Token) error {
	asked, got := r.Params.Get("requested_token_type"), token.IssuedTokenType
	if asked == "" || got == "" || asked == got {
		return nil
	}
	asked, got = oauth.ShortTokenType(asked), oauth.ShortTokenType(got)
	if accesses := []string{"access_token", "jwt"}; slices.Contains(accesses, asked) && slices.Contains(accesses, got) {
		return nil
	}
	return protocol(nil, "%s was asked for a token of the type %s and issued one of the type %s", p.spec.short(),
		secret.Quote(asked), secret.Quote(got))
}

// ask sends a request to the token endpoint (RFC 6749 §3.2).
func (p *Provider) ask(ctx context.Context, grant oauth.Grant, r oauth.TokenRequest) (token oauth.Token, err error) {
	err = rotating(ctx, p, func(p *Provider) error {
		r, err := p.tokenRequest(ctx, grant, r)
		if err != nil {
			return err
		}
		if token, err = p.issued(p.client.Token(ctx, r)); err != nil {
			p.doubt(ctx, tokenEndpoint, err)
			return p.failed(err, wanted{grant: grant, auth: r.Auth, rules: p.spec.Errors})
		}
		return nil
	})
	return token, err
}

// tokenRequest is a request with what each to the token endpoint has.
func (p *Provider) tokenRequest(
	ctx context.Context, grant oauth.Grant, r oauth.TokenRequest,
) (_ oauth.TokenRequest, err error) {
	if r.Endpoint, err = p.endpoint(ctx, "token get", tokenEndpoint); err != nil {
		return r, err
	}
	r.Params.Set("grant_type", grant.Type())
	maps.Copy(r.Params, p.params(p.spec.Form))
	if r.Auth, err = p.authFor(r.Endpoint); err != nil {
		return r, err
	}
	r.Header, r.SecretHeader = p.header, p.secretHeader
	r.Accept, r.MinRetryWait, r.AssumedLifetime = p.settings.Text("accept"), p.spec.Pace, p.lifetime
	return r, nil
}

// issued is a token as the service means it.
func (p *configured) issued(token oauth.Token, err error) (oauth.Token, error) {
	if err == nil && p.spec.Hooks.Token != nil {
		token = p.spec.Hooks.Token(token)
	}
	return token, err
}

// kept returns the token without what the profile does not want to keep.
func (p *configured) kept(t oauth.Token) oauth.Token {
	keep := p.settings.List("keep")
	if !slices.Contains(keep, "id_token") {
		t.IDToken = secret.Secret{}
	}
	if !slices.Contains(keep, "sid") {
		t.SessionID = ""
	}
	return t
}

// absent reads 404 and 405: of an endpoint that the document names they mean that the service
// does not let it through, and nothing in the profile would change that.
func (p *configured) absent(operation string, err error) error {
	answered, ok := errors.AsType[*oauth.Error](err)
	if !ok || p.spec.Undocumented == "" ||
		answered.StatusCode != http.StatusNotFound && answered.StatusCode != http.StatusMethodNotAllowed {
		return err
	}
	return &UnsupportedError{
		Service: p.spec.Title, Operation: operation, Why: p.spec.Undocumented + ": " + answered.Error(),
	}
}
