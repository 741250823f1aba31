package genesys_test

import (
	"os"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/providers/genesys"
	"github.com/google/go-cmp/cmp"
)

// TestCatalogueIsThePage holds the catalogue against the one row of the vendor's page
// that speaks of scope.
func TestCatalogueIsThePage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("testdata/scopes-page.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(page)), "\n")
	about := strings.Join(lines[2:], " ")
	_, only, _ := strings.Cut(about, "supports only the ")
	only, ok := strings.CutSuffix(only, " value.")
	service := genesys.Spec()
	if !ok || only != service.OnlyScope {
		t.Errorf("the page allows %q only, the service %q", only, service.OnlyScope)
	}
	want := providers.Catalogue{
		Page:   lines[0],
		Scopes: []providers.KnownScope{{Name: only, API: "Authentication API", About: about}},
	}
	if diff := cmp.Diff(want, service.Catalogue()); diff != "" {
		t.Errorf("catalogue (+) and page (-):\n%s", diff)
	}
}
