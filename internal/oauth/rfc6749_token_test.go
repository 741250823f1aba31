package oauth

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/authctl/authctl/internal/secret"
)

func TestParseLifetime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		raw     string
		want    time.Duration
		problem string
	}{
		{`3600`, time.Hour, ""},
		{`"3600"`, time.Hour, ""},
		{`" 3600 "`, time.Hour, ""},
		{`3600.0`, time.Hour, ""},
		{`"3600.0"`, time.Hour, ""},
		{`599.99`, 599 * time.Second, ""},
		{`3.6e3`, time.Hour, ""},
		{`1`, time.Second, ""},
		{`315360000`, maxLifetime, ""},
		{``, 0, "the reply has no expires_in"},
		{`null`, 0, "expires_in is null"},
		{`true`, 0, "expires_in is true"},
		{`{}`, 0, "expires_in is an object"},
		{`[600]`, 0, "expires_in is a list"},
		{`0`, 0, "expires_in is 0"},
		{`"0"`, 0, "expires_in is 0"},
		{`-0`, 0, "expires_in is 0"},
		{`0.5`, 0, "expires_in is less than a second"},
		{`-1`, 0, "expires_in is negative"},
		{`"-3600"`, 0, "expires_in is negative"},
		{`-1e999`, 0, "expires_in is negative"},
		{`1e30`, 0, "expires_in is 1e30, which is over ten years"},
		{`1e999`, 0, "expires_in is 1e999, which is over ten years"},
		{`315360001`, 0, "expires_in is 315360001, which is over ten years"},
		{`"soon"`, 0, `expires_in is "soon"`},
		{`""`, 0, `expires_in is ""`},
		{`"NaN"`, 0, `expires_in is "NaN"`},
		{`"Infinity"`, 0, `expires_in is "Infinity"`},
		{`"0x10"`, 0, `expires_in is "0x10"`},
		{`"3_600"`, 0, `expires_in is "3_600"`},
		{`"--5"`, 0, `expires_in is "--5"`},
		{`"1h\u001b[2J"`, 0, `expires_in is "1h [2J"`},
		{`"2030-01-01"`, 0, `expires_in is "2030-01-01"`},
	} {
		got, problem := ParseLifetime(json.RawMessage(c.raw))
		if got != c.want || problem != c.problem {
			t.Errorf("%s: %v, %q; want %v, %q", c.raw, got, problem, c.want, c.problem)
		}
	}
}

func FuzzLifetime(f *testing.F) {
	for _, s := range []string{`3600`, `"3600"`, `1e30`, `-1`, `"soon"`, `null`, `{}`, `"`, ``, `0.1`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, problem := ParseLifetime(json.RawMessage(raw))
		if (got == 0) != (problem != "") || got < 0 || got > maxLifetime || got%time.Second != 0 {
			t.Errorf("%q: %v, %q", raw, got, problem)
		}
		if strings.ContainsAny(problem, "\n\r\x1b") || utf8.RuneCountInString(problem) > secret.MaxText {
			t.Errorf("%q: problem %q", raw, problem)
		}
	})
}
