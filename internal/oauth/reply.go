package oauth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/authctl/authctl/internal/secret"
)

// maxTokenSize is more than any header could carry.
const maxTokenSize = 64 << 10

// reply is what an endpoint sent.
type reply struct {
	endpoint string
	status   int
	header   http.Header
	body     []byte
	secrets  secret.Redactor
	// tell gets what is too long to be shown to everybody; nil means nobody does.
	tell func(string)
}

// members are the named values of a reply, whichever way it was written; those
// of a form-encoded one are held as JSON strings.
type members map[string]json.RawMessage

// token reads a token reply (RFC 6749 §5.1), asked at one moment, read at another.
func (r *reply) token(asked, now time.Time) (Token, error) {
	if r.status >= http.StatusBadRequest {
		return Token{}, r.serviceError(r.membersIfAny(), now)
	}
	if r.status < http.StatusOK || r.status >= http.StatusMultipleChoices {
		return Token{}, r.unusable(r.redirectText())
	}
	if len(r.body) > maxReply {
		return Token{}, r.unusable("it is larger than 1 MiB")
	}
	m, problem := parseMembers(r.header.Get("Content-Type"), r.body)
	if problem != "" {
		return Token{}, r.unusable(r.insteadOfJSON(problem))
	}
	if m.hasError() {
		return Token{}, r.serviceError(m, now)
	}
	t, problem := m.token(withTokens(r.secrets, m))
	if problem != "" {
		return Token{}, r.unusable(problem)
	}
	t.RequestedAt = asked
	return t, nil
}

func (r *reply) unusable(problem string) *ReplyError {
	return &ReplyError{Endpoint: r.endpoint, StatusCode: r.status, Problem: problem}
}

// membersIfAny is for an error status, where no body is fine too.
func (r *reply) membersIfAny() members {
	if len(r.body) > maxReply {
		return nil
	}
	m, _ := parseMembers(r.header.Get("Content-Type"), r.body)
	return m
}

// redirectText names the host that a redirect points to, nothing more of it.
func (r *reply) redirectText() string {
	u, err := url.Parse(r.header.Get("Location"))
	switch {
	case !isRedirect(r.status):
		return "it is neither a success nor an error"
	case err != nil || u.Host == "":
		return "it is a redirect, which is never followed"
	}
	return "it is a redirect to host " + strconv.Quote(r.secrets.Clean(u.Hostname())) + ", which is never followed"
}

// parseMembers reads JSON or a form. A body that begins like a JSON object is
// one; else the Content-Type decides, and where that is missing or plain text
// the names do. The second result says what is wrong, and quotes nothing.
func parseMembers(contentType string, body []byte) (members, string) {
	body = trimmed(body)
	media := mediaType(contentType)
	switch {
	case len(body) == 0:
		return nil, "it is empty"
	case body[0] == '{':
		return parseObject(body)
	case media == "application/x-www-form-urlencoded":
		if m := parseForm(body); m != nil {
			return m, ""
		}
		return nil, "it is not form-encoded as its Content-Type says"
	case media == "" || media == "text/plain":
		if m := parseForm(body); m["access_token"] != nil || m["error"] != nil {
			return m, ""
		}
	}
	return nil, notObject
}

// notObject is the problem of a body that is something else than it should be.
const notObject = "it is not a JSON object"

// mediaType returns a Content-Type in lower case without its parameters.
func mediaType(contentType string) string {
	media, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	return strings.TrimSpace(media)
}

// trimmed returns a body without a byte order mark and white space around it.
func trimmed(body []byte) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xEF\xBB\xBF")))
}

// object reads the body as the one JSON object it has to be; the second result is the
// problem.
func (r *reply) object() (members, string) {
	body := trimmed(r.body)
	switch {
	case len(body) == 0:
		return nil, "it is empty"
	case body[0] != '{':
		return nil, r.insteadOfJSON(notObject)
	}
	return parseObject(body)
}

func parseObject(body []byte) (members, string) {
	var m members
	if err := json.Unmarshal(body, &m); err != nil {
		if body[len(body)-1] != '}' {
			return nil, "it is JSON that ends early"
		}
		return nil, "it is not valid JSON"
	}
	return m, ""
}

func parseForm(body []byte) members {
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil
	}
	m := members{}
	for name := range values {
		quoted, err := json.Marshal(values.Get(name))
		if err != nil {
			return nil
		}
		m[name] = quoted
	}
	return m
}

// text returns a member that must be a string; absent and null count as empty.
func (m members) text(name string) (string, bool) {
	raw := m[name]
	if len(raw) == 0 || string(raw) == "null" {
		return "", true
	}
	var s string
	return s, json.Unmarshal(raw, &s) == nil
}

// scalar returns a string as it is and a number as written, else nothing.
func (m members) scalar(name string) string {
	if s, ok := m.text(name); ok {
		return s
	}
	if raw := m[name]; raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9' {
		return string(raw)
	}
	return ""
}

// token takes the members of RFC 6749 §5.1; the second result is the problem.
func (m members) token(secrets secret.Redactor) (t Token, problem string) {
	for _, f := range []struct {
		name     string
		required bool
		to       *secret.Secret
	}{
		{"access_token", true, &t.AccessToken},
		{"refresh_token", false, &t.RefreshToken},
		{"id_token", false, &t.IDToken},
	} {
		value, problem := m.tokenText(f.name)
		if problem != "" {
			return Token{}, problem
		}
		if value == "" && f.required {
			return Token{}, "it has no " + f.name
		}
		*f.to = secret.New(value)
	}
	if t.TokenType, problem = m.tokenType(secrets); problem != "" {
		return Token{}, problem
	}
	t.Scope, t.SessionID = m.scope(secrets), secrets.Clean(m.scalar("sid"))
	t.Lifetime, t.LifetimeProblem = parseLifetime(m["expires_in"])
	if t.LifetimeProblem != "" && (secrets.Holds(string(m["expires_in"])) || secrets.Holds(m.scalar("expires_in"))) {
		t.LifetimeProblem = "expires_in is not a number"
	}
	return t, ""
}

// tokenText reads a token and refuses what no header can carry.
func (m members) tokenText(name string) (value, problem string) {
	value, ok := m.text(name)
	if !ok {
		return "", name + " is not a string"
	}
	if len(value) > maxTokenSize {
		return "", name + " is larger than 64 KiB"
	}
	for i := range len(value) {
		if value[i] < 0x21 || value[i] > 0x7E {
			return "", name + " has blanks or bytes outside printable ASCII"
		}
	}
	return value, ""
}

// tokenType accepts bearer in any case (RFC 6749 §5.1, §7.1).
func (m members) tokenType(secrets secret.Redactor) (value, problem string) {
	value, ok := m.text("token_type")
	switch {
	case !ok:
		return "", "token_type is not a string"
	case value == "":
		return "Bearer", ""
	case !strings.EqualFold(value, "bearer"):
		return "", fmt.Sprintf("token_type is %q, only bearer is supported", secrets.Clean(value))
	}
	return value, ""
}

// scope reads the space-separated string of RFC 6749 §3.3, or a JSON list of
// strings; nil when there is neither, and empty, not nil, when one says that none was
// granted. A scope with bytes that §3.3 does not allow is cleaned, and one that repeats
// a secret is withheld, because scopes are shown.
func (m members) scope(secrets secret.Redactor) []string {
	if raw := m["scope"]; len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	text, ok := m.text("scope")
	if !ok {
		var list []string
		if json.Unmarshal(m["scope"], &list) != nil {
			return nil
		}
		text = strings.Join(list, " ")
	}
	scopes := SplitScope(text)
	for i, s := range scopes {
		if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
			scopes[i] = secret.CleanName(s)
		}
		if secrets.Telling().Holds(s) {
			scopes[i] = secret.Redacted
		}
	}
	return scopes
}

// SplitScope parts the scope of a reply: by blanks, as RFC 6749 §3.3 has it, and by commas,
// as some services write it. It is empty, not nil, when there is none.
func SplitScope(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
}

// withTokens adds the tokens of a reply to what must not be shown.
func withTokens(secrets secret.Redactor, m members) secret.Redactor {
	all := append(secret.Redactor(nil), secrets...)
	for _, name := range []string{"access_token", "refresh_token", "id_token"} {
		if s, ok := m.text(name); ok && s != "" {
			all = append(all, s)
		}
	}
	return all
}
