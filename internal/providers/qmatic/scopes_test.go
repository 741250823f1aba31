package qmatic_test

import (
	"os"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/providers"
	"github.com/authctl/authctl/internal/providers/qmatic"
	"github.com/google/go-cmp/cmp"
)

// TestCatalogueIsThePage holds the catalogue against the lines of the vendor's page:
// a scope, then its description in a narrow column.
func TestCatalogueIsThePage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("testdata/scopes-page.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(page)), "\n")
	want := providers.Catalogue{Page: lines[0]}
	for _, line := range lines[1:] {
		if strings.HasPrefix(line, "com.qmatic.") {
			want.Scopes = append(want.Scopes, providers.KnownScope{
				Name: line, Access: "write", API: "Cloud Appointments API",
			})
			continue
		}
		last := &want.Scopes[len(want.Scopes)-1]
		last.About = strings.TrimSpace(last.About + " " + line)
	}
	if diff := cmp.Diff(want, qmatic.Spec().Catalogue()); diff != "" || len(want.Scopes) != 3 {
		t.Errorf("%d scopes on the page; catalogue (+) and page (-):\n%s", len(want.Scopes), diff)
	}
}
