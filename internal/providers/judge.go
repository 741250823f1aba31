package providers

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/authctl/authctl/internal/moment"
	"github.com/authctl/authctl/internal/oauth"
)

// failure turns what asking the endpoint ended with into a *Failure. Errors that
// are not the service's (a secret that cannot be fetched, a malformed key) pass
// as they are.
func (p *Provider) failure(err error, w wanted) error {
	err = p.judged(err, w)
	if failure, ok := errors.AsType[*Failure](err); ok {
		failure.Hint = p.names.In(failure.Hint)
	}
	return err
}

func (p *Provider) judged(err error, w wanted) error {
	if answered, ok := errors.AsType[*oauth.Error](err); ok {
		return p.answered(answered, w)
	}
	if network, ok := errors.AsType[*oauth.NetworkError](err); ok {
		return p.unreached(network, err)
	}
	if reply, ok := errors.AsType[*oauth.ReplyError](err); ok {
		return &Failure{
			Reason: ReasonProtocol, Message: fmt.Sprintf("%s gave an answer that cannot be used: %v", p.spec.short(), reply),
			Ambiguous: oauth.Ambiguous(err), Err: err,
		}
	}
	return err
}

// unreached judges an exchange without a reply: time mends a network, and no
// certificate.
func (p *Provider) unreached(network *oauth.NetworkError, err error) *Failure {
	failure := &Failure{
		Reason: ReasonTemporary, Message: fmt.Sprintf("%s gave no answer: %v", p.spec.short(), network),
		Hint: networkHint(err, network), Ambiguous: oauth.Ambiguous(err), Err: err,
	}
	if network.Obstacle != nil {
		failure.Reason, failure.Hint = ReasonConfig, network.Obstacle.Hint
	}
	return failure
}

// networkHint knows the one mistake in a profile that looks like a broken network: a
// host that does not exist. Behind a proxy it is the proxy's that was looked up.
func networkHint(err error, network *oauth.NetworkError) string {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "proxyconnect" {
		return "the proxy cannot be reached: check HTTPS_PROXY, or name the host in NO_PROXY where it is not needed"
	}
	if lookup, ok := errors.AsType[*net.DNSError](err); ok && lookup.IsNotFound {
		return "the host does not exist: check {address} in the profile, and the network"
	}
	if network.Timeout {
		return "try again later, or raise --timeout"
	}
	return ""
}

// answered judges an error that the service answered with, by the first rule that fits.
func (p *Provider) answered(err *oauth.Error, w wanted) *Failure {
	failure := p.judge(err, w, inFront(), w.rules, StandardCodes(), gatewayForbids(w), standardStatuses())
	if failure.Hint == "" && failure.Reason == ReasonCredentials && !w.token {
		failure.Hint = credentialsHint(w.auth)
	}
	if failure.Reason == ReasonCredentials {
		failure.Hint = withClock(failure.Hint, err, w.auth)
	}
	failure.NotBefore, failure.Err, failure.Throttled = err.NotBefore, err, err.Throttled()
	failure.Ambiguous = err.Ambiguous()
	return failure
}

// judge returns what the first rule that fits makes of an error.
func (p *Provider) judge(err *oauth.Error, w wanted, lists ...[]Rule) *Failure {
	for _, r := range slices.Concat(lists...) {
		if r.fits(err) && (r.If == nil || r.If.holds(p.settings)) {
			return r.failure(p.spec.short(), err, w)
		}
	}
	return Rule{Reason: ReasonProtocol}.failure(p.spec.short(), err, w)
}

// credentialsHint names the settings that make the credentials; a signed JWT depends on
// the clock too.
func credentialsHint(auth oauth.ClientAuth) string {
	if auth == nil {
		return ""
	}
	hint := "check {credentials} in the profile"
	if auth.Method() == PrivateKeyJWT {
		hint += ", and this machine's clock"
	}
	return hint + "; --dry-run shows the request"
}

// clockSlack is how far two clocks may differ without a signed JWT, which is good for a
// minute, being refused for that.
const clockSlack = 30 * time.Second

// withClock puts a clock that is off in front of a hint, where it matters.
func withClock(hint string, err *oauth.Error, auth oauth.ClientAuth) string {
	off := err.ClockAhead.Abs()
	if auth == nil || auth.Method() != PrivateKeyJWT || off <= clockSlack {
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
