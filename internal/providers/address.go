package providers

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/oauth"
)

// addresses are where a configured service is.
type addresses struct {
	configured
	// vars are the values of Spec.Vars, each in its form.
	vars map[string]string
	// base is scheme, host and port, nil where a service has none of its own; and issuer and api
	// are nil where there is none.
	base, issuer, api *url.URL
	// endpoints are what the Spec or the profile says, by their names in a discovery document.
	endpoints map[string]*url.URL
}

// The endpoints that a client asks for tokens, by their names in a discovery document (RFC 8414
// §2).
const (
	tokenEndpoint     = "token_endpoint"
	authorizeEndpoint = "authorization_endpoint"
)

// locate puts the addresses of the profile together.
func (p *addresses) locate() (err error) {
	for _, d := range p.spec.Settings() {
		if form, ok := p.spec.Vars[d.Name]; ok {
			if p.vars[d.Name], err = p.settings.InForm(form, d); err != nil {
				return err
			}
		}
	}
	if p.spec.Given == nil || p.settings.Text("base_url") != "" {
		if p.base, err = p.host("base_url", p.spec.Base, p.spec.BasePath); err != nil {
			return err
		}
	}
	if p.api, err = p.locateAPI(p.spec.API); err != nil {
		return err
	}
	for _, known := range []struct{ name, path string }{
		{tokenEndpoint, p.spec.Token}, {authorizeEndpoint, p.spec.Authorize}, {issuer, p.spec.Issuer},
	} {
		u, err := p.at(known.path)
		if err != nil {
			return err
		}
		p.note(known.name, u)
	}
	for _, name := range slices.Sorted(maps.Keys(p.spec.Given)) {
		u, err := p.settings.Endpoint(p.spec.Given[name], p.base)
		if err != nil {
			return err
		}
		p.note(name, u)
	}
	if p.issuer == nil && p.endpoints[tokenEndpoint] == nil {
		return p.settings.Wrong(issuer, "is missing", "give the issuer, or the token_url")
	}
	return nil
}

// issuer stands among the endpoints for who names the others.
const issuer = "issuer"

// note keeps an address, if there is one.
func (p *addresses) note(name string, u *url.URL) {
	switch {
	case u == nil:
	case name == issuer:
		p.issuer = u
	default:
		p.endpoints[name] = u
	}
}

// host returns scheme, host and port that a setting says, which may have one path and no
// other, or else where the service is.
func (p *addresses) host(setting string, standard Hosts, path string) (*url.URL, error) {
	if text := p.settings.Text(setting); text != "" {
		return p.settings.Address(setting, text, path)
	}
	if text := standard.At[p.settings.Text(standard.By)]; text != "" {
		return url.Parse(p.filled(text))
	}
	return nil, p.settings.Wrong(setting, "is missing", "give scheme and host, such as https://host.example")
}

// locateAPI returns where the API is, nil where that is not known. A base_url stands for its
// host too.
func (p *addresses) locateAPI(h Hosts) (*url.URL, error) {
	switch {
	case p.settings.Text("api_url") != "":
	case h.At == nil:
		return nil, nil
	case p.settings.Text("base_url") != "" && p.spec.Given == nil:
		return p.base, nil
	case h.At[p.settings.Text(h.By)] == "":
		return nil, nil
	}
	return p.host("api_url", h, "")
}

// at returns a path of the Spec at the service, nil for an empty one. The result is checked to
// point to its host still, and passes oauth.CheckEndpoint.
func (p *addresses) at(path string) (*url.URL, error) {
	if path == "" {
		return nil, nil
	}
	u := *p.base
	u.Path = p.filled(path)
	again, err := url.Parse(u.String())
	if err != nil || again.Host != u.Host || again.Path != u.Path {
		return nil, fmt.Errorf("profile %s: the address built from the settings is not one of %s", p.settings.Profile, u.Host)
	}
	return again, oauth.CheckEndpoint(again)
}

// filled puts the values of the variables in their places. None of them has a brace.
func (p *addresses) filled(text string) string {
	for name, value := range p.vars {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}

// AtAddress returns what an address of the service says of the settings ("account",
// "region"), as people paste it from a browser or a page; nil for one that says nothing.
func (s Spec) AtAddress(u *url.URL) map[string]string {
	for value, base := range s.Base.At {
		said := map[string]string{}
		if s.Base.By != "" {
			said[s.Base.By] = value
		}
		_, host, _ := strings.Cut(base, "://")
		if reads(host, strings.ToLower(u.Hostname()), ".", said) && reads(s.Issuer, u.Path, "/", said) && len(said) > 0 {
			return said
		}
	}
	return nil
}

// reads reports whether a text is what a pattern of an address says, and notes the value of
// the name in it. An empty pattern fits all, and so does what follows a name at the end.
func reads(pattern, text, separator string, said map[string]string) bool {
	before, rest, named := strings.Cut(pattern, "{")
	if !named {
		return pattern == "" || text == pattern
	}
	name, after, _ := strings.Cut(rest, "}")
	text, ok := strings.CutPrefix(text, before)
	value, tail, _ := strings.Cut(text, separator)
	said[name] = value
	return ok && value != "" && (after == "" || after == separator+tail)
}

// addressed reports whether a setting is part of the service's addresses.
func (s Spec) addressed(setting string) bool {
	all := strings.Join(slices.Collect(maps.Values(s.Base.At)), " ") + s.Token + s.Issuer
	return strings.Contains(all, "{"+setting+"}")
}
