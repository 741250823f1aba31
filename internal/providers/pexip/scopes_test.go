package pexip_test

import (
	"os"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/providers/pexip"
	"github.com/google/go-cmp/cmp"
)

// TestCatalogueIsThePage holds the catalogue against the lines of the vendor's page:
// a bullet with the scope, then what it is for.
func TestCatalogueIsThePage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("testdata/scopes-page.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(page)), "\n")
	want := providers.Catalogue{Page: lines[0]}
	for i := 1; i+1 < len(lines); i += 2 {
		name := strings.TrimSuffix(strings.TrimPrefix(lines[i], "• "), ":")
		resource, kind, _ := strings.Cut(strings.TrimPrefix(name, "engage:"), ":")
		access, ok := strings.CutPrefix(kind, "read")
		if !ok {
			t.Fatalf("line %d is no scope: %q", i+1, lines[i])
		}
		want.Scopes = append(want.Scopes, providers.KnownScope{
			Name: name, API: resource, About: lines[i+1],
			Access: map[string]string{"Only": "read", "Write": "write"}[access],
		})
	}
	if diff := cmp.Diff(want, pexip.Spec().Catalogue()); diff != "" || len(want.Scopes) != 36 {
		t.Errorf("%d scopes on the page; catalogue (+) and page (-):\n%s", len(want.Scopes), diff)
	}
}
