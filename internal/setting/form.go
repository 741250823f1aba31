package setting

import (
	"errors"
	"net/url"
	"strings"
	"unicode"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
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

// InForm returns the value of a setting as it stands in an address.
func (s Values) InForm(form Form, d Setting) (string, error) {
	text := s.Text(d.Name)
	other := func(allowed func(rune) bool) bool {
		return strings.ContainsFunc(text, func(r rune) bool { return !allowed(r) })
	}
	switch form {
	case Label:
		// ASCII only: the lower case of some other letters is ASCII.
		if text == "" || len(text) > 63 || strings.Trim(text, "-") != text || other(labelRune) {
			return "", s.Wrong(d.Name, "is not one host label", "letters, digits and hyphens only, such as "+d.Example)
		}
		text = strings.ToLower(text)
	case Segment:
		if text == "" || text == "." || text == ".." || other(nameRune) {
			return "", s.Wrong(d.Name, "is not one path segment", "letters, digits, dots, hyphens and underscores only")
		}
	case Squeezed:
		text = strings.Join(strings.Fields(strings.ToLower(text)), "")
		allowed := func(r rune) bool { return nameRune(r) || strings.ContainsRune("&+'()!", r) }
		if strings.Trim(text, ".") == "" || other(allowed) {
			return "", s.Wrong(d.Name, "is not an account name", "letters, digits, spaces and any of . - _ & + ' ( ) ! only")
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

// Address returns scheme, host and port of a setting, which may have one path and no other.
func (s Values) Address(name, text, path string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return nil, s.Wrong(name, "is not an absolute URL", "give scheme and host, such as https://host.example")
	}
	if has := strings.TrimRight(u.Path, "/"); has != "" && has != path {
		return nil, s.Wrong(name, "has a path", "it replaces scheme, host and port only; leave the path out")
	}
	u.Path, u.RawPath, u.Host = "", "", strings.ToLower(u.Host)
	return u, unusable(s, name, oauth.CheckEndpoint(u))
}

// Endpoint returns the address of a setting, nil when it has none; base, unless nil, takes the
// place of its scheme, host and port. It passes oauth.CheckEndpoint, and is written as it is
// going to be asked: an issuer is compared octet by octet (RFC 8414 §3.3).
func (s Values) Endpoint(name string, base *url.URL) (*url.URL, error) {
	text := s.Text(name)
	if text == "" {
		return nil, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return nil, s.Wrong(name, "is not an absolute URL", "write it as https://HOST/PATH")
	}
	if err := unusable(s, name, oauth.CheckEndpoint(u)); err != nil {
		return nil, err
	}
	if written := u.String(); written != text {
		return nil, s.Wrong(name, "is not written as it is sent", "write it as "+secret.Printable(written))
	}
	if base != nil {
		u.Scheme, u.Host = base.Scheme, base.Host
	}
	return u, nil
}

// unusable is the error for an address that oauth cannot use, nil for none.
func unusable(s Values, name string, err error) error {
	if err == nil {
		return nil
	}
	help := ""
	if e, ok := errors.AsType[*oauth.RequestError](err); ok {
		help = e.Hint
	}
	return s.Wrong(name, "cannot be used: "+err.Error(), help)
}

// Wrong returns the error for a setting whose value cannot be used.
func (s Values) Wrong(name, problem, help string) error {
	return &Error{Profile: s.Profile, Name: name, Problem: problem, Help: help, Origin: s.values[name].Origin}
}
