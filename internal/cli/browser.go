package cli

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/authctl/authctl/internal/secret"
)

// browser is a command that opens an address, and what looks for its program.
type browser struct {
	words []string
	find  func(name string) (string, error)
}

// browsers are those to try, in this order: those of $BROWSER, separated as PATH's
// directories are, else the system's own. See http://www.catb.org/~esr/BROWSER/.
func (a *app) browsers() []browser {
	var list []browser
	chosen, _ := a.LookupEnv("BROWSER")
	for command := range strings.SplitSeq(chosen, string(filepath.ListSeparator)) {
		if words := a.browserWords(command); len(words) > 0 {
			list = append(list, browser{words, a.FindProgram})
		}
	}
	if len(list) > 0 {
		return list
	}
	words := []string{"xdg-open"}
	switch runtime.GOOS {
	case "darwin":
		words = []string{"open"}
	case "windows":
		words = []string{"rundll32", "url.dll,FileProtocolHandler"}
	}
	return []browser{{words, a.FindOwnProgram}}
}

// browserWords splits a command of $BROWSER. One that is a program's path as a whole is not
// split: "/mnt/c/Program Files/…" is what one has in WSL.
func (a *app) browserWords(command string) []string {
	command = strings.TrimSpace(command)
	if strings.Contains(command, " ") && filepath.IsAbs(command) {
		if path, err := a.FindProgram(command); err == nil {
			return []string{path}
		}
	}
	return splitWords(command)
}

// command returns the program and its arguments for an address, which stands where the
// words have %s, else at their end; %% is a percent sign, %c a colon.
func (b browser) command(address string) (path string, args []string, err error) {
	path, err = b.find(b.words[0])
	if err != nil {
		return "", nil, fmt.Errorf("%s: %w", secret.CleanText(b.words[0]), err)
	}
	marks := strings.NewReplacer("%%", "%", "%s", address, "%c", ":")
	without := strings.NewReplacer("%%", "")
	named := false
	for _, word := range b.words[1:] {
		named = named || strings.Contains(without.Replace(word), "%s")
		args = append(args, marks.Replace(word))
	}
	if !named {
		args = append(args, address)
	}
	return path, args, nil
}

// splitWords splits a command at blanks that are not quoted, as a shell does, and takes the
// quotes away. A backslash stands for itself: it separates directories on Windows.
func splitWords(command string) []string {
	var words []string
	var word strings.Builder
	var quote rune
	begun := false
	for _, r := range command {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, begun = r, true
		case quote == 0 && slices.Contains([]rune{' ', '\t', '\n'}, r):
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if begun {
		words = append(words, word.String())
	}
	return words
}
