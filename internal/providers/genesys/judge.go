package genesys

import (
	"errors"
	"net/http"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
)

// tokenRules read the token endpoint's errors. Their code is often the HTTP status
// again, and the standard's code then begins the message. A 403 may be the API key's,
// which a gateway checks, as well as the client's; status 603 is "Unauthorized"; 400 is
// what a wrong user or password gives.
func tokenRules(grant string) []providers.Rule {
	hint := "check {credentials} in the profile"
	if grant == password {
		hint += `; the username is tenant\user`
	}
	rules := []providers.Rule{{Code: "invalid_grant", Reason: providers.ReasonCredentials, Hint: hint}}
	rules = append(rules, providers.StandardCodes()...)
	return append(rules,
		refusedClient(providers.Rule{Status: http.StatusForbidden}),
		refusedClient(providers.Rule{Code: unauthorized}),
		providers.Rule{
			Status: http.StatusBadRequest, Code: providers.Numeric, Reason: providers.ReasonCredentials, Hint: hint,
		},
	)
}

// unauthorized is the API's own code for what 401 says.
const unauthorized = "603"

// refusedClient completes a rule for what the API key may be the reason of.
func refusedClient(r providers.Rule) providers.Rule {
	r.Reason = providers.ReasonCredentials
	r.Hint = "check {api_key,client_id,client_secret} in the profile; the client may lack the grant"
	return r
}

// callRules read the errors of the endpoints that take a token. The reply may be 200
// and carry the status of a failure inside.
func callRules() []providers.Rule {
	return []providers.Rule{
		{Status: http.StatusUnauthorized, Reason: providers.ReasonCredentials, StaleToken: true},
		{Code: unauthorized, Reason: providers.ReasonCredentials, StaleToken: true},
		refusedClient(providers.Rule{Status: http.StatusForbidden}),
	}
}

// isRefusedToken reports whether err says that the token is not valid (any more). A
// page with that status is not the API's word.
func isRefusedToken(err error) bool {
	answered, ok := errors.AsType[*oauth.Error](err)
	return ok && answered.StatusCode == http.StatusUnauthorized && answered.Page == ""
}

// pingRules read the errors of /ping: refused, not there, or no such path.
func pingRules() []providers.Rule {
	refused := providers.Rule{
		Reason: providers.ReasonCredentials, StaleToken: true,
		Message: "is there and says: not authenticated", Hint: "log in again, or check api_key",
	}
	byStatus, byGateway, byCode := refused, refused, refused
	byStatus.Status, byGateway.Status, byCode.Code = http.StatusForbidden, http.StatusUnauthorized, unauthorized
	const hint = "check {base_url} in the profile: there is no such API at that address"
	return []providers.Rule{
		byStatus, byGateway, byCode,
		{Status: http.StatusRequestTimeout, Reason: providers.ReasonTemporary, Message: "is unavailable"},
		{Status: 4, Reason: providers.ReasonConfig, Message: "has no ping there", Hint: hint},
		{Reason: providers.ReasonTemporary, Message: "is unavailable"},
	}
}

// passwordRules read the errors of /change-password, where the page gives 403 one
// meaning.
func passwordRules() []providers.Rule {
	return append([]providers.Rule{{
		Status: http.StatusForbidden, Reason: providers.ReasonCredentials, Message: "is unable to update password",
		Hint: "check the old password, and the rules for a new one",
	}}, callRules()...)
}
