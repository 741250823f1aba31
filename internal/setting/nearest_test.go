package setting_test

import (
	"testing"

	"github.com/authctl/authctl/internal/setting"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	candidates := []string{"client_id", "client_secret", "account", "region", "scopes", "engage:forms:readOnly", "us"}
	for word, want := range map[string]string{
		"clientid":              "client_id",
		"Client_ID":             "client_id",
		"client":                "client_id",
		"client_secret_ref":     "client_secret",
		"acount":                "account",
		"Account":               "account",
		"regino":                "region",
		"reg":                   "region",
		"scopes_extra":          "scopes",
		"engage:forms:readonly": "engage:forms:readOnly",
		"engage:form:readOnly":  "engage:forms:readOnly",
		"ue":                    "us",
		"x":                     "",
		"":                      "",
		"something else":        "",
	} {
		if got := setting.Nearest(word, candidates); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}
