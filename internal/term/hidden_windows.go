package term

import "golang.org/x/term"

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
