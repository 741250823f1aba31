package scopes

import (
	"encoding/json"
	"slices"
	"strings"
)

// maxNames is how many scopes and roles of one token are read.
const maxNames = 1000

// Claims is what a token or an introspection says of its scopes. The names are
// sorted, each once.
type Claims struct {
	// Scopes is nil where no claim says anything, and empty where one says "none". They
	// are as they came: Compare makes them fit to be shown.
	Scopes []string
	// Roles are Keycloak's: those of the realm, and CLIENT/ROLE for those of a client.
	// They are fit to be shown.
	Roles []string
}

// FromClaims reads the claims scope (RFC 9068 §2.2.3, RFC 7662 §2.2), scp and
// scopes, each a list or one text with spaces, and Keycloak's realm_access and
// resource_access. What has another shape counts as absent.
func FromClaims(claims json.RawMessage) Claims {
	var c, clients map[string]json.RawMessage
	if json.Unmarshal(claims, &c) != nil {
		return Claims{}
	}
	var found Claims
	for _, name := range []string{"scope", "scp", "scopes"} {
		if list, ok := listed(c[name]); ok {
			found.Scopes = append(append([]string{}, found.Scopes...), list...)
		}
	}
	found.Roles = roles(c["realm_access"])
	if json.Unmarshal(c["resource_access"], &clients) == nil {
		for client, access := range clients {
			for _, role := range roles(access) {
				found.Roles = append(found.Roles, client+"/"+role)
			}
		}
	}
	found.Scopes, found.Roles = sorted(found.Scopes), tidy(found.Roles)
	return found
}

// listed reads a JSON list of texts, or one text with spaces; false for all else.
func listed(claim json.RawMessage) ([]string, bool) {
	if len(claim) == 0 || string(claim) == "null" {
		return nil, false
	}
	var text string
	if json.Unmarshal(claim, &text) == nil {
		return strings.Fields(text), true
	}
	var list []string
	return list, json.Unmarshal(claim, &list) == nil
}

func roles(access json.RawMessage) []string {
	var a struct{ Roles []string }
	if json.Unmarshal(access, &a) != nil {
		return nil
	}
	return a.Roles
}

// tidy is sorted, with names fit to be shown.
func tidy(names []string) []string {
	clean := sorted(names)
	for i, name := range clean {
		clean[i] = shown(name)
	}
	slices.Sort(clean)
	return slices.Compact(clean)
}

// sorted sorts, and drops what is empty or there twice. Nil stays nil.
func sorted(names []string) []string {
	if names == nil {
		return nil
	}
	kept := append([]string{}, names[:min(len(names), maxNames)]...)
	kept = slices.DeleteFunc(kept, func(name string) bool { return name == "" })
	slices.Sort(kept)
	return slices.Compact(kept)
}
