package sandbox

import (
	"cmp"
	"net/http"
	"strings"
	"sync"
)

const (
	genesysSignInPath = genesysBase + "/sign-in"
)

// genesysAccount is the one user, whose password can be changed.
type genesysAccount struct {
	mu       sync.Mutex
	password string
}

// signsIn reports whether tenant\username and password are right.
func (a *genesysAccount) signsIn(username, password string) bool {
	return username == genesysUser && password == a.current()
}

func (a *genesysAccount) current() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.password
}

// change replaces the password if the old one is right.
func (a *genesysAccount) change(old, replacement string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.password != old {
		return false
	}
	a.password = replacement
	return true
}

// authorize is GET /oauth/authorize: 302 to the sign-in page. What cannot be told
// to the client is a 401, the one error the API's page lists.
func (g *genesys) authorize(x *exchange) reply {
	a, wrong, problem := x.readAuthorization(g.clients)
	if problem != "" {
		return errorPage(g.signInPage(authorization{}, ""), http.StatusUnauthorized, problem)
	}
	if wrong != nil {
		return x.backWith(a, *wrong)
	}
	query := given(x.r.URL.Query())
	if query.Has("scope") && a.scope != "*" {
		return x.backWith(a, authorizeError{"invalid_scope", "only * is supported"})
	}
	hide, ok := flag(query.Get("hideTenant"))
	if !ok {
		return x.backWith(a, authorizeError{"invalid_request", "hideTenant is neither true nor false"})
	}
	a.hideTenant, a.scope = hide, "*"
	return g.consents.toSignIn(x, a, genesysSignInPath)
}

// flag reads a boolean parameter; one that is absent or empty is false.
func flag(value string) (set, ok bool) {
	return value == "true", value == "" || value == "true" || value == "false"
}

// signIn is the page that people see, and where its form is posted to.
func (g *genesys) signIn(x *exchange) reply {
	if x.r.Method == http.MethodGet {
		a, session, refused := g.consents.show(x, g.signInPage(authorization{}, ""))
		if refused != nil {
			return *refused
		}
		return g.signInPage(a, session).form()
	}
	a, session, refused := g.consents.answer(x, g.signInPage(authorization{}, ""))
	if refused != nil {
		return *refused
	}
	tenant, username := strings.TrimSpace(x.form.Get("tenant")), strings.TrimSpace(x.form.Get("username"))
	full := username
	if !strings.Contains(username, `\`) {
		if a.hideTenant {
			tenant = GenesysTenant
		}
		full = tenant + `\` + username
	}
	if !g.account.signsIn(full, x.form.Get("password")) {
		p := g.signInPage(a, session)
		p.problem = "The tenant, username or password is wrong."
		if a.hideTenant {
			p.problem = "The username or password is wrong."
		}
		p.fill("tenant", tenant)
		p.fill("username", username)
		return p.form()
	}
	if !g.consents.close(session) {
		return errorPage(g.signInPage(a, ""), http.StatusBadRequest, "This sign-in has ended.")
	}
	given := &grant{service: g.name(), client: a.client.id, user: genesysUser, scope: a.scope}
	answer := x.consent(&g.consents, a, given)
	if x.s.opts.Lenient {
		cookie := g.visits.begin()
		x.s.ledger.add(cookie)
		answer = answer.with("Set-Cookie", (&http.Cookie{
			Name: genesysCookie, Value: cookie, Path: genesysBase, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		}).String())
	}
	return answer
}

// genesysCookie is the cookie of somebody who signed in.
const genesysCookie = "GENESYS_SESSION"

// visits are the cookies of those who signed in.
type visits struct {
	mu   sync.Mutex
	open map[string]bool
}

func (v *visits) begin() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.open == nil {
		v.open = make(map[string]bool)
	}
	cookie := newOpaque()
	v.open[cookie] = true
	return cookie
}

// has reports whether the request comes from somebody who signed in.
func (v *visits) has(r *http.Request) bool {
	cookie, err := r.Cookie(genesysCookie)
	v.mu.Lock()
	defer v.mu.Unlock()
	return err == nil && v.open[cookie.Value]
}

// end signs everybody out: there is one user.
func (v *visits) end() {
	v.mu.Lock()
	defer v.mu.Unlock()
	clear(v.open)
}

func (g *genesys) signInPage(a authorization, session string) signInPage {
	p := signInPage{
		brand: "Genesys Multicloud CX", accent: "#cc3a0c", action: genesysSignInPath, session: session,
		hint: "Tenant " + GenesysTenant + ", username " + GenesysUser + ", with the password that was set last.",
	}
	if !a.hideTenant {
		p.fields = append(p.fields, field{"tenant", "Tenant", "text", "organization", ""})
	}
	p.fields = append(p.fields, field{"username", "Username", "text", "username", ""},
		field{"password", "Password", "password", "current-password", ""})
	// A password that somebody chose is nobody else's to read.
	if g.account.current() == GenesysPassword {
		p.hint = "Tenant " + GenesysTenant + ", username " + GenesysUser + ", with the password"
		p.password = GenesysPassword
	}
	return p
}

// fill keeps what was typed before.
func (p *signInPage) fill(name, value string) {
	for i := range p.fields {
		if f := &p.fields[i]; f.name == name {
			f.value = cmp.Or(value, f.value)
		}
	}
}
