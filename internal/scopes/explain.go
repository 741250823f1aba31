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
	CauseOther       Cause = "other"       // it is not the scope: the status says something else
	CauseUnknown     Cause = "unknown"
)

// Diagnosis is what can be read out of an error. Remote words in it are cleaned, and what
// may be a secret is hidden.
type Diagnosis struct {
	Cause Cause `json:"cause"`
	// Status is the HTTP status, 0 when the text has none.
	Status int `json:"status,omitempty"`
	// Code is the error code, Description the error's own words; either may be empty.
	Code        string `json:"code,omitempty"`
	Description string `json:"description,omitempty"`
	// Needed are the scopes that the error asks for or names, or the text is, sorted.
	Needed []string `json:"needed"`
	// Advice says what to do next.
	Advice string `json:"advice"`
}

// Explain reads a WWW-Authenticate header (RFC 6750 §3), an error body of any of the
// known shapes, or both as curl -i or -v prints them; of several answers the last. Of
// the text the first 64 KiB are read. The services' catalogues tell which words are
// scopes.
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
	said := slices.Concat(typedScope(text, services), scopeWords(p.body, services), scopeWords(d.Description, services))
	d.Cause = causeOf(d, challenge.Scheme, len(named)+len(said) > 0)
	d.Code, d.Description = hide(d.Code), hide(d.Description)
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
	named = slices.DeleteFunc(named, func(name string) bool { return strings.HasSuffix(name, "…") || hide(name) != name })
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
	switch d.Status {
	case 0, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden:
	default:
		return CauseOther
	}
	words := strings.ToLower(d.Code + " " + d.Description)
	has := func(hints ...string) bool {
		return slices.ContainsFunc(hints, func(hint string) bool { return hasWords(words, hint) })
	}
	switch {
	case has("user context", "no user", "missing user", "without a user"):
		return CauseUser
	case has("expired", "invalid token", "token is invalid", "not active", "invalid_access_token", "token not valid"):
		return CauseToken
	case has("scope", "scopes"):
		return CauseScope
	case has("credential", "credentials", "client authentication", "invalid client", "api key", "password"):
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

// hasWords reports whether a text has some words, not as parts of others: "scope" is in
// "missing_scope" and not in "telescope".
func hasWords(text, words string) bool {
	letter := func(b byte) bool { return b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b >= 0x80 }
	for at := 0; ; at++ {
		next := strings.Index(text[at:], words)
		if next < 0 {
			return false
		}
		at += next
		end := at + len(words)
		if (at == 0 || !letter(text[at-1])) && (end == len(text) || !letter(text[end])) {
			return true
		}
	}
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
	case CauseOther:
		return otherAdvice(d.Status)
	default:
		return "the error does not say why: compare the token's scopes with what the call needs, `authctl scopes check`"
	}
}

// otherAdvice says what to do about a status that has nothing to do with scopes (RFC
// 9110 §15).
func otherAdvice(status int) string {
	switch {
	case status < 300:
		return "the call was accepted: no scope is missing for it"
	case status < 400:
		return "the service sends the call elsewhere: check the call's address"
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed, status == http.StatusGone:
		return "check the call's address and method, its account and region, and that what it names is there"
	case status == http.StatusProxyAuthRequired:
		return "a proxy wants credentials: check HTTPS_PROXY and NO_PROXY"
	case status == http.StatusTooManyRequests:
		return "the service limits how often it is called: wait as long as its Retry-After says, then call again"
	case status >= 500:
		return "the service failed, whatever the token: call again later"
	default:
		return "the service refuses what the call says, whatever the token: compare it with the API's page"
	}
}

// Opening returns the scopes of a catalogue that open an API, given by a part of its name
// in any case. Where the catalogue names no API, the scopes' own names count.
func Opening(catalogue providers.Catalogue, api string) []providers.KnownScope {
	api = strings.ToLower(strings.TrimSpace(api))
	var found []providers.KnownScope
	for _, scope := range catalogue.Scopes {
		if api != "" && strings.Contains(strings.ToLower(cmp.Or(scope.API, scope.Name)), api) {
			found = append(found, scope)
		}
	}
	return found
}
