package scopes

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/oauth/challenge"
	"github.com/authctl/authctl/internal/providers"
)

// Diagnosis is what an error says: of remote text only codes, scopes and plain words.
type Diagnosis struct {
	// Cause is why a call was refused: scope, token, credentials, user, other (not the scope) or unknown.
	Cause string `json:"cause"`
	// Status is the HTTP status, Code the error code, Description its own words, each where there is one.
	Status      int    `json:"status,omitempty"`
	Code        string `json:"code,omitempty"`
	Description string `json:"description,omitempty"`
	// Needed are the scopes that the error asks for or names, sorted.
	Needed []string `json:"needed"`
	Advice string   `json:"advice"`
	// What says the cause in words.
	What string `json:"-"`
}

// Explain reads a WWW-Authenticate header (RFC 6750 §3), the body of an error, or responses as curl -i prints them, of
// which the last counts. It is false for all else.
func Explain(text string, services []providers.Spec) (Diagnosis, bool) {
	status, said, text := readResponse(strings.TrimSpace(text))
	body, parsed := oauth.ParseErrorBody([]byte(text))
	d := Diagnosis{
		Status: status, Code: cmp.Or(body.Code, said.Error), Needed: []string{},
		Description: cmp.Or(body.Description, said.Description),
	}
	if said.Error == "insufficient_scope" { // more exact than the body's 403
		d.Code, d.Description = said.Error, cmp.Or(said.Description, d.Description)
	}
	isKnown := unmistakable(services)
	needed := strings.Fields(said.Scope + " " + body.Scope)
	if len(needed) == 0 {
		needed = slices.DeleteFunc(wordsOf(text+" "+d.Description), func(word string) bool { return !isKnown(word) })
	}
	d.Cause = d.cause(said.Scheme, len(needed) > 0)
	d.What, d.Advice = d.advice()
	if d.Cause == "scope" {
		cut := func(name string) bool { return strings.HasSuffix(name, "…") || strings.HasPrefix(name, "eyJ") }
		d.Needed = append(d.Needed, tidy(slices.DeleteFunc(needed, cut))...)
	}
	d.Code, d.Description = plain(d.Code, isKnown), plain(d.Description, isKnown)
	return d, status != 0 || parsed || said.Scheme != ""
}

// readResponse takes the last response of a text apart. A header without a status line, and the bare value of
// WWW-Authenticate, are read as well; all else is a body.
func readResponse(text string) (status int, said challenge.Challenge, body string) {
	scheme, _, _ := strings.Cut(strings.ToLower(text), " ")
	if slices.Contains([]string{"bearer", "basic", "dpop"}, scheme) {
		text = "WWW-Authenticate: " + strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r <= ' ' }), " ")
	}
	for again := true; again; again = strings.HasPrefix(text, "HTTP/") {
		_, answer, found := strings.Cut(text, " ") // net/http knows no HTTP/2 in words
		if !found || !strings.HasPrefix(text, "HTTP/") {
			answer = "000\n" + text
		}
		in := bufio.NewReader(strings.NewReader("HTTP/1.1 " + answer + "\n\n"))
		response, err := http.ReadResponse(in, nil)
		if err != nil || response.StatusCode == 0 && response.Header.Get("WWW-Authenticate") == "" {
			break
		}
		rest, _ := io.ReadAll(in) // as it is: curl has decoded it
		_ = response.Body.Close()
		status, said, text = response.StatusCode, challenge.In(response.Header, nil), strings.TrimSpace(string(rest))
	}
	return status, said, text
}

// cause is what the code says, else the words, else the status. named says that the error names scopes.
func (d *Diagnosis) cause(scheme string, named bool) string {
	split := func(r rune) bool { return r < 'a' || r > 'z' }
	words := " " + strings.Join(strings.FieldsFunc(strings.ToLower(d.Code+" "+d.Description), split), " ") + " "
	has := func(hints ...string) bool {
		return slices.ContainsFunc(hints, func(hint string) bool { return strings.Contains(words, " "+hint+" ") })
	}
	badCredentials := strings.Fields("invalid_client invalid_grant unauthorized_client access_denied 603") // 603: Genesys
	denied := d.Status == 0 || d.Status == 401 || d.Status == 403
	switch {
	case d.Code == "insufficient_scope" || d.Code == "invalid_scope":
		return "scope"
	case slices.Contains(badCredentials, d.Code):
		return "credentials"
	case !denied && d.Status != 400 && d.Code != "invalid_token":
		return "other"
	case has("user context", "no user", "missing user", "without a user"):
		return "user"
	case has("expired", "invalid token", "token is invalid", "not active", "invalid access token", "token not valid"):
		return "token"
	case has("scope", "scopes"):
		return "scope"
	case has("credential", "credentials", "client authentication", "invalid client", "api key", "password"):
		return "credentials"
	case named && denied:
		return "scope"
	case d.Status == 401 && strings.EqualFold(scheme, "Basic"):
		return "credentials"
	case d.Status == 401, d.Status == 0 && strings.EqualFold(scheme, "Bearer"):
		return "token"
	}
	return "unknown"
}

// advice says what the cause is and what to do about it.
func (d *Diagnosis) advice() (what, advice string) {
	said := map[string][2]string{
		"scope": {"the token lacks a scope", "add the scope to the profile, and to the client at the service, then get a " +
			"new token with --force-refresh; which one it is tells `authctl scopes explain` of the API's name"},
		"token": {"the token is not accepted", "it is expired, revoked or another service's: get a new one with " +
			"`authctl token get --force-refresh`, and check the account and region of the call"},
		"credentials": {"the client or the user is not accepted", "check client_id, client_secret or private_key and, " +
			"where the profile has them, api_key, username and password"},
		"user": {"the token has no user", "set grant: authorization_code in the profile, then run `authctl login`"},
		"unknown": {"not said", "the error does not say why: compare the token's scopes with what the call needs, " +
			"`authctl scopes check`"},
	}[d.Cause]
	const other = "not the scope"
	switch {
	case d.Code == "invalid_scope":
		return "a scope was refused when a token was asked for", "see which ones the client gets with " +
			"`authctl scopes probe`, or wait for one that was just added with `authctl scopes wait`"
	case d.Cause != "other":
		return said[0], said[1]
	case d.Status < 300:
		return other, "the call was accepted: no scope is missing for it"
	case d.Status == 429:
		return other, "the service limits how often it is called: wait as long as its Retry-After says, then call again"
	case d.Status >= 500:
		return other, "the service failed, whatever the token: call again later"
	}
	return other, "check the call's address and method, its account and region, and that what it names is there"
}

// Said is the error in its own words, empty where it has none.
func (d *Diagnosis) Said() string {
	words := strings.Fields(fmt.Sprint(d.Status, " ", d.Code, " ", d.Description))
	if d.Status == 0 {
		words = words[1:]
	}
	return strings.Join(words, " ")
}
