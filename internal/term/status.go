package term

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// Status is the last line of a terminal, which changes and leaves nothing behind. The
// zero value shows nothing.
type Status struct {
	w     io.Writer
	shown bool
}

// NewStatus returns a Status on w, one that shows nothing when w is no terminal.
func NewStatus(w io.Writer, terminal bool) *Status {
	if !terminal {
		return &Status{}
	}
	return &Status{w: w}
}

// Show replaces what is shown, cut to one line: of a line that is broken, Clear would
// leave a part.
func (s *Status) Show(text string) {
	if s.w == nil {
		return
	}
	if width := columns(s.w); width > 0 {
		text = Wrap(text, width-1)[0]
	}
	s.shown = true
	_, _ = fmt.Fprintf(s.w, "\r%s\x1b[K", text)
}

// Clear takes the line away. It has to be called before anything else is written.
func (s *Status) Clear() {
	if s.shown {
		_, _ = fmt.Fprint(s.w, "\r\x1b[K")
	}
	s.shown = false
}

// spinnerPace is how long each picture of a spinner stays.
const spinnerPace = 100 * time.Millisecond

// Redraws reports whether stderr is a terminal of which a line can be written anew.
func (u *UI) Redraws() bool {
	kind, _ := u.LookupEnv("TERM")
	return u.ErrTerminal && kind != "dumb"
}

// Spin shows on stderr that something is being waited for, until stop is called, which leaves
// nothing behind. On what is no terminal, or a dumb one, it says text once.
func (u *UI) Spin(text string) (stop func()) {
	w := u.Streams.Err
	if !u.Redraws() {
		_, _ = fmt.Fprintln(w, text)
		return func() {}
	}
	pictures := []rune(`|/-\`)
	if u.isUTF8() {
		pictures = []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
	}
	done, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		status, tick := NewStatus(w, true), time.NewTicker(spinnerPace)
		defer status.Clear()
		defer tick.Stop()
		for i := 0; ; i++ {
			status.Show(fmt.Sprintf("%c %s", pictures[i%len(pictures)], text))
			select {
			case <-tick.C:
			case <-done:
				return
			}
		}
	}()
	return sync.OnceFunc(func() { close(done); <-gone })
}

// Bar is a picture of how far something is, width columns between two brackets.
func Bar(done, total, width int) string {
	full := 0
	if total > 0 {
		full = min(max(done, 0), total) * width / total
	}
	return "[" + strings.Repeat("=", full) + strings.Repeat(".", width-full) + "]"
}

// columns returns how many columns the terminal at w has, 0 when it is none or does
// not say.
func columns(w io.Writer) int {
	width, _ := dimensions(w)
	return width
}

// dimensions are columns and lines of the terminal at w, 0 when it is none or does not say.
func dimensions(w io.Writer) (width, height int) {
	if wrapped, ok := w.(interface{ Unwrap() io.Writer }); ok {
		w = wrapped.Unwrap()
	}
	f, ok := w.(*os.File)
	if !ok {
		return 0, 0
	}
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0, 0
	}
	return width, height
}
