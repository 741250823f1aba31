package cli

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/authctl/authctl/internal/cli/verb"
	"github.com/authctl/authctl/internal/term"
	"github.com/spf13/cobra"
)

// exitRow is a row of the table as it is documented.
type exitRow struct {
	codes string
	// kind is that of the error, a dash where there is no error of ours.
	kind string
	// meaning is in Markdown.
	meaning string
}

// exitTable returns every exit code there is: the kinds of errors, success, and what
// comes from a child or a signal.
func exitTable() []exitRow {
	const none = "–"
	rows := []exitRow{{"0", none, "done"}}
	all := kinds()
	for _, name := range slices.SortedFunc(maps.Keys(all), func(a, b string) int {
		return cmp.Compare(all[a].code, all[b].code)
	}) {
		rows = append(rows, exitRow{strconv.Itoa(all[name].code), name, all[name].meaning})
	}
	child := "`exec` and `curl`: not executable, not found, ended by signal n; else the child's own code"
	return append(rows,
		exitRow{"126, 127, 128+n", none, child},
		exitRow{"130, 143", none, "interrupted, terminated"})
}

// ExitCodeTable returns the table of exit codes in Markdown, for the generator of the
// documentation.
func ExitCodeTable() string {
	var b strings.Builder
	b.WriteString("| code | kind | meaning |\n|--:|---|---|\n")
	for _, row := range exitTable() {
		name := row.kind
		if _, ok := kinds()[name]; ok {
			name = "`" + name + "`"
		}
		b.WriteString("| " + row.codes + " | " + name + " | " + row.meaning + " |\n")
	}
	return b.String()
}

// newExitCodes makes the help topic. Its text is made when it is asked for.
func newExitCodes(*verb.Deps) *cobra.Command {
	topic := &cobra.Command{Use: "exit-codes", Short: "The exit codes and what they mean"}
	topic.SetHelpFunc(func(command *cobra.Command, _ []string) { command.Print(exitCodesText()) })
	return topic
}

// stdoutExceptions says, in Markdown, where a command that fails leaves something on
// stdout.
func stdoutExceptions() []string {
	return []string{
		"`exec`, `curl`, `proxy` and `sandbox run` end with the code of what they run, once it runs, and stdout is its own.",
		"`doctor` prints its report also when a check failed, for the report is what was asked for.",
		"`token get -o env`, `-o fish` and `-o powershell` print statements that unset the variables and fail, so that a " +
			"shell does not go on with an earlier token.",
		"`token get -o github` prints the mask first, which stays when the runner's file cannot be appended to.",
	}
}

// StdoutExceptions returns a list in Markdown of what a command that fails leaves on
// stdout, for the generator of the documentation.
func StdoutExceptions() string {
	return "- " + strings.Join(stdoutExceptions(), "\n- ") + "\n"
}

// exitCodesText is the table for a terminal of 80 columns, and what to do with it.
func exitCodesText() string {
	var b strings.Builder
	b.WriteString("The exit code tells the kind of a failure; stdout is then empty, with the\nexceptions below.\n\n")
	write := func(codes, kind, meaning string) {
		b.WriteString(term.Hang(fmt.Sprintf("%-17s%-13s", codes, kind), strings.ReplaceAll(meaning, "`", ""), 80))
	}
	write("CODE", "KIND", "MEANING")
	var retryable []string
	for _, row := range exitTable() {
		if kinds()[row.kind].retryable {
			retryable = append(retryable, row.codes)
		}
		write(row.codes, row.kind, row.meaning)
	}
	b.WriteString("\nWith " + strings.Join(retryable, ", "))
	b.WriteString(` the same command may succeed later; with all others something has to be
changed first. With -o json the error is JSON, the last line on stderr:

  {"error":{"code","kind","provider","profile","message","hint","retryable"}}

What is on stdout although the code is not 0:

`)
	for _, exception := range stdoutExceptions() {
		b.WriteString(term.Hang("  - ", strings.ReplaceAll(exception, "`", ""), 80))
	}
	return b.String()
}
