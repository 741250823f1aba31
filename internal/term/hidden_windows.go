package term

import (
	"os"

	"golang.org/x/term"
)

// hide returns what gives the console back; reading hides what is typed.
func hide(fd int, _ func()) (show func(), err error) {
	before, err := term.GetState(fd)
	if err != nil {
		return nil, err
	}
	return func() { _ = term.Restore(fd, before) }, nil
}

// readLine reads what is typed, unseen, up to the end of the line, or io.EOF.
func readLine(fd int) (string, error) {
	line, err := term.ReadPassword(fd)
	return string(line), err
}

// controllingTerminal opens the console of this process, nil where there is none.
func controllingTerminal() *os.File {
	console, err := os.OpenFile("CONIN$", os.O_RDWR, 0)
	if err != nil {
		return nil
	}
	return console
}

// discardInput cannot look at what has been typed here.
func discardInput(int) bool { return false }
