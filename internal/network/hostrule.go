package network

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/authctl/authctl/internal/secret"
)

// SplitHost reads HOST, HOST:PORT, [IPV6] or [IPV6]:PORT, with a port where none is named; ok
// is false for anything else.
func SplitHost(text, usual string) (host, port string, ok bool) {
	host, port, named := strings.Cut(text, ":")
	if strings.HasPrefix(text, "[") {
		inner, after, closed := strings.Cut(text[1:], "]")
		port, named = strings.CutPrefix(after, ":")
		ip, err := netip.ParseAddr(inner)
		if !closed || !named && after != "" || err != nil || !ip.Is6() || ip.Zone() != "" {
			return "", "", false
		}
		host = ip.String()
	} else if CheckHost(host) != nil {
		return "", "", false
	}
	if !named {
		return strings.ToLower(host), usual, true
	}
	number, err := strconv.ParseUint(port, 10, 16)
	return strings.ToLower(host), strconv.FormatUint(number, 10), err == nil && number > 0
}

// HostRule allows hosts: one, or with Below all that end in .Host. An empty port is the
// scheme's own.
type HostRule struct {
	Host, Port string
	Below      bool
}

// ParseHostRule reads HOST, HOST:PORT or *.DOMAIN, whose domain is
// somebody's: *.com would be anybody.
func ParseHostRule(text string) (HostRule, error) {
	name, below := strings.CutPrefix(text, "*.")
	host, port, ok := SplitHost(name, "")
	switch {
	case !ok:
		return HostRule{}, fmt.Errorf("%s is not HOST, HOST:PORT or *.DOMAIN", QuoteHost(text))
	case below && isWide(host):
		return HostRule{}, fmt.Errorf("%q is too wide: anybody can have a host below it", secret.CleanText(text))
	}
	return HostRule{host, port, below}, nil
}

// isWide reports whether a domain is a registry's: one label, or two of which the
// first is what registries of countries use in place of com and its like.
func isWide(domain string) bool {
	first, rest, ok := strings.Cut(domain, ".")
	registry := []string{"ac", "co", "com", "edu", "gob", "gov", "mil", "ne", "net", "or", "org"}
	return !ok || len(rest) == 2 && slices.Contains(registry, first)
}

// Allows reports whether a host and its port are allowed, where usual is the port of the scheme.
func (r HostRule) Allows(host, port, usual string) bool {
	if port != cmp.Or(r.Port, usual) {
		return false
	}
	return host == r.Host && !r.Below || strings.HasSuffix(host, "."+r.Host) && r.Below
}
