package providers

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/oauth/devicecode"
	"github.com/authctl/authctl/internal/secret"
)

const deviceEndpoint = "device_authorization_endpoint"

// loginOnDevice gets a token from a person on any device (RFC 8628). A dry run keeps both
// requests.
func (p *Provider) loginOnDevice(ctx context.Context, i Interaction) (oauth.Token, error) {
	endpoint, err := p.endpoint(ctx, Login, deviceEndpoint)
	if err != nil {
		return oauth.Token{}, err
	}
	var poll oauth.TokenRequest
	var shown devicecode.Authorization
	err = rotating(ctx, p, func(p *Provider) (err error) {
		if poll, err = p.tokenRequest(ctx, oauth.DeviceCode, oauth.TokenRequest{Params: url.Values{}}); err != nil {
			return err
		}
		if shown, err = devicecode.Request(ctx, p.client, p.deviceRequest(endpoint, poll.Auth)); err != nil {
			return p.failed(err, wanted{grant: oauth.DeviceCode, auth: poll.Auth, rules: p.spec.Errors})
		}
		return nil
	})
	switch {
	case errors.Is(err, oauth.ErrDryRun):
	case err != nil:
		return oauth.Token{}, err
	default:
		if err := i.ShowUserCode(ctx, shown); err != nil {
			return oauth.Token{}, err
		}
	}
	token, err := p.issued(devicecode.Await(ctx, p.client, poll, shown))
	if err != nil {
		return oauth.Token{}, p.refusedDevice(err, poll.Auth)
	}
	if err := p.checkIDToken(ctx, token, secret.Secret{}); err != nil {
		return oauth.Token{}, err
	}
	return p.kept(token), nil
}

// deviceRequest is that of RFC 8628 §3.1. To ask twice does no harm: there are two codes then.
func (p *Provider) deviceRequest(endpoint *url.URL, auth oauth.ClientAuth) oauth.CallRequest {
	params := p.params(p.spec.Login)
	params.Set("scope", strings.Join(p.settings.List("scopes"), " "))
	return oauth.CallRequest{
		URL: endpoint, Auth: auth, Params: params, Header: p.header, SecretHeader: p.secretHeader,
		Idempotent: true, MinRetryWait: p.spec.Pace,
	}
}

// refusedDevice gives what ends the wait for a person its reason (RFC 8628 §3.5). That nobody
// came in time is said by the service, or known here.
func (p *Provider) refusedDevice(err error, auth oauth.ClientAuth) error {
	code := ""
	if answered, ok := errors.AsType[*oauth.Error](err); ok {
		code = answered.Code
	}
	failed := p.failed(err, wanted{grant: oauth.DeviceCode, auth: auth, rules: p.spec.Errors})
	failure, ok := errors.AsType[*Failure](failed)
	switch {
	case code == "expired_token", !ok && errors.Is(err, devicecode.ErrExpired):
		return &Failure{
			Reason: ReasonLogin, Message: "nobody logged in at " + p.spec.short() + " before the code expired", Err: err,
		}
	case code == "access_denied", code == "authorization_declined": // the latter is Entra ID's word
		failure.Reason = ReasonCredentials
		failure.Message = fmt.Sprintf("%s did not log you in: the person refused, or may not: %v", p.spec.short(), err)
		failure.Hint = "log in again, as a user who may, and allow it"
	case code == "invalid_grant":
		// The code was good once, and an answer that was lost may have been the token.
		failure.Reason, failure.Hint = ReasonLogin, ""
	}
	return failed
}
