package oauth

import (
	"net/url"

	"github.com/authctl/authctl/internal/network"
)

// RequestError says that a request cannot be built from its settings. Nothing
// was sent. Its text holds no secret.
type RequestError struct {
	// Problem is a whole clause: `the client id has a ":"`.
	Problem string
	// Hint says what to do; may be empty.
	Hint string
}

// Error returns the problem.
func (e *RequestError) Error() string { return e.Problem }

// CheckEndpoint returns a *RequestError unless u may be asked for a token: https
// (RFC 6749 §3.2), or http to localhost or a loopback address, which never
// leaves the machine. User information, a query and a fragment are refused:
// they would carry secrets into logs, or mean that a setting was pasted wrongly. The
// host must pass CheckHost.
func CheckEndpoint(u *url.URL) error {
	if u != nil && (u.RawQuery != "" || u.ForceQuery) {
		return &RequestError{Problem: "the endpoint has a query: " + network.AddressText(u)}
	}
	return CheckAddress(u)
}

// CheckAddress is CheckEndpoint for a URL that may have a query, because the
// program built it, or because RFC 6749 §3.1 lets it have one.
func CheckAddress(u *url.URL) error {
	switch {
	case u == nil:
		return &RequestError{Problem: "the endpoint is missing"}
	case u.Opaque != "" || u.Hostname() == "":
		return &RequestError{Problem: "the endpoint has no host", Hint: "write it as https://HOST/PATH"}
	case u.User != nil:
		return &RequestError{Problem: "the endpoint has a user name or password in it: " + network.AddressText(u)}
	case u.Fragment != "" || u.RawFragment != "":
		return &RequestError{Problem: "the endpoint has a fragment: " + network.AddressText(u)}
	}
	if err := network.CheckAuthority(u); err != nil {
		return &RequestError{Problem: "the endpoint" + err.Error()}
	}
	switch {
	case u.Scheme == "https", u.Scheme == "http" && network.IsLoopback(u.Hostname()):
		return nil
	case u.Scheme == "http":
		return &RequestError{Problem: "plain http is for loopback only: " + network.AddressText(u), Hint: "use https"}
	}
	return &RequestError{Problem: "the endpoint is not an https URL: " + network.AddressText(u), Hint: "use https"}
}
