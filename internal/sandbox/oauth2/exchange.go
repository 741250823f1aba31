package oauth2

import (
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/sandbox/service"
)

// The types of tokens that can be exchanged and had (RFC 8693 §3).
const (
	accessType = "urn:ietf:params:oauth:token-type:access_token"
	jwtType    = "urn:ietf:params:oauth:token-type:jwt"
	idType     = "urn:ietf:params:oauth:token-type:id_token"
)

// badExchange is what RFC 8693 §2.2.2 says of every token that cannot be exchanged.
const badExchange service.Problem = "400 invalid_request %s"

// exchange is the grant of RFC 8693: a token for another that speaks for the same user, client or job and reaches no
// further. With an actor the new token says who acts for whom (§4.1).
func (i *issuer) exchange(x *service.Exchange, c *service.Client) (*service.Grant, *service.Reply) {
	of, refused := i.shown(x, "subject")
	if refused != nil {
		return nil, refused
	}
	wanted, asked := x.Form.Get("requested_token_type"), x.Form.Get("scope")
	g := &service.Grant{
		Client: c.ID, User: of.User, Subject: who(of), SID: of.SID, At: of.At, Scope: of.Scope, Actor: of.Actor, Final: true,
	}
	if wanted != "" && wanted != accessType && wanted != jwtType && (wanted != idType || of.User == "") {
		return nil, x.Refuse(badExchange, "a token of the requested_token_type cannot be issued")
	}
	for scope := range strings.FieldsSeq(asked) {
		if g.Scope = asked; !of.Has(scope) {
			return nil, x.Refuse(service.BadScope, asked)
		}
	}
	if !x.Form.Has("actor_token") && !x.Form.Has("actor_token_type") {
		return g, nil
	}
	actor, refused := i.shown(x, "actor")
	if refused != nil {
		return nil, refused
	}
	g.Actor = map[string]any{"sub": who(actor), "client_id": actor.Client}
	if of.Actor != nil { // who acted before (§4.1)
		g.Actor["act"] = of.Actor
	}
	return g, nil
}

// shown is the grant behind the subject's or the actor's token. A job's identity token is one too, with every scope.
func (i *issuer) shown(x *service.Exchange, of string) (*service.Grant, *service.Reply) {
	token, kind := x.Form.Get(of+"_token"), x.Form.Get(of+"_token_type")
	switch {
	case token == "" || kind == "":
		return nil, x.Refuse(service.Missing, of+"_token and "+of+"_token_type")
	case !slices.Contains([]string{accessType, jwtType, idType}, kind):
		return nil, x.Refuse(badExchange, "the "+of+"_token_type is not supported")
	}
	t, ok := x.Find(token)
	fits := kind == jwtType || (kind == idType) == (t.Kind == service.IDToken)
	if ok && fits && t.Kind != service.RefreshToken {
		return t.Grant, nil
	}
	if job, problem := i.job(x, token); kind != accessType && problem == "" {
		return &service.Grant{Subject: job, Scope: strings.Join(x.Scopes, " "), At: x.Now}, nil
	}
	return nil, x.Refuse(badExchange, "the "+of+"_token is invalid, expired or of another type")
}

// who is the subject of a grant's tokens (RFC 7519 §4.1.2).
func who(g *service.Grant) string {
	switch {
	case g.Subject != "":
		return g.Subject
	case g.User != "":
		return userID
	}
	return g.Client
}
