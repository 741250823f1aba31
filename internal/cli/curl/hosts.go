package curl

import (
	"cmp"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/network"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
)

// address is where a request goes.
type address struct{ scheme, host, port string }

// String is host and port, without the port that the scheme has anyway.
func (d address) String() string {
	return strings.TrimSuffix(net.JoinHostPort(d.host, d.port), ":"+standardPort(d.scheme))
}

func standardPort(scheme string) string {
	if scheme == "http" {
		return "80"
	}
	return "443"
}

// urlAddress reads a URL for curl. It takes only what no two programs read differently:
// scheme and host in plain letters, without user information, and a path.
func urlAddress(text string) (address, error) {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return address{}, verb.Usagef("%q is not a URL: write it with https://", secret.CleanText(text))
	}
	wrong := func(problem string) (address, error) {
		return address{}, verb.Usagef("%q cannot be used: %s", secret.CleanText(text), problem)
	}
	d := address{scheme: strings.ToLower(scheme)}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	switch {
	case d.scheme != "https" && d.scheme != "http":
		return wrong("a token goes over https")
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }):
		return wrong("it has a blank, a control character or a backslash")
	case strings.Contains(rest[:end], "@"), end < len(rest) && rest[end] != '/' && strings.Contains(rest, "@"):
		return wrong("it has a user name before the host, or looks so")
	}
	if d.host, d.port, ok = network.SplitHost(rest[:end], standardPort(d.scheme)); !ok {
		return wrong("its host is not a plain name or address")
	}
	if err := oauth.CheckEndpoint(&url.URL{Scheme: d.scheme, Host: d.String()}); err != nil {
		return wrong(err.Error())
	}
	return d, nil
}

// checkPlain refuses what would show the token to somebody on the way.
func (d address) checkPlain(c *call) error {
	loopback := oauth.CheckEndpoint(&url.URL{Scheme: "http", Host: d.String()}) == nil
	switch {
	case d.scheme == "http" && c.has("connect-to", "resolve", "proxy", "preproxy", "proxy1.0",
		"socks4", "socks4a", "socks5", "socks5-hostname"):
		return verb.Usagef("plain http to %s cannot go another way, which would show the token there: "+
			"leave out --proxy (-x), --preproxy, --socks…, --connect-to and --resolve", d)
	case c.has("insecure") && !loopback:
		return verb.Usagef("--insecure would send the token to whoever answers for %s: "+
			"trust its certificate with --cacert FILE", d)
	}
	return nil
}

// hosts are those that a token may be sent to.
type hosts struct {
	rules []network.HostRule
	// service and profile are for the message; service is empty where nobody says what the tokens
	// are for.
	service, profile string
}

// hostsOf returns the hosts of the service, and those that the profile's allow_hosts and the
// flag allow.
func hostsOf(s *client.Client, flag []string) (*hosts, error) {
	h := &hosts{service: s.Profile.Service.Title, profile: s.Profile.Name}
	own := s.Provider.TokenHosts()
	if s.Profile.Service.Given != nil {
		h.service = "the API of profile " + h.profile
	}
	if len(own) == 0 {
		h.service = ""
	}
	for _, u := range own {
		port := cmp.Or(u.Port(), standardPort(u.Scheme))
		h.rules = append(h.rules, network.HostRule{Host: strings.ToLower(u.Hostname()), Port: port})
	}
	allowed, _ := s.Profile.Settings.Lookup("allow_hosts")
	if err := h.allow(allowed.List); err != nil {
		return nil, err // which no profile has that was opened
	}
	if err := h.allow(flag); err != nil {
		return nil, verb.Usagef("--allow-host: %w", err)
	}
	return h, nil
}

func (h *hosts) allow(list []string) error {
	for _, text := range list {
		rule, err := network.ParseHostRule(text)
		if err != nil {
			return err
		}
		h.rules = append(h.rules, rule)
	}
	return nil
}

// check returns a usage error for an address that is not allowed.
func (h *hosts) check(d address) error {
	standard := standardPort(d.scheme)
	if slices.ContainsFunc(h.rules, func(r network.HostRule) bool { return r.Allows(d.host, d.port, standard) }) {
		return nil
	}
	if h.service == "" {
		return verb.Usagef("the token is not sent to %s: profile %s names no API; say where it is with api_url: "+
			"in the profile, or allow this host with --allow-host %s or allow_hosts:", d, h.profile, d)
	}
	return verb.Usagef("the token is not sent to %s, which is no host of %s: allow it with --allow-host %s, "+
		"or with allow_hosts: in profile %s", d, h.service, d, h.profile)
}

// checkCall refuses a call that could send the token to a host that is not allowed.
func (h *hosts) checkCall(c *call) error {
	if len(c.urls) == 0 {
		return verb.Usagef("there is no URL for curl")
	}
	scheme := ""
	for _, text := range c.urls {
		d, err := urlAddress(text)
		if err == nil {
			err = h.check(d)
		}
		if err == nil {
			err = d.checkPlain(c)
		}
		if err != nil {
			return err
		}
		scheme = cmp.Or(scheme, d.scheme)
	}
	for _, value := range c.given["header"] {
		if err := h.checkHeader(value, scheme); err != nil {
			return err
		}
	}
	return h.checkDetours(c)
}

// checkHeader refuses a header that is the token's place or that names another host.
func (h *hosts) checkHeader(header, scheme string) error {
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
	host, port, ok := network.SplitHost(strings.TrimSpace(value), standardPort(scheme))
	if !ok {
		return verb.Usagef("the header %q names no host that can be judged", secret.CleanText(header))
	}
	if err := h.check(address{scheme, host, port}); err != nil {
		return verb.Usagef("the header Host: %w", err)
	}
	return nil
}

// checkDetours looks where --connect-to and --resolve send a request that is for another
// host. One that says nothing of it, or takes an entry away, sends it nowhere else.
func (h *hosts) checkDetours(c *call) error {
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

func (h *hosts) checkDetour(option, host, port string) error {
	if bare := strings.Trim(host, "[]"); strings.Contains(bare, ":") {
		host = "[" + bare + "]"
	}
	name, number, ok := network.SplitHost(host+":"+cmp.Or(port, standardPort("https")), "")
	if !ok {
		return verb.Usagef("%s: %q is not a host that can be judged", option, secret.CleanText(host+":"+port))
	}
	if err := h.check(address{"https", name, number}); err != nil {
		return verb.Usagef("%s: %w", option, err)
	}
	return nil
}
