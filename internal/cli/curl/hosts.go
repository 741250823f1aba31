package curl

import (
	"cmp"
	"net/url"
	"regexp"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/cli/verb/hosts"
	"github.com/authctl/authctl/internal/network"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
)

// allowed are the hosts that curl may send a token to.
type allowed struct{ *hosts.Allowed }

// checkPlain refuses what would show the token to somebody on the way.
func checkPlain(d hosts.Address, c *call) error {
	loopback := oauth.CheckEndpoint(&url.URL{Scheme: "http", Host: d.String()}) == nil
	switch {
	case d.Scheme == "http" && c.has("connect-to", "resolve", "proxy", "preproxy", "proxy1.0",
		"socks4", "socks4a", "socks5", "socks5-hostname"):
		return verb.Usagef("plain http to %s cannot go another way, which would show the token there: "+
			"leave out --proxy (-x), --preproxy, --socks…, --connect-to and --resolve", d)
	case c.has("insecure") && !loopback:
		return verb.Usagef("--insecure would send the token to whoever answers for %s: "+
			"trust its certificate with --cacert FILE", d)
	}
	return nil
}

// checkCall refuses a call that could send the token to a host that is not allowed.
func (h allowed) checkCall(c *call) error {
	if len(c.urls) == 0 {
		return verb.Usagef("there is no URL for curl")
	}
	scheme := ""
	for _, text := range c.urls {
		d, err := hosts.Read(text)
		if err == nil {
			err = h.Check(d)
		}
		if err == nil {
			err = checkPlain(d, c)
		}
		if err != nil {
			return err
		}
		scheme = cmp.Or(scheme, d.Scheme)
	}
	for _, value := range c.given["header"] {
		if err := h.checkHeader(value, scheme); err != nil {
			return err
		}
	}
	return h.checkDetours(c)
}

// checkHeader refuses a header that is the token's place or that names another host.
func (h allowed) checkHeader(header, scheme string) error {
	if strings.HasPrefix(header, "@") {
		return verb.Usagef("-H %s: headers from a file cannot be judged; write them as arguments", secret.CleanText(header))
	}
	name, value, _ := strings.Cut(strings.Replace(header, ";", ":", 1), ":")
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "authorization":
		return verb.Usagef("the header Authorization cannot be given: the token is the authorization")
	case "host":
	default:
		return nil
	}
	host, port, ok := network.SplitHost(strings.TrimSpace(value), hosts.StandardPort(scheme))
	if !ok {
		return verb.Usagef("the header %q names no host that can be judged", secret.CleanText(header))
	}
	if err := h.Check(hosts.Address{Scheme: scheme, Host: host, Port: port}); err != nil {
		return verb.Usagef("the header Host: %w", err)
	}
	return nil
}

// checkDetours looks where --connect-to and --resolve send a request that is for another
// host. One that says nothing of it, or takes an entry away, sends it nowhere else.
func (h allowed) checkDetours(c *call) error {
	const host, port = `(?:\[[^\]]*\]|[^:,]*)`, `([^:]*)`
	for _, d := range []struct{ option, form, pattern string }{
		{"connect-to", "HOST1:PORT1:HOST2:PORT2", host + ":" + port + ":(" + host + "):" + port},
		{"resolve", "HOST:PORT:ADDRESS", "-" + host + ":[^:]*|" + host + ":" + port + ":(.+)()"},
	} {
		for _, value := range c.given[d.option] {
			parts := regexp.MustCompile("^(?:" + d.pattern + ")$").FindStringSubmatch(value)
			if parts == nil {
				return verb.Usagef("--%s %q is not %s", d.option, secret.CleanText(value), d.form)
			}
			if parts[2] == "" && parts[3] == "" {
				continue
			}
			for to := range strings.SplitSeq(parts[2], ",") {
				if err := h.checkDetour("--"+d.option, to, cmp.Or(parts[3], parts[1])); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (h allowed) checkDetour(option, host, port string) error {
	if bare := strings.Trim(host, "[]"); strings.Contains(bare, ":") {
		host = "[" + bare + "]"
	}
	name, number, ok := network.SplitHost(host+":"+cmp.Or(port, hosts.StandardPort("https")), "")
	if !ok {
		return verb.Usagef("%s: %q is not a host that can be judged", option, secret.CleanText(host+":"+port))
	}
	if err := h.Check(hosts.Address{Scheme: "https", Host: name, Port: number}); err != nil {
		return verb.Usagef("%s: %w", option, err)
	}
	return nil
}
