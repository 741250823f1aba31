package proxy

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"

	"github.com/authctl/authctl/internal/network"
	"github.com/authctl/authctl/internal/secret"
)

// rewrite makes the request that the upstream gets.
func (p *Proxy) rewrite(r *httputil.ProxyRequest) {
	rest, _ := p.below(rawPath(r.In))
	decoded, _ := url.PathUnescape(rest)
	r.Out.URL = &url.URL{
		Scheme: p.To.Scheme, Host: p.To.Host, Path: p.To.Path + decoded,
		// It is sent as it was written.
		Opaque:   strings.ReplaceAll(p.To.EscapedPath()+rest, "#", "%23"),
		RawQuery: r.In.URL.RawQuery, ForceQuery: r.In.URL.ForceQuery,
	}
	r.Out.Host = p.To.Host
	for name := range r.Out.Header {
		if isDropped(name) {
			delete(r.Out.Header, name)
		}
	}
	if r.Out.Header.Get("Origin") != "" {
		r.Out.Header.Set("Origin", p.To.Scheme+"://"+p.To.Host)
	}
	if from := r.Out.Header.Get("Referer"); strings.Contains(from, p.secret) {
		r.Out.Header.Del("Referer")
		if behind, ok := strings.CutPrefix(from, p.url); ok {
			r.Out.Header.Set("Referer", p.base()+behind)
		}
	}
}

// base is the upstream's address, without a slash behind it.
func (p *Proxy) base() string { return p.To.Scheme + "://" + p.To.Host + p.To.EscapedPath() }

// isDropped reports whether a header of the client's, in its canonical form, is not for the upstream:
// what would be an authorization beside the token, or tell of this machine.
func isDropped(name string) bool {
	switch name {
	case "Authorization", "Cookie", "Forwarded", "X-Real-Ip":
		return true
	}
	return strings.HasPrefix(name, "Proxy-") || strings.HasPrefix(name, "X-Forwarded-")
}

// outward makes the reply that the client gets.
func (p *Proxy) outward(resp *http.Response) error {
	for _, name := range []string{"Location", "Content-Location"} {
		if value := resp.Header.Get(name); value != "" {
			resp.Header.Set(name, p.ours(resp.Request.URL, value))
		}
	}
	// Cookies know no ports: those of the upstream would go to whatever listens on this machine. Nor is
	// there another service (RFC 7838) for the upstream at this address.
	resp.Header.Del("Set-Cookie")
	resp.Header.Del("Alt-Svc")
	// A page that came this way must not tell the secret to another that it leads to.
	resp.Header.Set("Referrer-Policy", "same-origin")
	return nil
}

// ours is a reference in the reply to a request: on the upstream it leads through the proxy, and
// elsewhere to where it led.
func (p *Proxy) ours(asked *url.URL, reference string) string {
	to, err := url.Parse(reference)
	if err != nil {
		return reference
	}
	from := *asked
	from.Opaque = ""
	full := from.ResolveReference(to)
	path := full.EscapedPath()
	below, ok := strings.CutPrefix(path, p.To.EscapedPath())
	switch {
	case ok && (below == "" || below[0] == '/') && full.Opaque == "" && sameOrigin(full, p.To):
		full.Scheme, full.Host, full.User, full.Path, full.RawPath = "", "", nil, "", ""
		return p.url + below + full.String()
	case to.IsAbs():
		return reference
	}
	return full.String()
}

// sameOrigin reports whether two addresses have one scheme, host and port.
func sameOrigin(a, b *url.URL) bool {
	port := func(u *url.URL) string {
		if u.Port() == "" {
			return map[string]string{"http": "80", "https": "443"}[u.Scheme]
		}
		return u.Port()
	}
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

// unanswered says why the upstream gave no answer.
func (p *Proxy) unanswered(err error) *Unavailable {
	u := &Unavailable{Kind: "temporary", Retryable: true}
	what := secret.CleanText(network.NameProxy(p.base(), err).Error())
	if obstacle := network.ObstacleIn(err); obstacle != nil {
		// Its hints are for what a profile says; here the host is the one of --to.
		u.Kind, u.Retryable, what = "config", false, obstacle.Problem
		here := strings.NewReplacer("{host} in the profile", "--to", "{base_url} in the profile", "--to")
		u.Hint = here.Replace(obstacle.Hint)
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		u.Status = http.StatusGatewayTimeout
	}
	u.Message = p.To.Host + " gave no answer: " + what
	return u
}
