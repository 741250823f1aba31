package term_test

import (
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/term"
)

func TestMessage(t *testing.T) {
	t.Parallel()
	const address = "https://a.example/a-long-address-that-somebody-copies"
	for _, c := range []struct {
		text  string
		width int
		want  string
	}{
		{"authctl: error: one two three", 0, "authctl: error: one two three"},
		{"authctl: error: one two three", 29, "authctl: error: one two three"},
		{"authctl: error: one two three", 28, "authctl: error: one two\n  three"},
		{"authctl: error: one two three four", 16, "authctl: error:\n  one two three\n  four"},
		{"see " + address + " there", 20, "see\n" + address + "\n  there"},
		{"\x1b[31mauthctl\x1b[0m one two", 15, "\x1b[31mauthctl\x1b[0m one two"},
		{"\x1b[31mauthctl\x1b[0m one two", 14, "\x1b[31mauthctl\x1b[0m one\n  two"},
		{"ärger über öl", 10, "ärger über\n  öl"},
		{"", 10, ""},
	} {
		if got := term.Message(c.text, c.width); got != c.want {
			t.Errorf("%q on %d columns: %q, want %q", c.text, c.width, got, c.want)
		}
	}
}

func TestFold(t *testing.T) {
	t.Parallel()
	page := strings.Join([]string{
		"one two three four five", "six seven", "", "Usage:", "  authctl x [flags] -- CMD", "", "Flags:",
		"  -a, --all         everything there is", "      --b verylongwordofthis   x", "\ttab", "",
	}, "\n")
	for width, want := range map[int][]string{
		0:  {page},
		80: {strings.ReplaceAll(page, "\t", "        ")},
		30: {
			"one two three four five", "six seven", "", "Usage:", "  authctl x [flags] -- CMD", "", "Flags:",
			"  -a, --all", "      everything there is", "      --b verylongwordofthis", "          x", "        tab", "",
		},
		20: {
			"one two three four", "five six seven", "", "Usage:", "  authctl x [flags]", "      -- CMD", "", "Flags:",
			"  -a, --all", "      everything", "      there is", "      --b", "  verylongwordofthis", "          x", "        tab", "",
		},
		36: {
			"one two three four five", "six seven", "", "Usage:", "  authctl x [flags] -- CMD", "", "Flags:",
			"  -a, --all", "      everything there is", "      --b verylongwordofthis   x", "        tab", "",
		},
	} {
		if got := term.Fold(page, width); got != strings.Join(want, "\n") {
			t.Errorf("on %d columns:\n%s", width, got)
		}
	}
	row := term.Fold("  -a   what it does and more", 20)
	if row != "  -a   what it does\n       and more" {
		t.Errorf("a row: %q", row)
	}
}
