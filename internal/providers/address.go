package providers

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/authctl/authctl/internal/oauth"
)

// Form is what the value of a setting has to look like in an address or a header.
type Form int

// The forms.
const (
	// Label is one DNS label (RFC 1035 §2.3.1), in lower case.
	Label Form = iota + 1
	// Segment is one segment of a path.
	Segment
	// Squeezed is in lower case with every white space removed, as
	// https://qmatic.atlassian.net/wiki/spaces/ECAEAD asks for the account.
	Squeezed
)

// inForm returns the value of one of the service's Vars as it stands in an address.
func (s Settings) inForm(form Form, d Setting) (string, error) {
	text := s.Text(d.Name)
	other := func(allowed func(rune) bool) bool {
		return strings.ContainsFunc(text, func(r rune) bool { return !allowed(r) })
	}
	switch form {
	case Label:
		// ASCII only: the lower case of some other letters is ASCII.
		if text == "" || len(text) > 63 || strings.Trim(text, "-") != text || other(labelRune) {
			return "", s.wrong(d.Name, "is not one host label", "letters, digits and hyphens only, such as "+d.Example)
		}
		text = strings.ToLower(text)
	case Segment:
		if text == "" || text == "." || text == ".." || other(nameRune) {
			return "", s.wrong(d.Name, "is not one path segment", "letters, digits, dots, hyphens and underscores only")
		}
	case Squeezed:
		text = strings.Join(strings.Fields(strings.ToLower(text)), "")
		allowed := func(r rune) bool { return nameRune(r) || strings.ContainsRune("&+'()!", r) }
		if strings.Trim(text, ".") == "" || other(allowed) {
			return "", s.wrong(d.Name, "is not an account name", "letters, digits, spaces and any of . - _ & + ' ( ) ! only")
		}
	}
	return text, nil
}

func labelRune(r rune) bool {
	return r == '-' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

// nameRune reports whether r may stand in a name that becomes part of an address
// or a header. Look-alikes of dots and slashes are punctuation and may not.
func nameRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || strings.ContainsRune("-._", r)
}

// locate puts the addresses of the profile together.
func (p *Provider) locate() (err error) {
	for _, d := range p.spec.Settings {
		if form, ok := p.spec.Vars[d.Name]; ok {
			if p.vars[d.Name], err = p.settings.inForm(form, d); err != nil {
				return err
			}
		}
	}
	if p.base, err = p.host("base_url", p.spec.Base, p.spec.BasePath); err != nil {
		return err
	}
	if p.api, err = p.locateAPI(p.spec.API); err != nil {
		return err
	}
	if p.token, err = p.at(p.spec.Token); err != nil {
		return err
	}
	if p.authorize, err = p.at(p.spec.Authorize); err != nil {
		return err
	}
	p.issuer, err = p.at(p.spec.Issuer)
	return err
}

// host returns scheme, host and port that a setting says, which may have one path and no
// other, or else where the service is.
func (p *Provider) host(setting string, standard Hosts, path string) (*url.URL, error) {
	if text := p.settings.Text(setting); text != "" {
		return p.settings.address(setting, text, path)
	}
	if text := standard.At[p.settings.Text(standard.By)]; text != "" {
		return url.Parse(p.filled(text))
	}
	return nil, p.settings.wrong(setting, "is missing", "give scheme and host, such as https://host.example")
}

// locateAPI returns where the API is, nil where that is not known. A base_url stands for its
// host too.
func (p *Provider) locateAPI(h Hosts) (*url.URL, error) {
	switch {
	case h.At == nil:
		return nil, nil
	case p.settings.Text("api_url") != "":
	case p.settings.Text("base_url") != "":
		return p.base, nil
	case h.At[p.settings.Text(h.By)] == "":
		return nil, nil
	}
	return p.host("api_url", h, "")
}

// at returns a path of the Spec at the service, nil for an empty one. The result is checked to
// point to its host still, and passes oauth.CheckEndpoint.
func (p *Provider) at(path string) (*url.URL, error) {
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
func (p *Provider) filled(text string) string {
	for name, value := range p.vars {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}

// address returns scheme, host and port of a setting, which may have one path and no other.
func (s Settings) address(name, text, path string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return nil, s.wrong(name, "is not an absolute URL", "give scheme and host, such as https://host.example")
	}
	if has := strings.TrimRight(u.Path, "/"); has != "" && has != path {
		return nil, s.wrong(name, "has a path", "it replaces scheme, host and port only; leave the path out")
	}
	u.Path, u.RawPath, u.Host = "", "", strings.ToLower(u.Host)
	if err := oauth.CheckEndpoint(u); err != nil {
		help := ""
		if e, ok := errors.AsType[*oauth.RequestError](err); ok {
			help = e.Hint
		}
		return nil, s.wrong(name, "cannot be used: "+err.Error(), help)
	}
	return u, nil
}

// wrong returns the error for a setting whose value cannot be used.
func (s Settings) wrong(name, problem, help string) error {
	return &SettingError{Profile: s.Profile, Name: name, Problem: problem, Help: help, Origin: s.values[name].Origin}
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
