package genesys

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/authctl/authctl/internal/sandbox/service"
)

// Who can sign in: Jane, who can change her password.
const (
	Tenant   = "acme"
	User     = "jane"
	Password = service.Marker + "+jane's %pass:word"
	fullUser = Tenant + `\` + User
)

// cookie is what somebody who signed in sends.
const cookie = "GENESYS_SESSION"

// account is the one user, whose password can be changed, with the cookies of her browsers.
type account struct {
	lenient  bool
	password atomic.Value // a string
	cookies  sync.Map     // their values
}

func (a *account) current() string { return fmt.Sprint(a.password.Load()) }

// typed is whose tenant\username and password a form has.
func (a *account) typed(x *service.Exchange) string {
	if x.Form.Get("username") != fullUser || x.Form.Get("password") != a.current() {
		return ""
	}
	return fullUser
}

// flag reads a boolean parameter; one that is absent or empty is false.
func flag(value string) (set, ok bool) {
	return value == "true", value == "" || value == "true" || value == "false"
}

// signIn is GET /oauth/authorize with its page. What cannot be told to the client is a 401, the one error the API's
// page lists.
func (a *account) signIn() service.SignIn {
	return service.SignIn{
		Path: base + "/sign-in", Mistaken: http.StatusUnauthorized, Page: a.page, Enter: a.enter, Welcome: a.welcome,
		Check: func(request service.Authorization) (code, text string) {
			if _, ok := flag(request.Query.Get("hideTenant")); !ok {
				return "invalid_request", "hideTenant is neither true nor false"
			}
			return "", ""
		},
	}
}

func (a *account) page(request service.Authorization) service.Page {
	p := service.Page{
		Brand: "Genesys Multicloud CX", Accent: "#cc3a0c",
		Hint: "Tenant " + Tenant + ", username " + User + ", with the password that was set last.",
		Fields: []service.Field{
			{Name: "tenant", Label: "Tenant", Kind: "text", Autocomplete: "organization"},
			{Name: "username", Label: "Username", Kind: "text", Autocomplete: "username"},
			service.PasswordField(),
		},
	}
	if hidden, _ := flag(request.Query.Get("hideTenant")); hidden {
		p.Fields = p.Fields[1:]
	}
	// A password that somebody chose is nobody else's to read.
	if a.current() == Password {
		p.Hint, p.Password = "Tenant "+Tenant+", username "+User+", with the password", Password
	}
	return p
}

func (a *account) enter(x *service.Exchange, request service.Authorization) (user, problem string) {
	hidden, _ := flag(request.Query.Get("hideTenant"))
	tenant, username := strings.TrimSpace(x.Form.Get("tenant")), strings.TrimSpace(x.Form.Get("username"))
	problem = "The tenant, username or password is wrong."
	if hidden {
		tenant, problem = Tenant, "The username or password is wrong."
	}
	if !strings.Contains(username, `\`) {
		username = tenant + `\` + username
	}
	if username != fullUser || x.Form.Get("password") != a.current() {
		return "", problem
	}
	return fullUser, ""
}

// welcome sets the cookie of a lenient sandbox.
func (a *account) welcome(x *service.Exchange, rep service.Reply) service.Reply {
	if !a.lenient {
		return rep
	}
	value := service.NewOpaque()
	x.Secrets.Add(value)
	a.cookies.Store(value, true)
	return rep.With("Set-Cookie", (&http.Cookie{ //nolint:gosec // without Secure: it is plain http on loopback
		Name: cookie, Value: value, Path: base, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}).String())
}

// ping is GET /ping: 200 when the bearer token is good, otherwise 403. The page names no header; the service itself
// may look at a login cookie, which a lenient sandbox takes too.
func (a *account) ping(x *service.Exchange) service.Reply {
	_, known := x.Caller()
	if sent, err := x.Request.Cookie(cookie); err == nil && !known {
		_, known = a.cookies.Load(sent.Value)
	}
	if !known {
		return statusError(http.StatusForbidden, 403, "Forbidden")
	}
	return apiResponse(x)
}
