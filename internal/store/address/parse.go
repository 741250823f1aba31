package address

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
)

const (
	plainScheme, tlsScheme  = "redis", "rediss"
	usualPort, sentinelPort = "6379", "26379"
	// mostTimeout is the longest that an address may have the engine take.
	mostTimeout = time.Minute
)

// The parameters of an address.
const (
	moreHosts      = "addr"
	cluster        = "cluster"
	connectTimeout = "connect_timeout"
	masterName     = "master_name"
	timeout        = "timeout"
)

func parameters() []string { return []string{moreHosts, cluster, connectTimeout, masterName, timeout} }

// Form is what an address looks like, for help.
const Form = "redis://[USER@]HOST[:6379][/DB]"

// Error says what is wrong with an address. It repeats of it the names of parameters and hosts, never what may
// be a password.
type Error struct {
	// Problem completes "store", or what else gives the address: "has a password in its address".
	Problem string
	// Help says what to do.
	Help string
}

// Error returns the problem.
func (e *Error) Error() string { return "the store " + e.Problem }

// Parse reads redis://[USER@]HOST[:6379][/DB], or rediss:// for the same with TLS. Behind it there may be
// ?addr=HOST:PORT&addr=…&cluster=true&master_name=NAME&connect_timeout=300ms&timeout=1s. Several hosts without a
// master's name are a cluster. Errors are an *Error.
func Parse(text string) (Address, error) {
	if !Is(text) {
		return Address{}, wrong("does not begin with redis:// or rediss://", "write "+Form+", or rediss:// for TLS")
	}
	u, err := url.Parse(text)
	if err != nil {
		// Its words are left out: they repeat the text, and that may hold a password.
		return Address{}, wrong("is not a URL",
			"write "+Form+"; in a user's name, signs such as / and @ are written %2F and %40")
	}
	a := Address{TLS: u.Scheme == tlsScheme, User: u.User.Username(), Connect: UsualConnect, Timeout: UsualTimeout}
	if err := noPassword(u); err != nil {
		return Address{}, err
	}
	said, err := a.parameters(u)
	if err == nil {
		err = a.hosts(u, said)
	}
	if err == nil {
		err = a.database(u)
	}
	if err != nil {
		return Address{}, err
	}
	return a, nil
}

func wrong(problem, help string) error { return &Error{problem, help} }

// noPassword refuses a password, which every list of processes and every log of a pipeline would show.
func noPassword(u *url.URL) error {
	_, found := u.User.Password()
	for name := range u.Query() {
		name = strings.ToLower(name)
		found = found || strings.Contains(name, "pass") || slices.Contains([]string{"pwd", "auth", "secret", "token"}, name)
	}
	if found {
		return wrong("has a password in its address", "take it out, and give a reference to it: store_password: env:NAME")
	}
	if u.Fragment != "" || strings.HasSuffix(u.String(), "#") {
		return wrong("has a # in it", "write "+Form+"; a # in a user's name is written %23")
	}
	return nil
}

// parameters reads what stands behind the question mark.
func (a *Address) parameters(u *url.URL) (url.Values, error) {
	said, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, wrong("has parameters that cannot be read", "write them as NAME=VALUE, with & between them")
	}
	for name, values := range said {
		if !slices.Contains(parameters(), name) {
			return nil, unknown(name)
		}
		if name != moreHosts && len(values) > 1 {
			return nil, wrong("says "+name+" more than once", "say it once")
		}
	}
	if a.Connect, err = duration(said, connectTimeout, UsualConnect); err != nil {
		return nil, err
	}
	if a.Timeout, err = duration(said, timeout, UsualTimeout); err != nil {
		return nil, err
	}
	if a.Cluster, err = truth(said, cluster); err != nil {
		return nil, err
	}
	a.Master = said.Get(masterName)
	if said.Has(masterName) && (a.Master == "" || !secret.IsVisible(a.Master)) {
		return nil, wrong("has a "+masterName+" that is none", "give the name that the sentinels know, such as mymaster")
	}
	if a.Cluster && a.Master != "" {
		return nil, wrong("says both "+cluster+" and "+masterName, "a cluster has no sentinels: leave one of them out")
	}
	return said, nil
}

// unknown names a parameter only where it cannot be a secret that has lost its name.
func unknown(name string) error {
	help := setting.DidYouMean(name, parameters())
	if secret.MayBeToken(name) {
		return wrong("has an unknown parameter", help)
	}
	return wrong("has an unknown parameter: "+secret.CleanName(name), help)
}

func duration(said url.Values, name string, usual time.Duration) (time.Duration, error) {
	if !said.Has(name) {
		return usual, nil
	}
	d, err := time.ParseDuration(said.Get(name))
	if err != nil || d < time.Millisecond || d > mostTimeout {
		return 0, wrong("has a "+name+" that is no duration from 1ms to 1m", "write it as 300ms or 2s")
	}
	return d, nil
}

func truth(said url.Values, name string) (bool, error) {
	switch said.Get(name) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	if said.Has(name) {
		return false, wrong("has a "+name+" that is neither true nor false", "write "+name+"=true, or leave it out")
	}
	return false, nil
}

// hosts reads the hosts, and whether they are a cluster.
func (a *Address) hosts(u *url.URL, said url.Values) error {
	port := usualPort
	if a.Master != "" {
		port = sentinelPort
	}
	for _, text := range slices.Concat([]string{u.Host}, said[moreHosts]) {
		host, ok := hostPort(text, port)
		if !ok {
			return wrong(cmp.Or(noHost(text), "has a host that is none"),
				"write HOST or HOST:PORT, [::1]:6379 for IPv6, and further hosts as ?addr=HOST:PORT&addr=…")
		}
		if !slices.Contains(a.Hosts, host) {
			a.Hosts = append(a.Hosts, host)
		}
	}
	a.Cluster = a.Cluster || len(a.Hosts) > 1 && a.Master == ""
	return nil
}

func noHost(text string) string {
	if text == "" || strings.HasPrefix(text, ":") && strings.Count(text, ":") == 1 {
		return "names no host"
	}
	return ""
}

// database reads the path, which is a number.
func (a *Address) database(u *url.URL) error {
	text := strings.TrimPrefix(u.EscapedPath(), "/")
	if text == "" {
		return nil
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return wrong("has a path that is no number of a database", "write "+Form+"; DB is a number, usually 0")
	}
	if a.Cluster && n != 0 {
		return wrong("names a database other than 0", "a cluster has only database 0: leave the number out")
	}
	a.DB = int(n)
	return nil
}
