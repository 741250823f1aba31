package sandbox

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// browserTimeout bounds one request of SignIn and CancelSignIn.
const browserTimeout = 30 * time.Second

// Person is who can sign in at a service's page. Tenant is empty where the page
// does not ask for one.
type Person struct{ Tenant, Username, Password string }

// Person returns the one user of a service, "genesys" or "talkdesk", with the
// password that is good now; it is not ok for a service without a sign-in page.
func (s *Server) Person(service string) (p Person, ok bool) {
	switch service {
	case s.genesys.name():
		tenant, username, _ := strings.Cut(genesysUser, `\`)
		return Person{tenant, username, s.genesys.account.current()}, true
	case s.talkdesk.name():
		return Person{"", talkdeskUser, talkdeskPassword}, true
	default:
		return Person{}, false
	}
}

// SignIn plays the person and the browser: it opens an authorization URL of this
// server, signs in as the service's one user and returns the address the browser
// is sent to, which it does not open. That is the client's redirect URI, with a
// code or with an error. A page that says why there is no way on is an error.
func (s *Server) SignIn(ctx context.Context, authorizeURL string) (callbackURL string, err error) {
	return s.visit(ctx, authorizeURL, "sign-in")
}

// CancelSignIn does the same and presses Cancel, so that the address returned
// says access_denied (RFC 6749 §4.1.2.1).
func (s *Server) CancelSignIn(ctx context.Context, authorizeURL string) (callbackURL string, err error) {
	return s.visit(ctx, authorizeURL, "cancel")
}

func (s *Server) visit(ctx context.Context, authorizeURL, action string) (string, error) {
	if !strings.HasPrefix(authorizeURL, s.URL()+"/") {
		return "", errors.New("sandbox: signing in: the authorization URL is another server's")
	}
	at, page, err := s.browse(ctx, http.MethodGet, authorizeURL, nil)
	if err != nil || page == "" {
		return at, err
	}
	target, err := url.Parse(at)
	if err != nil {
		return "", fmt.Errorf("sandbox: reading the address of the sign-in page: %w", err)
	}
	if target.Path != genesysSignInPath && target.Path != talkdeskSignInPath {
		return "", errors.New("sandbox: signing in: the address is not a sign-in page")
	}
	person, _ := s.Person(s.service(target.Path).name())
	form := url.Values{
		"session": {inputValue(page, "session")}, "action": {action},
		"username": {person.Username}, "password": {person.Password},
	}
	if strings.Contains(page, ` name="tenant"`) {
		form.Set("tenant", person.Tenant)
	}
	target.RawQuery = ""
	at, page, err = s.browse(ctx, http.MethodPost, target.String(), form)
	if err == nil && page != "" {
		return "", errors.New("sandbox: the sign-in page came back")
	}
	return at, err
}

// browse follows redirects while they stay here. It returns the page it ends on,
// or, with an empty page, the foreign address that comes next.
func (s *Server) browse(ctx context.Context, method, address string, form url.Values) (at, page string, err error) {
	client := &http.Client{
		Timeout:       browserTimeout,
		Transport:     &http.Transport{DisableKeepAlives: true}, // no proxy: this is loopback
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for range 5 {
		if !strings.HasPrefix(address, s.URL()+"/") {
			return address, "", nil
		}
		req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
		if err != nil {
			return "", "", errors.New("sandbox: opening the sign-in page: the address cannot be read")
		}
		if method == http.MethodPost {
			req.Header.Set("Content-Type", formType)
		}
		resp, err := client.Do(req)
		if err != nil {
			if failed, ok := errors.AsType[*url.Error](err); ok {
				err = failed.Err // the address holds the session
			}
			return "", "", fmt.Errorf("sandbox: opening the sign-in page: %w", err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		next, locationErr := resp.Location()
		switch {
		case err != nil:
			return "", "", fmt.Errorf("sandbox: reading the sign-in page: %w", err)
		case locationErr == nil && isRedirect(resp.StatusCode):
			method, address, form = http.MethodGet, next.String(), nil
		case resp.StatusCode != http.StatusOK:
			return "", "", fmt.Errorf("sandbox: the sign-in page answered with status %d", resp.StatusCode)
		default:
			return address, string(body), nil
		}
	}
	return "", "", errors.New("sandbox: too many redirects on the way to the sign-in page")
}

// inputValue is the value of an input of the sandbox's own pages.
func inputValue(page, name string) string {
	_, rest, _ := strings.Cut(page, ` name="`+name+`" value="`)
	value, _, _ := strings.Cut(rest, `"`)
	return html.UnescapeString(value)
}
