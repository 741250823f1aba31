package oauth

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/authctl/authctl/internal/secret"
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
		return &RequestError{Problem: "the endpoint has a query: " + endpointText(u)}
	}
	return checkAddress(u)
}

// checkAddress is CheckEndpoint for a URL that may have a query, because the
// program built it, or because RFC 6749 §3.1 lets it have one.
func checkAddress(u *url.URL) error {
	switch {
	case u == nil:
		return &RequestError{Problem: "the endpoint is missing"}
	case u.Opaque != "" || u.Hostname() == "":
		return &RequestError{Problem: "the endpoint has no host", Hint: "write it as https://HOST/PATH"}
	case u.User != nil:
		return &RequestError{Problem: "the endpoint has a user name or password in it: " + endpointText(u)}
	case u.Fragment != "" || u.RawFragment != "":
		return &RequestError{Problem: "the endpoint has a fragment: " + endpointText(u)}
	}
	if err := checkAuthority(u); err != nil {
		return err
	}
	switch {
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	case u.Scheme == "http":
		return &RequestError{
			Problem: "plain http is for loopback only: " + endpointText(u),
			Hint:    "use https",
		}
	}
	return &RequestError{Problem: "the endpoint is not an https URL: " + endpointText(u), Hint: "use https"}
}

// isLoopback reports whether host is localhost or the literal of a loopback
// address. Names are not resolved: the answer could differ when connecting.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// endpointText is how errors and traces name a URL: scheme, host and path.
func endpointText(u *url.URL) string {
	return secret.CleanText(u.Scheme + "://" + u.Host + u.EscapedPath())
}

// CheckHost returns an error unless host is the name or address of one host in the one
// form in which everybody reads it: letters, digits, hyphens and dots of ASCII, so that
// what is shown is what is asked for, or an IP address. The error completes "the host …"
// and shows invisible and foreign letters by their numbers.
func CheckHost(host string) error {
	shown := QuoteHost(host)
	labels := strings.Split(host, ".")
	last := labels[len(labels)-1]
	switch {
	case strings.ContainsFunc(host, func(r rune) bool { return r > '~' }):
		return fmt.Errorf("%s has letters outside of ASCII: give the name that is asked for, which begins with xn--", shown)
	case host != "" && last == "":
		return fmt.Errorf("%s ends in a dot: leave it out", shown)
	case len(host) > 253:
		return fmt.Errorf("%s is too long", shown)
	}
	for _, label := range labels {
		if !isLabel(label) {
			return fmt.Errorf("%s is not a host's name: letters, digits, hyphens and dots", shown)
		}
		if len(label) > 4 && strings.EqualFold(label[:4], "xn--") && !isEncoded(label) {
			return fmt.Errorf("%s is not a host's name: what follows xn-- stands for no letters", shown)
		}
	}
	// A name whose last part is a number is read as an IPv4 address by some programs, in
	// hexadecimal or with parts left out: 127.1, 0x7f000001.
	_, notNumber := strconv.ParseUint(last, 0, 64)
	_, notAddress := netip.ParseAddr(host)
	if (notNumber == nil || strings.Trim(last, "0123456789") == "") && notAddress != nil {
		return fmt.Errorf("%s looks like an IPv4 address and is none: write four numbers", shown)
	}
	return nil
}

// QuoteHost quotes what should be a host, letters that are invisible or not of ASCII as
// numbers.
func QuoteHost(text string) string {
	quoted := strconv.QuoteToASCII(text)
	if len(quoted) > 80 {
		return quoted[:78] + `…"`
	}
	return quoted
}

// isLabel reports whether text may stand between two dots of a host's name (RFC 1123
// §2.1). The underscore is no host's, but names of containers have it.
func isLabel(text string) bool {
	foreign := func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}
	return text != "" && len(text) <= 63 && strings.Trim(text, "-") == text && !strings.ContainsFunc(text, foreign)
}

// checkAuthority looks at host and port of a URL.
func checkAuthority(u *url.URL) error {
	port := u.Port()
	if strings.HasSuffix(u.Host, ":") {
		return &RequestError{Problem: "the endpoint has a colon and no port: " + endpointText(u)}
	}
	if number, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || number == 0) {
		return &RequestError{Problem: "the endpoint's port " + secret.CleanText(port) + " is not between 1 and 65535"}
	}
	if strings.HasPrefix(u.Host, "[") {
		if ip, err := netip.ParseAddr(u.Hostname()); err != nil || !ip.Is6() || ip.Zone() != "" {
			return &RequestError{Problem: "the endpoint's host is not an IPv6 address: " + endpointText(u)}
		}
		return nil
	}
	if err := CheckHost(u.Hostname()); err != nil {
		return &RequestError{Problem: "the endpoint's host " + err.Error()}
	}
	return nil
}
