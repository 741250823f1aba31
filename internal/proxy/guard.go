package proxy

import (
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"
)

// rawPath is the path of a request as it was written: what a decoded one is encoded to again may be
// another.
func rawPath(r *http.Request) string {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	if _, rest, absolute := strings.Cut(path, "://"); absolute && !strings.HasPrefix(path, "/") {
		_, rest, _ = strings.Cut(rest, "/")
		path = "/" + rest
	}
	return path
}

// below returns what of a path is the upstream's, false when the path does not begin with the
// secret. Nothing else is told to who does not know it.
func (p *Proxy) below(path string) (rest string, ok bool) {
	first, rest, deeper := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if subtle.ConstantTimeCompare([]byte(first), []byte(p.secret)) != 1 || !strings.HasPrefix(path, "/") {
		return "", false
	}
	if !deeper && p.To.Path != "" {
		return "", true
	}
	return "/" + rest, true
}

// judge returns why a request is refused that knows the secret, nil when it is not: a page of another
// site, or a name that was made to lead here, may have got at the secret without being meant.
func (p *Proxy) judge(r *http.Request, rest string) *Unavailable {
	refuse := func(status int, message, hint string) *Unavailable {
		return &Unavailable{Status: status, Kind: "usage", Message: message, Hint: hint}
	}
	foreign := func(values []string, own ...string) bool {
		return slices.ContainsFunc(values, func(v string) bool { return !slices.Contains(own, v) })
	}
	switch {
	case foreign([]string{r.Host}, p.host, strings.TrimSuffix(p.host, ":80")):
		return refuse(http.StatusForbidden, "the request is for another host than this address's own",
			"ask for the address as it was printed")
	case foreign(r.Header["Origin"], "http://"+p.host), foreign(r.Header["Sec-Fetch-Site"], "same-origin", "none"):
		return refuse(http.StatusForbidden, "the request comes from a page of another site", "")
	case r.Method == http.MethodTrace:
		// What comes back would be the request with the token.
		return refuse(http.StatusMethodNotAllowed, "TRACE is not passed on", "")
	case climbs(rest):
		return refuse(http.StatusBadRequest, "the path has a .. in it", "write the path that is meant")
	}
	return nil
}

// climbs reports whether a part of a path is .., in any of the ways in which a server may read
// it: encoded, behind a slash that is encoded or turned, or before a parameter.
func climbs(path string) bool {
	read := strings.NewReplacer("%2e", ".", "%2E", ".", "%2f", "/", "%2F", "/", "%5c", "/", "%5C", "/", `\`, "/")
	for part := range strings.SplitSeq(read.Replace(path), "/") {
		if name, _, _ := strings.Cut(part, ";"); name == ".." {
			return true
		}
	}
	return false
}
