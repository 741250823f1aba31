package openid

import (
	"context"
	"encoding/json"
	"net/url"

	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/oauth"
)

// Keys reads a service's public keys (RFC 7517 §5). Keys of a kind that is not
// known, private and symmetric ones, and those for encryption are left out. The
// errors are those of oauth.Client.Call, and *oauth.ReplyError when it is no key set or none
// of its keys is left.
func Keys(ctx context.Context, c *oauth.Client, u *url.URL) (*jose.KeySet, error) {
	if err := oauth.CheckEndpoint(u); err != nil {
		return nil, err
	}
	reply, err := c.Call(ctx, oauth.CallRequest{
		URL: u, Accept: "application/jwk-set+json, application/json", Idempotent: true,
	})
	if err != nil {
		return nil, err
	}
	document, err := reply.Object()
	if err != nil {
		return nil, err
	}
	var list []json.RawMessage
	if json.Unmarshal(read(document)["keys"], &list) != nil {
		return nil, reply.Unusable("it is not a JWK set")
	}
	set := jose.ParseKeySet(list)
	if set.Empty() {
		return nil, reply.Unusable("it has no key that can be used here")
	}
	return set, nil
}
