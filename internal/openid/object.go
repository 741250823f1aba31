package openid

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"strconv"
	"time"

	"github.com/authctl/authctl/internal/network"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
)

const (
	// maxDepth is how deep what an issuer says may be nested; what is read here is not deeper
	// than three.
	maxDepth = 32
	// maxURL is how many bytes an endpoint may have, and maxList how many names a list is read of.
	maxURL, maxList = 2048, 1000
)

// object is a JSON object by its members, as they are written.
type object map[string]json.RawMessage

// parseObject reads a JSON object; the second result is the problem, a clause. What two readers
// could understand in two ways is refused: a name that comes twice (RFC 8259 §4, RFC 7519 §4).
func parseObject(text []byte) (object, string) {
	if problem := oddity(text); problem != "" {
		return nil, problem
	}
	var o object
	if json.Unmarshal(text, &o) != nil || o == nil {
		return nil, "it is not a JSON object"
	}
	return o, ""
}

// level is an object or a list that a text has begun: the names that an object had so far, and
// whether a name comes next.
type level struct {
	names map[string]bool
	name  bool
}

// oddity says what is wrong with a JSON text at any depth: what is none, a name that an object has
// twice, and what is nested too deep.
func oddity(text []byte) string {
	decoder := json.NewDecoder(bytes.NewReader(text))
	var open []*level
	for {
		token, err := decoder.Token()
		switch {
		case errors.Is(err, io.EOF) && len(open) == 0:
			return ""
		case err != nil:
			return "it is not valid JSON"
		}
		if token == json.Delim('}') || token == json.Delim(']') {
			open = open[:len(open)-1]
			continue
		}
		if problem := within(open, token); problem != "" {
			return problem
		}
		switch token {
		case json.Delim('{'):
			open = append(open, &level{names: map[string]bool{}, name: true})
		case json.Delim('['):
			open = append(open, &level{})
		}
		if len(open) > maxDepth {
			return "it is nested too deep"
		}
	}
}

// within notes a name or a value in the innermost of what is open.
func within(open []*level, token json.Token) string {
	if len(open) == 0 {
		return ""
	}
	in := open[len(open)-1]
	name, _ := token.(string)
	if in.name && in.names[name] {
		return "it says " + secret.Quote(name) + " twice"
	}
	if in.name {
		in.names[name] = true
	}
	in.name = in.names != nil && !in.name
	return ""
}

func (o object) text(name string) (string, bool) { return oauth.MemberText(o[name]) }

// texts reads a list of strings, cleaned; nil when it is none.
func (o object) texts(name string) []string {
	var list []string
	if json.Unmarshal(o[name], &list) != nil {
		return nil
	}
	list = list[:min(len(list), maxList)]
	for i, s := range list {
		list[i] = secret.CleanName(s)
	}
	return list
}

// moment reads a NumericDate (RFC 7519 §2), which may have a fraction; false when it is none.
func (o object) moment(name string) (time.Time, bool) {
	seconds, err := strconv.ParseFloat(string(o[name]), 64)
	if err != nil || seconds < 0 || seconds > math.MaxUint32*100 {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}

// endpoint reads one endpoint, nil when there is none; the second result is the problem. It is
// https where the issuer is. What a browser can be sent to may have a query (RFC 6749 §3.1, OpenID
// Connect RP-Initiated Logout 1.0 §2.1).
func (o object) endpoint(name, scheme string) (*url.URL, string) {
	text, ok := o.text(name)
	if ok && text == "" {
		return nil, ""
	}
	u, err := url.Parse(text)
	if !ok || err != nil {
		return nil, "its " + name + " is not a URL"
	}
	if len(text) > maxURL {
		return nil, fmt.Sprintf("its %s has %d bytes, more than %d", name, len(text), maxURL)
	}
	check := oauth.CheckEndpoint
	if name == "end_session_endpoint" || name == "authorization_endpoint" {
		check = oauth.CheckAddress
	}
	if check(u) != nil || scheme == "https" && u.Scheme != "https" {
		return nil, "its " + name + " is not an https URL that can be used: " + strconv.Quote(network.AddressText(u))
	}
	return u, ""
}
