package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/cli"
	"golang.org/x/sys/unix"
)

// TestHelpFitsTheTerminal has every page of help on terminals of three widths: no line is longer, unless one word is,
// and no word is lost. In a pipe the page is as it was written.
func TestHelpFitsTheTerminal(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.set("NO_COLOR=1")
	pages := pagesOfHelp()
	if len(pages) < 30 {
		t.Fatalf("there are %d pages", len(pages))
	}
	wide := 0
	for _, page := range pages {
		piped := p.run(page...).stdout
		wide = max(wide, widest(piped))
		for _, columns := range []uint16{80, 60, 40} {
			shown := p.onTerminal(columns, page...)
			wantWidth(t, strings.Join(page, " "), shown, int(columns))
			if !slices.Equal(strings.Fields(shown), strings.Fields(piped)) {
				t.Errorf("%v: on %d columns there are other words:\n%s", page, columns, shown)
			}
		}
	}
	if wide <= 80 {
		t.Errorf("in a pipe the longest line has %d columns: it is broken", wide)
	}
}

// pagesOfHelp are the arguments that show help on the program and on each command that is not hidden.
func pagesOfHelp() [][]string {
	pages := [][]string{{"--help"}}
	for commands := cli.Documentation().Commands(); len(commands) > 0; commands = commands[1:] {
		if c := commands[0]; c.IsAvailableCommand() {
			pages = append(pages, append(strings.Fields(c.CommandPath())[1:], "--help"))
			commands = slices.Concat(commands, c.Commands())
		}
	}
	return pages
}

// wantWidth requires that no line has more columns, unless it is one word.
func wantWidth(t *testing.T, what, text string, columns int) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if widest(line) > columns && (len(strings.Fields(line)) != 1 || line[0] == ' ') {
			t.Errorf("%s: on %d columns there is the line %q", what, columns, line)
		}
	}
}

// TestMessagesFitTheTerminal has errors, hints, warnings and what --explain tells on terminals of three widths.
func TestMessagesFitTheTerminal(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.set("NO_COLOR=1", "CI=", "AUTHCTL_STORE=auto")
	long := "no-such-profile-" + strings.Repeat("x", 20)
	for _, args := range [][]string{
		{"token", "get", long},
		{"token", "get", "talkdesk", "--explain"},
		{"token", "get", "talkdesk", "--store", "somewhere"},
		{"passwd", "pexip"},
		{"token", "get", "-o", "nothing"},
		{"token", "get", "talkdesk", "-v"},
	} {
		piped := p.run(args...).stderr
		for _, columns := range []uint16{80, 60, 40} {
			shown := p.stderrOn(columns, args...)
			wantWidth(t, fmt.Sprint(args), shown, int(columns))
			if widest(piped) > int(columns) && strings.Count(shown, "\n") <= strings.Count(piped, "\n") {
				t.Errorf("%v: on %d columns nothing is broken: %q", args, columns, shown)
			}
		}
	}
}

// stderrOn runs a command with stderr on a terminal of some columns, and returns what it shows.
func (p *place) stderrOn(columns uint16, args ...string) string {
	p.t.Helper()
	master, slave := openTerminal(p.t)
	defer slave.Close()
	if err := unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		p.t.Fatal(err)
	}
	x := &terminal{running: p.prepare(args...), master: master, done: make(chan struct{})}
	x.Cmd.Stderr = slave
	if err := x.Start(); err != nil {
		p.t.Fatal(err)
	}
	_ = slave.Close()
	go x.watch()
	x.end()
	return strings.ReplaceAll(x.screen(), "\r\n", "\n")
}
