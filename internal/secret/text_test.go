package secret

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestCleanText(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 300)
	for _, c := range []struct{ name, in, want string }{
		{"plain", "no such client", "no such client"},
		{"empty", "", ""},
		{"only blanks", " \t\r\n", ""},
		{"lines", "one\r\n\ttwo\n\nthree\n", "one two three"},
		{"escape sequence", "a\x1b[31mred\x1b]0;title\x07b", "a [31mred ]0;title b"},
		{"C1 control", "a\u009b31mb", "a 31mb"},
		{"line separators", "a\u2028b\u2029c\u0085d", "a b c d"},
		{"bidi", "user\u202Egpj.exe\u202C\u2066x\u2069", "usergpj.exex"},
		{"zero width", "pass\u200Bword\uFEFF\u200D\u2060", "password"},
		{"fillers", "a\u3164b\u115Fc\u2800d\uFE0Fe", "abcde"},
		{"tags", "a\U000E0041b", "ab"},
		{"invalid UTF-8", "a\xff\xfeb", "a??b"},
		{"unassigned and private", "a\uE000\U0010FFFFb", "a??b"},
		{"letters stay", "größe 日本語 שלום ñ", "größe 日本語 שלום ñ"},
		{"Azure Pipelines' commands", "a ##vso[task.complete]b ##[error]c ###", "a # #vso[task.complete]b # #[error]c # # #"},
		{"GitHub's commands", " \u200b::stop-commands::x ::y::", ": :stop-commands::x ::y::"},
		{"colons", ":::a::b:c", ": ::a::b:c"},
		{"quotes stay", `say "x" \ y`, `say "x" \ y`},
		{"200 fit", long[:400], long[:400]},
		{"longer is cut", long, long[:398] + "…"},
	} {
		if got := CleanText(c.in); got != c.want {
			t.Errorf("%s: CleanText(%q) = %q, want %q", c.name, c.in, got, c.want)
		}
	}
}

func TestRedactor(t *testing.T) {
	t.Parallel()
	r := Redactor{"", "p+q/r=%&: s", "\n", "n", "it", "oth", "fou\u200B", "four"}
	for in, want := range map[string]string{
		"":                                       "",
		"nothing of it":                          "nothing of it",
		"fou":                                    "fou",
		"three and four":                         Redacted,
		"you sent p+q/r=%&: s!":                  Redacted,
		"form p%2Bq%2Fr%3D%25%26%3A+s!":          Redacted,
		"zero width p+\u200Bq/r=%&: s":           Redacted,
		strings.Repeat("x", 195) + "p+q/r=%&: s": Redacted,
		strings.Repeat("\u200B", 500) + "p+q/r=%&:\n s": Redacted,
	} {
		if got := r.Clean(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzCleanText(f *testing.F) {
	f.Add("one\r\ntwo\x1b[31m\u202e\xff")
	f.Add(strings.Repeat("\u200b ", 300) + "é")
	f.Fuzz(func(t *testing.T, in string) {
		got := CleanText(in)
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > MaxText {
			t.Errorf("CleanText(%q) = %q", in, got)
		}
		for _, r := range got {
			if !unicode.IsPrint(r) || unicode.Is(unicode.Cf, r) {
				t.Errorf("CleanText(%q) holds %q", in, r)
			}
		}
		if again := CleanText(got); again != got {
			t.Errorf("cleaning %q twice gives %q, then %q", in, got, again)
		}
	})
}
