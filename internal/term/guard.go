package term

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/authctl/authctl/internal/secret"
)

// guard is what every word of ours goes through on its way to stdout or stderr, wherever
// it comes from: a service, a file, a variable, a note of another process. Nothing that
// passes is obeyed by a terminal or by the runner of a pipeline, whatever pipeline that is.
// Past it go only a token in the format that was asked for, and what children write.
type guard struct {
	to io.Writer
	// styled lets colours pass, terminal also what redraws a line of a terminal.
	styled, terminal bool

	mu sync.Mutex
	// line is what is known of the line so far.
	line lineState
}

// lineState is what a runner looks at in a line.
type lineState struct {
	// begun says that there is more than white space, colon that there is one colon and
	// nothing else, hash that the last character is #.
	begun, colon, hash bool
}

// guarded puts a guard before each of the two streams.
func guarded(s Streams) (streams Streams, out, err *guard) {
	out = &guard{to: s.Out, terminal: s.OutTerminal}
	err = &guard{to: s.Err, terminal: s.ErrTerminal}
	s.Out, s.Err = out, err
	return s, out, err
}

// Unwrap returns what is written to, for those who ask for the terminal's width.
func (g *guard) Unwrap() io.Writer { return g.to }

// Write writes text that is fit to be shown; see io.Writer. Of a sequence of control
// characters it knows only those that are written at once.
func (g *guard) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var b bytes.Buffer
	for rest := p; len(rest) > 0; {
		if n := g.sequence(rest); n > 0 {
			b.Write(rest[:n])
			rest = rest[n:]
			g.line.hash = false
			continue
		}
		r, size := utf8.DecodeRune(rest)
		g.show(&b, r)
		rest = rest[size:]
	}
	if _, err := g.to.Write(b.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}

// sequence returns the length of a control sequence of ours that text begins with: of
// colours (ECMA-48 §8.3.117) and, on a terminal, of erasing the line (§8.3.41).
func (g *guard) sequence(text []byte) int {
	if text[0] == '\r' && g.terminal {
		g.line = lineState{}
		return 1
	}
	if text[0] != '\x1b' || !g.styled && !g.terminal || len(text) < 3 || text[1] != '[' {
		return 0
	}
	n := 2
	for n < len(text) && (text[n] >= '0' && text[n] <= '9' || text[n] == ';') {
		n++
	}
	if n < len(text) && (text[n] == 'm' || text[n] == 'K' && g.terminal) {
		return n + 1
	}
	return 0
}

// show writes one character, with a blank before it where a runner would read a command:
// between two of ##, which Azure Pipelines, TeamCity and the older runner of GitHub Actions
// look for anywhere in a line, and between the two colons that a line of a workflow command
// begins with.
func (g *guard) show(b *bytes.Buffer, r rune) {
	if r == '\n' || r == '\t' {
		if r == '\n' {
			g.line = lineState{}
		}
		g.line.hash = false
		b.WriteRune(r)
		return
	}
	if r = secret.ShownRune(r); r < 0 {
		return
	}
	if r == '#' && g.line.hash || r == ':' && g.line.colon {
		b.WriteByte(' ')
	}
	g.line.hash, g.line.colon = r == '#', r == ':' && !g.line.begun
	g.line.begun = g.line.begun || r != ' '
	b.WriteRune(r)
}

// holder keeps what is written for later. A runner is told to hide the token before it is
// told anything else: an error of the service could repeat it, or stop the hiding.
type holder struct {
	to io.Writer

	mu      sync.Mutex
	holding bool
	held    bytes.Buffer
}

// Write keeps or writes text; see io.Writer.
func (h *holder) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.holding {
		return h.held.Write(p)
	}
	return h.to.Write(p)
}

// release writes what was kept and keeps no more.
func (h *holder) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.holding {
		h.holding = false
		_, _ = h.to.Write(h.held.Bytes())
		h.held = bytes.Buffer{}
	}
}

// jsonText returns JSON that means the same and that the guard leaves as it is. What it
// escapes can stand in strings only.
func jsonText(text string) string {
	var b strings.Builder
	last := ' '
	for _, r := range text {
		if secret.ShownRune(r) != r || r == '#' && last == '#' {
			escape(&b, r)
		} else {
			b.WriteRune(r)
		}
		last = r
	}
	return b.String()
}

// escape writes a character as JSON can have it in a string.
func escape(b *strings.Builder, r rune) {
	for _, unit := range utf16.Encode([]rune{r}) {
		fmt.Fprintf(b, "\\u%04x", unit)
	}
}
