package genesys

import (
	"net/http"
	"strings"
	"sync"

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
	mu       sync.Mutex
	password string
	cookies  map[string]bool
}

// signsIn reports whether tenant\username and password are right.
func (a *account) signsIn(username, password string) bool {
	return username == fullUser && password == a.current()
}

func (a *account) current() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.password
}

// change replaces the password if the old one is right.
func (a *account) change(old, replacement string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.password != old {
		return false
	}
	a.password = replacement
	return true
}

// welcome makes a cookie.
func (a *account) welcome() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	value := service.NewOpaque()
	a.cookies[value] = true
	return value
}

// knows reports whether the request has one of the cookies.
func (a *account) knows(r *http.Request) bool {
	sent, err := r.Cookie(cookie)
	a.mu.Lock()
	defer a.mu.Unlock()
	return err == nil && a.cookies[sent.Value]
}

// leave makes all cookies void.
func (a *account) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	clear(a.cookies)
}

// flag reads a boolean parameter; one that is absent or empty is false.
func flag(value string) (set, ok bool) {
	return value == "true", value == "" || value == "true" || value == "false"
}

// signIn is GET /oauth/authorize with its page. What cannot be told to the client is a 401, the one error the API's
// page lists.
func (g *api) signIn() service.SignIn {
	return service.SignIn{
		Path: base + "/sign-in", Mistaken: http.StatusUnauthorized,
		Accept: accept, Page: g.page, Enter: g.enter, Welcome: g.welcome,
	}
}

func accept(_ *service.Exchange, a *service.Authorization) *service.AuthorizeError {
	if a.Query.Has("scope") && a.Scope != "*" {
		return &service.AuthorizeError{Code: "invalid_scope", Text: "only * is supported"}
	}
	if _, ok := flag(a.Query.Get("hideTenant")); !ok {
		return &service.AuthorizeError{Code: "invalid_request", Text: "hideTenant is neither true nor false"}
	}
	a.Scope = "*"
	return nil
}

func (g *api) page(a service.Authorization) service.Page {
	p := service.Page{
		Brand: "Genesys Multicloud CX", Accent: "#cc3a0c",
		Hint: "Tenant " + Tenant + ", username " + User + ", with the password that was set last.",
	}
	if hidden, _ := flag(a.Query.Get("hideTenant")); !hidden {
		tenant := service.Field{Name: "tenant", Label: "Tenant", Kind: "text", Autocomplete: "organization"}
		p.Fields = append(p.Fields, tenant)
	}
	p.Fields = append(p.Fields,
		service.Field{Name: "username", Label: "Username", Kind: "text", Autocomplete: "username"}, service.PasswordField())
	// A password that somebody chose is nobody else's to read.
	if g.account.current() == Password {
		p.Hint, p.Password = "Tenant "+Tenant+", username "+User+", with the password", Password
	}
	return p
}

func (g *api) enter(x *service.Exchange, a service.Authorization) (*service.Grant, string) {
	hidden, _ := flag(a.Query.Get("hideTenant"))
	tenant, username := strings.TrimSpace(x.Form.Get("tenant")), strings.TrimSpace(x.Form.Get("username"))
	if hidden {
		tenant = Tenant
	}
	if !strings.Contains(username, `\`) {
		username = tenant + `\` + username
	}
	switch {
	case g.account.signsIn(username, x.Form.Get("password")):
		return &service.Grant{Client: a.Client.ID, User: fullUser, Scope: a.Scope}, ""
	case hidden:
		return nil, "The username or password is wrong."
	}
	return nil, "The tenant, username or password is wrong."
}

func (g *api) welcome(x *service.Exchange, rep service.Reply) service.Reply {
	if !g.lenient {
		return rep
	}
	value := g.account.welcome()
	x.Secrets.Add(value)
	return rep.With("Set-Cookie", (&http.Cookie{ //nolint:gosec // without Secure: it is plain http on loopback
		Name: cookie, Value: value, Path: base, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}).String())
}
