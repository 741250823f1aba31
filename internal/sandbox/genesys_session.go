package sandbox

import (
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// genesysLeastPassword is the sandbox's policy, in characters.
const genesysLeastPassword = 8

// signOut is GET and POST /sign-out. With global=true all tokens of the user end,
// otherwise the current one and the refresh token it came with. With redirectUri,
// which only GET has, the answer is a 302 to it.
func (g *genesys) signOut(x *exchange) reply {
	t, ok := x.caller()
	if !ok {
		return g.unauthorized()
	}
	query, err := url.ParseQuery(x.r.URL.RawQuery)
	global, isFlag := flag(query.Get("global"))
	target := query.Get("redirectUri")
	if x.r.Method == http.MethodPost {
		target = ""
	}
	if err != nil || !isFlag || (target != "" && !webAddress(target)) {
		return g.refusal(http.StatusBadRequest, "Bad Request")
	}
	if global {
		x.s.tokens.endAll(g.name(), t.subject())
	} else {
		x.s.tokens.end(t.grant)
	}
	g.visits.end()
	if target != "" {
		return reply{status: http.StatusFound}.with("Location", target)
	}
	return g.apiResponse(x)
}

// webAddress reports whether a browser could be sent there.
func webAddress(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && !hasControl(uri)
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

// changePassword is POST /change-password. Its only error of its own is a 403.
// The Authorization header is not marked as required: without it, userName must
// say whose password it is. Tokens that were issued before stay good.
func (g *genesys) changePassword(x *exchange) reply {
	if t, _, err := mime.ParseMediaType(x.r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return g.refusal(http.StatusUnsupportedMediaType, "Unsupported Media Type")
	}
	if x.bad != nil && x.bad.status == http.StatusRequestEntityTooLarge {
		return g.refusal(x.bad.status, x.bad.text)
	}
	var req changePasswordRequest
	if err := json.Unmarshal(x.body, &req); err != nil || req.Data == nil {
		return g.refusal(http.StatusBadRequest, "Bad Request")
	}
	unable := g.refusal(http.StatusForbidden, "Unable to update password")
	user := ""
	if len(x.r.Header.Values("Authorization")) > 0 {
		t, ok := x.caller()
		if !ok || t.user == "" {
			return unable
		}
		user = t.user
	}
	if name := req.Data.UserName; name != "" {
		if !strings.Contains(name, `\`) {
			name = GenesysTenant + `\` + name
		}
		if user != "" && user != name {
			return unable
		}
		user = name
	}
	if user != genesysUser || utf8.RuneCountInString(req.Data.NewPassword) < genesysLeastPassword ||
		!g.account.change(req.Data.OldPassword, req.Data.NewPassword) {
		return unable
	}
	x.s.ledger.learn(req.Data.NewPassword)
	return g.apiResponse(x)
}
