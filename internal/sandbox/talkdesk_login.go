package sandbox

import (
	"net/http"
	"slices"
	"strings"
)

const (
	talkdeskSignInPath = "/oauth/sign-in"
	talkdeskUserID     = "5f0c0de0cafe000000000101"
)

// authorize is GET /oauth/authorize
// (https://docs.talkdesk.com/reference/authorization-code-basic).
func (t *talkdesk) authorize(x *exchange) reply {
	a, wrong, problem := x.readAuthorization(t.clients)
	switch {
	case problem != "" && a.client == nil:
		return errorPage(t.signInPage(""), http.StatusUnauthorized, problem)
	case problem != "":
		return errorPage(t.signInPage(""), http.StatusBadRequest, problem)
	case wrong != nil:
		return x.backWith(a, *wrong)
	}
	scopes, ok := t.scopes(x, a.client, a.scope, "openid")
	if !ok {
		return x.backWith(a, authorizeError{"invalid_scope", "the requested scope is invalid or unknown"})
	}
	a.scope = strings.Join(scopes, " ")
	return t.consents.toSignIn(x, a, talkdeskSignInPath)
}

// signIn is the page that people see, and where its form is posted to.
func (t *talkdesk) signIn(x *exchange) reply {
	if x.r.Method == http.MethodGet {
		_, session, refused := t.consents.show(x, t.signInPage(""))
		if refused != nil {
			return *refused
		}
		return t.signInPage(session).form()
	}
	a, session, refused := t.consents.answer(x, t.signInPage(""))
	if refused != nil {
		return *refused
	}
	username := strings.TrimSpace(x.form.Get("username"))
	if !strings.EqualFold(username, TalkdeskUser) || x.form.Get("password") != TalkdeskPassword {
		p := t.signInPage(session)
		p.problem = "The email or password is wrong."
		p.fill("username", username)
		return p.form()
	}
	if !t.consents.close(session) {
		return errorPage(t.signInPage(""), http.StatusBadRequest, "This sign-in has ended.")
	}
	given := &grant{service: t.name(), client: a.client.id, user: TalkdeskUser, scope: a.scope, sid: newUUID()}
	return x.consent(&t.consents, a, given)
}

func (*talkdesk) signInPage(session string) signInPage {
	return signInPage{
		brand: "Talkdesk", accent: "#6a45e0", action: talkdeskSignInPath, session: session,
		fields: []field{
			{"username", "Email", "email", "username", ""},
			{"password", "Password", "password", "current-password", ""},
		},
		hint: TalkdeskUser + " with the password", password: TalkdeskPassword,
	}
}

// exchangeCode is the grant authorization_code. An ID token comes when openid
// was among the scopes of the authorization, and only here.
func (t *talkdesk) exchangeCode(x *exchange, c *client) reply {
	for _, name := range []string{"code", "redirect_uri"} {
		if x.form.Get(name) == "" {
			return t.refusal(http.StatusBadRequest, "missing parameter: "+name)
		}
	}
	code, problem := x.redeem(&t.consents, c)
	if problem != "" {
		return oauthError(http.StatusBadRequest, "invalid_grant", problem)
	}
	rep := t.issue(x, code.grant, x.s.tokens.begin(code.grant))
	if !rep.token || !slices.Contains(strings.Fields(code.scope), "openid") {
		return rep
	}
	lifetime := x.lifetime(talkdeskLifetime)
	claims := map[string]any{
		"iss": talkdeskIssuer, "aud": c.id, "sub": talkdeskUserID, "sid": code.grant.sid, "jti": newUUID(),
		"iat": x.now.Unix(), "exp": x.now.Add(lifetime).Unix(), "name": "Jane Doe", "email": TalkdeskUser,
	}
	if code.nonce != "" {
		claims["nonce"] = code.nonce
	}
	id, err := t.signer.sign(claims)
	if err != nil {
		return t.refusal(http.StatusInternalServerError, http.StatusText(http.StatusInternalServerError))
	}
	x.remember(code.grant, id, idToken, lifetime)
	rep.fields["id_token"] = id
	return rep
}
