package term

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

func TestGuard(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain\n\ttext: a::b #1 é日本\n":         "plain\n\ttext: a::b #1 é日本\n",
		"::stop-commands::x\n":                 ": :stop-commands::x\n",
		"one\n  \t::add-mask::x\n":             "one\n  \t: :add-mask::x\n",
		"\u00a0\u2003::warning::x":             "  : :warning::x",
		"\u200b:\u202e:error::x":               ": :error::x",
		":::a":                                 ": ::a",
		": ::a":                                ": ::a",
		"\r::debug::x":                         " : :debug::x",
		"a\r::debug::x":                        "a ::debug::x",
		"##vso[task.complete]":                 "# #vso[task.complete]",
		"at the end ##[error]x":                "at the end # #[error]x",
		"####teamcity[x]":                      "# # # #teamcity[x]",
		"#\u200b#vso[x]":                       "# #vso[x]",
		"#\x00#[x]":                            "# #[x]",
		"#\n#[x]":                              "#\n#[x]",
		"\x1b[31mred\x1b]0;title\x07\x1b[2J":   " [31mred ]0;title  [2J",
		"\u009b31m":                            " 31m",
		"user\u202egpj":                        "usergpj",
		"\xff\xfe":                             "??",
		"\x1b[0Ksection_start:1:x\r\x1b[0KTop": " [0Ksection_start:1:x  [0KTop",
	} {
		var b bytes.Buffer
		g := &guard{to: &b}
		if n, err := io.WriteString(g, in); err != nil || n != len(in) || b.String() != want {
			t.Errorf("%q became %q (%d, %v), want %q", in, b.String(), n, err, want)
		}
	}
}

// TestGuardRemembersTheLine writes a command in parts.
func TestGuardRemembersTheLine(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	g := &guard{to: &b}
	for _, part := range []string{"a#", "#[x]\n", " ", ":", ":b\n", "x:", ":y"} {
		_, _ = io.WriteString(g, part)
	}
	if want := "a# #[x]\n : :b\nx::y"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

func TestGuardLetsOursPass(t *testing.T) {
	t.Parallel()
	p := Palette(true)
	for _, c := range []struct {
		styled, terminal bool
		in, want         string
	}{
		{true, false, p.Bad("error:") + p.Faint("x"), p.Bad("error:") + p.Faint("x")},
		{false, false, p.Faint("x"), " [2mx [22m"},
		{true, false, "\r\x1b[K", "  [K"},
		{true, true, "\r⠋ waiting\r\x1b[K", "\r⠋ waiting\r\x1b[K"},
		{true, true, "\x1b[2J\x1b[1;1Hx\x1b]52;c;x\a", " [2J [1;1Hx ]52;c;x "},
		{true, true, "\r::a", "\r: :a"},
		{true, false, "#\x1b[1m#", "#\x1b[1m#"},
	} {
		var b bytes.Buffer
		g := &guard{to: &b, styled: c.styled, terminal: c.terminal}
		_, _ = io.WriteString(g, c.in)
		if b.String() != c.want {
			t.Errorf("%+v became %q", c, b.String())
		}
	}
}

func TestGuardSaysWhatCouldNotBeWritten(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	_ = r.Close()
	if _, err := io.WriteString(&guard{to: w}, "x"); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v", err)
	}
}

// obeyed are lines of which a runner takes a part for a command.
var obeyed = regexp.MustCompile(`(?m)##|^\s*::`)

func FuzzGuard(f *testing.F) {
	f.Add("a##b\n ::c", "##")
	f.Add("\u200b:", "\u2003:\xff:")
	f.Fuzz(func(t *testing.T, one, two string) {
		var b bytes.Buffer
		g := &guard{to: &b}
		_, _ = io.WriteString(g, one)
		_, _ = io.WriteString(g, two)
		if obeyed.MatchString(b.String()) {
			t.Errorf("%q, %q became %q", one, two, b.String())
		}
		for _, r := range b.String() {
			if !unicode.IsPrint(r) && r != '\n' && r != '\t' {
				t.Errorf("%q, %q became %q", one, two, b.String())
			}
		}
	})
}

func FuzzJSONText(f *testing.F) {
	f.Add("a##b\u202e\u00a0\u3164###")
	f.Fuzz(func(t *testing.T, in string) {
		in = strings.ToValidUTF8(in, "?")
		text, err := json.Marshal(map[string]string{in: in})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		_, _ = io.WriteString(&guard{to: &b}, jsonText(string(text)))
		var back map[string]string
		if err := json.Unmarshal(b.Bytes(), &back); err != nil || back[in] != in || b.String() != jsonText(string(text)) {
			t.Errorf("%q became %q (%v)", in, b.String(), err)
		}
	})
}

func TestHeldUntilReleased(t *testing.T) {
	t.Parallel()
	var err bytes.Buffer
	u := NewUI(Streams{Err: &err}, nil)
	u.Hold()
	u.Note("one")
	_, _ = io.WriteString(u.ChildErr(), "::two\n")
	if err.Len() != 0 {
		t.Errorf("%q was not held", err.String())
	}
	u.Release()
	u.Note("three")
	if want := "authctl: one\n::two\nauthctl: three\n"; err.String() != want {
		t.Errorf("got %q, want %q", err.String(), want)
	}
}
