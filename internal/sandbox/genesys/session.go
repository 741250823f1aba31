package genesys

import (
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/authctl/authctl/internal/sandbox/service"
)

// leastPassword is the sandbox's policy, in characters.
const leastPassword = 8

// signOut is GET and POST /sign-out. With global=true all tokens of the user end, otherwise the current one and the
// refresh token it came with. With redirectUri, which only GET has, the answer is a 302 to it.
func (g *api) signOut(x *service.Exchange) service.Reply {
	t, ok := x.Caller()
	if !ok {
		return unauthorized()
	}
	query, err := url.ParseQuery(x.Request.URL.RawQuery)
	global, isFlag := flag(query.Get("global"))
	target := query.Get("redirectUri")
	if x.Request.Method == http.MethodPost {
		target = ""
	}
	if err != nil || !isFlag || (target != "" && !webAddress(target)) {
		return refusal(http.StatusBadRequest, "Bad Request")
	}
	if global {
		x.EndAll(t.Grant)
	} else {
		x.End(t.Grant)
	}
	g.account.leave()
	if target != "" {
		return service.Redirect(target)
	}
	return apiResponse(x)
}

// webAddress reports whether a browser could be sent there.
func webAddress(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && !service.HasControl(uri)
}

// changePasswordRequest is the page's ApiRequestOfChangePasswordOperation.
type changePasswordRequest struct {
	Data *struct {
		NewPassword string `json:"newPassword"`
		OldPassword string `json:"oldPassword"`
		UserName    string `json:"userName"`
	} `json:"data"`
	OperationID string `json:"operationId"`
}

// changePassword is POST /change-password. Its only error of its own is a 403. The Authorization header is not marked
// as required: without it, userName must say whose password it is. Tokens that were issued before stay good.
func (g *api) changePassword(x *service.Exchange) service.Reply {
	if t, _, err := mime.ParseMediaType(x.Request.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return refusal(http.StatusUnsupportedMediaType, "Unsupported Media Type")
	}
	if x.Bad != nil && x.Bad.Status == http.StatusRequestEntityTooLarge {
		return refusal(x.Bad.Status, x.Bad.Text)
	}
	var req changePasswordRequest
	if err := json.Unmarshal(x.Body, &req); err != nil || req.Data == nil {
		return refusal(http.StatusBadRequest, "Bad Request")
	}
	unable := refusal(http.StatusForbidden, "Unable to update password")
	user := ""
	if len(x.Request.Header.Values("Authorization")) > 0 {
		t, ok := x.Caller()
		if !ok || t.User == "" {
			return unable
		}
		user = t.User
	}
	if name := req.Data.UserName; name != "" {
		if !strings.Contains(name, `\`) {
			name = Tenant + `\` + name
		}
		if user != "" && user != name {
			return unable
		}
		user = name
	}
	if user != fullUser || utf8.RuneCountInString(req.Data.NewPassword) < leastPassword ||
		!g.account.change(req.Data.OldPassword, req.Data.NewPassword) {
		return unable
	}
	x.Secrets.Learn(req.Data.NewPassword)
	return apiResponse(x)
}
