package oauth

import (
	"bytes"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/secret"
)

// maxTokenSize is more than any header could carry.
const maxTokenSize = 64 << 10

// Reply is what an endpoint sent. Call returns successes alone.
type Reply struct {
	// StatusCode is 2xx, or a redirect's where the request allowed that.
	StatusCode int
	// Header is as it came; it may hold secrets, and never is to be shown.
	Header http.Header
	// Body is at most 1 MiB, as it came.
	Body []byte
	// Location is where a redirect leads, made absolute; nil when it is none or
	// names no URL. It is remote text: clean it before it is shown.
	Location *url.URL

	endpoint string
	secrets  secret.Redactor
	// certificate is the one that was to be shown, nil when there was none.
	certificate *shownCertificate
	// tell gets what is too long to be shown to everybody; nil means nobody does.
	tell func(string)
}

// media is the media type in lower case without parameters, empty when none came.
func (r *Reply) media() string { return mediaType(r.Header.Get("Content-Type")) }

// members are the named values of a reply, whichever way it was written; those
// of a form-encoded one are held as JSON strings.
type members map[string]json.RawMessage

// Unusable says of a reply that the problem, a clause such as "it names no issuer", keeps it from being used.
func (r *Reply) Unusable(problem string) *ReplyError {
	return &ReplyError{Endpoint: r.endpoint, StatusCode: r.StatusCode, Problem: problem}
}

// membersIfAny is for an error status, where no body is fine too.
func (r *Reply) membersIfAny() members {
	if len(r.Body) > maxReply {
		return nil
	}
	m, _ := parseMembers(r.Header.Get("Content-Type"), r.Body)
	return m
}

// redirectText names the host that a redirect points to, nothing more of it.
func (r *Reply) redirectText() string {
	u, err := url.Parse(r.Header.Get("Location"))
	switch {
	case !isRedirect(r.StatusCode):
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
	case len(body) == 0 || body[0] == '{':
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
func (r *Reply) object() (members, string) {
	body := trimmed(r.Body)
	if len(body) > 0 && body[0] != '{' {
		return nil, r.insteadOfJSON(notObject)
	}
	return parseObject(body)
}

func parseObject(body []byte) (members, string) {
	var m members
	switch {
	case len(body) == 0:
		return nil, "it is empty"
	case json.Unmarshal(body, &m) == nil:
		return m, ""
	case body[len(body)-1] != '}':
		return nil, "it is JSON that ends early"
	}
	return nil, "it is not valid JSON"
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

// MemberText reads a member of a JSON object that must be a string; absent and null count as empty.
func MemberText(raw json.RawMessage) (text string, ok bool) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", true
	}
	return text, json.Unmarshal(raw, &text) == nil
}

func (m members) text(name string) (string, bool) { return MemberText(m[name]) }

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

// Object returns the body when it is one JSON object, without a byte order mark
// and white space around it, else a *ReplyError. The strings in it are remote text.
func (r *Reply) Object() (json.RawMessage, error) {
	if _, problem := r.object(); problem != "" {
		return nil, r.Unusable(problem)
	}
	return trimmed(r.Body), nil
}

// Text returns a member of the JSON object that the body is, as MemberText reads it.
func (r *Reply) Text(name string) (string, bool) {
	m, _ := r.object()
	return m.text(name)
}

// answer tells success from error.
func (r *Reply) answer(asked CallRequest, now time.Time) (*Reply, error) {
	if r.StatusCode >= http.StatusBadRequest {
		return nil, r.serviceError(r.membersIfAny(), now)
	}
	if isRedirect(r.StatusCode) {
		to, err := asked.URL.Parse(r.Header.Get("Location"))
		if err != nil || r.Header.Get("Location") == "" || !leadsTo(to, asked.RedirectTo) {
			return nil, r.Unusable(r.redirectText())
		}
		r.Location = to
		return r, nil
	}
	if len(r.Body) > maxReply {
		return nil, r.Unusable("it is larger than 1 MiB")
	}
	if m := r.membersIfAny(); m.hasError() {
		return nil, r.serviceError(m, now)
	}
	if problem := r.lacks(asked.Success); problem != "" {
		return nil, r.Unusable(problem)
	}
	return r, nil
}

// leadsTo reports whether a redirect goes where it was asked to, whatever query the
// service adds: a sign-in page is somewhere else.
func leadsTo(to *url.URL, asked string) bool {
	want, err := url.Parse(asked)
	return err == nil && asked != "" && to.Scheme == want.Scheme && strings.EqualFold(to.Host, want.Host) &&
		strings.TrimSuffix(to.Path, "/") == strings.TrimSuffix(want.Path, "/")
}

// isRedirect reports the statuses of RFC 9110 §15.4 that name another address.
func isRedirect(status int) bool {
	return slices.Contains([]int{
		http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect,
	}, status)
}

// page says that the body is a page for people, with its content type and its title,
// and quotes nothing else of it; empty when it is none. A gateway, a proxy and a
// firewall answer so in a service's place, and so does a service that wants somebody
// to sign in.
func (r *Reply) page() string {
	body := trimmed(r.Body)
	media := r.media()
	marked := media == "text/html" || media == "application/xhtml+xml"
	if len(body) == 0 || body[0] == '{' || !marked && body[0] != '<' {
		return ""
	}
	text := "it is a page"
	if media != "" {
		text += " (" + WordText(r.secrets.Clean(media)) + ")"
	}
	if title := r.secrets.Clean(titleOf(body)); title != "" {
		text += " titled " + strconv.Quote(title)
	}
	return text
}

// insteadOfJSON says more of a body that is not a JSON object.
func (r *Reply) insteadOfJSON(problem string) string {
	if problem != notObject {
		return problem
	}
	if page := r.page(); page != "" {
		return page + ", not a JSON object"
	}
	media := r.media()
	if media == "" || strings.HasSuffix(media, "json") {
		return problem
	}
	return problem + ", its content type is " + WordText(r.secrets.Clean(media))
}

// titleOf returns what stands in the first title of a page.
func titleOf(body []byte) string {
	const read = 64 << 10
	found := regexp.MustCompile(`(?is)<title[^>]*>(?:(.*?)</title|([^<]*))`).FindSubmatch(body[:min(len(body), read)])
	if found == nil {
		return ""
	}
	return html.UnescapeString(string(found[1]) + string(found[2]))
}
