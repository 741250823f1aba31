package service

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Problem is what an endpoint for clients has against a request.
type Problem int

// The problems. Those of clients are told in the words for BadClient where a service has none for them.
const (
	Missing     Problem = iota // a parameter is not there
	InQuery                    // parameters are in the address
	OtherGrant                 // the service has no such grant
	ForbidGrant                // the client may not use the grant
	TwoWays                    // the client authenticates in more than one way
	BadAssertion
	BadScope
	BadCode
	BadRefresh
	BadPassword
	BadClient
	NoClient      // the request names none
	UnknownClient // there is none of that id
	OddBasic      // the header cannot be read
)

// Words are how a service tells a problem. In the text, %s is what it is about: a parameter, the scopes, the grant, or
// more words. A status without a code is told by status and challenge alone.
type Words struct {
	Status     int
	Code, Text string
}

// Say makes Words.
func Say(status int, code, text string) Words { return Words{status, code, text} }

// usual are the words of RFC 6749 §5.2.
func usual(p Problem) Words {
	return map[Problem]Words{
		Missing:      {http.StatusBadRequest, "invalid_request", "missing parameter: %s"},
		InQuery:      {http.StatusBadRequest, "invalid_request", "parameters belong in the request body"},
		OtherGrant:   {http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant type"},
		ForbidGrant:  {http.StatusBadRequest, "unauthorized_client", "Unauthorized grant type: %s"},
		TwoWays:      {http.StatusBadRequest, "invalid_request", "more than one way of client authentication"},
		BadAssertion: {http.StatusUnauthorized, "invalid_client", "%s"},
		BadScope:     {http.StatusBadRequest, "invalid_scope", "the requested scope is invalid or unknown"},
		BadCode:      {http.StatusBadRequest, "invalid_grant", "%s"},
		BadRefresh:   {http.StatusBadRequest, "invalid_grant", "Invalid refresh token"},
		BadPassword:  {http.StatusBadRequest, "invalid_grant", "Bad credentials"},
		BadClient:    {http.StatusUnauthorized, "invalid_client", "client authentication failed"},
	}[p]
}

// Refuse tells a problem in the service's words.
func (x *Exchange) Refuse(p Problem, about string) *Reply {
	words, own := x.Words[p]
	if !own && p > BadClient {
		p = BadClient
		words, own = x.Words[p]
	}
	if !own {
		words = usual(p)
	}
	rep := Reply{Status: words.Status}
	if words.Code != "" {
		rep = x.Host.Error(words.Status, words.Code, strings.ReplaceAll(words.Text, "%s", about))
	}
	if rep.Status == http.StatusUnauthorized && p >= BadClient {
		rep = rep.With("WWW-Authenticate", x.Challenge("Basic"))
	}
	return &rep
}

// Challenge is one of the service's realm (RFC 9110 §11.6.1), with more parameters, names and values by turns.
func (x *Exchange) Challenge(scheme string, more ...string) string {
	params := []string{fmt.Sprintf("%s realm=%q", scheme, cmp.Or(x.Realm, x.Name))}
	for pair := range slices.Chunk(more, 2) {
		params = append(params, fmt.Sprintf("%s=%q", pair[0], pair[1]))
	}
	return strings.Join(params, ", ")
}
