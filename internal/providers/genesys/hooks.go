package genesys

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/authctl/authctl/internal/oauth"
	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/secret"
	"github.com/authctl/authctl/internal/setting"
)

// signOut asks POST /sign-out or, for a browser to be sent on, GET /sign-out. The
// parameter global is always said: its default is not documented.
func signOut(
	ctx context.Context, p *providers.Provider, s providers.Session, o providers.SignOutOptions,
) (providers.SignedOut, error) {
	query, r := url.Values{"global": {strconv.FormatBool(o.Global)}}, oauth.CallRequest{}
	if o.RedirectURI != "" {
		query.Set("redirectUri", o.RedirectURI)
		r.Method, r.RedirectTo = http.MethodGet, o.RedirectURI
	}
	reply, err := p.Ask(ctx, providers.SignOut, s.AccessToken, query, r)
	if isRefusedToken(err) && !s.RefreshToken.IsZero() {
		// The access token has ended, but the session may live on in the other one.
		token, refused := p.Refresh(ctx, s.RefreshToken)
		if refused == nil {
			return signOut(ctx, p, providers.Session{AccessToken: token.AccessToken}, o)
		}
		if failure, ok := errors.AsType[*providers.Failure](refused); !ok || failure.Reason != providers.ReasonLogin {
			return providers.SignedOut{}, refused
		}
	}
	if isRefusedToken(err) {
		return providers.SignedOut{Did: "the session had ended already"}, nil
	}
	if err != nil {
		return providers.SignedOut{}, err
	}
	done := providers.SignedOut{Did: "ended this session"}
	if o.Global {
		done.Did = "ended all sessions of the user"
	}
	if reply.Location != nil {
		done.RedirectURI = secret.CleanText(reply.Location.String())
	}
	return done, nil
}

// isRefusedToken reports whether err says that the token is not valid (any more). A
// page with that status is not the API's word.
func isRefusedToken(err error) bool {
	answered, ok := errors.AsType[*oauth.Error](err)
	return ok && answered.StatusCode == http.StatusUnauthorized && answered.Page == ""
}

// otherProduct warns of the hosts of Genesys Cloud, whose API is another one
// (https://developer.genesys.cloud/platform/api/).
func otherProduct(s setting.Values) string {
	u, err := url.Parse(s.Text("base_url"))
	if err != nil {
		return ""
	}
	host := "." + strings.ToLower(u.Hostname())
	if !strings.HasSuffix(host, ".pure.cloud") && !strings.Contains(host, ".mypurecloud.") {
		return ""
	}
	return "base_url is a host of Genesys Cloud, which is another product: " +
		"this service is Genesys Multicloud CX, such as https://gapi-use1.genesyscloud.com"
}
