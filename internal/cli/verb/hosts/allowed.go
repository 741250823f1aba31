// Package hosts knows to which hosts a token may be sent: those of its service, and those that a
// profile or a flag allows.
package hosts

import (
	"cmp"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/network"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
)

// Address is where a request goes: scheme and host in lower case, and a port always.
type Address struct{ Scheme, Host, Port string }

// String is host and port, without the port that the scheme has anyway.
func (d Address) String() string {
	return strings.TrimSuffix(net.JoinHostPort(d.Host, d.Port), ":"+StandardPort(d.Scheme))
}

// StandardPort is the port of a scheme, which is http or https.
func StandardPort(scheme string) string {
	if scheme == "http" {
		return "80"
	}
	return "443"
}

// Read reads a URL that a token is to be sent to. It takes only what no two programs read differently:
// scheme and host in plain letters, without user information, and a path. Its error is one of usage.
func Read(text string) (Address, error) {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return Address{}, verb.Usagef("%q is not a URL: write it with https://", secret.CleanText(text))
	}
	wrong := func(problem string) (Address, error) {
		return Address{}, verb.Usagef("%q cannot be used: %s", secret.CleanText(text), problem)
	}
	d := Address{Scheme: strings.ToLower(scheme)}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	switch {
	case d.Scheme != "https" && d.Scheme != "http":
		return wrong("a token goes over https")
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }):
		return wrong("it has a blank, a control character or a backslash")
	case strings.Contains(rest[:end], "@"), end < len(rest) && rest[end] != '/' && strings.Contains(rest, "@"):
		return wrong("it has a user name before the host, or looks so")
	}
	if d.Host, d.Port, ok = network.SplitHost(rest[:end], StandardPort(d.Scheme)); !ok {
		return wrong("its host is not a plain name or address")
	}
	if err := oauth.CheckEndpoint(&url.URL{Scheme: d.Scheme, Host: d.String()}); err != nil {
		return wrong(err.Error())
	}
	return d, nil
}

// Allowed are the hosts that a token may be sent to.
type Allowed struct {
	Rules []network.HostRule
	// service and profile are for the message; service is empty where nobody says what the tokens
	// are for.
	service, profile string
}

// Of returns the hosts of the service, and those that the profile's allow_hosts and the
// flag allow.
func Of(s *client.Client, flag []string) (*Allowed, error) {
	h := &Allowed{service: s.Profile.Service.Title, profile: s.Profile.Name}
	own := s.Provider.TokenHosts()
	if s.Profile.Service.Given != nil {
		h.service = "the API of profile " + h.profile
	}
	if len(own) == 0 {
		h.service = ""
	}
	for _, u := range own {
		port := cmp.Or(u.Port(), StandardPort(u.Scheme))
		h.Rules = append(h.Rules, network.HostRule{Host: strings.ToLower(u.Hostname()), Port: port})
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

func (h *Allowed) allow(list []string) error {
	for _, text := range list {
		rule, err := network.ParseHostRule(text)
		if err != nil {
			return err
		}
		h.Rules = append(h.Rules, rule)
	}
	return nil
}

// Check returns a usage error for an address that is not allowed.
func (h *Allowed) Check(d Address) error {
	standard := StandardPort(d.Scheme)
	if slices.ContainsFunc(h.Rules, func(r network.HostRule) bool { return r.Allows(d.Host, d.Port, standard) }) {
		return nil
	}
	if h.service == "" {
		return verb.Usagef("the token is not sent to %s: profile %s names no API; say where it is with api_url: "+
			"in the profile, or allow this host with --allow-host %s or allow_hosts:", d, h.profile, d)
	}
	return verb.Usagef("the token is not sent to %s, which is no host of %s: allow it with --allow-host %s, "+
		"or with allow_hosts: in profile %s", d, h.service, d, h.profile)
}
