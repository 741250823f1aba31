package genesys

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
)

// judge reads the API's errors. Their code is often the HTTP status again, and
// the standard's code then begins the message. A 403 may be the API key's, which a
// gateway checks, as well as the client's; status 603 is "Unauthorized"; 400 is
// what a wrong user or password gives.
func judge(grant string) func(*oauth.Error) *providers.Failure {
	hint := "check client_id and client_secret"
	if grant == password {
		hint = "check username (tenant\\user) and password, and client_id and client_secret"
	}
	return func(err *oauth.Error) *providers.Failure {
		code, _, _ := strings.Cut(err.Description, ":")
		switch code {
		case "invalid_grant":
			return &providers.Failure{Reason: providers.ReasonCredentials, Hint: hint}
		case "invalid_client", "invalid_scope", "invalid_request", "unauthorized_client",
			"unsupported_grant_type", "access_denied":
			return &providers.Failure{Reason: providers.ReasonOf(err.StatusCode, code)}
		}
		number := strings.Trim(err.Code, "0123456789") == ""
		switch {
		case err.StatusCode == 403 || err.Code == "603":
			return refusedClient()
		case err.StatusCode == 400 && (number || err.Code == "invalid_grant"):
			return &providers.Failure{Reason: providers.ReasonCredentials, Hint: hint}
		}
		return nil
	}
}

func refusedClient() *providers.Failure {
	return &providers.Failure{
		Reason: providers.ReasonCredentials,
		Hint:   "check api_key as well as client_id and client_secret; the client may lack the grant",
	}
}

// judgeToken reads the errors of the endpoints that take a token. The reply may be
// 200 and carry the status of a failure inside.
func judgeToken(err *oauth.Error) *providers.Failure {
	switch {
	case err.StatusCode == http.StatusUnauthorized, err.Code == "603":
		return &providers.Failure{Reason: providers.ReasonCredentials, StaleToken: true}
	case err.StatusCode == http.StatusForbidden:
		return refusedClient()
	}
	return nil
}

// isRefusedToken reports whether err says that the token is not valid (any more).
func isRefusedToken(err error) bool {
	answered, ok := errors.AsType[*oauth.Error](err)
	return ok && answered.StatusCode == http.StatusUnauthorized
}

// judgePing reads the errors of /ping: refused, or not there.
func judgePing(err *oauth.Error) *providers.Failure {
	if err.StatusCode == http.StatusUnauthorized || err.StatusCode == http.StatusForbidden || err.Code == "603" {
		return &providers.Failure{
			Reason: providers.ReasonCredentials, StaleToken: true,
			Message: fmt.Sprintf("%s is there and says: not authenticated: %v", title, err),
			Hint:    "log in again, or check api_key",
		}
	}
	return &providers.Failure{Reason: providers.ReasonTemporary, Message: fmt.Sprintf("%s is unavailable: %v", title, err)}
}

// judgePassword reads the errors of /change-password, where the page gives 403 one
// meaning.
func judgePassword(err *oauth.Error) *providers.Failure {
	if err.StatusCode != http.StatusForbidden {
		return judgeToken(err)
	}
	return &providers.Failure{
		Reason:  providers.ReasonCredentials,
		Message: fmt.Sprintf("%s is unable to update password: %v", title, err),
		Hint:    "check the old password, and the rules for a new one",
	}
}
