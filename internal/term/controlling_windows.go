package term

import "os"

// controllingTerminal opens the console of this process, nil where there is none.
func controllingTerminal() *os.File {
	console, err := os.OpenFile("CONIN$", os.O_RDWR, 0)
	if err != nil {
		return nil
	}
	return console
}
