package providers

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/openid"
	"github.com/authctl/authctl/internal/secret"
)

// keysEndpoint is the name of the issuer's public keys in its document (RFC 8414 §2).
const keysEndpoint = "jwks_uri"

// discovered is a configured service with who says what its profile and its Spec do not: where it
// is, what it supports, and with which keys it signs.
type discovered struct {
	addresses
	auth      oauth.ClientAuth
	discovery *openid.Issuer
}

// newIssuer is who is asked for the document and the keys of a service. Of a vendor's it is known
// where its document is.
func (p *addresses) newIssuer(client *oauth.Client) *openid.Issuer {
	i := &openid.Issuer{Client: client, OpenIDOnly: p.spec.Given == nil}
	if p.issuer != nil {
		i.Name = p.issuer.String()
	}
	return i
}

// KeepDocuments has what the issuer says kept in a cache, where that is all that is known of a
// service; what was kept before since is asked for anew. explain may be nil.
func (p *discovered) KeepDocuments(cache openid.Cache, since time.Time, explain func(format string, args ...any)) {
	p.discovery.Explain = explain
	if p.spec.Given != nil {
		p.discovery.Cache, p.discovery.Since = cache, since
	}
}

// discover returns what the issuer says of itself, asked for once; a failure is not kept.
func (p *discovered) discover(ctx context.Context) (*openid.Metadata, error) {
	return p.believed(p.discovery.Metadata(ctx))
}

// readDiscovery asks for the issuer's document, whatever is known of it.
func (p *discovered) readDiscovery(ctx context.Context) (*openid.Metadata, error) {
	return p.believed(p.discovery.Discover(ctx))
}

// believed judges what the issuer says. A vendor's endpoints are on its own host.
func (p *discovered) believed(metadata *openid.Metadata, err error) (*openid.Metadata, error) {
	if err == nil && p.spec.Given == nil {
		err = metadata.CheckHost(p.issuer)
	}
	if missing, ok := errors.AsType[*openid.MissingError](err); ok {
		return nil, &Failure{
			Reason: ReasonConfig, Message: p.spec.short() + " is no issuer that can be used: " + missing.Error(), Err: err,
			Hint: p.names().In("check {issuer} in the profile; a service without a document is described by token_url"),
		}
	}
	if err == nil {
		return metadata, nil
	}
	err = p.failed(err, wanted{rules: p.spec.Errors})
	failure, judged := errors.AsType[*Failure](err)
	_, other := errors.AsType[*openid.IssuerError](err)
	if judged && other && p.spec.Given != nil {
		failure.Hint = p.names().In("if that is who you mean, write {issuer} in the profile exactly so")
	}
	return nil, err
}

// endpoint returns where to ask for an operation, by the endpoint's name in a discovery document:
// what the Spec or the profile says, else what the issuer's document names.
func (p *discovered) endpoint(ctx context.Context, operation, endpoint string) (*url.URL, error) {
	return p.named(ctx, operation, endpoint, "has no such endpoint")
}

// named is endpoint, with what is said of a document that does not name it.
func (p *discovered) named(ctx context.Context, operation, endpoint, lacking string) (*url.URL, error) {
	if u := p.endpoints[endpoint]; u != nil {
		return u, nil
	}
	if p.issuer == nil {
		return nil, &UnsupportedError{
			Service: p.spec.Title, Operation: operation,
			Why: "the profile has neither " + cmp.Or(p.spec.Given[endpoint], endpoint) + " nor an issuer that would name it",
		}
	}
	metadata, err := p.discover(ctx)
	if err != nil {
		return nil, err
	}
	if u := cmp.Or(p.alias(metadata, endpoint), metadata.Endpoints[endpoint]); u != nil {
		return u, nil
	}
	return nil, p.lacks(operation, lacking)
}

// doubt forgets what the issuer said of an endpoint that is not there: it may have moved since.
func (p *Provider) doubt(ctx context.Context, endpoint string, err error) {
	answered, ok := errors.AsType[*oauth.Error](err)
	gone := []int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone}
	if ok && p.endpoints[endpoint] == nil && slices.Contains(gone, answered.StatusCode) {
		p.discovery.Forget(ctx)
	}
}

// alias is where a client that authenticates with a certificate asks, nil where it asks as all do
// (RFC 8705 §5).
func (p *discovered) alias(metadata *openid.Metadata, endpoint string) *url.URL {
	_, certified := p.auth.(oauth.TLS)
	shown := []string{tokenEndpoint, deviceEndpoint, "introspection_endpoint", "revocation_endpoint"}
	if !certified || !slices.Contains(shown, endpoint) {
		return nil
	}
	return metadata.Aliases[endpoint]
}

// lacks is said of what the issuer's document does not name.
func (p *configured) lacks(operation, what string) error {
	return &UnsupportedError{
		Service: p.spec.Title, Operation: operation,
		Why: "the " + cmp.Or(p.spec.IssuerIs, "issuer") + "'s discovery document " + what,
	}
}

// Verify checks a JWT's signature against the keys that the issuer publishes, and its issuer,
// where that is known; not its times.
func (p *discovered) Verify(ctx context.Context, token secret.Secret) error {
	jwt, err := jose.ParseJWT(token)
	if err != nil {
		return err
	}
	keys, err := p.keys(ctx, jwt)
	if err != nil {
		return err
	}
	if p.issuer == nil {
		return keys.CheckSignature(jwt)
	}
	return keys.Verify(jwt, p.issuer.String())
}

// keys returns the public keys to check a token with.
func (p *discovered) keys(ctx context.Context, token *jose.JWT) (*jose.KeySet, error) {
	at, err := p.named(ctx, PublicKeys, keysEndpoint, "names no keys")
	if err != nil {
		return nil, err
	}
	keys, err := p.discovery.Keys(ctx, at, token)
	if err != nil {
		return nil, p.absent(PublicKeys, p.failed(err, wanted{rules: p.spec.Errors}))
	}
	return keys, nil
}

// Scopes returns the scopes that the issuer publishes (scopes_supported of RFC 8414 §2), which
// need not be all, and are not those that this client may have.
func (p *discovered) Scopes(ctx context.Context) ([]string, error) {
	if p.issuer == nil {
		return nil, &UnsupportedError{
			Service: p.spec.Title, Operation: "list of its scopes", Why: "the profile names no issuer that would publish one",
		}
	}
	metadata, err := p.discover(ctx)
	if err != nil {
		return nil, err
	}
	if len(metadata.ScopesSupported) == 0 {
		return nil, p.lacks("list of its scopes", "names none")
	}
	return metadata.ScopesSupported, nil
}

// checkIDToken checks the ID token that came with a token, if one did: whole where the Spec says
// so, else its nonce. A zero nonce was not sent.
func (p *discovered) checkIDToken(ctx context.Context, token oauth.Token, nonce secret.Secret) error {
	var err error
	switch {
	case token.IDToken.IsZero():
	case p.spec.IDTokens:
		err = p.checkWholeIDToken(ctx, token, nonce)
	case !nonce.IsZero():
		err = openid.CheckNonce(token.IDToken, nonce)
	}
	_, wrong := errors.AsType[*jose.JWTError](err)
	if wrong || errors.Is(err, jose.ErrNotJWT) {
		return protocol(err, "the ID token of %s is not of this login: %v", p.spec.short(), err)
	}
	return err
}

func (p *discovered) checkWholeIDToken(ctx context.Context, token oauth.Token, nonce secret.Secret) error {
	jwt, err := jose.ParseJWT(token.IDToken)
	if err != nil {
		return err
	}
	is := openid.IDToken{
		ClientID: p.settings.Text("client_id"), AnyAlgorithm: true, Nonce: nonce, AccessToken: token.AccessToken,
		Now: token.RequestedAt,
	}
	if p.issuer != nil {
		metadata, err := p.discover(ctx)
		if err != nil {
			return err
		}
		is.Issuer, is.Algorithms, is.AnyAlgorithm = metadata.Issuer, metadata.Algorithms, false
	}
	keys, err := p.keys(ctx, jwt)
	if _, none := errors.AsType[*UnsupportedError](err); err != nil && !none {
		return err
	}
	return is.Check(jwt, keys)
}
