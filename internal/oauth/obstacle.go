package oauth

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/authctl/authctl/internal/secret"
)

// Obstacle is what keeps a request from a service and does not go away by waiting: a
// certificate, TLS that cannot be agreed on, a proxy that lets nobody through. It is
// judged here for everybody, so that no two commands say different things of it.
type Obstacle struct {
	// Problem is a clause: "its certificate has expired". Remote words in it are cleaned
	// and quoted.
	Problem string
	// Hint says what mends it.
	Hint string
}

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

// ObstacleIn returns the obstacle in the error of a request, nil when the error is
// another or time may mend it.
func ObstacleIn(err error) *Obstacle {
	if proxy, ok := errors.AsType[*ProxyError](err); ok {
		return proxy.obstacle()
	}
	whose := "its"
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "proxyconnect" {
		whose = "the proxy's"
	}
	if refused, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return certificateObstacle(refused, whose)
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return noTLS(whose)
	}
	if proxy, ok := errors.AsType[*unusableProxy](err); ok {
		return &Obstacle{Problem: proxy.Error(), Hint: "set it to http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT"}
	}
	for _, judge := range []func(error) *Obstacle{alertObstacle, socksObstacle, tlsObstacle, noProxy} {
		if o := judge(err); o != nil {
			return o
		}
	}
	return nil
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

// forPeople writes a moment as the package moment does, which is not for this one to import.
func forPeople(t time.Time) string { return t.Local().Format("2006-01-02 15:04:05 MST") }

// certificateObstacle tells the ways apart in which a certificate is not good.
func certificateObstacle(err *tls.CertificateVerificationError, whose string) *Obstacle {
	said := ": " + strconv.Quote(secret.CleanText(err.Error()))
	invalid, ok := errors.AsType[x509.CertificateInvalidError](err)
	expired := ok && invalid.Reason == x509.Expired && invalid.Cert != nil
	clock := "this machine's clock says " + forPeople(time.Now())
	var host x509.HostnameError
	switch {
	case expired && strings.Contains(invalid.Detail, "is before"):
		return &Obstacle{
			Problem: fmt.Sprintf("%s certificate is not valid yet, but from %s on%s", whose,
				forPeople(invalid.Cert.NotBefore), said),
			Hint: clock + ": set it if that is wrong, else who runs the service has to put it right",
		}
	case expired:
		return &Obstacle{
			Problem: fmt.Sprintf("%s certificate has expired, on %s%s", whose,
				forPeople(invalid.Cert.NotAfter), said),
			Hint: clock + ": set it if that is wrong, else who runs the service has to renew the certificate",
		}
	case errors.As(err, &host):
		return &Obstacle{
			Problem: whose + " certificate is for another name" + said,
			Hint:    "check {host} in the profile, and whether a proxy or this network leads the name elsewhere",
		}
	}
	return &Obstacle{
		Problem: whose + " certificate is not trusted" + said,
		Hint: "check {host} in the profile and this machine's clock, " +
			"or trust the certificate's issuer with --ca-file FILE",
	}
}

func noTLS(whose string) *Obstacle {
	if whose == "its" {
		return &Obstacle{
			Problem: "what answers there does not speak TLS, it may be a port for plain http",
			Hint:    "check scheme and port of {base_url} in the profile; plain http is for loopback only",
		}
	}
	return &Obstacle{
		Problem: "the proxy does not speak TLS",
		Hint:    "write http:// and not https:// before its address in HTTPS_PROXY",
	}
}

// alertObstacle reads an alert with which the service ended TLS (RFC 8446 §6.2).
func alertObstacle(err error) *Obstacle {
	alert := remoteAlert(err)
	hint := "check {host} in the profile, and whether a proxy or a firewall stands between"
	switch alert {
	case "", "close notify", "internal error", "user canceled", "bad record MAC":
		return nil
	case "certificate required", "bad certificate", "unknown certificate authority", "unknown certificate",
		"unsupported certificate", "access denied", "handshake failure":
		hint = "the service seems to want a client certificate, and authctl has none to show; " + hint
	case "protocol version not supported", "insufficient security level":
		hint = "TLS 1.2 or 1.3 has to be spoken there; " + hint
	case "unrecognized name":
		hint = "no such host is known there; " + hint
	}
	return &Obstacle{Problem: "it ended TLS with the alert " + strconv.Quote(alert), Hint: hint}
}

// remoteAlert returns the words of an alert that came, empty when none did.
func remoteAlert(err error) string {
	for err != nil {
		op, ok := errors.AsType[*net.OpError](err)
		if !ok {
			return ""
		}
		if op.Op == "remote error" && op.Err != nil {
			text, _ := strings.CutPrefix(op.Err.Error(), "tls: ")
			return text
		}
		err = op.Err
	}
	return ""
}

// refusedHandshake reports an alert that ends a handshake: what was sent meanwhile
// (with TLS 1.3 the request may be) was not read by anybody.
func refusedHandshake(err error) bool {
	return slices.Contains([]string{
		"handshake failure", "bad certificate", "unsupported certificate", "revoked certificate", "expired certificate",
		"unknown certificate", "unknown certificate authority", "access denied", "certificate required",
	}, remoteAlert(err))
}

// socksObstacle reads what a SOCKS5 proxy refuses (RFC 1928 §3, §6; RFC 1929).
func socksObstacle(err error) *Obstacle {
	op, ok := errors.AsType[*net.OpError](err)
	if ok && op.Op == "proxyconnect" {
		op, ok = errors.AsType[*net.OpError](op.Err)
	}
	if !ok || !strings.HasPrefix(op.Op, "socks") || op.Err == nil {
		return nil
	}
	switch text := op.Err.Error(); {
	case strings.Contains(text, "authentication"), strings.Contains(text, "username/password"):
		return &Obstacle{
			Problem: "the SOCKS proxy wants other credentials",
			Hint:    "give it the right user name and password, as socks5://USER:PASSWORD@HOST:PORT in HTTPS_PROXY",
		}
	case strings.Contains(text, "not allowed by ruleset"):
		return &Obstacle{
			Problem: "the SOCKS proxy does not let this host through",
			Hint:    "ask who runs the proxy, or name the host in NO_PROXY where it is not needed",
		}
	}
	return nil
}

// tlsObstacle reads what crypto/tls itself does not agree to.
func tlsObstacle(err error) *Obstacle {
	for ; err != nil; err = errors.Unwrap(err) {
		text, ok := strings.CutPrefix(err.Error(), "tls: ")
		if !ok || strings.HasPrefix(text, "use of closed") || strings.HasPrefix(text, "DialWithDialer") {
			continue
		}
		return &Obstacle{
			Problem: "TLS cannot be agreed on: " + strconv.Quote(secret.CleanText(text)),
			Hint:    "TLS 1.2 or 1.3 has to be spoken there; check {host} in the profile, and what stands between",
		}
	}
	return nil
}

// deadProxy says that a proxy itself cannot be reached. What was dialled is not
// repeated: where its address is written amiss it may be a piece of the password.
type deadProxy struct {
	shown string
	err   error
}

// noProxy reads an answer to CONNECT that is not HTTP: net/http has no connection yet then
// whose breaking it would speak of.
func noProxy(err error) *Obstacle {
	text := err.Error()
	_, header := errors.AsType[textproto.ProtocolError](err)
	if strings.Contains(text, "transport connection broken") || !header && !strings.Contains(text, "malformed HTTP ") {
		return nil
	}
	return &Obstacle{
		Problem: "what should be the proxy does not speak HTTP",
		Hint:    "is that a proxy? check HTTPS_PROXY, or name the host in NO_PROXY",
	}
}

// newDeadProxy returns err as a *deadProxy where it is one, else as it is.
func newDeadProxy(endpoint string, err error) error {
	op, ok := errors.AsType[*net.OpError](err)
	address, unreadable := url.Parse(endpoint)
	if !ok || op.Op != "proxyconnect" || unreadable != nil {
		return err
	}
	shown := "the proxy"
	if proxy, variable := ProxyTo(address, os.LookupEnv); proxy != nil {
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

// Proxy returns what a http.Transport asks which proxy a request goes through: the
// environment's, read as net/http does, unless it is one that nobody could ask.
func Proxy(lookup func(string) (string, bool)) func(*http.Request) (*url.URL, error) {
	return func(r *http.Request) (*url.URL, error) {
		proxy, err := http.ProxyFromEnvironment(r)
		known := proxy == nil || slices.Contains([]string{"http", "https", "socks5", "socks5h"}, proxy.Scheme)
		if err != nil || !known {
			return nil, &unusableProxy{proxyVariable(r.URL, lookup)}
		}
		return proxy, nil
	}
}

// ProxyTo returns the proxy that requests to an address go through, as the environment
// says, and the variable that names it; nil when there is none. net/http reads the same
// variables in the same order.
func ProxyTo(address *url.URL, lookup func(string) (string, bool)) (proxy *url.URL, variable string) {
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: address})
	if err != nil || proxy == nil {
		return nil, ""
	}
	return proxy, proxyVariable(address, lookup)
}

// proxyVariable is the variable that names the proxy to an address, empty where none does.
func proxyVariable(address *url.URL, lookup func(string) (string, bool)) string {
	names := []string{"HTTPS_PROXY", "https_proxy"}
	if address.Scheme == "http" {
		names = []string{"HTTP_PROXY", "http_proxy"}
	}
	for _, name := range names {
		if value, _ := lookup(name); value != "" {
			return name
		}
	}
	return ""
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

// RefusedByProxy returns what a http.Transport calls with a proxy's answer to CONNECT:
// an error that says who answered what, in place of the proxy's own words alone.
func RefusedByProxy(
	lookup func(string) (string, bool),
) func(ctx context.Context, proxy *url.URL, asked *http.Request, answer *http.Response) error {
	return func(_ context.Context, proxy *url.URL, asked *http.Request, answer *http.Response) error {
		if answer.StatusCode == http.StatusOK {
			return nil
		}
		_, variable := ProxyTo(&url.URL{Scheme: "https", Host: asked.Host}, lookup)
		return &ProxyError{Proxy: ShownProxy(proxy, variable), StatusCode: answer.StatusCode}
	}
}
