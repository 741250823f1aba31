package builtin_test

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/providers/builtin"
	"github.com/authctl/authctl/internal/sandbox"
)

func TestCatalogues(t *testing.T) {
	t.Parallel()
	for _, s := range builtin.Services().All() {
		if (s.Catalogue == nil) != (s.Given != nil) {
			t.Errorf("%s: a service has a page, or its profile says where it is, and not both", s.Name)
		}
		if s.Catalogue == nil {
			continue // its scopes are each issuer's own
		}
		catalogue, seen := s.Catalogue(), map[string]bool{}
		// How many there are is said beside each Spec, by the page's own lines.
		if len(catalogue.Scopes) == 0 {
			t.Errorf("%s: scopes.json is empty, or no JSON", s.Name)
		}
		if page, err := url.Parse(catalogue.Page); err != nil || page.Scheme != "https" {
			t.Errorf("%s: page %q, %v", s.Name, catalogue.Page, err)
		}
		for _, scope := range catalogue.Scopes {
			if seen[scope.Name] || scope.Name == "" || strings.ContainsAny(scope.Name, " \t\n\"\\") {
				t.Errorf("%s: %q is twice there or no scope (RFC 6749 §3.3)", s.Name, scope.Name)
			}
			seen[scope.Name] = true
			words := []string{"read", "write", "manage", "start"}
			if !slices.Contains(words, scope.Access) && s.OnlyScope != scope.Name {
				t.Errorf("%s: %s has access %q", s.Name, scope.Name, scope.Access)
			}
			if scope.API == "" && !scope.Newer {
				t.Errorf("%s: what %s opens is not said", s.Name, scope.Name)
			}
		}
		if s.OnlyScope != "" && (len(seen) != 1 || !seen[s.OnlyScope]) {
			t.Errorf("%s: it takes %q only, and the catalogue has %v", s.Name, s.OnlyScope, seen)
		}
	}
}

// TestLiveScopes: a realm publishes the page's scopes and the standard ones; a document
// without any is not an empty list.
func TestLiveScopes(t *testing.T) {
	t.Parallel()
	pexip := func(p sandbox.Profile) bool { return p.Name == "pexip" }
	eachOf(t, pexip, func(t *testing.T, server *sandbox.Server, s providers.Spec, values map[string]string) {
		live, err := build(t, server, s, values).Scopes(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		known := s.Catalogue()
		for _, scope := range known.Scopes {
			if !slices.Contains(live, scope.Name) {
				t.Errorf("%s is on the page and not in the realm", scope.Name)
			}
		}
		for _, name := range live {
			if _, ok := known.Lookup(name); !ok && !slices.Contains([]string{"openid", "profile", "email"}, name) {
				t.Errorf("%s is in the realm and not on the page", name)
			}
		}
		if err := server.AddFault(sandbox.Fault{Omit: []string{"scopes_supported"}}); err != nil {
			t.Fatal(err)
		}
		// Another client: one that has read the document keeps it.
		live, err = build(t, server, s, values).Scopes(t.Context())
		if _, ok := errors.AsType[*providers.UnsupportedError](err); !ok {
			t.Errorf("without scopes_supported: %v, %v", live, err)
		}
	})
}

// TestServicesByName: a service has one name, in the list and in its Spec.
func TestServicesByName(t *testing.T) {
	t.Parallel()
	services := builtin.Services()
	for i, name := range services.Names() {
		named, ok := services.Named(name)
		if all := services.All(); !ok || named.Name != name || all[i].Name != name {
			t.Errorf("%s is %q by name, %q in the list", name, named.Name, all[i].Name)
		}
	}
	if other, ok := services.Named("Pexip"); ok {
		t.Errorf("Pexip is %s", other.Name)
	}
}
