package term_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/term"
)

func lookup(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := env[name]; return v, ok }
}

func TestColorIsDecidedForEachStream(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mode     term.ColorMode
		terminal bool
		env      map[string]string
		want     bool
	}{
		{term.ColorAuto, true, nil, true},
		{term.ColorAuto, false, nil, false},
		{term.ColorAuto, true, map[string]string{"NO_COLOR": "1"}, false},
		{term.ColorAuto, true, map[string]string{"NO_COLOR": ""}, true},
		{term.ColorAuto, true, map[string]string{"TERM": "dumb"}, false},
		{term.ColorAuto, false, map[string]string{"CLICOLOR_FORCE": "1"}, true},
		{term.ColorAuto, false, map[string]string{"CLICOLOR_FORCE": "0"}, false},
		{term.ColorAuto, false, map[string]string{"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, false},
		{term.ColorAlways, false, map[string]string{"NO_COLOR": "1"}, true},
		{term.ColorNever, true, map[string]string{"CLICOLOR_FORCE": "1"}, false},
	} {
		if got := c.mode.Enabled(c.terminal, lookup(c.env)); got != c.want {
			t.Errorf("%s, terminal %t, %v: %t", c.mode, c.terminal, c.env, got)
		}
	}
	if _, err := term.ParseColorMode("sometimes"); err == nil {
		t.Error("an unknown mode is taken")
	}
}

func TestPalette(t *testing.T) {
	t.Parallel()
	if got := term.Palette(false).Bad("x"); got != "x" {
		t.Errorf("without colour: %q", got)
	}
	if got := term.Palette(true).Bad("x"); got == "x" || !strings.Contains(got, "x") {
		t.Errorf("with colour: %q", got)
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	table := term.Table{
		Header: []string{"NAME", "VALUE", "NOTE"},
		Rows:   [][]string{{"ärger", "1", ""}, {"b", "22222222", "x"}},
	}
	want := "NAME   VALUE     NOTE\närger  1\nb      22222222  x\n"
	if got := table.String(); got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func TestNobodyIsAskedWithoutATerminal(t *testing.T) {
	t.Parallel()
	for _, p := range []term.Prompter{
		{Streams: term.Streams{In: strings.NewReader("answer\n"), Err: &bytes.Buffer{}}},
		{Streams: term.Streams{In: os.Stdin, Err: &bytes.Buffer{}, InTerminal: true, ErrTerminal: true}, Off: true},
	} {
		if _, err := p.Hidden(t.Context(), "secret"); !errors.Is(err, term.ErrNoInput) {
			t.Errorf("Hidden: %v", err)
		}
		if _, err := p.Line(t.Context(), "name", ""); !errors.Is(err, term.ErrNoInput) {
			t.Errorf("Line: %v", err)
		}
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	var asked bytes.Buffer
	p := term.Prompter{Streams: term.Streams{
		In: strings.NewReader("  first \n\n"), Err: &asked, InTerminal: true, ErrTerminal: true,
	}}
	for i, want := range []string{"first", "standard"} {
		if got, err := p.Line(t.Context(), "name", "standard"); got != want || err != nil {
			t.Errorf("answer %d: %q, %v", i, got, err)
		}
	}
	if _, err := p.Line(t.Context(), "name", ""); !errors.Is(err, term.ErrNoInput) {
		t.Errorf("at the end of input: %v", err)
	}
	if asked.String() != "name [standard]: name [standard]: name: \n" {
		t.Errorf("asked %q", asked.String())
	}
}

func TestSpinOnNoTerminal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		terminal bool
		kind     string
	}{{false, "xterm"}, {true, "dumb"}} {
		var b bytes.Buffer
		spinning(&b, c.terminal, map[string]string{"TERM": c.kind, "LC_ALL": "C.UTF-8"}).Spin("waiting")()
		if b.String() != "waiting\n" {
			t.Errorf("%+v: %q", c, b.String())
		}
	}
}

// spinning is a UI whose stderr is w.
func spinning(w io.Writer, terminal bool, env map[string]string) *term.UI {
	return term.NewUI(term.Streams{Out: io.Discard, Err: w, ErrTerminal: terminal}, lookup(env))
}

func TestSpinLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	for locale, first := range map[string]string{"C.UTF-8": "⠋", "C": "|"} {
		var b bytes.Buffer
		stop := spinning(&b, true, map[string]string{"TERM": "xterm", "LC_ALL": locale}).Spin("waiting")
		stop()
		stop()
		if !strings.HasPrefix(b.String(), "\r"+first+" waiting") || !strings.HasSuffix(b.String(), "\r\x1b[K") {
			t.Errorf("%s: %q", locale, b.String())
		}
	}
}
