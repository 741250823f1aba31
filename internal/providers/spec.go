// Package providers is what authctl knows of services: Spec, a service as data, and Provider,
// the one engine that speaks for every Spec; and the one error that a service's refusal ends
// as. Each service is a package below this one; builtin lists them.
package providers

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
)

// Spec is a service as data, written once off its vendor's pages.
type Spec struct {
	// Name is the value of `provider:` in a profile, Title the service's name for people, and
	// Short what messages call it; empty means Title.
	Name, Title, Short string
	// Docs are the addresses of the vendor's pages that the rest follows.
	Docs []string
	// Keys returns the keys a profile of this service may have, in the order in which a person is
	// asked for them; see Settings. They are many, and most calls are about one service.
	Keys func() []setting.Setting

	// Vars are the settings that become a part of an address, where they stand in braces, or
	// of a Param, and what each has to look like there.
	Vars map[string]setting.Form
	// Base is where the service is. The setting base_url replaces it, and may have BasePath
	// behind it.
	Base     Hosts
	BasePath string
	// Token and Authorize are the endpoints of RFC 6749 §3, as paths on Base. What is empty
	// comes from the discovery document of the Issuer, a path too.
	Token, Authorize, Issuer string
	// Given are the settings in which a profile says such addresses itself, by the names of the
	// endpoints in a discovery document, and "issuer". A service with an issuer of its own has none.
	Given map[string]string
	// API is where tokens are meant for, where that is known to be elsewhere than Base. The
	// setting api_url replaces it, and so does base_url.
	API Hosts
	// IssuerIs is what the vendor calls its issuers: "realm". Undocumented says why an endpoint
	// that the discovery document names may not be there after all.
	IssuerIs, Undocumented string

	// Header and Form are sent with every request, Form with those for a token only;
	// SecretHeader too: a setting by the header's name. Login is in the authorization request.
	Header, Form, Login []Param
	SecretHeader        map[string]string
	// Selects are the settings beside those of every client that decide which token is given.
	Selects []string
	// Subjects are the settings whose secrets say for whom a token is, by grant.
	Subjects map[oauth.Grant][]string
	// Algorithm is the JWS algorithm of client assertions, empty for the key's own.
	Algorithm string
	// Nonce sends a nonce with a login and checks it where an ID token comes back (OpenID
	// Connect Core §3.1.3.7).
	Nonce bool
	// IDTokens has ID tokens checked whole, and not the nonce alone.
	IDTokens bool
	// Pace is the least time between two token requests of one account, 0 for none.
	Pace time.Duration
	// Errors are the token endpoint's own; see Rule.
	Errors []Rule
	// Operations are what the service can be asked for beside tokens, by verb.
	Operations map[string]Operation
	// Hooks are what is not data.
	Hooks Hooks

	// Catalogue returns the scopes of the vendor's page, nil where there is no page.
	Catalogue func() Catalogue
	// OnlyScope is the one scope that the service takes, empty where there are more.
	OnlyScope string
	// ListsGranted says that a token request without scope is answered with the list of all
	// scopes that the client was given.
	ListsGranted bool
	// ScopesGivenIn is where a client is given its scopes, as the vendor calls it, and
	// RefreshTokensGivenIn says where it is given refresh tokens; empty where no page says.
	ScopesGivenIn, RefreshTokensGivenIn string
}

// Hosts is scheme, host and port by the value of the setting By ("eu"), or of "" without one.
type Hosts struct {
	By string
	At map[string]string
}

// Param is a header or a parameter whose value is a setting's, where the condition holds. A
// setting that is a list is sent as often as it has values, and one that is a map has the names
// in it.
type Param struct {
	Name, Setting string
	If            *setting.Condition
}

// The verbs that not every service has.
const (
	Login      = "login"
	UserInfo   = "userinfo"
	Ping       = "ping"
	SignOut    = "signout"
	Passwd     = "passwd"
	Revoke     = "token revoke"
	Introspect = "token introspect"
	LiveScopes = "scopes list --live"
	PublicKeys = "public keys"
)

// Operation is one request beside those for tokens.
type Operation struct {
	// Method is the HTTP method, GET when empty.
	Method string
	// At is a path, on the API's host if OnAPI says so. Endpoint is the name of an endpoint in
	// the discovery document instead; with neither it is the document that is asked for.
	At, Endpoint string
	OnAPI        bool
	// Views are what userinfo can be asked for, the default first; none when there is only one.
	Views []View
	// Scope is what a token needs for it.
	Scope string
	// WithToken says that the answer to a ping stands for a token too.
	WithToken bool
	// Scheme is written before the token, "Bearer" when empty.
	Scheme string
	// JSON is the body: an argument by the dotted name of its member.
	JSON map[string]string
	// Errors are read first; see Rule.
	Errors []Rule
	// Success is what the page documents. A Header in it carries a JWT with the claims.
	Success oauth.Success
}

// View is one of several ways to ask for userinfo.
type View struct {
	Name, At string
	Success  oauth.Success
}

// OpenID are the operations whose endpoints the discovery document of an issuer names, with
// the errors of all of them.
func OpenID(errors []Rule) map[string]Operation {
	return map[string]Operation{
		UserInfo: {
			Endpoint: "userinfo_endpoint", Scope: "openid", Errors: errors,
			Success: oauth.Success{Members: []string{"sub"}}, // OpenID Connect Core §5.3.2
		},
		Ping:       {Errors: errors},
		Revoke:     {Endpoint: "revocation_endpoint", Errors: errors, Success: oauth.Revoked()},
		Introspect: {Endpoint: "introspection_endpoint", Errors: errors, Success: oauth.Introspected()},
		// A page that asks somebody to confirm is no sign-out.
		SignOut: {Method: "POST", Endpoint: "end_session_endpoint", Errors: errors, Success: oauth.Revoked()},
	}
}

// Hooks are the few things about services that are not data. Each may be nil.
type Hooks struct {
	// Token mends what a token endpoint replies.
	Token func(oauth.Token) oauth.Token
	// SignOut ends a session in another way than OpenID Connect's.
	SignOut func(context.Context, *Provider, Session, SignOutOptions) (SignedOut, error)
	// Doubt finds what is allowed in the settings and hardly meant; see Spec.Doubt.
	Doubt func(setting.Values) string
}

// Has reports whether the service has a verb. What an issuer's document lacks is an
// *UnsupportedError when it is asked for.
func (s Spec) Has(verb string) bool {
	switch verb {
	case Login:
		return slices.ContainsFunc(s.Grants(), func(g string) bool { return oauth.Grant(g).NeedsPerson() })
	case LiveScopes, PublicKeys:
		return s.Issuer != "" || s.Given[issuer] != ""
	case UserInfo, Ping, SignOut, Passwd, Revoke, Introspect:
		_, ok := s.Operations[verb]
		return ok
	}
	return true
}

// Settings are the keys a profile of this service may have, in the order in which a person is asked
// for them.
func (s Spec) Settings() []setting.Setting {
	if s.Keys == nil {
		return nil
	}
	return s.Keys()
}

// Named returns the Spec as a profile sees it: a service that only its profile describes is called
// by the host of its issuer, or of its token endpoint.
func (s Spec) Named(settings setting.Values) Spec {
	if s.Given == nil {
		return s
	}
	for _, name := range []string{s.Given[issuer], s.Given[tokenEndpoint]} {
		if u, err := url.Parse(settings.Text(name)); err == nil && u.Host != "" {
			s.Title = secret.CleanText(u.Host)
			return s
		}
	}
	return s
}

// Grants are those that a profile may name, none where the service has but one.
func (s Spec) Grants() []string { return s.setting("grant").Values }

// Require returns an *UnsupportedError that names those of all the services that have a verb,
// if this one has it not.
func (s Spec) Require(verb string, all []Spec) error {
	if s.Has(verb) {
		return nil
	}
	e := &UnsupportedError{Service: s.Title, Operation: verb}
	for _, other := range all {
		if other.Has(verb) {
			e.Others = append(e.Others, other.Title)
		}
	}
	return e
}

// Views are the names of what `userinfo --view` can ask for, the default first; none when
// there is only one.
func (s Spec) Views() (names []string) {
	for _, v := range s.Operations[UserInfo].Views {
		names = append(names, v.Name)
	}
	return names
}

// Doubt returns a warning about what is allowed in the settings and hardly meant, empty for
// nothing.
func (s Spec) Doubt(settings setting.Values) string {
	if s.Hooks.Doubt == nil {
		return ""
	}
	return s.Hooks.Doubt(settings)
}

// short is what messages call the service.
func (s Spec) short() string { return cmp.Or(s.Short, s.Title) }

// setting returns a setting by its name.
func (s Spec) setting(name string) setting.Setting {
	if i := slices.IndexFunc(s.Settings(), func(d setting.Setting) bool { return d.Name == name }); i >= 0 {
		return s.Settings()[i]
	}
	return setting.Setting{}
}

// UnsupportedError says that a service has no such operation. Exit code 6.
type UnsupportedError struct {
	// Service is the service's title, Operation the verb on the command line.
	Service, Operation string
	// Why says more where there is more to say; may be empty.
	Why string
	// Others are the titles of the services that have it.
	Others []string
}

// Error names the service, the operation and who has it.
func (e *UnsupportedError) Error() string {
	text := fmt.Sprintf("%s has no %s", e.Service, e.Operation)
	if e.Why != "" {
		text += ": " + e.Why
	}
	if len(e.Others) > 0 {
		text += "; it is there for " + strings.Join(e.Others, ", ")
	}
	return text
}
