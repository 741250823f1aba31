package term

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/authctl/authctl/internal/secret"
)

// UI is how a command speaks: its answer on stdout, everything else on stderr. What it
// writes went through a guard, so that neither a terminal nor a runner obeys any of it.
type UI struct {
	Streams
	// Raw are the streams without a guard: for children, and for a token in its format.
	Raw Streams
	// Out and Err colour text for the two streams.
	Out, Err Palette
	// Quiet leaves out warnings and notes.
	Quiet bool
	// Prompter asks a person.
	Prompter *Prompter
	// Withhold takes out of a text what must not be repeated; nil takes out nothing.
	Withhold func(text string) string
	// LookupEnv reads the environment: COLUMNS, the locale and what decides on colour.
	LookupEnv func(string) (string, bool)

	guardOut, guardErr *guard
	// held keeps what goes to stderr until a runner has been told to hide the token; nil
	// where there is no such need.
	held *holder
	// waiting says that warnings wait for the end of the command, because its error is to be
	// all there is on stderr; pending are those that wait.
	waiting bool
	pending []string
	// warned are the warnings that are given once.
	warned sync.Map
}

// NewUI returns a UI on streams, which colours nothing yet.
func NewUI(s Streams, lookupEnv func(string) (string, bool)) *UI {
	u := &UI{Raw: s, LookupEnv: lookupEnv}
	u.Streams, u.guardOut, u.guardErr = guarded(s)
	u.Prompter = &Prompter{Streams: u.Streams, Width: func() int { return u.errWidth(lookupEnv) }}
	return u
}

// Color decides on colour for each of the two streams.
func (u *UI) Color(mode ColorMode) {
	u.guardOut.styled = mode.Enabled(u.OutTerminal, u.LookupEnv)
	u.guardErr.styled = mode.Enabled(u.ErrTerminal, u.LookupEnv)
	u.Out, u.Err = Palette(u.guardOut.styled), Palette(u.guardErr.styled)
}

// Print writes an answer to stdout. An answer that could not be written is a failure: a
// full disk must not look like success.
func (u *UI) Print(text string) error { return write(u.Streams.Out, text) }

// PrintToken writes a token in its format to stdout, as it is.
func (u *UI) PrintToken(text string) error { return write(u.Raw.Out, text) }

func write(w io.Writer, text string) error {
	_, err := io.WriteString(w, text)
	return Unwritten(err)
}

// Unwritten says of an error that it kept an answer from stdout; nil stays nil.
func Unwritten(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("writing the answer to stdout: %w", err)
}

// JSON prints one JSON value and a newline.
func (u *UI) JSON(value any) error {
	text, err := JSONLine(value)
	if err != nil {
		return err
	}
	return u.Print(text)
}

// JSONLine is a value as a line of JSON, without the escapes that HTML needs.
func JSONLine(value any) (string, error) {
	text, err := secret.JSON(value)
	if err != nil {
		return "", err
	}
	return jsonText(text) + "\n", nil
}

// Table prints a table, no wider than a terminal.
func (u *UI) Table(table Table) error { return u.Print(u.Fit(table).String()) }

// Fit makes a table fit for stdout: its header stands out where there is colour, and its
// lines are not wider than a terminal.
func (u *UI) Fit(table Table) Table {
	table.Width = u.Columns()
	table.Paint = func(row, _ int, cell string) string {
		if row < 0 {
			return u.Out.Strong(cell)
		}
		return cell
	}
	return table
}

// Columns is the width of the terminal at stdout, 0 for none.
func (u *UI) Columns() int { return u.Width(u.LookupEnv) }

// Beside returns text after a label, which lines that are too long for the terminal go on
// under the beginning of.
func (u *UI) Beside(label, text string) string {
	lines := []string{text}
	if width := u.Columns(); width > 0 {
		lines = Wrap(text, max(width-len(label), len(label)))
	}
	return u.Out.Strong(label) + strings.Join(lines, "\n"+strings.Repeat(" ", len(label))) + "\n"
}

// Hang is a text behind a head, broken at the terminal's width, or at 80 columns where
// there is none.
func (u *UI) Hang(head, text string) string { return Hang(head, text, cmp.Or(u.Columns(), 80)) }

// Step is one thing to do. A command gets a line of its own and is not broken, to be
// copied.
func (u *UI) Step(text string) string {
	before, command, found := strings.Cut(text, ": authctl ")
	if !found {
		return u.Beside("- ", text)
	}
	return u.Beside("- ", before+":") + "    authctl " + command + "\n"
}

// Say writes one line of the program's own to stderr, after a label such as "hint:".
func (u *UI) Say(label, text string) { u.tell(label + " " + strings.TrimSpace(u.withheld(text))) }

// Explain tells one decision on stderr.
func (u *UI) Explain(format string, args ...any) {
	u.Say(u.Err.Faint("explain:"), fmt.Sprintf(format, args...))
}

// Trace tells of a request on stderr.
func (u *UI) Trace(text string) { u.Say(u.Err.Faint("trace:"), text) }

// Note tells a person what was done.
func (u *UI) Note(text string) {
	if !u.Quiet {
		u.tell(u.withheld(text))
	}
}

// Warn tells a person what they should know although the command succeeds.
func (u *UI) Warn(text string) {
	switch {
	case u.Quiet:
	case u.waiting:
		u.pending = append(u.pending, text)
	default:
		u.Say(u.Err.Notice("warning:"), text)
	}
}

// WarnOnce warns of what may be met many times in a run, also by secrets that are fetched at
// the same time.
func (u *UI) WarnOnce(text string) {
	if _, told := u.warned.LoadOrStore(text, true); !told {
		u.Warn(text)
	}
}

// LetWarningsWait keeps warnings until TellPending where wait is true.
func (u *UI) LetWarningsWait(wait bool) { u.waiting = wait }

// TellPending gives the warnings that waited, and lets later ones wait no more.
func (u *UI) TellPending() {
	u.waiting = false
	for _, text := range u.pending {
		u.Warn(text)
	}
	u.pending = nil
}

// Fail writes one JSON value to stderr: all there is, for a program to read.
func (u *UI) Fail(value any) {
	if text, err := JSONLine(value); err == nil {
		_, _ = io.WriteString(u.Streams.Err, text)
	}
}

// tell writes one line to stderr, or as many as a terminal there needs.
func (u *UI) tell(text string) {
	_, _ = fmt.Fprintln(u.Streams.Err, Message("authctl: "+text, u.errWidth(u.LookupEnv)))
}

func (u *UI) withheld(text string) string {
	if u.Withhold == nil {
		return text
	}
	return u.Withhold(text)
}

// Hold keeps back all that goes to stderr, that of commands which fetch secrets too, until
// Release. At a terminal it stays: there is no runner, and somebody may be asked.
func (u *UI) Hold() {
	if u.Raw.ErrTerminal {
		return
	}
	u.held = &holder{to: u.Raw.Err, holding: true}
	u.guardErr.to = u.held
}

// Release lets go of what Hold kept back.
func (u *UI) Release() {
	if u.held != nil {
		u.held.release()
	}
}

// ChildErr is the stderr of commands that fetch secrets.
func (u *UI) ChildErr() io.Writer {
	if u.held != nil {
		return u.held
	}
	return u.Raw.Err
}

// Lines are words, each on a line.
func Lines(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return strings.Join(words, "\n") + "\n"
}

// Counted is a number with its noun: "1 request", "2 requests".
func Counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
