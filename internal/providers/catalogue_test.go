package providers_test

import (
	"testing"

	"github.com/authctl/authctl/internal/providers"
)

func TestCatalogueLookup(t *testing.T) {
	t.Parallel()
	c := providers.DecodeCatalogue(`{"scopes":[{"scope":"a:readOnly","access":"read"},{"scope":"b"}]}`)
	for name, want := range map[string]bool{"a:readOnly": true, "b": true, "a:readonly": false, "": false} {
		if s, ok := c.Lookup(name); ok != want || ok && s.Name != name {
			t.Errorf("%q: %+v, %t", name, s, ok)
		}
	}
	if s, _ := c.Lookup("a:readOnly"); s.Access != "read" {
		t.Errorf("%+v", s)
	}
}

func TestCatalogueThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "{", `{"page":"x","scopes":7}`} {
		if c := providers.DecodeCatalogue(text); c.Page != "" || c.Scopes != nil {
			t.Errorf("%q gives %+v", text, c)
		}
	}
}
