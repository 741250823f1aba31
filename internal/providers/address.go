package providers

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/authctl/authctl/internal/oauth"
)

// BaseURL returns scheme, host and port to talk to: the setting base_url, which
// may have one of the given paths and no other, else standard ("https://host").
func BaseURL(s Settings, standard string, paths ...string) (*url.URL, error) {
	text := s.Text("base_url")
	if text == "" {
		return url.Parse(standard)
	}
	return s.Address("base_url", text, paths...)
}

// Address returns scheme, host and port of a setting, which may have one of the
// given paths and no other.
func (s Settings) Address(name, text string, paths ...string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return nil, s.wrong(name, "is not an absolute URL", "give scheme and host, such as https://host.example")
	}
	path := strings.TrimRight(u.Path, "/")
	if path != "" && !slices.Contains(paths, path) {
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

// Label returns the value of a setting that becomes one DNS label (RFC 1035
// §2.3.1), in lower case; example is one for the hint.
func (s Settings) Label(name, example string) (string, error) {
	label := s.Text(name)
	if label == "" || len(label) > 63 || strings.Trim(label, "-") != label ||
		strings.ContainsFunc(label, func(r rune) bool { return !labelRune(r) }) {
		return "", s.wrong(name, "is not one host label", "letters, digits and hyphens only, such as "+example)
	}
	return strings.ToLower(label), nil
}

// Segment returns the value of a setting that becomes one segment of a path.
func (s Settings) Segment(name string) (string, error) {
	segment := s.Text(name)
	if segment == "" || segment == "." || segment == ".." || strings.ContainsFunc(segment, func(r rune) bool {
		return !nameRune(r)
	}) {
		return "", s.wrong(name, "is not one path segment", "letters, digits, dots, hyphens and underscores only")
	}
	return segment, nil
}

// AccountName returns the value of a setting in lower case with every white space
// removed, as https://qmatic.atlassian.net/wiki/spaces/ECAEAD asks for the account.
func (s Settings) AccountName(name string) (string, error) {
	account := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, strings.ToLower(s.Text(name)))
	if strings.Trim(account, ".") == "" ||
		strings.ContainsFunc(account, func(r rune) bool { return !nameRune(r) && !strings.ContainsRune("&+'()!", r) }) {
		return "", s.wrong(name, "is not an account name", "letters, digits, spaces and any of . - _ & + ' ( ) ! only")
	}
	return account, nil
}

// labelRune reports whether r may stand in a host label: ASCII only, because the
// lower case of some other letters is ASCII.
func labelRune(r rune) bool {
	return r == '-' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

// nameRune reports whether r may stand in a name that becomes part of an address
// or a header. Look-alikes of dots and slashes are punctuation and may not.
func nameRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || strings.ContainsRune("-._", r)
}

// At returns base with a path, after checking that the result still points to
// the host of base and passes oauth.CheckEndpoint.
func (s Settings) At(base *url.URL, segments ...string) (*url.URL, error) {
	u := *base
	u.Path = "/" + strings.Join(segments, "/")
	again, err := url.Parse(u.String())
	if err != nil || again.Host != base.Host || again.Path != u.Path {
		return nil, fmt.Errorf("profile %s: the address built from the settings is not one of %s", s.Profile, base.Host)
	}
	return again, oauth.CheckEndpoint(again)
}

// wrong returns the error for a setting whose value cannot be used.
func (s Settings) wrong(name, problem, help string) error {
	return &SettingError{Profile: s.Profile, Name: name, Problem: problem, Help: help, Origin: s.values[name].Origin}
}
