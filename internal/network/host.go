// Package network is the way to a service: which names a host may have, how a connection
// is made, which proxy stands between, and what an error on the way means. What is asked
// there is not its matter.
package network

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/authctl/authctl/internal/secret"
)

// AddressText is how errors and traces name a URL: scheme, host and path.
func AddressText(u *url.URL) string {
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

// CheckAuthority returns an error unless a URL has a host that CheckHost takes, or the literal of
// an IPv6 address, and a port that can be had or none. Its text follows on the name of what the URL
// is of: " has a colon and no port: …", "'s port 0 is …".
func CheckAuthority(u *url.URL) error {
	port := u.Port()
	if strings.HasSuffix(u.Host, ":") {
		return errors.New(" has a colon and no port: " + AddressText(u))
	}
	if number, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || number == 0) {
		return errors.New("'s port " + secret.CleanText(port) + " is not between 1 and 65535")
	}
	if strings.HasPrefix(u.Host, "[") {
		if ip, err := netip.ParseAddr(u.Hostname()); err != nil || !ip.Is6() || ip.Zone() != "" {
			return errors.New("'s host is not an IPv6 address: " + AddressText(u))
		}
		return nil
	}
	if err := CheckHost(u.Hostname()); err != nil {
		return errors.New("'s host " + err.Error())
	}
	return nil
}

// IsLoopback reports whether host is localhost or the literal of a loopback
// address. Names are not resolved: the answer could differ when connecting.
func IsLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
