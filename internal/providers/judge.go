package providers

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/jose"
	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/network"
	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/setting"
)

// failed turns what asking the service ended with into a *Failure. Errors that are not the
// service's (a secret that cannot be fetched, a malformed key) pass as they are.
func (p *addresses) failed(err error, w wanted) error {
	var failure *Failure
	var asked string
	if answered, ok := errors.AsType[*oauth.Error](err); ok {
		failure, asked = p.answered(answered, w), answered.Endpoint
	} else if unreached, ok := errors.AsType[*oauth.NetworkError](err); ok {
		failure, asked = p.unreached(unreached, err), unreached.Endpoint
	} else if reply, ok := errors.AsType[*oauth.ReplyError](err); ok {
		failure = protocol(err, "%s gave an answer that cannot be used: %v", p.spec.short(), reply)
		asked = reply.Endpoint
	} else {
		return p.otherKey(err)
	}
	failure.Hint = p.namesAt(asked).In(cmp.Or(failure.Hint, p.usualHint(failure, w)))
	failure.Ambiguous, failure.Err = oauth.Ambiguous(err), cmp.Or(failure.Err, err)
	return failure
}

// otherKey says what to do about a private key that cannot sign as the profile, or the service, wants.
func (p *configured) otherKey(err error) error {
	key, ok := errors.AsType[*jose.KeyError](err)
	switch {
	case !ok || !key.OtherAlgorithm:
	case p.settings.Text("key_algorithm") != "":
		key.Hint = p.names().In("check {key_algorithm} in the profile: without it the key's own is used")
	default:
		key.Hint = "give another key"
	}
	return err
}

// namesAt are the settings with the one that an address is from: the profile's own, or the issuer,
// whose document names the others.
func (p *addresses) namesAt(address string) setting.Names {
	for _, endpoint := range slices.Sorted(maps.Keys(p.spec.Given)) {
		if u := p.endpoints[endpoint]; u != nil && network.AddressText(u) == address {
			return p.names().At(p.spec.Given[endpoint])
		}
	}
	if p.spec.Given != nil && p.issuer != nil {
		return p.names().At(p.spec.Given[issuer])
	}
	return p.names()
}

// usualHint names the settings that lead to a service which only its profile describes, where that
// is what can be wrong.
func (p *configured) usualHint(f *Failure, w wanted) string {
	answered, _ := errors.AsType[*oauth.Error](f.Err)
	switch {
	case p.spec.Given == nil || !f.NotBefore.IsZero():
		return ""
	case f.Reason == ReasonProtocol:
		return "check {url} in the profile; --verbose shows who answered"
	case f.Reason != ReasonConfig || answered == nil:
		return ""
	case answered.StatusCode == http.StatusBadRequest && w.grant != "":
		return "check {grant} in the profile; --dry-run shows the request"
	}
	return "check {url} in the profile; --dry-run shows the request"
}

// protocol is a failure for a reply that cannot be used, and its cause.
func protocol(cause error, format string, args ...any) *Failure {
	return &Failure{Reason: ReasonProtocol, Err: cause, Message: fmt.Sprintf(format, args...)}
}

// unreached judges an exchange without a reply: time mends a network, and no
// certificate.
func (p *configured) unreached(way *oauth.NetworkError, err error) *Failure {
	failure := &Failure{
		Reason: ReasonTemporary, Message: fmt.Sprintf("%s gave no answer: %v", p.spec.short(), way),
		Hint: networkHint(err, way),
	}
	if way.Obstacle != nil {
		failure.Reason, failure.Hint = ReasonConfig, way.Obstacle.Hint
	}
	if way.Certificate {
		failure.Reason = ReasonCredentials
		failure.Message = fmt.Sprintf("%s %s: %v", p.spec.short(), verdict(ReasonCredentials), way)
	}
	return failure
}

// networkHint knows the one mistake in a profile that looks like a broken network: a
// host that does not exist. Behind a proxy it is the proxy's that was looked up.
func networkHint(err error, way *oauth.NetworkError) string {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "proxyconnect" {
		return "the proxy cannot be reached: check HTTPS_PROXY, or name the host in NO_PROXY where it is not needed"
	}
	if lookup, ok := errors.AsType[*net.DNSError](err); ok && lookup.IsNotFound {
		return "the host does not exist: check {address} in the profile, and the network"
	}
	if way.Timeout {
		return "try again later, or raise --timeout"
	}
	return ""
}

// answered judges an error that the service answered with, by the first rule that fits. Where
// a token was shown, it is the token that a refusal is about.
func (p *configured) answered(err *oauth.Error, w wanted) *Failure {
	failure := p.judge(err, w, inFront(), w.rules, StandardCodes(), gatewayForbids(w), standardStatuses(w))
	failure.NotBefore, failure.Throttled, failure.Err = err.NotBefore, err.Throttled(), err
	if w.token && err.Page == "" && err.StatusCode == http.StatusUnauthorized {
		failure.StaleToken = true
	}
	switch {
	case failure.Reason != ReasonCredentials:
	case w.token && failure.Hint == "":
		failure.Message = fmt.Sprintf("%s does not accept the token: %v", p.spec.short(), err)
		failure.AccessToken = true
	default:
		failure.Hint = withClock(cmp.Or(failure.Hint, credentialsHint(w.auth)), err, w.auth)
		if err.CertificateUnasked {
			failure.Hint = "the service did not ask for the certificate: there may be another address for clients that have " +
				"one (RFC 8705 §5); check {token_url,issuer} in the profile"
		}
	}
	return failure
}

// judge returns what the first rule that fits makes of an error.
func (p *configured) judge(err *oauth.Error, w wanted, lists ...[]Rule) *Failure {
	for _, r := range slices.Concat(lists...) {
		if r.fits(err) && (r.If == nil || r.If.Holds(p.settings)) {
			failure := r.failure(p.spec.short(), err, w)
			failure.Hint = p.renewing(r.Shows) + failure.Hint
			return failure
		}
	}
	return Rule{Reason: ReasonProtocol}.failure(p.spec.short(), err, w)
}

// renewing says of the first token that another profile gave how that one gets a new one.
func (p *configured) renewing(settings []string) string {
	for _, name := range settings {
		if profile, ok := strings.CutPrefix(p.settings.Text(name), "profile:"); ok {
			return "the token of " + profile + " may not be valid any more: " +
				"authctl token get " + profile + " --force-refresh; else "
		}
	}
	return ""
}

// credentialsHint names the settings that make the credentials; a signed JWT depends on
// the clock too.
func credentialsHint(auth oauth.ClientAuth) string {
	switch {
	case auth == nil:
		return ""
	case signsJWT(auth):
		return "check {credentials} in the profile, and this machine's clock; --dry-run shows the request"
	}
	return "check {credentials} in the profile; --dry-run shows the request"
}

// signsJWT reports whether the clock is a part of the credentials.
func signsJWT(auth oauth.ClientAuth) bool {
	return slices.Contains([]string{setting.PrivateKeyJWT, setting.SecretJWT}, auth.Method())
}

// clockSlack is how far two clocks may differ without a signed JWT, which is good for a
// minute, being refused for that.
const clockSlack = 30 * time.Second

// withClock puts a clock that is off in front of a hint, where it matters.
func withClock(hint string, err *oauth.Error, auth oauth.ClientAuth) string {
	off := err.ClockAhead.Abs()
	if auth == nil || !signsJWT(auth) || off <= clockSlack {
		return hint
	}
	direction := "ahead of"
	if err.ClockAhead > 0 {
		direction = "behind"
	}
	return fmt.Sprintf("this machine's clock is %s %s the service's, and a signed JWT is good for a minute: "+
		"set the clock; else %s", moment.Lasting(off), direction, hint)
}

func verdict(r Reason) string {
	switch r {
	case ReasonScope:
		return "refused a scope"
	case ReasonTemporary:
		return "cannot answer now"
	case ReasonConfig:
		return "does not know what the profile asks for"
	case ReasonProtocol:
		return "answered what cannot be used"
	default:
		return "refused the credentials"
	}
}

// refusedRefresh gives a refused refresh token its reason. A 400 that is not the
// client's authentication is RFC 6749 §5.2's invalid_grant, by whatever name.
func refusedRefresh(err error) error {
	failure, refused := errors.AsType[*Failure](err)
	if refused {
		failure.RefreshToken = true
	}
	answered, ok := errors.AsType[*oauth.Error](err)
	if refused && ok && failure.Reason == ReasonCredentials && answered.StatusCode == http.StatusBadRequest &&
		answered.Code != "invalid_client" && answered.Code != "unauthorized_client" {
		failure.Reason, failure.Hint = ReasonLogin, ""
	}
	return err
}
