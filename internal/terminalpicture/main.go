// Command terminalpicture turns what a program has written to a terminal into an SVG: text with escape sequences on
// stdin, the picture on stdout. It is run by scripts/terminal-picture and is not part of the program.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	title := flag.String("title", "authctl", "the window's title, the command that is shown")
	flag.Parse()
	if err := run(os.Stdin, os.Stdout, *title); err != nil {
		fmt.Fprintf(os.Stderr, "terminalpicture: %v\n", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer, title string) error {
	text, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("reading what the terminal shows: %w", err)
	}
	if len(text) == 0 {
		return errors.New("the terminal shows nothing")
	}
	_, err = io.WriteString(out, draw(title, parse(steady(string(text)))))
	return err
}
