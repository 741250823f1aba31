package providers

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"

	"github.com/authctl/authctl/internal/oauth"
)

// failure turns what asking the endpoint ended with into a *Failure. Errors that
// are not the service's (a secret that cannot be fetched, a malformed key) pass
// as they are.
func (p *Peer) failure(err error) error {
	if answered, ok := errors.AsType[*oauth.Error](err); ok {
		return p.answered(answered)
	}
	if network, ok := errors.AsType[*oauth.NetworkError](err); ok {
		return &Failure{
			Reason: ReasonTemporary, Message: fmt.Sprintf("%s gave no answer: %v", p.Service, network),
			Hint: networkHint(err), Ambiguous: oauth.Ambiguous(err), Err: err,
		}
	}
	if reply, ok := errors.AsType[*oauth.ReplyError](err); ok {
		return &Failure{
			Reason: ReasonProtocol, Message: fmt.Sprintf("%s gave an answer that cannot be used: %v", p.Service, reply),
			Ambiguous: oauth.Ambiguous(err), Err: err,
		}
	}
	return err
}

// networkHint knows the one mistake in a profile that looks like a broken network:
// a host that does not exist.
func networkHint(err error) string {
	if lookup, ok := errors.AsType[*net.DNSError](err); ok && lookup.IsNotFound {
		return "the host does not exist: check account, region, environment or base_url in the profile, or the network"
	}
	if network, ok := errors.AsType[*oauth.NetworkError](err); ok && network.Timeout {
		return "try again later, or raise --timeout"
	}
	return ""
}

// answered judges an error that the service answered with: first in the
// service's own words, then in the standard's.
func (p *Peer) answered(err *oauth.Error) *Failure {
	failure := (*Failure)(nil)
	if p.Judge != nil {
		failure = p.Judge(err)
	}
	if failure == nil {
		failure = &Failure{Reason: ReasonOf(err.StatusCode, err.Code)}
	}
	if failure.Message == "" {
		failure.Message = fmt.Sprintf("%s %s: %v", p.Service, verdict(failure.Reason), err)
	}
	failure.NotBefore, failure.Err = err.NotBefore, err
	failure.Ambiguous = err.Ambiguous()
	return failure
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

// ReasonOf reads an error as RFC 6749 §5.2 and RFC 9110 define its code and its
// HTTP status.
func ReasonOf(status int, code string) Reason {
	switch code {
	case "invalid_scope", "insufficient_scope":
		return ReasonScope
	case "server_error", "temporarily_unavailable", "slow_down":
		return ReasonTemporary
	case "invalid_client", "invalid_grant", "unauthorized_client", "access_denied":
		if status < http.StatusInternalServerError {
			return ReasonCredentials
		}
	}
	return reasonOfStatus(status)
}

func reasonOfStatus(status int) Reason {
	switch {
	case slices.Contains([]int{http.StatusRequestTimeout, http.StatusTooManyRequests}, status), status >= 500:
		return ReasonTemporary
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return ReasonCredentials
	case status == http.StatusBadRequest, status == http.StatusNotFound, status == http.StatusMethodNotAllowed:
		return ReasonConfig
	default:
		return ReasonProtocol
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
