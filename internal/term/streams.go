// Package term is the terminal side of authctl: streams, colour for each stream,
// prompts and tables. It is the only importer of fatih/color.
package term

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/term"
)

// Streams are the three streams of the program and what is known of them.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
	// InTerminal, OutTerminal and ErrTerminal say which of them are terminals.
	InTerminal, OutTerminal, ErrTerminal bool
}

// System returns the streams of this process.
func System() Streams {
	return Streams{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		InTerminal: isTerminal(os.Stdin), OutTerminal: isTerminal(os.Stdout), ErrTerminal: isTerminal(os.Stderr),
	}
}

// Terminal reports whether any of the streams is a terminal.
func (s Streams) Terminal() bool { return s.InTerminal || s.OutTerminal || s.ErrTerminal }

// Width returns how many columns the terminal at stdout has, 0 when it is none or does
// not say. COLUMNS goes before what the terminal says, as POSIX has it (XBD §8.3).
func (s Streams) Width(lookupEnv func(string) (string, bool)) int {
	return width(s.Out, s.OutTerminal, lookupEnv)
}

// errWidth is Width of the terminal at stderr.
func (s Streams) errWidth(lookupEnv func(string) (string, bool)) int {
	return width(s.Err, s.ErrTerminal, lookupEnv)
}

func width(w io.Writer, terminal bool, lookupEnv func(string) (string, bool)) int {
	if !terminal || lookupEnv == nil {
		return 0
	}
	wanted, _ := lookupEnv("COLUMNS")
	if n, err := strconv.Atoi(wanted); err == nil && n > 0 {
		return n
	}
	return columns(w)
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
