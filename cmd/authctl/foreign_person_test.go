package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
)

// stranger is a person at the pages of any server, whose forms are filled in by the names of their fields
// and sent as they are otherwise.
type stranger map[string]string

// jane is who oidc-provider and the server on fosite believe to be jane, whatever she types.
func janeAbroad() stranger {
	return stranger{"login": "jane", "username": "jane", "password": "fake"}
}

// formsLimit bounds the pages on the way of one login.
const formsLimit = 20

// walk opens an address and goes on until a page has no form any more, or the browser is sent to the client; it returns
// where it ends.
func (s stranger) walk(ctx context.Context, client, address string) (*url.URL, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	// Whom the browser believes is not what is tested.
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	browser := &http.Client{Jar: jar, Transport: transport}
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	next, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	var way []string
	for range formsLimit {
		if strings.HasPrefix(next.URL.String(), client) {
			return next.URL, nil
		}
		page, where, err := load(browser, next)
		if err != nil {
			return nil, fmt.Errorf("%w, after %s", err, strings.Join(way, ", "))
		}
		way = append(way, next.Method+" "+next.URL.Path)
		at := next.URL
		switch {
		case where != nil:
			next, err = http.NewRequestWithContext(ctx, http.MethodGet, where.String(), http.NoBody)
		case strings.Contains(page, "<form"):
			next, err = s.fill(ctx, at, page)
		case strings.Contains(page, "'./confirm?action=allowed'"): // a button of zitadel's, with a script
			next, err = http.NewRequestWithContext(ctx, http.MethodGet, at.JoinPath("../confirm").String()+"?action=allowed", http.NoBody)
		default:
			return at, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, errors.New("no end: " + strings.Join(way, ", "))
}

// load asks for a page and returns it, or where it sends the browser.
func load(browser *http.Client, request *http.Request) (page string, where *url.URL, err error) {
	resp, err := browser.Do(request)
	if err != nil {
		return "", nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", nil, err
	}
	if where, err = resp.Location(); err == nil {
		return "", where, nil
	}
	if resp.StatusCode != http.StatusOK {
		return "", nil, fmt.Errorf("%s answered %s: %q", request.URL.Path, resp.Status, body)
	}
	return string(body), nil, nil
}

// fill sends the first form of a page.
func (s stranger) fill(ctx context.Context, at *url.URL, page string) (*http.Request, error) {
	_, page, _ = strings.Cut(page, "<form")
	page, _, _ = strings.Cut(page, "</form>")
	head, inputs, _ := strings.Cut(page, ">")
	form := url.Values{}
	for _, input := range regexp.MustCompile(`<input[^>]*>`).FindAllString(inputs, -1) {
		name := attribute(input, "name")
		if value, ok := s[name]; ok {
			form.Set(name, value)
		} else if name != "" {
			form.Set(name, attribute(input, "value"))
		}
	}
	// The first button is the one that Enter presses.
	if button := regexp.MustCompile(`<button[^>]*>`).FindString(inputs); attribute(button, "name") != "" {
		form.Set(attribute(button, "name"), attribute(button, "value"))
	}
	target, err := at.Parse(attribute(head, "action"))
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), strings.NewReader(form.Encode()))
	if err == nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return request, err
}

// attribute is the value of an attribute of an element's start tag.
func attribute(tag, name string) string {
	_, rest, _ := strings.Cut(tag, " "+name+`="`)
	value, _, _ := strings.Cut(rest, `"`)
	return html.UnescapeString(value)
}
