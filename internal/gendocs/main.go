// Command gendocs writes the reference pages, the man pages and the shell completions from the command line's own
// description. It is run by `make generate` and is not part of the program.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/authctl/authctl/internal/cli"
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func main() {
	reference := flag.String("reference", "docs/reference", "directory of the Markdown pages")
	man := flag.String("man", "docs/man", "directory of the man pages")
	completions := flag.String("completions", "completions", "directory of the shell completions")
	root := flag.String("root", ".", "directory of README.md and docs, in whose pages tables are replaced")
	flag.Parse()

	commands := cli.Documentation()
	commands.DisableAutoGenTag = true
	for _, generate := range []struct {
		directory string
		write     func(*cobra.Command, string) error
	}{
		{*reference, writeReference},
		{*man, writeMan},
		{*completions, writeCompletions},
	} {
		if err := anew(commands, generate.directory, generate.write); err != nil {
			fmt.Fprintf(os.Stderr, "gendocs: writing %s: %v\n", generate.directory, err)
			os.Exit(1)
		}
	}
	for _, table := range []struct{ page, name, text string }{
		{"README.md", "services", cli.CapabilityTable()},
		{filepath.Join("docs", "operations.md"), "services", cli.CapabilityTable()},
		{"README.md", "exit-codes", cli.ExitCodeTable()},
		{filepath.Join("docs", "exit-codes.md"), "exit-codes", cli.ExitCodeTable()},
		{filepath.Join("docs", "exit-codes.md"), "stdout-exceptions", cli.StdoutExceptions()},
	} {
		if err := tabulate(filepath.Join(*root, table.page), table.name, table.text); err != nil {
			fmt.Fprintf(os.Stderr, "gendocs: %v\n", err)
			os.Exit(1)
		}
	}
}

// tabulate replaces the table between the marks of that name in a page.
func tabulate(path, name, table string) error {
	begin, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->"
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return fmt.Errorf("%s has no place for the table %s", path, name)
	}
	page := before + begin + table + end + after
	return os.WriteFile(path, []byte(page), 0o644) //nolint:gosec // for everyone to read
}

// anew empties a directory first, so that the page of a command that is gone goes as well. Nothing but generated
// files may be kept there.
func anew(root *cobra.Command, directory string, write func(*cobra.Command, string) error) error {
	if err := os.RemoveAll(directory); err != nil {
		return err
	}
	if err := os.MkdirAll(directory, 0o755); err != nil { //nolint:gosec // documentation is for everyone to read
		return err
	}
	return write(root, directory)
}

// writeReference writes one page a command, authctl_token_get.md.
func writeReference(root *cobra.Command, directory string) error {
	return doc.GenMarkdownTree(root, directory)
}

// writeMan writes one page a command, authctl-token-get.1. The date is fixed: a page changes when its command does
// and not with the calendar.
func writeMan(root *cobra.Command, directory string) error {
	date := time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)
	header := &doc.GenManHeader{Section: "1", Manual: "authctl", Source: "authctl", Date: &date}
	if err := doc.GenManTree(root, header, directory); err != nil {
		return err
	}
	pages, err := filepath.Glob(filepath.Join(directory, "*.1"))
	if err != nil {
		return err
	}
	for _, page := range pages {
		if err := dropDate(page); err != nil {
			return err
		}
	}
	return nil
}

// dropDate empties the date in a page's .TH line, which nobody needs to read as 2000.
func dropDate(page string) error {
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	text = bytes.Replace(text, []byte(`"Jan 2000"`), []byte(`""`), 1)
	return os.WriteFile(page, text, 0o644) //nolint:gosec // documentation is for everyone to read
}

// writeCompletions writes one script a shell, under the name that the shell looks for.
func writeCompletions(root *cobra.Command, directory string) error {
	for _, shell := range []struct {
		file  string
		write func(*bytes.Buffer) error
	}{
		{"authctl.bash", func(b *bytes.Buffer) error { return cli.WriteBashCompletion(root, b, true) }},
		{"_authctl", func(b *bytes.Buffer) error { return root.GenZshCompletion(b) }},
		{"authctl.fish", func(b *bytes.Buffer) error { return root.GenFishCompletion(b, true) }},
		{"authctl.ps1", func(b *bytes.Buffer) error { return root.GenPowerShellCompletionWithDesc(b) }},
	} {
		var script bytes.Buffer
		if err := shell.write(&script); err != nil {
			return err
		}
		text := strings.TrimRight(script.String(), "\n") + "\n"
		//nolint:gosec // completions are for everyone to read
		if err := os.WriteFile(filepath.Join(directory, shell.file), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
