package main

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/issuertest"
)

// stand is a server not written here, as one profile of provider oauth2 after the other meets it.
type stand struct {
	*issuertest.Server
	// env is what the profiles refer to, and person who sits at the server's pages.
	env    []string
	person stranger
}

// meeting is one client of such a server: a way to authenticate with one grant.
type meeting struct {
	grant, auth string
	// client is the client's id, which no other meeting at the server has: its requests are counted.
	client string
	// ready is the profile, where the place's own sandbox is the server.
	ready string
	// lines are further settings of the profile, and also further profiles.
	lines []string
	also  []string
	// scopes are asked for.
	scopes string
	// wrong are the entries of the environment that make the credentials wrong, NAME=VALUE or NAME=@OTHER, separated by
	// semicolons; without any there are no credentials.
	wrong string
	// code is that of the refusal, 4 where it is 0.
	code int
	// loses says that the server refuses wrong credentials as it does a spent refresh token.
	loses bool
	// unknown is a scope that the server refuses; without one it leaves out what it does not know.
	unknown string
	// refreshes says that there are refresh tokens, and that each is good once.
	refreshes bool
	// fresh, where there is one, prepares what is good for one request only.
	fresh      func(p *place)
	operations []operation
}

// operation is a command that works, or does not, once there is a token: {} in its arguments stands for the profile.
type operation struct {
	args string
	code int
	// want is a part of stdout, or of stderr where the code is not 0.
	want string
}

// profile is the meeting as a profile of provider oauth2.
func (m meeting) profile(s stand) string {
	lines := append([]string{
		"provider: oauth2", "issuer: " + s.Issuer, "client_id: " + m.client, "grant: " + m.grant, "client_auth: " + m.auth,
		"scopes: [" + m.scopes + "]",
	}, m.lines...)
	text := "profiles:\n  there:\n    " + strings.Join(lines, "\n    ") + "\n"
	for _, more := range m.also {
		text += "  " + more + "\n"
	}
	return strings.ReplaceAll(text, "ISSUER", s.Issuer)
}

// meet has the profile do all that it can at the server.
func (m meeting) meet(t *testing.T, s stand) {
	t.Helper()
	p := newPlace(t)
	p.fileStore()
	p.set(s.env...)
	m.arrange(p, s)
	for _, more := range m.also {
		name, _, _ := strings.Cut(more, ":")
		p.logInAbroad(name, s.person)
	}
	m.first(p, s)
	asked := m.asked(p, s)
	wantTokens(t, []outcome{p.run("token", "get", "there"), p.run("token", "get", "there")})
	p.wantSource("cache", "there")
	if n := m.asked(p, s); n != asked {
		t.Errorf("a cached token cost %d requests", n-asked)
	}
	m.renewed(p)
	m.refused(p, s)
	for _, o := range m.operations {
		m.prepare(p)
		o.check(p)
	}
}

// arrange writes the configuration; of the sandbox's own its profile gets the name that all have here.
func (m meeting) arrange(p *place, s stand) {
	p.t.Helper()
	if m.ready == "" {
		p.configure(m.profile(s))
		return
	}
	p.set("SSL_CERT_FILE=" + p.path(filepath.Join("config.secrets", "ca.pem")))
	text, err := os.ReadFile(p.path("config.yaml"))
	if err != nil {
		p.t.Fatal(err)
	}
	p.configure(strings.Replace(string(text), "  "+m.ready+":\n", "  there:\n", 1))
}

// asked is how many token requests of the client the server has seen.
func (m meeting) asked(p *place, s stand) (n int) {
	if m.ready == "" {
		return s.TokenRequests(m.client)
	}
	for _, r := range p.server.Requests() {
		if r.Path == oauth2TokenPath {
			n++
		}
	}
	return n
}

// renewed has the token replaced twice, the second time by what came with the first.
func (m meeting) renewed(p *place) {
	p.t.Helper()
	for range 2 {
		m.prepare(p)
		switch {
		case m.refreshes:
			p.wantSource("refreshed", "there", "--force-refresh")
		case m.person():
			p.wantLoginAgain("there", "--force-refresh")
		default:
			p.wantSource("issued", "there", "--force-refresh")
		}
	}
}

// person reports whether somebody has to log in.
func (m meeting) person() bool { return m.grant == "authorization_code" || m.grant == "device_code" }

func (m meeting) prepare(p *place) {
	if m.fresh != nil {
		m.fresh(p)
	}
}

// first gets the first token.
func (m meeting) first(p *place, s stand) {
	p.t.Helper()
	m.prepare(p)
	if m.person() {
		p.logInAbroad("there", s.person)
	} else {
		p.wantSource("issued", "there")
	}
	if p.t.Failed() {
		p.t.FailNow()
	}
}

// refused has wrong credentials refused, and a scope that the server does not know.
func (m meeting) refused(p *place, s stand) {
	p.t.Helper()
	if m.unknown != "" {
		m.prepare(p)
		wantFailures(p.t, 5, []outcome{p.run("token", "get", "there", "-s", m.unknown)})
	}
	if m.wrong == "" {
		return
	}
	renew := []string{"token", "get", "there", "--force-refresh"}
	if m.person() && !m.refreshes {
		renew = []string{"login", "there"}
	}
	right := p.env
	p.set(m.wrongly(s)...)
	o := p.run(renew...)
	p.env = right
	wantFailures(p.t, m.refusal(), []outcome{o})
	for _, entry := range m.wrongly(s) {
		if _, value, _ := strings.Cut(entry, "="); strings.Contains(o.stderr, value) {
			p.t.Error("stderr shows what is wrong")
		}
	}
	switch {
	case m.loses:
		p.wantLoginAgain("there", "--force-refresh")
		p.logInAbroad("there", s.person)
	case m.refreshes: // wrong credentials cost no login
		p.wantSource("refreshed", "there", "--force-refresh")
	}
}

// wrongly are the entries of the environment with wrong credentials.
func (m meeting) wrongly(s stand) (entries []string) {
	for entry := range strings.SplitSeq(m.wrong, ";") {
		name, value, _ := strings.Cut(entry, "=")
		if other, ok := strings.CutPrefix(value, "@"); ok {
			value = valueOf(s.env, other)
		}
		entries = append(entries, name+"="+value)
	}
	return entries
}

// refusal is the exit code for wrong credentials.
func (m meeting) refusal() int { return cmp.Or(m.code, 4) }

// valueOf is a variable's value.
func valueOf(env []string, name string) string {
	for _, entry := range env {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

func (v operation) check(p *place) {
	p.t.Helper()
	o := p.run(strings.Fields(strings.ReplaceAll(v.args, "{}", "there"))...)
	said := strings.ReplaceAll(o.stdout, `": `, `":`)
	if v.code != 0 {
		said = o.stderr
	}
	if o.code != v.code || !strings.Contains(said, v.want) {
		p.t.Errorf("%s: exit code %d, stdout %q, stderr %q; want %d and %q", v.args, o.code, o.stdout, o.stderr, v.code, v.want)
	}
}

// logInAbroad logs in at the pages of a server not written here, in a browser or with the code that a device shows.
func (p *place) logInAbroad(profile string, person stranger) {
	p.t.Helper()
	l := p.startLogin(profile)
	back := "authctl:none"
	if u, err := url.Parse(l.address); err == nil && u.Query().Has("redirect_uri") {
		back = u.Query().Get("redirect_uri")
	}
	end, err := person.walk(p.t.Context(), back, l.address)
	if err != nil {
		p.t.Fatalf("%v; the terminal shows %q", err, l.screen())
	}
	if strings.HasPrefix(end.String(), back) {
		if status, page := visit(p.t, http.MethodGet, end.String(), nil); status != http.StatusOK || !strings.Contains(page, "Logged in") {
			p.t.Errorf("the page after the login has status %d: %s", status, page)
		}
	}
	if o := l.end(); o.code != 0 || o.stdout != "" || !strings.Contains(o.stderr, "authctl: logged in as profile ") {
		p.t.Fatalf("login: exit code %d, terminal %q", o.code, o.stderr)
	}
}

// TestOAuth2ServersNotWrittenHere has each profile get, keep, renew and end its tokens at servers that this project did
// not write, and get the right refusals. docs/oauth2-tested.md has the table.
func TestOAuth2ServersNotWrittenHere(t *testing.T) {
	t.Parallel()
	for _, server := range serversAbroad() {
		t.Run(server.name, func(t *testing.T) {
			t.Parallel()
			s := server.start(t)
			t.Run("clients", func(t *testing.T) { // ends before the server does
				for _, m := range server.meetings {
					t.Run(fmt.Sprintf("%s by %s", m.grant, m.auth), func(t *testing.T) {
						t.Parallel()
						m.meet(t, s)
					})
				}
			})
		})
	}
}
