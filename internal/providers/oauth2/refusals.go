package oauth2

import (
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
)

// refusals are the errors of a token endpoint that are about what only such profiles have.
func refusals() []providers.Rule {
	all := []providers.Rule{
		{ // RFC 8707 §2
			Code: "invalid_target", Reason: providers.ReasonConfig, Message: "gives no token for what the profile names",
			Hint: "check {audience,resource} in the profile",
		},
		{
			Code: "invalid_grant", If: of(oauth.RefreshToken), Reason: providers.ReasonCredentials,
			Message: "refused the refresh token",
			Hint:    "check {refresh_token} in the profile: it may be spent, revoked or expired, or another client's",
		},
	}
	// RFC 8693 §2.2.2 has one code for all that is wrong with the tokens; the text may say which.
	const code = "invalid_request"
	for _, name := range []string{"requested_token_type", "subject_token_type", "actor_token_type"} {
		all = append(all, exchangeRefused(code, name, "check {"+name+"} in the profile"))
	}
	shows := []string{"subject_token", "actor_token"}
	actor := exchangeRefused(code, shows[1], "check {actor_token,actor_token_type} in the profile")
	actor.Shows = shows[1:]
	all = append(all, actor)
	for _, code := range []string{code, "invalid_grant", "invalid_token"} {
		r := exchangeRefused(code, "",
			"check {subject_token,subject_token_type,actor_token,requested_token_type} in the profile")
		r.Shows = shows
		all = append(all, r)
	}
	return all
}

// exchangeRefused is a rule for an error of a token exchange.
func exchangeRefused(code, text, hint string) providers.Rule {
	r := providers.Rule{
		Code: code, Text: text, If: of(oauth.TokenExchange), Reason: providers.ReasonConfig, Message: "refused the exchange",
		Hint: hint + "; --dry-run shows the request",
	}
	if code != "invalid_request" {
		r.Reason = providers.ReasonCredentials
	}
	return r
}
