package scopes

import (
	"bufio"
	"cmp"
	"io"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/authctl/authctl/internal/oauth"
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
	status, challenge, text := readResponse(strings.TrimSpace(text))
	body, parsed := oauth.ParseErrorBody([]byte(text))
	d := Diagnosis{
		Status: status, Code: cmp.Or(body.Code, challenge.Error), Needed: []string{},
		Description: cmp.Or(body.Description, challenge.Description),
	}
	if challenge.Error == "insufficient_scope" { // more exact than the body's 403
		d.Code, d.Description = challenge.Error, cmp.Or(challenge.Description, d.Description)
	}
	known := namesOf(services)
	isKnown := func(word string) bool { return slices.Contains(known, word) && strings.ContainsAny(word, ":/") }
	needed := strings.Fields(challenge.Scope + " " + body.Scope)
	if len(needed) == 0 {
		needed = slices.DeleteFunc(wordsOf(text+" "+d.Description), func(word string) bool { return !isKnown(word) })
	}
	d.judge(challenge.Scheme, len(needed) > 0)
	if d.Cause == "scope" {
		cut := func(name string) bool { return strings.HasSuffix(name, "…") || strings.HasPrefix(name, "eyJ") }
		d.Needed = append(d.Needed, tidy(slices.DeleteFunc(needed, cut))...)
	}
	d.Code, d.Description = plain(d.Code, isKnown), plain(d.Description, isKnown)
	return d, status != 0 || parsed || challenge.Scheme != ""
}

// readResponse takes the last response of a text apart: its status, the challenge that carries an error, else the first
// one, and its body. A header without a status line, and the bare value of WWW-Authenticate, are read as well.
func readResponse(text string) (status int, challenge oauth.Challenge, body string) {
	scheme, _, _ := strings.Cut(strings.ToLower(text), " ")
	if slices.Contains([]string{"bearer", "basic", "dpop"}, scheme) {
		text = "WWW-Authenticate: " + strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r <= ' ' }), " ")
	}
	for again := true; again; again = strings.HasPrefix(text, "HTTP/") {
		line, rest, _ := strings.Cut(text, "\n")
		answers := strings.HasPrefix(line, "HTTP/")
		if words := strings.Fields(line); answers && len(words) > 1 {
			status, _ = strconv.Atoi(words[1])
			text = rest
		}
		in := bufio.NewReader(strings.NewReader(text + "\n\n"))
		header, err := textproto.NewReader(in).ReadMIMEHeader()
		found := oauth.ParseChallenges(strings.Join(header.Values("WWW-Authenticate"), ", "))
		if !answers && (err != nil || len(found) == 0) {
			break
		}
		left, _ := io.ReadAll(in)
		text, challenge = strings.TrimSpace(string(left)), oauth.Challenge{}
		for _, c := range slices.Backward(found) {
			if challenge.Error == "" || c.Error != "" {
				challenge = c
			}
		}
	}
	return status, challenge, text
}

// judge says the cause: by the code, then by the words, then by the status. named says that the error names scopes.
func (d *Diagnosis) judge(scheme string, named bool) {
	split := func(r rune) bool { return r < 'a' || r > 'z' }
	words := " " + strings.Join(strings.FieldsFunc(strings.ToLower(d.Code+" "+d.Description), split), " ") + " "
	has := func(hints ...string) bool {
		return slices.ContainsFunc(hints, func(hint string) bool { return strings.Contains(words, " "+hint+" ") })
	}
	denied := d.Status == 0 || d.Status == 401 || d.Status == 403
	switch {
	case slices.Contains([]string{"insufficient_scope", "invalid_scope"}, d.Code):
		d.Cause = "scope"
	case slices.Contains([]string{"invalid_client", "invalid_grant", "unauthorized_client", "access_denied"}, d.Code),
		d.Code == "603": // Genesys's "Unauthorized"
		d.Cause = "credentials"
	case !denied && d.Status != 400 && d.Code != "invalid_token":
		d.Cause = "other"
	case has("user context", "no user", "missing user", "without a user"):
		d.Cause = "user"
	case has("expired", "invalid token", "token is invalid", "not active", "invalid access token", "token not valid"):
		d.Cause = "token"
	case has("scope", "scopes"):
		d.Cause = "scope"
	case has("credential", "credentials", "client authentication", "invalid client", "api key", "password"):
		d.Cause = "credentials"
	case named && denied:
		d.Cause = "scope"
	case d.Status == 401 && strings.EqualFold(scheme, "Basic"):
		d.Cause = "credentials"
	case d.Status == 401, d.Status == 0 && strings.EqualFold(scheme, "Bearer"):
		d.Cause = "token"
	default:
		d.Cause = "unknown"
	}
	d.What, d.Advice = d.words()
}

// words says what the cause is and what to do about it.
func (d *Diagnosis) words() (what, advice string) {
	switch {
	case d.Code == "invalid_scope":
		return "a scope was refused when a token was asked for", "see which ones the client gets with " +
			"`authctl scopes probe`, or wait for one that was just added with `authctl scopes wait`"
	case d.Cause == "scope":
		return "the token lacks a scope", "add the scope to the profile, and to the client at the service, then get a " +
			"new token with --force-refresh; which one it is tells `authctl scopes explain` of the API's name"
	case d.Cause == "token":
		return "the token is not accepted", "it is expired, revoked or another service's: get a new one with " +
			"`authctl token get --force-refresh`, and check the account and region of the call"
	case d.Cause == "credentials":
		return "the client or the user is not accepted", "check client_id, client_secret or private_key and, where " +
			"the profile has them, api_key, username and password"
	case d.Cause == "user":
		return "the token has no user", "set grant: authorization_code in the profile, then run `authctl login`"
	case d.Cause == "unknown":
		return "not said", "the error does not say why: compare the token's scopes with what the call needs, " +
			"`authctl scopes check`"
	case d.Status < 300:
		return "not the scope", "the call was accepted: no scope is missing for it"
	case d.Status == 429:
		return "not the scope", "the service limits how often it is called: wait as long as its Retry-After says, " +
			"then call again"
	case d.Status >= 500:
		return "not the scope", "the service failed, whatever the token: call again later"
	}
	return "not the scope", "check the call's address and method, its account and region, and that what it names is there"
}

// plain is a text with "…" for what is neither a plain word, a short number nor a scope of
// a catalogue: it may be a secret.
func plain(text string, isKnown func(word string) bool) string {
	words := strings.Fields(text)
	for i, word := range words {
		bare := strings.Trim(word, `.,:;!?"'()[]`)
		left := strings.Trim(strings.ToLower(bare), "abcdefghijklmnopqrstuvwxyz_'")
		number := left == bare && strings.Trim(left, "0123456789") == "" && len(left) <= 7
		if left != "" && !number && !isKnown(bare) || len(bare) > 30 && !isKnown(bare) {
			words[i] = "…"
		}
	}
	return strings.Join(words, " ")
}

// wordsOf splits a text at everything that no scope of a catalogue has.
func wordsOf(text string) []string {
	words := strings.FieldsFunc(text, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune(":./-_*", r)
	})
	for i, word := range words {
		words[i] = strings.Trim(word, ":.")
	}
	return words
}

// Said is the error in its own words, empty where it has none.
func (d *Diagnosis) Said() string {
	status := ""
	if d.Status != 0 {
		status = strconv.Itoa(d.Status)
	}
	return strings.Join(strings.Fields(status+" "+d.Code+" "+d.Description), " ")
}
