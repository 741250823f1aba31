package oauth

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Reply is the answer to a Call, a success.
type Reply struct {
	// StatusCode is 2xx, or a redirect's where the request allowed that.
	StatusCode int
	// Header is as it came; it may hold secrets, and never is to be shown.
	Header http.Header
	// Body is at most 1 MiB, as it came.
	Body []byte
	// ContentType is the media type in lower case without parameters, empty when none came.
	ContentType string
	// Location is where a redirect leads, made absolute; nil when it is none or
	// names no URL. It is remote text: clean it before it is shown.
	Location *url.URL

	from *reply
}

// Object returns the body when it is one JSON object, without a byte order mark
// and white space around it, else a *ReplyError. The strings in it are remote text.
func (r *Reply) Object() (json.RawMessage, error) {
	if _, problem := r.from.object(); problem != "" {
		return nil, r.from.unusable(problem)
	}
	return trimmed(r.Body), nil
}

// members are the members of Object.
func (r *Reply) members() (members, error) {
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	m, _ := parseObject(body)
	return m, nil
}

func (r *Reply) unusable(problem string) *ReplyError { return r.from.unusable(problem) }

// answer tells success from error.
func (r *reply) answer(asked CallRequest, now time.Time) (*Reply, error) {
	if r.status >= http.StatusBadRequest {
		return nil, r.serviceError(r.membersIfAny(), now)
	}
	answer := &Reply{
		StatusCode: r.status, Header: r.header, Body: r.body, ContentType: mediaType(r.header.Get("Content-Type")), from: r,
	}
	if isRedirect(r.status) {
		to, err := asked.URL.Parse(r.header.Get("Location"))
		if err != nil || r.header.Get("Location") == "" || !leadsTo(to, asked.RedirectTo) {
			return nil, r.unusable(r.redirectText())
		}
		answer.Location = to
		return answer, nil
	}
	if len(r.body) > maxReply {
		return nil, r.unusable("it is larger than 1 MiB")
	}
	if m := r.membersIfAny(); m.hasError() {
		return nil, r.serviceError(m, now)
	}
	if problem := r.lacks(asked.Success); problem != "" {
		return nil, r.unusable(problem)
	}
	return answer, nil
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
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}
