package session

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/client"
	"github.com/authctl/authctl/internal/secret"
)

// show opens the browser, or says what to open. The address holds no secret: what it
// holds is worth nothing without this process. Where the browser may be anywhere, none is opened
// that nobody would see.
func (l *login) show(ctx context.Context, c *client.Client, address *url.URL, anywhere bool) {
	words := "open this address in a browser on this machine:"
	if anywhere {
		words = "open this address in a browser on any machine; on another one than this it ends at an address that " +
			"does not open, which is to be pasted here:"
	}
	if !l.noBrowser && (!anywhere || graphical(l.Deps)) {
		err := openBrowser(ctx, l.Deps, c, address.String())
		switch {
		case err != nil:
			l.UI.Warn("no browser could be opened: " + err.Error())
		case l.Global.Quiet:
			return
		default:
			words = "the browser opens " + address.Scheme + "://" + address.Host + "; if it does not, open there:"
		}
	}
	l.UI.Note(words)
	_, _ = fmt.Fprintln(l.UI.Streams.Err, address.String())
}

// openBrowser starts the browser and does not wait for it: $BROWSER, else the system's own
// way. It gets no secret: what it starts stays for days.
func openBrowser(ctx context.Context, d *verb.Deps, c *client.Client, address string) error {
	environment := c.Local.ChildEnvironment(c.Profile, nil, "AUTHCTL_TOKEN")
	var failed error
	for _, choice := range browsers(d) {
		path, args, err := choice.command(address)
		if err == nil {
			started := exec.CommandContext(context.WithoutCancel(ctx), path, args...)
			started.Env, started.SysProcAttr = environment, apart()
			if err = started.Start(); err == nil {
				go func() { _ = started.Wait() }()
				return nil
			}
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

// browser is a command that opens an address, and what looks for its program.
type browser struct {
	words []string
	find  func(name string) (string, error)
}

// browsers are those to try, in this order: those of $BROWSER, separated as PATH's
// directories are, else the system's own. See http://www.catb.org/~esr/BROWSER/.
func browsers(d *verb.Deps) []browser {
	var list []browser
	chosen, _ := d.LookupEnv("BROWSER")
	for command := range strings.SplitSeq(chosen, string(filepath.ListSeparator)) {
		if words := browserWords(d, command); len(words) > 0 {
			list = append(list, browser{words, d.FindProgram})
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
	return []browser{{words, d.FindOwnProgram}}
}

// browserWords splits a command of $BROWSER. One that is a program's path as a whole is not
// split: "/mnt/c/Program Files/…" is what one has in WSL.
func browserWords(d *verb.Deps, command string) []string {
	command = strings.TrimSpace(command)
	if strings.Contains(command, " ") && filepath.IsAbs(command) {
		if path, err := d.FindProgram(command); err == nil {
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
	var quote rune
	begun := false
	for _, r := range command {
		blank := quote == 0 && strings.ContainsRune(" \t\n", r)
		if !blank && !begun {
			words = append(words, "")
		}
		begun = !blank
		switch {
		case blank:
		case r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote = r
		default:
			words[len(words)-1] += string(r)
		}
	}
	return words
}
