package openid

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/oauth"
)

const (
	// maxKeys is how many keys an issuer may have.
	maxKeys = 100
	// keysPause is the least time between two requests for an issuer's keys: a kid that nobody
	// knows is in a token that anybody may have made.
	keysPause = time.Minute
)

// Keys returns the public keys at an address (RFC 7517 §5) to check a token with: those at hand,
// which are asked for once more where none of them made its signature and a minute has passed. Keys of
// a kind that is not known, private and symmetric ones, and those for encryption are left out.
// The errors are those of oauth.Client.Call, and *oauth.ReplyError when it is no key set, has too
// many keys, or none of its keys is left.
func (i *Issuer) Keys(ctx context.Context, u *url.URL, token *jose.JWT) (set *jose.KeySet, err error) {
	if err := oauth.CheckEndpoint(u); err != nil {
		return nil, err
	}
	name := "keys at " + u.String()
	err = i.have(ctx, wanted{
		name: name,
		fits: func(p page, age time.Duration) bool {
			var problem string
			set, problem = readKeys(p.Document)
			return problem == "" && (age < keysPause || age < life && set.CheckSignature(token) == nil)
		},
		ask: func(ctx context.Context) (got page, err error) {
			got, set, err = i.askForKeys(ctx, name, u)
			return got, err
		},
	})
	if err != nil {
		return nil, err
	}
	return set, nil
}

func (i *Issuer) askForKeys(ctx context.Context, name string, u *url.URL) (page, *jose.KeySet, error) {
	reply, err := i.Client.Call(ctx, oauth.CallRequest{
		URL: u, Accept: "application/jwk-set+json, application/json", Idempotent: true,
	})
	if err != nil {
		return page{}, nil, err
	}
	document, err := reply.Object()
	if err != nil {
		return page{}, nil, err
	}
	set, problem := readKeys(document)
	if problem != "" {
		return page{}, nil, reply.Unusable(problem)
	}
	return i.page(name, u, document), set, nil
}

// readKeys reads a JWK set; the second result is the problem, a clause.
func readKeys(document []byte) (*jose.KeySet, string) {
	o, problem := parseObject(document)
	if problem != "" {
		return nil, problem
	}
	var list []json.RawMessage
	if json.Unmarshal(o["keys"], &list) != nil {
		return nil, "it is not a JWK set"
	}
	if len(list) > maxKeys {
		return nil, fmt.Sprintf("it has %d keys, more than %d", len(list), maxKeys)
	}
	set := jose.ParseKeySet(list)
	if set.Empty() {
		return nil, "it has no key that can be used here"
	}
	return set, ""
}
