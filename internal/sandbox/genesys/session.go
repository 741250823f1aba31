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
func (a *account) signOut(x *service.Exchange, t service.Token) service.Reply {
	query := x.Request.URL.Query()
	global, isFlag := flag(query.Get("global"))
	target := query.Get("redirectUri")
	if x.Request.Method == http.MethodPost {
		target = ""
	}
	if !isFlag || target != "" && !webAddress(target) {
		return failure(http.StatusBadRequest, "", "Bad Request")
	}
	x.End(t.Grant, global)
	a.cookies.Clear()
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

// changePassword is POST /change-password, with the page's ApiRequestOfChangePasswordOperation. Its only error of its
// own is a 403. Tokens that were issued before stay good.
func (a *account) changePassword(x *service.Exchange) service.Reply {
	if t, _, err := mime.ParseMediaType(x.Request.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return failure(http.StatusUnsupportedMediaType, "", "Unsupported Media Type")
	}
	var req struct {
		Data *struct{ NewPassword, OldPassword, UserName string }
	}
	if err := json.Unmarshal(x.Body, &req); err != nil || req.Data == nil {
		return failure(http.StatusBadRequest, "", "Bad Request")
	}
	if !passwordIsOf(x, req.Data.UserName) || utf8.RuneCountInString(req.Data.NewPassword) < leastPassword ||
		!a.password.CompareAndSwap(req.Data.OldPassword, req.Data.NewPassword) {
		return failure(http.StatusForbidden, "", "Unable to update password")
	}
	x.Secrets.Learn(req.Data.NewPassword)
	return apiResponse(x)
}

// passwordIsOf reports whether it is the user who asks. The Authorization header is not marked as required: without
// it, userName must say whose password it is.
func passwordIsOf(x *service.Exchange, name string) bool {
	if name != "" && !strings.Contains(name, `\`) {
		name = Tenant + `\` + name
	}
	t, ok := x.Caller()
	if len(x.Request.Header.Values("Authorization")) == 0 {
		return name == fullUser
	}
	return ok && t.User == fullUser && (name == "" || name == fullUser)
}
