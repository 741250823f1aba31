package setting

import (
	"net/url"

	"github.com/authctl/authctl/internal/oauth"
)

// The methods of client authentication, in OpenID Connect Core §9's words.
const (
	Basic         = "client_secret_basic"
	Post          = "client_secret_post"
	PrivateKeyJWT = "private_key_jwt"
	None          = "none"
)

// ClientAuth returns the client authentication that the settings describe. With
// no client_auth, a private_key means private_key_jwt and a client_secret Basic.
// Basic encodes as basic_encoding says; algorithm is the JWS algorithm the service
// wants of a signed JWT, empty for the key's own.
func (s Values) ClientAuth(endpoint *url.URL, algorithm string) (oauth.ClientAuth, error) {
	id, secret := s.Text("client_id"), s.Secret("client_secret")
	method, err := s.authMethod()
	if err != nil {
		return nil, err
	}
	switch method {
	case PrivateKeyJWT:
		return oauth.PrivateKeyJWT{
			ClientID: id, KeyID: s.Text("key_id"), Key: s.Secret("private_key"), Audience: endpoint.String(),
			Algorithm: algorithm,
		}, nil
	case Post:
		return oauth.Post{ClientID: id, Secret: secret}, nil
	case None:
		return oauth.None{ClientID: id}, nil
	}
	encoding := oauth.Raw
	if s.Text("basic_encoding") == "form" {
		encoding = oauth.FormEncoded
	}
	if err := encoding.CheckClientID(id); err != nil {
		return nil, s.Wrong("client_id", "cannot be used: "+err.Error(), "")
	}
	return oauth.Basic{ClientID: id, Secret: secret, Encoding: encoding}, nil
}

// whichOfTwo says how a client with a secret and a key is told which of them counts.
func (s Values) whichOfTwo() string {
	secret, key := s.values["client_secret"].place(), s.values["private_key"].place()
	text := "set client_auth: private_key_jwt, client_secret_basic or client_secret_post"
	switch {
	case secret != "" && key == "":
		return "unset " + secret + ", or " + text + " (AUTHCTL_CLIENT_AUTH)"
	case key != "" && secret == "":
		return "unset " + key + ", or " + text + " (AUTHCTL_CLIENT_AUTH)"
	}
	return "remove one of the two, or " + text
}

func (s Values) authMethod() (string, error) {
	method, key, secret := s.Text("client_auth"), s.Secret("private_key"), s.Secret("client_secret")
	switch {
	case method == "" && key != nil && secret != nil:
		return "", s.Wrong("client_auth", "is needed, because there is a client_secret and a private_key",
			s.whichOfTwo())
	case method == "" && key != nil:
		method = PrivateKeyJWT
	case method == "":
		method = Basic
	}
	if method == PrivateKeyJWT && key == nil {
		return "", s.Wrong("private_key", "is missing, and client_auth is private_key_jwt",
			"give a reference such as file:key.pem")
	}
	if (method == Basic || method == Post) && secret == nil {
		return "", s.Wrong("client_secret", "is missing, and client_auth is "+method,
			"give a reference such as env:CLIENT_SECRET")
	}
	return method, nil
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
