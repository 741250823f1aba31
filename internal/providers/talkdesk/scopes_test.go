package talkdesk_test

import (
	"os"
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
	if diff := cmp.Diff(want, talkdesk.Service().Catalogue()); diff != "" || len(want.Scopes) != 34 {
		t.Errorf("%d scopes on the page; catalogue (+) and page (-):\n%s", len(want.Scopes), diff)
	}
	if diff := cmp.Diff(map[string]int{"read": 20, "write": 11, "manage": 2, "start": 1}, verbs); diff != "" {
		t.Errorf("verbs:\n%s", diff)
	}
}
