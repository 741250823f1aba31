//go:build unix

package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/authctl/authctl/internal/cli"
)

// words splits a line of a shell into the words of its first command, as far as the check of its flags needs it.
func words(line string) []string {
	for _, end := range []string{" -- ", " | ", " > ", " >", " && ", " || ", " #", ")", "\\\n"} {
		line, _, _ = strings.Cut(line+" ", end)
	}
	list := strings.Fields(line)
	for i, word := range list {
		list[i] = strings.Trim(word, `'"`)
	}
	return slices.DeleteFunc(list, func(word string) bool { return word == "--help" })
}

// checkCommand returns what is wrong with the names of commands and flags in a line that begins with authctl.
func checkCommand(line string) string {
	tree := cli.Documentation()
	tree.InitDefaultHelpCmd()
	args := words(line)[1:]
	command, rest, err := tree.Find(args)
	if err != nil {
		return err.Error()
	}
	if err := command.ParseFlags(rest); err != nil {
		return err.Error()
	}
	if left := command.Flags().Args(); command.HasSubCommands() && len(left) > 0 && command.Name() != "help" {
		return "there is no command " + command.CommandPath() + " " + left[0]
	}
	return ""
}

// TestDocumentedCommands: commands and flags exist, also where an example is not run.
func TestDocumentedCommands(t *testing.T) {
	t.Parallel()
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			for line := range strings.Lines(b.text) {
				line = strings.TrimPrefix(strings.TrimSpace(line), "$ ")
				if !strings.HasPrefix(line, "authctl ") || b.language != "sh" && b.language != "console" {
					continue
				}
				if problem := checkCommand(line); problem != "" {
					t.Errorf("%s: %s: %s", b.where, line, problem)
				}
			}
		}
		for _, span := range p.spans() {
			if strings.HasPrefix(span, "authctl ") && !strings.ContainsAny(span, "|…") {
				if problem := checkCommand(span); problem != "" {
					t.Errorf("%s: `%s`: %s", p.name, span, problem)
				}
			}
		}
	}
}

// known reports whether some command has a flag.
func known(flag string) bool {
	tree := cli.Documentation()
	for queue := append(tree.Commands(), tree); len(queue) > 0; queue = queue[1:] {
		queue = append(queue, queue[0].Commands()...)
		name := strings.TrimPrefix(flag, "--")
		if name == "help" || queue[0].Flags().Lookup(name) != nil || queue[0].PersistentFlags().Lookup(name) != nil {
			return true
		}
	}
	return false
}

// ours reports whether inline code is a flag or a command of authctl, with or without its name in front.
func ours(span string) bool {
	first, _, _ := strings.Cut(span, " ")
	if first == "authctl" || strings.HasPrefix(first, "--") {
		return true
	}
	for _, command := range cli.Documentation().Commands() {
		if command.Name() == first {
			return true
		}
	}
	return false
}

// TestDocumentedFlags: a flag that the prose names exists, and so does a format.
func TestDocumentedFlags(t *testing.T) {
	t.Parallel()
	command, _, err := cli.Documentation().Find([]string{"token", "get"})
	if err != nil {
		t.Fatal(err)
	}
	formats := command.Flags().Lookup("output").Usage
	flags := regexp.MustCompile(`(?:^|\s)(--[a-z][a-z-]*)`)
	for _, p := range pages(t) {
		for _, span := range p.spans() {
			for _, flag := range flags.FindAllStringSubmatch(span, -1) {
				if ours(span) && !known(flag[1]) {
					t.Errorf("%s: `%s`: no command has the flag %s", p.name, span, flag[1])
				}
			}
			if format, ok := strings.CutPrefix(span, "-o "); ok && !regexp.MustCompile(`\b`+format+`\b`).MatchString(formats) {
				t.Errorf("%s: `%s`: there is no such format", p.name, span)
			}
		}
	}
}
