// Package sandboxtest plays the sandbox's counterparts, for tests: a foreign client that signs and checks JWTs by the
// RFCs' words, and the person at the sign-in pages with that person's browser, which know them as a browser does.
package sandboxtest

import (
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// browserTimeout bounds one request.
const browserTimeout = 30 * time.Second

// Person is who sits at the browser. Tenant is empty where the page does not ask for one.
type Person struct{ Tenant, Username, Password string }

// SignIn opens an authorization URL of a sandbox, signs in and returns the address the browser is sent to, which it
// does not open: the client's redirect URI, with a code or with an error (RFC 6749 §4.1.2). A page that says why there
// is no way on is an error.
func (p Person) SignIn(ctx context.Context, authorizeURL string) (callbackURL string, err error) {
	return p.visit(ctx, authorizeURL, "sign-in")
}

// Cancel does the same and presses Cancel, so that the address returned says access_denied (RFC 6749 §4.1.2.1).
func (p Person) Cancel(ctx context.Context, authorizeURL string) (callbackURL string, err error) {
	return p.visit(ctx, authorizeURL, "cancel")
}

func (p Person) visit(ctx context.Context, authorizeURL, action string) (string, error) {
	start, err := url.Parse(authorizeURL)
	if err != nil || start.Scheme != "http" || !isLoopback(start.Hostname()) {
		return "", errors.New("signing in: the authorization URL is no sandbox's")
	}
	b := browser{origin: start.Scheme + "://" + start.Host}
	at, page, err := b.open(ctx, http.MethodGet, authorizeURL, nil)
	if err != nil || page == "" {
		return at, err
	}
	target, err := url.Parse(at)
	if err != nil {
		return "", fmt.Errorf("reading the address of the sign-in page: %w", err)
	}
	if !strings.Contains(page, ` type="password"`) {
		return "", errors.New("signing in: the page has no field for a password")
	}
	form := url.Values{
		"session": {InputValue(page, "session")}, "action": {action},
		"username": {p.Username}, "password": {p.Password},
	}
	if strings.Contains(page, ` name="tenant"`) {
		form.Set("tenant", p.Tenant)
	}
	target.RawQuery = ""
	at, page, err = b.open(ctx, http.MethodPost, target.String(), form)
	if err == nil && page != "" {
		return "", errors.New("the sign-in page came back")
	}
	return at, err
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// browser follows redirects while they stay at one origin.
type browser struct{ origin string }

// open returns the page it ends on or, with an empty page, the foreign address that comes next.
func (b browser) open(ctx context.Context, method, address string, form url.Values) (at, page string, err error) {
	for range 5 {
		if !strings.HasPrefix(address, b.origin+"/") {
			return address, "", nil
		}
		next, text, err := b.load(ctx, method, address, form)
		if err != nil || next == "" {
			return address, text, err
		}
		method, address, form = http.MethodGet, next, nil
	}
	return "", "", errors.New("too many redirects on the way to the sign-in page")
}

// load asks for one page and returns it, or where it sends the browser.
func (b browser) load(ctx context.Context, method, address string, form url.Values) (next, page string, err error) {
	client := &http.Client{
		Timeout:       browserTimeout,
		Transport:     &http.Transport{DisableKeepAlives: true}, // no proxy: this is loopback
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return "", "", errors.New("opening the sign-in page: the address cannot be read")
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := client.Do(req)
	if err != nil {
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err // the address holds the session
		}
		return "", "", fmt.Errorf("opening the sign-in page: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", "", fmt.Errorf("reading the sign-in page: %w", err)
	}
	if where, err := resp.Location(); err == nil {
		return where.String(), "", nil
	}
	if resp.StatusCode != http.StatusOK {
		return "", "", fmt.Errorf("the sign-in page answered with status %d", resp.StatusCode)
	}
	return "", string(body), nil
}

// InputValue is the value of an input of the sandbox's own pages, empty when there is none of that name.
func InputValue(page, name string) string {
	_, rest, _ := strings.Cut(page, ` name="`+name+`" value="`)
	value, _, _ := strings.Cut(rest, `"`)
	return html.UnescapeString(value)
}
