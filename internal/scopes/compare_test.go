package scopes

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/providers"
	"github.com/google/go-cmp/cmp"
)

// picture is a row in short: configured, requested, then + - ? for the three sides.
func picture(rows []Row) string {
	var lines []string
	for _, r := range rows {
		line := r.Name + " "
		if r.Configured {
			line += "c"
		}
		if r.Requested {
			line += "r"
		}
		for _, p := range []Presence{r.Granted, r.InToken, r.Introspected} {
			line += map[Presence]string{Yes: "+", No: "-", NotKnown: "?"}[p]
		}
		if r.Missing {
			line += " missing"
		}
		if r.Extra {
			line += " extra"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, ", ")
}

func TestCompare(t *testing.T) {
	t.Parallel()
	ab := []string{"b", "a"}
	for name, c := range map[string]struct {
		sides Sides
		want  string
	}{
		"nothing":               {Sides{}, ""},
		"silent reply":          {Sides{Configured: ab, Requested: ab}, "b cr+??, a cr+??"},
		"all say yes":           {Sides{ab, ab, ab, ab, ab, providers.Catalogue{}}, "b cr+++, a cr+++"},
		"narrowed":              {Sides{Configured: ab, Requested: ab, Granted: []string{"a"}}, "b cr-?? missing, a cr+??"},
		"token knows better":    {Sides{Configured: ab, Requested: ab, InToken: []string{"b"}}, "b cr++?, a cr+-? missing"},
		"introspection as well": {Sides{Configured: ab, Requested: ab, Introspected: []string{}}, "b cr+?- missing, a cr+?- missing"},
		"only the flag's":       {Sides{Configured: ab, Requested: []string{"a"}}, "b c-??, a cr+??"},
		"unasked":               {Sides{Requested: []string{"b"}, Granted: []string{"profile", "b", "email"}}, "b r+??, email +?? extra, profile +?? extra"},
		"unasked, in the token": {Sides{Requested: []string{"b"}, InToken: []string{"b", "x"}}, "b r++?, x -+? extra"},
		"nothing requested":     {Sides{Granted: ab}, "a +??, b +??"},
		"odd names": {
			Sides{Configured: []string{`a"`}, Requested: []string{`a"`}, Granted: []string{`a"`}, InToken: []string{`a"`, "b\x1b"}},
			`"a"" cr++?, "b" -+? extra`,
		},
		"nothing requested, mute": {Sides{Configured: ab}, "b c???, a c???"},
	} {
		if diff := cmp.Diff(c.want, picture(Compare(c.sides))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestCompareTellsWhatAScopeOpens(t *testing.T) {
	t.Parallel()
	known := providers.KnownScope{Name: "a", API: "A API"}
	rows := Compare(Sides{Requested: []string{"a", "b"}, Catalogue: providers.Catalogue{Scopes: []providers.KnownScope{known}}})
	if rows[0].Known != known || rows[1].Known != (providers.KnownScope{Name: "b"}) {
		t.Errorf("%+v", rows)
	}
	data, err := json.Marshal(rows[0])
	want := `{"scope":"a","configured":false,"requested":true,"granted":true,"in_token":null,"introspected":null,` +
		`"missing":false,"extra":false}`
	if err != nil || string(data) != want {
		t.Errorf("%s, %v", data, err)
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	rows := Compare(Sides{Requested: []string{"a", "b", "c"}, InToken: []string{"a", "c"}})
	if diff := cmp.Diff([]string{"b", "d"}, Missing(InEffect(rows), []string{"b", "a", "d", "b"})); diff != "" {
		t.Error(diff)
	}
	if got := Missing(nil, nil); len(got) > 0 {
		t.Errorf("%v", got)
	}
}

func TestFromClaims(t *testing.T) {
	t.Parallel()
	for claims, want := range map[string]Claims{
		``:                                     {},
		`[]`:                                   {},
		`{"sub":"x"}`:                          {},
		`{"scope":"b a b"}`:                    {Scopes: []string{"a", "b"}},
		`{"scope":["b","a"]}`:                  {Scopes: []string{"a", "b"}},
		`{"scp":"a"}`:                          {Scopes: []string{"a"}},
		`{"scp":["a"],"scopes":["b"]}`:         {Scopes: []string{"a", "b"}},
		`{"scopes":"a b"}`:                     {Scopes: []string{"a", "b"}},
		`{"scope":""}`:                         {Scopes: []string{}},
		`{"scope":null}`:                       {},
		`{"scope":7}`:                          {},
		`{"Scope":"a"}`:                        {},
		`{"scope":["a\u200b","a\u001b[0m"]}`:   {Scopes: []string{"a\x1b[0m", "a\u200b"}},
		`{"realm_access":{"roles":["admin"]}}`: {Roles: []string{"admin"}},
		`{"scope":"a","realm_access":{"roles":["x","x"]},"resource_access":{"api":{"roles":["y"]},"odd":3}}`: {
			Scopes: []string{"a"}, Roles: []string{"api/y", "x"},
		},
	} {
		if diff := cmp.Diff(want, FromClaims(json.RawMessage(claims))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", claims, diff)
		}
	}
}
