package setting

import (
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/oauth"
)

// Names are the settings of one profile that can be what is wrong with it, and where each is
// set. Hints put them in for {account,region,base_url}: what the service does not have, what
// this profile's grant, authentication or base_url leave without effect, and what is not set
// at all, is not named.
//
// The zero value knows what every client has.
type Names struct {
	names []setName
	// at are the settings that say where the service is, which its base_url, where there is one,
	// replaces; empty for a service that is told where it is by the groups below.
	at []string
}

// setName is a setting and where it is set.
type setName struct {
	name string
	// place is the variable or the flag; empty means the profile.
	place string
	// set says that it has a value, or has to have one.
	set bool
}

// Groups that a hint may name, as in "check {address}".
const (
	addressNames     = "account,region,environment,api_url,base_url"
	credentialsNames = "username,password,client_id,client_secret,client_secret_old,private_key,key_id,key_algorithm," +
		"tls_certificate,tls_key,tls_password,client_assertion"
)

// inProfile follows a list in a hint that says where the settings are.
const inProfile = " in the profile"

// Applying returns those of the service's settings that have an effect on this profile.
func (s Values) Applying(list []Setting) Names {
	var n Names
	bare := withoutFile(s.values)
	method, _ := s.authMethod()
	for _, d := range list {
		if !s.applies(d, method) {
			continue
		}
		value, ok := s.Lookup(d.Name)
		name := setName{name: d.Name, place: value.place(), set: ok || d.Wanted(s)}
		if name.place == "" && bare && d.Env() != "" {
			name.place = d.Env()
		}
		n.names = append(n.names, name)
		if ok && (d.Name == "issuer" || d.Name == "token_url") {
			n.at = append(n.at, d.Name)
		}
	}
	return n
}

// At returns the names with the setting that says where the service was asked.
func (n Names) At(name string) Names {
	n.at = []string{name}
	return n
}

// place is the variable or the flag that a value comes from, empty for the profile.
func (v Value) place() string {
	for _, kind := range []string{"environment ", "flag "} {
		if place, ok := strings.CutPrefix(v.Origin, kind); ok {
			return place
		}
	}
	return ""
}

// withoutFile reports whether the environment says it all.
func withoutFile(values map[string]Value) bool {
	variables := 0
	for _, v := range values {
		switch {
		case strings.HasPrefix(v.Origin, "environment "):
			variables++
		case v.place() == "" && v.Origin != "default":
			return false
		}
	}
	return variables > 0
}

// applies reports whether a setting has an effect on a client that authenticates so.
func (s Values) applies(d Setting, method string) bool {
	switch {
	case d.If != nil && !d.If.Holds(s):
		return false
	case ownerOf(d.Name).name != "":
		c := ownerOf(d.Name)
		return slices.Contains(c.methods, method) || c.name == "private_key" && grantOf(s) == oauth.JWTBearer
	case d.Name == "basic_encoding":
		return method == Basic
	case d.Name == "grant", d.Name == "client_auth":
		return len(d.Values) > 1
	case d.Login:
		return oauth.Grant(s.Text("grant")).NeedsPerson()
	case d.InHost:
		return s.Text("base_url") == ""
	}
	return true
}

// Have reports whether a setting is one of them.
func (n Names) Have(name string) bool {
	_, ok := n.find(name)
	return ok
}

func (n Names) find(name string) (setName, bool) {
	if n.names == nil {
		common := []string{"client_id", "client_secret", "base_url", "grant", "redirect_port", "pkce", "scopes"}
		return setName{name: name, set: true}, slices.Contains(common, name)
	}
	i := slices.IndexFunc(n.names, func(s setName) bool { return s.name == name })
	if i < 0 {
		return setName{}, false
	}
	return n.names[i], true
}

// In returns a hint with the settings named that apply, where it has a list of some in
// braces, and where each is set if "in the profile" follows: what the environment or a flag
// gives is named as the variable or the flag. {grant=password} is a setting and its value. A
// list of which none applies is base_url, which every service has.
func (n Names) In(hint string) string {
	for {
		before, rest, ok := strings.Cut(hint, "{")
		list, after, closed := strings.Cut(rest, "}")
		if !ok || !closed || strings.Trim(list, "abcdefghijklmnopqrstuvwxyz_,=") != "" {
			return hint
		}
		names := n.listed(list)
		said, placed := strings.CutPrefix(after, inProfile)
		if placed {
			after = said
			hint = before + inPlaces(names) + after
			continue
		}
		words := make([]string, len(names))
		for i, name := range names {
			words[i] = name.name
		}
		hint = before + enumerated(words) + after
	}
}

// listed returns those of a list that apply and are set, else those that apply.
func (n Names) listed(list string) []setName {
	base, _ := n.find("base_url")
	var set, unset []setName
	for part := range strings.SplitSeq(n.members(list, base.set), ",") {
		name, value, _ := strings.Cut(part, "=")
		found, ok := n.find(name)
		if found.name = strings.TrimSuffix(name+": "+value, ": "); value != "" && found.place != "" {
			found.place += "=" + value
		}
		switch {
		case ok && found.set:
			set = append(set, found)
		case ok:
			unset = append(unset, found)
		}
	}
	switch {
	case len(set) > 0:
		return set
	case len(unset) > 0:
		return unset
	}
	return []setName{{name: "base_url", place: base.place}}
}

// members are the settings of a list or a group. Where settings say where the service is, its host
// is theirs, or base_url's where there is one, and the rest of the address theirs alone.
func (n Names) members(list string, based bool) string {
	at := strings.Join(n.at, ",")
	switch list {
	case "address", "host":
		if at != "" && !based {
			return at
		}
		if list == "host" && based || at != "" {
			return "base_url"
		}
		return addressNames
	case "url":
		return strings.TrimPrefix(at+",base_url", ",")
	case "credentials":
		return credentialsNames
	}
	if at == "" || based {
		return list
	}
	parts := strings.Split(list, ",")
	for i, part := range parts {
		if part == "base_url" {
			parts[i] = at
		}
	}
	return strings.Join(parts, ",")
}

// inPlaces names settings by where they are set: those of the profile, and the variables
// and flags.
func inPlaces(names []setName) string {
	var own, places []string
	for _, name := range names {
		if name.place == "" {
			own = append(own, name.name)
		} else {
			places = append(places, name.place)
		}
	}
	switch {
	case len(places) == 0:
		return enumerated(own) + inProfile
	case len(own) == 0:
		return enumerated(places)
	case len(own) == 1:
		return own[0] + inProfile + " and " + enumerated(places)
	}
	return enumerated(own) + inProfile + ", and " + enumerated(places)
}

// enumerated writes words as a list: a, b and c.
func enumerated(words []string) string {
	last := len(words) - 1
	if last <= 0 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
