package network

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
)

// ProxyError says that a proxy did not open the way to a service (RFC 9110 §9.3.6).
// Its own words are not repeated.
type ProxyError struct {
	// Proxy is the proxy's address without its credentials, with the variable it came
	// from; see ShownProxy.
	Proxy string
	// StatusCode is what it answered to CONNECT.
	StatusCode int
}

// Error names the proxy and its answer.
func (e *ProxyError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("%s answered %d %s", e.Proxy, e.StatusCode, http.StatusText(e.StatusCode)))
}

// obstacle is nil where another answer may come later.
func (e *ProxyError) obstacle() *Obstacle {
	o := &Obstacle{Problem: e.Error()}
	switch {
	case e.StatusCode == http.StatusProxyAuthRequired:
		o.Hint = "give it the right user name and password, as http://USER:PASSWORD@HOST:PORT in that variable; " +
			"do not repeat this call before, or the proxy may lock the account"
	case e.StatusCode == http.StatusForbidden:
		o.Hint = "ask who runs the proxy to let this host through, or name it in NO_PROXY where the proxy is not needed"
	case e.StatusCode == http.StatusRequestTimeout, e.StatusCode == http.StatusTooManyRequests, e.StatusCode >= 500:
		return nil
	default:
		o.Hint = "is that a proxy? check the variable, or name the host in NO_PROXY"
	}
	return o
}

// deadProxy says that a proxy itself cannot be reached. What was dialled is not
// repeated: where its address is written amiss it may be a piece of the password.
type deadProxy struct {
	shown string
	err   error
}

// NameProxy returns an error that names the proxy where err says that it cannot be reached,
// else err as it is. Endpoint is the URL that was asked.
func NameProxy(endpoint string, err error) error {
	op, ok := errors.AsType[*net.OpError](err)
	address, unreadable := url.Parse(endpoint)
	if !ok || op.Op != "proxyconnect" || unreadable != nil {
		return err
	}
	shown := "the proxy"
	if proxy, variable := ProxyTo(address); proxy != nil {
		shown = ShownProxy(proxy, variable)
	}
	return &deadProxy{shown: shown, err: err}
}

// Error names the proxy, and the system's reason where there is one.
func (e *deadProxy) Error() string {
	text := e.shown + " cannot be reached"
	if number, ok := errors.AsType[syscall.Errno](e.err); ok {
		return text + ": " + number.Error()
	}
	if lookup, ok := errors.AsType[*net.DNSError](e.err); ok && lookup.IsNotFound {
		return text + ": no such host"
	}
	return text
}

// Unwrap returns the transport's error.
func (e *deadProxy) Unwrap() error { return e.err }

// unusableProxy says that the environment names a proxy that nobody can ask. Its address
// is not repeated: it may hold a password.
type unusableProxy struct{ variable string }

// Error names the variable.
func (e *unusableProxy) Error() string {
	return cmp.Or(e.variable, "the environment") + " holds no address of a proxy for HTTP, HTTPS or SOCKS5"
}

// Proxy is what a http.Transport asks which proxy a request goes through: the
// environment's, read as net/http does, unless it is one that nobody could ask.
func Proxy(r *http.Request) (*url.URL, error) {
	proxy, err := http.ProxyFromEnvironment(r)
	known := proxy == nil || slices.Contains([]string{"http", "https", "socks5", "socks5h"}, proxy.Scheme)
	if err != nil || !known {
		return nil, &unusableProxy{proxyVariable(r.URL)}
	}
	return proxy, nil
}

// ProxyTo returns the proxy that requests to an address go through, as the environment
// says, and the variable that names it; nil when there is none. net/http reads the same
// variables in the same order.
func ProxyTo(address *url.URL) (proxy *url.URL, variable string) {
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: address})
	if err != nil || proxy == nil {
		return nil, ""
	}
	return proxy, proxyVariable(address)
}

// proxyVariable is the variable that names the proxy to an address, empty where none does.
func proxyVariable(address *url.URL) string {
	names := []string{"HTTPS_PROXY", "https_proxy"}
	if address.Scheme == "http" {
		names = []string{"HTTP_PROXY", "http_proxy"}
	}
	i := slices.IndexFunc(names, func(name string) bool { return os.Getenv(name) != "" })
	if i < 0 {
		return ""
	}
	return names[i]
}

// ShownProxy names a proxy without its credentials, and the variable it came from
// where that is known.
func ShownProxy(proxy *url.URL, variable string) string {
	shown := "the proxy " + (&url.URL{Scheme: proxy.Scheme, Host: proxy.Host}).String()
	if ProxyHasMore(proxy) {
		shown = "a proxy that is not shown"
	}
	if variable != "" {
		shown += " (" + variable + ")"
	}
	return shown
}

// ProxyHasMore reports whether more than host and port follows the credentials of a
// proxy's address. What seems to be the host may then be a piece of them.
func ProxyHasMore(u *url.URL) bool {
	return u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != ""
}

// RefusedByProxy is what a http.Transport calls with a proxy's answer to CONNECT: its
// error says who answered what, in place of the proxy's own words alone.
func RefusedByProxy(_ context.Context, proxy *url.URL, asked *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	_, variable := ProxyTo(&url.URL{Scheme: "https", Host: asked.Host})
	return &ProxyError{Proxy: ShownProxy(proxy, variable), StatusCode: answer.StatusCode}
}
