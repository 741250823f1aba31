package network

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/moment"
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

// certificateObstacle tells the ways apart in which a certificate is not good.
func certificateObstacle(err *tls.CertificateVerificationError, whose string) *Obstacle {
	said := ": " + secret.Quote(err.Error())
	invalid, ok := errors.AsType[x509.CertificateInvalidError](err)
	expired := ok && invalid.Reason == x509.Expired && invalid.Cert != nil
	var host x509.HostnameError
	switch {
	case expired:
		when, mend := "has expired, on "+moment.Text(invalid.Cert.NotAfter), "renew the certificate"
		if strings.Contains(invalid.Detail, "is before") {
			when, mend = "is not valid yet, but from "+moment.Text(invalid.Cert.NotBefore)+" on", "put it right"
		}
		return &Obstacle{
			Problem: whose + " certificate " + when + said,
			Hint: "this machine's clock says " + moment.Text(time.Now()) +
				": set it if that is wrong, else who runs the service has to " + mend,
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
		hint = "the service seems to want a client certificate, which a profile of oauth2 has as tls_certificate; " + hint
	case "protocol version not supported", "insufficient security level":
		hint = "TLS 1.2 or 1.3 has to be spoken there; " + hint
	case "unrecognized name":
		hint = "no such host is known there; " + hint
	}
	return &Obstacle{Problem: "it ended TLS with the alert " + strconv.Quote(alert), Hint: hint}
}

// CertificateRefused is the obstacle of a RefusedHandshake in which a client certificate was
// shown.
func CertificateRefused(err error) *Obstacle {
	return &Obstacle{
		Problem: "the certificate was not accepted (TLS alert " + strconv.Quote(remoteAlert(err)) + ")",
		Hint: "see that the service knows the certificate, or who issued it, for this client; " +
			"check {tls_certificate,tls_key} in the profile; --dry-run shows which one it is",
	}
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

// RefusedHandshake reports an alert that ends a handshake: what was sent meanwhile
// (with TLS 1.3 the request may be) was not read by anybody.
func RefusedHandshake(err error) bool {
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
			Problem: "TLS cannot be agreed on: " + secret.Quote(text),
			Hint:    "TLS 1.2 or 1.3 has to be spoken there; check {host} in the profile, and what stands between",
		}
	}
	return nil
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

// IsDial reports whether no connection could be made, to the service or to
// the proxy before it.
func IsDial(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "dial" || op.Op == "proxyconnect")
}

// IsNotHTTP reports whether a transport's error is about a reply that cannot be read,
// however often it is asked for: its first line or its header is not HTTP.
func IsNotHTTP(err error) bool {
	if IsBroken(err) {
		return false
	}
	_, quotes := errors.AsType[textproto.ProtocolError](err)
	text := err.Error()
	return quotes || strings.Contains(text, "transport connection broken") ||
		strings.Contains(text, "server response headers exceeded")
}

// IsBroken reports an error of a connection, or of one that was ended from this side: time
// may mend it.
func IsBroken(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, context.Canceled, http.ErrBodyReadAfterClose} {
		if errors.Is(err, end) {
			return true
		}
	}
	_, ok := errors.AsType[net.Error](err)
	return ok || strings.Contains(err.Error(), "unexpected EOF")
}

// IsUnknownHost reports a name that the resolver says does not exist.
func IsUnknownHost(err error) bool {
	dns, ok := errors.AsType[*net.DNSError](err)
	return ok && dns.IsNotFound
}
