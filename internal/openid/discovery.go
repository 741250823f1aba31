// Package openid is what an issuer says of itself and of a user: its discovery document
// (OpenID Connect Discovery 1.0, RFC 8414), its public keys (RFC 7517) and its ID tokens
// (OpenID Connect Core 1.0). It asks with an oauth.Client, and knows no service by name.
package openid

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/authctl/authctl/internal/network"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/secret"
)

// Metadata is what is read of what an issuer says of itself (OpenID Connect Discovery 1.0 §3, RFC
// 8414 §2). Names and lists are remote text made fit to be shown; a list that the document does
// not have is nil.
type Metadata struct {
	// Issuer is the identifier as the issuer writes it; iss claims are compared with it.
	Issuer string
	// Document is scheme, host and path of the document.
	Document string

	// Endpoints are those it names and that are used here, by their names in the document
	// ("token_endpoint", "jwks_uri"). Aliases are those for clients with a certificate
	// (mtls_endpoint_aliases, RFC 8705 §5), by the same names.
	Endpoints, Aliases map[string]*url.URL

	// ScopesSupported need not be complete.
	ScopesSupported []string
	// GrantTypes is grant_types_supported, and AuthMethods token_endpoint_auth_methods_supported.
	GrantTypes, AuthMethods []string
	// Algorithms is id_token_signing_alg_values_supported, and ChallengeMethods
	// code_challenge_methods_supported.
	Algorithms, ChallengeMethods []string
	// NamesIssuer says that each answer to a login names the issuer
	// (authorization_response_iss_parameter_supported, RFC 9207 §3).
	NamesIssuer bool
}

// DiscoveryPath is where an issuer's document is, behind the issuer's own path (OpenID
// Connect Discovery 1.0 §4).
const DiscoveryPath = "/.well-known/openid-configuration"

// serverPath is where it is else, before that path (RFC 8414 §3.1).
const serverPath = "/.well-known/oauth-authorization-server"

// MissingError says that an issuer has no document where one may be.
type MissingError struct {
	// Tried are the addresses that were asked, and Answers what they answered.
	Tried   []string
	Answers []*oauth.Error
}

// Error names each address and its answer.
func (e *MissingError) Error() string {
	var all []string
	for i, address := range e.Tried {
		all = append(all, fmt.Sprintf("%s answered %d", address, e.Answers[i].StatusCode))
	}
	return "there is no discovery document: " + strings.Join(all, ", and ")
}

// Unwrap returns the first answer.
func (e *MissingError) Unwrap() error { return e.Answers[0] }

// IssuerError says that a document names another issuer than the one that was asked for it.
type IssuerError struct {
	*oauth.ReplyError
	// Named is what it names, made fit to be shown.
	Named string
}

// Unwrap returns the *oauth.ReplyError.
func (e *IssuerError) Unwrap() error { return e.ReplyError }

// addresses are where the document may be. A slash at the end of the issuer is left out of each.
func (i *Issuer) addresses() ([]*url.URL, error) {
	u, err := url.Parse(i.Name)
	if err == nil {
		err = oauth.CheckEndpoint(u)
	}
	if err != nil {
		return nil, err
	}
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	paths := []string{path + DiscoveryPath, serverPath + path}
	if i.OpenIDOnly {
		paths = paths[:1]
	}
	var all []*url.URL
	for _, path := range paths {
		u, err := url.Parse(u.Scheme + "://" + u.Host + path)
		if err != nil {
			return nil, err
		}
		all = append(all, u)
	}
	return all, nil
}

// Discover asks for the issuer's document: where OpenID Connect has it, and where that is not
// there, where RFC 8414 has it. It must name the issuer octet by octet (RFC 8414 §3.3), else the
// error is an *IssuerError; its endpoints must pass oauth.CheckEndpoint and be https where the
// issuer is, else it is an *oauth.ReplyError. Where there is no document it is a *MissingError,
// or for a document at OpenID Connect's address alone what that answered. The other errors are
// those of oauth.Client.Call.
func (i *Issuer) Discover(ctx context.Context) (*Metadata, error) {
	_, metadata, err := i.discover(ctx)
	return metadata, err
}

func (i *Issuer) discover(ctx context.Context) (page, *Metadata, error) {
	all, err := i.addresses()
	if err != nil {
		return page{}, nil, err
	}
	missing := &MissingError{}
	var first error
	for _, u := range all {
		got, metadata, err := i.discoverAt(ctx, u)
		if _, none := errors.AsType[noDocumentError](err); none && first == nil && len(all) > 1 {
			first = err
			continue
		}
		if err != nil && first != nil {
			return got, nil, first
		}
		answered, ok := errors.AsType[*oauth.Error](err)
		if !ok || len(all) == 1 || !notThere(answered) {
			return got, metadata, err
		}
		missing.Tried = append(missing.Tried, network.AddressText(u))
		missing.Answers = append(missing.Answers, answered)
	}
	return page{}, nil, missing
}

// noDocumentError is the error of what is no JSON object: a site that answers every address with its
// page has no document there.
type noDocumentError struct{ error }

// Unwrap returns the *oauth.ReplyError.
func (e noDocumentError) Unwrap() error { return e.error }

// notThere reports whether a refusal may mean that there is nothing at an address.
func notThere(e *oauth.Error) bool {
	return e.StatusCode/100 == 4 && e.StatusCode != http.StatusRequestTimeout && !e.Throttled()
}

// discoverAt asks at one address.
func (i *Issuer) discoverAt(ctx context.Context, u *url.URL) (page, *Metadata, error) {
	reply, err := i.Client.Call(ctx, oauth.CallRequest{URL: u, Idempotent: true})
	if _, unusable := errors.AsType[*oauth.ReplyError](err); unusable {
		return page{}, nil, noDocumentError{err} // Call wants a JSON object
	}
	if err != nil {
		return page{}, nil, err
	}
	document, err := reply.Object()
	if err != nil {
		return page{}, nil, err
	}
	got := i.page(i.documentName(), u, document)
	metadata, problem := i.read(got)
	if problem == "" {
		return got, metadata, nil
	}
	unusable := reply.Unusable(problem)
	o, _ := parseObject(document)
	if named, _ := o.text("issuer"); named != "" && named != i.Name {
		return page{}, nil, &IssuerError{unusable, secret.CleanText(named)}
	}
	return page{}, nil, unusable
}

// read reads a document, wherever it was; the second result is the problem, a clause.
func (i *Issuer) read(p page) (*Metadata, string) {
	o, problem := parseObject(p.Document)
	if problem != "" {
		return nil, problem
	}
	metadata, problem := o.metadata(i.Name)
	if problem != "" {
		return nil, problem
	}
	metadata.Document = p.From
	return metadata, ""
}

// metadata reads the document of an issuer.
func (o object) metadata(issuer string) (*Metadata, string) {
	named, ok := o.text("issuer")
	switch {
	case !ok || named == "":
		return nil, "it names no issuer"
	case named != issuer:
		return nil, "its issuer is " + secret.Quote(named) + ", not " + secret.Quote(issuer)
	}
	scheme, _, _ := strings.Cut(issuer, ":")
	endpoints, problem := o.endpoints(scheme)
	if problem != "" {
		return nil, problem
	}
	var apart object
	if raw := o["mtls_endpoint_aliases"]; raw != nil && json.Unmarshal(raw, &apart) != nil {
		return nil, "its mtls_endpoint_aliases is not a JSON object"
	}
	aliases, problem := apart.endpoints(scheme)
	if problem != "" {
		return nil, problem + ", in mtls_endpoint_aliases"
	}
	return &Metadata{
		Issuer: named, Endpoints: endpoints, Aliases: aliases, ScopesSupported: o.texts("scopes_supported"),
		GrantTypes: o.texts("grant_types_supported"), AuthMethods: o.texts("token_endpoint_auth_methods_supported"),
		Algorithms:       o.texts("id_token_signing_alg_values_supported"),
		ChallengeMethods: o.texts("code_challenge_methods_supported"),
		NamesIssuer:      string(o["authorization_response_iss_parameter_supported"]) == "true",
	}, ""
}

// endpoints reads those that are used here.
func (o object) endpoints(scheme string) (map[string]*url.URL, string) {
	found := map[string]*url.URL{}
	for _, name := range []string{
		"authorization_endpoint", "token_endpoint", "device_authorization_endpoint", "userinfo_endpoint",
		"introspection_endpoint", "revocation_endpoint", "end_session_endpoint", "jwks_uri",
	} {
		u, problem := o.endpoint(name, scheme)
		if problem != "" {
			return nil, problem
		}
		if u != nil {
			found[name] = u
		}
	}
	return found, ""
}

// CheckHost returns a *oauth.ReplyError that names the first endpoint which is not on
// the scheme, host and port of the issuer. The standard lets a service spread over several
// hosts; a caller who knows that this one does not can insist, so that credentials go
// nowhere else.
func (m *Metadata) CheckHost(issuer *url.URL) error {
	for _, list := range []map[string]*url.URL{m.Endpoints, m.Aliases} {
		for _, name := range slices.Sorted(maps.Keys(list)) {
			if got := list[name]; got.Scheme != issuer.Scheme || !strings.EqualFold(got.Host, issuer.Host) {
				return &oauth.ReplyError{
					Endpoint: m.Document, StatusCode: http.StatusOK,
					Problem: "its " + name + " is on another host: " + strconv.Quote(network.AddressText(got)),
				}
			}
		}
	}
	return nil
}
