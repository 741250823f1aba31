package setting

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/certificate"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
)

// The methods of client authentication, in the words of OpenID Connect Core §9 and RFC 8705 §2.1.1.
const (
	Basic         = "client_secret_basic"
	Post          = "client_secret_post"
	SecretJWT     = "client_secret_jwt"
	PrivateKeyJWT = "private_key_jwt"
	TLS           = "tls_client_auth"
	SelfSignedTLS = "self_signed_tls_client_auth"
	None          = "none"
	// Assertion is somebody else's token (RFC 7523 §2.2), which has no name there.
	Assertion = "client_assertion"
)

// OldSecret is the client secret before, while it is rotated.
const OldSecret = "client_secret_old"

// credential is a setting that a client authenticates with, and the methods that use it: the
// first is what it means by itself. With is what belongs to it.
type credential struct {
	name    string
	methods []string
	with    []string
	example string
}

// credentials are all there are, in the order in which they are told of.
func credentials() []credential {
	return []credential{
		{"client_secret", []string{Basic, Post, SecretJWT}, []string{OldSecret}, "env:CLIENT_SECRET"},
		{"private_key", []string{PrivateKeyJWT}, []string{"key_id", "key_algorithm"}, "file:key.pem"},
		{"tls_certificate", []string{TLS, SelfSignedTLS}, []string{"tls_key", "tls_password"}, "file:client.pem"},
		{"client_assertion", []string{Assertion}, nil, "file:/var/run/secrets/tokens/idp"},
	}
}

// credentialFor returns what a method authenticates with; false for one that needs nothing.
func credentialFor(method string) (credential, bool) {
	all := credentials()
	i := slices.IndexFunc(all, func(c credential) bool { return slices.Contains(c.methods, method) })
	if i < 0 {
		return credential{}, false
	}
	return all[i], true
}

// IsCredential reports whether a setting is what a client authenticates with.
func IsCredential(name string) bool {
	return slices.ContainsFunc(credentials(), func(c credential) bool { return c.name == name })
}

// Authenticates reports whether a setting is what a method authenticates with.
func Authenticates(name, method string) bool {
	c, ok := credentialFor(method)
	return ok && c.name == name
}

// ownerOf returns the credential that a setting is or belongs to, the zero one when it is neither.
func ownerOf(name string) credential {
	all := credentials()
	i := slices.IndexFunc(all, func(c credential) bool { return c.name == name || slices.Contains(c.with, name) })
	if i < 0 {
		return credential{}
	}
	return all[i]
}

// ClientAuth returns the client authentication that the settings describe. With no client_auth it
// is what the one credential there is means: a client_secret Basic, a private_key private_key_jwt,
// a tls_certificate tls_client_auth, a client_assertion itself; and none where there is no credential
// and the grant is an assertion or wants a person.
//
// Basic encodes as basic_encoding says. A signed JWT is for the audience, or with none for the
// endpoint, which may be nil and is then the one that is asked. The algorithm is the JWS algorithm
// the service wants, empty for the key's own; key_algorithm goes before it.
func (s Values) ClientAuth(endpoint *url.URL, audience, algorithm string) (oauth.ClientAuth, error) {
	id, clientSecret := s.Text("client_id"), s.Secret("client_secret")
	if audience == "" && endpoint != nil {
		audience = endpoint.String()
	}
	method, err := s.authMethod()
	if err != nil {
		return nil, err
	}
	switch method {
	case PrivateKeyJWT:
		return oauth.PrivateKeyJWT{
			ClientID: id, KeyID: s.Text("key_id"), Key: s.Secret("private_key"), Audience: audience,
			Algorithm: cmp.Or(s.Text("key_algorithm"), algorithm),
		}, nil
	case Post:
		return oauth.Post{ClientID: id, Secret: clientSecret}, nil
	case SecretJWT:
		return oauth.SecretJWT{ClientID: id, Secret: clientSecret, Audience: audience}, nil
	case TLS, SelfSignedTLS:
		return oauth.TLS{ClientID: id, SelfSigned: method == SelfSignedTLS, Certificate: s.certificate}, nil
	case Assertion:
		return oauth.ClientAssertion{ClientID: id, Token: s.Secret("client_assertion")}, nil
	case None:
		if id == "" {
			return oauth.Anonymous{}, nil // the settings say where a client is needed
		}
		return oauth.None{ClientID: id}, nil
	}
	return basicAuth(s, id)
}

func basicAuth(s Values, id string) (oauth.ClientAuth, error) {
	encoding := oauth.Raw
	if s.Text("basic_encoding") == "form" {
		encoding = oauth.FormEncoded
	}
	if err := encoding.CheckClientID(id); err != nil {
		return nil, s.Wrong("client_id", "cannot be used: "+err.Error(), "")
	}
	return oauth.Basic{ClientID: id, Secret: s.Secret("client_secret"), Encoding: encoding}, nil
}

// Before returns the settings with client_secret_old in the place of client_secret; false where there
// is none, or the client does not authenticate with a secret.
func (s Values) Before() (Values, bool) {
	old, ok := s.values[OldSecret]
	if method, err := s.authMethod(); err != nil || !ok || old.Secret == nil || !Authenticates("client_secret", method) {
		return s, false
	}
	return s.With("client_secret", old), true
}

// authMethod is client_auth, or what the credentials mean without it.
func (s Values) authMethod() (string, error) {
	method, given := s.Text("client_auth"), s.credentials()
	switch {
	case method != "":
	case len(given) > 1:
		return "", s.Wrong("client_auth", "is needed, because there is "+enumerated(articled(given)), s.whichOf(given))
	case len(given) == 1:
		method = s.SoleMethods()[0]
	case grantOf(s) == oauth.JWTBearer, grantOf(s).NeedsPerson():
		method = None // the assertion, or the person, is what is asked for (RFC 7521 §4.1, RFC 8252 §8.4)
	default:
		method = Basic
	}
	if c, ok := credentialFor(method); ok && s.Secret(c.name) == nil {
		return "", s.Wrong(c.name, "is missing, and client_auth is "+method, "give a reference such as "+c.example)
	}
	return method, nil
}

// SoleMethods are the methods that the one credential there is can be used by, first the one that it
// means by itself; nil where there is none, or several.
func (s Values) SoleMethods() []string {
	if given := s.credentials(); len(given) == 1 {
		return given[0].methods
	}
	return nil
}

func grantOf(s Values) oauth.Grant { return oauth.Grant(s.Text("grant")) }

// credentials are those that there are. The private key of an assertion that is the grant says
// nothing of the client's authentication.
func (s Values) credentials() []credential {
	return slices.DeleteFunc(credentials(), func(c credential) bool {
		return s.Secret(c.name) == nil || c.name == "private_key" && grantOf(s) == oauth.JWTBearer
	})
}

// articled are the names of credentials with their article.
func articled(list []credential) []string {
	words := make([]string, len(list))
	for i, c := range list {
		words[i] = "a " + c.name
	}
	return words
}

// whichOf says how a client with several credentials is told which of them counts.
func (s Values) whichOf(given []credential) string {
	var methods, placed []string
	for _, c := range given {
		if place := s.values[c.name].place(); place != "" {
			placed = append(placed, place)
		}
		own := slices.DeleteFunc(slices.Clone(c.methods), func(m string) bool { return m == SecretJWT || m == SelfSignedTLS })
		methods = append(own, methods...)
	}
	last := len(methods) - 1
	text := "set client_auth: " + strings.Join(methods[:last], ", ") + " or " + methods[last]
	switch {
	case len(placed) > 0 && len(placed) < len(given):
		return "unset " + enumerated(placed) + ", or " + text + " (AUTHCTL_CLIENT_AUTH)"
	case len(given) > 2:
		return "remove all but one of them, or " + text
	}
	return "remove one of the two, or " + text
}

// certificate fetches the client's certificate and its key.
func (s Values) certificate(ctx context.Context) (*tls.Certificate, error) {
	var from certificate.Source
	for _, part := range []struct {
		name string
		to   *secret.Secret
	}{{"tls_certificate", &from.Certificate}, {"tls_key", &from.Key}, {"tls_password", &from.Password}} {
		fetch := s.Secret(part.name)
		if fetch == nil {
			continue
		}
		value, err := fetch(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", part.name, err)
		}
		*part.to = value
	}
	read, err := from.Read()
	if e, ok := errors.AsType[*certificate.Error](err); ok {
		return nil, s.Wrong("tls_"+string(e.Part), e.Problem, e.Hint)
	}
	return read, err
}

// StateOptional reports whether the profile takes an answer without state. Then PKCE is
// what keeps a foreign code out, and must not be off.
func (s Values) StateOptional() (bool, error) {
	if v, ok := s.Lookup("require_state"); !ok || v.Text != "false" {
		return false, nil
	}
	if !s.Bool("pkce") {
		return false, s.Wrong("require_state", "is false, and pkce too",
			"without state, PKCE is what ties an answer to the login: set pkce: true")
	}
	return true, nil
}
