package cli

import (
	"net/url"

	"github.com/authctl/authctl/internal/network"
)

// proxies warns of a proxy in the environment that is not used, or not as it was meant.
// net/http passes over what it cannot read without a word. The value is never shown: it
// may hold a password.
func (e *examination) proxies() {
	for _, names := range [][]string{{"HTTPS_PROXY", "https_proxy"}, {"HTTP_PROXY", "http_proxy"}} {
		for _, name := range names {
			value, _ := e.app.LookupEnv(name)
			if value == "" {
				continue
			}
			if problem := proxyProblem(value); problem != "" {
				e.warn(check{
					Section: sectionNetwork, Name: name, Message: problem,
					Hint: "write it as http://HOST:PORT; a user name or password before it has %25 for %, %40 for @, " +
						"%2F for /, %3F for ? and %23 for #",
				})
			}
			break
		}
	}
}

// proxyProblem returns what is wrong with the address of a proxy, empty when nothing.
// It is read as net/http does (golang.org/x/net/http/httpproxy): without a scheme,
// http is meant.
func proxyProblem(value string) string {
	u, err := url.Parse(value)
	if err != nil || u.Scheme == "" || u.Host == "" {
		u, err = url.Parse("http://" + value)
	}
	switch {
	case err != nil:
		return "its value cannot be read as an address, so no proxy is used"
	case network.ProxyHasMore(u):
		return "it is not scheme, host and port alone, so a wrong one may be taken for the proxy"
	}
	return ""
}
