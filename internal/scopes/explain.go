package scopes

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
)

// Cause is why a call was refused.
type Cause string

// The causes.
const (
	CauseScope       Cause = "scope"       // the token lacks a scope, or a scope was refused
	CauseToken       Cause = "token"       // the token is expired, revoked or not this service's
	CauseCredentials Cause = "credentials" // the client or the user was refused
	CauseUser        Cause = "user"        // the token has no user, and the call needs one
	CauseUnknown     Cause = "unknown"
)

// Diagnosis is what can be read out of an error. Remote words in it are cleaned.
type Diagnosis struct {
	Cause Cause `json:"cause"`
	// Status is the HTTP status, 0 when the text has none.
	Status int `json:"status,omitempty"`
	// Code is the error code, Description the error's own words; either may be empty.
	Code        string `json:"code,omitempty"`
	Description string `json:"description,omitempty"`
	// Needed are the scopes that the error asks for or names, sorted.
	Needed []string `json:"needed"`
	// Advice says what to do next.
	Advice string `json:"advice"`
}

// Explain reads a WWW-Authenticate header (RFC 6750 §3), an error body of any of the
// known shapes, or both as curl -i prints them. Of the text the first 64 KiB are
// read. The services' catalogues tell which words are scopes.
func Explain(text string, services []providers.Service) Diagnosis {
	p := readPasted(text[:min(len(text), maxPasted)])
	challenge := p.challenge()
	body, known := oauth.ParseErrorBody([]byte(p.body))
	if !known {
		body.Description = plainText(p.body)
	}
	d := Diagnosis{
		Status:      p.status,
		Code:        cmp.Or(body.Code, challenge.Error),
		Description: cmp.Or(body.Description, challenge.Description),
		Needed:      []string{},
	}
	if challenge.Error == "insufficient_scope" {
		// It is more exact than the body's 403.
		d.Code, d.Description = challenge.Error, cmp.Or(challenge.Description, d.Description)
	}
	named := strings.Fields(challenge.Scope + " " + body.Scope)
	said := slices.Concat(scopeWords(p.body, services), scopeWords(d.Description, services))
	d.Cause = causeOf(d, challenge.Scheme, len(named)+len(said) > 0)
	if d.Cause == CauseScope {
		d.Needed = neededScopes(named, said, d.Description)
	}
	d.Advice = advice(d)
	return d
}

// neededScopes takes the scopes of the scope attribute, else catalogue names, else
// what looks like a scope.
func neededScopes(named, said []string, description string) []string {
	// CleanText may have cut the last name.
	named = slices.DeleteFunc(named, func(name string) bool { return strings.HasSuffix(name, "…") })
	switch {
	case len(named) > 0:
		return tidy(named)
	case len(said) > 0:
		return tidy(said)
	default:
		return tidy(append([]string{}, likelyScopes(description)...))
	}
}

// causeOf judges by the code first, then by the words, then by the status. named
// says that the error names scopes.
func causeOf(d Diagnosis, scheme string, named bool) Cause {
	switch d.Code {
	case "insufficient_scope", "invalid_scope":
		return CauseScope
	case "invalid_token":
		return CauseToken
	case "invalid_client", "invalid_grant", "unauthorized_client", "access_denied", "603":
		// 603 is Genesys's "Unauthorized".
		return CauseCredentials
	}
	words := strings.ToLower(d.Code + " " + d.Description)
	has := func(hints ...string) bool {
		return slices.ContainsFunc(hints, func(s string) bool { return strings.Contains(words, s) })
	}
	switch {
	case has("user context", "no user", "missing user", "without a user"):
		return CauseUser
	case has("scope"):
		return CauseScope
	case has("expired", "invalid token", "token is invalid", "not active", "invalid_access_token", "token not valid"):
		return CauseToken
	case has("credential", "client authentication", "invalid client", "api key", "password"):
		return CauseCredentials
	case named && (d.Status == 0 || d.Status == http.StatusUnauthorized || d.Status == http.StatusForbidden):
		return CauseScope
	case d.Status == http.StatusUnauthorized && strings.EqualFold(scheme, "Basic"):
		return CauseCredentials
	case d.Status == http.StatusUnauthorized || d.Status == 0 && strings.EqualFold(scheme, "Bearer"):
		return CauseToken
	}
	return CauseUnknown
}

// advice says what to do, in words.
func advice(d Diagnosis) string {
	switch d.Cause {
	case CauseScope:
		if d.Code == "invalid_scope" {
			return "the service refused a scope when a token was asked for: see which ones the client gets with " +
				"`authctl scopes probe`, or wait for one that was just added with `authctl scopes wait`"
		}
		if len(d.Needed) == 0 {
			return "the token lacks a scope, but the error does not say which: give the API's name to `authctl scopes explain`"
		}
		return "add the scope to the profile, and to the client at the service, then get a new token with --force-refresh"
	case CauseToken:
		return "the token is expired, revoked or another service's: get a new one " +
			"with `authctl token get --force-refresh`; if that is refused too, check that the call goes to the same " +
			"account and region"
	case CauseCredentials:
		return "the service refused the client or the user: check client_id, client_secret or private_key and, " +
			"where the profile has them, api_key, username and password"
	case CauseUser:
		return "the call needs a user and the token has none: set grant: authorization_code in the profile, " +
			"then run `authctl login`"
	default:
		return "the error does not say why: compare the token's scopes with what the call needs, `authctl scopes check`"
	}
}

// Opening returns the scopes that open an API, given by a part of its name in any
// case. Where a catalogue names no API, the scopes' own names count.
func Opening(catalogues []providers.Catalogue, api string) []providers.KnownScope {
	api = strings.ToLower(strings.TrimSpace(api))
	var found []providers.KnownScope
	for _, c := range catalogues {
		for _, scope := range c.Scopes {
			if api != "" && strings.Contains(strings.ToLower(cmp.Or(scope.API, scope.Name)), api) {
				found = append(found, scope)
			}
		}
	}
	return found
}
