// Package address reads where the engine of a shared store is: the address of a Redis or Valkey
// server, as a profile, a flag or a variable says it. It connects to nothing.
package address

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The usual bounds, where an address says no others.
const (
	// UsualConnect is how long a connection may take to stand.
	UsualConnect = 300 * time.Millisecond
	// UsualTimeout is how long an engine may take in all.
	UsualTimeout = time.Second
)

// Address is where an engine is, and how it is asked. No password is in it.
type Address struct {
	// TLS has connections encrypted: rediss.
	TLS bool
	// User is the engine's user (ACL), empty for its default one.
	User string
	// Hosts are HOST:PORT, one at least: the engine, nodes of a cluster, or with Master the sentinels.
	Hosts []string
	// DB is the number of the database, from 0; 0 in a cluster.
	DB int
	// Master is the name that sentinels know the engine by, empty where there are none.
	Master string
	// Cluster says that Hosts are nodes of a cluster.
	Cluster bool
	// Connect is how long a connection may take to stand, Timeout how long the engine may take in all.
	Connect, Timeout time.Duration
}

// Is reports whether a text is meant as an address: it begins with redis:// or rediss://.
func Is(text string) bool {
	scheme, _, found := strings.Cut(text, "://")
	return found && slices.Contains([]string{plainScheme, tlsScheme}, strings.ToLower(scheme))
}

// String returns the address as Parse reads it, without the user and what is usual: for people.
func (a Address) String() string {
	u := url.URL{Scheme: plainScheme, Path: "/" + strconv.Itoa(a.DB)}
	if a.TLS {
		u.Scheme = tlsScheme
	}
	if len(a.Hosts) > 0 {
		u.Host = a.Hosts[0]
	}
	said := url.Values{}
	for _, host := range a.Hosts[min(1, len(a.Hosts)):] {
		said.Add(moreHosts, host)
	}
	for name, value := range map[string]string{
		masterName: a.Master, connectTimeout: unusual(a.Connect, UsualConnect), timeout: unusual(a.Timeout, UsualTimeout),
	} {
		if value != "" {
			said.Set(name, value)
		}
	}
	if a.Cluster {
		said.Set(cluster, "true")
	}
	// A colon needs no escape there, and HOST:PORT is for people.
	u.RawQuery = strings.ReplaceAll(said.Encode(), "%3A", ":")
	return u.String()
}

func unusual(d, usual time.Duration) string {
	if d == usual || d == 0 {
		return ""
	}
	return d.String()
}

// hostPort completes HOST, [IPV6], HOST:PORT or [IPV6]:PORT. The last result reports whether it is one of them.
func hostPort(text, usualPort string) (string, bool) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		host, port, err = net.SplitHostPort(text + ":" + usualPort)
	}
	if err != nil {
		return "", false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || !isHost(host) || strings.Contains(host, ":") != strings.HasPrefix(text, "[") {
		return "", false
	}
	return net.JoinHostPort(strings.ToLower(host), strconv.FormatUint(n, 10)), true
}

// isHost reports whether a text is an IP address or has the signs of a host's name alone.
func isHost(text string) bool {
	if strings.Contains(text, ":") {
		_, err := netip.ParseAddr(text)
		return err == nil
	}
	const signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_"
	return text != "" && strings.Trim(text, signs) == ""
}
