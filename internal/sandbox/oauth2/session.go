package oauth2

import (
	"crypto/rand"
	"html"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/authctl/authctl/internal/sandbox/service"
)

// userInfo is OpenID Connect Core §5.3. POST takes the token from the header or the form, but not from both (RFC 6750
// §2).
func userInfo(x *service.Exchange) service.Reply {
	sent, inForm := service.Bearer(x.Request.Header), x.Form.Get("access_token")
	t, ok := x.Find(sent + inForm)
	switch {
	case sent != "" && inForm != "":
		return failure(http.StatusBadRequest, "", "the token was sent twice")
	case sent+inForm == "":
		return service.Reply{Status: http.StatusUnauthorized}.With("WWW-Authenticate", x.Challenge("Bearer"))
	case !ok || t.Kind != service.AccessToken:
		return failure(http.StatusUnauthorized, "invalid_token", "the access token is unknown, expired or revoked").
			With("WWW-Authenticate", x.Challenge("Bearer", "error", "invalid_token"))
	case t.User == "" || !t.Has("openid"):
		return failure(http.StatusForbidden, "insufficient_scope", "the access token lacks the scope openid").
			With("WWW-Authenticate", x.Challenge("Bearer", "error", "insufficient_scope", "scope", "openid"))
	}
	return service.OK(profile(t.Grant))
}

// posted reads the client of a POST and the token that it is about.
func (i *issuer) posted(x *service.Exchange) (c *service.Client, token string, refused *service.Reply) {
	if x.Bad != "" {
		return nil, "", x.Refuse(x.Bad, "")
	}
	c, refused = i.authenticate(x)
	if token = x.Form.Get("token"); token == "" && refused == nil {
		refused = x.Refuse(service.Missing, "token")
	}
	return c, token, refused
}

// introspect is RFC 7662 §2, for clients that prove who they are.
func (i *issuer) introspect(x *service.Exchange) service.Reply {
	c, token, refused := i.posted(x)
	switch {
	case refused != nil:
		return *refused
	case c.Public:
		return *x.Refuse(service.BadAssertion, "public clients cannot introspect")
	}
	t, ok := x.Find(token)
	if !ok {
		return service.OK(map[string]any{"active": false})
	}
	fields := map[string]any{"iss": name(x), "sub": who(t.Grant), "scope": t.Scope}
	if t.Kind != service.RefreshToken {
		maps.Copy(fields, t.Claims)
	}
	if t.Kind == service.AccessToken {
		fields["token_type"] = "Bearer"
	}
	if t.User != "" {
		fields["username"] = t.User
	}
	maps.Copy(fields, map[string]any{"active": true, "client_id": t.Client})
	return service.OK(fields)
}

// revoke is RFC 7009 §2: a token that is not good is no error, another client's is. An access token ends alone, a
// refresh token with all that was issued with it.
func (i *issuer) revoke(x *service.Exchange) service.Reply {
	c, token, refused := i.posted(x)
	if refused != nil {
		return *refused
	}
	t, ok := x.Find(token)
	switch {
	case ok && t.Client != c.ID:
		return *x.Refuse(service.BadCode, "the token was issued to another client")
	case ok && t.Kind == service.IDToken:
		return failure(http.StatusBadRequest, "unsupported_token_type", "an ID token cannot be revoked")
	case ok:
		x.Forget(token)
	}
	return service.Reply{Status: http.StatusOK}
}

// confirmations are the pages that ask whether to sign out, each good once.
type confirmations struct{ open sync.Map }

// endSession is RP-initiated logout §2. An ID token that was issued here says whose session ends, though it may have
// expired; without one the person is asked, and nobody is sent anywhere.
func (i *issuer) endSession(x *service.Exchange) service.Reply {
	if x.Bad != "" {
		return *x.Refuse(x.Bad, "")
	}
	x.TakeQuery()
	if _, asked := i.asking.open.LoadAndDelete(x.Form.Get("confirmation")); asked {
		x.EndUser(User)
		return said("Signed out", "You are signed out here.")
	}
	hint, back := x.Form.Get("id_token_hint"), x.Form.Get("post_logout_redirect_uri")
	t, ok := x.Known(hint)
	switch {
	case hint == "":
		return i.confirm(x)
	case !ok || t.Kind != service.IDToken, x.Form.Has("client_id") && x.Form.Get("client_id") != t.Client:
		return failure(http.StatusBadRequest, "", "the id_token_hint was not issued here, or not to this client")
	case back != "" && !service.Registered(back):
		return failure(http.StatusBadRequest, "", "the post_logout_redirect_uri is not registered")
	}
	x.End(t.Grant, false)
	if back == "" {
		return said("Signed out", "You are signed out here.")
	}
	u, _ := url.Parse(back) // registered addresses can be read
	query := u.Query()
	if x.Form.Has("state") {
		query.Set("state", x.Form.Get("state"))
	}
	u.RawQuery = query.Encode()
	return service.Redirect(u.String())
}

// confirm asks whether to sign out, since any page could have sent the person here.
func (i *issuer) confirm(x *service.Exchange) service.Reply {
	value := rand.Text()
	i.asking.open.Store(value, true)
	return pageOf().HTML(http.StatusOK, "sign out", strings.NewReplacer(
		"{action}", html.EscapeString(x.Request.URL.Path), "{value}", value,
	).Replace(`<h1>Sign out?</h1>
<p>All sessions of `+User+` end.</p>
<form method="post" action="{action}">
<input type="hidden" name="confirmation" value="{value}">
<div class="buttons"><button>Sign out</button></div>
</form>
`))
}
