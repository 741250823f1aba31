package providers

import (
	"slices"
	"strings"
)

// Names are the settings of one profile that can be what is wrong with it. Hints put them
// in for {account,region,base_url}: what the service does not have, or what this profile's
// grant, authentication or base_url leave without effect, is not named.
//
// The zero value knows what every client has.
type Names struct{ names []string }

// Groups that a hint may name, as in "check {address}".
const (
	addressNames     = "account,region,environment,api_url,base_url"
	credentialsNames = "username,password,client_id,client_secret,private_key,key_id"
)

// Applying returns those of the service's settings that have an effect on this profile.
func (s Settings) Applying(list []Setting) Names {
	var n Names
	for _, d := range list {
		if s.applies(d) {
			n.names = append(n.names, d.Name)
		}
	}
	return n
}

func (s Settings) applies(d Setting) bool {
	method, _ := s.authMethod()
	switch {
	case d.If != nil && !d.If.holds(s):
		return false
	case d.Name == "client_secret":
		return method == Basic || method == Post
	case d.Name == "private_key", d.Name == "key_id":
		return method == PrivateKeyJWT
	case d.Name == "basic_encoding":
		return method == Basic
	case d.Name == "grant", d.Name == "client_auth":
		return len(d.Values) > 1
	case d.Login:
		return s.Text("grant") == AuthorizationCodeGrant
	case d.InHost:
		return s.Text("base_url") == ""
	}
	return true
}

// Have reports whether a setting is one of them.
func (n Names) Have(name string) bool {
	if n.names == nil {
		return slices.Contains([]string{"client_id", "client_secret", "base_url", "grant", "redirect_port", "pkce"}, name)
	}
	return slices.Contains(n.names, name)
}

// In returns a hint with the settings named that apply, where it has a list of some in
// braces. A list of which none applies is base_url, which every service has.
func (n Names) In(hint string) string {
	for {
		before, rest, ok := strings.Cut(hint, "{")
		list, after, closed := strings.Cut(rest, "}")
		if !ok || !closed || strings.Trim(list, "abcdefghijklmnopqrstuvwxyz_,") != "" {
			return hint
		}
		hint = before + n.listed(list) + after
	}
}

// listed writes those of a list that apply as words.
func (n Names) listed(list string) string {
	switch list {
	case "address":
		list = addressNames
	case "credentials":
		list = credentialsNames
	}
	names := slices.DeleteFunc(strings.Split(list, ","), func(name string) bool { return !n.Have(name) })
	if len(names) == 0 {
		return "base_url"
	}
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}
