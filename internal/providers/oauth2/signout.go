package oauth2

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
)

// signOut revokes what the session has (RFC 7009), the refresh token first, which takes the
// access token with it at most services; and where an ID token was kept, ends the session of the
// browser with it (OpenID Connect RP-Initiated Logout 1.0 §2). One is tried whatever becomes of
// the others, and what the issuer does not have is only told where nothing else was done.
func signOut(
	ctx context.Context, p *providers.Provider, s providers.Session, o providers.SignOutOptions,
) (done providers.SignedOut, err error) {
	var did []string
	var failed, lacks error
	note := func(what string, err error) {
		var unsupported *providers.UnsupportedError
		switch {
		case err == nil:
			did = append(did, what)
		case errors.As(err, &unsupported):
			lacks = cmp.Or(lacks, err)
		case failed == nil:
			failed = err
		}
	}
	if !s.RefreshToken.IsZero() {
		note("revoked the refresh token", revoked(ctx, p, s.RefreshToken, "refresh_token"))
	}
	note("revoked the token", revoked(ctx, p, s.AccessToken, "access_token"))
	var asks bool
	if !s.IDToken.IsZero() {
		reply, err := endSession(ctx, p, s.IDToken, o)
		if asks = asksSomebody(err); !asks {
			note("ended the session", err)
		}
		if err == nil && reply.Location != nil {
			done.RedirectURI = o.RedirectURI
		}
	}
	if len(did) == 0 || failed != nil {
		return done, cmp.Or(failed, lacks)
	}
	done.Did = strings.Join(did, " and ")
	switch {
	case o.Global:
		done.Lacking = "signout --global: a client ends its own session only"
	case asks:
		done.Lacking = "logout that nobody has to confirm in a browser"
	case o.RedirectURI != "" && done.RedirectURI == "":
		done.Lacking = "signout --redirect-uri without an ID token that was kept (keep: [id_token])"
	}
	return done, nil
}

// asksSomebody reports whether the service answered with a page, or sends the browser to one, in a
// success's place.
func asksSomebody(err error) bool {
	reply, ok := errors.AsType[*oauth.ReplyError](err)
	return ok && (reply.StatusCode/100 == 2 || reply.StatusCode/100 == 3)
}

// revoked revokes a token. One that is not valid any more is revoked (RFC 7009 §2.2).
func revoked(ctx context.Context, p *providers.Provider, token secret.Secret, hint string) error {
	err := p.Revoke(ctx, token, hint)
	if answered, ok := errors.AsType[*oauth.Error](err); ok && answered.Code == "invalid_token" {
		return nil
	}
	return err
}

func endSession(
	ctx context.Context, p *providers.Provider, idToken secret.Secret, o providers.SignOutOptions,
) (*oauth.Reply, error) {
	return p.Ask(ctx, providers.SignOut, secret.Secret{}, nil, oauth.CallRequest{
		Params:     url.Values{"client_id": {p.Key().ClientID}, "post_logout_redirect_uri": {o.RedirectURI}},
		Secrets:    map[string]secret.Func{"id_token_hint": secret.Known(idToken)},
		RedirectTo: o.RedirectURI,
	})
}
