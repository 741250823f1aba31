// An OpenID provider for tests: the example of github.com/zitadel/oidc as it is, with its storage, its login pages and
// its users, and clients for each way to authenticate.
//
// Users are id1, an administrator, test-user@127.0.0.1 (password verysecure), and id2, test-user2. The service user sid1
// (secret verysecret) has the client credentials grant.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"github.com/authctl/authctl/test/serve"
	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// redirect fits any port: RFC 8252 §7.3.
const redirect = "http://127.0.0.1/callback"

func main() { serve.Serve(build) }

// build makes the provider. Its configuration is {"key": JWK}, the public key of the service account.
func build(issuer string, config []byte) (string, http.Handler, error) {
	var settings struct {
		Key jose.JSONWebKey `json:"key"`
	}
	if err := json.Unmarshal(config, &settings); err != nil {
		return "", nil, fmt.Errorf("reading SERVER_CONFIG: %w", err)
	}
	const secret = "fake-secret"
	storage.RegisterClients(
		storage.NativeClient("native", redirect),
		storage.NativeClient("person", redirect),
		storage.WebClient("web", secret, redirect),
		storage.WebClient("post", secret, redirect),
		storage.WebClient("exchange", secret, redirect),
		storage.NativeClient(storage.ServiceUserID, redirect),
		storage.DeviceClient("device", secret),
	)
	users := storage.NewUserStore(issuer)
	known := &registered{storage.NewStorage(users), users, settings.Key}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	return issuer, exampleop.SetupServer(issuer, known, quiet, false), nil
}

// registered is the example's storage with clients as they are registered here.
type registered struct {
	*storage.Storage
	users storage.UserStore
	key   jose.JSONWebKey
}

// CompleteDeviceAuthorization has the user's id for the name that the example's page hands on.
func (r *registered) CompleteDeviceAuthorization(ctx context.Context, userCode, subject string) error {
	if user := r.users.GetUserByUsername(subject); user != nil {
		subject = user.ID
	}
	return r.Storage.CompleteDeviceAuthorization(ctx, userCode, subject)
}

// GetKeyByIDAndClientID is the key of the service account, which the example has for itself.
func (r *registered) GetKeyByIDAndClientID(_ context.Context, keyID, clientID string) (*jose.JSONWebKey, error) {
	if clientID != storage.ServiceUserID || keyID != r.key.KeyID {
		return nil, errors.New("key not found")
	}
	return &r.key, nil
}

// GetClientByClientID is a client as it is registered.
func (r *registered) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	known, err := r.Storage.GetClientByClientID(ctx, id)
	if err != nil {
		return nil, err
	}
	c := client{Client: known, method: known.AuthMethod()}
	switch id {
	case "post":
		c.method = oidc.AuthMethodPost
	case storage.ServiceUserID:
		c.method = oidc.AuthMethodPrivateKeyJWT
	}
	return c, nil
}

// client differs from the example's in how it authenticates, and may be on any port of loopback.
type client struct {
	op.Client
	method oidc.AuthMethod
}

// AuthMethod is how the client authenticates.
func (c client) AuthMethod() oidc.AuthMethod { return c.method }

// ApplicationType is native, the only one with any port of loopback, where there is a redirect.
func (c client) ApplicationType() op.ApplicationType {
	if len(c.RedirectURIs()) == 0 {
		return c.Client.ApplicationType()
	}
	return op.ApplicationTypeNative
}

// AccessTokenType is a JWT, that its signature can be looked at.
func (c client) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeJWT }
