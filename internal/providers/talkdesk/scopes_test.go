package talkdesk_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/providers/talkdesk"
	"github.com/google/go-cmp/cmp"
)

// TestCatalogueIsThePage holds the catalogue against the rows of the vendor's page:
// the API with what it is for, and the scopes that open it.
func TestCatalogueIsThePage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("testdata/scopes-page.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(page)), "\n")
	want, verbs := providers.Catalogue{Page: lines[0]}, map[string]int{}
	for _, line := range lines[1:] {
		first, scopes, ok := strings.Cut(line, " | ")
		api, about, _ := strings.Cut(first, " API")
		if !ok {
			t.Fatalf("no row: %q", line)
		}
		about = strings.TrimPrefix(strings.TrimPrefix(about, " ("), " - ")
		for name := range strings.FieldsSeq(strings.TrimSuffix(scopes, "|")) {
			_, verb, _ := strings.Cut(name, ":")
			verbs[verb]++
			want.Scopes = append(want.Scopes, providers.KnownScope{
				Name: name, Access: verb, API: api + " API", About: strings.TrimSuffix(about, ")"),
			})
		}
	}
	catalogue := talkdesk.Spec().Catalogue()
	catalogue.Scopes = slices.DeleteFunc(catalogue.Scopes, func(s providers.KnownScope) bool { return s.Newer })
	if diff := cmp.Diff(want, catalogue); diff != "" || len(want.Scopes) != 34 {
		t.Errorf("%d scopes on the page; catalogue (+) and page (-):\n%s", len(want.Scopes), diff)
	}
	if diff := cmp.Diff(map[string]int{"read": 20, "write": 11, "manage": 2, "start": 1}, verbs); diff != "" {
		t.Errorf("verbs:\n%s", diff)
	}
}

// TestNewerScopes: each is marked, says where it is known from, and is not on the page.
func TestNewerScopes(t *testing.T) {
	t.Parallel()
	seen, newer := map[string]bool{}, 0
	for _, s := range talkdesk.Spec().Catalogue().Scopes {
		if seen[s.Name] {
			t.Errorf("%s is there twice", s.Name)
		}
		seen[s.Name] = true
		if s.Newer {
			newer++
		}
		if s.Newer != strings.HasPrefix(s.About, "newer: ") || s.Newer && s.API != "" {
			t.Errorf("%+v", s)
		}
	}
	for _, name := range []string{"bulk-imports:read", "prompts:delete", "presence-user:read", "express-provisioning:write"} {
		if !seen[name] {
			t.Errorf("%s is missing", name)
		}
	}
	if newer != 25 {
		t.Errorf("%d newer scopes", newer)
	}
}
