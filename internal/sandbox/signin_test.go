package sandbox

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/sandboxtest"
)

// jane is the one user of a service, with the password that is good now.
func jane(s *Server, service string) sandboxtest.Person {
	if service == "genesys" {
		i := slices.IndexFunc(s.Profiles(), func(p Profile) bool { return p.Name == "genesys-password" })
		p := s.Profiles()[i]
		return sandboxtest.Person{Tenant: GenesysTenant, Username: GenesysUser, Password: p.Secrets["password"]}
	}
	return sandboxtest.Person{Username: TalkdeskUser, Password: TalkdeskPassword}
}

// openPage opens a sign-in page and returns it with the path it is at.
func openPage(t *testing.T, s *Server, service string, changes url.Values) (page result, action, session string) {
	t.Helper()
	first := do(t, s, get(authorizePath(service, changes)))
	at := first.header.Get("Location")
	action, _, _ = strings.Cut(at, "?")
	if first.status != 302 || first.body != "" {
		t.Fatalf("status %d, %s", first.status, first.body)
	}
	page = do(t, s, get(at))
	return page, action, sandboxtest.InputValue(page.body, "session")
}

func TestSignInPage(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	for _, row := range []struct {
		service        string
		change         url.Values
		action, tenant string
	}{
		{"genesys", nil, "/auth/v3/sign-in", ` name="tenant"`},
		{"genesys", url.Values{"hideTenant": {"false"}}, "/auth/v3/sign-in", ` name="tenant"`},
		{"genesys", url.Values{"hideTenant": {"true"}}, "/auth/v3/sign-in", ""},
		{"talkdesk", nil, "/oauth/sign-in", ""},
	} {
		page, action, session := openPage(t, s, row.service, row.change)
		if page.status != 200 || page.header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: status %d, %v", row.service, page.status, page.header)
		}
		if action != row.action || !strings.Contains(page.body, `action="`+row.action+`"`) || !strings.Contains(session, Marker) {
			t.Errorf("%s: action %q, session %q", row.service, action, session)
		}
		if strings.Contains(page.body, ` name="tenant"`) != (row.tenant != "") {
			t.Errorf("%s %v: tenant field in\n%s", row.service, row.change, page.body)
		}
		if strings.Contains(page.body, "<script") || !strings.Contains(page.body, `type="password"`) {
			t.Errorf("%s: page\n%s", row.service, page.body)
		}
		for _, name := range []string{"Content-Security-Policy", "Referrer-Policy", "X-Content-Type-Options"} {
			if page.header.Get(name) == "" {
				t.Errorf("%s: no %s", row.service, name)
			}
		}
	}
}

func TestSignInWrongPassword(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	for _, row := range []struct {
		service string
		change  url.Values
		form    url.Values
		problem string
	}{
		{"genesys", nil, url.Values{"tenant": {"acme"}, "username": {"jane"}}, "The tenant, username or password is wrong."},
		{"genesys", url.Values{"hideTenant": {"true"}}, url.Values{"username": {"jane"}}, "The username or password is wrong."},
		{"talkdesk", nil, url.Values{"username": {"jane@acme.example"}}, "The email or password is wrong."},
		{"genesys", nil, url.Values{"tenant": {"other"}, "username": {"jane"}, "password": {GenesysPassword}}, "is wrong."},
		{"genesys", nil, url.Values{"username": {"jane"}, "password": {GenesysPassword}}, "is wrong."},
		{"talkdesk", nil, url.Values{"username": {`"><i>`}, "password": {TalkdeskPassword}}, "is wrong."},
	} {
		_, action, session := openPage(t, s, row.service, row.change)
		row.form.Set("session", session)
		if !row.form.Has("password") {
			row.form.Set("password", "wrong-password")
		}
		got := do(t, s, post(action, row.form, nil))
		if got.status != 200 || !strings.Contains(got.body, row.problem) || sandboxtest.InputValue(got.body, "session") != session {
			t.Errorf("%v: status %d,\n%s", row.form, got.status, got.body)
		}
		if sandboxtest.InputValue(got.body, "password") != "" || strings.Contains(got.body, "wrong-password") {
			t.Errorf("%v: the page shows the password", row.form)
		}
		if strings.Contains(got.body, "<i>") {
			t.Errorf("not escaped:\n%s", got.body)
		}
		// The same page can be used again.
		person := jane(s, row.service)
		got = do(t, s, post(action, url.Values{
			"session": {session}, "tenant": {person.Tenant}, "username": {person.Username}, "password": {person.Password},
		}, nil))
		if got.status != 302 || callbackQuery(t, got.header.Get("Location")).Get("code") == "" {
			t.Errorf("the second try: status %d", got.status)
		}
	}
}

func TestSignInTenantInUsername(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	for _, hide := range []string{"true", "false"} {
		_, action, session := openPage(t, s, "genesys", url.Values{"hideTenant": {hide}})
		got := do(t, s, post(action, url.Values{
			"session": {session}, "username": {` acme\jane `}, "password": {GenesysPassword},
		}, nil))
		if got.status != 302 {
			t.Errorf("hideTenant=%s: status %d", hide, got.status)
		}
	}
}

func TestSignInEnds(t *testing.T) {
	t.Parallel()
	s, c := start(t, Options{})
	for _, service := range loginServices() {
		person := jane(s, service)
		form := func(session string) url.Values {
			return url.Values{
				"session": {session}, "tenant": {person.Tenant}, "username": {person.Username}, "password": {person.Password},
			}
		}
		ended := func(name string, got result) {
			t.Helper()
			if got.status != 400 || !strings.Contains(got.body, "This sign-in has ended") || got.header.Get("Location") != "" {
				t.Errorf("%s, %s: status %d, %s", service, name, got.status, got.body)
			}
		}
		_, action, session := openPage(t, s, service, nil)
		if got := do(t, s, post(action, form(session), nil)); got.status != 302 {
			t.Errorf("%s: status %d", service, got.status)
		}
		ended("sent twice", do(t, s, post(action, form(session), nil)))
		ended("opened again", do(t, s, get(action+"?session="+session)))
		ended("no session", do(t, s, post(action, form(""), nil)))
		ended("made up", do(t, s, post(action, form("x"), nil)))

		_, action, session = openPage(t, s, service, nil)
		cancel := form(session)
		cancel.Set("action", "cancel")
		if got := do(t, s, post(action, cancel, nil)); got.status != 302 {
			t.Errorf("%s: cancel: status %d", service, got.status)
		}
		ended("after cancel", do(t, s, post(action, form(session), nil)))

		_, action, session = openPage(t, s, service, nil)
		c.advance(signInLife)
		ended("too late", do(t, s, post(action, form(session), nil)))
		ended("too late to see", do(t, s, get(action+"?session="+session)))

		if got := do(t, s, post(action, form(session), nil).without("Content-Type")); got.status != 415 {
			t.Errorf("%s: not a form: status %d", service, got.status)
		}
	}
	// A page of one service is none of the other's.
	_, _, session := openPage(t, s, "genesys", nil)
	if got := do(t, s, get("/oauth/sign-in?session="+session)); got.status != 400 {
		t.Errorf("the other service's page: status %d", got.status)
	}
}

func TestSignInRefusesForeignAddresses(t *testing.T) {
	t.Parallel()
	s, _ := start(t, Options{})
	for _, at := range []string{
		"https://example.com/", "http://127.0.0.1:1/oauth/authorize", "", s.URL() + "/_sandbox/requests", s.URL() + "/nowhere",
	} {
		if got, err := jane(s, "talkdesk").SignIn(t.Context(), at); err == nil {
			t.Errorf("%s: sent to %s", at, got)
		}
	}
	addFault(t, s, `{"path":"/oauth/sign-in","drop":true}`)
	_, err := jane(s, "talkdesk").SignIn(t.Context(), s.URL()+authorizePath("talkdesk", nil))
	if err == nil || strings.Contains(err.Error(), Marker) || strings.Contains(err.Error(), "session") {
		t.Errorf("error %v", err)
	}
	s.ClearFaults()
	addFault(t, s, `{"path":"/oauth/authorize","redirect":"/oauth/authorize"}`)
	if _, err := jane(s, "talkdesk").SignIn(t.Context(), s.URL()+authorizePath("talkdesk", nil)); err == nil {
		t.Error("a redirect without end ends")
	}
}
