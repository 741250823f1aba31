package oauth

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Success is what the reply of one operation looks like when it was carried out, as
// the operation's page documents it. A 200 alone is none: a page for people says that
// the service is down, or that somebody should sign in. The zero value wants 200 and a
// JSON object.
//
// An error inside of a reply is looked for first, and need not be excluded here.
type Success struct {
	// Status are the documented statuses; none means 200.
	Status []int
	// Body is what the body has to be.
	Body BodyKind
	// Members have to be there, and be neither null nor empty. A dotted name is a
	// member of a member: "status.code".
	Members []string
	// AnyOf are members of which one at least has to be there.
	AnyOf []string
	// Values are the values, as JSON, that a member may have.
	Values map[string][]string
	// Header is the name of a header that carries the answer.
	Header string
}

// BodyKind is what the body of a reply has to be.
type BodyKind string

// The kinds of body.
const (
	// BodyObject is one JSON object.
	BodyObject BodyKind = ""
	// BodyNothing is no body, or a JSON object without members.
	BodyNothing BodyKind = "nothing"
	// BodyAnything is whatever comes, because the answer is elsewhere; but no page.
	BodyAnything BodyKind = "anything"
)

// lacks says what a reply that is no error lacks of a success, empty when nothing.
func (r *Reply) lacks(s Success) string {
	if problem := r.wrongStatus(s.Status); problem != "" {
		return problem
	}
	if s.Header != "" && strings.TrimSpace(r.Header.Get(s.Header)) == "" {
		return "it has no header " + s.Header
	}
	m, problem := r.object()
	switch {
	case s.Body == BodyAnything:
		return r.page()
	case s.Body == BodyNothing && (len(trimmed(r.Body)) == 0 || problem == "" && len(m) == 0):
		return ""
	case s.Body == BodyNothing && problem == "":
		return "it has a body, where none is documented"
	case problem != "":
		return problem
	}
	return m.lacks(s)
}

func (r *Reply) wrongStatus(wanted []int) string {
	if len(wanted) == 0 {
		wanted = []int{http.StatusOK}
	}
	if slices.Contains(wanted, r.StatusCode) {
		return ""
	}
	texts := make([]string, len(wanted))
	for i, status := range wanted {
		texts[i] = strconv.Itoa(status)
	}
	return "its status is " + strconv.Itoa(r.StatusCode) + ", and what is documented is " + strings.Join(texts, " or ")
}

// lacks says what the members lack of a success, empty when nothing.
func (m members) lacks(s Success) string {
	for _, name := range s.Members {
		if !m.has(name) {
			return "it has no " + name
		}
	}
	if len(s.AnyOf) > 0 && !slices.ContainsFunc(s.AnyOf, m.has) {
		return "it has none of " + strings.Join(s.AnyOf, ", ")
	}
	for _, name := range slices.Sorted(maps.Keys(s.Values)) {
		switch value := m.at(name); {
		case value == "":
			return "it has no " + name
		case !slices.Contains(s.Values[name], value):
			return "its " + name + " is not " + strings.Join(s.Values[name], " or ")
		}
	}
	return ""
}

// at returns the JSON of a member, or of a member of a member.
func (m members) at(name string) string {
	outer, inner, nested := strings.Cut(name, ".")
	if nested {
		return m.object(outer).at(inner)
	}
	return string(m[outer])
}

// has reports whether a member says something.
func (m members) has(name string) bool {
	switch m.at(name) {
	case "", "null", `""`, "[]", "{}":
		return false
	}
	return true
}
