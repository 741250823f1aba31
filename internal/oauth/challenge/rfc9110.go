// Package challenge reads the header WWW-Authenticate: why a request was not let in, and which
// scope would be (RFC 9110 §11.6.1, RFC 6750 §3).
package challenge

import (
	"net/http"
	"strings"

	"github.com/authctl/authctl/internal/secret"
)

// maxChallenge is how many bytes of one WWW-Authenticate header are read.
const maxChallenge = 8 << 10

// Challenge is what a WWW-Authenticate header says (RFC 9110 §11.6.1) with the
// parameters of RFC 6750 §3. All of it is remote text made fit to be shown.
type Challenge struct {
	// Scheme is the authentication scheme as the service wrote it ("Bearer").
	Scheme string
	// Realm is the realm parameter.
	Realm string
	// Error is the error code ("insufficient_scope").
	Error string
	// Description is the error_description parameter.
	Description string
	// Scope is the scope parameter, space-separated as it came.
	Scope string
}

func challenges(value string, red secret.Redactor) []Challenge {
	p := challengeParser{rest: value[:min(len(value), maxChallenge)]}
	var all []Challenge
	for c, ok := p.next(red); ok; c, ok = p.next(red) {
		all = append(all, c)
	}
	return all
}

// In reads the challenge that carries an error, else the first one, without the secrets of a request.
// Of a value beyond 8 KiB only the beginning is read.
func In(header http.Header, red secret.Redactor) Challenge {
	var first Challenge
	for _, line := range header.Values("WWW-Authenticate") {
		for _, c := range challenges(line, red) {
			if c.Error != "" {
				return c
			}
			if first == (Challenge{}) {
				first = c
			}
		}
	}
	return first
}

// challengeParser takes challenges off the front of a header's value.
type challengeParser struct{ rest string }

// next reads one challenge: a scheme, then parameters up to the next word that
// no "=" follows, which is the next scheme.
func (p *challengeParser) next(red secret.Redactor) (Challenge, bool) {
	p.skip(" \t,")
	scheme := p.word(" \t,=\"")
	if scheme == "" {
		return Challenge{}, false
	}
	c := Challenge{Scheme: red.Clean(scheme)}
	for {
		before := p.rest
		p.skip(" \t,")
		name := p.word(" \t,=\"")
		p.skip(" \t")
		if name == "" || !strings.HasPrefix(p.rest, "=") {
			p.rest = before
			if name == "" {
				p.rest = ""
			}
			return c, true
		}
		p.rest = p.rest[1:]
		p.skip(" \t")
		c.set(name, red.Clean(p.value()))
	}
}

// set keeps the parameters that Challenge knows.
func (c *Challenge) set(name, value string) {
	switch strings.ToLower(name) {
	case "realm":
		c.Realm = value
	case "error":
		c.Error = value
	case "error_description":
		c.Description = value
	case "scope":
		c.Scope = value
	}
}

// skip drops leading bytes out of set.
func (p *challengeParser) skip(set string) { p.rest = strings.TrimLeft(p.rest, set) }

// word takes the bytes up to one of stops.
func (p *challengeParser) word(stops string) string {
	n := strings.IndexAny(p.rest, stops)
	if n < 0 {
		n = len(p.rest)
	}
	w := p.rest[:n]
	p.rest = p.rest[n:]
	return w
}

// value takes a token, or a quoted string with its escapes undone.
func (p *challengeParser) value() string {
	if !strings.HasPrefix(p.rest, `"`) {
		return p.word(" \t,")
	}
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '"':
			p.rest = p.rest[i+1:]
			return b.String()
		case c == '\\' && i+1 < len(p.rest):
			i++
			b.WriteByte(p.rest[i])
		default:
			b.WriteByte(c)
		}
	}
	p.rest = ""
	return b.String()
}
