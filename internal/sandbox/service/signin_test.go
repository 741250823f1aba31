package service_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/authctl/authctl/internal/sandbox"
	"github.com/authctl/authctl/internal/sandboxtest"
)

func TestSignInWrongPassword(t *testing.T) {
	t.Parallel()
	s, _ := sandboxtest.Start(t, sandbox.Options{})
	for _, row := range []struct {
		service string
		change  url.Values
		form    url.Values
		problem string
	}{
		{"genesys", nil, url.Values{"tenant": {"acme"}, "username": {"jane"}}, "The tenant, username or password is wrong."},
		{"genesys", url.Values{"hideTenant": {"true"}}, url.Values{"username": {"jane"}}, "The username or password is wrong."},
		{"talkdesk", nil, url.Values{"username": {"jane@acme.example"}}, "The email or password is wrong."},
		{"genesys", nil, url.Values{"tenant": {"other"}, "username": {"jane"}, "password": {sandbox.GenesysPassword}}, "is wrong."},
		{"genesys", nil, url.Values{"username": {"jane"}, "password": {sandbox.GenesysPassword}}, "is wrong."},
		{"talkdesk", nil, url.Values{"username": {`"><i>`}, "password": {sandbox.TalkdeskPassword}}, "is wrong."},
	} {
		_, action, session := sandboxtest.OpenPage(t, s, row.service, row.change)
		row.form.Set("session", session)
		if !row.form.Has("password") {
			row.form.Set("password", "wrong-password")
		}
		got := sandboxtest.Do(t, s, sandboxtest.Post(action, row.form, nil))
		if got.Status != 200 || !strings.Contains(got.Body, row.problem) || sandboxtest.InputValue(got.Body, "session") != session {
			t.Errorf("%v: status %d,\n%s", row.form, got.Status, got.Body)
		}
		if sandboxtest.InputValue(got.Body, "password") != "" || strings.Contains(got.Body, "wrong-password") {
			t.Errorf("%v: the page shows the password", row.form)
		}
		if strings.Contains(got.Body, "<i>") {
			t.Errorf("not escaped:\n%s", got.Body)
		}
		// The same page can be used again.
		person := sandboxtest.Jane(s, row.service)
		got = sandboxtest.Do(t, s, sandboxtest.Post(action, url.Values{
			"session": {session}, "tenant": {person.Tenant}, "username": {person.Username}, "password": {person.Password},
		}, nil))
		if got.Status != 302 || sandboxtest.CallbackQuery(t, got.Header.Get("Location")).Get("code") == "" {
			t.Errorf("the second try: status %d", got.Status)
		}
	}
}

func TestSignInEnds(t *testing.T) {
	t.Parallel()
	s, c := sandboxtest.Start(t, sandbox.Options{})
	for _, service := range sandboxtest.LoginServices() {
		person := sandboxtest.Jane(s, service)
		form := func(session string) url.Values {
			return url.Values{
				"session": {session}, "tenant": {person.Tenant}, "username": {person.Username}, "password": {person.Password},
			}
		}
		ended := func(name string, got sandboxtest.Result) {
			t.Helper()
			if got.Status != 400 || !strings.Contains(got.Body, "This sign-in has ended") || got.Header.Get("Location") != "" {
				t.Errorf("%s, %s: status %d, %s", service, name, got.Status, got.Body)
			}
		}
		_, action, session := sandboxtest.OpenPage(t, s, service, nil)
		if got := sandboxtest.Do(t, s, sandboxtest.Post(action, form(session), nil)); got.Status != 302 {
			t.Errorf("%s: status %d", service, got.Status)
		}
		ended("sent twice", sandboxtest.Do(t, s, sandboxtest.Post(action, form(session), nil)))
		ended("opened again", sandboxtest.Do(t, s, sandboxtest.Get(action+"?session="+session)))
		ended("no session", sandboxtest.Do(t, s, sandboxtest.Post(action, form(""), nil)))
		ended("made up", sandboxtest.Do(t, s, sandboxtest.Post(action, form("x"), nil)))

		_, action, session = sandboxtest.OpenPage(t, s, service, nil)
		cancel := form(session)
		cancel.Set("action", "cancel")
		if got := sandboxtest.Do(t, s, sandboxtest.Post(action, cancel, nil)); got.Status != 302 {
			t.Errorf("%s: cancel: status %d", service, got.Status)
		}
		ended("after cancel", sandboxtest.Do(t, s, sandboxtest.Post(action, form(session), nil)))

		_, action, session = sandboxtest.OpenPage(t, s, service, nil)
		c.Advance(10 * time.Minute)
		ended("too late", sandboxtest.Do(t, s, sandboxtest.Post(action, form(session), nil)))
		ended("too late to see", sandboxtest.Do(t, s, sandboxtest.Get(action+"?session="+session)))
	}
	// A page of one service is none of the other's.
	_, _, session := sandboxtest.OpenPage(t, s, "genesys", nil)
	if got := sandboxtest.Do(t, s, sandboxtest.Get("/oauth/sign-in?session="+session)); got.Status != 400 {
		t.Errorf("the other service's page: status %d", got.Status)
	}
}
