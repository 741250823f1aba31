package cli

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// The two lines of cobra's script that quote a candidate before it is compared with
// what was typed or inserted.
const (
	bashQuotedToCompare = `printf -v comp "%q" "${compline%%$tab*}" &>/dev/null ` +
		`|| comp=$(printf "%q" "${compline%%$tab*}")`
	bashQuotedToInsert = `COMPREPLY[0]=$(printf "%q" "${COMPREPLY[0]%%$tab*}")`
)

// WriteBashCompletion writes the completion script for bash: cobra's, but for commas,
// which printf %q escapes although they mean nothing to bash. Scopes are joined by them,
// and a candidate with a backslash in it never matches what was typed.
func WriteBashCompletion(root *cobra.Command, w io.Writer, descriptions bool) error {
	var b bytes.Buffer
	if err := root.GenBashCompletionV2(&b, descriptions); err != nil {
		return err
	}
	script := b.String()
	for line, variable := range map[string]string{bashQuotedToCompare: "comp", bashQuotedToInsert: "COMPREPLY[0]"} {
		if strings.Count(script, line) != 1 {
			return errors.New("cobra's bash completion has changed: look at the lines that quote a candidate")
		}
		script = strings.Replace(script, line, line+"\n        "+variable+`=${`+variable+`//\\,/,}`, 1)
	}
	_, err := io.WriteString(w, script)
	return err
}
