package providers

import (
	"fmt"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/setting"
)

// Rule reads one kind of error that a service answers with. Of a list the first that
// fits is taken: a service's own rules stand between those for what stands in front of
// any service and those of RFC 6749.
type Rule struct {
	// Status is the HTTP status, or 4 or 5 for all that begin so; 0 is any.
	Status int
	// Code is the error code, Numeric, or Throttled; empty is any.
	Code string
	// Text is a part of the error's text, whatever its case; empty is any.
	Text string
	// Page wants a page for people in the error's place.
	Page bool
	// If limits the rule to profiles for which the condition holds.
	If *setting.Condition

	// Reason is what the exit code follows.
	Reason Reason
	// Message says in a few words what the service did, behind its name: "refused a
	// scope". Empty means the reason's usual ones. {this} is what the client wanted to do.
	Message string
	// Hint says what to do next; empty means the reason's usual hint.
	Hint string
	// Shows are the settings of tokens that may be what was refused.
	Shows []string
	// StaleToken says that the access token is what was refused.
	StaleToken bool
	// Client says that the client's own credentials are what was refused, and not a user's, a code or
	// the client's rights.
	Client bool
}

// Codes of a Rule that stand for more than one.
const (
	// Numeric is a code that is a number, or no code at all.
	Numeric = "#"
	// Throttled is any code, or a status, that says that the service is asked too often.
	Throttled = "(throttled)"
)

// fits reports whether the rule is for this error.
func (r Rule) fits(err *oauth.Error) bool {
	code := codeOf(err)
	switch {
	case r.Status != 0 && r.Status != err.StatusCode && r.Status != err.StatusCode/100:
		return false
	case r.Page && err.Page == "":
		return false
	case !strings.Contains(strings.ToLower(err.Description), strings.ToLower(r.Text)):
		return false
	}
	switch r.Code {
	case "":
		return true
	case Numeric:
		return strings.Trim(code, "0123456789") == ""
	case Throttled:
		return err.Throttled()
	}
	return r.Code == code
}

// codeOf returns the error's code. Where it is a number, or there is none, a code of
// the standard may begin the text: "invalid_client: Unauthorized".
func codeOf(err *oauth.Error) string {
	word, _, _ := strings.Cut(err.Description, ":")
	if strings.Trim(err.Code, "0123456789") != "" || !isStandard(word) {
		return err.Code
	}
	return word
}

// isStandard reports whether a word is a code of RFC 6749 §5.2.
func isStandard(word string) bool {
	return slices.Contains([]string{
		"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
		"invalid_scope", "access_denied",
	}, word)
}

// wanted is what a client asked of a service, as far as an error's reading needs it.
type wanted struct {
	// grant is the grant of a token request, empty for other requests.
	grant oauth.Grant
	// auth is how the client authenticates, nil when it does not.
	auth oauth.ClientAuth
	// token says that an access token was shown.
	token bool
	// rules are the service's own.
	rules []Rule
}

func (w wanted) this() string {
	if w.grant == "" {
		return "do this"
	}
	return "use the grant " + string(w.grant)
}

// failure makes a failure of an error that the rule fits.
func (r Rule) failure(service string, err *oauth.Error, w wanted) *Failure {
	message := r.Message
	if message == "" {
		message = verdict(r.Reason)
	}
	message = strings.ReplaceAll(message, "{this}", w.this())
	return &Failure{
		Reason: r.Reason, Message: fmt.Sprintf("%s %s: %v", service, message, err), Hint: r.Hint, StaleToken: r.StaleToken,
		Client: r.Client && w.auth != nil,
	}
}

// For returns the rule for a status and a code.
func (r Rule) For(status int, code string) Rule {
	r.Status, r.Code = status, code
	return r
}

// each returns the rule for each of some codes.
func (r Rule) each(codes ...string) []Rule {
	all := make([]Rule, len(codes))
	for i, code := range codes {
		all[i] = r.For(r.Status, code)
	}
	return all
}

// inFront are the rules for what answers in front of a service, or in the same way for
// any: they are about no credentials, whatever the status says.
func inFront() []Rule {
	// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
	noPath := Rule{
		Status: 403, Text: "missing authentication token", Reason: ReasonConfig,
		Message: "has no such path, says the API gateway in front of it",
		Hint:    "check {host} in the profile: the gateway knows no such method and path there",
	}
	byCode := noPath.For(403, "MissingAuthenticationTokenException")
	byCode.Text = ""
	return []Rule{
		{Code: Throttled, Reason: ReasonTemporary},
		{
			Status: 407, Reason: ReasonConfig, Message: "was not reached, a proxy wants other credentials",
			Hint: "give the right user name and password in HTTPS_PROXY; do not repeat this call before, " +
				"or the proxy may lock the account",
		},
		noPath, byCode,
		{
			Status: 403, Page: true, Reason: ReasonConfig,
			Message: "was not reached, what stands in front of it let nobody through",
			Hint: "a firewall, a proxy or a gateway answered in the service's place: check {host} in the profile, " +
				"HTTPS_PROXY, and whether the service may be reached from this network",
		},
		// Spring's words, which come with invalid_client.
		GrantRefused(0, "", "unauthorized grant type"),
	}
}

// GrantRefused is a rule for an error with which a service says that the client is
// known and may not use the grant (RFC 6749 §5.2, unauthorized_client).
func GrantRefused(status int, code, text string) Rule {
	return Rule{
		Status: status, Code: code, Text: text, Reason: ReasonConfig, Message: "does not let this client {this}",
		Hint: "it is not the secret: have this allowed for the client at the service, " +
			"or look at {grant,client_id} in the profile",
	}
}

// StandardCodes are the codes of RFC 6749 §5.2, RFC 6750 §3.1 and RFC 8628 §3.5. A
// service whose statuses have meanings of their own puts them in front of those.
func StandardCodes() []Rule {
	return slices.Concat(
		Rule{Reason: ReasonScope}.each("invalid_scope", "insufficient_scope"),
		Rule{Reason: ReasonTemporary}.each("server_error", "temporarily_unavailable"),
		[]Rule{
			{Status: 5, Reason: ReasonTemporary},
			// RFC 6749 has 401 for a client that failed to authenticate: some write it so.
			{Status: 401, Code: "unauthorized_client", Reason: ReasonCredentials, Client: true},
			{Code: "invalid_client", Reason: ReasonCredentials, Client: true},
			GrantRefused(0, "unauthorized_client", ""),
			{
				Code: "unsupported_grant_type", Reason: ReasonConfig, Message: "does not know how to {this}",
				Hint: "check {base_url,grant} in the profile",
			},
		},
		Rule{Reason: ReasonCredentials}.each("invalid_grant", "access_denied"))
}

// gatewayForbids is an API gateway's whole answer where a token was asked for and its own
// rules let nobody through. With a token shown it can be about that.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
func gatewayForbids(w wanted) []Rule {
	if w.grant == "" {
		return nil
	}
	return []Rule{{
		Status: 403, Code: Numeric, Text: "forbidden", Reason: ReasonConfig,
		Message: "was not reached, a gateway in front of it let nobody through",
		Hint:    "check {base_url,account,region} in the profile, and whether the service may be reached from this network",
	}}
}

// standardStatuses are the statuses of RFC 9110 where no code says more. A 401 is about the client
// (RFC 6749 §5.2), but some services have it for a wrong password too, which is not sent again.
func standardStatuses(w wanted) []Rule {
	return []Rule{
		{Status: 5, Reason: ReasonTemporary},
		{Status: 408, Reason: ReasonTemporary},
		{Status: 401, Reason: ReasonCredentials, Client: w.grant != oauth.Password},
		{Status: 403, Reason: ReasonCredentials},
		{Status: 400, Reason: ReasonConfig},
		{Status: 404, Reason: ReasonConfig},
		{Status: 405, Reason: ReasonConfig},
		{Reason: ReasonProtocol},
	}
}

// refusedLogin are the errors of an authorization endpoint (RFC 6749 §4.1.2.1, OpenID
// Connect Core §3.1.2.6). They come through the browser and have no status.
func refusedLogin() []Rule {
	const busy, fault = "the service is busy: log in again in a while", "the service has a fault: log in again in a while"
	const notTheUser = "it is not the user: "
	const grant = notTheUser + "have the grant authorization_code allowed for client_id at the service"
	return slices.Concat(
		Rule{Reason: ReasonTemporary, Hint: busy}.each("temporarily_unavailable", Throttled),
		Rule{Reason: ReasonConfig, Hint: grant}.each("unauthorized_client", "unsupported_response_type"),
		[]Rule{
			{Code: "server_error", Reason: ReasonTemporary, Hint: fault},
			{Code: "access_denied", Reason: ReasonCredentials, Hint: "log in again, as a user who may"},
			{
				Code: "invalid_scope", Reason: ReasonScope,
				Hint: "check {scopes} in the profile: one of them is unknown there, or not allowed to this client",
			},
			{Code: "invalid_client", Reason: ReasonConfig, Hint: notTheUser + "check {client_id} in the profile"},
			{
				Code: "invalid_request", Reason: ReasonConfig,
				Hint: notTheUser + "check {client_id,redirect_port,pkce} in the profile, " +
					"and that the redirect URI is registered at the service",
			},
			{
				Code: "invalid_redirect_uri", Reason: ReasonConfig,
				Hint: "register the redirect URI at the service, and set its port as {redirect_port} in the profile",
			},
			{Code: "login_required", Reason: ReasonCredentials, Hint: "log in again, and sign in when the page asks"},
			{Code: "interaction_required", Reason: ReasonCredentials, Hint: "log in again, and answer what the page asks"},
			{Code: "consent_required", Reason: ReasonCredentials, Hint: "log in again, and consent when the page asks"},
			{Code: "account_selection_required", Reason: ReasonCredentials, Hint: "log in again, and choose an account"},
			{Reason: ReasonCredentials, Hint: "do what the service says, and log in again"},
		})
}
