package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/redistest"
	"github.com/authctl/authctl/internal/store/address"
	"github.com/authctl/authctl/internal/store/shared"
	"github.com/google/go-cmp/cmp"
)

const fleetPage = "docs/fleets.md"

// documentedRights are the rights that the page has an engine's user given, in its example and in its list.
func documentedRights(t *testing.T) (example, list string) {
	t.Helper()
	command := regexp.MustCompile(`(?s)ACL SETUSER ci on ">\$STORE_PASSWORD" (.*?)\n?$`)
	for _, page := range pages(t) {
		for _, b := range page.blocks {
			if found := command.FindStringSubmatch(b.text); found != nil && page.name == fleetPage {
				example = strings.Join(strings.Fields(strings.NewReplacer("'", "", "\\\n", "").Replace(found[1])), " ")
			}
			for range b.mark("rules") {
				list = strings.Join(strings.Fields(b.text), " ")
			}
		}
	}
	return example, list
}

// TestDocumentedRights: what the page says suffices is what the store asks for, and no more.
func TestDocumentedRights(t *testing.T) {
	t.Parallel()
	want := strings.Join(shared.Rules(address.Address{}), " ")
	example, list := documentedRights(t)
	if diff := cmp.Diff(want, example); diff != "" {
		t.Errorf("the example of %s (+) has other rights than the store needs (-):\n%s", fleetPage, diff)
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Errorf("the list of %s (+) has other rights than the store needs (-):\n%s", fleetPage, diff)
	}
	text, err := os.ReadFile(filepath.Join("..", "..", fleetPage))
	if err != nil {
		t.Fatal(err)
	}
	for _, rules := range []string{
		"`" + strings.Join(shared.SentinelRules(), " ") + "`",
		"`+cluster|slots +asking`", "`+select`",
	} {
		if !strings.Contains(string(text), rules) {
			t.Errorf("%s lacks the rights %s", fleetPage, rules)
		}
	}
	whole := strings.Join(shared.Rules(address.Address{Cluster: true, DB: 1}), " ")
	if whole != want+" +cluster|slots +asking +select" {
		t.Errorf("the page does not know all of %s", whole)
	}
}

// share gives the place a real engine, with TLS, that stands for cache.example.com, a user with the rights that the page
// says, and the variables that a pipeline has its secrets in.
func (p *place) share(t *testing.T) {
	t.Helper()
	const password = "fake-password-of-the-cache"
	example, _ := documentedRights(t)
	p.engine = redistest.Start(t, redistest.Options{TLS: true, ACL: "user ci on >" + password + " " + example})
	p.set("SSL_CERT_FILE="+p.engine.Authority, "STORE_PASSWORD="+password, "FLEET_KEY="+fakeStoreKey)
	p.hidden = append(p.hidden, password)
}

// cache is where cache.example.com is: nowhere, without share.
func (p *place) cache() string {
	if p.engine == nil {
		return "cache.example.com:6379"
	}
	return p.engine.Host
}
